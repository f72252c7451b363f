-- manual: what the documentation says, from the same text as editors and readers have: the stubs of
-- lua/meta and the pages of docs/, which are inside the program.
-- SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local stubs = require("repl.stubs")
local suggest = require("tidemill.suggest")

local manual = {}

-- ---- For completion and errors --------------------------------------------------------------

--- Owner of the documented members of a module that scripts hold, such as "kernels".
---@param value any
---@return string?
function manual.module(value)
  if value == nil then return nil end
  if value == package.loaded.tidemill then return "tm" end
  for name in pairs(stubs.all().modules) do
    if value == rawget(package.loaded.tidemill or {}, name) then return name end
  end
end

--- Names of the members of a class or module; `methods`: of those alone that a colon calls.
---@param owner string?
---@param methods? boolean
---@return string[]
function manual.members(owner, methods)
  local names = {}
  if not owner then return names end
  local all = stubs.all()
  for _, entry in ipairs(all.entries) do
    if entry.owner == owner and (entry.colon or not methods) then names[#names + 1] = entry.member end
  end
  for _, field in ipairs(not methods and all.fields[owner] or {}) do names[#names + 1] = field.name end
  return names
end

-- The class of options that an entry takes: that of its last parameter which is one.
local function options_of(entry)
  for i = #entry.params, 1, -1 do
    for class in entry.params[i]:gmatch("tidemill%.([%w_]+)") do
      if class:find("options", 1, true) or class == "picture" then return class end
    end
  end
end

--- Names of the options that a function takes in a table, its name as it is written in a call.
---@param called string such as "tm.map" or "f:with"
---@return string[]
function manual.options(called)
  local all, names = stubs.all(), {}
  local entry, method = all.by_name[called], called:match(":([%w_]+)$")
  for _, other in ipairs(not entry and method and all.entries or {}) do
    if other.colon and other.member == method and options_of(other) then entry = entry or other end
  end
  local class = entry and options_of(entry)
  while class and all.fields[class] do
    for _, field in ipairs(all.fields[class]) do names[#names + 1] = field.name end
    class = all.fields[class].parent
  end
  if called == "tm.config" then return manual.members("config") end
  return names
end

-- ---- For people -----------------------------------------------------------------------------

--- Names of the pages, sorted.
---@return string[]
function manual.pages()
  local pages = {}
  for _, name in ipairs(core.embedded_names()) do
    pages[#pages + 1] = name:match("^(.*)%.md$")
  end
  return pages
end

--- What is documented, sorted by name.
---@return tidemill.repl.entry[]
function manual.entries() return stubs.all().entries end

-- The first sentence, or what of it stands in the first line.
local function first_line(entry)
  local line = entry.text[1] or ""
  return line:match("^.-[.;:]%f[%s%z]") or line
end

-- The text of an entry.
local function page_of(entry)
  local lines = { entry.signature, "" }
  for _, line in ipairs(entry.text) do lines[#lines + 1] = line end
  if #entry.params + #entry.returns > 0 then lines[#lines + 1] = "" end
  for _, param in ipairs(entry.params) do lines[#lines + 1] = "  " .. param end
  for _, given in ipairs(entry.returns) do lines[#lines + 1] = "  gives " .. given end
  local class, fields = options_of(entry), stubs.all().fields
  while class and fields[class] do
    for _, field in ipairs(fields[class]) do
      lines[#lines + 1] = ("    %s: %s"):format(field.name, field.text)
    end
    class = fields[class].parent
  end
  return table.concat(lines, "\n")
end

-- The members of an owner, a line each.
local function list_of(owner)
  local lines = {}
  for _, entry in ipairs(manual.entries()) do
    if entry.owner == owner then
      lines[#lines + 1] = ("  %-44s %s"):format(entry.signature, first_line(entry))
    end
  end
  for _, field in ipairs(stubs.all().fields[owner] or {}) do
    lines[#lines + 1] = ("  %-44s %s"):format(owner .. "." .. field.name, field.text)
  end
  return #lines > 0 and table.concat(lines, "\n") or nil
end

local function by_member(word)
  local texts = {}
  for _, entry in ipairs(manual.entries()) do
    if entry.member == word then texts[#texts + 1] = page_of(entry) end
  end
  return #texts > 0 and table.concat(texts, "\n\n") or nil
end

--- What is said of a name: that of a function, a method, a class or a page; nil: nothing.
---@param word string
---@return string?
function manual.about(word)
  local all = stubs.all()
  local entry = all.by_name[word] or all.by_name["tm." .. word]
    or all.by_name[(word:gsub("^array:", "lazy:"))] -- what lazy arrays do, the others do too
  local owner = word:match("^tm%.(%w+)$") or word
  if entry then
    local members = list_of(owner) -- of a module, or of what is called as the function is: array
    return members and page_of(entry) .. "\n\n" .. members or page_of(entry)
  end
  return core.embedded(word:gsub("%.md$", "") .. ".md") or list_of(word) or by_member(word)
end

--- The name nearest to one of which nothing is said.
---@param word string
---@return string?
function manual.nearest(word)
  local names = manual.pages()
  for _, entry in ipairs(manual.entries()) do names[#names + 1] = entry.name end
  local found = suggest.nearest(word, names)
  if found then return found end
  for i, entry in ipairs(manual.entries()) do names[i] = entry.member end
  return suggest.nearest(word, names)
end

-- ---- Searching ------------------------------------------------------------------------------

local function search_page(page, word, found)
  local number, count = 0, 0
  for line in core.embedded(page .. ".md"):gmatch("([^\n]*)\n?") do
    number = number + 1
    if count < 5 and line:lower():find(word, 1, true) then
      count = count + 1
      found[#found + 1] = ("  %-28s %s"):format(("%s, line %d"):format(page, number),
        (line:gsub("^[#%s|-]+", "")))
    end
  end
end

--- Names and lines of pages that hold a word, in any case of letters; nil: there are none.
---@param word string
---@return string?
function manual.search(word)
  local found = {}
  word = word:lower()
  if word == "" then return nil end
  for _, entry in ipairs(manual.entries()) do
    local text = entry.name .. " " .. table.concat(entry.text, " ")
    if text:lower():find(word, 1, true) then
      found[#found + 1] = ("  %-28s %s"):format(entry.name, first_line(entry))
    end
  end
  for _, page in ipairs(manual.pages()) do search_page(page, word, found) end
  return #found > 0 and table.concat(found, "\n") or nil
end

return manual
