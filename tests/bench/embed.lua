-- embed: what an engine costs the program around it (bench_embed.c).
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, peers = require("bench_table"), require("peers")

local calls, megabytes = 10000000, 1000
local times = peers.own("bench_embed", calls, megabytes)

local function row(name, ours, goal, peer, unit)
  bench.row { name = "embedded: " .. name, ours = ours, unit = unit, goal = goal,
    peer = peer and "LuaJIT's C interface", peer_value = peer }
end
row("call of a script function, median", times.call_median, { at_most = 0.3e-6 }, times.plain_median)
row("the same, 99.9 %", times.call_999, { at_most = 20e-6 }, times.plain_999)
row("open and close", times.open_median, { at_most = 5e-3 })
row("array of 1 GB in and out", times.array_time)
row("memory that it adds", times.array_growth, { at_most = 1e6 }, nil, "bytes")
