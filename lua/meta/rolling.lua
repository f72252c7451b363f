---@meta _
-- What editors know of tm.kernels: rolling windows.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill.kernels
local kernels = {}

-- Rolling windows ------------------------------------------------------------------------------

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
