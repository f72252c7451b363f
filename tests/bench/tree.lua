-- tree: inc on each of a million leaves, then pairwise add: 2 million Lua tasks, built, run and
-- collected; best of 5.  Peers: the same work as plain Lua calls; Dask at 10,000 leaves, built by
-- dask.delayed and as plain data; Ray at 1,000 leaves.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local leaves = 1000000
local function inc_body(x) return x + 1 end
local function add_body(a, b) return a + b end

local function grow(count, inc, add)
  local level = {}
  for i = 1, count do level[i] = inc(i) end
  while #level > 1 do
    local above = {}
    for i = 1, #level, 2 do
      above[#above + 1] = level[i + 1] and add(level[i], level[i + 1]) or level[i]
    end
    level = above
  end
  return level[1]
end
local grow_plain = measure.copy(grow)

local function check(total) assert(total == leaves * (leaves + 1) / 2 + leaves) end
local function serial() check(grow_plain(leaves, inc_body, add_body)) end
local function tasks()
  local inc, add = tm.delayed(inc_body, { name = "inc" }), tm.delayed(add_body, { name = "add" })
  check(grow(leaves, inc, add):compute())
end

local count = 2 * leaves - 1
local ours, plain = measure.best(5, tasks), measure.best(3, serial)
local dask = peers.python("dask_threads.py", "tree", 10000)

local function row(peer, value, goal)
  bench.row { name = "tree of 2 M Lua tasks, per task", ours = ours / count, peer = peer,
    peer_value = value, goal = goal }
end
row("plain Lua", plain / count, { at_most = 0.35e-6 })
row("Dask threads", dask.delayed, { ratio = 500 })
row("Dask threads, raw", dask.task)
row("Ray", peers.python("ray_tasks.py", "tree", 1000).task)
