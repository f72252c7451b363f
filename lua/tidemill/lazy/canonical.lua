-- canonical: common subexpressions become one.
-- Expressions that say the same are replaced by the first of them, from the inputs up, so that what
-- is equal is computed once and a number tells whether two are the same.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local view = require("tidemill.lazy.view")

local canonical = {}

local describe = {} -- op -> its own part of the key; inputs are described by their numbers

local function list(values)
  local parts = {}
  for i, value in ipairs(values) do parts[i] = tostring(value) end
  return table.concat(parts, ",")
end

-- A number to its last bit: %.17g tells -0 from 0, and NaN is NaN.
local function exact(value)
  return type(value) == "number" and ("%.17g"):format(value) or tostring(value)
end

function describe.data(e) return tostring(ffi.cast("uintptr_t", e.array.array)) end
function describe.constant(e) return type(e.value) .. exact(e.value) end
function describe.index(e) return list({ e.axis, exact(e.start), exact(e.step) }) end
function describe.random(e)
  return list({ e.distribution, tostring(e.seed), tostring(e.stream), exact(e.a), exact(e.b) })
end
function describe.map(e) return e.code .. ":" .. e.type end
function describe.cast() return "" end
function describe.view(e) return view.key(e.map) end
function describe.rechunk(e)
  local parts = {}
  for axis, sizes in ipairs(e.grid.sizes) do parts[axis] = table.concat(sizes, ",") end
  return table.concat(parts, ";")
end

local Canon = {}
Canon.__index = Canon

--- A fresh table of expressions.
function canonical.new()
  return setmetatable({ of = {}, by_key = {}, numbers = {}, count = 0 }, Canon)
end

local function with_inputs(self, e)
  local copy
  if e.input then
    local input = self:get(e.input)
    if input ~= e.input then
      copy = {}
      for key, value in pairs(e) do copy[key] = value end
      copy.input = input
    end
  elseif e.inputs then
    local inputs, changed = {}, false
    for i, input in ipairs(e.inputs) do
      inputs[i] = self:get(input)
      changed = changed or inputs[i] ~= input
    end
    if changed then
      copy = {}
      for key, value in pairs(e) do copy[key] = value end
      copy.inputs = inputs
    end
  end
  return copy or e
end

-- What an expression says, inputs by number; nil: it is equal to itself alone.
local function key_of(self, e)
  local own = e.key or (describe[e.op] and describe[e.op](e))
  if not own then return nil end
  local parts = { e.op, e.dtype, list(e.dims), own }
  if e.input then parts[#parts + 1] = self.numbers[e.input] end
  for _, input in ipairs(e.inputs or {}) do parts[#parts + 1] = self.numbers[input] end
  return table.concat(parts, "|")
end

--- The one expression that stands for all that say the same.
function Canon:get(e)
  local found = self.of[e]
  if found then return found end
  local made = with_inputs(self, e)
  local key = key_of(self, made)
  found = key and self.by_key[key]
  if not found then
    found = made
    self.count = self.count + 1
    self.numbers[found] = self.count
    if key then self.by_key[key] = found end
  end
  self.of[e], self.of[found] = found, found
  return found
end

--- Number of a canonical expression.
function Canon:number(e) return self.numbers[e] end

return canonical
