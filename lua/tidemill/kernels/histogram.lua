-- histogram: values counted by bins; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local ffi = require("ffi")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local reduce = require("tidemill.kernels.reduce")

require("tidemill.kernels.declare")("histogram.h")

local check_values, check_integer = arguments.check_values, arguments.check_integer
local check_list, fail = arguments.check_list, arguments.fail
local refuse, floats, ints = arguments.refuse, arguments.floats, arguments.ints
local hold = arguments.hold

local kernels = {}

arguments.describe {
  histogram = "histogram(x, bins, low, high, weights)",
  bincount = "bincount(x, bins)",
}

local function zeros(dtype, length)
  local out = array.new(dtype, length)
  ffi.fill(out:pointer(), 8 * length)
  return out
end

-- The range of x where the caller leaves it open: half a unit around a single value.
local function range(x, low, high)
  local numbers = reduce.nancount(x)
  low = low or (numbers == 0 and 0 or reduce.nanmin(x))
  high = high or (numbers == 0 and 1 or reduce.nanmax(x))
  if low == high then return low - 0.5, high + 0.5 end
  return low, high
end

local function edges_of(bins, low, high)
  local edges = array.new("float64", bins + 1)
  local pointer, step = edges:pointer(), (high - low) / bins
  for i = 0, bins - 1 do pointer[i] = low + i * step end
  pointer[bins] = high
  return edges
end

local function count_equal(x, weights, bins, low, high, out)
  if weights then
    return C.tidemill_kernel_histogram_weights(x:pointer(), weights:pointer(), x.length, low, high, bins,
      out:pointer())
  end
  return C.tidemill_kernel_histogram(x:pointer(), x.length, low, high, bins, out:pointer())
end

local function count_between(x, weights, edges, bins, out)
  if weights then
    return C.tidemill_kernel_histogram_edges_weights(x:pointer(), weights:pointer(), x.length,
      edges:pointer(), bins, out:pointer())
  end
  return C.tidemill_kernel_histogram_edges(x:pointer(), x.length, edges:pointer(), bins, out:pointer())
end

local function check_bounds(name, low, high)
  if low ~= nil and type(low) ~= "number" then
    fail(name, "low must be a number, got %s", arguments.shown(low))
  end
  if high ~= nil and type(high) ~= "number" then
    fail(name, "high must be a number, got %s", arguments.shown(high))
  end
end

-- All elements count, whatever the axes: # is the size of the first.
local function check_counts(x, weights)
  if weights.length == x.length then return end
  fail("histogram", "x and weights must have one length, got %d and %d", x.length, weights.length)
end

--- Counts of x by equal bins from low to high (default: its least and greatest), or between the
--- edges of a list; the last bin includes its upper edge.  With weights their sums, float64.
---     local counts, edges = tm.kernels.histogram({1, 2, 2, 5}, 2)   --> 3, 1   and   1, 3, 5
---@param x tidemill.numbers
---@param bins integer|tidemill.numbers how many, or edges that ascend
---@param low? number
---@param high? number
---@param weights? tidemill.numbers as many as x has elements
---@return tidemill.array counts, tidemill.array edges
function kernels.histogram(x, bins, low, high, weights)
  check_values("histogram", "x", x)
  check_bounds("histogram", low, high)
  x = floats("histogram", "x", x)
  if weights ~= nil then
    check_values("histogram", "weights", weights)
    weights = floats("histogram", "weights", weights)
    check_counts(x, weights)
  end
  local dtype = weights and "float64" or "int64"
  if type(bins) == "number" then
    check_integer("histogram", "bins", bins, 1, 2^31)
    low, high = range(x, low, high)
    local out = zeros(dtype, bins)
    if count_equal(x, weights, bins, low, high, out) < 0 then
      refuse("histogram", "low must be less than high, both finite, got %g and %g", low, high)
    end
    hold(x, weights)
    return out, edges_of(bins, low, high)
  end
  check_list("histogram", "bins", bins)
  local edges = floats("histogram", "bins", bins)
  local out = zeros(dtype, math.max(#edges - 1, 0))
  if count_between(x, weights, edges, #edges - 1, out) < 0 then
    refuse("histogram", "bins must be two edges or more that ascend, got %s", tostring(edges))
  end
  hold(x, weights)
  return out, edges
end

--- How often each of the integers 0 to bins - 1 stands in x (default: up to its greatest):
--- counts[i + 1] is that of i.
---     tm.kernels.bincount({2, 0, 2})                     --> 1, 0, 2
---@param x tidemill.numbers
---@param bins? integer
---@return tidemill.array int64
function kernels.bincount(x, bins)
  check_values("bincount", "x", x)
  x = ints("bincount", "x", x)
  if bins == nil then bins = x.length == 0 and 0 or math.max(0, reduce.max(x) + 1) end
  check_integer("bincount", "bins", bins, 0, 2^31)
  local out = zeros("int64", bins)
  local done = C.tidemill_kernel_bincount(x:pointer(), x.length, bins, out:pointer())
  hold(x)
  if done < 0 then
    refuse("bincount", "x must be integers from 0 to %d, got %g to %g", bins - 1, reduce.min(x),
      reduce.max(x))
  end
  return out
end

return kernels
