-- Shows delayed functions: calls that build a graph first, and run on every core when computed.
local tm = require "tidemill"

local square = tm.delayed(function(x) return x * x end)

local sum = tm.delayed(function(numbers)
  local total = 0
  for _, number in ipairs(numbers) do total = total + number end
  return total
end)

-- Nothing runs in this loop: each call gives a lazy node.
local squares = {}
for x = 0, 7 do squares[#squares + 1] = square(x) end

-- Nodes inside a table are inputs too: `sum` gets their results.
local total = sum(squares)

print(total:compute())

-- Output:
-- 140
