-- kernels: the C kernels, one Lua function each; tm.kernels.
-- Inputs are arrays or plain tables of numbers, outputs are new arrays; positions count from 1.
-- What each computes to the bit, and what a NaN does, is said in kernels/kernels.h.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")

---@alias tidemill.numbers tidemill.array|number[]

local kernels = {}

-- ---- Arguments --------------------------------------------------------------------------------

local usage = {
  returns = "returns(x)",
  sma = "sma(x, window)",
  ema = "ema(x, window)",
  rsi = "rsi(x, window)",
  macd = "macd(x, fast, slow, signal)",
  bbands = "bbands(x, window, k)",
  atr = "atr(high, low, close, window)",
  stddev = "stddev(x, window, ddof)",
  sum = "sum(x)",
  mean = "mean(x)",
  variance = "variance(x, ddof)",
  std = "std(x, ddof)",
  max_drawdown = "max_drawdown(close)",
  count_moves = "count_moves(returns, limit)",
  ohlcv_check = "ohlcv_check(open, high, low, close, volume)",
  argsort = "argsort(keys)",
  take = "take(values, index)",
  group = "group(codes, groups)",
  intersect = "intersect(a, b)",
  locate = "locate(keys, wanted)",
  sma_cross = "sma_cross(close, fasts, slows)",
  best_pair = "best_pair(totals, fasts, slows)",
  standardise = "standardise(list)",
  correlation = "correlation(list, first, last)",
  uniform = "uniform(seed, stream, n, first)",
}

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

local function shown(v)
  if type(v) == "string" then return ("%q"):format(v) end
  if type(v) == "table" then return next(v) == nil and "an empty table" or "a table" end
  return array.is(v) and "an array" or tostring(v)
end

-- The first nil in a table, whatever # says of its length.
local function first_hole(v)
  for i = 1, table.maxn(v) do
    if v[i] == nil then return i end
  end
end

local function check_list(name, argument, v)
  if array.is(v) then return end
  if type(v) ~= "table" then
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

