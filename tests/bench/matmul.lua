-- matmul: products of two matrices, on one thread and in blocks of rows on all workers; and the
-- correlations of 1,000 series of 2,520 values.  Best of 3 and of 7 rounds.
-- The blocks depend on the shape alone.  Peers: NumPy, with the OpenBLAS that it brings, and the OpenBLAS
-- of our own version with threads of its own (make bench-peers unpacks it).
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

local function range(n, step)
  local out = {}
  for first = 1, n, step or 1 do out[#out + 1] = first end
  return out
end

-- ---- Products -------------------------------------------------------------------------------------

local n = 4000
local a, b = random(n, n), random(n, n)

local function by_blocks()
  local high = n / 8
  return tm.map(function(first) return linalg.matmul(a, b, first, first + high - 1) end, range(n, high))
end

local whole, blocks = linalg.matmul(a, b), by_blocks()
local difference = math.abs(whole:get(n, n) - blocks[8]:get(n / 8, n))
assert(difference < 1e-9 * n, "a wrong product")
whole, blocks = nil, nil -- luacheck: ignore 311

bench.row { name = "4,000 x 4,000 times 4,000 x 4,000, one thread",
  ours = measure.best(3, function() linalg.matmul(a, b) end), peer = "NumPy, one thread",
  peer_value = peers.python("matrices.py", 1, "product", n).product }
local seconds = measure.best(3, by_blocks)
bench.row { name = "the same in 8 blocks of rows, all workers", ours = seconds, peer = "NumPy",
  peer_value = peers.python("matrices.py", workers, "product", n).product }
bench.row { name = "the same in 8 blocks of rows, all workers", ours = seconds,
  peer = "OpenBLAS, its own threads",
  peer_value = peers.python("matrices.py", workers, "product", n, threaded).product,
  goal = { ratio = 0.9 } }

a, b = random(1000, 1000), random(1000, 1000)
bench.row { name = "1,000 x 1,000, one thread, without a BLAS",
  ours = measure.best(5, function() tm.kernels.matmul(a, b) end), peer = "NumPy, one thread",
  peer_value = peers.python("matrices.py", 1, "product", 1000).product }

-- ---- Correlations ---------------------------------------------------------------------------------

local series, days, high = 1000, 2520, 125
local rows = {}
for i = 1, series / high do rows[i] = random(high, days) end

local function correlations()
  local z = tm.map(function(x) return tm.kernels.standardise(x) end, rows)
  return linalg.symmetric(tm.map(function(i) return linalg.syrk_block(z, i) end, range(#z)))
end

assert(math.abs(correlations():get(7, 7) - 1) < 1e-12)
bench.row { name = "correlations of 1,000 x 2,520, all workers", ours = measure.best(7, correlations),
  peer = "NumPy", peer_value = peers.python("matrices.py", workers, "correlation", series, days).correlation,
  goal = { ratio = 1 } }
