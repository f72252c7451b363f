-- Shows a task that fails: what needs its result is skipped and says why, the rest runs.
local tm = require "tidemill"

local parse = tm.delayed(function(text)
  return tonumber(text) or error(("%q is not a number"):format(text), 0)
end, { name = "parse" })

local double = tm.delayed(function(number) return 2 * number end, { name = "double" })

local good, bad = double(parse("21")), double(parse("2l"))

-- bad:compute() would raise the error; futures keep each its own outcome.
local futures = { good:submit(), bad:submit() }
tm.wait(futures)
for _, future in ipairs(futures) do print(future:status()) end

print(futures[1]:result())

-- What :result() raises is a table that prints as its message.
local ok, problem = pcall(futures[2].result, futures[2])
print(ok, problem)
print("failed in " .. problem.task .. ", tasks skipped: " .. problem.skipped)

-- Output:
-- finished
-- skipped
-- 42
-- false	"2l" is not a number
-- failed in parse, tasks skipped: 1
