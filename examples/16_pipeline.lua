-- Shows a pipeline of channels: a producer, two workers, a consumer, and never much in between.
local tm = require "tidemill"

-- A channel holds at most so many values: who is too fast waits, and holds no worker meanwhile.
local numbers, factors = tm.channel(4), tm.channel(4)

tm.submit(function(last)
  for number = 2, last do numbers:put(number) end
  numbers:close() -- no more; what is in it is still taken
end, 40)

local workers = tm.submit_all(function()
  local done = 0
  for number in numbers:iter() do
    local left, list, factor = number, {}, 2
    while left > 1 do
      if left % factor == 0 then
        list[#list + 1] = factor
        left = left / factor
      else
        factor = factor + 1
      end
    end
    factors:put { number = number, list = list }
    done = done + 1
  end
  return done
end, { 1, 2 })

-- The futures are inputs: this task starts when both workers have ended.
tm.submit(function() factors:close() end, workers)

-- The script is the consumer. Two workers: values come in no promised order.
local found, primes = {}, {}
for result in factors:iter() do
  found[result.number] = result.list
  if #result.list == 1 then primes[#primes + 1] = result.number end
end
table.sort(primes)

print("36 = " .. table.concat(found[36], " x "))
print("primes: " .. table.concat(primes, " "))
print("numbers: " .. workers[1]:result() + workers[2]:result())
print(numbers, factors)

-- Output:
-- 36 = 2 x 2 x 3 x 3
-- primes: 2 3 5 7 11 13 17 19 23 29 31 37
-- numbers: 39
-- channel of 0/4 values, closed	channel of 0/4 values, closed