local function check_lengths(name, arguments, first, ...)
  for i = 1, select("#", ...) do
    if #select(i, ...) ~= #first then
      fail(name, "%s must have one length, got %d and %d", arguments, #first, #select(i, ...))
    end
  end
end

local function check_sorted(name, argument, keys)
  if C.tidemill_kernel_is_sorted_int32(keys:pointer(), #keys) == 0 then
    fail(name, "%s must ascend", argument)
  end
end

local function as(name, argument, v, dtype)
  return array.as(v, dtype, name .. ": expected " .. usage[name] .. ": " .. argument)
end

local function floats(name, argument, v)
  return as(name, argument, v, "float64")
end

-- The place of the first element that is not equal to its copy, else nil.
local function first_changed(v, copy)
  local values, shift = v, 0
  if array.is(v) then values, shift = v:pointer(), 1 end
  local copies = copy:pointer()
  for i = 1, #copy do
    if values[i - shift] ~= copies[i - 1] then return i end
  end
end

-- Dates are 32-bit integers already.
local function ints(name, argument, v)
  if array.is(v) and v.dtype == "date" and v.nulls == 0 then return v end
  local out = as(name, argument, v, "int32")
  local changed = not rawequal(out, v) and first_changed(v, out)
  if changed then
    fail(name, "%s must be 32-bit integers, element %d is %s", argument, changed, shown(v[changed]))
  end
  return out
end

-- ---- Memory -----------------------------------------------------------------------------------

-- An array is alive while Lua can still reach it, and a pointer into it does not count: compiled
-- code forgets a local after its last use.  So inputs are named once more after the call.
local function hold() end

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

-- ---- Indicators ---------------------------------------------------------------------------------

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

-- ---- Statistics -----------------------------------------------------------------------------------

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

-- ---- Order ------------------------------------------------------------------------------------------

--- Positions of integer keys (or dates) in ascending order; equal keys keep their order.
---     tm.kernels.argsort({30, 10, 20})                   --> 2, 3, 1
---@param keys tidemill.numbers
---@return tidemill.array int32
function kernels.argsort(keys)
  check_list("argsort", "keys", keys)
  keys = ints("argsort", "keys", keys)
  local n = #keys
  local out = array.new("int32", n)
  local work = scratch(2 * n)
  local done = C.tidemill_kernel_argsort_int32(keys:pointer(), n, 1,
    ffi.cast("int64_t *", work), out:pointer())
  hold(keys, work)
  if done < 0 then refuse("argsort", "keys must be fewer than 2^31, got %d", n) end
  return out
end

local take_kernels = {
  float64 = "tidemill_kernel_take_f64",
  int32 = "tidemill_kernel_take_i32", date = "tidemill_kernel_take_i32",
  int64 = "tidemill_kernel_take_i64", timestamp = "tidemill_kernel_take_i64",
}

--- The values at these positions, in their order and of their type.
---     tm.kernels.take({10, 20, 30}, {3, 1})              --> 30, 10
---@param values tidemill.numbers float64, int32, int64, date or timestamp
---@param index tidemill.numbers positions from 1
---@return tidemill.array
function kernels.take(values, index)
  check_list("take", "values", values)
  check_list("take", "index", index)
  local dtype = array.is(values) and values.dtype or "float64"
  local kernel = take_kernels[dtype]
  if not kernel then
    refuse("take", "values must be float64, int32, int64, date or timestamp, got %s", dtype)
  end
  values, index = as("take", "values", values, dtype), ints("take", "index", index)
  local n = #index
  local out = array.new(dtype, n)
  local taken = tonumber(C[kernel](values:pointer(), #values, index:pointer(), n, 1,
    out:pointer()))
  if taken < n then
    refuse("take", "index[%d] is %d, and there are %d values", taken + 1, index:pointer()[taken],
      #values)
  end
  hold(values, index)
  return out
end

--- Positions by code from 0, as a dictionary has them: those with code g - 1 are index[i] for
--- offsets[g] <= i < offsets[g + 1].  A negative code is left out.
---     local offsets, index = tm.kernels.group({1, 0, 1}, 2)   --> 1, 2, 4   and   2, 1, 3
---@param codes tidemill.numbers
---@param groups integer all codes are below
---@return tidemill.array offsets, tidemill.array index
function kernels.group(codes, groups)
  check_list("group", "codes", codes)
  check_integer("group", "groups", groups, 0, 2^31 - 2)
  codes = ints("group", "codes", codes)
  local n = #codes
  local offsets, index = array.new("int32", groups + 1), array.new("int32", n)
  local count = tonumber(C.tidemill_kernel_group_codes(codes:pointer(), n, groups, 1,
    offsets:pointer(), index:pointer()))
  hold(codes)
  if count < 0 then refuse("group", "a code is not below groups = %d", groups) end
  if count == n then return offsets, index end
  local kept = copied("int32", index:pointer(), count)
  hold(index)
  return offsets, kept
end

local function same_keys(a, b)
  return array.is(a) and array.is(b) and a.dtype == "date" and b.dtype == "date" and "date"
    or "int32"
end

--- The values that two ascending lists of integers (or dates) share, each once.
---     tm.kernels.intersect({1, 2, 4}, {2, 3, 4})         --> 2, 4
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return tidemill.array
function kernels.intersect(a, b)
  check_list("intersect", "a", a)
  check_list("intersect", "b", b)
  local dtype = same_keys(a, b)
  a, b = ints("intersect", "a", a), ints("intersect", "b", b)
  check_sorted("intersect", "a", a)
  check_sorted("intersect", "b", b)
  local shared = scratch(math.ceil(math.min(#a, #b) / 2))
  local count = tonumber(C.tidemill_kernel_intersect_int32(a:pointer(), #a, b:pointer(), #b,
    ffi.cast("int32_t *", shared)))
  hold(a, b)
  return copied(dtype, shared, count)
end

--- For each wanted key its first position among ascending keys, -1 where there is none.
---     tm.kernels.locate({10, 20, 30}, {30, 15})          --> 3, -1
---@param keys tidemill.numbers
---@param wanted tidemill.numbers in any order; ascending is fastest
---@return tidemill.array int32
function kernels.locate(keys, wanted)
  check_list("locate", "keys", keys)
  check_list("locate", "wanted", wanted)
  keys, wanted = ints("locate", "keys", keys), ints("locate", "wanted", wanted)
  check_sorted("locate", "keys", keys)
  local out = array.new("int32", #wanted)
  C.tidemill_kernel_locate_int32(keys:pointer(), #keys, wanted:pointer(), #wanted, 1,
    out:pointer())
  hold(keys, wanted)
  return out
end

-- ---- Sweeps -----------------------------------------------------------------------------------------

-- The larger total, then the smaller fast window, then the smaller slow one.
local function is_better(total, fast, slow, best)
  if total ~= best.total then return total > best.total end
  if fast ~= best.fast then return fast < best.fast end
  return slow < best.slow
end

local function find_best(totals, fasts, slows)
  local total, fast, slow = totals:pointer(), fasts:pointer(), slows:pointer()
  local best
  for f = 0, #fasts - 1 do
    for s = 0, #slows - 1 do
      local t = total[f * #slows + s]
      if t == t and (not best or is_better(t, fast[f], slow[s], best)) then
        best = { fast = fast[f], slow = slow[s], total = t }
      end
    end
  end
  hold(totals, fasts, slows)
  return best
end

--- Total return of every pair of a moving-average crossing (hold while the fast average is above
--- the slow one, from two bars later on), NaN where fast >= slow; and the best pair.
---     local totals, best = tm.kernels.sma_cross(close, {5, 10}, {20, 50})
---     print(totals:get(1, 2), best.fast, best.slow, best.total)
---@param close tidemill.numbers
---@param fasts tidemill.numbers windows >= 1
---@param slows tidemill.numbers windows >= 1
---@return tidemill.array totals #fasts x #slows
---@return {fast: integer, slow: integer, total: number}? best nil when no total is a number
function kernels.sma_cross(close, fasts, slows)
  check_list("sma_cross", "close", close)
  check_list("sma_cross", "fasts", fasts)
  check_list("sma_cross", "slows", slows)
  close = floats("sma_cross", "close", close)
  fasts, slows = ints("sma_cross", "fasts", fasts), ints("sma_cross", "slows", slows)
  local n, nf, ns = #close, #fasts, #slows
  local totals = array.new("float64", nf * ns, { nf, ns })
  local work = scratch(tonumber(C.tidemill_kernel_sma_cross_scratch(n, nf, ns)))
  local done = C.tidemill_kernel_sma_cross(close:pointer(), n, fasts:pointer(), nf,
    slows:pointer(), ns, work, totals:pointer())
  hold(close, work)
  if done < 0 then refuse("sma_cross", "every window must be >= 1") end
  return totals, find_best(totals, fasts, slows)
end

--- The best pair of a sweep: the largest total, of equal ones the smaller fast window, then the
--- smaller slow one.
---     local best = tm.kernels.best_pair(totals, {5, 10}, {20, 50})
---@param totals tidemill.numbers row-major, #fasts x #slows
---@param fasts tidemill.numbers
---@param slows tidemill.numbers
---@return {fast: integer, slow: integer, total: number}? best
function kernels.best_pair(totals, fasts, slows)
  check_list("best_pair", "totals", totals)
  check_list("best_pair", "fasts", fasts)
  check_list("best_pair", "slows", slows)
  totals = floats("best_pair", "totals", totals)
  fasts, slows = ints("best_pair", "fasts", fasts), ints("best_pair", "slows", slows)
  local count = array.is(totals) and totals.length
  if count ~= #fasts * #slows then
    refuse("best_pair", "totals must have %d x %d values, got %d", #fasts, #slows, count)
  end
  return (find_best(totals, fasts, slows))
end

-- ---- Correlation ------------------------------------------------------------------------------------

local function standardised(name, list)
  if type(list) ~= "table" or array.is(list) or #list == 0 then
    fail(name, "list must be a table of at least one series, got %s", shown(list))
  end
  local rows, n, z = #list, nil, nil
  for i = 1, rows do
    local argument = ("list[%d]"):format(i)
    if not array.is(list[i]) and type(list[i]) ~= "table" then
      fail(name, "%s must be an array or a table of numbers, got %s", argument, shown(list[i]))
    end
    local row = floats(name, argument, list[i])
    if i == 1 then
      n = #row
      z = array.new("float64", rows * n, { rows, n })
    elseif #row ~= n then
      fail(name, "all series must have one length, got %d in list[1] and %d in list[%d]", n, #row, i)
    end
    C.tidemill_kernel_standardise(row:pointer(), 1, n, z:pointer() + (i - 1) * n)
    hold(row)
  end
  return z, rows, n
end

--- Series less their mean and divided by their length, as rows of one array: what `correlation`
--- makes of its list each time.  Worth it when blocks of one list are asked for.
---     local z = tm.kernels.standardise({{1, 2, 3}, {3, 1, 2}})
---@param list tidemill.numbers[]
---@return tidemill.array z #list x length
function kernels.standardise(list)
  local z = standardised("standardise", list)
  return z
end

--- Pearson correlations of all pairs of a list of series of one length, or of rows `first` to
--- `last` with all of them.  A constant series, or one with a NaN, gives NaN.
---     tm.kernels.correlation({{1, 2, 3}, {3, 1, 2}}):get(1, 2)          --> -0.5
---     tm.kernels.correlation(z, 33, 64)          -- a block, for one task of many
---@param list tidemill.numbers[]|tidemill.array series, or what `standardise` made of them
---@param first? integer
---@param last? integer
---@return tidemill.array matrix all x all, or (last - first + 1) x all
function kernels.correlation(list, first, last)
  local z, rows, n
  if array.is(list) and list.dtype == "float64" and #list.shape == 2 then
    z, rows, n = list, list.shape[1], list.shape[2]
  else
    z, rows, n = standardised("correlation", list)
  end
  if first ~= nil then check_integer("correlation", "first", first, 1, rows) end
  if last ~= nil then check_integer("correlation", "last", last, first or 1, rows) end
  local from, count = first or 1, (last or rows) - (first or 1) + 1
  local out = array.new("float64", count * rows, { count, rows })
  if count == rows then
    C.tidemill_kernel_correlate(z:pointer(), rows, n, out:pointer())
  else
    C.tidemill_kernel_correlate_block(z:pointer(), rows, n, from - 1, count, out:pointer())
  end
  hold(z)
  return out
end

-- ---- Random numbers -----------------------------------------------------------------------------------

local function is_word(v)
  return ffi.istype("uint64_t", v) or is_integer(v, 0, 2^53)
end

--- Numbers in [0, 1) of a stream: number i depends on (seed, stream, i) alone.
---     tm.kernels.uniform(42, 0, 3)                       -- numbers 1 to 3 of stream 0
---     tm.kernels.uniform(42, 0, 2, 1001)                 -- numbers 1001 and 1002
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param first? integer from 1
---@return tidemill.array
function kernels.uniform(seed, stream, n, first)
  if first == nil then first = 1 end
  if not is_word(seed) then check_integer("uniform", "seed", seed, 0) end
  if not is_word(stream) then check_integer("uniform", "stream", stream, 0) end
  check_integer("uniform", "n", n, 0)
  check_integer("uniform", "first", first, 1)
  local out = array.new("float64", n)
  C.tidemill_kernel_uniform(seed, stream, first - 1, n, out:pointer())
  return out
end

-- ---- Instruction set -------------------------------------------------------------------------------

--- The instruction set in use: "plain", "avx2" or "avx512".  Results do not depend on it.
---     print(tm.kernels.isa())
---@return string
function kernels.isa()
  return ffi.string(C.tidemill_kernel_isa())
end

return setmetatable(kernels, {
  __index = function(_, key)
    local names = {}
    for name in pairs(kernels) do names[#names + 1] = name end
    table.sort(names)
    error(("tm.kernels has no \"%s\"%s"):format(tostring(key),
      require("tidemill.suggest").phrase(key, names)), 2)
  end,
})
