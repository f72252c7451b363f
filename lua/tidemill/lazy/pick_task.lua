-- pick_task: what the tasks of picks do.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local C = require("tidemill.clib")
local dtypes = require("tidemill.dtype")
local kernels = require("tidemill.kernels")
require("tidemill.kernels.declare")("select.h")

local pick_task = {}

local function hold() end

--- What stands at these positions (from 1, int64) along an axis of a chunk.
function pick_task.take(axis, positions, chunk) return kernels.take(chunk, positions, axis) end

--- Fills a part of an array with what stands at these positions along the first axis of an array.
function pick_task.take_into(part, positions, x)
  local inner = x.length / x.shape[1]
  C.tidemill_kernel_take(dtypes.size(x.dtype) * inner, x:pointer(), 1, x.shape[1], positions:pointer(), 8,
    positions.length, 1, part:pointer())
  hold(positions, x)
  array.let_go(part)
end

--- An array of no elements.
function pick_task.empty(dtype, shape) return array.new(dtype, 0, shape) end

--- How many elements of a mask are true.
function pick_task.count(mask)
  local count = tonumber(C.tidemill_kernel_mask_count(mask:pointer(), mask.length))
  hold(mask)
  return count
end

--- The elements of a chunk that a mask of its shape marks, in row-major order.
function pick_task.compress(chunk, mask)
  local count = pick_task.count(mask)
  local out = array.new(chunk.dtype, count)
  C.tidemill_kernel_compress(dtypes.size(chunk.dtype), chunk:pointer(), mask:pointer(), count, out:pointer())
  hold(chunk, mask)
  return out
end

return pick_task
