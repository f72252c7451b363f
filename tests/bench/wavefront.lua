-- wavefront: a grid of 500 x 500 tasks, each of which needs the one above and the one to its left;
-- best of 3.  Peers: plain Lua, oneTBB (C++ bodies), Dask at 100 x 100.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")

local side = 500
local function cell_body(above, left) return math.max(above, left) + 1 end

local function grow(width, cell)
  local row = {}
  for _ = 1, width do
    local left = 0
    for j = 1, width do
      left = cell(row[j] or 0, left)
      row[j] = left
    end
  end
  return row[width]
end
local grow_plain = measure.copy(grow)
local function tasks()
  assert(grow(side, tm.delayed(cell_body, { name = "cell" })):compute() == 2 * side - 1)
end
local function serial() assert(grow_plain(side, cell_body) == 2 * side - 1) end

local ours, plain = measure.best_of_each(3, { tasks, serial })
local function row(peer, value)
  bench.row { name = "wavefront of 500 x 500 Lua tasks, per task", ours = ours / side ^ 2, peer = peer,
    peer_value = value }
end
row("plain Lua", plain / side ^ 2)
row("oneTBB, C++ bodies", peers.tbb("wavefront", side).task)
row("Dask threads, raw", peers.python("dask_threads.py", "wavefront", 100).task)
