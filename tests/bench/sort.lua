-- sort: 10^7 random float64 by two workers (each splits a chunk, then sorts a bucket), by x:sort(), and by
-- one call, sorted positions, and what selects: each beside NumPy's, which uses one thread.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")
local kernels = tm.kernels

local workers, million = peers.workers(), 1000000
local n = 10 * million

local split = tm.delayed(function(chunk, bounds)
  return tm.kernels.split(chunk, bounds)
end, { name = "split" })
local sort = tm.delayed(function(pieces, bucket)
  local parts = {}
  for c = 1, #pieces do parts[c] = pieces[c][bucket] end
  return tm.kernels.sort_parts(parts)
end, { name = "sort" })

local chunks, chunk = {}, math.ceil(n / workers)
for w = 1, workers do
  chunks[w] = kernels.uniform(1, 0, math.min(chunk, n - (w - 1) * chunk), (w - 1) * chunk + 1)
end
local whole = kernels.uniform(1, 0, n)

local sorted
local function sort_in_parts()
  local bounds, pieces, buckets = kernels.splitters(chunks, workers), {}, {}
  for w = 1, workers do pieces[w] = split(chunks[w], bounds) end
  for w = 1, workers do buckets[w] = sort(pieces, w) end
  sorted = tm.compute(buckets)
end

local positions = kernels.argsort(whole)
local some = kernels.uniform(2, 0, million)
local ascending = kernels.sort(kernels.uniform(3, 0, million))
local mask = tm.array((function()
  local list = { n = n }
  for i = 1, n do list[i] = whole:pointer()[i - 1] < 0.5 end
  return list
end)(), "bool")

local in_parts, lazily, whole_sort, argsort, search, take, lazy_take, compress = measure.best_of_each(4, {
  sort_in_parts,
  function() whole:sort():compute() end,
  function() kernels.sort(whole) end,
  function() kernels.argsort(whole) end,
  function() kernels.searchsorted(ascending, some) end,
  function() kernels.take(whole, positions) end,
  function() whole:take(positions):compute() end,
  function() kernels.compress(whole, mask) end,
})
local last, count = -1, 0
for _, bucket in ipairs(sorted) do
  assert(kernels.is_sorted(bucket) and bucket[1] >= last)
  last, count = bucket[-1], count + #bucket
end
assert(count == n)

local peer = peers.python("numpy_sort.py", n)
local function row(name, ours, key, goal)
  bench.row { name = name, ours = ours, peer = "NumPy", peer_value = peer[key], goal = goal }
end
row(("sort 10^7 float64, %d workers"):format(workers), in_parts, "sort", { ratio = 1 })
row(("x:sort() of 10^7 float64, %d workers"):format(workers), lazily, "sort", { ratio = 1 })
row("sort 10^7 float64, one call", whole_sort, "sort")
row("argsort 10^7 float64, stable, one call", argsort, "argsort")
row("searchsorted, 10^6 random in 10^6", search, "searchsorted")
row("take, 10^7 at random places", take, "take")
row(("x:take() of 10^7 at random places, %d workers"):format(workers), lazy_take, "take", { ratio = 1 })
row("compress, half of 10^7", compress, "compress")
