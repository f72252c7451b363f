-- The same script on any number of workers: same results, same random numbers, whole lines.
-- SPDX-License-Identifier: MIT

local ffi = require "ffi"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"

local counts = { 0, 1, 2, 7 }

local function run(text, workers, ...)
  local result = process.run { "--cache", "off", "--workers", tostring(workers), "-e", text, ... }
  assert.are.equal(0, result.status, result.err)
  assert.are.equal("", result.err)
  return result.out
end

-- What a script prints, which must be the same on any number of workers.
local function everywhere(text, ...)
  local first = run(text, counts[1], ...)
  for i = 2, #counts do assert.are.equal(first, run(text, counts[i], ...), counts[i] .. " workers") end
  return first
end

local function lines_of(text)
  local list = {}
  for line in text:gmatch("[^\n]*\n") do list[#list + 1] = line end
  return list
end

describe("on 0, 1, 2 and 7 workers", function()
  it("a script prints the same", function()
    local out = everywhere [[
local layers = {}
local mix = tm.delayed(function(a, b, extra) return (a * 31 + b * 17 + #extra.list) % 1000003 end)
for layer = 1, 12 do
  layers[layer] = {}
  for i = 1, 60 do
    local above = layers[layer - 1]
    layers[layer][i] = mix(above and above[i] or i, above and above[i % 60 + 1] or layer,
      { list = { above and above[1], layer, i } })
  end
end
local values = tm.compute(layers)
local sum = 0
for layer, list in ipairs(values) do for i, value in ipairs(list) do sum = (sum * 7 + value * i) % 1e9 end end
print(sum)
print(table.concat(tm.map(function(x) return x ^ 0.5 end, { 1, 4, 9 }), " "))
print(pcall(function() return tm.delayed(error)("x", 0):compute() end))
local futures = tm.submit_all(math.sqrt, { 1, 4, 9, 16 })
print(unpack(tm.gather(futures)))]]
    assert.is_truthy(out:find("\n1 2 3\nfalse\tx\n1\t2\t3\t4\n$"), out)
  end)

  it("tasks draw the same random numbers, each its own", function()
    local text = [[
local draw = tm.delayed(function(i)
  local a, b = math.random(), math.random(1, 6)
  if i % 2 == 0 then for _ = 1, i do math.random() end end
  return ("%.17g %d %d %.17g"):format(a, b, math.random(10), math.random())
end)
local nodes = {}
for i = 1, 40 do nodes[i] = draw(i) end
for _, line in ipairs(tm.compute(nodes)) do print(line) end]]
    local out = everywhere(text)
    local seen = {}
    for _, line in ipairs(lines_of(out)) do
      assert.is_nil(seen[line:match("^%S+")], "two tasks drew the same")
      seen[line:match("^%S+")] = true
    end
    assert.are.equal(out, run(text, 2)) -- a run repeats itself
    local other = everywhere(text, "--set", "seed=7")
    assert.are_not.equal(out, other)
    assert.are.equal(#lines_of(out), #lines_of(other))
  end)

  it("random numbers lie where they were asked for, also through an upvalue", function()
    local out = everywhere [[
local random, floor = math.random, math.floor
local check = tm.delayed(function()
  local low, high, ends = 1, 0, { 0, 0 }
  for _ = 1, 2000 do
    local x, n = random(), random(-1, 2)
    if x < 0 or x >= 1 or n < -1 or n > 2 or n ~= floor(n) then return "outside" end
    low, high = math.min(low, x), math.max(high, x)
    if n == -1 then ends[1] = 1 elseif n == 2 then ends[2] = 1 end
  end
  math.randomseed(5)
  local a = random()
  math.randomseed(5)
  return ("%s %s %s %s"):format(low < 0.01, high > 0.99, ends[1] + ends[2] == 2, a == random())
end)
print(check():compute())
print((select(2, pcall(function() return tm.delayed(function() return random(2, 1) end)():compute() end))))]]
    assert.is_truthy(out:find("^true true true true\n.*bad argument"), out)
  end)

  it("tasks print whole lines, each once", function()
    local text = [[
local say = tm.delayed(function(i)
  print(i, "first", nil, true)
  io.write("a", i, "\nb", i)
  io.write("c\n")
  io.write("tail ", i)
  return i % 2 == 0 and i or tostring(i)
end)
local nodes = {}
for i = 1, 60 do nodes[i] = say(i) end
tm.compute(nodes)
io.write("unfinished")]]
    for _, workers in ipairs(counts) do
      local out = run(text, workers)
      local found = {}
      for _, line in ipairs(lines_of(out)) do found[line] = (found[line] or 0) + 1 end
      for i = 1, 60 do
        for _, line in ipairs { i .. "\tfirst\tnil\ttrue\n", "a" .. i .. "\n", "b" .. i .. "c\n",
          "tail " .. i .. "\n" } do
          assert.are.equal(1, found[line], line)
          found[line] = nil
        end
      end
      assert.is_nil(next(found))
      assert.are.equal("unfinished", out:match("[^\n]*$"))
    end
  end)

  it("a task may not end or change the process", function()
    local out = everywhere [[
local exit, setlocale = os.exit, os.setlocale
for _, fn in ipairs {
  function() os.exit(3) end, function() exit(3) end, function() return os.setlocale("C") end,
  function() return setlocale(nil) end, function() local leave = os["ex" .. "it"] leave() end } do
  local fine, value = pcall(function() return tm.delayed(fn)():compute() end)
  print(fine, (value.message:gsub("^.-: ", "")))
end]]
    assert.are.equal(("false\tos.exit is not allowed in a task; raise an error, or return a value\n"):rep(2)
      .. ("false\tos.setlocale is not allowed in a task\n"):rep(2)
      .. "false\tos.exit is not allowed in a task; raise an error, or return a value\n", out)
  end)

  it("the lane says what it is", function()
    local text = [[
print(tm.stats().workers)
local _, value = pcall(function() tm.delayed(error)("x"):compute() end)
print(value.lane, value.worker)]]
    assert.are.equal("0\nserial\t1\n", run(text, 0))
    assert.are.equal("1\nthread\t1\n", run(text, 1))
    assert.is_truthy(run(text, 7):find("^7\nthread\t[1-7]\n$"))
  end)

  it("a worker's state is kept from the script's and from other tasks' globals", function()
    everywhere [[
value = "the script's"
local read = tm.delayed(function() return value end)
local hide = tm.delayed(setfenv(function() return value end, { value = "its own" }))
local nodes = {}
for i = 1, 50 do nodes[i] = (i % 2 == 0 and hide or read)() end
for i, got in ipairs(tm.compute(nodes)) do
  assert(got == (i % 2 == 0 and "its own" or "the script's"), got)
end
value = "changed"
assert(read():compute() == "changed")
print("fine")]]
  end)

  it("counters add up", function()
    local out = everywhere [[
local fail = tm.delayed(function(x) if x % 5 == 0 then error("x", 0) end return x end)
local next_of = tm.delayed(function(x) return x + 1 end)
local nodes = {}
for i = 1, 100 do nodes[i] = next_of(fail(i)) end
pcall(tm.compute, nodes)
local stats = tm.stats()
print(stats.executed, stats.failed, stats.skipped, stats.hits, stats.misses)]]
    assert.are.equal("180\t20\t20\t0\t0\n", out)
  end)

  it("a future that is an input counts as no task", function()
    local script = [[
local fail = tm.submit(function() error("x", 0) end)
local two = tm.submit(function() tm.sleep(0.01) return 2 end)
local function same(x) return x end
local skipped, three = tm.submit(same, fail), tm.submit(function(x) return x + 1 end, two)
pcall(fail.result, fail)
pcall(skipped.result, skipped)
print(three:result())
local stats = tm.stats()
local finished, failed, load = 0, 0, 0
for _, lane in pairs(stats.lanes) do
  finished, failed, load = finished + lane.completed, failed + lane.failed, load + lane.load
end
print(stats.executed, stats.failed, stats.skipped, finished, failed, load)]]
    assert.are.equal("3\n3\t1\t1\t2\t1\t0\n", everywhere(script))
    for _, lane in ipairs { "loop", "process" } do
      local result = process.run { "--lane", lane, "-e", script }
      assert.are.equal("3\n3\t1\t1\t2\t1\t0\n", result.out, result.err)
    end
  end)
end)

describe("the engine's clock", function()
  it("goes forward, in seconds", function()
    local first = tm.clock()
    local inside = tm.delayed(function() return require("tidemill").clock() end)():compute()
    local last = tm.clock()
    assert.is_true(first <= inside and inside <= last)
    assert.is_true(last - first < 600)
  end)
end)

describe("an idle engine", function()
  ffi.cdef "int usleep(unsigned microseconds);"

  -- Context switches of the threads of this process but the one that asks, by thread.
  local function switches()
    local found, threads = {}, 0
    for _, line in ipairs(helper.lines("grep -H ctxt_switches /proc/$PPID/task/*/status")) do
      local thread, kind, count = line:match("/task/(%d+)/status:(%a+)_ctxt_switches:%s*(%d+)")
      found[thread .. kind] = tonumber(count)
      if kind == "voluntary" then threads = threads + 1 end
    end
    return found, threads
  end

  it("uses no processor at all", function()
    if helper.config == "tsan" then return pending("ThreadSanitizer has a thread of its own") end
    local double = tm.delayed(function(x) return 2 * x end)
    for i = 1, 100 do assert.are.equal(2 * i, double(i):compute()) end
    local main = io.open("/proc/self/status"):read("*a"):match("\nPid:%s*(%d+)")
    local function others(before, after)
      local list = {}
      for thread, count in pairs(before) do
        if thread:match("%d+") ~= main and count ~= after[thread] then list[#list + 1] = thread end
      end
      return table.concat(list, " ")
    end
    -- On a machine that is busy the last to sleep may not have done so yet: a thread that wakes now and then
    -- does in each of the turns.
    local moved
    for _ = 1, 10 do
      local before, threads = switches()
      assert.is_true(threads >= 2)
      ffi.C.usleep(200000)
      moved = others(before, (switches()))
      if moved == "" then break end
    end
    assert.are.equal("", moved)
  end)
end)
