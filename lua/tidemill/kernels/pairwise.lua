-- pairwise: correlations of all pairs of series in sliding windows; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local correlate = require("tidemill.kernels.correlate")
local series = require("tidemill.kernels.series")

local check_integer = arguments.check_integer

local kernels = {}

arguments.describe {
  rolling_correlation = "rolling_correlation(list, window, first, last)",
}

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
function kernels.rolling_correlation(list, window, first, last)
  local name = "rolling_correlation"
  local x = series.matrix(name, list)
  local rows, n = x.shape[1], x.shape[2]
  check_integer(name, "window", window, 1, n)
  local windows_in_all = n - window + 1
  if first ~= nil then check_integer(name, "first", first, 1, windows_in_all) end
  if last ~= nil then check_integer(name, "last", last, first or 1, windows_in_all) end
  local from = first or 1
  local count = (last or windows_in_all) - from + 1
  local out = array.new("float64", count * rows * rows, { count, rows, rows })
  correlate(x, window, from, count, out)
  return out
end

return kernels
