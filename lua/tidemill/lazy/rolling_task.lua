-- rolling_task: what tasks do for windows of an array that is in memory: some rows of the result, made
-- where they belong, from the rows of the whole that they need.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local C = require("tidemill.clib")
local arguments = require("tidemill.kernels.arguments")
require("tidemill.kernels.declare")("rolling.h")

local rolling_task = {}

-- Kernels by name, with all that they take besides a window's data.
local kernels = {}
for _, what in ipairs { "sum", "mean", "min", "max" } do
  local name = "tidemill_kernel_rolling_" .. what
  kernels[what] = function(x, rows, inner, window, work, out)
    C[name](x, rows, inner, window, window, work, out)
  end
end
for _, what in ipairs { "var", "std", "zscore" } do
  local name = "tidemill_kernel_rolling_" .. what
  kernels[what] = function(x, rows, inner, window, work, out)
    C[name](x, rows, inner, window, 1, window, work, out)
  end
end

--- Whether there is a task for windows of that name.
function rolling_task.takes(what) return kernels[what] ~= nil end

local function run(what, window, x, rows, inner, out)
  local work = arguments.scratch(tonumber(C.tidemill_kernel_rolling_scratch(rows, inner, window)))
  kernels[what](x, rows, inner, window, work, out)
  arguments.hold(work)
end

-- Fills `part` with the results of the rows from `first` on, from 0.  A kernel that is given these rows
-- alone finds no full window in the first ones: those are made again, with the rows before.
local function fill(part, what, window, first, x)
  local rows, inner = part.shape[1], part.length / part.shape[1]
  run(what, window, x:pointer() + first * inner, rows, inner, part:pointer())
  local again, begin = math.min(rows, window - 1), math.max(first - window + 1, 0)
  if first > 0 and again > 0 then
    local out = array.new("float64", (first + again - begin) * inner)
    run(what, window, x:pointer() + begin * inner, first + again - begin, inner, out:pointer())
    ffi.copy(part:pointer(), out:pointer() + (first - begin) * inner, 8 * again * inner)
    arguments.hold(out)
  end
  arguments.hold(x, part)
end

--- Fills a part of an array with the results of the rows from `first` on, from 0.
function rolling_task.fill(part, what, window, first, x)
  fill(part, what, window, first, x)
  array.let_go(part)
end

--- The same as an array of its own.
function rolling_task.make(shape, what, window, first, x)
  local out = array.new("float64", nil, shape)
  fill(out, what, window, first, x)
  return out
end

return rolling_task
