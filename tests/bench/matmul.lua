-- matmul: products of two matrices in memory, on one thread and on all workers as a script writes them, and
-- the correlations of 1,000 series of 2,520 values.  Best of 3 and of 7 rounds.  Results are new arrays, on
-- pages that an earlier one has left from the third round on; those of the OpenBLAS are there before it
-- begins.
-- Peers: NumPy, with the OpenBLAS that it brings, and the OpenBLAS of our own version with threads of its own
-- (make bench-peers unpacks it).
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local ffi = require("ffi")
local tm = require("tidemill")
local array = require("tidemill.array")

local linalg, workers = tm.linalg, peers.workers()
local threaded = "build/peers/openblas/libopenblas.so.0"
print("ours: " .. require("tidemill.blas").text() .. ", kernels " .. tm.kernels.isa())

local function random(m, n)
  local out = array.new("float64", m * n, { m, n })
  ffi.copy(out:pointer(), tm.kernels.uniform(1, m, m * n):pointer(), 8 * m * n)
  return out
end

-- ---- Products -------------------------------------------------------------------------------------

local n = 4000
local a, b = random(n, n), random(n, n)

local function by_tasks() return a:matmul(b):compute() end

local difference = math.abs(linalg.matmul(a, b, n, n):get(1, n) - by_tasks():get(n, n))
assert(difference < 1e-9 * n, "a wrong product")

bench.row { name = "4,000 x 4,000 times 4,000 x 4,000, one thread",
  ours = measure.best(3, function() linalg.matmul(a, b) end), peer = "NumPy, one thread",
  peer_value = peers.python("matrices.py", 1, "product", n).product }
local seconds = measure.best(3, by_tasks)
bench.row { name = "the same as a:matmul(b):compute()", ours = seconds, peer = "NumPy",
  peer_value = peers.python("matrices.py", workers, "product", n).product }
bench.row { name = "the same as a:matmul(b):compute()", ours = seconds,
  peer = "OpenBLAS, its own threads",
  peer_value = peers.python("matrices.py", workers, "product", n, threaded).product,
  goal = { ratio = 0.9 } }

a, b = random(1000, 1000), random(1000, 1000)
bench.row { name = "1,000 x 1,000, one thread, without a BLAS",
  ours = measure.best(5, function() tm.kernels.matmul(a, b) end), peer = "NumPy, one thread",
  peer_value = peers.python("matrices.py", 1, "product", 1000).product }

-- ---- Correlations ---------------------------------------------------------------------------------

local series, days = 1000, 2520
local x = random(series, days)

local function correlations() return x:corr():compute() end

assert(math.abs(correlations():get(7, 7) - 1) < 1e-12)
bench.row { name = "correlations of 1,000 x 2,520, all workers", ours = measure.best(7, correlations),
  peer = "NumPy", peer_value = peers.python("matrices.py", workers, "correlation", series, days).correlation,
  goal = { ratio = 1 } }
