-- cache: results of 1 KB in a cache that holds 100,000 of them: a hit in a batched run (best of 5
-- runs of 100,000), the whole of such a run as a process (best of 3), and what a miss adds to a task
-- that is computed (best of 3, beside the same run without a cache).  And values of 1 KB of a script's own,
-- 20,000 of them: put and got one after the other (best of 3).
-- Peers: joblib.Memory with 2,000 entries, whose cost does not fall with more; diskcache's memoize
-- with 100,000.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")

local program = os.getenv("TIDEMILL_BIN") or "build/tidemill"
local folder = "build/bench/cache"
assert(os.execute("rm -rf " .. folder .. " && mkdir -p " .. folder) == 0)

local script = folder .. "/run.lua"
local file = assert(io.open(script, "w"))
file:write([[
local tm = require "tidemill"
local rounds = tonumber((...))
local count, best = 100000, math.huge
local make = tm.delayed(function(i) return ("%08d"):format(i):rep(128) end, { cache = true, name = "make" })
for _ = 1, rounds do
  collectgarbage()
  local began = tm.clock()
  local nodes = {}
  for i = 1, count do nodes[i] = make(i) end
  local results = tm.compute(nodes)
  best = math.min(best, tm.clock() - began)
  assert(#results == count and #results[7] == 1024)
end
print(best / count)
]])
file:close()

local function run(cache, rounds)
  local pipe = assert(io.popen(("%s --cache %s --workers %d %s %d"):format(program, cache,
    peers.workers(), script, rounds)))
  local seconds = tonumber(pipe:read("*a"))
  pipe:close()
  assert(seconds, "the run has failed")
  return seconds
end

local values = folder .. "/values.lua"
file = assert(io.open(values, "w"))
file:write([[
local tm = require "tidemill"
local count, put, get = 20000, math.huge, math.huge
for round = 1, 3 do
  local began = tm.clock()
  for i = 1, count do tm.cache.put(i, ("%08d"):format(i + round):rep(128)) end
  put = math.min(put, tm.clock() - began)
  tm.sleep(1)
  began = tm.clock()
  for i = 1, count do assert(#tm.cache.get(i) == 1024) end
  get = math.min(get, tm.clock() - began)
end
print(put / count, get / count)
]])
file:close()

local function run_values()
  local pipe = assert(io.popen(("%s --cache %s/values.db %s"):format(program, folder, values)))
  local put, get = pipe:read("*n", "*n")
  pipe:close()
  assert(get, "the run has failed")
  return put, get
end

local cache = folder .. "/cache.db"
local without, first = math.huge, math.huge
for _ = 1, 3 do
  os.execute("rm -rf " .. cache .. "*")
  without = math.min(without, run("off", 1))
  first = math.min(first, run(cache, 1))
end
local hit = run(cache, 5)
local whole = measure.best(3, function() run(cache, 1) end)
local put, get = run_values()

local peer = peers.python("caches.py", folder .. "/peers")
bench.row { name = "hit of a 1 KB result among 100,000", ours = hit, peer = "joblib.Memory",
  peer_value = peer.joblib_hit, goal = { at_most = 5e-6, ratio = 20 } }
bench.row { name = "hit of a 1 KB result among 100,000", ours = hit, peer = "diskcache",
  peer_value = peer.diskcache_hit, goal = { at_most = 5e-6, ratio = 3 } }
bench.row { name = "100,000 tasks, all cached, whole process", ours = whole, goal = { at_most = 1 } }
bench.row { name = "what a miss adds to a task", ours = first - without, peer = "diskcache",
  peer_value = peer.diskcache_miss, goal = { at_most = 20e-6 } }
bench.row { name = "what a miss adds to a task", ours = first - without, peer = "joblib.Memory",
  peer_value = peer.joblib_miss }
bench.row { name = "a value of 1 KB got, tm.cache", ours = get, peer = "diskcache",
  peer_value = peer.diskcache_get }
bench.row { name = "a value of 1 KB put, tm.cache", ours = put, peer = "diskcache",
  peer_value = peer.diskcache_put }
os.execute("rm -rf " .. folder)
