-- flat: many tasks of several kinds, one after another, and the memory that the process has after each
-- tenth of them.  Run by the engine: `tidemill tests/soak/flat.lua 1e7`.  SPDX-License-Identifier: MIT
local tm = require "tidemill"

local total = tonumber((...)) or 1e7
local round = 20000 -- tasks

local function resident()
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^RssAnon:%s*(%d+) kB")
    if kilobytes then return tonumber(kilobytes) * 1024 end
  end
end

local inc = tm.delayed(function(x) return x + 1 end)
local add = tm.delayed(function(a, b) return a + b end)
local pack = tm.delayed(function(i) return { i, name = "a value of task " .. i } end)
local unpack_it = tm.delayed(function(t) return t[1] end)
local fill = tm.delayed(function(i) return tm.array({ i, i, i }) end)
local last = tm.delayed(function(a) return a[3] end)
local outer = tm.delayed(function(i)
  return tm.submit(function(x) return x end, i):result()
end)

-- Each gives how many tasks it has run.
local kinds = {
  function(n) -- a tree
    local level = {}
    for i = 1, n / 2 do level[i] = inc(i) end
    while #level > 1 do
      local above = {}
      for i = 1, #level - 1, 2 do above[#above + 1] = add(level[i], level[i + 1]) end
      above[#above + 1] = #level % 2 == 1 and level[#level] or nil
      level = above
    end
    local leaves = n / 2
    assert(level[1]:compute() == leaves * (leaves + 1) / 2 + leaves)
    return n
  end,
  function(n) -- tables and arrays between tasks
    local list = {}
    for i = 1, n / 8 do list[i], list[n / 8 + i] = unpack_it(pack(i)), last(fill(i)) end
    local got = tm.compute(list)
    for i = 1, n / 8 do assert(got[i] == i and got[n / 8 + i] == i) end
    return n / 2
  end,
  function(n) -- items of a map
    local items = {}
    for i = 1, n do items[i] = i end
    assert(tm.map(function(x) return 2 * x end, items)[n] == 2 * n)
    return n
  end,
  function(n) -- futures
    local futures = {}
    for i = 1, n / 20 do futures[i] = tm.submit(function(x) return x end, i) end
    for i = 1, n / 20 do assert(futures[i]:result() == i) end
    return n / 20
  end,
  function(n) -- tasks that start tasks, and wait
    local list = {}
    for i = 1, n / 20 do list[i] = outer(i) end
    tm.compute(list)
    return n / 10
  end,
}

local done, tenth, marks, began = 0, 1, {}, tm.clock()
while done < total do
  for _, kind in ipairs(kinds) do done = done + kind(round) end
  if done >= total * tenth / 10 then
    collectgarbage()
    collectgarbage()
    marks[tenth] = resident()
    tm.say(("%10d tasks  %6.1f MB  %6.1f s"):format(done, marks[tenth] / 1e6, tm.clock() - began))
    tenth = math.floor(done / total * 10) + 1
  end
end
print(("grown by %d bytes from the middle to the end, %d tasks"):format(marks[10] - marks[5], done))
