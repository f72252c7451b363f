-- roff: text as a manual page has it, in the macros of man(7).  SPDX-License-Identifier: MIT

local roff = {}

local width = 78

--- Text that no roff program takes for a request; hyphens are those that a shell reads.
---@param text string
---@return string
function roff.text(text) return (text:gsub("\\", "\\e"):gsub("%-", "\\-")) end

--- Text with `code` and [links](of Markdown).
---@param text string
---@return string
function roff.marked(text)
  local plain = text:gsub("%[([^%]]+)%]%([^)]*%)", "%1")
  return (roff.text(plain):gsub("`([^`]+)`", "\\fB%1\\fR"))
end

local function guarded(line) return line:match("^[.']") and "\\&" .. line or line end

-- In lines that are not too long; a sentence that two blanks end ends its line.
local function wrapped(text)
  local lines = {}
  for sentence in (text:gsub("%s*\n%s*", " "):gsub("([.:])  +", "%1\n") .. "\n"):gmatch("([^\n]*)\n") do
    local line = ""
    for word in sentence:gmatch("%S+") do
      if line ~= "" and #line + #word >= width then
        lines[#lines + 1], line = guarded(line), word
      else
        line = line == "" and word or line .. " " .. word
      end
    end
    if line ~= "" then lines[#lines + 1] = guarded(line) end
  end
  return table.concat(lines, "\n")
end

-- The day of the build, or the one that whoever builds wants to be written everywhere.
local function day()
  return os.date("!%Y-%m-%d", tonumber(os.getenv("SOURCE_DATE_EPOCH")))
end

--- A page that is being written; texts are escaped already.
---@param title string
---@param section string
---@param version string
---@param heading string
function roff.page(title, section, version, heading)
  local lines = { (".TH %s %s %s \"tidemill %s\" \"%s\""):format(title, section, day(), version, heading) }
  local page, fresh = {}, false

  function page.line(line)
    lines[#lines + 1] = line
    fresh = line:match("^%.S[HS] ") ~= nil
  end

  -- Behind a heading the paragraph is there already.
  local function begin()
    if not fresh then page.line(".PP") end
  end

  function page.section(name) page.line(".SH " .. name) end
  function page.subsection(name) page.line(".SS " .. roff.text(name)) end

  function page.paragraph(text)
    begin()
    page.line(wrapped(text))
  end

  function page.item(tag, text) page.line(".TP\n\\fB" .. roff.text(tag) .. "\\fR\n" .. wrapped(text)) end

  function page.example(text)
    begin()
    page.line(".EX")
    for line in (text .. "\n"):gmatch("([^\n]*)\n") do page.line(guarded(roff.text(line))) end
    page.line(".EE")
  end

  function page.done() return table.concat(lines, "\n") .. "\n" end
  return page
end

return roff
