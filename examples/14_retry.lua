-- Shows work that fails now and then: attempts with growing delays, and the failed items of a batch.
local tm = require "tidemill"

-- A server that refuses the first `refusals` calls for each name; the channel counts calls.
local function server(refusals)
  local calls = tm.channel(100)
  return calls, function(name)
    calls:put(name)
    if calls:state() <= refusals then error(name .. ": busy", 0) end
    return name .. " is here"
  end
end

-- Up to 4 more attempts, after about 10, 20 and 40 ms and then no more than 50 ms.
local calls, ask = server(2)
local fetch = tm.delayed(ask, {
  name = "fetch",
  retries = 4,
  retry_delay = 0.01,
  backoff = { factor = 2, max = 0.05, jitter = 0.25 },
})
print(fetch("report"):compute())
print(("calls: %d"):format((calls:state())))

-- The error of a task that never succeeds tells how often it was tried.
local _, never = server(100)
local lost = tm.delayed(never, { name = "lost", retries = 2, retry_delay = 0.001 })
local ok, problem = pcall(tm.compute, lost("letter"))
print(ok, problem)
print(("attempt %d of task %s; the times of all %d are kept"):format(problem.attempt, problem.task,
  #problem.attempts))

-- Not every error is worth another attempt.
local strict = tm.delayed(function(text)
  return tonumber(text) or error({ message = "no number: " .. text, final = true })
end, { name = "strict", retries = 5, retry_on = function(e) return not e.cause.final end })
local _, refused = pcall(tm.compute, strict("seven"))
print(refused, "attempt " .. refused.attempt)

-- A batch collects what failed, and :retry() runs those items again.
local gate = tm.channel(1) -- empty: the disk of the even ones is not there yet
local batch = tm.batch(function(number)
  if number % 2 == 0 and gate:state() == 0 then error(("disk of %d is away"):format(number), 0) end
  return number * number
end, { 1, 2, 3, 4, 5 })
print(("%d of %d, %.0f %%"):format(batch.successful, batch.total, 100 * batch.success_rate))
for _, failure in ipairs(batch.errors) do
  print(("item %d (%d): %s"):format(failure.index, failure.item, failure.error.message))
end

gate:put("mounted")
batch:retry { retries = 1 }
print(("%d of %d: %s"):format(batch.successful, batch.total, table.concat(batch.results, " ")))

-- Output:
-- report is here
-- calls: 3
-- false	letter: busy
-- attempt 3 of task lost; the times of all 3 are kept
-- no number: seven	attempt 1
-- 3 of 5, 60 %
-- item 2 (2): disk of 2 is away
-- item 4 (4): disk of 4 is away
-- 5 of 5: 1 4 9 16 25
