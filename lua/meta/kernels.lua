---@meta tidemill.kernels
-- What editors know of tm.kernels.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@alias tidemill.numbers tidemill.array|number[]

---@class tidemill.kernels
local kernels = {}

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

--- Sum, the same bits on every machine; 0 of none, NaN if any is.
---     tm.kernels.sum({1, 2, 3})                          --> 6
---@param x tidemill.numbers
---@return number
function kernels.sum(x) end

--- Mean; NaN of none.
---     tm.kernels.mean({1, 2, 3})                         --> 2
---@param x tidemill.numbers
---@return number
function kernels.mean(x) end

--- Variance, divisor n - ddof (default 0); NaN when n <= ddof.
---     tm.kernels.variance({1, 2, 3, 4}, 1)               --> 1.6667
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.variance(x, ddof) end

--- Standard deviation, divisor n - ddof (default 0); NaN when n <= ddof.
---     tm.kernels.std({1, 2, 3, 4}, 1)                    --> 1.291
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.std(x, ddof) end

--- The worst fall from the highest close so far, a negative fraction; 0 when it never fell.
---     tm.kernels.max_drawdown({10, 12, 9, 11})           --> -0.25
---@param close tidemill.numbers
---@return number
function kernels.max_drawdown(close) end

--- How many returns are beyond the limit in either direction.
---     tm.kernels.count_moves({0.01, -0.06, 0.2}, 0.05)   --> 2
---@param returns tidemill.numbers
---@param limit number
---@return integer
function kernels.count_moves(returns, limit) end

--- Marks bars: 0 fine, 1 a value is missing, 2 inconsistent; and counts those not fine.
---     local faults, count = tm.kernels.ohlcv_check(open, high, low, close, volume)
---@param open tidemill.numbers
---@param high tidemill.numbers
---@param low tidemill.numbers
---@param close tidemill.numbers
---@param volume tidemill.numbers
---@return tidemill.array faults, integer count
function kernels.ohlcv_check(open, high, low, close, volume) end

--- Positions of integer keys (or dates) in ascending order; equal keys keep their order.
---     tm.kernels.argsort({30, 10, 20})                   --> 2, 3, 1
---@param keys tidemill.numbers
---@return tidemill.array int32
function kernels.argsort(keys) end

--- The values at these positions, in their order and of their type.
---     tm.kernels.take({10, 20, 30}, {3, 1})              --> 30, 10
---@param values tidemill.numbers float64, int32, int64, date or timestamp
---@param index tidemill.numbers positions from 1
---@return tidemill.array
function kernels.take(values, index) end

--- Positions by code from 0, as a dictionary has them: those with code g - 1 are index[i] for
--- offsets[g] <= i < offsets[g + 1].  A negative code is left out.
---     local offsets, index = tm.kernels.group({1, 0, 1}, 2)   --> 1, 2, 4   and   2, 1, 3
---@param codes tidemill.numbers
---@param groups integer all codes are below
---@return tidemill.array offsets, tidemill.array index
function kernels.group(codes, groups) end

--- The values that two ascending lists of integers (or dates) share, each once.
---     tm.kernels.intersect({1, 2, 4}, {2, 3, 4})         --> 2, 4
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return tidemill.array
function kernels.intersect(a, b) end

--- For each wanted key its first position among ascending keys, -1 where there is none.
---     tm.kernels.locate({10, 20, 30}, {30, 15})          --> 3, -1
---@param keys tidemill.numbers
---@param wanted tidemill.numbers in any order; ascending is fastest
---@return tidemill.array int32
function kernels.locate(keys, wanted) end

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

--- Series less their mean and divided by their length, as rows of one array: what `correlation`
--- makes of its list each time.  Worth it when blocks of one list are asked for.
---     local z = tm.kernels.standardise({{1, 2, 3}, {3, 1, 2}})
---@param list tidemill.numbers[]
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

--- Numbers in [0, 1) of a stream: number i depends on (seed, stream, i) alone.
---     tm.kernels.uniform(42, 0, 3)                       -- numbers 1 to 3 of stream 0
---     tm.kernels.uniform(42, 0, 2, 1001)                 -- numbers 1001 and 1002
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param first? integer from 1
---@return tidemill.array
function kernels.uniform(seed, stream, n, first) end

--- Sum of each window, of `window` rows along the first axis.  A missing value (NaN or infinite)
--- spoils the windows that contain it; with `min_count` it is skipped, and a window needs that
--- many values to have a result.
---     tm.kernels.rolling_sum({1, 2, 3, 4}, 2)            --> nan, 3, 5, 7
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer 1 to window; default window
---@return tidemill.array
function kernels.rolling_sum(x, window, min_count) end

