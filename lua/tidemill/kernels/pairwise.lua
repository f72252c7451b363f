-- pairwise: correlations of all pairs of series in sliding windows; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local correlate = require("tidemill.kernels.correlate")

local fail, shown, check_integer = arguments.fail, arguments.shown, arguments.check_integer
local floats, hold = arguments.floats, arguments.hold

local kernels = {}

arguments.describe {
  rolling_correlation = "rolling_correlation(list, window, first, last)",
}

-- The series as rows of one array.
local function matrix_of(name, list)
  if array.is(list) and #list.shape == 2 then return floats(name, "list", list) end
  if type(list) ~= "table" or #list == 0 then
    fail(name, "list must be a table of series or a matrix with a series in each row, got %s", shown(list))
  end
  local length, out
  for i = 1, #list do
    local argument = ("list[%d]"):format(i)
    if not array.is(list[i]) and type(list[i]) ~= "table" then
      fail(name, "%s must be an array or a table of numbers, got %s", argument, shown(list[i]))
    end
    if array.is(list[i]) and list[i].ndim ~= 1 then
      fail(name, "%s must have one axis, got %s", argument, table.concat(list[i].shape, " x "))
    end
    local row = floats(name, argument, list[i])
    length = length or #row
    if #row ~= length then
      fail(name, "all series must have one length, got %d in list[1] and %d in list[%d]", length, #row, i)
    end
    out = out or array.new("float64", #list * length, { #list, length })
    ffi.copy(out:pointer() + (i - 1) * length, row:pointer(), 8 * length)
    hold(row)
  end
  return out
end

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
  local x = matrix_of(name, list)
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
