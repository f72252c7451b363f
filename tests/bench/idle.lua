-- idle: context switches a second of an engine that has worked and waits for more, counted over
-- 5 s in /proc/self/task for every thread but the script's own, which sleeps meanwhile.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local ffi = require("ffi")
ffi.cdef "int getpid(void);"
local seconds = 5

local function threads()
  local found = {}
  for _, path in ipairs(tm.glob("/proc/self/task/*/status")) do
    if not path:find("/" .. ffi.C.getpid() .. "/status", 1, true) then found[#found + 1] = path end
  end
  return found
end

local function switches(paths)
  local total = 0
  for _, path in ipairs(paths) do
    for line in io.lines(path) do
      total = total + (tonumber(line:match("ctxt_switches:%s*(%d+)")) or 0)
    end
  end
  return total
end

local list = {}
for i = 1, 10000 do list[i] = i end
tm.map(function(x) return x + 1 end, list)
measure.sleep(0.5)
local paths = threads()
assert(#paths >= peers.workers(), "the workers' threads are there")
local before = switches(paths)
measure.sleep(seconds)
local ours = (switches(paths) - before) / seconds

local function row(peer, numbers, goal)
  bench.row { name = "idle engine, context switches a second", ours = ours, unit = "count",
    peer = peer, peer_value = numbers.switches, goal = goal }
end
row("Dask threads", peers.python("dask_threads.py", "idle", 2), { at_most = 0 })
row("joblib loky", peers.python("joblib_pool.py", "loky", "idle", 2))
row("Ray", peers.python("ray_tasks.py", "idle", 2))
