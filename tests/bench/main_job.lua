-- main_job: day_trade on 619,040 real rows, first (best of 3) and from the cache (best of 5), as
-- whole processes.  Peer: the same with pandas and NumPy, reading and computing, once.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")

local data = "../shared/data/us_stocks/all_stocks_5yr.csv.gz"
local found = io.open(data, "rb")
if not found then
  print("main_job: skipped, no " .. data)
  return
end
found:close()

local program = os.getenv("TIDEMILL_BIN") or "build/tidemill"
local folder = "build/bench/main_job"
assert(os.execute("rm -rf " .. folder .. " && mkdir -p " .. folder) == 0)
local cache = folder .. "/cache.db"
local command = ("%s run day_trade --data %s --cache %s --json %s/out.json --quiet >%s/log 2>&1"):format(
  program, data, cache, folder, folder)
local function job() assert(os.execute(command) == 0, "day_trade failed") end

local first = math.huge
for _ = 1, 3 do
  os.execute("rm -rf " .. cache .. "*")
  first = math.min(first, measure.time(job))
end
local cached = measure.best(5, job)

bench.row { name = "main job, first", ours = first, peer = "pandas",
  peer_value = peers.python("day_trade.py", data).seconds, goal = { at_most = 1 } }
bench.row { name = "main job, from the cache", ours = cached, peer = "first", peer_value = first,
  goal = { at_most = 0.06, ratio = 10 } }
os.execute("rm -rf " .. folder)
