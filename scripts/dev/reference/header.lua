-- header: what tidemill.h declares, taken apart for the reference: sections, and in them declarations
-- with the comment in front.  SPDX-License-Identifier: MIT

local shell = require "scripts.dev.shell"

local header = {}

-- Lines of a comment without its marks.
local function text_of(comment)
  local lines = {}
  for line in (comment:gsub("^/%*", ""):gsub("%*/$", "") .. "\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = (line:gsub("^%s*%*? ?", "", 1):gsub("%s+$", ""))
  end
  while lines[#lines] == "" do lines[#lines] = nil end
  return lines
end

-- Names of what a chunk of code declares.
local function names_of(code)
  local names = {}
  for name in code:gmatch("(tidemill_[%w_]+)%(") do names[#names + 1] = name end
  if #names > 0 then return names, "function" end
  for name in code:gmatch("\n#define (TIDEMILL_[%w_]+)") do names[#names + 1] = name end
  for name in code:gmatch("}%s*([%w_]+);") do names[#names + 1] = name end
  for name in code:gmatch("\ntypedef struct [%w_]+ ([%w_]+);") do names[#names + 1] = name end
  for name in code:gmatch("\nstruct (%w+) {") do names[#names + 1] = name end
  if #names == 0 then names[1] = code:match("enum { ([%w_]+)") end
  return names, "type"
end

-- Chunks of a text: what stands between empty lines, but for those inside braces and comments.
local function chunks_of(text)
  local chunks, lines, depth, in_comment = {}, {}, 0, false
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local code = line:gsub("/%*.-%*/", ""):gsub("^extern \"C\" {$", ""):gsub("^}$", "")
    if line:find("/*", 1, true) and not line:find("*/", 1, true) then in_comment = true end
    if not in_comment then depth = depth + select(2, code:gsub("{", "")) - select(2, code:gsub("}", "")) end
    if line:find("*/", 1, true) then in_comment = false end
    if line == "" and depth == 0 and not in_comment then
      if #lines > 0 then chunks[#chunks + 1] = table.concat(lines, "\n") end
      lines = {}
    else
      lines[#lines + 1] = line
    end
  end
  if #lines > 0 then chunks[#chunks + 1] = table.concat(lines, "\n") end
  return chunks
end

--- Items of a header, in order: {kind = "intro" or "section" or "function" or "type", name or names,
--- text, code}; `at_once` of functions that their section says to be.
---@param path string
---@return table[]
function header.read(path)
  local text = shell.read(path)
  local items, at_once = {}, false
  for _, chunk in ipairs(chunks_of(text)) do
    local section = chunk:match("^/%* %-%-%-%- (.-) %-+ %*/$")
    local comment, code = chunk:match("^(/%*.-%*/)\n?(.*)$")
    if not comment then comment, code = "", chunk end
    local names, kind = names_of("\n" .. code)
    if section then
      items[#items + 1], at_once = { kind = "section", name = section }, false
    elseif #items == 0 and comment ~= "" then
      items[#items + 1] = { kind = "intro", text = text_of(comment) }
    elseif #names > 0 and not code:match("^#if") then
      local said = text_of(comment)
      local all = table.concat(said, " ")
      at_once = at_once or all:find("All functions of this section: at once", 1, true) ~= nil
        or all:find("At once, as all of this section", 1, true) ~= nil
      items[#items + 1] = { kind = kind, names = names, text = said, code = code,
        at_once = at_once or all:find("[Aa]t once") ~= nil }
    end
  end
  return items
end

return header
