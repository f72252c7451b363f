-- Shows tasks that start tasks and wait for them: a worker that would wait runs others instead.
local tm = require "tidemill"

-- Where to stop: a task costs some microseconds, a small case less.
local cutoff = 16

local function plain(n) return n < 2 and n or plain(n - 1) + plain(n - 2) end

local function fib(n)
  if n <= cutoff then return plain(n) end
  local a, b = tm.submit(fib, n - 1), tm.submit(fib, n - 2)
  return a:result() + b:result()
end

print(tm.submit(fib, 24):result())

-- Futures as inputs: `join` starts when both halves are sorted, and each sort waits once.
local join = tm.delayed(function(low, pivot, high)
  local list = low
  list[#list + 1] = pivot
  for _, value in ipairs(high) do list[#list + 1] = value end
  return list
end, { name = "join" })

local function quicksort(list)
  if #list <= cutoff then
    table.sort(list)
    return list
  end
  local pivot, low, high = list[1], {}, {}
  for i = 2, #list do table.insert(list[i] < pivot and low or high, list[i]) end
  return join(tm.submit(quicksort, low), pivot, tm.submit(quicksort, high)):compute()
end

local list = {}
for i, chance in tm.kernels.uniform(7, 0, 2000):iter() do list[i] = math.floor(chance * 1e6) end
local sorted = tm.submit(quicksort, list):result()

local ordered = true
for i = 2, #sorted do ordered = ordered and sorted[i - 1] <= sorted[i] end
print(#sorted, ordered, sorted[1], sorted[#sorted])

-- Any number of workers will do: one is enough, and --serial has none.
print(tm.stats().waits > 0)

-- Output:
-- 46368
-- 2000	true	3	999524
-- true
