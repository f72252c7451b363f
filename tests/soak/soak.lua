-- soak: random graphs on several numbers of workers against the serial lane, as many as asked for.
-- Usage: luajit tests/soak/soak.lua PRODUCTS N [SEED [FIRST]], from the root of the tree, or
-- `make soak N=10000 seed=1 first=1`.  SPDX-License-Identifier: MIT

package.path = "./?.lua;" .. package.path
local compare = require "tests.soak.compare"

local batch, seconds = 100, 300

local products, count = arg[1], tonumber(arg[2])
local seed = (tonumber(arg[3]) or os.time()) % 1000000
local first = tonumber(arg[4]) or 1
assert(products and count, "usage: luajit tests/soak/soak.lua PRODUCTS N [SEED [FIRST]]")

print(("soak: %d graphs, seed %d"):format(count, seed))
local began, last = os.time(), first + count - 1
for at = first, last, batch do
  local some = math.min(batch, last - at + 1)
  local problem = compare.graphs(products .. "/tidemill", seed, at, some, seconds)
  if problem then
    print(problem)
    print(("repeat it with: make soak seed=%d first=%d N=%d"):format(seed, at, some))
    os.exit(1)
  end
  print(("%d of %d graphs, %d s"):format(at + some - first, count, os.time() - began))
  io.flush()
end
