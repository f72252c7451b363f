-- scan: running sums, products, greatest and least values; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

require("tidemill.kernels.declare")("scan.h")

local check_values, fail, as, hold = arguments.check_values, arguments.fail, arguments.as, arguments.hold

local kernels = {}

arguments.describe {
  cumsum = "cumsum(x)", cumprod = "cumprod(x)", cummax = "cummax(x)", cummin = "cummin(x)",
}

local native = { bool = true, int32 = true, int64 = true, uint8 = true, float32 = true,
  float64 = true, date = true, timestamp = true }

-- An array of a type that kernels scan; tables are float64, or bool when booleans start them.
local function elements(name, x)
  if not array.is(x) then return as(name, "x", x, type(x[1]) == "boolean" and "bool" or "float64") end
  return as(name, "x", x, native[x.dtype] and x.dtype or "int64")
end

local carry = ffi.new("int64_t[1]")

-- The elements in a row, whatever the array's shape.
local function scan(name, kind, x)
  local type_number, n = x.array.type, x.length
  local to = C.tidemill_kernel_scan_type(kind, type_number)
  if to == 0 then fail(name, "x must be numbers, got an array of type %s", x.dtype) end
  local out = array.new(to == type_number and x.dtype or "int64", n)
  C.tidemill_kernel_scan_begin(kind, type_number, 1, carry)
  C.tidemill_kernel_scan(kind, type_number, x:pointer(), 1, n, 1, carry, out:pointer())
  hold(x)
  return out
end

--- Running sum: float32 and float64 keep their type, integers are int64.
---     tm.kernels.cumsum({1, 2, 3})                       --> 1, 3, 6
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cumsum(x)
  check_values("cumsum", "x", x)
  return (scan("cumsum", C.TIDEMILL_SCAN_CUMSUM, elements("cumsum", x)))
end

--- Running product: float32 and float64 keep their type, integers are int64.
---     tm.kernels.cumprod({1, 2, 3})                      --> 1, 2, 6
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cumprod(x)
  check_values("cumprod", "x", x)
  return (scan("cumprod", C.TIDEMILL_SCAN_CUMPROD, elements("cumprod", x)))
end

--- The greatest element so far; NaN from the first NaN on.
---     tm.kernels.cummax({1, 3, 2})                       --> 1, 3, 3
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cummax(x)
  check_values("cummax", "x", x)
  return (scan("cummax", C.TIDEMILL_SCAN_CUMMAX, elements("cummax", x)))
end

--- The least element so far; NaN from the first NaN on.
---     tm.kernels.cummin({3, 1, 2})                       --> 3, 1, 1
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cummin(x)
  check_values("cummin", "x", x)
  return (scan("cummin", C.TIDEMILL_SCAN_CUMMIN, elements("cummin", x)))
end

return kernels
