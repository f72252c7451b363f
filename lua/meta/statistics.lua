---@meta _
-- What editors know of tm.kernels: numbers that say something of a series.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill.kernels
local kernels = {}

-- Statistics of one series ---------------------------------------------------------------------

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

-- Quantiles, the few greatest, histograms ------------------------------------------------------

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
