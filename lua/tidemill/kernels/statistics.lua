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
  variance = "variance(x, ddof)",
  var = "var(x, ddof)",
  std = "std(x, ddof)",
  max_drawdown = "max_drawdown(close)",
  count_moves = "count_moves(returns, limit)",
  ohlcv_check = "ohlcv_check(open, high, low, close, volume)",
}

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

--- Variance by its short name.
---     tm.kernels.var({1, 2, 3, 4}, 1)                    --> 1.6667
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.var(x, ddof)
  if ddof == nil then ddof = 0 end
  check_list("var", "x", x)
  check_integer("var", "ddof", ddof, 0)
  x = floats("var", "x", x)
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
