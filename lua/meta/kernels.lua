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

--- The values in ascending order, of an array of several axes each row by itself.
---     tm.kernels.sort({3, 1, 2})                         --> 1, 2, 3
---     tm.kernels.sort({3, 1, 2}, {descending = true})    --> 3, 2, 1
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return tidemill.array
function kernels.sort(x, options) end

--- Positions of the values in ascending order, of an array of several axes each row by itself.
---     tm.kernels.argsort({30, 10, 20})                   --> 2, 3, 1
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return tidemill.array int32, int64 where a row has 2^31 values
function kernels.argsort(x, options) end

--- Whether the values stand in order already.
---     tm.kernels.is_sorted({1, 2, 2})                    --> true
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return boolean
function kernels.is_sorted(x, options) end

--- The place of each value among all, from 1.  Equal values share the mean of theirs, or the least
--- ("min"), the largest ("max"), the same one with none left out after it ("dense"); "ordinal"
--- gives each its own, in their order.  NaN has NaN.
---     tm.kernels.rank({10, 30, 10})                      --> 1.5, 3, 1.5
---@param x tidemill.numbers
---@param method? "average"|"min"|"max"|"dense"|"ordinal"
---@return tidemill.array float64
function kernels.rank(x, method) end

--- The distinct values, ascending, and how many there are of each.  With {index = true} also the
--- position of each one's first, and for each element of x the place of its value among them.
---     tm.kernels.unique({3, 1, 3})                       --> 1, 3   and   1, 2
---@param x tidemill.numbers
---@param options? {index?: boolean}
---@return tidemill.array values, tidemill.array counts, tidemill.array? first, tidemill.array? inverse
function kernels.unique(x, options) end

--- Where values would be put among ascending ones: the position, from 1, of the first that is not
--- below, or with "right" of the first that is above; one more than there are when there is none.
--- Lists of two types are compared as float64.
---     tm.kernels.searchsorted({10, 20, 20, 30}, {20, 5, 40})             --> 2, 1, 5
---     tm.kernels.searchsorted({10, 20, 20, 30}, 20, "right")             --> 4
---@param sorted tidemill.numbers ascending
---@param values tidemill.numbers|number in any order
---@param side? "left"|"right"
---@return tidemill.array|integer positions int32, or a number for a number
function kernels.searchsorted(sorted, values, side) end

--- Values that part all of several lists into so many buckets of about one size, chosen from
--- samples, so that the same lists give the same ones.
---     local bounds = tm.kernels.splitters({chunk1, chunk2}, 8)
---@param parts tidemill.numbers[]
---@param buckets integer
---@return tidemill.array splitters buckets - 1 ascending values
function kernels.splitters(parts, buckets) end

--- The values in buckets: bucket b has those that are not below splitter b - 1 and are below
--- splitter b, in their old order; NaNs are in the last.
---     tm.kernels.split({5, 1, 7}, {4})                   --> {1} and {5, 7}, in a table
---@param x tidemill.numbers
---@param splitters tidemill.numbers ascending, of the type of x
---@return tidemill.array[] buckets #splitters + 1
function kernels.split(x, splitters) end

--- The values of several lists in one order.
---     tm.kernels.sort_parts({{3, 1}, {2}})               --> 1, 2, 3
---@param parts tidemill.numbers[] of one type
---@param options? {descending?: boolean}
---@return tidemill.array
function kernels.sort_parts(parts, options) end

--- Ascending lists merged, or values `first` to `last` of that, made by themselves; of equal values
--- those of an earlier list are first.
---     tm.kernels.merge({{1, 4}, {2, 3}})                 --> 1, 2, 3, 4
---     tm.kernels.merge({{1, 4}, {2, 3}}, 2, 3)           --> 2, 3
---@param runs tidemill.numbers[] ascending, of one type
---@param first? integer default 1
---@param last? integer default how many there are in all
---@return tidemill.array
function kernels.merge(runs, first, last) end

--- The values at these positions, in their order and of their type; along an axis of an array of
--- several.
---     tm.kernels.take({10, 20, 30}, {3, 1})              --> 30, 10
---     tm.kernels.take(matrix, {2}, 2)                    -- its second column
---@param values tidemill.numbers
---@param index tidemill.numbers positions from 1
---@param axis? integer from 1, the first unless given
---@return tidemill.array
function kernels.take(values, index, axis) end

--- A copy with these values at these positions; of equal positions the last counts.
---     tm.kernels.put({1, 2, 3}, {3, 1}, {9, 8})          --> 8, 2, 9
---     tm.kernels.put({1, 2, 3}, {2}, 0)                  --> 1, 0, 3
---@param x tidemill.numbers
---@param index tidemill.numbers positions from 1, in row-major order
---@param values tidemill.numbers|number one for each position, or one for all
---@return tidemill.array
function kernels.put(x, index, values) end

--- The values where the mask is true; of an array of several axes what lies along its first.
---     tm.kernels.compress({10, 20, 30}, {true, false, true})             --> 10, 30
---@param x tidemill.numbers
---@param mask tidemill.array|boolean[]
---@return tidemill.array
function kernels.compress(x, mask) end

--- The positions, from 1, where a mask is true.
---     tm.kernels.nonzero({false, true, true})            --> 2, 3
---@param mask tidemill.array|boolean[]
---@return tidemill.array int32, int64 of 2^31 elements
function kernels.nonzero(mask) end

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

return kernels
