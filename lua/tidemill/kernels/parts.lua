-- parts: sorting of what lies in chunks, by tasks that each do a part; part of tm.kernels.
-- Whatever the chunks and the splitters, the results have the bits of tm.kernels.sort of all.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local sortable = require("tidemill.kernels.sortable")
require("tidemill.kernels.declare")("order.h")

local refuse, hold, scratch = arguments.refuse, arguments.hold, sortable.scratch
local check_integer = arguments.check_integer
local pointers, lengths_type = ffi.typeof("const void *[?]"), ffi.typeof("int64_t[?]")

local kernels = {}

arguments.describe {
  splitters = "splitters(parts, buckets)",
  split = "split(x, splitters)",
  sort_parts = "sort_parts(parts, options)",
  merge = "merge(runs, first, last)",
}

-- What C wants to know of a list of arrays; all elements of one with several axes.
local function described(lists)
  local parts, lengths, total = pointers(#lists), lengths_type(#lists), 0
  for i, list in ipairs(lists) do
    parts[i - 1], lengths[i - 1] = list:pointer(), list.length
    total = total + list.length
  end
  return parts, lengths, total
end

local SAMPLES = 128 -- a bucket

--- Values that part all of several lists into so many buckets of about one size, chosen from
--- samples, so that the same lists give the same ones.
---     local bounds = tm.kernels.splitters({chunk1, chunk2}, 8)
---@param parts tidemill.numbers[]
---@param buckets integer
---@return tidemill.array splitters buckets - 1 ascending values
function kernels.splitters(parts, buckets)
  local lists, number, dtype = sortable.lists("splitters", "parts", parts)
  check_integer("splitters", "buckets", buckets, 1, 65536)
  local _, _, total = described(lists)
  local counts, drawn = {}, 0
  for i, list in ipairs(lists) do
    local n = list.length
    counts[i] = math.min(n, math.ceil(SAMPLES * buckets * n / math.max(1, total)))
    drawn = drawn + counts[i]
  end
  if drawn == 0 then refuse("splitters", "parts have no values") end
  local sample, sorted, at = array.new(dtype, drawn), array.new(dtype, drawn), 0
  for i, list in ipairs(lists) do
    C.tidemill_kernel_sample(number, list:pointer(), list.length, counts[i], sample:pointer() + at)
    at = at + counts[i]
  end
  local work, space = scratch(drawn)
  C.tidemill_kernel_sort(number, sample:pointer(), 1, drawn, 0, work, sorted:pointer())
  local out = array.new(dtype, buckets - 1)
  for b = 1, buckets - 1 do
    out:pointer()[b - 1] = sorted:pointer()[math.floor(b * drawn / buckets)]
  end
  hold(lists, sample, sorted, space)
  return out
end

--- The values in buckets: bucket b has those that are not below splitter b - 1 and are below
--- splitter b, in their old order; NaNs are in the last.
---     tm.kernels.split({5, 1, 7}, {4})                   --> {1} and {5, 7}, in a table
---@param x tidemill.numbers
---@param splitters tidemill.numbers ascending, of the type of x
---@return tidemill.array[] buckets #splitters + 1
function kernels.split(x, splitters)
  arguments.check_list("split", "x", x)
  arguments.check_list("split", "splitters", splitters)
  x = sortable.values("split", "x", x)
  splitters = sortable.values("split", "splitters", splitters, x.dtype)
  local number, ns = sortable.number(x), #splitters
  local counts, outs, buckets = lengths_type(ns + 1), ffi.new("void *[?]", ns + 1), {}
  if C.tidemill_kernel_is_sorted(number, splitters:pointer(), ns, 0) == 0 then
    refuse("split", "splitters must ascend")
  end
  C.tidemill_kernel_split_count(number, x:pointer(), #x, splitters:pointer(), ns, counts)
  for b = 1, ns + 1 do
    buckets[b] = array.new(x.dtype, tonumber(counts[b - 1]))
    outs[b - 1] = buckets[b]:pointer()
  end
  C.tidemill_kernel_split(number, x:pointer(), #x, splitters:pointer(), ns, outs)
  hold(x, splitters)
  return buckets
end

--- The values of several lists in one order.
---     tm.kernels.sort_parts({{3, 1}, {2}})               --> 1, 2, 3
---@param parts tidemill.numbers[] of one type
---@param options? {descending?: boolean}
---@return tidemill.array
function kernels.sort_parts(parts, options)
  options = sortable.options("sort_parts", options, { "descending" })
  local lists, number, dtype = sortable.lists("sort_parts", "parts", parts)
  local pieces, lengths, total = described(lists)
  local out = array.new(dtype, total)
  local work, space = scratch(total)
  C.tidemill_kernel_sort_parts(number, #lists, pieces, lengths, options.descending and 1 or 0, work,
    out:pointer())
  hold(lists, space)
  return out
end

--- Ascending lists merged, or values `first` to `last` of that, made by themselves; of equal values
--- those of an earlier list are first.
---     tm.kernels.merge({{1, 4}, {2, 3}})                 --> 1, 2, 3, 4
---     tm.kernels.merge({{1, 4}, {2, 3}}, 2, 3)           --> 2, 3
---@param runs tidemill.numbers[] ascending, of one type
---@param first? integer default 1
---@param last? integer default how many there are in all
---@return tidemill.array
function kernels.merge(runs, first, last)
  local lists, number, dtype = sortable.lists("merge", "runs", runs)
  local pieces, lengths, total = described(lists)
  if first == nil then first = 1 end
  if last == nil then last = total end
  check_integer("merge", "first", first, 1, total + 1)
  check_integer("merge", "last", last, first - 1, total)
  for i, list in ipairs(lists) do
    if C.tidemill_kernel_is_sorted(number, list:pointer(), list.length, 0) == 0 then
      refuse("merge", "runs[%d] must ascend", i)
    end
  end
  local n = last - first + 1
  local out = array.new(dtype, n)
  local work, space = scratch(#lists > 2 and n or 0)
  C.tidemill_kernel_merge(number, #lists, pieces, lengths, first - 1, last,
    lengths_type(2 * #lists), work, out:pointer())
  hold(lists, space)
  return out
end

return kernels
