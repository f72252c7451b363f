-- names: what can be named in a session: locals, globals, and the members of real objects.
-- Looking never calls a metamethod of the user's, so that it neither computes nor fails.
-- SPDX-License-Identifier: MIT
local scope = require("repl.scope")

local names = {}

-- module -> class of its stubs, as the manual calls it.
local classes = { array = "array", node = "node", future = "future", frame = "frame", graph = "graph",
  task = "delayed", channel = "channel", pool = "pool", lazy = "lazy" }

--- Class of a value of the engine, such as "array"; nil: it is none.
---@param value any
---@return string?
function names.class(value)
  for module, class in pairs(classes) do
    local loaded = package.loaded["tidemill." .. module]
    if type(loaded) == "table" and loaded.is and loaded.is(value) then return class end
  end
  return nil
end

local function add_keys(value, found)
  for key in next, value do
    if type(key) == "string" and key:match("^[%a_][%w_]*$") then found[key] = true end
  end
end

local function add_inherited(value, found)
  local meta = debug.getmetatable(value)
  local index = type(meta) == "table" and rawget(meta, "__index")
  for _ = 1, 10 do
    if type(index) ~= "table" then return end
    add_keys(index, found)
    meta = debug.getmetatable(index)
    index = type(meta) == "table" and rawget(meta, "__index")
  end
end

local function add_columns(value, found)
  for _, name in ipairs(rawget(value, "columns")) do
    if name:match("^[%a_][%w_]*$") then found[name] = true end
  end
end

--- Names of the members of a value, sorted; `methods`: of those alone that a colon calls.
---@param value any
---@param methods? boolean
---@return string[]
function names.members(value, methods)
  local found, class = {}, names.class(value)
  local manual = require("repl.manual")
  if class == "frame" and not methods then add_columns(value, found) end
  for _, name in ipairs(manual.members(class or manual.module(value), methods)) do
    found[name] = true
  end
  if type(value) == "table" and class ~= "frame" and class ~= "future" then add_keys(value, found) end
  add_inherited(value, found)
  local list = {}
  for name in pairs(found) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- Names that stand for themselves: locals of the session and globals, sorted.
---@return string[]
function names.all()
  local found, list = {}, {}
  for _, name in ipairs(scope.names()) do found[name] = true end
  add_keys(_G, found)
  for name in pairs(found) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- A member without metamethods of the user's; the engine's own are harmless.
local function member(value, key)
  if names.class(value) or value == package.loaded.tidemill or type(value) == "string" then
    local fine, found = pcall(function() return value[key] end)
    return fine and found or nil
  end
  for _ = 1, 10 do
    if type(value) ~= "table" then return nil end
    local found = rawget(value, key)
    if found ~= nil then return found end
    local meta = debug.getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index")
  end
end

--- The value of a path such as "tm.kernels" or "a.b:c"; nil: there is none.
---@param path string
---@return any
function names.resolve(path)
  local value, first = nil, true
  for name in path:gmatch("[^.:]+") do
    if first then
      local there
      value, there = scope.get(name)
      if not there then value = rawget(_G, name) end
    else
      value = member(value, name)
    end
    first = false
    if value == nil then return nil end
  end
  return value
end

return names
