-- stubs: what lua/meta declares, taken apart for the reference: functions, classes, aliases, in order.
-- SPDX-License-Identifier: MIT

local stubs = {}

--- @class reference.item
--- @field kind string "section", "function", "class" or "alias"
--- @field name string as it is written: "tm.map", "node:compute", "tidemill.options"
--- @field signature? string of functions
--- @field text string[] lines about it
--- @field params table[] {name, optional, type, text}
--- @field returns table[] {type, text}
--- @field fields table[] of classes: {name, optional, type, text}
--- @field parent? string of classes
--- @field overloads string[]
--- @field operators string[]
--- @field path string
--- @field line integer

-- Splits "fun(a: b): c, d what it is" into the type and the rest.
local function split_type(text)
  local depth, i = 0, 1
  while i <= #text do
    local char = text:sub(i, i)
    if char:match("[%(<{%[]") then depth = depth + 1 elseif char:match("[%)>}%]]") then depth = depth - 1 end
    if char == "\"" then i = text:find("\"", i + 1, true) or #text end
    if char == " " and depth == 0 and not text:sub(1, i - 1):match("[:|,]$") then break end
    i = i + 1
  end
  return text:sub(1, i - 1), text:sub(i + 1)
end

-- "name? type what it is"
local function member_of(rest)
  local name, optional, more = rest:match("^%[\"([^\"]+)\"%](%??)%s+(.*)$")
  if not name then name, optional, more = rest:match("^(%b[])(%??)%s+(.*)$") end
  if not name then name, optional, more = rest:match("^([%w_.]+)(%??)%s+(.*)$") end
  local kind, text = split_type(more)
  return { name = name, optional = optional == "?", type = kind, text = text }
end

local function new_block(path, line)
  return { text = {}, params = {}, returns = {}, fields = {}, overloads = {}, operators = {}, path = path,
    line = line }
end

local function take(block, word, rest)
  if word == "param" then block.params[#block.params + 1] = member_of(rest) end
  if word == "field" then block.fields[#block.fields + 1] = member_of(rest) end
  if word == "return" then
    local kind, text = split_type(rest)
    block.returns[#block.returns + 1] = { type = kind, text = text }
  end
  if word == "overload" then block.overloads[#block.overloads + 1] = rest end
  if word == "operator" then block.operators[#block.operators + 1] = rest end
  if word == "class" then
    block.class, block.parent = rest:match("^([%w_.]+):%s*(tidemill[%w_.]*)")
    block.class = block.class or rest:match("^[%w_.]+")
    local about = rest:match("^[%w_.]+%s+(%l.*)$")
    if about then block.text[#block.text + 1] = about end
  end
  if word == "alias" then
    block.alias = rest:match("^[%w_.]+")
    local kind, text = split_type(rest:sub(#block.alias + 2))
    block.fields[1] = { name = "", type = kind, text = text }
  end
end

-- A line that goes on from an annotation: "---       more of it".
local function go_on(block, said)
  local last = block.last == "field" and block.fields or block.last == "param" and block.params
  if not last or not said:match("^%s") then return false end
  last[#last].text = last[#last].text .. " " .. said:match("^%s*(.*)$")
  return true
end

-- ---- A file -----------------------------------------------------------------------------------

local reader = {}
reader.__index = reader

-- The comment has ended: a class or an alias stands for itself.
function reader:close()
  local block = self.block
  if block.class or block.alias then
    block.kind, block.name = block.class and "class" or "alias", block.class or block.alias
    -- One of which nothing is said only gives its functions a name.
    if #block.text + #block.fields + #block.overloads > 0 then self.items[#self.items + 1] = block end
  end
  self.block = new_block(self.path, self.number)
end

function reader:annotate(word, rest)
  if word == "meta" then
    self.block = new_block(self.path, self.number)
    return
  end
  -- A second class in one comment: the text above is the first one's.
  local another = word == "class" or word == "alias"
  if another and (self.block.class or self.block.alias) then self:close() end
  take(self.block, word, rest)
  self.block.last = word
end

function reader:add_function(name, parameters)
  local block = self.block
  local owner, sign, member = name:match("^(.-)([.:])([%w_.]+)$")
  block.kind, block.owner, block.sign, block.member = "function", owner, sign, member
  block.parameters = parameters
  self.items[#self.items + 1] = block
  self.block = new_block(self.path, self.number)
end

-- tm.log = log: what the functions of log are called; tm.kernel = {}: a table that is called.
function reader:add_table(name, value)
  local call = self.block.overloads[1]
  if value ~= "{}" then
    self.owners[value] = name
  elseif call and #self.block.text > 0 then
    self.block.class = nil
    self:add_function(name, call:match("^fun%((.-)%)"):gsub(": [%w_]+", ""))
    return
  else
    self.tables[#self.tables + 1] = name
  end
  self:close()
end

function reader:take_code(line)
  local variable = line:match("^local ([%w_]+) = {}$")
  local name, parameters = line:match("^function ([%w_.:]+)%((.-)%) end$")
  local section = line:match("^%-%- [-%s]*(%a.-) %-%-+$")
  local alias, of = line:match("^(tm%.[%w_]+) = ([%w_{}]+)$")
  if name then
    self:add_function(name, parameters)
  elseif alias then
    self:add_table(alias, of)
  else
    if variable == "kernels" or variable == "linalg" then self.owners[variable] = "tm." .. variable end
    if section or variable or line == "" then self:close() end
    if section then self.items[#self.items + 1] = { kind = "section", name = section } end
  end
end

function reader:take_line(line)
  self.number = self.number + 1
  local word, rest = line:match("^%-%-%-@(%l+)%s*(.*)$")
  local said = line:match("^%-%-%- ?(.*)$")
  if word then
    self:annotate(word, rest)
  elseif not said then
    self:take_code(line)
  elseif not go_on(self.block, said) then
    self.block.text[#self.block.text + 1] = said
  end
end

--- Adds the items of a file of stubs, and the names of tables in `tm` that it leaves to others.
---@param path string
---@param items reference.item[]
---@param tables string[]
function stubs.read(path, items, tables)
  local self = setmetatable({ path = path, number = 0, items = {}, owners = {}, tables = tables }, reader)
  self.block = new_block(path, 1)
  for line in io.lines(path) do self:take_line(line) end
  self:close()
  for _, item in ipairs(self.items) do
    if item.kind == "function" then
      item.name = (self.owners[item.owner] or item.owner) .. item.sign .. item.member
      item.signature = item.name .. "(" .. item.parameters .. ")"
    end
    items[#items + 1] = item
  end
end

return stubs
