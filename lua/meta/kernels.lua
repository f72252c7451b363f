---@meta tidemill.kernels
-- What editors know of tm.kernels.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@alias tidemill.numbers tidemill.array|number[]
---@alias tidemill.operand tidemill.array|number[]|boolean[]|number|boolean
---@alias tidemill.matrix tidemill.array|number[][]|tidemill.array[]|number[]

---@class tidemill.kernels
local kernels = {}

-- Indicators -----------------------------------------------------------------------------------

--- Simple returns x[t] / x[t-1] - 1; the first is NaN.
---     tm.kernels.returns({100, 110, 99})                 --> nan, 0.1, -0.1
---@param x tidemill.numbers
---@return tidemill.array
function kernels.returns(x) end

--- Mean of each window; NaN before the first full one.
---     tm.kernels.sma({1, 2, 3, 4}, 2)                    --> nan, 1.5, 2.5, 3.5
---@param x tidemill.numbers
---@param window integer values in a window, >= 1
---@return tidemill.array
function kernels.sma(x, window) end

--- Exponential mean, TA-Lib: alpha 2/(window+1), seeded by the mean of the first window.
---     tm.kernels.ema({2, 4, 6, 8}, 3)                    --> nan, nan, 4, 6
---@param x tidemill.numbers
---@param window integer >= 1
---@return tidemill.array
function kernels.ema(x, window) end

--- Relative strength index, Wilder, TA-Lib; 0 while nothing ever changed.
---     tm.kernels.rsi({10, 11, 10, 12}, 2)                --> nan, nan, 50, 83.3
---@param x tidemill.numbers
---@param window integer >= 1
---@return tidemill.array
function kernels.rsi(x, window) end

--- Moving average convergence/divergence, TA-Lib; all three start at place slow + signal - 1.
---     local macd, signal, histogram = tm.kernels.macd(close, 12, 26, 9)
---@param x tidemill.numbers
---@param fast integer 1 <= fast <= slow
---@param slow integer
---@param signal integer >= 1
---@return tidemill.array macd, tidemill.array signal, tidemill.array histogram
function kernels.macd(x, fast, slow, signal) end

--- Bollinger bands, TA-Lib: the mean and k (default 2) population deviations around it.
---     local upper, mid, lower = tm.kernels.bbands(close, 20, 2)
---@param x tidemill.numbers
---@param window integer >= 1
---@param k? number
---@return tidemill.array upper, tidemill.array mid, tidemill.array lower
function kernels.bbands(x, window, k) end

--- Average true range, Wilder, TA-Lib; first at place window + 1.
---     local atr = tm.kernels.atr(high, low, close, 14)
---@param high tidemill.numbers
---@param low tidemill.numbers
---@param close tidemill.numbers
---@param window integer >= 1
---@return tidemill.array
function kernels.atr(high, low, close, window) end

--- Standard deviation of each window, divisor window - ddof (default 1; TA-Lib's is 0).
---     tm.kernels.stddev({1, 2, 3, 4}, 2)                 --> nan, 0.707, 0.707, 0.707
---@param x tidemill.numbers
---@param window integer > ddof
---@param ddof? integer
---@return tidemill.array
function kernels.stddev(x, window, ddof) end

-- Bars and sweeps ------------------------------------------------------------------------------

--- Marks bars: 0 fine, 1 a value is missing, 2 inconsistent; and counts those not fine.
---     local faults, count = tm.kernels.ohlcv_check(open, high, low, close, volume)
---@param open tidemill.numbers
---@param high tidemill.numbers
---@param low tidemill.numbers
---@param close tidemill.numbers
---@param volume tidemill.numbers
---@return tidemill.array faults, integer count
function kernels.ohlcv_check(open, high, low, close, volume) end

--- Total return of every pair of a moving-average crossing (hold while the fast average is above
--- the slow one, from two bars later on), NaN where fast >= slow; and the best pair.
---     local totals, best = tm.kernels.sma_cross(close, {5, 10}, {20, 50})
---     print(totals:get(1, 2), best.fast, best.slow, best.total)
---@param close tidemill.numbers
---@param fasts tidemill.numbers windows >= 1
---@param slows tidemill.numbers windows >= 1
---@return tidemill.array totals #fasts x #slows
---@return {fast: integer, slow: integer, total: number}? best nil when no total is a number
function kernels.sma_cross(close, fasts, slows) end

--- The best pair of a sweep: the largest total, of equal ones the smaller fast window, then the
--- smaller slow one.
---     local best = tm.kernels.best_pair(totals, {5, 10}, {20, 50})
---@param totals tidemill.numbers row-major, #fasts x #slows
---@param fasts tidemill.numbers
---@param slows tidemill.numbers
---@return {fast: integer, slow: integer, total: number}? best
function kernels.best_pair(totals, fasts, slows) end

-- Correlation ----------------------------------------------------------------------------------

--- Series less their mean and divided by their length, as rows of one array: what `correlation`
--- makes of its list each time.  Worth it when blocks of one list are asked for.
---     local z = tm.kernels.standardise({{1, 2, 3}, {3, 1, 2}})
---@param list tidemill.numbers[]|tidemill.array series, or a matrix with a series a row
---@return tidemill.array z #list x length
function kernels.standardise(list) end

--- Pearson correlations of all pairs of a list of series of one length, or of rows `first` to
--- `last` with all of them.  A constant series, or one with a NaN, gives NaN.
---     tm.kernels.correlation({{1, 2, 3}, {3, 1, 2}}):get(1, 2)          --> -0.5
---     tm.kernels.correlation(z, 33, 64)          -- a block, for one task of many
---@param list tidemill.numbers[]|tidemill.array series, or what `standardise` made of them
---@param first? integer
---@param last? integer
---@return tidemill.array matrix all x all, or (last - first + 1) x all
function kernels.correlation(list, first, last) end

-- Matrices -------------------------------------------------------------------------------------

--- a b for matrices: tables of rows, or arrays; float32 when both are, else float64.
---     tm.kernels.matmul({{1, 2}, {3, 4}}, {{5}, {6}})                --> 17, 39
---@param a tidemill.matrix m x k
---@param b tidemill.matrix k x n
---@return tidemill.array m x n
function kernels.matmul(a, b) end

--- A matrix whose rows are the columns of another.
---     tm.kernels.transpose({{1, 2, 3}, {4, 5, 6}})                   --> 1, 4, 2, 5, 3, 6
---@param a tidemill.matrix m x n, of any type of 1, 4 or 8 bytes
---@return tidemill.array n x m
function kernels.transpose(a) end

--- All products of an element of a and one of b.
---     tm.kernels.outer({1, 2}, {10, 20, 30})                         --> 10, 20, 30, 20, 40, 60
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return tidemill.array #a x #b
function kernels.outer(a, b) end

--- Covariances of all pairs of rows, divisor columns - ddof (default 1).  A NaN spoils its own row and
--- column.
---     tm.kernels.covariance({{1, 2, 3}, {3, 1, 2}})                  --> 1, -0.5, -0.5, 1
---@param x tidemill.matrix a series a row
---@param ddof? integer
---@return tidemill.array rows x rows
function kernels.covariance(x, ddof) end

-- The instruction set --------------------------------------------------------------------------

--- The instruction set in use: "plain", "avx2", "avx512" or "neon".  Results do not depend on it.
---     print(tm.kernels.isa())
---@return string
function kernels.isa() end

return kernels
