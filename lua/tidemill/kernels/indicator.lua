-- indicator: indicators over one series, and bars; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

local check_list, check_number = arguments.check_list, arguments.check_number
local check_integer = arguments.check_integer
local check_lengths, floats, hold = arguments.check_lengths, arguments.floats, arguments.hold
local scratch = arguments.scratch

local kernels = {}

arguments.describe {
  returns = "returns(x)",
  sma = "sma(x, window)",
  ema = "ema(x, window)",
  rsi = "rsi(x, window)",
  macd = "macd(x, fast, slow, signal)",
  bbands = "bbands(x, window, k)",
  atr = "atr(high, low, close, window)",
  stddev = "stddev(x, window, ddof)",
}

--- Simple returns x[t] / x[t-1] - 1; the first is NaN.
---     tm.kernels.returns({100, 110, 99})                 --> nan, 0.1, -0.1
---@param x tidemill.numbers
---@return tidemill.array
function kernels.returns(x)
  check_list("returns", "x", x)
  x = floats("returns", "x", x)
  local out = array.new("float64", #x)
  C.tidemill_kernel_returns(x:pointer(), #x, out:pointer())
  hold(x)
  return out
end

--- Mean of each window; NaN before the first full one.
---     tm.kernels.sma({1, 2, 3, 4}, 2)                    --> nan, 1.5, 2.5, 3.5
---@param x tidemill.numbers
---@param window integer values in a window, >= 1
---@return tidemill.array
function kernels.sma(x, window)
  check_list("sma", "x", x)
  check_integer("sma", "window", window, 1)
  x = floats("sma", "x", x)
  local out = array.new("float64", #x)
  C.tidemill_kernel_sma(x:pointer(), #x, window, out:pointer())
  hold(x)
  return out
end

--- Exponential mean, TA-Lib: alpha 2/(window+1), seeded by the mean of the first window.
---     tm.kernels.ema({2, 4, 6, 8}, 3)                    --> nan, nan, 4, 6
---@param x tidemill.numbers
---@param window integer >= 1
---@return tidemill.array
function kernels.ema(x, window)
  check_list("ema", "x", x)
  check_integer("ema", "window", window, 1)
  x = floats("ema", "x", x)
  local out = array.new("float64", #x)
  C.tidemill_kernel_ema(x:pointer(), #x, window, out:pointer())
  hold(x)
  return out
end

--- Relative strength index, Wilder, TA-Lib; 0 while nothing ever changed.
---     tm.kernels.rsi({10, 11, 10, 12}, 2)                --> nan, nan, 50, 83.3
---@param x tidemill.numbers
---@param window integer >= 1
---@return tidemill.array
function kernels.rsi(x, window)
  check_list("rsi", "x", x)
  check_integer("rsi", "window", window, 1)
  x = floats("rsi", "x", x)
  local out = array.new("float64", #x)
  C.tidemill_kernel_rsi(x:pointer(), #x, window, out:pointer())
  hold(x)
  return out
end

--- Moving average convergence/divergence, TA-Lib; all three start at place slow + signal - 1.
---     local macd, signal, histogram = tm.kernels.macd(close, 12, 26, 9)
---@param x tidemill.numbers
---@param fast integer 1 <= fast <= slow
---@param slow integer
---@param signal integer >= 1
---@return tidemill.array macd, tidemill.array signal, tidemill.array histogram
function kernels.macd(x, fast, slow, signal)
  check_list("macd", "x", x)
  check_integer("macd", "fast", fast, 1)
  check_integer("macd", "slow", slow, fast)
  check_integer("macd", "signal", signal, 1)
  x = floats("macd", "x", x)
  local n = #x
  local macd, line = array.new("float64", n), array.new("float64", n)
  local histogram = array.new("float64", n)
  C.tidemill_kernel_macd(x:pointer(), n, fast, slow, signal, macd:pointer(), line:pointer(),
    histogram:pointer())
  hold(x)
  return macd, line, histogram
end

--- Bollinger bands, TA-Lib: the mean and k (default 2) population deviations around it.
---     local upper, mid, lower = tm.kernels.bbands(close, 20, 2)
---@param x tidemill.numbers
---@param window integer >= 1
---@param k? number
---@return tidemill.array upper, tidemill.array mid, tidemill.array lower
function kernels.bbands(x, window, k)
  if k == nil then k = 2 end
  check_list("bbands", "x", x)
  check_integer("bbands", "window", window, 1)
  check_number("bbands", "k", k)
  x = floats("bbands", "x", x)
  local n = #x
  local upper, mid = array.new("float64", n), array.new("float64", n)
  local lower = array.new("float64", n)
  C.tidemill_kernel_bbands(x:pointer(), n, window, k, upper:pointer(), mid:pointer(),
    lower:pointer())
  hold(x)
  return upper, mid, lower
end

--- Average true range, Wilder, TA-Lib; first at place window + 1.
---     local atr = tm.kernels.atr(high, low, close, 14)
---@param high tidemill.numbers
---@param low tidemill.numbers
---@param close tidemill.numbers
---@param window integer >= 1
---@return tidemill.array
function kernels.atr(high, low, close, window)
  check_list("atr", "high", high)
  check_list("atr", "low", low)
  check_list("atr", "close", close)
  check_integer("atr", "window", window, 1)
  high, low = floats("atr", "high", high), floats("atr", "low", low)
  close = floats("atr", "close", close)
  check_lengths("atr", "high, low and close", high, low, close)
  local out = array.new("float64", #close)
  C.tidemill_kernel_atr(high:pointer(), low:pointer(), close:pointer(), #close, window,
    out:pointer())
  hold(high, low, close)
  return out
end

--- Standard deviation of each window, divisor window - ddof (default 1; TA-Lib's is 0).
---     tm.kernels.stddev({1, 2, 3, 4}, 2)                 --> nan, 0.707, 0.707, 0.707
---@param x tidemill.numbers
---@param window integer > ddof
---@param ddof? integer
---@return tidemill.array
function kernels.stddev(x, window, ddof)
  if ddof == nil then ddof = 1 end
  check_list("stddev", "x", x)
  check_integer("stddev", "ddof", ddof, 0)
  check_integer("stddev", "window", window, ddof + 1)
  x = floats("stddev", "x", x)
  local n = #x
  local out = array.new("float64", n)
  C.tidemill_kernel_stddev(x:pointer(), n, window, ddof, scratch(n), out:pointer())
  hold(x)
  return out
end

return kernels
