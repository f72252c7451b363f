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

--- Sum, the same bits on every machine; 0 of none, NaN if any is.  Integers are added exactly.
---     tm.kernels.sum({1, 2, 3})                          --> 6
---@param x tidemill.numbers
---@return number
function kernels.sum(x) end

--- Product; 1 of none, NaN if any is.
---     tm.kernels.prod({2, 3, 4})                         --> 24
---@param x tidemill.numbers
---@return number
function kernels.prod(x) end

--- Mean; NaN of none.
---     tm.kernels.mean({1, 2, 3})                         --> 2
---@param x tidemill.numbers
---@return number
function kernels.mean(x) end

--- The least element, NaN if any is; an error of none.
---     tm.kernels.min({3, 1, 2})                          --> 1
---@param x tidemill.numbers
---@return number|boolean
function kernels.min(x) end

--- The greatest element, NaN if any is; an error of none.
---     tm.kernels.max({3, 1, 2})                          --> 3
---@param x tidemill.numbers
---@return number|boolean
function kernels.max(x) end

--- Where the least element stands first; the first NaN if there is one.
---     tm.kernels.argmin({3, 1, 2})                       --> 2
---@param x tidemill.numbers
---@return integer
function kernels.argmin(x) end

--- Where the greatest element stands first; the first NaN if there is one.
---     tm.kernels.argmax({3, 1, 2})                       --> 1
---@param x tidemill.numbers
---@return integer
function kernels.argmax(x) end

--- Whether an element is not 0 (NaN is not), or true.
---     tm.kernels.any({0, 0, 2})                          --> true
---@param x tidemill.numbers
---@return boolean
function kernels.any(x) end

--- Whether all elements are not 0 (NaN is not), or true; true of none.
---     tm.kernels.all({1, 0, 2})                          --> false
---@param x tidemill.numbers
---@return boolean
function kernels.all(x) end

--- How many elements are not 0 (NaN is not), or true.
---     tm.kernels.count({1, 0, 2})                        --> 2
---@param x tidemill.numbers
---@return integer
function kernels.count(x) end

--- Sum of what is not NaN.
---     tm.kernels.nansum({1, 0/0, 3})                     --> 4
---@param x tidemill.numbers
---@return number
function kernels.nansum(x) end

--- Product of what is not NaN.
---     tm.kernels.nanprod({2, 0/0, 3})                    --> 6
---@param x tidemill.numbers
---@return number
function kernels.nanprod(x) end

--- Mean of what is not NaN; NaN of none.
---     tm.kernels.nanmean({1, 0/0, 3})                    --> 2
---@param x tidemill.numbers
---@return number
function kernels.nanmean(x) end

--- Variance of what is not NaN, divisor its count - ddof (default 0).
---     tm.kernels.nanvar({1, 0/0, 3})                     --> 1
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.nanvar(x, ddof) end

--- Standard deviation of what is not NaN, divisor its count - ddof (default 0).
---     tm.kernels.nanstd({1, 0/0, 3}, 1)                  --> 1.4142
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.nanstd(x, ddof) end

--- The least element that is not NaN; NaN of none.
---     tm.kernels.nanmin({3, 0/0, 2})                     --> 2
---@param x tidemill.numbers
---@return number|boolean
function kernels.nanmin(x) end

--- The greatest element that is not NaN; NaN of none.
---     tm.kernels.nanmax({3, 0/0, 2})                     --> 3
---@param x tidemill.numbers
---@return number|boolean
function kernels.nanmax(x) end

--- Where the least element that is not NaN stands first; an error of none.
---     tm.kernels.nanargmin({0/0, 3, 2})                  --> 3
---@param x tidemill.numbers
---@return integer
function kernels.nanargmin(x) end

--- Where the greatest element that is not NaN stands first; an error of none.
---     tm.kernels.nanargmax({0/0, 3, 2})                  --> 2
---@param x tidemill.numbers
---@return integer
function kernels.nanargmax(x) end

--- How many elements are not NaN.
---     tm.kernels.nancount({1, 0/0, 3})                   --> 2
---@param x tidemill.numbers
---@return integer
function kernels.nancount(x) end

