-- Shows the autotuner: it runs a sample of the work in tasks of several sizes, and plans with
-- what it has measured.
local tm = require "tidemill"

local function collatz(number)
  local steps = 0
  while number ~= 1 do
    number = number % 2 == 0 and number / 2 or 3 * number + 1
    steps = steps + 1
  end
  return steps
end

local sample = {}
for i = 1, 2000 do sample[i] = 100000 + i end

-- No measurement begins later than 5 seconds from now.
local tuned = tm.autotune(collatz, sample, { chunk_sizes = { 1, 10, 100, 1000 }, budget = 5 })
for _, row in ipairs(tuned.table) do
  print(("%4d items a task: %.3g us an item, efficiency %.2f"):format(row.chunk_size,
    row.seconds_per_item * 1e6, row.efficiency))
end
print(("best: %d items a task; the same results in all: %s"):format(tuned.best.chunk_size,
  tostring(tuned.deterministic)))

-- The measured cost of an item makes a better plan for all of them; print(tuned) is the whole table.
local all = tm.recommend { items = 1e6, seconds_per_item = tuned.seconds_per_item, cpus = 8 }
print(("a million items: %d workers"):format(all.workers))

-- Output:
--    1 items a task: <number> us an item, efficiency <number>
--   10 items a task: <number> us an item, efficiency <number>
--  100 items a task: <number> us an item, efficiency <number>
-- 1000 items a task: <number> us an item, efficiency <number>
-- best: <number> items a task; the same results in all: true
-- a million items: 8 workers
