-- independent: 500,000 tasks that do next to nothing and need nothing of each other, as nodes and
-- by tm.map; best of 3.  Peers: plain Lua; joblib, which sends loky many calls at once, and Dask at
-- 10,000; Ray at 2,000.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local count = 500000
local function inc_body(x) return x + 1 end
local items = {}
for i = 1, count do items[i] = i end

local function check(results) assert(results[1] == 2 and results[count] == count + 1) end
local function nodes()
  local inc, list = tm.delayed(inc_body, { name = "inc" }), {}
  for i = 1, count do list[i] = inc(i) end
  check(tm.compute(list))
end
local function map() check(tm.map(inc_body, items)) end
local function serial()
  local results = {}
  for i = 1, count do results[i] = inc_body(items[i]) end
  check(results)
end

local lazy, mapped, plain = measure.best_of_each(3, { nodes, map, serial })
local function row(how, ours, peer, value)
  bench.row { name = "independent Lua tasks, " .. how .. ", per task", ours = ours / count, peer = peer,
    peer_value = value }
end
row("nodes", lazy, "plain Lua", plain / count)
row("nodes", lazy, "Dask threads, raw", peers.python("dask_threads.py", "independent", 10000).task)
row("nodes", lazy, "Ray", peers.python("ray_tasks.py", "independent", 2000).task)
row("map", mapped, "plain Lua", plain / count)
row("map", mapped, "joblib threads",
  peers.python("joblib_pool.py", "threading", "independent", 10000).task)
row("map", mapped, "joblib loky", peers.python("joblib_pool.py", "loky", "independent", 10000).task)