--- Variance, divisor n - ddof (default 0); NaN when n <= ddof.
---     tm.kernels.variance({1, 2, 3, 4}, 1)               --> 1.6667
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.variance(x, ddof) end

--- Variance by its short name.
---     tm.kernels.var({1, 2, 3, 4}, 1)                    --> 1.6667
---@param x tidemill.numbers
---@param ddof? integer
---@return number
function kernels.var(x, ddof) end

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

--- The instruction set in use: "plain", "avx2", "avx512" or "neon".  Results do not depend on it.
---     print(tm.kernels.isa())
---@return string
function kernels.isa() end

--- Running sum: float32 and float64 keep their type, integers are int64.
---     tm.kernels.cumsum({1, 2, 3})                       --> 1, 3, 6
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cumsum(x) end

--- Running product: float32 and float64 keep their type, integers are int64.
---     tm.kernels.cumprod({1, 2, 3})                      --> 1, 2, 6
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cumprod(x) end

--- The greatest element so far; NaN from the first NaN on.
---     tm.kernels.cummax({1, 3, 2})                       --> 1, 3, 3
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cummax(x) end

--- The least element so far; NaN from the first NaN on.
---     tm.kernels.cummin({3, 1, 2})                       --> 3, 1, 1
---@param x tidemill.numbers
---@return tidemill.array
function kernels.cummin(x) end

--- The middle value, or half way between the middle two; NaN of none, and if any is.
---     tm.kernels.median({3, 1, 2, 10})                   --> 2.5
---@param x tidemill.numbers
---@return number
function kernels.median(x) end

--- Quantiles, linear between neighbours: one for a number q, an array for a list; NaN if any is.
---     tm.kernels.quantile({1, 2, 3, 4}, 0.25)            --> 1.75
---     tm.kernels.quantile({1, 2, 3, 4}, {0.5, 1})        --> 2.5, 4
---@param x tidemill.numbers
---@param q number|tidemill.numbers from 0 to 1
---@return number|tidemill.array
function kernels.quantile(x, q) end

--- The same of what is not NaN.
---     tm.kernels.nanquantile({1, 0/0, 3}, 0.5)           --> 2
---@param x tidemill.numbers
---@param q number|tidemill.numbers from 0 to 1
---@return number|tidemill.array
function kernels.nanquantile(x, q) end

--- The values with the k least first, in no order, and the k-th least at place k; NaNs last.
---     tm.kernels.partition({5, 1, 4, 2}, 2)[2]           --> 2
---@param x tidemill.numbers
---@param k integer from 1 to #x
---@return tidemill.array
function kernels.partition(x, k) end

--- The k greatest values, greatest first, and where they stand; for k < 0 the -k least, least
--- first.  Equal ones stand in their order, NaNs are left out.
---     local values, positions = tm.kernels.topk({3, 9, 5}, 2)   --> 9, 5   and   2, 3
---@param x tidemill.numbers
---@param k integer
---@return tidemill.array values float64, tidemill.array positions int64
function kernels.topk(x, k) end

--- Counts of x by equal bins from low to high (default: its least and greatest), or between the
--- edges of a list; the last bin includes its upper edge.  With weights their sums, float64.
---     local counts, edges = tm.kernels.histogram({1, 2, 2, 5}, 2)   --> 3, 1   and   1, 3, 5
---@param x tidemill.numbers
---@param bins integer|tidemill.numbers how many, or edges that ascend
---@param low? number
---@param high? number
---@param weights? tidemill.numbers as many as x has elements
---@return tidemill.array counts, tidemill.array edges
function kernels.histogram(x, bins, low, high, weights) end

--- How often each of the integers 0 to bins - 1 stands in x (default: up to its greatest):
--- counts[i + 1] is that of i.
---     tm.kernels.bincount({2, 0, 2})                     --> 1, 0, 2
---@param x tidemill.numbers
---@param bins? integer
---@return tidemill.array int64
function kernels.bincount(x, bins) end

return kernels
