-- series_task: what the tasks of running totals, sorting and counting do.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local C = require("tidemill.clib")
local dtypes = require("tidemill.dtype")
local kernels = require("tidemill.kernels")
local declare = require("tidemill.kernels.declare")
for _, header in ipairs({ "scan.h", "order.h", "quantile.h", "histogram.h" }) do declare(header) end

local series_task = {}

local function hold() end

-- Elements before an axis, along it, and after it.
local function around(shape, axis)
  local outer, inner = 1, 1
  for k = 1, axis - 1 do outer = outer * shape[k] end
  for k = axis + 1, #shape do inner = inner * shape[k] end
  return outer, shape[axis], inner
end

--- A running total along an axis of a chunk, from what the chunk before has left: the chunk, and what it
--- leaves.
function series_task.scan(kind, axis, dtype, chunk, carry)
  local shape, type = chunk.shape, dtypes.number(chunk.dtype)
  local outer, n, inner = around(shape, axis)
  local left = array.new("int64", outer * inner)
  if carry then
    ffi.copy(left:pointer(), carry:pointer(), 8 * outer * inner)
  else
    C.tidemill_kernel_scan_begin(kind, type, outer * inner, left:pointer())
  end
  local out = array.new(dtype, chunk.length, shape)
  C.tidemill_kernel_scan(kind, type, chunk:pointer(), outer, n, inner, left:pointer(),
    out:pointer())
  hold(chunk, carry)
  return out, left
end

--- Each row of a chunk sorted.
function series_task.sort(descending, chunk) return kernels.sort(chunk, { descending = descending }) end

--- Positions of each row's elements in sorted order.
function series_task.argsort(descending, chunk)
  local places = array.as(kernels.argsort(chunk, { descending = descending }), "int64", "argsort")
  return places:reshape(chunk.shape)
end

--- Ranks of a vector.
function series_task.rank(method, chunk) return kernels.rank(chunk, method) end

local pointers, words = ffi.typeof("const void *[?]"), ffi.typeof("int64_t[?]")

-- Fills an array with elements of the merge of ascending runs, from place `from` (from 0) on.
local function merge(out, from, runs)
  local parts, lengths = pointers(#runs), words(#runs)
  for i, run in ipairs(runs) do parts[i - 1], lengths[i - 1] = run:pointer(), run.length end
  local work = array.new(out.dtype, out.length)
  C.tidemill_kernel_merge(dtypes.number(out.dtype), #runs, parts, lengths, from, from + out.length,
    words(2 * #runs), work:pointer(), out:pointer())
  hold(runs, work)
end

--- So many elements of the merge of ascending runs, from place `from` (from 0) on.
function series_task.merge(from, length, ...)
  local out = array.new((...).dtype, length)
  merge(out, from, { ... })
  return out
end

--- The same into a part of an array.
function series_task.merge_into(part, from, ...)
  merge(part, from, { ... })
  array.let_go(part)
end

-- Arrays of one type, one after the other.
local function joined(dtype, parts)
  local length, at = 0, 0
  for _, part in ipairs(parts) do length = length + part.length end
  local out = array.new(dtype, length)
  local to = ffi.cast("char *", out:pointer())
  for _, part in ipairs(parts) do
    ffi.copy(to + at, part:pointer(), part.nbytes)
    at = at + part.nbytes
  end
  hold(parts, out)
  return out
end

-- The greatest of a vector and their positions: exactly k, for NaNs, the first of them, come last.
local function topk_and_nans(k, vector)
  local most = math.min(math.abs(k), vector.length)
  local values, places = kernels.topk(vector, k > 0 and most or -most)
  if values.length == most then return values, places end
  local nans = array.as(kernels.nonzero(kernels.isnan(vector)), "int64", "topk")
  places = joined("int64", { places, array.part(nans, 0, { most - values.length }) })
  return kernels.take(vector, places), places
end

--- The greatest of a chunk, and their positions in the whole.
function series_task.topk(k, start, chunk)
  local values, places = topk_and_nans(k, chunk)
  local to = places:pointer()
  for i = 0, places.length - 1 do to[i] = to[i] + start end
  hold(places)
  return values, places
end

--- The greatest of the greatest of chunks.
function series_task.topk_of_parts(k, dtype, ...)
  local values, places = {}, {}
  for i = 1, select("#", ...), 2 do values[#values + 1], places[#places + 1] = select(i, ...) end
  local greatest, which = topk_and_nans(k, joined(dtype, values))
  return greatest, kernels.take(joined("int64", places), which)
end

--- Edges of bins of one width.
function series_task.edges(bins, low, high)
  local edges = array.new("float64", bins + 1)
  local to = edges:pointer()
  for i = 0, bins - 1 do to[i] = low + i * ((high - low) / bins) end
  to[bins] = high
  return edges
end

--- Counts of a chunk's elements by `bins` equal bins, or between edges where that is 0.
function series_task.histogram(bins, low, high, edges, chunk)
  local counts = array.new("int64", edges.length - 1)
  ffi.fill(counts:pointer(), counts.nbytes)
  if bins > 0 then
    C.tidemill_kernel_histogram(chunk:pointer(), chunk.length, low, high, bins, counts:pointer())
  elseif C.tidemill_kernel_histogram_edges(chunk:pointer(), chunk.length, edges:pointer(),
      edges.length - 1, counts:pointer()) ~= 0 then
    error("histogram: the edges must ascend", 0)
  end
  hold(chunk, edges)
  return counts
end

--- Sums of counts.
function series_task.add(...)
  local first = ...
  local out = array.new("int64", first.length)
  local to = out:pointer()
  ffi.fill(to, out.nbytes)
  for k = 1, select("#", ...) do
    local counts = (select(k, ...)):pointer()
    for i = 0, first.length - 1 do to[i] = to[i] + counts[i] end
  end
  hold(...)
  return out
end

--- Quantiles of each row of a chunk.
function series_task.quantile(shares, chunk)
  local shape, count = chunk.shape, #shares
  local n = shape[#shape]
  local rows = n > 0 and chunk.length / n or 0
  if n == 0 then
    rows = 1
    for axis = 1, #shape - 1 do rows = rows * shape[axis] end
  end
  shape[#shape] = count
  local out, q, scratch = array.new("float64", rows * count, shape), ffi.new("double[?]", count, shares),
    array.new("float64", n)
  for row = 0, rows - 1 do
    C.tidemill_kernel_quantile(chunk:pointer() + row * n, n, q, count, scratch:pointer(),
      out:pointer() + row * count)
  end
  hold(chunk, scratch, q)
  return out
end

return series_task
