-- kills: worker processes are killed at random while their tasks run; every result must be right all
-- the same, and nothing may be left behind.
--     build/tidemill tests/soak/kills.lua [kills [seed]]
-- SPDX-License-Identifier: MIT
local tm = require "tidemill"
local ffi = require "ffi"
ffi.cdef "int kill(int pid, int sig); int getpid(void);"

local wanted, seed = tonumber((...)) or 1000, tonumber((select(2, ...))) or os.time()
print(("%d kills, seed %d"):format(wanted, seed))
math.randomseed(seed)

local function lines(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

-- Processes whose parent this one is, by the kernel's own list of each thread's.
local function children()
  local list = {}
  for _, path in ipairs(tm.glob("/proc/self/task/*/children")) do
    local file = io.open(path)
    for pid in (file and file:read("*a") or ""):gmatch("%d+") do list[#list + 1] = tonumber(pid) end
    if file then file:close() end
  end
  return list
end

local function descriptors() return #lines("ls /proc/" .. ffi.C.getpid() .. "/fd") end
local function shared_memory() return #lines("grep memfd /proc/" .. ffi.C.getpid() .. "/maps") end

-- A task that takes a while, an array in and one out.
local work = tm.delayed(function(x, array)
  local until_time = tm.clock() + 0.002
  local sum = 0
  for i = 1, array.length, 1000 do sum = sum + array[i] end
  while tm.clock() < until_time do end
  return { x = x, sum = sum, array = array }
end, { name = "work", lane = "process", retries = 20, retry_delay = 0 })

local numbers = {}
for i = 1, 20000 do numbers[i] = i end
local array, sum = tm.array(numbers), 0
for i = 1, 20000, 1000 do sum = sum + i end

local function check(x, result)
  assert(result.x == x and result.sum == sum, "a wrong result of task " .. x)
  assert(result.array.length == 20000 and result.array[20000] == 20000, "a wrong array of task " .. x)
end

-- Once through, so that all that starts once has started.
check(0, work(0, array):compute())
collectgarbage()
local descriptors_before, shared_before = descriptors(), shared_memory()

local kills, done, flying = 0, 0, {}
while kills < wanted or #flying > 0 do
  while kills < wanted and #flying < 8 do
    done = done + 1
    flying[#flying + 1] = { x = done, future = tm.submit(work, done, array) }
  end
  for i = #flying, 1, -1 do
    if flying[i].future:wait(0) then
      check(flying[i].x, table.remove(flying, i).future:result())
    end
  end
  local list = children()
  if kills < wanted and #list > 0 and math.random() < 0.3 then
    if ffi.C.kill(list[math.random(#list)], 9) == 0 then kills = kills + 1 end
  end
  tm.sleep(0.002)
end

local lane = tm.stats().lanes.process
print(("%d tasks, %d processes started, %d tasks begun again"):format(done, lane.started,
  lane.restarted))
assert(lane.load == 0, "tasks are left on the lane")

-- What is left is what there was: at most the processes that the lane keeps, a socket, a pidfd and a
-- file of /proc each.
local busy = tm.config.processes == "auto" and tm.config.workers or tm.config.processes
tm.sleep(0.2)
collectgarbage() collectgarbage()
local left = #children()
assert(left <= busy, left .. " processes are left")
for _, pid in ipairs(children()) do ffi.C.kill(pid, 9) end
tm.sleep(0.3)
assert(#children() == 0, "killed processes were not reaped")
assert(descriptors() <= descriptors_before, "descriptors were lost")
assert(shared_memory() <= shared_before, "shared memory is left")
print("all results right, nothing left")
