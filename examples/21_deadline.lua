-- Shows deadlines: a task with a `timeout` is stopped when its time is over, whatever it does.
local tm = require "tidemill"

-- A compiled loop, which nothing inside its own process could interrupt.
local endless = tm.delayed(function()
  local x = 0
  while true do x = x + 1 end
end, { name = "endless", timeout = 0.2 })
local began = tm.clock()
print(pcall(function() return endless():compute() end))
print(("stopped after %.2f s"):format(tm.clock() - began))

-- A C function that does not come back.
local stuck = tm.delayed(function()
  local ffi = require "ffi"
  ffi.cdef "unsigned sleep(unsigned seconds);"
  ffi.C.sleep(1000)
end, { name = "stuck", timeout = "100ms" })

-- Code that catches every error.
local stubborn = tm.delayed(function()
  while true do pcall(error, "again") end
end, { name = "stubborn", timeout = 0.1 })

for _, task in ipairs { stuck, stubborn } do
  local _, problem = pcall(function() return task():compute() end)
  print(problem.task .. ": " .. problem.message)
end

-- The time counts anew for each attempt; the second one is quick.
local marker = os.tmpname()
local slow_once = tm.delayed(function(path)
  local file = assert(io.open(path, "a"))
  file:write("x")
  local attempt = file:seek("end")
  file:close()
  while attempt == 1 do end
  return "attempt " .. attempt
end, { name = "slow_once", timeout = 0.2, retries = 2, retry_delay = 0 })
print(slow_once(marker):compute())
os.remove(marker)

-- A limit of memory works alike.
local greedy = tm.delayed(function()
  local list = {}
  for i = 1, 1e9 do list[i] = { i } end
  return #list
end, { name = "greedy", memory = "200MB" })
local _, problem = pcall(function() return greedy():compute() end)
print(problem.message)

local lane = tm.stats().lanes.process
print(("killed %d, of these %d for their time"):format(lane.killed, lane.timeouts))

-- Output:
-- false	the task took longer than its timeout of 0.2 s and was stopped
-- stopped after <number> s
-- stuck: the task took longer than its timeout of 0.1 s and was stopped
-- stubborn: the task took longer than its timeout of 0.1 s and was stopped
-- attempt 2
-- the task's process used <number> MB, more than its limit of 200.0 MB, and was stopped
-- killed 5, of these 4 for their time
