-- fill: values of Lua become elements, and none is changed silently.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")
local shown = require("tidemill.shown")
local types = require("tidemill.array.types")
local date = require("tidemill.date")

local istype = ffi.istype
local int64, uint64 = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
local NAN = 0 / 0

local fill = {}

--- How many elements a list has: its n, else up to the last that is not nil, whatever # says of holes.
function fill.length(values)
  local n = rawget(values, "n") -- a table that answers for every name is no list that has one
  if type(n) == "number" then return n end
  return math.floor(table.maxn(values))
end

local MOST = 2 ^ 27 -- elements: no table of LuaJIT has more, and a larger n would be holes alone

--- What is wrong with what a list says of its length; nil of a right one.
---@param length any
---@param where string what messages begin with
---@return string?
function fill.length_problem(length, where)
  if type(length) == "number" and length >= 0 and length <= MOST and length % 1 == 0 then return nil end
  return ("%s: the list's n: expected a whole number from 0 to 2^27, got %s"):format(where,
    shown.value(length))
end

--- Whether a value is a 64-bit integer of the FFI.
function fill.is_wide(value) return istype(int64, value) or istype(uint64, value) end

--- The last 64-bit integers: what an array of int64 or uint64 cannot hold of the other type.
local function wraps(value, dtype)
  if dtype == "uint64" then return istype(int64, value) and value < 0LL end
  if dtype == "int64" or dtype == "timestamp" then
    return istype(uint64, value) and value > 0x7fffffffffffffffULL
  end
  local range = types.ranges[dtype]
  return range and (tonumber(value) < range[1] or tonumber(value) > range[2])
end

local readers = { date = date.read, timestamp = date.read_time }
local forms = { date = "a date such as 2018-02-07", timestamp = "a time such as 2018-02-07T10:30:00Z" }

-- What one value is in the elements' type; or nil and why it cannot be one.
local function number_of(value, dtype, range)
  local kind = type(value)
  if kind == "number" then
    if not range or (value == math.floor(value) and value >= range[1] and value <= range[2]) then
      return value
    end
    return nil, ("%s, which %s cannot hold"):format(tostring(value), dtype)
  end
  if kind == "cdata" and fill.is_wide(value) then
    if not wraps(value, dtype) then return value end
    return nil, ("%s, which %s cannot hold"):format(tostring(value), dtype)
  end
  if kind == "string" and readers[dtype] then
    local read = readers[dtype](value)
    if read then return read end
    return nil, ("%q, expected %s"):format(value, forms[dtype])
  end
  if kind == "boolean" and range then
    return nil, ("%s, which %s cannot hold"):format(tostring(value), dtype)
  end
  return nil, (kind == "nil" and "nil" or "a " .. kind) .. ", expected a number"
end

local function fill_bools(pointer, values, length)
  for i = 1, length do
    local value = values[i]
    if type(value) ~= "boolean" then return i, shown.value(value) .. ", which bool cannot hold" end
    pointer[i - 1] = value and 1 or 0
  end
end

--- Writes values[1] to values[length] to a pointer of the type; the first one that cannot be an element
--- and what it is, or nothing.
---@return integer? index, string? what
function fill.list(pointer, values, length, dtype)
  if dtype == "bool" then return fill_bools(pointer, values, length) end
  local range = types.ranges[dtype]
  local lowest, highest = range and range[1], range and range[2]
  for i = 1, length do
    local value = values[i]
    if type(value) == "number" and (not range or
        (value == math.floor(value) and value >= lowest and value <= highest)) then
      pointer[i - 1] = value
    elseif value == nil and not range then
      pointer[i - 1] = NAN
    else
      local number, what = number_of(value, dtype, range)
      if number == nil then return i, what end
      pointer[i - 1] = number
    end
  end
end

return fill
