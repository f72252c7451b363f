-- correlation: correlations of many series; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local series = require("tidemill.kernels.series")

local fail, check_integer, hold = arguments.fail, arguments.check_integer, arguments.hold

local kernels = {}

arguments.describe {
  standardise = "standardise(list)",
  correlation = "correlation(list, first, last)",
}

local function standardised(matrix)
  local rows, n = matrix.shape[1], matrix.shape[2]
  local z = array.new("float64", rows * n, { rows, n })
  C.tidemill_kernel_standardise(matrix:pointer(), rows, n, z:pointer())
  hold(matrix)
  return z
end

local NEAR = 1e-6 -- far above what rounding leaves, far below what a matrix of something else has

-- Raises unless rows `from` to `last` are what `standardise` makes: the sum is 0, that of squares 1, or
-- all is NaN.  A matrix of series as they are would give numbers that are no correlations.
local function check_standardised(z, from, last)
  local n = z.shape[2]
  for i = from, last do
    local row = z:pointer() + (i - 1) * n
    local sum, variance = C.tidemill_kernel_sum(row, n), C.tidemill_kernel_variance(row, n, 0)
    if sum == sum and (math.abs(sum) > NEAR or math.abs(variance * n - 1) > NEAR) then
      fail("correlation", "row %d of list is not standardised; tm.kernels.standardise(list) makes it so", i)
    end
  end
  hold(z)
end

--- Series less their mean and divided by their length, as rows of one array: what `correlation`
--- makes of its list each time.  Worth it when blocks of one list are asked for.
---     local z = tm.kernels.standardise({{1, 2, 3}, {3, 1, 2}})
---@param list tidemill.numbers[]|tidemill.array series, or a matrix with a series a row
---@return tidemill.array z #list x length
function kernels.standardise(list)
  local z = standardised(series.matrix("standardise", list)) -- not a tail call: errors count the levels
  return z
end

--- Pearson correlations of all pairs of a list of series of one length, or of rows `first` to
--- `last` with all of them.  A constant series, or one with a NaN, gives NaN.
---     tm.kernels.correlation({{1, 2, 3}, {3, 1, 2}}):get(1, 2)          --> -0.5
---     tm.kernels.correlation(z, 33, 64)          -- a block, for one task of many
---@param list tidemill.numbers[]|tidemill.array series, or what `standardise` made of them
---@param first? integer
---@param last? integer
---@return tidemill.array matrix all x all, or (last - first + 1) x all
function kernels.correlation(list, first, last)
  local is_matrix = array.is(list) and list.ndim == 2
  local z = series.matrix("correlation", list)
  if not is_matrix then z = standardised(z) end
  local rows, n = z.shape[1], z.shape[2]
  if first ~= nil then check_integer("correlation", "first", first, 1, rows) end
  if last ~= nil then check_integer("correlation", "last", last, first or 1, rows) end
  local from, count = first or 1, (last or rows) - (first or 1) + 1
  if is_matrix then check_standardised(z, from, from + count - 1) end
  local out = array.new("float64", count * rows, { count, rows })
  if count == rows then
    C.tidemill_kernel_correlate(z:pointer(), rows, n, out:pointer())
  else
    C.tidemill_kernel_correlate_block(z:pointer(), rows, n, from - 1, count, out:pointer())
  end
  hold(z)
  return out
end

return kernels