--- Mean of each window.
---     tm.kernels.rolling_mean({1, 2, 3, 4}, 2)           --> nan, 1.5, 2.5, 3.5
---     tm.kernels.rolling_mean({1, 2, 3, 4}, 2, 1)        --> 1, 1.5, 2.5, 3.5
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_mean(x, window, min_count) end

--- Variance of each window, divisor count - ddof (default 1).
---     tm.kernels.rolling_var({1, 2, 4}, 2)               --> nan, 0.5, 2
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param ddof? integer
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_var(x, window, ddof, min_count) end

--- Standard deviation of each window, divisor count - ddof (default 1).
---     tm.kernels.rolling_std({1, 2, 4}, 2)               --> nan, 0.707, 1.414
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param ddof? integer
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_std(x, window, ddof, min_count) end

--- How many standard deviations the newest value of each window is above its mean; NaN where all
--- values are equal.
---     tm.kernels.rolling_zscore({1, 2, 4}, 2)            --> nan, 0.707, 0.707
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param ddof? integer of the deviation; default 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_zscore(x, window, ddof, min_count) end

--- The least value of each window.
---     tm.kernels.rolling_min({3, 1, 2}, 2)               --> nan, 1, 1
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_min(x, window, min_count) end

--- The greatest value of each window.
---     tm.kernels.rolling_max({3, 1, 2}, 2)               --> nan, 3, 2
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_max(x, window, min_count) end

--- Median of each window.
---     tm.kernels.rolling_median({1, 9, 2}, 3)            --> nan, nan, 2
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_median(x, window, min_count) end

--- The q-quantile of each window, linear between the two nearest ranks.
---     tm.kernels.rolling_quantile({1, 9, 2}, 3, 0.25)    --> nan, nan, 1.5
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param q number 0 to 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_quantile(x, window, q, min_count) end

--- Covariance of two series in each window, divisor count - ddof (default 1).
---     tm.kernels.rolling_cov({1, 2, 4}, {2, 4, 8}, 2)    --> nan, 1, 4
---@param x tidemill.numbers
---@param y tidemill.numbers of x's shape
---@param window integer rows in a window, >= 1
---@param ddof? integer
---@param min_count? integer pairs that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_cov(x, y, window, ddof, min_count) end

--- Pearson correlation of two series in each window; NaN where one has equal values only.
---     tm.kernels.rolling_corr({1, 2, 4}, {2, 4, 3}, 2)   --> nan, 1, -1
---@param x tidemill.numbers
---@param y tidemill.numbers of x's shape
---@param window integer rows in a window, >= 1
---@param min_count? integer pairs that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_corr(x, y, window, min_count) end

--- Correlation matrices of many series of one length in every window, or in windows `first` to
--- `last`; window k begins with value k.  Each depends on its window alone, so that tasks may have
--- some windows each.
---     local all = tm.kernels.rolling_correlation(list, 30)
---     print(all:get(1, 2, 3))      -- series 2 and 3 in the first 30 values
---@param list tidemill.numbers[]|tidemill.array series, or a matrix with a series in each row
---@param window integer values in a window, 1 to their length
---@param first? integer
---@param last? integer
---@return tidemill.array matrices (last - first + 1) x series x series
function kernels.rolling_correlation(list, window, first, last) end

--- Mean with weights that fall by the factor 1 - alpha a row; alpha is 2 / (span + 1), or such
--- that a weight halves in `halflife` rows.  `adjust = false`: the recursion
--- mean = (1 - alpha) * mean + alpha * x.  A missing value repeats the mean before it.
---     tm.kernels.ewm_mean({1, 2, 3}, {alpha = 0.5})                  --> 1, 1.667, 2.429
---     tm.kernels.ewm_mean({1, 2, 3}, {span = 3, adjust = false})     --> 1, 1.5, 2.25
---@param x tidemill.numbers
---@param options {alpha: number?, span: number?, halflife: number?, adjust: boolean?, min_count: integer?}
---@return tidemill.array
function kernels.ewm_mean(x, options) end

--- Variance with decaying weights, without bias; NaN for a single value.
---     tm.kernels.ewm_var({1, 2, 3}, {alpha = 0.5})                   --> nan, 0.5, 0.929
---@param x tidemill.numbers
---@param options {alpha: number?, span: number?, halflife: number?, adjust: boolean?, min_count: integer?}
---@return tidemill.array
function kernels.ewm_var(x, options) end

--- Standard deviation with decaying weights, the root of ewm_var.
---     tm.kernels.ewm_std({1, 2, 3}, {alpha = 0.5})                   --> nan, 0.707, 0.964
---@param x tidemill.numbers
---@param options {alpha: number?, span: number?, halflife: number?, adjust: boolean?, min_count: integer?}
---@return tidemill.array
function kernels.ewm_std(x, options) end

--- The instruction set in use: "plain", "avx2", "avx512" or "neon".  Results do not depend on it.
---     print(tm.kernels.isa())
---@return string
function kernels.isa() end

return kernels
