-- Shows the cache: a second run computes nothing, one change computes what needs it and explain says why;
-- then values that a script puts there itself, in the three ways of writing them.
local tm = require "tidemill"

-- Something that no run before had, so that this example always begins without results.
local today = tm.clock()

local measure = tm.delayed(function(name, price, _)
  return { name = name, score = math.sqrt(price) }
end, { name = "measure", cache = true })

local best = tm.delayed(function(list, _)
  table.sort(list, function(a, b) return a.score > b.score end)
  return list[1].name
end, { name = "best", cache = true })

local function graph(prices)
  local nodes = {}
  for name, price in tm.sorted(prices) do nodes[#nodes + 1] = measure(name, price, today) end
  return best(nodes, today)
end

local function run(prices)
  local before = tm.stats()
  local winner = graph(prices):compute()
  local now = tm.stats()
  print(("%s: %d computed, %d from the cache"):format(winner, now.misses - before.misses,
    now.hits - before.hits))
end

-- A second run, and one with one change.
local prices = { apple = 4, banana = 9, cherry = 1 }
run(prices)
run(prices)
prices.cherry = 25
print(graph(prices):explain())
run(prices)

-- Values of one's own.  A key is any value; of all who fetch it at the same time one computes.
local function fetch(mode)
  local key = { "rate", mode, today }
  for _ = 1, 2 do -- the second time it is there
    local value = tm.cache.fetch(key, function()
      print("computing the rate")
      return 0.25
    end, { mode = mode, ttl = "1h" })
    print(mode, value)
  end
end
fetch "aside" -- as a cache beside its source: written when it was missing
fetch "through" -- on disk before the call returns
fetch "behind" -- written by the writer's thread in its own time

-- A put replaces the value, but aside, which leaves what is there.
for _, mode in ipairs { "behind", "aside", "through" } do
  local kept = tm.cache.put({ "limit", today }, mode, { mode = mode })
  print(mode, kept and "kept" or "left", tm.cache.get { "limit", today })
end
print(tm.cache.invalidate { key = { "limit", today } } .. " value removed", tm.cache.get { "limit", today })

-- Output:
-- banana: 4 computed, 0 from the cache
-- banana: 0 computed, 4 from the cache
-- measure  thread lane; cached: 2 hits, 1 miss (argument 2 changed: 1 -> 25); 3 tasks (3 pending)
-- best     thread lane; cached: 1 unknown (until measure has run); 1 task (1 pending)
-- cherry: 2 computed, 2 from the cache
-- computing the rate
-- aside	0.25
-- aside	0.25
-- computing the rate
-- through	0.25
-- through	0.25
-- computing the rate
-- behind	0.25
-- behind	0.25
-- behind	kept	behind
-- aside	left	behind
-- through	kept	through
-- 1 value removed	nil
