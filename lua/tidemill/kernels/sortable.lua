-- sortable: what the functions that sort and select ask of their arguments.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local suggest = require("tidemill.suggest")
local texts = require("tidemill.shown")
local arguments = require("tidemill.kernels.arguments")

local fail, shown = arguments.fail, arguments.shown

local sortable = {}

-- Numbers of enum tidemill_type.
local types = { bool = 1, int32 = 4, int64 = 5, uint8 = 6, float32 = 10, float64 = 11, date = 14,
  timestamp = 15 }
local sizes = { bool = 1, int8 = 1, uint8 = 1, int16 = 2, uint16 = 2, int32 = 4, uint32 = 4,
  date = 4, float32 = 4, int64 = 8, uint64 = 8, timestamp = 8, float64 = 8 }

--- The type that an argument has: an array's own, of a table bool or float64.
local function dtype_of(v)
  if array.is(v) then return v.dtype end
  return type(v) == "table" and type(rawget(v, 1)) == "boolean" and "bool" or "float64"
end

local whole = { int8 = { -2^7, 2^7 - 1 }, uint8 = { 0, 2^8 - 1 }, int16 = { -2^15, 2^15 - 1 },
  uint16 = { 0, 2^16 - 1 }, int32 = { -2^31, 2^31 - 1 }, date = { -2^31, 2^31 - 1 },
  uint32 = { 0, 2^32 - 1 }, int64 = { -2^53, 2^53 }, timestamp = { -2^53, 2^53 }, uint64 = { 0, 2^53 } }

-- The place of the first number of a table that an element type would change, else nil.
local function first_changed(v, dtype)
  local range = type(v) == "table" and whole[dtype]
  if not range then return nil end
  for i = 1, #v do
    local value = v[i]
    if type(value) == "number" and
        not (value == math.floor(value) and value >= range[1] and value <= range[2]) then
      return i
    end
  end
end

-- These end in calls that are not seen in a traceback, so that a message blames whoever called
-- the kernel.

--- A list, of which check_list approves, as an array of a type that has an order.
function sortable.values(name, argument, v, dtype)
  dtype = dtype or dtype_of(v)
  if not types[dtype] then
    fail(name, "%s must be float64, float32, int64, int32, date, timestamp, bool or uint8, got %s",
      argument, dtype)
  end
  local changed = first_changed(v, dtype)
  if changed then fail(name, "%s[%d] is %s, which %s cannot hold", argument, changed, v[changed], dtype) end
  return arguments.as(name, argument, v, dtype)
end

--- The same of any type whose elements have one size.
function sortable.elements(name, argument, v, dtype)
  dtype = dtype or dtype_of(v)
  if not sizes[dtype] then fail(name, "%s must have elements of one size, got %s", argument, dtype) end
  local changed = first_changed(v, dtype)
  if changed then fail(name, "%s[%d] is %s, which %s cannot hold", argument, changed, v[changed], dtype) end
  return arguments.as(name, argument, v, dtype)
end

--- Positions as an array: int64 ones stay, all else becomes int32.  A mask is none, though 0 and 1 are
--- integers.
function sortable.positions(name, argument, v)
  if array.is(v) and v.dtype == "bool" then
    fail(name, "%s must be positions, got an array of bool; compress and nonzero take a mask", argument)
  end
  if array.is(v) and v.dtype == "int64" and v.nulls == 0 then return v end
  return arguments.ints(name, argument, v)
end

--- The number of an array's type.
function sortable.number(a) return types[a.dtype] end

--- Bytes of one of its elements.
function sortable.size(a) return sizes[a.dtype] end

--- Several lists of one type as arrays; the number of the type and its name.
function sortable.lists(name, argument, lists)
  if type(lists) ~= "table" or array.is(lists) or arguments.is_frame(lists) then
    fail(name, "%s must be a table of arrays, got %s", argument, shown(lists))
  end
  if not lists[1] then fail(name, "%s has no list", argument) end
  local out, dtype = {}, dtype_of(lists[1])
  for i, list in ipairs(lists) do
    if not array.is(list) and (type(list) ~= "table" or arguments.is_frame(list)) then
      fail(name, "%s[%d] must be an array or a table of numbers, got %s", argument, i, shown(list))
    end
    if dtype_of(list) ~= dtype then
      fail(name, "%s must have one type, got %s and %s", argument, dtype, dtype_of(list))
    end
    if not types[dtype] then fail(name, "%s[%d] has no order: it is %s", argument, i, dtype) end
    out[i] = arguments.as(name, ("%s[%d]"):format(argument, i), list, dtype, 4)
  end
  return out, types[dtype], dtype
end

--- A list, of which check_list approves, as a mask.
function sortable.mask(name, argument, v)
  if array.is(v) then
    if v.dtype == "bool" and v.nulls == 0 then return v end
    fail(name, "%s must be bool without missing elements, got %s", argument,
      v.dtype == "bool" and "some that are missing" or v.dtype)
  end
  for i = 1, #v do
    if type(v[i]) ~= "boolean" then
      fail(name, "%s[%d] must be true or false, got %s", argument, i, shown(v[i]))
    end
  end
  return arguments.as(name, argument, v, "bool")
end

--- The one option among `names` (true or false each) that a table may hold, as a table.
function sortable.options(name, options, names)
  if options == nil then return {} end
  if type(options) ~= "table" then
    fail(name, "options must be a table such as {%s = true}, got %s", names[1], shown(options))
  end
  for key, value in pairs(options) do
    local known = false
    for _, allowed in ipairs(names) do known = known or key == allowed end
    if not known then
      fail(name, "unknown option \"%s\"%s", texts.name(key), suggest.phrase(key, names))
    end
    if type(value) ~= "boolean" then
      fail(name, "%s must be true or false, got %s", key, shown(value))
    end
  end
  return options
end

local methods = { average = 0, min = 1, max = 2, dense = 3, ordinal = 4 }
local method_names = { "average", "dense", "max", "min", "ordinal" }

--- The number of a method of ranks, of `average` for nil; or nil, and which there are and what it is.
function sortable.rank_method(method)
  local number = methods[method == nil and "average" or method]
  if number then return number end
  return nil, ("%s, got %s%s"):format(table.concat(method_names, ", "), shown(method),
    suggest.phrase(method, method_names))
end

--- How many rows an array is, and how long one is: what runs along its last axis.
function sortable.rows(x)
  local shape = x.shape
  local n = shape[#shape]
  local rows = 1
  for axis = 1, #shape - 1 do rows = rows * shape[axis] end
  return rows, n
end

local LARGE = 2^20 -- doubles: beyond it space that need not be zeroed is worth an array

--- Work space, and what to hold while it is used.
function sortable.scratch(doubles)
  if doubles <= LARGE then
    local space = arguments.scratch(doubles)
    return space, space
  end
  local space = array.new("float64", doubles)
  return space:pointer(), space
end

--- The type of positions among n, and its bytes.
function sortable.index_type(n)
  if n < 2^31 - 1 then return "int32", 4 end
  return "int64", 8
end

return sortable
