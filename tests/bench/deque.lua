-- deque: a push and a pop of the work-stealing deque beside a ring that a mutex guards, the owner
-- alone and with one thief that never stops; best of 7 (bench_deque).
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, peers = require("bench_table"), require("peers")

local times = peers.own("bench_deque")
bench.row { name = "deque, push and pop, owner alone", ours = times.ours_alone, peer = "mutex ring",
  peer_value = times.ring_alone }
bench.row { name = "deque, push and pop, beside a thief", ours = times.ours_thief, peer = "mutex ring",
  peer_value = times.ring_thief }
