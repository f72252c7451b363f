-- Tasks, nodes, futures and their options, through require "tidemill" in a stock LuaJIT.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"
local contains, problem = expect.contains, expect.problem

local add = tm.delayed(function(a, b) return a + b end, { name = "add" })
local give = tm.delayed(function(...) return ... end, { name = "give" })
local fail = tm.delayed(function(text) error(text, 0) end, { name = "fail" })

-- Runs a script in a fresh process.
local function script(text, ...)
  local result = process.run { "--cache", "off", "--workers", "2", "-e", text, ... }
  return result.out, result.err, result.status
end

describe("a delayed function", function()
  it("builds nodes instead of running, and they run when computed", function()
    local sum = add(add(1, 2), add(3, 4))
    assert.are.equal("lazy node \"add\"", tostring(sum))
    assert.are.equal("add", sum:name())
    assert.are.equal(10, sum:compute())
    assert.are.equal(10, sum:compute()) -- nothing is kept in a node: it runs again
  end)

  it("is taken with what it can name at each compute", function()
    local factor, list = 2, { 1 }
    local task = tm.delayed(function(x) return x * factor + #list end)
    local node = task(10)
    assert.are.equal(21, node:compute())
    factor, list[2] = 3, 2
    assert.are.equal(32, node:compute())
  end)

  it("copies its arguments when the node is built", function()
    local list = { 1, 2 }
    local node = tm.delayed(function(t) t[#t + 1] = 9 return #t end)(list)
    list[3], list[4] = 3, 4
    assert.are.equal(3, node:compute())
    assert.are.equal(3, node:compute()) -- the copy is the task's own, too
    assert.are.same({ 1, 2, 3, 4 }, list)
  end)

  it("gives the caller a copy of its own", function()
    local node = tm.delayed(function() return { x = {} } end)()
    local a, b = tm.compute(node, node)
    assert.are.same({ x = {} }, a)
    a.x.y = 1
    assert.are.same({ x = {} }, b)
  end)

  it("makes variants by with", function()
    local variant = add:with { name = "plus", priority = 2 }
    assert.are.equal("delayed function \"plus\"", tostring(variant))
    assert.are.equal("delayed function \"add\"", tostring(add))
    assert.are.equal(3, variant(1, 2):compute())
    contains(problem(function() add:with { nam = 1 } end), "did you mean \"name\"?")
  end)

  it("is named after its place when it has no name", function()
    local node = tm.delayed(function() end)()
    assert.is_truthy(node:name():match("^task_spec%.lua:%d+$"), node:name())
  end)

  it("runs shared inputs once", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    local touch = tm.delayed(function(path)
      local file = io.open(path, "a")
      file:write("x")
      file:close()
      return 1
    end)
    local shared = touch(folder .. "/count")
    local left, right = add(shared, 1), add(shared, 2)
    assert.are.equal(8, tm.compute(add(add(left, right), add(left, shared))))
    assert.are.equal("x", helper.read(folder .. "/count"))
  end)

  it("takes nodes anywhere inside table arguments", function()
    local function sum(t)
      if type(t) == "number" then return t end
      local total = 0
      for _, value in pairs(t) do total = total + sum(value) end
      return total
    end
    local total = tm.delayed(sum)
    local one, two = add(0, 1), add(1, 1)
    assert.are.equal(15, total({ one, { two, x = { y = { two } } }, 10 }):compute())
    local shape = give({ a = one, list = { two, one, two }, n = give(nil) }):compute()
    assert.are.same({ a = 1, list = { 2, 1, 2 } }, shape)
  end)

  it("keeps tables that nodes inside them share", function()
    local list = give({ 1 })
    local same = tm.delayed(function(t) return t.a[1] == t.b[1] and #t.a == #t.b end)
    assert.is_true(same({ a = list, b = list }):compute())
  end)

  it("refuses nodes and futures as upvalues, with advice", function()
    local node, future = add(1, 2), tm.submit(add, 1, 2)
    local message = problem(function() tm.delayed(function() return node end, { name = "t" })():compute() end)
    assert.are.equal("cannot send a lazy node to a task (task \"t\", upvalue node); pass it as an "
      .. "argument of the call, so that its result is used", message)
    message = problem(function() tm.delayed(function() return future end)():compute() end)
    contains(message, "cannot send a future to a task (task \"task_spec.lua:")
    contains(message, "upvalue future); pass it as an argument, so that its result is used")
  end)

  it("says what is wrong when a node is used like a value", function()
    local node = add(1, 2)
    contains(problem(function() return node.x end), "a lazy node has no value yet: call :compute()")
    contains(problem(function() node.x = 1 end), "a lazy node cannot be changed")
    for _, fn in ipairs { function() return node + 1 end, function() return node .. "" end,
      function() return #node end, function() return node() end, function() return node < 1 end } do
      contains(problem(fn), "a lazy node has no value yet")
    end
  end)

  it("says what is wrong when a future is used like its value", function()
    local future = tm.submit(add, 1, 2)
    for _ = 1, 2 do
      for _, fn in ipairs { function() return future + 1 end, function() return "x" .. future end,
        function() return -future end, function() return future() end,
        function() return future < future end } do
        contains(problem(fn), "a future is not its value: call :result(), or pass it to another task")
      end
      contains(problem(function() return future:done() end), "task_spec.lua:")
      contains(problem(function() return future:get() end), "a future has no \"get\": its value is what")
      contains(problem(tm.map, math.sqrt, future), "map(function, list, options), got a future as the list")
      contains(problem(tm.as_completed, future), "as_completed: expected a list of futures, got a future")
      assert.is_nil(future.key)
      assert.are.equal(3, future:result())
    end
    contains(problem(tm.map, math.sqrt, add(1, 2)), "got a lazy node as the list")
    contains(problem(tm.map, math.sqrt, tm.channel()), "map: a channel is no list; pass channel:iter()")
  end)

  it("runs a builtin, and a function without arguments", function()
    assert.are.equal(3, tm.delayed(math.sqrt)(9):compute())
    assert.are.equal("x  y", tm.delayed(string.format)("%s  %s", "x", "y"):compute())
    assert.is_nil(tm.delayed(function() end)():compute())
  end)

  it("takes 20,000 nodes at once and a chain of 100,000", function()
    local nodes, expected = {}, 0
    for i = 1, 20000 do
      nodes[i] = add(i, 1)
      expected = expected + i + 1
    end
    local sum = 0
    for _, value in ipairs(tm.compute(nodes)) do sum = sum + value end
    assert.are.equal(expected, sum)
    local chain = add(0, 0)
    for _ = 1, 100000 do chain = add(chain, 1) end
    assert.are.equal(100000, chain:compute())
  end)

  it("lets go of nodes that the script has let go of", function()
    for _ = 1, 3 do
      for _ = 1, 120000 do add(1, 2) end
    end
    assert.are.equal(3, add(1, 2):compute())
  end)

  it("keeps the others, and gives the places of those that went to new ones", function()
    local out, err = script([[
      local add = tm.delayed(function(a, b) return a + b end, { name = "add" })
      local kept, expected, highest = {}, {}, 0
      for round = 1, 8 do
        local nodes = {}
        for i = 1, 30000 do
          nodes[i] = add(round, i)
          highest = math.max(highest, nodes[i].index)
          if i % 97 == 0 then
            kept[#kept + 1], expected[#expected + 1] = nodes[i], round + i
          end
        end
        nodes = nil
        collectgarbage()
      end
      local wrong = 0
      for i, value in ipairs(tm.compute(kept)) do
        if value ~= expected[i] then wrong = wrong + 1 end
      end
      print(#kept, wrong, highest < 120000 or highest) -- of 240,000 nodes]])
    assert.are.equal("2472\t0\ttrue\n", out, err)
  end)

  it("warns once when a function returns several values", function()
    local out, err = script([[
      local several = tm.delayed(function() return 1, 2 end, { name = "several" })
      local other = tm.delayed(function() return nil, "reason" end, { name = "other" })
      print(several():compute(), several():compute(), other():compute())]])
    assert.are.equal("1\t1\tnil\n", out)
    local _, count = err:gsub("task \"several\" returns several values", "")
    assert.are.equal(1, count, err)
    _, count = err:gsub("task \"other\" returns several values", "")
    assert.are.equal(1, count, err)
  end)

  it("starts tasks of higher priority first", function()
    local out = process.run { "--workers", "1", "--cache", "off", "-e", [[
      local say = function(x) print(x) end
      local nodes = {}
      for i = 1, 3 do
        for priority = -2, 2 do
          nodes[#nodes + 1] = tm.delayed(say, { priority = priority })(priority)
        end
      end
      tm.compute(nodes)]] }.out
    assert.are.equal(("2\n"):rep(3) .. ("1\n"):rep(3) .. ("0\n"):rep(3) .. ("-1\n"):rep(3)
      .. ("-2\n"):rep(3), out)
  end)
end)

describe("what goes through a task", function()
  local values = {
    ["false"] = false, ["true"] = true, zero = 0, ["minus zero"] = -0, huge = 1 / 0, ["-huge"] = -1 / 0,
    ["2^53 + 2"] = 2 ^ 53 + 2, ["a small number"] = 5e-324,
    ["an empty string"] = "", ["a string with zeros"] = "a\0b\0", ["14 bytes"] = ("x"):rep(14),
    ["15 bytes"] = ("x"):rep(15), ["14 bytes of zeros"] = ("\0"):rep(14),
    ["a long string"] = ("abc\n"):rep(10000),
    ["bytes that are no text"] = "\255\254\128", ["an empty table"] = {}, ["a list"] = { 1, 2, 3 },
    ["a list in a list"] = { { 1 }, {}, { { "x" } } }, ["mixed keys"] = { 1, 2, x = "y", [10] = 5, [0.5] = 6,
      [-1] = 7, [true] = 8, [false] = 9, ["1"] = 10 }, ["text keys"] = { [""] = 1, ["\0"] = 2, ["a.b"] = 3 },
  }
  for name, value in pairs(values) do
    it("is kept: " .. name, function()
      assert.are.same(value, give(value):compute())
      assert.are.same(value, give(give(value)):compute())
      assert.are.same({ value }, give({ value }):compute())
    end)
  end

  it("is kept: the sign of zero, NaN, holes", function()
    assert.are.equal(-1 / 0, 1 / give(-0):compute())
    assert.are.equal(-1 / 0, 1 / give({ -0 }):compute()[1])
    local nan = give(0 / 0):compute()
    assert.is_true(nan ~= nan)
    nan = give({ 0 / 0 }):compute()[1]
    assert.is_true(nan ~= nan)
    local holes = give({ 1, nil, 3, nil, 5 }):compute()
    assert.are.same({ 1, nil, 3, nil, 5 }, holes)
    assert.are.same({ [3] = 1, [1000] = 2 }, give({ [3] = 1, [1000] = 2 }):compute())
  end)

  it("is kept: nil as argument and as result", function()
    local count = tm.delayed(function(...) return select("#", ...) end)
    assert.are.equal(3, count(nil, nil, nil):compute())
    assert.are.equal(2, count(give(nil), nil):compute())
    assert.are.equal(0, count():compute())
    assert.is_nil(give(nil):compute())
    assert.are.equal(3, select("#", tm.compute(give(nil), give(1), give(nil))))
  end)

  it("is kept: 64-bit integers", function()
    for _, value in ipairs { 0LL, -1LL, 9223372036854775807LL, 18446744073709551615ULL, 1ULL } do
      for _, result in ipairs { give(value):compute(), give({ value }):compute()[1] } do
        assert.are.equal(tostring(value), tostring(result))
        assert.are.equal("cdata", type(result))
      end
    end
    local sum = tm.delayed(function(a, b) return a + b end)
    assert.are.equal("9223372036854775807LL", tostring(sum(9223372036854775800LL, 7):compute()))
  end)

  it("may be more than eight arguments", function()
    local join = tm.delayed(function(...)
      local parts = { ... }
      for i = 1, select("#", ...) do parts[i] = tostring(parts[i]) end
      return table.concat(parts, " ")
    end)
    for _, count in ipairs { 7, 8, 9, 10, 200 } do
      local arguments, expected = {}, {}
      for i = 1, count do
        arguments[i] = i % 5 == 0 and add(i, 0) or i % 3 == 0 and "s" .. i or i % 7 == 0 and { i } and i or i
        expected[i] = i % 5 == 0 and i or i % 3 == 0 and "s" .. i or i
      end
      assert.are.equal(table.concat(expected, " "), join(unpack(arguments)):compute())
    end
    local mixed = tm.delayed(function(...) return (select(9, ...)).x[2], (select(1, ...)) end)
    assert.are.equal(7, mixed(nil, false, 1, "a", {}, 2, 3, 4, { x = { 5, add(3, 4) } }):compute())
  end)

  it("is freed when nobody needs it any more", function()
    local make = tm.delayed(function(n)
      local list = {}
      for i = 1, n do list[i] = i end
      return require("tidemill").array(list)
    end)
    local total = tm.delayed(function(a) return a.length end)
    local function settled()
      collectgarbage()
      collectgarbage()
      return tm.stats().bytes
    end
    local before = settled()
    local kept = make(5000):compute()
    assert.is_true(settled() >= before + 40000)
    local nodes = {}
    for i = 1, 20 do nodes[i] = total(make(5000)) end
    tm.compute(nodes)
    assert.are.equal(5000, kept.length)
    kept, nodes = nil, nil -- luacheck: ignore
    -- A worker's state lets go of an array when its own collector runs.
    local clean = tm.delayed(function() collectgarbage() collectgarbage() end)
    for _ = 1, 200 do
      if settled() == before then break end
      local list = {}
      for i = 1, 8 do list[i] = clean() end
      tm.compute(list)
    end
    assert.are.equal(before, settled())
  end)
end)

describe("tm.compute", function()
  it("gives values for nodes, in their order", function()
    assert.are.same({ 3, 7, 11 }, { tm.compute(add(1, 2), add(3, 4), add(5, 6)) })
    assert.are.equal(0, select("#", tm.compute()))
  end)

  it("gives a table back in its shape", function()
    local node = add(1, 2)
    local shape = { node, { node, x = { y = add(2, 2) } }, text = "as it is", [5] = add(3, 2), n = 9 }
    shape.self = shape
    local result = tm.compute(shape)
    assert.are.same({ 3, 3, 4, "as it is", 5, 9 },
      { result[1], result[2][1], result[2].x.y, result.text, result[5], result.n })
    assert.are.equal(result, result.self)
    assert.are.equal("lazy node \"add\"", tostring(shape[1])) -- what was given is as it was
    assert.are.same({}, tm.compute({}))
  end)

  it("takes futures as well", function()
    local future = tm.submit(add, 1, 2)
    assert.are.same({ 3, 7 }, { tm.compute(future, add(3, 4)) })
    assert.are.same({ a = { 3 }, b = 7 }, tm.compute({ a = { future }, b = add(3, 4) }))
  end)

  it("says what it expected", function()
    contains(problem(tm.compute, 1),
      "compute: argument 1: expected a lazy node, a lazy array or a future, got a number")
    contains(problem(tm.compute, add(1, 2), "x"), "compute: argument 2: expected a lazy node")
    contains(problem(tm.compute, { add(1, 2) }, { workers = 2 }), "compute: unknown option \"workers\"")
    contains(problem(function() add(1, 2):compute({ lane = 1 }) end), "compute: unknown option \"lane\"")
    local _, where = pcall(function() tm.compute(1) end)
    assert.is_truthy(where:find("^tests/spec/task_spec%.lua:%d+: "), where)
  end)
end)

describe("options of a task", function()
  local function refusal(given) return problem(tm.delayed, function() end, given) end

  it("are refused when unknown, with the nearest name", function()
    contains(refusal { prioritty = 1 }, "unknown option \"prioritty\", did you mean \"priority\"?")
    contains(refusal { cahce = true }, "did you mean \"cache\"?")
    contains(refusal { zzzzzz = true }, "unknown option \"zzzzzz\"")
    contains(refusal { "name" }, "options: expected named options such as {name = \"load\"}")
    contains(refusal("fast"),
      "options: expected a table such as {name = \"load\", cache = true}, got \"fast\"")
  end)

  it("are refused when their value is wrong, with what was expected", function()
    contains(refusal { priority = 3 }, "option \"priority\": expected a whole number from -2 to 2, got 3")
    contains(refusal { priority = 0.5 }, "option \"priority\": expected a whole number from -2 to 2, got 0.5")
    contains(refusal { priority = "2" }, "got \"2\"")
    contains(refusal { name = 5 }, "option \"name\": expected a string, got 5")
    contains(refusal { kind = "gpu" }, "option \"kind\": expected \"cpu\" or \"io\", got \"gpu\"")
    contains(refusal { files = "a.csv" }, "option \"files\": expected a list of paths, got \"a.csv\"")
    contains(refusal { files = { 1 } }, "option \"files\": expected a list of paths")
    contains(refusal { seed = "x" }, "option \"seed\": expected a number, got \"x\"")
    contains(refusal { seed = 0 / 0 }, "option \"seed\": expected a number")
    contains(refusal { pure = 1 }, "option \"pure\": expected true or false, got 1")
    contains(refusal { version = {} }, "option \"version\": expected a string or a number")
    contains(refusal { cache = "yes" },
      "option \"cache\": expected true, false, \"auto\" or \"refresh\", got \"yes\"")
  end)

  it("name ttl when cache is given a number", function()
    contains(refusal { cache = 60 }, "how long a result lasts is `ttl`")
  end)

  it("say what a time to live may be", function()
    contains(refusal { ttl = 0 }, "option \"ttl\": expected seconds as a number above 0")
    contains(refusal { ttl = "soon" }, "option \"ttl\": expected seconds as a number above 0")
  end)

  it("say what a lane, a time-out and a limit of memory may be", function()
    contains(refusal { lane = "fast" }, "option \"lane\": expected \"auto\", \"thread\", \"serial\", "
      .. "\"loop\" or \"process\", got \"fast\"")
    for _, timeout in ipairs { 0, -1, "1 week", 1 / 0, 0 / 0, {} } do
      contains(refusal { timeout = timeout }, "option \"timeout\": expected seconds as a number above 0, or "
        .. "text such as \"250ms\" or \"5m\", got ")
    end
    for _, memory in ipairs { 0, 1000, "10%", "much" } do
      contains(refusal { memory = memory },
        "option \"memory\": expected at least a megabyte, as bytes as a number")
    end
    contains(refusal { isolate = 1 }, "option \"isolate\": expected true or false")
  end)

  it("refuse what only the process lane can keep on another lane", function()
    for option, value in pairs { timeout = "1s", memory = "1GB", isolate = true } do
      for _, lane in ipairs { "thread", "serial", "loop" } do
        contains(refusal { [option] = value, lane = lane },
          ("option \"%s\": only the process lane can keep it, and lane is \"%s\""):format(option, lane))
      end
    end
  end)

  it("are checked by map and submit_all too, at the caller's line", function()
    for _, name in ipairs { "map", "submit_all" } do
      local _, message = pcall(function() tm[name](math.sqrt, { 1 }, { nam = 1 }) end)
      assert.is_truthy(message:find("^tests/spec/task_spec%.lua:%d+: unknown option \"nam\""), message)
    end
    local _, message = pcall(function() tm.delayed(5) end)
    assert.is_truthy(message:find("^tests/spec/task_spec%.lua:%d+: delayed: expected"), message)
  end)
end)

describe("a future", function()
  -- A task that goes on until the file is there.
  local until_there = tm.delayed(function(path)
    repeat local file = io.open(path) until file
    return "done"
  end, { name = "until_there" })
  local folder

  before_each(function() folder = helper.folder() end)
  after_each(function() helper.remove(folder) end)

  local function release() helper.write(folder .. "/go", "") end

  it("is had from a function, a delayed function or a node", function()
    assert.are.equal(3, tm.submit(function(a, b) return a + b end, 1, 2):result())
    assert.are.equal(3, tm.submit(add, 1, 2):result())
    assert.are.equal(3, tm.submit(add(1, 2)):result())
    assert.are.equal(3, add(1, 2):submit():result())
    contains(problem(tm.submit, 5), "submit: expected submit(function, ...), got a number")
    contains(problem(tm.submit, add(1, 2), 3), "submit: a node takes no further arguments")
  end)

  it("runs while the script goes on, and ends with its result", function()
    local future = tm.submit(until_there, folder .. "/go")
    assert.is_truthy(({ pending = true, running = true })[future:status()])
    assert.is_false(future:wait(0))
    assert.is_false(future:wait(0.01))
    local fine, message = pcall(future.result, future, 0.01)
    assert.is_false(fine)
    contains(tostring(message), "no result after 0.01 s; the task goes on")
    local tries = 0
    while future:status() == "pending" and tries < 1e6 do tries = tries + 1 end
    assert.are.equal("running", future:status())
    release()
    assert.is_true(future:wait())
    assert.are.equal("finished", future:status())
    assert.are.equal("done", future:result(0))
    assert.are.equal("done", future:result())
    assert.are.equal("future of \"until_there\" (finished)", tostring(future))
  end)

  it("raises the task's error, as often as it is asked", function()
    local future = tm.submit(fail, "broken")
    for _ = 1, 2 do
      local fine, value = pcall(future.result, future)
      assert.is_false(fine)
      assert.are.equal("broken", value.message)
      assert.are.equal("fail", value.task)
    end
    assert.are.equal("error", future:status())
  end)

  it("is skipped when what it needs has failed", function()
    local future = add(fail("broken"), 1):submit()
    assert.is_true(future:wait())
    assert.are.equal("skipped", future:status())
    contains(problem(future.result, future), "broken")
  end)

  it("can be cancelled before it starts", function()
    local out, err, status = script([[
      local path = os.getenv("READY")
      local hold = function() repeat local f = io.open(path) until f end
      local first, second = tm.submit(hold), tm.submit(hold)
      local third = tm.submit(print, "never")
      third:cancel()
      io.open(path, "w"):close()
      print(third:wait(), third:status(), pcall(third.result, third))
      print(first:result(), second:result(), first:status())]])
    assert.are.equal("true\tcancelled\tfalse\tthe task was cancelled\nnil\tnil\tfinished\n", out)
    assert.are.equal("", err)
    assert.are.equal(0, status)
  end)

  it("that is dropped still runs, and the end of the script waits for it", function()
    local out, _, status = script([[
      for i = 1, 3 do tm.submit(function() for _ = 1, 1e6 do end io.write("x\n") end) end
      collectgarbage()
      print("end")]])
    local _, count = out:gsub("x\n", "")
    assert.are.equal(3, count)
    assert.are.equal(0, status)
  end)

  it("whose error nobody has asked for makes the script fail: the first one started", function()
    for _ = 1, 5 do
      local out, err, status = script([[
        for i = 1, 8 do tm.submit(function() error("broken " .. i, 0) end) end
        print("end")]])
      assert.are.equal("end\n", out)
      assert.are.equal(1, status)
      contains(err, "broken 1")
    end
    local _, err, status = script([[
      local futures = tm.submit_all(function(i) error("broken " .. i, 0) end, { 1, 2, 3 })
      print(pcall(tm.gather, futures))]])
    assert.are.equal("", err) -- gather has asked for all of them
    assert.are.equal(0, status)
  end)
end)

describe("a method", function()
  it("of any handle that is called with a dot says so, at the line of the call", function()
    local line = debug.getinfo(1, "l").currentline + 1 -- they are all in the next ones
    local handles = {
      channel = tm.channel(1), future = tm.submit(math.sqrt, 4), node = add(1, 2), f = add,
      graph = tm.graph { x = 1 }, pool = tm.pool { create = function() return {} end, max = 1 },
      r = tm.batch(math.sqrt, { 1 }), server = tm.listen("127.0.0.1", 0),
      a = tm.array { 1, 2 },
    }
    local methods = {
      channel = "put take iter close state", future = "status wait result cancel as_node",
      node = "compute submit explain persist info visualize name", f = "with", graph = "node get",
      pool = "with discard close stats", r = "retry", server = "accept close",
      a = "get int64 present row item reshape astype slice totable iter",
    }
    for name, handle in pairs(handles) do
      for method in methods[name]:gmatch("%S+") do
        for _, wrong in ipairs { false, 1, {}, "x" } do
          local message = problem(function() handle[method](wrong or nil, 1) end)
          local where, rest = message:match("task_spec%.lua:(%d+): (.*)$")
          assert(where and tonumber(where) > line, message)
          contains(rest, method .. ": expected a")
          contains(rest, ("a method is called with a colon: %s:%s()"):format(name, method))
        end
      end
    end
    handles.server:close()
    contains(problem(function() tm.channel(1).take() end), "take: expected a channel, got nothing; a method")
    contains(problem(function() tm.channel(1).take(3) end), "take: expected a channel, got a number; a ")
  end)
end)

describe("tm.map", function()
  it("gives results in order, with n", function()
    local list, expected = {}, { n = 300 }
    for i = 1, 300 do list[i], expected[i] = i, i * i end
    assert.are.same(expected, tm.map(function(x) return x * x end, list))
    assert.are.same({ n = 0 }, tm.map(print, {}))
  end)

  it("keeps holes", function()
    local result = tm.map(function(x) if x ~= 2 then return x end end, { 1, 2, 3 })
    assert.are.same({ 1, nil, 3, n = 3 }, result)
    assert.are.same({ "number", "nil", "number", "nil", n = 4 }, tm.map(type, { 1, nil, 3, n = 4 }))
  end)

  it("takes delayed functions, options and nodes as items", function()
    local increment = tm.delayed(function(x) return x + 1 end)
    assert.are.same({ 2, 4, n = 2 }, tm.map(increment, { 1, 3 }, { priority = 1 }))
    assert.are.same({ 3, n = 1 }, tm.map(function(x) return x end, { add(1, 2) }))
  end)

  it("carries lists of numbers bit by bit, and others as they are", function()
    local list, n = {}, 500
    for i = 1, n do list[i] = i / 3 end
    list[5], list[6], list[7], list[8] = 0 / 0, 1 / 0, -0.0, 2^53 + 2
    local function bits(x) return ("%a"):format(x) end
    local function check(given)
      local got = tm.map(function(x) return x end, given)
      assert.are.equal(n, got.n)
      for i = 1, n do
        local same = given[i] == got[i]
        if type(given[i]) == "number" then same = bits(given[i]) == bits(got[i]) end
        assert.is_true(same, ("item %d"):format(i))
      end
    end
    check(list)
    for _, odd in ipairs { "text", 5LL, false } do
      list[400] = odd
      check(list)
    end
    list[400], list.n = nil, n
    check(list)
    local mixed = tm.map(function(x) if x % 2 == 0 then return x end return { x } end, { 1, 2, 3, 4 })
    assert.are.same({ { 1 }, 2, { 3 }, 4, n = 4 }, mixed)
  end)

  it("sees what its function names as it is at the next map, however its items travel", function()
    local factor = 2
    local scale = tm.delayed(function(x) return factor * x end, { name = "scale" })
    for _, options in ipairs { {}, { retries = 1 } } do
      for round = 1, 3 do
        factor = round
        assert.are.same({ 5 * round, 7 * round, n = 2 }, tm.map(scale, { 5, 7 }, options))
      end
    end
  end)

  it("leaves others what its function names now", function()
    for _, given in ipairs { {}, { retries = 1 } } do -- in groups, and each item a task of its own
      local factor, seen = 1, {}
      local scale = tm.delayed(function(x) return factor * x end, given)
      tm.map(scale, { 1, 2, 3 }, { progress = function(done)
        factor = done + 1
        seen[done] = scale(10):compute()
      end })
      for done, value in pairs(seen) do assert.are.equal(10 * (done + 1), value) end
      factor = 7
      assert.are.equal(70, scale(10):compute())
      assert.are.same({ 70, n = 1 }, tm.map(scale, { 10 }))
    end
  end)

  it("raises the error of the first item that failed", function()
    for _ = 1, 5 do
      local fine, value = pcall(tm.map, function(i) if i % 10 == 3 then error("item " .. i, 0) end end,
        { 1, 2, 3, 4, 13, 23, 33 })
      assert.is_false(fine)
      assert.are.equal("item 3", value.message)
    end
    contains(problem(tm.map, print, 5),
      "map: expected map(function, list, options), got a number as the list")
    local expected = "the list's n: expected a whole number from 0 to 2^27, got "
    contains(problem(tm.map, math.abs, { 1, n = 1.5 }), "map: " .. expected .. "1.5")
    contains(problem(tm.batch, math.abs, { 1, n = -1 }), "batch: " .. expected .. "-1")
    contains(problem(tm.map, math.abs, { 1, n = "one" }), "map: " .. expected .. "\"one\"")
    contains(problem(tm.map, 5, {}), "map: expected a function, got a number")
  end)
end)

-- The loops around bodies are chosen anew when LuaJIT has had its chance: nothing else may change then.
describe("a function of a module that has a loop", function()
  local folder

  setup(function()
    folder = helper.folder()
    helper.write(folder .. "/looped.lua", [[
      local looped = {}
      function looped.sum(n)
        if n % 700 == 3 then error("no sum of " .. n, 0) end
        local total = 0
        for i = 1, n do total = total + i end
        if n % 500 == 7 then return tostring(total) end
        return total
      end
      return looped
    ]])
  end)

  teardown(function() helper.remove(folder) end)

  -- What is said of 1..5000, by a call that fills values and errors.
  local function says(call)
    local out, err = script(([[
      package.path = %q .. "/?.lua;" .. package.path
      local looped, tm = require("looped"), require("tidemill")
      local values, errors = {}, {}
      local n = 5000
      %s
      for i = 1, n do
        local expected = i * (i + 1) / 2
        if i %% 700 == 3 then
          assert(values[i] == nil and errors[i] == "no sum of " .. i, i)
        else
          assert(values[i] == (i %% 500 == 7 and tostring(expected) or expected), i)
        end
      end
      print("fine")]]):format(folder, call))
    return out .. err
  end

  it("gives the same from one node to the next", function()
    assert.are.equal("fine\n", says([[
      local sum, futures = tm.delayed(looped.sum), {}
      for i = 1, n do futures[i] = tm.submit(sum, i) end
      for i = 1, n do
        local fine, value = pcall(futures[i].result, futures[i])
        if fine then values[i] = value else errors[i] = value.message end
      end]]))
  end)

  it("gives the same from one item to the next", function()
    assert.are.equal("fine\n", says([[
      local items = {}
      for i = 1, n do items[i] = i end
      local batch = tm.batch(looped.sum, items)
      for i = 1, n do values[i] = batch.results[i] end
      for _, failed in ipairs(batch.errors) do errors[failed.index] = failed.error.message end]]))
  end)

  it("draws the same random numbers in a group as in tasks of their own", function()
    local function drawn(options)
      local out, err = script(([[
        package.path = %q .. "/?.lua;" .. package.path
        local looped, tm = require("looped"), require("tidemill")
        local items = {}
        for i = 1, 5000 do items[i] = 5 end
        local draws = tm.map(function(n) return looped.sum(n) * math.random() end, items, %s)
        for i = 1, 5000, 7 do print(("%%.17g"):format(draws[i])) end]]):format(folder, options))
      assert.are.equal("", err)
      return out
    end
    assert.are.equal(drawn("{ retries = 1 }"), drawn("{}"))
  end)
end)

describe("many futures", function()
  it("are started by submit_all and gathered in any shape", function()
    local futures = tm.submit_all(function(x) return x * 2 end, { 1, 2, 3 })
    assert.are.equal(3, futures.n)
    assert.are.same({ 2, 4, 6, n = 3 }, tm.gather(futures))
    assert.are.same({ a = 2, b = { 4, 3 } }, tm.gather { a = futures[1], b = { futures[2], add(1, 2) } })
    assert.are.same({ 2, 6 }, { tm.gather(futures[1], futures[3]) })
    contains(problem(tm.gather, "x"),
      "gather: argument 1: expected a lazy node, a lazy array or a future, got a string")
  end)

  it("are waited for together", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    local hold = function(path) repeat local file = io.open(path) until file end
    local futures = tm.submit_all(hold, { folder .. "/go", folder .. "/go" })
    assert.is_false(tm.wait(futures, 0.01))
    assert.is_false(tm.wait(futures[1], 0))
    helper.write(folder .. "/go", "")
    assert.is_true(tm.wait(futures))
    assert.is_true(tm.wait({ a = futures[1], b = { futures[2] } }, 5))
    contains(problem(tm.wait, { add(1, 2) }), "which has not started; submit it")
    contains(problem(tm.wait, 5), "wait: expected a future or a table of futures, got a number")
  end)
end)

describe("a graph as plain data", function()
  it("names the first and the last keys of a long cycle", function()
    local function same(x) return x end
    local cycle, told = {}, {}
    for i = 1, 100000 do cycle["k" .. i] = { same, "k" .. i % 100000 + 1 } end
    for i = 1, 19 do told[i] = "k" .. i end
    told[20] = "... 99980 more ... -> k100000 -> k1"
    local message = problem(function() tm.graph(cycle):node("k1") end)
    assert.are.equal("graph: a cycle: " .. table.concat(told, " -> "), message:match("graph: .*"))
  end)

  -- A task function of its own for each key took 150 microseconds a key.
  it("has few names for many keys of one function: those of its first keys, and of layers", function()
    local last = 5000
    local graph = { ["step-0"] = 0, other = { function(x) return 2 * x end, "step-" .. last } }
    local function step(x) return x + 1 end
    for i = 1, last do graph["step-" .. i] = { step, "step-" .. i - 1 } end
    local node = tm.graph(graph):node("other")
    local names = node:info().names
    assert.are.equal(1, names["step-1"])
    assert.are.equal(1, names.other)
    assert.are.equal(last - 1000, names.step)
    assert.are.equal(2 * last, node:compute())
  end)

  it("of keys that are all words has some names, too", function()
    local graph, word = { a = 0 }, "a"
    for _ = 1, 3000 do
      graph[word .. "a"] = { math.abs, word }
      word = word .. "a"
    end
    local info = tm.graph(graph):node(word):info()
    assert.are.equal(3001, info.tasks) -- the value of "a" is one
    assert.is_true(info.layers <= 2002, info.layers)
  end)
end)
