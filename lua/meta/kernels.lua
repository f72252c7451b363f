---@meta tidemill.kernels
-- What editors know of tm.kernels.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@alias tidemill.numbers tidemill.array|number[]
---@alias tidemill.operand tidemill.array|number[]|boolean[]|number|boolean
---@alias tidemill.matrix tidemill.array|number[][]|tidemill.array[]|number[]

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
--- Arrays of two types are compared in what holds both, date and timestamp at midnight; tables as float64.
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
---@param list tidemill.numbers[]|tidemill.array series, or a matrix of float64 with a series a row
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

--- Numbers in [0, 1) of a stream: number i depends on (seed, stream, i) alone.
---     tm.kernels.uniform(42, 0, 3)                       -- numbers 1 to 3 of stream 0
---     tm.kernels.uniform(42, 0, 2, 1001)                 -- numbers 1001 and 1002
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param first? integer from 1
---@return tidemill.array
function kernels.uniform(seed, stream, n, first) end

--- Normal numbers of a stream.
---     tm.kernels.normal(42, 0, 1000)                     -- mean 0, standard deviation 1
---     tm.kernels.normal(42, 0, 1000, 170, 10)
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param mean? number default 0
---@param sd? number standard deviation, default 1
---@param first? integer from 1
---@return tidemill.array
function kernels.normal(seed, stream, n, mean, sd, first) end

--- Numbers whose logarithm is normal.
---     tm.kernels.lognormal(42, 0, 1000, 0, 0.2)
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param mean? number of the logarithm, default 0
---@param sd? number of the logarithm, default 1
---@param first? integer from 1
---@return tidemill.array
function kernels.lognormal(seed, stream, n, mean, sd, first) end

--- Exponential numbers with mean `scale` (default 1).
---     tm.kernels.exponential(42, 0, 1000, 0.5)
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param scale? number
---@param first? integer from 1
---@return tidemill.array
function kernels.exponential(seed, stream, n, scale, first) end

--- Integers from low to high, both included, each as likely.
---     tm.kernels.integers(42, 0, 10, 1, 6)               -- ten throws of a die
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param low integer
---@param high integer
---@param first? integer from 1
---@return tidemill.array int64
function kernels.integers(seed, stream, n, low, high, first) end

--- True with this probability, else false.
---     tm.kernels.bernoulli(42, 0, 10, 0.3)
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param probability number from 0 to 1
---@param first? integer from 1
---@return tidemill.array bool
function kernels.bernoulli(seed, stream, n, probability, first) end

--- Positions from 1, drawn with replacement: of a number, each as likely; of weights, by them.
---     tm.kernels.choice(42, 0, 10, 52)                   -- ten of 52 cards, each put back
---     tm.kernels.choice(42, 0, 10, {0.5, 0.3, 0.2})
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param of integer|tidemill.numbers how many there are, or the weight of each
---@param first? integer from 1
---@return tidemill.array int64
function kernels.choice(seed, stream, n, of, first) end

--- n different positions of 1 to length: the first n of their permutation.
---     tm.kernels.sample(42, 0, 5, 52)                    -- five of 52 cards
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer at most length
---@param length integer
---@return tidemill.array int64
function kernels.sample(seed, stream, n, length) end

