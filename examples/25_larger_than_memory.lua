-- Shows mean, deviation and greatest of an array that is larger than memory: chunks are made, used and
-- dropped. The argument is its size in GB: `tidemill run 25_larger_than_memory.lua 80`.
local tm = require "tidemill"
tm.config { memory = { limit = "512MB" } }

local gigabytes = tonumber((...)) or 0.8
local x = tm.random.normal({ 1000, 1000, math.ceil(gigabytes * 125) }, { seed = 1, mean = 10, std = 2 })
print(x)

-- Three answers, one pass: each chunk is made once.
local began = tm.clock()
local mean, deviation, greatest = tm.compute(x:mean(), x:std(), x:max())
print(("mean %.2f, deviation %.2f, greatest %.1f"):format(mean, deviation, greatest))
print(("took %.1f s"):format(tm.clock() - began))

-- What the process had at most.
for line in io.lines("/proc/self/status") do
  local kilobytes = line:match("^VmHWM:%s+(%d+)")
  if kilobytes then print(kilobytes / 1024 < 512) end
end

-- Output:
-- lazy array 1000 x 1000 x 100 float64, 100 chunks of 100 x 100 x 100, 763 MiB, 200 tasks, not computed: a:compute()
-- mean 10.00, deviation 2.00, greatest 21.3
-- took <number> s
-- true
