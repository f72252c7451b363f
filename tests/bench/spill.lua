-- spill: graphs whose intermediate results are 8 times the limit of 256 MB, all alive at once and read
-- again at the end: the most resident memory that belongs to no file, beside the limit, and the time,
-- beside the same without a limit.
package.path = "./?.lua;tests/bench/lib/?.lua;" .. package.path
local bench = require("bench_table")
local memory = require("tests.soak.memory")

local program = os.getenv("TIDEMILL_BIN") or "build/tidemill"
local limit = 256

for _, case in ipairs { { "array", 8 }, { "table", 4 }, { "string", 4 } } do
  local kind, piece = case[1], case[2]
  local got = memory.run { program = program, kind = kind, limit = limit, times = 8, piece = piece }
  assert(got.right, got.error or "a wrong result")
  local free = memory.run { program = program .. " --set memory.limit=off", kind = kind, limit = limit,
    times = 8, piece = piece }
  assert(free.right and free.spilled == 0, free.error or "a wrong result")
  bench.row { name = ("2 GB of %ss, limit 256 MB, peak"):format(kind), ours = got.peak, unit = "bytes",
    peer = "the limit", peer_value = limit * 1e6, goal = { at_most = 1.2 * limit * 1e6 } }
  bench.row { name = ("2 GB of %ss, limit 256 MB"):format(kind), ours = got.seconds, peer = "no limit",
    peer_value = free.seconds }
end
