-- graph: a task graph as plain data, as Dask writes it:
--     tm.graph{ x = 1, y = 2, z = {add, "x", "y"} }:get("z")
local node = require("tidemill.node")
local shown = require("tidemill.shown")
local task = require("tidemill.task")
local compute = require("tidemill.compute")
local receiver = require("tidemill.receiver")
local suggest = require("tidemill.suggest")

local graph = {}

---@class tidemill.graph
local methods = {}
local meta = { __index = methods, __name = "tidemill.graph" }
graph.methods, graph.meta = methods, meta -- a graph crosses to tasks with these by name

local function is_graph(value) return type(value) == "table" and getmetatable(value) == meta end

local check_self = receiver.check(is_graph, "a graph", "graph")

local literal = {}
literal.__index = literal

--- A string that is itself, even when it equals a key.
function graph.literal(value)
  if type(value) ~= "string" then error("literal: expected a string, got " .. shown.value(value), 2) end
  return setmetatable({ value = value }, literal)
end

local function is_call(value)
  return type(value) == "table" and getmetatable(value) == nil and
    (type(value[1]) == "function" or task.is(value[1]))
end

--- A graph from a table: key -> value or {fn, argument, ...}.
---@param definition table
---@return tidemill.graph
function graph.new(definition)
  if type(definition) ~= "table" then
    error("graph: expected a table such as {x = 1, z = {fn, \"x\"}}, got a " .. type(definition), 2)
  end
  return setmetatable({ definition = definition, nodes = {}, delayed = {}, keys = nil }, meta)
end

local function keys_of(self)
  local keys = {}
  for key in pairs(self.definition) do
    if type(key) == "string" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  return keys
end

-- Keys that a value mentions, in order.
local function mentions(self, value, found)
  if type(value) == "string" then
    if self.definition[value] ~= nil then found[#found + 1] = value end
  elseif type(value) == "table" and getmetatable(value) == nil then
    for i, member in ipairs(value) do
      if not (i == 1 and is_call(value)) then mentions(self, member, found) end
    end
    for key, member in pairs(value) do
      if type(key) == "string" then mentions(self, member, found) end
    end
  end
  return found
end

local most_told = 20 -- keys of a cycle that its error names; of a longer one the first and the last

-- A cycle as text: what is on the path from `input` on, and `input` again.
local function cycle_text(path, input)
  local from = 1
  while path[from] ~= input do from = from + 1 end
  local told, left_out = {}, #path - from + 1 - most_told
  for i = from, #path do
    local place = i - from
    if left_out <= 0 or place < most_told - 1 or i == #path then
      told[#told + 1] = path[i]
    elseif place == most_told - 1 then
      told[#told + 1] = ("... %d more ..."):format(left_out)
    end
  end
  told[#told + 1] = input
  return table.concat(told, " -> ")
end

-- The keys that `key` needs, inputs first; a cycle is an error that names it. No recursion: a
-- chain may be a million keys long.
local function order(self, key, level)
  local list, state, stack, path = {}, {}, { { key = key } }, {}
  while #stack > 0 do
    local top = stack[#stack]
    if not top.inputs then
      if state[top.key] == "done" or self.nodes[top.key] then
        stack[#stack] = nil
      else
        state[top.key] = "open"
        path[#path + 1] = top.key
        top.inputs, top.next = mentions(self, self.definition[top.key], {}), 1
      end
    elseif top.next <= #top.inputs then
      local input = top.inputs[top.next]
      top.next = top.next + 1
      if state[input] == "open" then
        error("graph: a cycle: " .. cycle_text(path, input), level + 1)
      end
      stack[#stack + 1] = { key = input }
    else
      state[top.key] = "done"
      path[#path] = nil
      list[#list + 1] = top.key
      stack[#stack] = nil
    end
  end
  return list
end

-- Workers load a task function once for each name it has: names beyond so many are made fewer.
local most_names = 1000

-- What a key has before its number: "load-17" and ("load", 17) written as text are of "load".
local function layer_of(key) return key:match("^%W*(.-)[%W%d]*$") end

-- The task function of a call in the graph: named after its key, where it stands for one.
local function delayed_of(self, fn, key)
  local named = self.delayed[fn]
  if not named then
    named = { count = 0, of = {} }
    self.delayed[fn] = named
  end
  local name = key or false
  if name and named.count >= most_names then name = layer_of(name) end
  if name == "" or named.count >= 2 * most_names then name = false end
  if not named.of[name] then
    named.of[name], named.count = task.delayed(fn, { name = name or nil }), named.count + 1
  end
  return named.of[name]
end

local build

local function build_call(self, call, name)
  local fn = call[1]
  if type(fn) == "function" then fn = delayed_of(self, fn, name) end
  local arguments, count = {}, 1
  for i in pairs(call) do
    if type(i) == "number" and i > count then count = i end
  end
  for i = 2, count do arguments[i - 1] = build(self, call[i]) end
  return fn(unpack(arguments, 1, count - 1))
end

-- A value with the nodes of its keys in their places.
function build(self, value)
  if type(value) == "string" and self.definition[value] ~= nil then return self.nodes[value] end
  if type(value) ~= "table" then return value end
  if getmetatable(value) == literal then return value.value end
  if getmetatable(value) ~= nil then return value end
  if is_call(value) then return build_call(self, value, nil) end
  local out = {}
  for key, member in pairs(value) do out[key] = build(self, member) end
  return out
end

local identity

local function build_key(self, key)
  local value = self.definition[key]
  if is_call(value) then return build_call(self, value, key) end
  identity = identity or task.delayed(function(x) return x end, { name = "value" })
  local made = build(self, value)
  return node.is(made) and made or identity(made)
end

local function check_key(self, key, level)
  if self.definition[key] == nil then
    error(("graph: no key \"%s\"%s"):format(shown.name(key), suggest.phrase(key, keys_of(self))),
      level + 1)
  end
end

local function node_of(self, key, level)
  check_key(self, key, level + 1)
  for _, name in ipairs(order(self, key, level + 1)) do self.nodes[name] = build_key(self, name) end
  return self.nodes[key]
end

--- The lazy node of a key.
---@param key string
---@return tidemill.node
function methods:node(key)
  check_self(self, "node")
  local made = node_of(self, key, 2) -- not a tail call: errors count the levels
  return made
end

--- Computes a key; for a list of keys, a list of values.
---@param key string|string[]
function methods:get(key)
  check_self(self, "get")
  if type(key) ~= "table" then return compute.one(node_of(self, key, 2)) end
  local nodes = {}
  for i, name in ipairs(key) do nodes[i] = node_of(self, name, 2) end
  return compute.all(nodes)
end

function meta.__tostring(self) return ("graph of %d keys"):format(#keys_of(self)) end

return graph
