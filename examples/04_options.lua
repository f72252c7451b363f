-- Shows the options of a task: they sit on the delayed function, and are checked.
local tm = require "tidemill"

local fetch = tm.delayed(function(id)
  return ("report %d"):format(id)
end, {
  name = "fetch", -- in messages; part of no cache key
  kind = "io", -- "cpu" or "io": what the task mostly waits for
  priority = 1, -- -2 to 2: of two ready tasks the higher one starts first
})

-- The same function with other options.
local urgent = fetch:with { name = "urgent", priority = 2 }

local first, second = tm.compute(urgent(1), fetch(2))
print(first, second)
print(fetch, urgent)

-- A misspelt option is an error, never ignored.
local ok, message = pcall(tm.delayed, print, { priorty = 1 })
print(ok, message)

-- Output:
-- report 1	report 2
-- delayed function "fetch"	delayed function "urgent"
-- false	unknown option "priorty", did you mean "priority"?
