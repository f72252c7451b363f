-- quantile: order statistics and the few greatest; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

require("tidemill.kernels.declare")("quantile.h")
require("tidemill.kernels.declare")("topk.h")

local check_values, check_integer = arguments.check_values, arguments.check_integer
local fail, refuse, floats = arguments.fail, arguments.refuse, arguments.floats
local hold, scratch = arguments.hold, arguments.scratch

local kernels = {}

arguments.describe {
  median = "median(x)",
  quantile = "quantile(x, q)",
  nanquantile = "nanquantile(x, q)",
  partition = "partition(x, k)",
  topk = "topk(x, k)",
}

local function quantiles(name, kernel, x, q)
  local out, n = array.new("float64", #q), x.length
  local work = array.new("float64", n) -- most of it is hardly ever touched
  local done = kernel(x:pointer(), n, q:pointer(), #q, work:pointer(), out:pointer())
  hold(x, q, work)
  if done < 0 then fail(name, "q must be from 0 to 1, got %s", tostring(q)) end
  return out
end

local function check_shares(name, q)
  if type(q) == "number" then return end
  if type(q) ~= "table" and not array.is(q) then
    fail(name, "q must be a number or a list of numbers, got %s", arguments.shown(q))
  end
  local problem = arguments.axes_problem("q", q)
  if problem then fail(name, "%s", problem) end
end

-- A list of shares from a number or a list.
local function shares(name, q)
  return floats(name, "q", type(q) == "number" and { q } or q)
end

--- The middle value, or half way between the middle two; NaN of none, and if any is.
---     tm.kernels.median({3, 1, 2, 10})                   --> 2.5
---@param x tidemill.numbers
---@return number
function kernels.median(x)
  check_values("median", "x", x)
  local out = quantiles("median", C.tidemill_kernel_quantile, floats("median", "x", x),
    shares("median", 0.5))
  return out[1]
end

--- Quantiles, linear between neighbours: one for a number q, an array for a list; NaN if any is.
---     tm.kernels.quantile({1, 2, 3, 4}, 0.25)            --> 1.75
---     tm.kernels.quantile({1, 2, 3, 4}, {0.5, 1})        --> 2.5, 4
---@param x tidemill.numbers
---@param q number|tidemill.numbers from 0 to 1
---@return number|tidemill.array
function kernels.quantile(x, q)
  check_values("quantile", "x", x)
  check_shares("quantile", q)
  local out = quantiles("quantile", C.tidemill_kernel_quantile, floats("quantile", "x", x),
    shares("quantile", q))
  return type(q) == "number" and out[1] or out
end

--- The same of what is not NaN.
---     tm.kernels.nanquantile({1, 0/0, 3}, 0.5)           --> 2
---@param x tidemill.numbers
---@param q number|tidemill.numbers from 0 to 1
---@return number|tidemill.array
function kernels.nanquantile(x, q)
  check_values("nanquantile", "x", x)
  check_shares("nanquantile", q)
  local out = quantiles("nanquantile", C.tidemill_kernel_nanquantile,
    floats("nanquantile", "x", x), shares("nanquantile", q))
  return type(q) == "number" and out[1] or out
end

--- The values with the k least first, in no order, and the k-th least at place k; NaNs last.
---     tm.kernels.partition({5, 1, 4, 2}, 2)[2]           --> 2
---@param x tidemill.numbers
---@param k integer from 1 to #x
---@return tidemill.array
function kernels.partition(x, k)
  check_values("partition", "x", x)
  check_integer("partition", "k", k, 1)
  x = floats("partition", "x", x)
  local n = x.length
  if k > n then refuse("partition", "k must be an integer from 1 to %d, got %d", n, k) end
  local out = array.new("float64", n)
  ffi.copy(out:pointer(), x:pointer(), 8 * n)
  hold(x)
  C.tidemill_kernel_partition(out:pointer(), n, k - 1)
  return out
end

-- The first `length` results of 8 bytes as an array.
local function results(dtype, from, length)
  local out = array.new(dtype, length)
  ffi.copy(out:pointer(), from, 8 * length)
  return out
end

-- Types of 8 bytes -> the one that they are sorted as.
local wide = { int64 = "int64", uint64 = "int64", timestamp = "timestamp" }

-- Whether float64 would change elements; what stands at the place of a missing one means nothing.
local function is_beyond_floats(x)
  if not wide[x.dtype] then return false end
  local values, most = x:pointer(), 2^53 + 0LL
  local least = x.dtype == "uint64" and 0ULL or -most -- beside an unsigned number -most would be one, too
  for i = 0, x.length - 1 do
    if values[i] > most or values[i] < least then
      hold(x)
      return true
    end
  end
  hold(x)
  return false
end

-- The elements that are there, and their positions, of an array of one axis.
local function present(x)
  local from, n = x:pointer(), 0
  local values, places = array.new(x.dtype, x.length - x.nulls), array.new("int64", x.length - x.nulls)
  local value, place = values:pointer(), places:pointer()
  for i = 1, x.length do
    if x:present(i) then
      value[n], place[n] = from[i - 1], i
      n = n + 1
    end
  end
  hold(x)
  return values, places
end

-- Of integers that float64 would change: by sorting, which compares them as they are.
local function topk_of_wide(x, k)
  local order, take = require("tidemill.kernels.sort").argsort, require("tidemill.kernels.select").take
  local values, places = present(x:reshape(-1))
  local sorted = order(array.as(values, wide[x.dtype], "topk: x"), { descending = k > 0 })
  local first = array.part(sorted, 0, { math.min(math.abs(k), values.length) })
  return take(values, first), take(places, first)
end

--- The k greatest values, greatest first, and where they stand; for k < 0 the -k least, least
--- first.  Equal ones stand in their order, NaNs are left out.
---     local values, positions = tm.kernels.topk({3, 9, 5}, 2)   --> 9, 5   and   2, 3
---@param x tidemill.numbers
---@param k integer
---@return tidemill.array values of the type of x, tidemill.array positions int64
function kernels.topk(x, k)
  check_values("topk", "x", x)
  check_integer("topk", "k", k, -2^53)
  local dtype = array.is(x) and x.dtype or "float64"
  if dtype == "dictionary" then refuse("topk", "x: expected numbers, got an array of text") end
  if array.is(x) and is_beyond_floats(x) then return topk_of_wide(x, k) end
  x = floats("topk", "x", x)
  local n = x.length
  local most = math.min(math.abs(k), n)
  local work = scratch(2 * most)
  local count = tonumber(C.tidemill_kernel_topk(x:pointer(), n, k < 0 and -most or most, 1, 0,
    work, ffi.cast("int64_t *", work + most)))
  hold(x)
  local values, positions = results("float64", work, count), results("int64", work + most, count)
  hold(work)
  return array.as(values, dtype, "topk"), positions
end

return kernels
