-- random: a million numbers of each distribution, in blocks of 8,192 that stay in the cache; then
-- orders and choices.  One thread each, best of 15, in seconds.
-- Peer: numpy.random.Generator (PCG64), with out= where it has that.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local ffi = require("ffi")
local tm = require("tidemill")
local C = require("tidemill.clib")
local kernels = tm.kernels

local block, blocks, rounds = 8192, 122, 15
local count = block * blocks
kernels.uniform(1, 0, 1) -- declares the C functions

local function numbers(element, draw)
  local out = ffi.new(element .. "[?]", block)
  return function()
    for i = 0, blocks - 1 do draw(i * block, out) end
  end
end

local theirs = peers.python("random_numbers.py", block, blocks, rounds)

local function row(name, call, peer, goal)
  bench.row { name = name, ours = measure.best(rounds, call), peer = "NumPy", peer_value = theirs[peer],
    goal = goal }
end

row("a million uniform float64", numbers("double", function(first, out)
  C.tidemill_kernel_uniform(1, 0, first, block, out)
end), "uniform", { ratio = 1.5 })
row("a million uniform float32", numbers("float", function(first, out)
  C.tidemill_kernel_random_uniform_f32(1, 0, first, block, 0, 1, out)
end), "uniform_f32", { ratio = 1.5 })
row("a million normal float64", numbers("double", function(first, out)
  C.tidemill_kernel_random_normal(1, 0, first, block, 0, 1, out)
end), "normal", { ratio = 1.5 })
row("a million normal float32", numbers("float", function(first, out)
  C.tidemill_kernel_random_normal_f32(1, 0, first, block, 0, 1, out)
end), "normal_f32", { ratio = 1.5 })
row("a million lognormal", numbers("double", function(first, out)
  C.tidemill_kernel_random_lognormal(1, 0, first, block, 0, 1, out)
end), "lognormal", { ratio = 1 })
row("a million exponential", numbers("double", function(first, out)
  C.tidemill_kernel_random_exponential(1, 0, first, block, 1, out)
end), "exponential", { ratio = 1 })
row("a million integers from 1 to 6", numbers("int64_t", function(first, out)
  C.tidemill_kernel_random_integers_i64(1, 0, first, block, 1, 6, out)
end), "integers", { ratio = 1 })
row("a million integers, int32", numbers("int32_t", function(first, out)
  C.tidemill_kernel_random_integers_i32(1, 0, first, block, 1, 6, out)
end), "integers_i32", { ratio = 1 })

local weights = {}
for i = 1, 1000 do weights[i] = i end
row("a million choices by weight", function() kernels.choice(1, 0, count, weights) end, "choice",
  { ratio = 1 })
row("a permutation of a million", function() kernels.permutation(1, 0, count) end, "permutation",
  { ratio = 1 })
row("a million uniform float64, new array", function() kernels.uniform(1, 0, count) end, "uniform_new",
  { ratio = 1.5 })
