-- skynet: a task that starts 10 tasks and waits for them, six deep: 1,000,000 leaves, 1.1 million
-- tasks, which add up their numbers; best of 2.  Peers: plain Lua, oneTBB's task_group, Ray at 100
-- leaves.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local leaves = 1000000
local count = (10 * leaves - 1) / 9

local function skynet(first, size)
  if size == 1 then return first end
  local step, parts, sum = size / 10, {}, 0
  local task = tm.delayed(skynet, { name = "skynet" })
  for i = 1, 10 do parts[i] = task(first + (i - 1) * step, step) end
  for _, part in ipairs(tm.compute(parts)) do sum = sum + part end
  return sum
end

local function calls(first, size)
  if size == 1 then return first end
  local step, sum = size / 10, 0
  for i = 0, 9 do sum = sum + calls(first + i * step, step) end
  return sum
end

local function check(sum) assert(sum == leaves * (leaves - 1) / 2) end
local function tasks() check(tm.submit(skynet, 0, leaves):result()) end
local function serial() check(calls(0, leaves)) end

local works, problem = pcall(function()
  return tm.submit(skynet, 0, 100):result()
end)
local ours
if works then
  ours = measure.best(2, tasks) / count
else
  print("skynet: tasks cannot start tasks: " .. tostring(problem):match("[^\n]*"))
end
local function row(peer, value)
  bench.row { name = "skynet of 1 M leaves, per task", ours = ours, peer = peer, peer_value = value }
end
row("plain Lua", measure.best(2, serial) / count)
row("oneTBB, C++ bodies", peers.tbb("skynet", leaves).task)
row("Ray", peers.python("ray_tasks.py", "skynet", 100).task)
