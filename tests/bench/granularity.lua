-- granularity: tasks of 1 us to 10 ms beside the same calls as plain serial Lua: how much of the
-- workers' time is work, best of 3 in turns; and the least grain at which half of it is (METG of
-- Task Bench).  Peers: joblib's processes and Ray, against plain Python: Python's threads cannot
-- reach one half on two workers.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local workers, work = peers.workers(), 0.2 -- seconds of work at each grain
local spin = measure.spin
local task = tm.delayed(spin, { name = "spin" })
local grains = { 1e-6, 2e-6, 5e-6, 10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3 }
local shown = { [1e-6] = true, [10e-6] = true, [100e-6] = true, [1e-3] = true, [10e-3] = true }

local function efficiency(grain)
  local steps, count = measure.steps(grain), math.ceil(work / grain)
  count = math.ceil(count / workers) * workers -- the last round is full, too
  local function tasks()
    local nodes = {}
    for i = 1, count do nodes[i] = task(steps) end
    tm.compute(nodes)
  end
  local function serial() for _ = 1, count do spin(steps) end end
  local together, alone = measure.best_of_each(3, { tasks, serial })
  return alone / (workers * together)
end

-- The least grain whose efficiency is a half, between the two that enclose it; math.huge: none
-- is; nil for a peer that is absent.
local function half_grain(list)
  if #list == 0 then return nil end
  for i, point in ipairs(list) do
    if point.efficiency >= 0.5 then
      local before = list[i - 1]
      if not before then return point.grain end
      local part = (0.5 - before.efficiency) / (point.efficiency - before.efficiency)
      return before.grain * (point.grain / before.grain) ^ part
    end
  end
  return math.huge
end

-- A peer's efficiency at some grains, for `seconds` of work each; none when the peer is absent.
local function sweep(program, list, seconds, ...)
  local points = {}
  for _, grain in ipairs(list) do
    local arguments = { ... }
    for _, word in ipairs({ "efficiency", grain, math.ceil(seconds / grain) }) do
      arguments[#arguments + 1] = word
    end
    local share = peers.python(program, unpack(arguments)).efficiency
    if not share then break end
    points[#points + 1] = { grain = grain, efficiency = share }
    points[grain] = share
  end
  return points
end

local ours = {}
for i, grain in ipairs(grains) do ours[i] = { grain = grain, efficiency = efficiency(grain) } end
local loky = sweep("joblib_pool.py", { 1e-6, 5e-6, 10e-6, 20e-6, 100e-6, 1e-3, 10e-3 }, 0.2, "loky")
local ray = sweep("ray_tasks.py", { 500e-6, 1e-3, 2e-3, 5e-3 }, 1)

for _, point in ipairs(ours) do
  if shown[point.grain] then
    bench.row { name = ("efficiency, %g us tasks"):format(point.grain * 1e6), ours = point.efficiency,
      unit = "share", better = "more", peer = "joblib loky", peer_value = loky[point.grain] }
  end
end
local name = "least grain of 50 % efficiency"
bench.row { name = name, ours = half_grain(ours), peer = "joblib loky", peer_value = half_grain(loky) }
bench.row { name = name, ours = half_grain(ours), peer = "Ray", peer_value = half_grain(ray) }
