-- tree_c: a tree of additions over 2^19 leaves whose tasks are C functions, built, planned, run
-- and freed (bench_pool, best of 5), beside oneTBB's flow graph of continue nodes, counted alike.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, peers = require("bench_table"), require("peers")

local depth = 19
local ours = peers.own("bench_pool", depth, peers.workers())
local tbb = peers.tbb("tree", depth)

bench.row { name = "tree of 1 M C tasks, per task", ours = ours.task, peer = "oneTBB",
  peer_value = tbb.task, goal = { ratio = 1 / 1.5 } }
bench.row { name = "tree of 1 M C tasks, per task", ours = ours.task, peer = "oneTBB, lightweight",
  peer_value = tbb.light }
bench.row { name = "a pending C task, memory", ours = ours.bytes, unit = "bytes", peer = "oneTBB",
  peer_value = tbb.bytes, goal = { at_most = 200 } }
bench.row { name = "results alive at once, tree of 1 M tasks", ours = ours.alive, unit = "count",
  peer = "all of them", peer_value = 2 ^ (depth + 1) - 1 }
