-- memory: what a tree of 1 M Lua tasks holds: resident memory of this process after it was built,
-- with the script's own list of the leaves, and the most that there was while it ran.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local leaves = 500000
local inc = tm.delayed(function(x) return x + 1 end, { name = "inc" })
local add = tm.delayed(function(a, b) return a + b end, { name = "add" })
assert(add(inc(1), inc(2)):compute() == 5) -- threads, states and code are there already

collectgarbage()
collectgarbage()
local before = measure.resident("VmRSS")
local level = {}
for i = 1, leaves do level[i] = inc(i) end
while #level > 1 do
  local above = {}
  for i = 1, #level - 1, 2 do above[#above + 1] = add(level[i], level[i + 1]) end
  above[#above + 1] = #level % 2 == 1 and level[#level] or nil
  level = above
end
collectgarbage()
local built = measure.resident("VmRSS")
assert(level[1]:compute() == leaves * (leaves + 1) / 2 + leaves)
local peak = measure.resident("VmHWM")

local count = 2 * leaves - 1
local dask = peers.python("dask_threads.py", "memory", 20000)
bench.row { name = "a Lua task that was built, memory", ours = (built - before) / count, unit = "bytes",
  peer = "Dask, delayed", peer_value = dask.bytes, goal = { at_most = 200 } }
bench.row { name = "1 M Lua tasks built and run, resident in all", ours = peak, unit = "bytes",
  goal = { at_most = 250e6 } }
