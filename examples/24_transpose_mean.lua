-- Shows what (x + x:T()):mean(1) takes: its chunks, its tasks, and what each does in one pass.
local tm = require "tidemill"

local x = tm.random.uniform({ 6000, 6000 }, { seed = 1, chunks = 1000 })
local y = (x + x:T()):mean(1)
print(x)
print(y)

-- A transposed stream of random numbers would be made element by element: x is made once, chunk by chunk,
-- and each of the 36 sums reads two chunks of it. Six partial results become one chunk of the means.
local plan = y:optimize()
print(plan)
print(plan.tasks)

-- The bits are the same on any number of workers.
local means = y:compute()
print(#means, ("%.6f %.6f"):format(means[1], means[6000]))

-- Of what is in memory the transpose is read where it is: no copy, no task of its own.
local kept = tm.random.uniform({ 1000, 1000 }, { seed = 2 }):compute()
print((kept + kept:T()):mean(1):optimize())

-- Output:
-- lazy array 6000 x 6000 float64, 36 chunks of 1000 x 1000, 275 MiB, 72 tasks, not computed: a:compute()
-- lazy array 6000 float64, 6 chunks of 1000, 46.9 KiB, 78 tasks, not computed: a:compute()
-- plan of 78 tasks
--       36  uniform of uniform
--       42  mean of add
-- 78
-- 6000	0.997771 1.007957
-- plan of 2 tasks
--        2  mean of add
