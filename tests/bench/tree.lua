-- tree: inc on each of a million leaves, then pairwise add: 2 million Lua tasks, built, run and
-- collected, beside the same work as plain Lua calls.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench = require("bench_table")
local tm = require("tidemill")

local leaves = 1000000
local function inc_body(x) return x + 1 end
local function add_body(a, b) return a + b end

local function reduce(level, add)
  while #level > 1 do
    local above = {}
    for i = 1, #level, 2 do
      above[#above + 1] = level[i + 1] and add(level[i], level[i + 1]) or level[i]
    end
    level = above
  end
  return level[1]
end

local function serial()
  local began, level = tm.clock(), {}
  for i = 1, leaves do level[i] = inc_body(i) end
  reduce(level, add_body)
  return tm.clock() - began
end

local function tasks()
  local inc, add = tm.delayed(inc_body, { name = "inc" }), tm.delayed(add_body, { name = "add" })
  local began, level = tm.clock(), {}
  for i = 1, leaves do level[i] = inc(i) end
  local total = reduce(level, add):compute()
  assert(total == leaves * (leaves + 1) / 2 + leaves)
  return tm.clock() - began
end

local ours, plain = bench.best(3, tasks), bench.best(3, serial)
local count = 2 * leaves - 1
bench.head()
bench.row("tree of 2 M Lua tasks, per task", ("%.0f ns"):format(ours / count * 1e9),
  ("%.0f ns plain Lua"):format(plain / count * 1e9), plain / ours, "")
