-- reduce: sums, extremes, counts of all elements of an array; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

require("tidemill.kernels.declare")("reduce.h")

local check_values, check_integer = arguments.check_values, arguments.check_integer
local fail, as, hold = arguments.fail, arguments.as, arguments.hold

local kernels = {}

arguments.describe {
  sum = "sum(x)", prod = "prod(x)", mean = "mean(x)",
  min = "min(x)", max = "max(x)", argmin = "argmin(x)", argmax = "argmax(x)",
  any = "any(x)", all = "all(x)", count = "count(x)",
  nansum = "nansum(x)", nanprod = "nanprod(x)", nanmean = "nanmean(x)",
  nanvar = "nanvar(x, ddof)", nanstd = "nanstd(x, ddof)",
  nanmin = "nanmin(x)", nanmax = "nanmax(x)",
  nanargmin = "nanargmin(x)", nanargmax = "nanargmax(x)", nancount = "nancount(x)",
}

local FLOAT32, FLOAT64, BOOL = C.TIDEMILL_FLOAT32, C.TIDEMILL_FLOAT64, C.TIDEMILL_BOOL

-- Types that are read as they are; other integers are int64 first.
local native = { bool = true, int32 = true, int64 = true, uint8 = true, float32 = true,
  float64 = true, date = true, timestamp = true }

-- An array of a type that kernels fold: tables are float64, or bool when booleans start them.
local function elements(name, x)
  if not array.is(x) then
    return as(name, "x", x, type(x[1]) == "boolean" and "bool" or "float64")
  end
  return as(name, "x", x, native[x.dtype] and x.dtype or "int64")
end

-- The type in which an answer is written: sums and means of float32 are not rounded to it.
local function written(type_number)
  return type_number == FLOAT32 and FLOAT64 or type_number
end

local partial, answer = ffi.new("int64_t[4]"), ffi.new("int64_t[1]")
local as_float = ffi.cast("double *", answer)
local as_int32, as_byte = ffi.cast("int32_t *", answer), ffi.cast("uint8_t *", answer)

-- The answer as a Lua value; nil when a number cannot be it exactly.
local function value_of(type_number)
  if type_number == FLOAT64 then return as_float[0] end
  if type_number == BOOL then return as_byte[0] ~= 0 end
  if type_number == C.TIDEMILL_UINT8 then return as_byte[0] end
  if type_number == C.TIDEMILL_INT32 or type_number == C.TIDEMILL_DATE then return as_int32[0] end
  local exact = tonumber(answer[0])
  return exact <= 2^53 and exact >= -2^53 and answer[0] == exact and exact or nil
end

-- Folds all of an array.
local function fold(name, what, x, ddof)
  local type_number, n = x.array.type, x.length
  if C.tidemill_kernel_reduce_type(what, type_number) == 0 then
    fail(name, "x must be numbers, got an array of type %s", x.dtype)
  end
  local kind = C.tidemill_kernel_reduce_kind(what)
  local bytes = tonumber(C.tidemill_kernel_reduce_scratch(kind, type_number, 1, n, 1))
  local work = arguments.scratch(math.ceil(bytes / 8))
  C.tidemill_kernel_reduce(kind, type_number, x:pointer(), 1, n, 1, 1, partial, work)
  hold(x, work)
  type_number = written(type_number)
  if C.tidemill_kernel_reduce_finish(kind, what, type_number, partial, 1, ddof, answer) < 0 then
    fail(name, n == 0 and "x has no elements" or "x has only NaNs")
  end
  local value = value_of(C.tidemill_kernel_reduce_type(what, type_number))
  if value == nil then
    fail(name, "the result %s is no exact Lua number; convert x to float64 before",
      (tostring(answer[0]):gsub("LL$", "")))
  end
  return value
end

--- Sum, the same bits on every machine; 0 of none, NaN if any is.  Integers are added exactly.
---     tm.kernels.sum({1, 2, 3})                          --> 6
---@param x tidemill.numbers
---@return number
function kernels.sum(x)
  check_values("sum", "x", x)
  return (fold("sum", C.TIDEMILL_REDUCE_SUM, elements("sum", x), 0))
end

--- Product; 1 of none, NaN if any is.
---     tm.kernels.prod({2, 3, 4})                         --> 24
---@param x tidemill.numbers
---@return number
function kernels.prod(x)
  check_values("prod", "x", x)
  return (fold("prod", C.TIDEMILL_REDUCE_PROD, elements("prod", x), 0))
end

--- Mean; NaN of none.
---     tm.kernels.mean({1, 2, 3})                         --> 2
---@param x tidemill.numbers
---@return number
function kernels.mean(x)
  check_values("mean", "x", x)
  return (fold("mean", C.TIDEMILL_REDUCE_MEAN, elements("mean", x), 0))
end

--- The least element, NaN if any is; an error of none.
---     tm.kernels.min({3, 1, 2})                          --> 1
---@param x tidemill.numbers
---@return number|boolean
function kernels.min(x)
  check_values("min", "x", x)
  return (fold("min", C.TIDEMILL_REDUCE_MIN, elements("min", x), 0))
end

--- The greatest element, NaN if any is; an error of none.
---     tm.kernels.max({3, 1, 2})                          --> 3
---@param x tidemill.numbers
---@return number|boolean
function kernels.max(x)
  check_values("max", "x", x)
  return (fold("max", C.TIDEMILL_REDUCE_MAX, elements("max", x), 0))
end

