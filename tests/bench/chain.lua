-- chain: 500,000 tasks, each the input of the next: nothing can run beside anything, and what
-- remains is what a task costs; best of 3.  Peers: plain Lua, oneTBB (C++ bodies), Dask at 10,000.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local length = 500000
local function inc_body(x) return x + 1 end
local function tasks()
  local inc = tm.delayed(inc_body, { name = "inc" })
  local node = inc(0)
  for _ = 2, length do node = inc(node) end
  assert(node:compute() == length)
end
local function serial()
  local x = 0
  for _ = 1, length do x = inc_body(x) end
  assert(x == length)
end

local ours, plain = measure.best_of_each(3, { tasks, serial })
local function row(peer, value)
  bench.row { name = "chain of 500,000 Lua tasks, per task", ours = ours / length, peer = peer,
    peer_value = value }
end
row("plain Lua", plain / length)
row("oneTBB, C++ bodies", peers.tbb("chain", length).task)
row("Dask threads, raw", peers.python("dask_threads.py", "chain", 10000).task)
