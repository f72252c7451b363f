-- Shows a task that crashes: in a process of its own it takes nothing else with it.
local tm = require "tidemill"

-- C code that writes where nothing is.  On a thread this would end the whole program.
local function crash(address)
  local ffi = require "ffi"
  ffi.cast("int *", address)[0] = 1
end

-- `isolate`: each call has a fresh process, which is never used again.
local dangerous = tm.delayed(crash, { name = "dangerous", isolate = true })
local ok, problem = pcall(function() return dangerous(0):compute() end)
print(ok, problem)
print(("task %s, lane %s, attempt %d"):format(problem.task, problem.lane, problem.attempt))

-- `lane = "process"`: processes are kept and used again; one that crashes is replaced.  What does
-- not need the failed item still runs.
local square = tm.delayed(function(x)
  if x == 3 then require("ffi").cast("int *", 0)[0] = 1 end
  return x * x
end, { name = "square", lane = "process" })
local batch = tm.batch(square, { 1, 2, 3, 4, 5 })
print(("%d of %d: %s %s - %s %s"):format(batch.successful, batch.total, batch.results[1],
  batch.results[2], batch.results[4], batch.results[5]))
print(("item %d: %s"):format(batch.errors[1].index, batch.errors[1].error.message))

-- A crash is a failure like any other: `retries` apply, each attempt in a new process.
local marker = os.tmpname()
local flaky = tm.delayed(function(path)
  local file = assert(io.open(path, "a"))
  file:write("x")
  local attempts = file:seek("end")
  file:close()
  if attempts < 3 then require("ffi").cast("int *", 0)[0] = 1 end
  return attempts
end, { name = "flaky", isolate = true, retries = 5, retry_delay = 0.01 })
print("attempt " .. flaky(marker):compute())
os.remove(marker)

-- Arrays go there and back by shared memory; nothing of them is copied through a pipe.
local list = {}
for i = 1, 100000 do list[i] = i end
local numbers = tm.array(list)
local sum = tm.delayed(function(a)
  local total = 0
  for i = 1, a.length do total = total + a[i] end
  return total
end, { lane = "process" })
print(sum(numbers):compute())

-- Output:
-- false	the task's process was killed by signal 11 (SIGSEGV)
-- task dangerous, lane process, attempt 1
-- 4 of 5: 1 4 - 16 25
-- item 3: the task's process was killed by signal 11 (SIGSEGV)
-- attempt 3
-- 5000050000
