-- Shows lazy and computed arrays: arithmetic describes, compute() computes.
local tm = require "tidemill"

-- Elements that are there.
local prices = tm.array { { 100, 102, 101, 105 }, { 50, 49, 51, 52 } }
print(prices)

-- What is made of them is described and not computed: this takes no time and no memory.
local returns = prices:slice { true, { 2, -1 } } / prices:slice { true, { 1, -2 } } - 1
print(returns)
print((returns * 100):compute())

-- Reductions are lazy, too; what is left of no axes is a number. Both at once are one pass.
local mean, worst = tm.compute(returns:mean(), returns:min())
print(("%.4f %.4f"):format(mean, worst))

-- A large array: its chunks say how many tasks there are. Nobody has made it yet.
local noise = tm.random.normal({ 4000, 4000 }, { seed = 1 })
print(noise)
local share = noise:abs():gt(2):mean()
print(share:optimize())
print(("%.3f"):format(share:compute()))

-- Elements are read from computed arrays; a lazy one says how to get them.
local _, why = pcall(function() return noise[1] end)
print((why:gsub("^.-:%d+: ", "")))
print(("%.6f"):format(noise:slice { { 1, 2 }, 1 }:compute()[1]))

-- Output:
-- array 2 x 4 float64
--   100  102  101  105
--    50   49   51   52
-- lazy array 2 x 3 float64, one chunk, 48 bytes, no task, not computed: a:compute()
-- array 2 x 3 float64
--    2.00000000  -0.98039216  3.96039604
--   -2.00000000   4.08163265  1.96078431
-- 0.0150 -0.0200
-- lazy array 4000 x 4000 float64, 16 chunks of 1000 x 1000, 122 MiB, 32 tasks, not computed: a:compute()
-- plan of 5 tasks
--        5  mean of normal, abs, gt, in one pass
-- 0.046
-- a lazy array has no elements yet: a:compute()[1], or a:slice{ 1 }
-- -0.511254
