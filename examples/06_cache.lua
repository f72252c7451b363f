-- Shows the cache: a second run computes nothing, a changed input only what needs it.
local tm = require "tidemill"

-- Something that no run before had, so that this example always begins without results.
local today = tm.clock()

local measure = tm.delayed(function(name, price, _)
  return { name = name, score = math.sqrt(price) }
end, { name = "measure", cache = true })

local best = tm.delayed(function(list)
  table.sort(list, function(a, b) return a.score > b.score end)
  return list[1].name
end, { name = "best", cache = true })

local function run(prices)
  local before, nodes = tm.stats(), {}
  for name, price in tm.sorted(prices) do nodes[#nodes + 1] = measure(name, price, today) end
  local winner = best(nodes):compute()
  local now = tm.stats()
  print(("%s: %d computed, %d from the cache"):format(winner, now.misses - before.misses,
    now.hits - before.hits))
end

run { apple = 4, banana = 9, cherry = 1 }
run { apple = 4, banana = 9, cherry = 1 }
run { apple = 4, banana = 9, cherry = 25 }

-- Output:
-- banana: 4 computed, 0 from the cache
-- banana: 0 computed, 4 from the cache
-- cherry: 2 computed, 2 from the cache
