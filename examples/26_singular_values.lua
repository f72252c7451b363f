-- Shows a product of matrices chunk by chunk, and the top five singular values by random projections.
local tm = require "tidemill"

-- Five directions, of which each is half as strong as the one before, and noise.
local left = tm.random.normal({ 2000, 5 }, { seed = 1, chunks = { 500, 5 } })
local right = tm.random.normal({ 5, 1500 }, { seed = 2, chunks = { 5, 500 } })
local strength = tm.array { 16, 8, 4, 2, 1 }
local noise = tm.random.normal({ 2000, 1500 }, { seed = 3, std = 0.01, chunks = 500 })
local a = (left * strength):matmul(right) + noise
print(a)

-- A random part of all directions is enough to find the first few: no factor of the whole.
local u, s, v = tm.linalg.svd_compressed(a, 5, { seed = 4 })
local values = s:compute()
for i, value in values:iter() do print(i, ("%.0f"):format(value)) end

-- What five of them leave is the noise; the columns of u are orthonormal.
local rest = a - (u * s):matmul(v)
print(("%.3f"):format(rest:std():compute()))
print(("%.9f"):format((u:T():matmul(u) - tm.eye(5)):abs():max():compute()))

-- Output:
-- lazy array 2000 x 1500 float64, 12 chunks of 500 x 500, 22.9 MiB, 43 tasks, not computed: a:compute()
-- 1	28052
-- 2	13700
-- 3	7031
-- 4	3455
-- 5	1747
-- 0.010
-- 0.000000000
