-- dtype: the element types of arrays, and which one operands of two types meet in.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
require("tidemill.kernels.declare")("elementwise.h")

local dtype = {}

-- The numbers are those of enum tidemill_type (kernels/kernels.h).
local numbers = { bool = 1, int8 = 2, int16 = 3, int32 = 4, int64 = 5, uint8 = 6, uint16 = 7, uint32 = 8,
  uint64 = 9, float32 = 10, float64 = 11, utf8 = 12, dictionary = 13, date = 14, timestamp = 15 }
local names, sorted = {}, {}
for name, number in pairs(numbers) do
  names[number] = name
  sorted[#sorted + 1] = name
end
table.sort(sorted)

-- Bytes of an element of those that are computed with.
local sizes = { bool = 1, uint8 = 1, int32 = 4, int64 = 8, float32 = 4, float64 = 8, date = 4, timestamp = 8 }

--- Number of a type.
function dtype.number(name) return numbers[name] end

--- Name of a type's number.
function dtype.name(number) return names[tonumber(number)] end

--- Bytes of an element; nil for types that are not computed with.
function dtype.size(name) return sizes[name] end

--- Raises unless `name` is a type that is computed with.
function dtype.check(name, what, level)
  if sizes[name] then return name end
  if numbers[name] then
    error(("%s: arrays of %s are not computed with; expected bool, int32, int64, float32, float64, date or \z
      timestamp"):format(what, name), level + 1)
  end
  error(("%s: unknown element type %s%s"):format(what, type(name) == "string" and ("%q"):format(name)
    or tostring(name), require("tidemill.suggest").phrase(name, sorted)), level + 1)
end

local floats = { float32 = true, float64 = true }
local times = { date = true, timestamp = true }

--- Whether a type is float32 or float64.
function dtype.is_float(name) return floats[name] == true end

--- Raises for dates and timestamps.
function dtype.refuse_dates(name, what, level)
  if times[name] then error(("%s: not of a %s"):format(what, name), level + 1) end
end

local rank = { bool = 1, uint8 = 2, int32 = 3, int64 = 4, float32 = 5, float64 = 6 }

--- The type that two meet in, as NumPy has it: the wider one; a float32 and a whole number of 32 or 64
--- bits meet in float64; a date or timestamp and a whole number in the former, both in timestamp.
function dtype.promote(a, b, what, level)
  if a == b then return a end
  if times[a] or times[b] then
    if times[a] and times[b] then return "timestamp" end
    local time, other = times[a] and a or b, times[a] and b or a
    if floats[other] or other == "bool" then
      error(("%s: %s and %s have no common type"):format(what, a, b), level + 1)
    end
    return time
  end
  if not rank[a] or not rank[b] then
    error(("%s: %s and %s have no common type"):format(what, a, b), level + 1)
  end
  local low, high = a, b
  if rank[low] > rank[high] then low, high = high, low end
  if high == "float32" and (low == "int32" or low == "int64") then return "float64" end
  return high
end

local limits = { uint8 = { 0, 255 }, int32 = { -2^31, 2^31 - 1 }, int64 = { -2^63, 2^63 },
  date = { -2^31, 2^31 - 1 }, timestamp = { -2^63, 2^63 } }

--- The type that arrays of a type and a Lua number or boolean meet in: that of the arrays, where it can
--- hold the number; fractions make whole numbers float64.
function dtype.with_number(name, value, what, level)
  if type(value) == "boolean" then return name end
  if floats[name] then return name end
  if name == "bool" then return value == math.floor(value) and "int64" or "float64" end
  if value ~= math.floor(value) then
    if times[name] then error(("%s: a %s and the fraction %s"):format(what, name, value), level + 1) end
    return "float64"
  end
  local range = limits[name]
  if value < range[1] or value > range[2] then
    error(("%s: %s does not fit an array of %s"):format(what, tostring(value), name), level + 1)
  end
  return name
end

--- Type of what an operation (enum tidemill_op) gives for operands of a type; nil where it gives none.
function dtype.result(code, name)
  return names[C.tidemill_kernel_result_type(code, numbers[name])]
end

--- Type of a number that is a cdata: int64 of the 64-bit integers; nil of others.
function dtype.of_scalar(value)
  if ffi.istype("int64_t", value) or ffi.istype("uint64_t", value) then return "int64" end
end

return dtype
