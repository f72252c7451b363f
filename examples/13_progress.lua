-- Shows work that reports how far it is: four sums side by side, and the parts of one as they end.
local tm = require "tidemill"

local function sum(first, last)
  local total = 0
  for number = first, last do total = total + number end
  return total
end

-- Four sums start at once; the script may do something else meanwhile.
local million = 1e6
local futures = {}
for quarter = 1, 4 do
  futures[quarter] = tm.submit(sum, (quarter - 1) * million + 1, quarter * million)
end

-- In the order in which they end, which differs from run to run.
local ended = 0
for future in tm.as_completed(futures) do
  ended = ended + 1
  print(("%d of %d: %s"):format(ended, #futures, future:status()))
end

-- gather gives the results in the order of the futures.
local sums = tm.gather(futures)
for quarter, total in ipairs(sums) do print(("sum %d: %.0f"):format(quarter, total)) end
print(("in all: %.0f"):format(sums[1] + sums[2] + sums[3] + sums[4]))

-- map reports by itself; `window` keeps a long list of work from being in flight all at once.
local parts, last = {}, 0
for part = 1, 100 do parts[part] = part end
tm.map(function(part) return sum((part - 1) * 1e4 + 1, part * 1e4) end, parts, {
  window = 16,
  progress = function(done, total)
    if done * 4 >= total * (last + 1) then
      last = math.floor(done * 4 / total)
      print(("%d %% of %d parts are done"):format(25 * last, total))
    end
  end,
})

-- Output:
-- 1 of 4: finished
-- 2 of 4: finished
-- 3 of 4: finished
-- 4 of 4: finished
-- sum 1: 500000500000
-- sum 2: 1500000500000
-- sum 3: 2500000500000
-- sum 4: 3500000500000
-- in all: 8000002000000
-- 25 % of 100 parts are done
-- 50 % of 100 parts are done
-- 75 % of 100 parts are done
-- 100 % of 100 parts are done
