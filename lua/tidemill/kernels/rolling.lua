-- rolling: sliding windows of one and two series; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
require("tidemill.kernels.declare")("rolling.h")

local fail, refuse, shown = arguments.fail, arguments.refuse, arguments.shown
local check_values = arguments.check_values
local check_number, check_integer = arguments.check_number, arguments.check_integer
local floats, hold, scratch = arguments.floats, arguments.hold, arguments.scratch

local kernels = {}

arguments.describe {
  rolling_sum = "rolling_sum(x, window, min_count)",
  rolling_mean = "rolling_mean(x, window, min_count)",
  rolling_var = "rolling_var(x, window, ddof, min_count)",
  rolling_std = "rolling_std(x, window, ddof, min_count)",
  rolling_zscore = "rolling_zscore(x, window, ddof, min_count)",
  rolling_min = "rolling_min(x, window, min_count)",
  rolling_max = "rolling_max(x, window, min_count)",
  rolling_median = "rolling_median(x, window, min_count)",
  rolling_quantile = "rolling_quantile(x, window, q, min_count)",
  rolling_cov = "rolling_cov(x, y, window, ddof, min_count)",
  rolling_corr = "rolling_corr(x, y, window, min_count)",
}

-- ---- Windows --------------------------------------------------------------------------------

-- A table of x and the shape of what it was made of, which its conversion may have lost: windows
-- run along the first axis.
local function table_of(x, shape)
  shape = shape or { x.length }
  return shape[1], shape[1] > 0 and x.length / shape[1] or 0, array.new("float64", x.length, shape)
end

local function shape_of(x)
  return array.is(x) and x.shape or nil
end

local function work_for(rows, columns, window)
  return scratch(tonumber(C.tidemill_kernel_rolling_scratch(rows, columns, window)))
end

-- min_count, where it is given.
local function check_least(name, min_count, window)
  if min_count ~= nil then return check_integer(name, "min_count", min_count, 1, window) end
end

local function check_ddof(name, ddof)
  if ddof ~= nil then return check_integer(name, "ddof", ddof, 0) end
end

-- A kernel of one series, all of whose other arguments are checked; called in tail position, so that
-- messages about its elements blame the right line.
local function plain_windows(name, kernel, x, window, min_count)
  local shape = shape_of(x)
  x = floats(name, "x", x)
  local rows, columns, out = table_of(x, shape)
  local work = work_for(rows, columns, window)
  kernel(x:pointer(), rows, columns, window, min_count or window, work, out:pointer())
  hold(x, work)
  return out
end

-- The same of one that takes a number between window and min_count.
local function windows_with(name, kernel, x, window, number, min_count)
  local shape = shape_of(x)
  x = floats(name, "x", x)
  local rows, columns, out = table_of(x, shape)
  local work = work_for(rows, columns, window)
  kernel(x:pointer(), rows, columns, window, number, min_count or window, work, out:pointer())
  hold(x, work)
  return out
end

--- Sum of each window, of `window` rows along the first axis.  A missing value (NaN or infinite)
--- spoils the windows that contain it; with `min_count` it is skipped, and a window needs that
--- many values to have a result.
---     tm.kernels.rolling_sum({1, 2, 3, 4}, 2)            --> nan, 3, 5, 7
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer 1 to window; default window
---@return tidemill.array
function kernels.rolling_sum(x, window, min_count)
  check_values("rolling_sum", "x", x)
  check_integer("rolling_sum", "window", window, 1)
  check_least("rolling_sum", min_count, window)
  return plain_windows("rolling_sum", C.tidemill_kernel_rolling_sum, x, window, min_count)
end

--- Mean of each window.
---     tm.kernels.rolling_mean({1, 2, 3, 4}, 2)           --> nan, 1.5, 2.5, 3.5
---     tm.kernels.rolling_mean({1, 2, 3, 4}, 2, 1)        --> 1, 1.5, 2.5, 3.5
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_mean(x, window, min_count)
  check_values("rolling_mean", "x", x)
  check_integer("rolling_mean", "window", window, 1)
  check_least("rolling_mean", min_count, window)
  return plain_windows("rolling_mean", C.tidemill_kernel_rolling_mean, x, window, min_count)
end

--- Variance of each window, divisor count - ddof (default 1).
---     tm.kernels.rolling_var({1, 2, 4}, 2)               --> nan, 0.5, 2
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param ddof? integer
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_var(x, window, ddof, min_count)
  check_values("rolling_var", "x", x)
  check_integer("rolling_var", "window", window, 1)
  check_ddof("rolling_var", ddof)
  check_least("rolling_var", min_count, window)
  return windows_with("rolling_var", C.tidemill_kernel_rolling_var, x, window, ddof or 1, min_count)
end

--- Standard deviation of each window, divisor count - ddof (default 1).
---     tm.kernels.rolling_std({1, 2, 4}, 2)               --> nan, 0.707, 1.414
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param ddof? integer
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_std(x, window, ddof, min_count)
  check_values("rolling_std", "x", x)
  check_integer("rolling_std", "window", window, 1)
  check_ddof("rolling_std", ddof)
  check_least("rolling_std", min_count, window)
  return windows_with("rolling_std", C.tidemill_kernel_rolling_std, x, window, ddof or 1, min_count)
end

