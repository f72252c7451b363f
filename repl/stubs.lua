-- stubs: what lua/meta declares for editors, read for the session's help and completion.
-- SPDX-License-Identifier: MIT
local core = require("tidemill.core")

local stubs = {}

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

--- All that the stubs declare.
---@class tidemill.repl.stubs
---@field entries tidemill.repl.entry[] sorted by name
---@field by_name table<string, tidemill.repl.entry>
---@field fields table<string, table> class -> list of {name, text}, with the name of its `parent`
---@field modules table<string, true> names of the tables in `tm`

local all

-- Takes down a line `---@word rest`.
local function take_annotation(block, word, rest)
  if word == "param" then block.params[#block.params + 1] = rest end
  if word == "return" then block.returns[#block.returns + 1] = rest end
  if word == "class" then
    block.class = rest:match("^tidemill%.?([%w_.]*)")
    if block.class == "" then block.class = "tm" end
    all.fields[block.class] = all.fields[block.class] or { parent = rest:match(":%s*tidemill%.([%w_.]+)") }
  elseif word == "field" and block.class then
    local name, text = rest:match("^([%w_]+)%??%s*(.*)$")
    if name then table.insert(all.fields[block.class], { name = name, text = text }) end
  end
end

local function add_entry(block, written, parameters)
  local owner, sign, member = written:match("^(.-)([.:])([%w_]+)$")
  if not owner then return end
  local name = (all.modules[owner] and "tm." or "") .. owner .. sign .. member
  local entry = { name = name, owner = owner, member = member, colon = sign == ":", text = block.text,
    params = block.params, returns = block.returns, signature = name .. (parameters or "") }
  all.entries[#all.entries + 1], all.by_name[name] = entry, entry
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

-- Calls fn(text) for each file of stubs.
local function each_file(fn)
  for _, name in ipairs(core.embedded_names()) do
    if name:match("^meta%.") then fn(core.embedded(name)) end
  end
end

--- What the stubs declare; they are read once.
---@return tidemill.repl.stubs
function stubs.all()
  if all then return all end
  all = { entries = {}, by_name = {}, fields = {}, modules = {} }
  each_file(function(text)
    for name in text:gmatch("\ntm%.([%w_]+) = ") do all.modules[name] = true end
  end)
  each_file(read_stubs)
  table.sort(all.entries, function(a, b) return a.name < b.name end)
  return all
end

return stubs
