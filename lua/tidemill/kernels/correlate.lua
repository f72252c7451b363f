-- correlate: the correlations of all pairs of series in sliding windows, written where the caller says.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local arguments = require("tidemill.kernels.arguments")
require("tidemill.kernels.declare")("rolling.h")

--- Windows first, first + 1, .. of a matrix with a series in each row, `count` of them, into float64
--- elements: count x series x series.  The arguments were checked.
---@param x tidemill.array
---@param window integer
---@param first integer
---@param count integer
---@param out tidemill.array
local function correlate(x, window, first, count, out)
  local rows, n = x.shape[1], x.shape[2]
  local work = arguments.scratch(tonumber(C.tidemill_kernel_rolling_correlate_scratch(rows, window, count)))
  local done = C.tidemill_kernel_rolling_correlate(x:pointer(), rows, n, window, first - 1, count, work,
    out:pointer())
  arguments.hold(x, work, out)
  assert(done == 0, "windows that were checked")
end

return correlate