--- How many standard deviations the newest value of each window is above its mean; NaN where all
--- values are equal.
---     tm.kernels.rolling_zscore({1, 2, 4}, 2)            --> nan, 0.707, 0.707
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param ddof? integer of the deviation; default 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_zscore(x, window, ddof, min_count)
  check_values("rolling_zscore", "x", x)
  check_integer("rolling_zscore", "window", window, 1)
  check_ddof("rolling_zscore", ddof)
  check_least("rolling_zscore", min_count, window)
  return windows_with("rolling_zscore", C.tidemill_kernel_rolling_zscore, x, window, ddof or 1, min_count)
end

--- The least value of each window.
---     tm.kernels.rolling_min({3, 1, 2}, 2)               --> nan, 1, 1
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_min(x, window, min_count)
  check_values("rolling_min", "x", x)
  check_integer("rolling_min", "window", window, 1)
  check_least("rolling_min", min_count, window)
  return plain_windows("rolling_min", C.tidemill_kernel_rolling_min, x, window, min_count)
end

--- The greatest value of each window.
---     tm.kernels.rolling_max({3, 1, 2}, 2)               --> nan, 3, 2
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_max(x, window, min_count)
  check_values("rolling_max", "x", x)
  check_integer("rolling_max", "window", window, 1)
  check_least("rolling_max", min_count, window)
  return plain_windows("rolling_max", C.tidemill_kernel_rolling_max, x, window, min_count)
end

--- Median of each window.
---     tm.kernels.rolling_median({1, 9, 2}, 3)            --> nan, nan, 2
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_median(x, window, min_count)
  check_values("rolling_median", "x", x)
  check_integer("rolling_median", "window", window, 1)
  check_least("rolling_median", min_count, window)
  return windows_with("rolling_median", C.tidemill_kernel_rolling_quantile, x, window, 0.5, min_count)
end

--- The q-quantile of each window, linear between the two nearest ranks.
---     tm.kernels.rolling_quantile({1, 9, 2}, 3, 0.25)    --> nan, nan, 1.5
---@param x tidemill.numbers
---@param window integer rows in a window, >= 1
---@param q number 0 to 1
---@param min_count? integer values that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_quantile(x, window, q, min_count)
  check_values("rolling_quantile", "x", x)
  check_integer("rolling_quantile", "window", window, 1)
  check_least("rolling_quantile", min_count, window)
  check_number("rolling_quantile", "q", q)
  if not (q >= 0 and q <= 1) then
    refuse("rolling_quantile", "q must be a number from 0 to 1, got %s", shown(q))
  end
  return windows_with("rolling_quantile", C.tidemill_kernel_rolling_quantile, x, window, q, min_count)
end

-- ---- Two series -----------------------------------------------------------------------------

local function shape_text(shape)
  return "(" .. table.concat(shape, ", ") .. ")"
end

local function check_shapes(name, x, y)
  local of_x = array.is(x) and x.shape or { #x }
  local of_y = array.is(y) and y.shape or { #y }
  if shape_text(of_x) ~= shape_text(of_y) then
    fail(name, "x and y must have one shape, got %s and %s", shape_text(of_x), shape_text(of_y))
  end
end

--- Covariance of two series in each window, divisor count - ddof (default 1).
---     tm.kernels.rolling_cov({1, 2, 4}, {2, 4, 8}, 2)    --> nan, 1, 4
---@param x tidemill.numbers
---@param y tidemill.numbers of x's shape
---@param window integer rows in a window, >= 1
---@param ddof? integer
---@param min_count? integer pairs that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_cov(x, y, window, ddof, min_count)
  check_values("rolling_cov", "x", x)
  check_values("rolling_cov", "y", y)
  check_shapes("rolling_cov", x, y)
  check_integer("rolling_cov", "window", window, 1)
  check_ddof("rolling_cov", ddof)
  check_least("rolling_cov", min_count, window)
  local shape = shape_of(x)
  x, y = floats("rolling_cov", "x", x), floats("rolling_cov", "y", y)
  local rows, columns, out = table_of(x, shape)
  local work = work_for(rows, columns, window)
  C.tidemill_kernel_rolling_cov(x:pointer(), y:pointer(), rows, columns, window, ddof or 1,
    min_count or window, work, out:pointer())
  hold(x, y, work)
  return out
end

--- Pearson correlation of two series in each window; NaN where one has equal values only.
---     tm.kernels.rolling_corr({1, 2, 4}, {2, 4, 3}, 2)   --> nan, 1, -1
---@param x tidemill.numbers
---@param y tidemill.numbers of x's shape
---@param window integer rows in a window, >= 1
---@param min_count? integer pairs that a window needs, 1 to window; default window
---@return tidemill.array
function kernels.rolling_corr(x, y, window, min_count)
  check_values("rolling_corr", "x", x)
  check_values("rolling_corr", "y", y)
  check_shapes("rolling_corr", x, y)
  check_integer("rolling_corr", "window", window, 1)
  check_least("rolling_corr", min_count, window)
  local shape = shape_of(x)
  x, y = floats("rolling_corr", "x", x), floats("rolling_corr", "y", y)
  local rows, columns, out = table_of(x, shape)
  local work = work_for(rows, columns, window)
  C.tidemill_kernel_rolling_corr(x:pointer(), y:pointer(), rows, columns, window,
    min_count or window, work, out:pointer())
  hold(x, y, work)
  return out
end

return kernels
