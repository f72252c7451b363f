-- statistics: statistics of one series; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

local check_list, check_number = arguments.check_list, arguments.check_number
local check_integer = arguments.check_integer
local check_lengths, floats, hold = arguments.check_lengths, arguments.floats, arguments.hold

local kernels = {}

arguments.describe {
  sum = "sum(x)",
  mean = "mean(x)",
  variance = "variance(x, ddof)",
  std = "std(x, ddof)",
  max_drawdown = "max_drawdown(close)",
  count_moves = "count_moves(returns, limit)",
  ohlcv_check = "ohlcv_check(open, high, low, close, volume)",
}

--- Sum, the same bits on every machine; 0 of none, NaN if any is.
---     tm.kernels.sum({1, 2, 3})                          --> 6
---@param x tidemill.numbers
---@return number
function kernels.sum(x)
  check_list("sum", "x", x)
  x = floats("sum", "x", x)
  local sum = C.tidemill_kernel_sum(x:pointer(), #x)
  hold(x)
  return sum
end

--- Mean; NaN of none.
---     tm.kernels.mean({1, 2, 3})                         --> 2
---@param x tidemill.numbers
---@return number
function kernels.mean(x)
  check_list("mean", "x", x)
  x = floats("mean", "x", x)
  local mean = C.tidemill_kernel_mean(x:pointer(), #x)
  hold(x)
  return mean
end

--- Variance, divisor n - ddof (default 0); NaN when n <= ddof.
---     tm.kernels.variance({1, 2, 3, 4}, 1)               --> 1.6667
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.variance(x, ddof)
  if ddof == nil then ddof = 0 end
  check_list("variance", "x", x)
  check_integer("variance", "ddof", ddof, 0)
  x = floats("variance", "x", x)
  local variance = C.tidemill_kernel_variance(x:pointer(), #x, ddof)
  hold(x)
  return variance
end

--- Standard deviation, divisor n - ddof (default 0); NaN when n <= ddof.
---     tm.kernels.std({1, 2, 3, 4}, 1)                    --> 1.291
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.std(x, ddof)
  if ddof == nil then ddof = 0 end
  check_list("std", "x", x)
  check_integer("std", "ddof", ddof, 0)
  x = floats("std", "x", x)
  local variance = C.tidemill_kernel_variance(x:pointer(), #x, ddof)
  hold(x)
  return math.sqrt(variance)
end

--- The worst fall from the highest close so far, a negative fraction; 0 when it never fell.
---     tm.kernels.max_drawdown({10, 12, 9, 11})           --> -0.25
---@param close tidemill.numbers
---@return number
function kernels.max_drawdown(close)
  check_list("max_drawdown", "close", close)
  close = floats("max_drawdown", "close", close)
  local drawdown = C.tidemill_kernel_max_drawdown(close:pointer(), #close)
  hold(close)
  return drawdown
end

--- How many returns are beyond the limit in either direction.
---     tm.kernels.count_moves({0.01, -0.06, 0.2}, 0.05)   --> 2
---@param returns tidemill.numbers
---@param limit number
---@return integer
function kernels.count_moves(returns, limit)
  check_list("count_moves", "returns", returns)
  check_number("count_moves", "limit", limit)
  returns = floats("count_moves", "returns", returns)
  local count = C.tidemill_kernel_count_moves(returns:pointer(), #returns, limit)
  hold(returns)
  return tonumber(count)
end

--- Marks bars: 0 fine, 1 a value is missing, 2 inconsistent; and counts those not fine.
---     local faults, count = tm.kernels.ohlcv_check(open, high, low, close, volume)
---@param open tidemill.numbers
---@param high tidemill.numbers
---@param low tidemill.numbers
---@param close tidemill.numbers
---@param volume tidemill.numbers
---@return tidemill.array faults, integer count
function kernels.ohlcv_check(open, high, low, close, volume)
  check_list("ohlcv_check", "open", open)
  check_list("ohlcv_check", "high", high)
  check_list("ohlcv_check", "low", low)
  check_list("ohlcv_check", "close", close)
  check_list("ohlcv_check", "volume", volume)
  open, high = floats("ohlcv_check", "open", open), floats("ohlcv_check", "high", high)
  low, close = floats("ohlcv_check", "low", low), floats("ohlcv_check", "close", close)
  volume = floats("ohlcv_check", "volume", volume)
  check_lengths("ohlcv_check", "the five", open, high, low, close, volume)
  local faults = array.new("uint8", #open)
  local count = C.tidemill_kernel_ohlcv_check(open:pointer(), high:pointer(), low:pointer(),
    close:pointer(), volume:pointer(), #open, faults:pointer())
  hold(open, high, low, close, volume)
  return faults, tonumber(count)
end

return kernels
