-- process: the price of a task on the process lane, one after another, beside Python's
-- multiprocessing; medians.  An array of 8 MB goes there, and there and back: ours by shared memory.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require "tidemill"

local function median(rounds, fn)
  local times = {}
  for i = 1, rounds do times[i] = measure.time(fn) end
  return measure.median(times)
end

local same = tm.delayed(function(x) return x end, { lane = "process", name = "same" })
local first = tm.delayed(function(a) return a[1] end, { lane = "process", name = "first" })
local fresh = tm.delayed(function(x) return x end, { isolate = true, name = "fresh" })
local numbers = {}
for i = 1, 1000000 do numbers[i] = i end
local array = tm.array(numbers)

for i = 1, 200 do same(i):compute() first(array):compute() end -- code is compiled, processes run
local small = median(3000, function() same(1):compute() end)
local there = median(300, function() first(array):compute() end)
local back = median(300, function() same(array):compute() end)
local isolated = median(50, function() fresh(1):compute() end)

local count = 5000
local nodes = {}
for i = 1, count do nodes[i] = same(i) end
local many = measure.time(function() tm.compute(nodes) end) / count

local python = peers.python("multiprocessing_pool.py")
local function row(name, ours, value)
  bench.row { name = "process lane, " .. name, ours = ours, peer = "multiprocessing", peer_value = value }
end
row("one small task after another", small, python.small)
row("5,000 small tasks, per task", many, python.many)
row("8 MB array there", there, python.there)
row("8 MB array there and back", back, python.back)
row("in a fresh process", isolated, python.fresh)
