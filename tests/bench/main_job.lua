-- main_job: day_trade on 619,040 real rows, first and from the cache, beside pandas and NumPy
-- (python3, or TIDEMILL_BENCH_PYTHON, when it has them), as whole processes.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench = require("bench_table")

local data = "../shared/data/us_stocks/all_stocks_5yr.csv.gz"
if not bench.exists(data) then
  print("main_job: skipped, no " .. data)
  return
end

local program = os.getenv("TIDEMILL_BIN") or "build/tidemill"
local python = os.getenv("TIDEMILL_BENCH_PYTHON") or "python3"
local folder = os.tmpname()
os.remove(folder)
assert(os.execute("mkdir -p " .. folder) == 0)
local cache = folder .. "/cache.db"
local command = ("%s run day_trade --data %s --cache %s --json %s/out.json --quiet 2>&1"):format(
  program, data, cache, folder)

local first = bench.best(3, function()
  os.execute("rm -rf " .. cache .. "*")
  return bench.command(command)
end)
local cached = bench.best(5, function() return bench.command(command) end)

local has_peer = os.execute(python .. " -c 'import pandas, numpy' 2>/dev/null") == 0
local peer
if has_peer then
  local _, line = bench.command(python .. " tests/bench/peers/day_trade.py " .. data)
  peer = line and tonumber(line:match("^[%d.]+"))
end

bench.head()
bench.row("main job, first (process)", ("%.3f s"):format(first), peer and ("%.1f s pandas"):format(peer),
  peer and peer / first, "<= 1 s", first <= 1)
bench.row("main job, cached (process)", ("%.3f s"):format(cached), ("%.3f s first"):format(first),
  first / cached, ">= 10x or <= 0.06 s", cached * 10 <= first or cached <= 0.06)
os.execute("rm -rf " .. folder)
