-- efficiency: tasks that spin for 10 us each: serial time / (workers x time), best of 5 in turns.
-- Serial is the same Lua function called in a loop.  Peers: two such loops in two processes at
-- once, which is what this machine can give; Dask, joblib and Ray, each with a Python function
-- calibrated to 10 us and judged against a plain Python loop of its own.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local grain, count, workers = 10e-6, 50000, peers.workers()
local spin, steps = measure.spin, measure.steps(grain)

-- What the machine gives: as a process that only spins, started by this file.
if arg[1] == "loop" then
  local began = tm.clock()
  for _ = 1, tonumber(arg[3]) do spin(tonumber(arg[2])) end
  return print(tm.clock() - began)
end

local function serial() for _ = 1, count do spin(steps) end end

local task, map_steps = tm.delayed(spin, { name = "spin" }), {}
for i = 1, count do map_steps[i] = steps end
local function tasks()
  local nodes = {}
  for i = 1, count do nodes[i] = task(steps) end
  tm.compute(nodes)
end
local function map() tm.map(task, map_steps) end

-- Loops in processes of their own, all at once, each as long as the serial one; the slowest.
local function loops()
  local program, pipes, slowest = os.getenv("TIDEMILL_BIN") or "build/tidemill", {}, 0
  for i = 1, workers do
    pipes[i] = io.popen(("%s run tests/bench/efficiency.lua loop %d %d"):format(program, steps, count))
  end
  for i = 1, workers do
    slowest = math.max(slowest, pipes[i]:read("*n"))
    pipes[i]:close()
  end
  return slowest
end

local alone, together, mapped, slowest = math.huge, math.huge, math.huge, math.huge
for _ = 1, 5 do
  alone, together = math.min(alone, measure.best(1, serial)), math.min(together, measure.best(1, tasks))
  mapped, slowest = math.min(mapped, measure.best(1, map)), math.min(slowest, loops())
end

local ours = alone / (workers * together)
local function row(what, value, peer, peer_value, goal)
  bench.row { name = ("efficiency, 10 us tasks, %d workers%s"):format(workers, what), ours = value,
    unit = "share", better = "more", peer = peer, peer_value = peer_value, goal = goal }
end
row("", ours, "plain loops at once", alone / slowest, { at_least = 0.95 })
row(", map", alone / (workers * mapped), "plain loops at once", alone / slowest, { at_least = 0.95 })
local dask = peers.python("dask_threads.py", "efficiency", grain, 5000)
local threads = peers.python("joblib_pool.py", "threading", "efficiency", grain, 20000)
local loky = peers.python("joblib_pool.py", "loky", "efficiency", grain, 20000)
row("", ours, "Dask threads", dask.efficiency)
row("", ours, "joblib threads", threads.efficiency)
row("", ours, "joblib loky", loky.efficiency)
row("", ours, "Ray", peers.python("ray_tasks.py", "efficiency", grain, 2000).efficiency)
