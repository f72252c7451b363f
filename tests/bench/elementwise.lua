-- elementwise: one op over a million float64 in blocks of 8,192 that stay in the cache, operands and
-- result there already: time of a block, best of 15.  Then the same by tm.kernels on the whole array,
-- result and all.  Peer: NumPy on one thread, with out= for the blocks.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")
local array = require("tidemill.array")
local C, dtype = require("tidemill.clib"), require("tidemill.dtype")

local count, block, rounds = 1000000, 8192, 15
local blocks = math.floor(count / block)
local float64 = dtype.number("float64")

local function numbers(length)
  local out = array.new("float64", length)
  local at = out:pointer()
  for i = 0, length - 1 do at[i] = math.random() end
  return out
end

local x, y = numbers(count), numbers(count)
local mask = tm.kernels.lt(x, 0.5)
local out = tm.kernels.cast(x, "float64")
local a, b, m, to = x:pointer(), y:pointer(), mask:pointer(), out:pointer()

local function in_blocks(name)
  local op, where = dtype.op(name), name == "where"
  local first = where and m or a
  return function()
    for _ = 1, blocks do
      C.tidemill_kernel_apply(op, float64, first, 1, b, 1, a, 1, to, block)
    end
  end
end

local function whole(name)
  local kernel = tm.kernels[name]
  if name == "where" then return function() kernel(mask, y, x) end end
  if name == "add" or name == "lt" then return function() kernel(x, y) end end
  return function() kernel(x) end
end

local names = { "add", "mul", "div", "minimum", "lt", "where", "sqrt", "floor", "exp", "log", "sin", "pow" }
local theirs = peers.python("elementwise.py", count, block, rounds)
for _, name in ipairs(names) do
  bench.row { name = ("%s, a block of 8,192 float64"):format(name),
    ours = measure.best(rounds, in_blocks(name)) / blocks, peer = "NumPy, out=",
    peer_value = theirs[name], goal = { ratio = 1 } }
end
for _, name in ipairs { "add", "lt", "where", "exp" } do
  bench.row { name = ("%s, a million float64, new array"):format(name),
    ours = measure.best(rounds, whole(name)), peer = "NumPy",
    peer_value = theirs[name .. "_whole"], goal = { ratio = 1 } }
end

-- What a call costs by itself: 100 elements.
local small = numbers(100)
local calls = 20000
local function many()
  local add = tm.kernels.add
  for _ = 1, calls do add(small, small) end
end
many()
bench.row { name = "add, 100 float64, a call of tm.kernels", ours = measure.best(rounds, many) / calls,
  peer = "NumPy", peer_value = theirs.small, goal = { at_most = 5e-6 } }
