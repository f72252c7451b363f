-- manual: what the documentation says, from the same text as editors and readers have: the stubs of
-- lua/meta and the pages of docs/, which are inside the program.
-- SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local suggest = require("tidemill.suggest")

local manual = {}

--- A name that is documented.
---@class tidemill.repl.entry
---@field name string as it is written: "tm.map", "array:slice", "tm.kernels.sma"
---@field owner string "tm", "array", "kernels"
---@field member string
---@field colon boolean whether it is a method
---@field signature string
---@field text string[] lines about it
---@field params string[] "name type and what it is"
---@field returns string[]

local entries, by_name, fields -- fields: class -> list of {name, text, parent}

-- ---- Reading the stubs ----------------------------------------------------------------------

-- Takes down a line `---@word rest`.
local function take_annotation(block, word, rest)
  if word == "param" then block.params[#block.params + 1] = rest end
  if word == "return" then block.returns[#block.returns + 1] = rest end
  if word == "class" then
    block.class = rest:match("^tidemill%.?([%w_.]*)")
    if block.class == "" then block.class = "tm" end
    fields[block.class] = fields[block.class] or { parent = rest:match(":%s*tidemill%.([%w_.]+)") }
  elseif word == "field" and block.class then
    local name, text = rest:match("^([%w_]+)%??%s*(.*)$")
    if name then table.insert(fields[block.class], { name = name, text = text }) end
  end
end

local modules = { kernels = true, log = true, json = true, config = true }

local function add_entry(block, written, parameters)
  local owner, sign, member = written:match("^(.-)([.:])([%w_]+)$")
  if not owner then return end
  local name = (modules[owner] and "tm." or "") .. owner .. sign .. member
  local entry = { name = name, owner = owner, member = member, colon = sign == ":", text = block.text,
    params = block.params, returns = block.returns, signature = name .. (parameters or "") }
  entries[#entries + 1], by_name[name] = entry, entry
end

local function new_block() return { text = {}, params = {}, returns = {} } end

local function read_stubs(text)
  local block = new_block()
  for line in text:gmatch("([^\n]*)\n") do
    local word, rest = line:match("^%-%-%-@(%w+)%s*(.*)$")
    local said = line:match("^%-%-%- ?(.*)$")
    if word then
      take_annotation(block, word, rest)
    elseif said and not (block.class and #block.text > 0) then
      block.text[#block.text + 1] = said
    else
      local name, parameters = line:match("^function ([%w_.:]+)(%(.-%)) end")
      if not name then name = line:match("^(tm%.[%w_]+) = ") end
      if name then add_entry(block, name, parameters) end
      if not line:match("^local ") then block = new_block() end
    end
  end
end

local function load_all()
  if entries then return end
  entries, by_name, fields = {}, {}, {}
  for _, name in ipairs(core.embedded_names()) do
    if name:match("^meta%.") then read_stubs(core.embedded(name)) end
  end
  table.sort(entries, function(a, b) return a.name < b.name end)
end

-- ---- For completion and errors --------------------------------------------------------------

--- Owner of the documented members of a module that scripts hold, such as "kernels".
---@param value any
---@return string?
function manual.module(value)
  if value == nil then return nil end
  if value == package.loaded.tidemill then return "tm" end
  for name in pairs(modules) do
    if value == package.loaded["tidemill." .. name] then return name end
  end
end

--- Names of the members of a class or module; `methods`: of those alone that a colon calls.
---@param owner string?
---@param methods? boolean
---@return string[]
function manual.members(owner, methods)
  local names = {}
  if not owner then return names end
  load_all()
  for _, entry in ipairs(entries) do
    if entry.owner == owner and (entry.colon or not methods) then names[#names + 1] = entry.member end
  end
  for _, field in ipairs(not methods and fields[owner] or {}) do names[#names + 1] = field.name end
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
  load_all()
  local entry, names = by_name[called], {}
  local method = called:match(":([%w_]+)$")
  for _, other in ipairs(not entry and method and entries or {}) do
    if other.colon and other.member == method and options_of(other) then entry = entry or other end
  end
  local class = entry and options_of(entry)
  while class and fields[class] do
    for _, field in ipairs(fields[class]) do names[#names + 1] = field.name end
    class = fields[class].parent
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
function manual.entries()
  load_all()
  return entries
end

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
  local class = options_of(entry)
  for _, field in ipairs(class and fields[class] or {}) do
    lines[#lines + 1] = ("    %s: %s"):format(field.name, field.text)
  end
  return table.concat(lines, "\n")
end

-- The members of an owner, a line each.
local function list_of(owner)
  local lines = {}
  for _, entry in ipairs(entries) do
    if entry.owner == owner then
      lines[#lines + 1] = ("  %-44s %s"):format(entry.signature, first_line(entry))
    end
  end
  for _, field in ipairs(fields[owner] or {}) do
    lines[#lines + 1] = ("  %-44s %s"):format(owner .. "." .. field.name, field.text)
  end
  return #lines > 0 and table.concat(lines, "\n") or nil
end

local function by_member(word)
  local texts = {}
  for _, entry in ipairs(entries) do
    if entry.member == word then texts[#texts + 1] = page_of(entry) end
  end
  return #texts > 0 and table.concat(texts, "\n\n") or nil
end

--- What is said of a name: that of a function, a method, a class or a page; nil: nothing.
---@param word string
---@return string?
function manual.about(word)
  load_all()
  local entry = by_name[word] or by_name["tm." .. word]
  local owner = word:match("^tm%.(%w+)$") or word
  if entry and modules[owner] then
    return page_of(entry) .. "\n\n" .. (list_of(owner) or "")
  end
  if entry then return page_of(entry) end
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
  for i, entry in ipairs(entries) do names[i] = entry.member end
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
  load_all()
  local found = {}
  word = word:lower()
  if word == "" then return nil end
  for _, entry in ipairs(entries) do
    local text = entry.name .. " " .. table.concat(entry.text, " ")
    if text:lower():find(word, 1, true) then
      found[#found + 1] = ("  %-28s %s"):format(entry.name, first_line(entry))
    end
  end
  for _, page in ipairs(manual.pages()) do search_page(page, word, found) end
  return #found > 0 and table.concat(found, "\n") or nil
end

return manual