--- Where the least element stands first; the first NaN if there is one.
---     tm.kernels.argmin({3, 1, 2})                       --> 2
---@param x tidemill.numbers
---@return integer
function kernels.argmin(x)
  check_values("argmin", "x", x)
  return (fold("argmin", C.TIDEMILL_REDUCE_ARGMIN, elements("argmin", x), 0))
end

--- Where the greatest element stands first; the first NaN if there is one.
---     tm.kernels.argmax({3, 1, 2})                       --> 1
---@param x tidemill.numbers
---@return integer
function kernels.argmax(x)
  check_values("argmax", "x", x)
  return (fold("argmax", C.TIDEMILL_REDUCE_ARGMAX, elements("argmax", x), 0))
end

--- Whether an element is not 0 (NaN is not), or true.
---     tm.kernels.any({0, 0, 2})                          --> true
---@param x tidemill.numbers
---@return boolean
function kernels.any(x)
  check_values("any", "x", x)
  return (fold("any", C.TIDEMILL_REDUCE_ANY, elements("any", x), 0))
end

--- Whether all elements are not 0 (NaN is not), or true; true of none.
---     tm.kernels.all({1, 0, 2})                          --> false
---@param x tidemill.numbers
---@return boolean
function kernels.all(x)
  check_values("all", "x", x)
  return (fold("all", C.TIDEMILL_REDUCE_ALL, elements("all", x), 0))
end

--- How many elements are not 0 (NaN is not), or true.
---     tm.kernels.count({1, 0, 2})                        --> 2
---@param x tidemill.numbers
---@return integer
function kernels.count(x)
  check_values("count", "x", x)
  return (fold("count", C.TIDEMILL_REDUCE_COUNT, elements("count", x), 0))
end

--- Sum of what is not NaN.
---     tm.kernels.nansum({1, 0/0, 3})                     --> 4
---@param x tidemill.numbers
---@return number
function kernels.nansum(x)
  check_values("nansum", "x", x)
  return (fold("nansum", C.TIDEMILL_REDUCE_NANSUM, elements("nansum", x), 0))
end

--- Product of what is not NaN.
---     tm.kernels.nanprod({2, 0/0, 3})                    --> 6
---@param x tidemill.numbers
---@return number
function kernels.nanprod(x)
  check_values("nanprod", "x", x)
  return (fold("nanprod", C.TIDEMILL_REDUCE_NANPROD, elements("nanprod", x), 0))
end

--- Mean of what is not NaN; NaN of none.
---     tm.kernels.nanmean({1, 0/0, 3})                    --> 2
---@param x tidemill.numbers
---@return number
function kernels.nanmean(x)
  check_values("nanmean", "x", x)
  return (fold("nanmean", C.TIDEMILL_REDUCE_NANMEAN, elements("nanmean", x), 0))
end

--- Variance of what is not NaN, divisor its count - ddof (default 0).
---     tm.kernels.nanvar({1, 0/0, 3})                     --> 1
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.nanvar(x, ddof)
  if ddof == nil then ddof = 0 end
  check_values("nanvar", "x", x)
  check_integer("nanvar", "ddof", ddof, 0)
  return (fold("nanvar", C.TIDEMILL_REDUCE_NANVAR, elements("nanvar", x), ddof))
end

--- Standard deviation of what is not NaN, divisor its count - ddof (default 0).
---     tm.kernels.nanstd({1, 0/0, 3}, 1)                  --> 1.4142
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.nanstd(x, ddof)
  if ddof == nil then ddof = 0 end
  check_values("nanstd", "x", x)
  check_integer("nanstd", "ddof", ddof, 0)
  return (fold("nanstd", C.TIDEMILL_REDUCE_NANSTD, elements("nanstd", x), ddof))
end

--- The least element that is not NaN; NaN of none.
---     tm.kernels.nanmin({3, 0/0, 2})                     --> 2
---@param x tidemill.numbers
---@return number|boolean
function kernels.nanmin(x)
  check_values("nanmin", "x", x)
  return (fold("nanmin", C.TIDEMILL_REDUCE_NANMIN, elements("nanmin", x), 0))
end

--- The greatest element that is not NaN; NaN of none.
---     tm.kernels.nanmax({3, 0/0, 2})                     --> 3
---@param x tidemill.numbers
---@return number|boolean
function kernels.nanmax(x)
  check_values("nanmax", "x", x)
  return (fold("nanmax", C.TIDEMILL_REDUCE_NANMAX, elements("nanmax", x), 0))
end

--- Where the least element that is not NaN stands first; an error of none.
---     tm.kernels.nanargmin({0/0, 3, 2})                  --> 3
---@param x tidemill.numbers
---@return integer
function kernels.nanargmin(x)
  check_values("nanargmin", "x", x)
  return (fold("nanargmin", C.TIDEMILL_REDUCE_NANARGMIN, elements("nanargmin", x), 0))
end

--- Where the greatest element that is not NaN stands first; an error of none.
---     tm.kernels.nanargmax({0/0, 3, 2})                  --> 2
---@param x tidemill.numbers
---@return integer
function kernels.nanargmax(x)
  check_values("nanargmax", "x", x)
  return (fold("nanargmax", C.TIDEMILL_REDUCE_NANARGMAX, elements("nanargmax", x), 0))
end

--- How many elements are not NaN.
---     tm.kernels.nancount({1, 0/0, 3})                   --> 2
---@param x tidemill.numbers
---@return integer
function kernels.nancount(x)
  check_values("nancount", "x", x)
  return (fold("nancount", C.TIDEMILL_REDUCE_NANCOUNT, elements("nancount", x), 0))
end

return kernels
