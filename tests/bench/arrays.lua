-- arrays: lazy arrays: a chain of operations with its sum over 100 million numbers, the mean of 80 GB
-- of random numbers, the mean of a 20 GB matrix and its transposed, singular values of a large matrix,
-- small arrays of 100 numbers.  Each larger than memory runs in a process of its own, whose peak is told.
-- Peers: NumPy, Dask Array on as many threads (its two large means at a tenth of the size, times ten), and
-- for the chain plain C (bench_chain), in turns with ours.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local workers = peers.workers()
local count = 100000000
local peer = peers.python("lazy_arrays.py", workers)

do
  local x = tm.random.uniform(count, { seed = 1 }):compute()
  local y = tm.random.uniform(count, { seed = 2 }):compute()
  local chain, plain, copy = math.huge, math.huge, peer.copy or math.huge
  for _ = 1, 3 do -- in turns, so that a slow minute meets all alike
    local own = peers.own("bench_chain", count, workers)
    plain, copy = math.min(plain, own.chain), math.min(copy, own.copy)
    chain = math.min(chain, measure.best(9, function() return ((x * 2 + 1) - y):sum():compute() end))
  end
  bench.row { name = "((x * 2 + 1) - y):sum() of 100 M float64", ours = chain, peer = "NumPy",
    peer_value = peer.chain, goal = { ratio = 3 } }
  bench.row { name = "  the same on all workers", ours = chain, peer = "plain C", peer_value = plain }
  -- A copy reads 8 bytes and writes 8 an element, the chain reads 16.
  bench.row { name = "  the same beside a copy of 100 M on all workers", ours = chain, peer = "copy",
    peer_value = copy, goal = { ratio = 0.9 } }
  bench.row { name = "  what plain C has beside that copy", ours = plain, peer = "copy", peer_value = copy }
end
collectgarbage()
collectgarbage()

bench.row { name = "uniform numbers, 100 M into an array", peer = "NumPy", peer_value = peer.uniform,
  ours = measure.best(3, function() tm.random.uniform(count, { seed = 3 }):compute() end),
  goal = { ratio = 1.5 } }
bench.row { name = "  their mean alone", peer = "NumPy", peer_value = peer.uniform,
  ours = measure.best(3, function() tm.random.uniform(count, { seed = 3 }):mean():compute() end) }

-- A script of its own: seconds, and bytes resident at most.
local function alone(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(([[
    local tm = require "tidemill"
    local began = tm.clock()
    local value = (%s):compute()
    print(tm.clock() - began, io.open("/proc/self/status"):read("*a"):match("VmHWM:%%s*(%%d+)") * 1024, value)
  ]]):format(text))
  file:close()
  local program = os.getenv("TIDEMILL_BIN") or "build/tidemill"
  local pipe = assert(io.popen(("%s run --workers %d %s"):format(program, workers, path)))
  local seconds, bytes = pipe:read("*a"):match("(%S+)%s+(%S+)")
  pipe:close()
  os.remove(path)
  return tonumber(seconds), tonumber(bytes)
end

local seconds, bytes = alone("tm.random.uniform({10000, 10000, 100}, {seed = 1}):mean()")
bench.row { name = "mean of 80 GB of random numbers", ours = seconds, peer = "Dask Array",
  peer_value = peer.mean, goal = { ratio = 3 } }
bench.row { name = "  resident at most", ours = bytes, unit = "bytes", goal = { at_most = 512e6 } }
seconds, bytes = alone([[(function()
  local x = tm.random.uniform({50000, 50000}, {seed = 1})
  return (x + x:T()):mean()
end)()]])
bench.row { name = "(x + x:T()):mean() of 20 GB", ours = seconds, peer = "Dask Array",
  peer_value = peer.transposed }
bench.row { name = "  resident at most", ours = bytes, unit = "bytes", goal = { at_most = 512e6 } }

do
  local matrix = tm.random.normal({ 5000, 5000 }, { seed = 3, chunks = 1000 }):persist()
  matrix:sum():compute()
  local u, s, vt = tm.linalg.svd_compressed(matrix, 50)
  bench.row { name = "svd_compressed of 5,000 x 5,000, rank 50", peer = "Dask Array", peer_value = peer.svd,
    ours = measure.best(3, function() tm.compute(u, s, vt) end), goal = { ratio = 1 } }
end

do
  local a, b = tm.kernels.uniform(1, 1, 100), tm.kernels.uniform(1, 2, 100)
  local function many(fn)
    return measure.best(7, function() for _ = 1, 10000 do fn() end end) / 10000
  end
  bench.row { name = "a + b of 100 elements", ours = many(function() return (a + b):compute() end),
    peer = "NumPy", peer_value = peer.small, goal = { at_most = 5e-6 } }
  bench.row { name = "sum of (a + b) * 2 of 100 elements", peer = "NumPy", peer_value = peer.sum,
    ours = many(function() return ((a + b) * 2):sum():compute() end) }
  bench.row { name = "running total of 100 elements", peer = "NumPy", peer_value = peer.running,
    ours = many(function() return a:cumsum():compute() end) }
  local square = a:reshape { 10, 10 }:compute()
  bench.row { name = "product of two 10 x 10 matrices", peer = "NumPy", peer_value = peer.product,
    ours = many(function() return square:matmul(square):compute() end) }
end