--- The positions 1 to n in a random order, all orders as likely.
---     tm.kernels.take(values, tm.kernels.permutation(42, 0, #values))   -- values, shuffled
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@return tidemill.array int64
function kernels.permutation(seed, stream, n) end
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
--- `last`; window k begins with value k.  Each depends on its window's values and on k alone, so that
--- tasks may have some windows each.  A series with itself is 1.  Half a window's windows share work: a
--- call costs least a window when it has that many, and a long window little more than a short one.
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

--- Sums. A date and a number of days is a date.
---     tm.kernels.add({1, 2}, {10, 20})                   --> 11, 22
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.add(a, b) end

--- Differences. Of two dates: days; of two timestamps: microseconds.
---     tm.kernels.sub({1, 2}, 1)                          --> 0, 1
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.sub(a, b) end

--- Products; integers wrap around.
---     tm.kernels.mul({1, 2}, {3, 4})                     --> 3, 8
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.mul(a, b) end

--- Quotients, always floats.
---     tm.kernels.div({1, 2}, 4)                          --> 0.25, 0.5
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.div(a, b) end

--- Floored remainders, with the sign of b. By zero: NaN, or 0 of integers.
---     tm.kernels.mod({5, -5}, 3)                         --> 2, 1
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.mod(a, b) end

--- The lesser of two; NaN when one is.
---     tm.kernels.minimum({1, 5}, 3)                      --> 1, 3
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.minimum(a, b) end

--- The greater of two; NaN when one is.
---     tm.kernels.maximum({1, 5}, 3)                      --> 3, 5
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.maximum(a, b) end

--- Negatives.
---@param x tidemill.operand
---@return tidemill.array
function kernels.neg(x) end

--- Absolute values.
---@param x tidemill.operand
---@return tidemill.array
function kernels.abs(x) end

--- -1, 0 or 1; NaN of NaN.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sign(x) end

--- Square roots; NaN of negative numbers.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sqrt(x) end

--- x times x, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.square(x) end

--- 1 / x, always floats.
---@param x tidemill.operand
---@return tidemill.array
function kernels.reciprocal(x) end

--- The greatest whole number not above, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.floor(x) end

--- The least whole number not below, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.ceil(x) end

--- The nearest whole number, halves to the even one.
---     tm.kernels.round({0.5, 1.5, -2.6})                 --> 0, 2, -3
---@param x tidemill.operand
---@return tidemill.array
function kernels.round(x) end

--- Without what stands behind the point.
---@param x tidemill.operand
---@return tidemill.array
function kernels.trunc(x) end

--- Not below `least`, then not above `most`; NaN when one of the three is.
---     tm.kernels.clip({-5, 0.5, 7}, 0, 1)                --> 0, 0.5, 1
---@param x tidemill.operand
---@param least tidemill.operand
---@param most tidemill.operand
---@return tidemill.array
function kernels.clip(x, least, most) end

--- In another element type. Floats are cut toward zero; what the type cannot hold is an error.
---     tm.kernels.cast({1.9, -1.9}, "int32")              --> 1, -1
---@param x tidemill.numbers
---@param dtype string "bool", "uint8", "int32", "int64", "float32", "float64", "date", "timestamp"
---@return tidemill.array
function kernels.cast(x, dtype) end

--- Where a equals b; never where one is NaN.
---     tm.kernels.eq({1, 2}, {1, 3})                    --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.eq(a, b) end

--- Where a differs from b; always where one is NaN.
---     tm.kernels.ne({1, 2}, {1, 3})                    --> false, true
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.ne(a, b) end

--- Where a is less than b.
---     tm.kernels.lt({1, 2}, 2)                         --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.lt(a, b) end

--- Where a is not above b: less or equal.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.le(a, b) end

--- Where a is greater than b.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.gt(a, b) end

--- Where a is not below b: greater or equal.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.ge(a, b) end

--- Where both are true; of integers, the bits that both have.
---     tm.kernels.band({true, true}, {true, false})     --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.band(a, b) end

--- Where one is true; of integers, the bits that one has.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.bor(a, b) end

--- Where one alone is true; of integers, the bits that one alone has.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.bxor(a, b) end

--- What is not true; of integers, all bits turned.
---@param x tidemill.operand
---@return tidemill.array
function kernels.bnot(x) end

--- Where x is NaN.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isnan(x) end

--- Where x is a number: no NaN, no infinity.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isfinite(x) end

--- Where x is an infinity of either sign.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isinf(x) end

--- a where the mask is true (not zero), else b.
---     tm.kernels.where({true, false}, {1, 2}, 0)       --> 1, 0
---@param mask tidemill.operand
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.where(mask, a, b) end

--- a to the power of b.
---     tm.kernels.pow({2, 3}, 2)                        --> 4, 9
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.pow(a, b) end

--- Angles of the points (x, y), in radians.
---     tm.kernels.atan2(1, {1, -1})                     --> 0.7853981633974, 2.3561944901923
---@param y tidemill.operand
---@param x tidemill.operand
---@return tidemill.array
function kernels.atan2(y, x) end

--- e to the power of x.
---     tm.kernels.exp({0, 1})                           --> 1, 2.718281828459
---@param x tidemill.operand
---@return tidemill.array
function kernels.exp(x) end

--- 2 to the power of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.exp2(x) end

--- exp(x) - 1, without loss where x is near 0.
---@param x tidemill.operand
---@return tidemill.array
function kernels.expm1(x) end

--- Natural logarithms; -inf of 0, NaN of negative numbers.
---     tm.kernels.log({1, 10})                          --> 0, 2.302585092994
---@param x tidemill.operand
---@return tidemill.array
function kernels.log(x) end

--- log(1 + x), without loss where x is near 0.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log1p(x) end

--- Logarithms to base 2.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log2(x) end

--- Logarithms to base 10.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log10(x) end

--- Sines of radians; right for every finite number, however large.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sin(x) end

--- Cosines of radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.cos(x) end

--- Tangents of radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.tan(x) end

--- Arc sines, in radians; NaN outside [-1, 1].
---@param x tidemill.operand
---@return tidemill.array
function kernels.asin(x) end

--- Arc cosines, in radians; NaN outside [-1, 1].
---@param x tidemill.operand
---@return tidemill.array
function kernels.acos(x) end

--- Arc tangents, in radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.atan(x) end

--- Hyperbolic sines.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sinh(x) end

--- Hyperbolic cosines.
---@param x tidemill.operand
---@return tidemill.array
function kernels.cosh(x) end

--- Hyperbolic tangents.
---@param x tidemill.operand
---@return tidemill.array
function kernels.tanh(x) end
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
---@return tidemill.array values of the type of x, tidemill.array positions int64
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
