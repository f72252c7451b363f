-- arguments: what the functions of tm.kernels ask of their arguments, and how they say so.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local texts = require("tidemill.shown")

local arguments = {}

local usage = {} -- name -> how it is called

--- Says how kernels are called, for messages: describe{ sum = "sum(x)" }.
function arguments.describe(calls)
  for name, call in pairs(calls) do usage[name] = call end
end

local function complaint(name, message, ...)
  return ("%s: expected %s: "):format(name, usage[name]) .. message:format(...)
end

-- Both blame the line that called the kernel: `fail` is for checks, `refuse` for the kernel
-- function itself, one level nearer.
local function fail(name, ...)
  error(complaint(name, ...), 4)
end

local function refuse(name, ...)
  error(complaint(name, ...), 3)
end

-- A frame is a table, too, but of columns.
local function is_frame(v)
  local frames = package.loaded["tidemill.frame"]
  return frames ~= nil and frames.is(v)
end

local function shown(v)
  return is_frame(v) and "a frame; its columns are arrays" or texts.value(v)
end

-- The first nil in a table, whatever # says of its length.
local function first_hole(v)
  for i = 1, table.maxn(v) do
    if v[i] == nil then return i end
  end
end

-- What is wrong with an array of several axes where one is wanted; nil of anything else.
local function axes_problem(argument, v)
  if not array.is(v) or v.ndim == 1 then return nil end
  return ("%s must have one axis, got %s; a:reshape(-1) has"):format(argument, table.concat(v.shape, " x "))
end

-- An array of one axis, or a table of numbers.
local function check_list(name, argument, v)
  local problem = axes_problem(argument, v)
  if problem then fail(name, "%s", problem) end
  if array.is(v) then return end
  if type(v) ~= "table" or is_frame(v) then
    fail(name, "%s must be an array or a table of numbers, got %s", argument, shown(v))
  end
  local hole = first_hole(v)
  if hole then fail(name, "%s[%d] is nil; NaN stands for a missing number", argument, hole) end
end

-- An array of any axes, whose length is a.length (#a is the first axis), or a table of numbers.
local function check_values(name, argument, v)
  if array.is(v) then return end
  if type(v) ~= "table" or is_frame(v) then
    fail(name, "%s must be an array or a table of numbers, got %s", argument, shown(v))
  end
  local hole = first_hole(v)
  if hole then fail(name, "%s[%d] is nil; NaN stands for a missing number", argument, hole) end
end

local function check_number(name, argument, v)
  if type(v) ~= "number" then fail(name, "%s must be a number, got %s", argument, shown(v)) end
end

local function is_integer(v, least, most)
  return type(v) == "number" and v == math.floor(v) and v >= least and v <= most
end

local function check_integer(name, argument, v, least, most)
  if is_integer(v, least, most or 2^53) then return end
  if most then
    fail(name, "%s must be an integer from %d to %d, got %s", argument, least, most, shown(v))
  end
  fail(name, "%s must be an integer >= %d, got %s", argument, least, shown(v))
end

local function check_lengths(name, list_names, first, ...)
  for i = 1, select("#", ...) do
    if #select(i, ...) ~= #first then
      fail(name, "%s must have one length, got %d and %d", list_names, #first, #select(i, ...))
    end
  end
end

local function check_sorted(name, argument, keys)
  if C.tidemill_kernel_is_sorted_int32(keys:pointer(), #keys) == 0 then
    fail(name, "%s must ascend", argument)
  end
end

-- `level` is who is to blame, counted from the caller's; else the caller's caller.
local function as(name, argument, v, dtype, level)
  return array.as(v, dtype, name .. ": expected " .. usage[name] .. ": " .. argument, level)
end

local function floats(name, argument, v)
  return as(name, argument, v, "float64")
end

-- The place of the first element that is no 32-bit integer, else nil.
local function first_other(v)
  local values, shift = v, 0
  if array.is(v) then values, shift = v:pointer(), 1 end
  for i = 1, array.is(v) and v.length or #v do
    local value = values[i - shift]
    local number = type(value) == "cdata" and tonumber(value) or value
    if type(number) == "number" and not (number >= -2^31 and number <= 2^31 - 1 and number % 1 == 0) then
      return i, value
    end
  end
end

-- Dates are 32-bit integers already.
local function ints(name, argument, v)
  if array.is(v) and v.dtype == "date" and v.nulls == 0 then return v end
  if not array.is(v) or (v.dtype ~= "int32" and v.dtype ~= "utf8" and v.dtype ~= "dictionary") then
    local other, value = first_other(v)
    if other then
      fail(name, "%s must be 32-bit integers, element %d is %s", argument, other, shown(value))
    end
  end
  return as(name, argument, v, "int32")
end


-- An array is alive while Lua can still reach it, and a pointer into it does not count: compiled
-- code forgets a local after its last use.  So inputs are named once more after the call.
function arguments.hold() end

-- Work space that calls of one state take turns in; a large one is not kept.
local KEPT = 2^20
local space, space_size = nil, 0

local function scratch(doubles)
  if doubles > KEPT then return ffi.new("double[?]", doubles) end
  if doubles > space_size then
    space, space_size = ffi.new("double[?]", doubles), doubles
  end
  return space
end

-- The first `length` values of a 4-byte buffer or pointer as an array.
local function copied(dtype, from, length)
  local out = array.new(dtype, length)
  ffi.copy(out:pointer(), from, 4 * length)
  return out
end

arguments.complaint = complaint
arguments.fail = fail
arguments.refuse = refuse
arguments.is_frame = is_frame
arguments.axes_problem = axes_problem
arguments.shown = shown
arguments.check_list = check_list
arguments.check_values = check_values
arguments.check_number = check_number
arguments.is_integer = is_integer
arguments.check_integer = check_integer
arguments.check_lengths = check_lengths
arguments.check_sorted = check_sorted
arguments.as = as
arguments.floats = floats
arguments.ints = ints
arguments.scratch = scratch
arguments.copied = copied

return arguments
