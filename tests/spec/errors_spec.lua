-- What becomes of errors in tasks: the error object, its text, what is skipped, what still runs.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local process = require "tests.spec.process"
local tm = require "tidemill"
local contains = expect.contains

local add = tm.delayed(function(a, b) return a + b end, { name = "add" })

-- The error object of a task that runs fn.
local function caught(fn, ...)
  local fine, value = pcall(function(...) return tm.delayed(fn, { name = "t" })(...):compute() end, ...)
  assert.is_false(fine, "nothing was raised")
  return value
end

-- A script in a process of its own.
local function script(text, ...)
  return process.run { "--cache", "off", "-e", text, ... }
end

describe("the error of a task", function()
  it("is a table with what is known", function()
    local value = caught(function() error("broken") end)
    assert.is_truthy(value.message:find("^tests/spec/errors_spec%.lua:%d+: broken$"), value.message)
    assert.are.equal("t", value.task)
    assert.are.equal("number", type(value.worker))
    assert.are.equal("thread", value.lane)
    assert.are.equal(1, value.attempt)
    assert.are.equal(1, value.failed)
    assert.are.equal(0, value.skipped)
    assert.is_nil(value.cause)
  end)

  it("prints and concatenates as its message", function()
    local value = caught(function() error("broken", 0) end)
    assert.are.equal("broken", tostring(value))
    assert.are.equal("broken!", value .. "!")
    assert.are.equal("so: broken", "so: " .. value)
    assert.are.equal("brokenbroken", value .. value)
  end)

  it("has a traceback with the script's own lines and names", function()
    local function inner_helper(x) return x.field.missing end
    local function outer_helper(x) return (inner_helper(x)) end
    local value = caught(function(x) return (outer_helper(x)) end, {})
    contains(value.message, "attempt to index field 'field' (a nil value)")
    for _, name in ipairs { "inner_helper", "outer_helper" } do
      local line = "errors_spec%.lua:%d+: in function '" .. name .. "'"
      assert.is_truthy(value.traceback:find(line), value.traceback)
    end
  end)

  it("keeps a thrown table as cause, its message in front", function()
    local value = caught(function() error({ code = 7, list = { 1, 2 } }) end)
    assert.are.same({ code = 7, list = { 1, 2 } }, value.cause)
    assert.are.equal("the task threw a table", value.message)
    value = caught(function() error({ message = "full", code = 8 }) end)
    assert.are.equal("full", value.message)
    assert.are.equal(8, value.cause.code)
    local speaking = { __tostring = function(e) return "x is " .. e.x end }
    value = caught(function() error(setmetatable({ x = 1 }, speaking)) end)
    assert.are.equal("x is 1", value.message)
    assert.are.equal(1, value.cause.x)
  end)

  it("has a text for whatever is thrown", function()
    assert.are.equal("nil", caught(function() error() end).message)
    assert.are.equal("nil", caught(function() error(nil) end).message)
    assert.are.equal("false", caught(function() error(false) end).message)
    assert.are.equal(false, caught(function() error(false) end).cause)
    assert.are.equal("5", tostring(caught(function() error(5, 0) end)))
    assert.are.equal("", caught(function() error("", 0) end).message)
    assert.are.equal("a\0b", caught(function() error("a\0b", 0) end).message)
  end)

  it("survives what cannot be described or sent", function()
    local worse = { __tostring = function() error("worse") end }
    local value = caught(function() error(setmetatable({}, worse)) end)
    assert.are.equal("string", type(value.message))
    value = caught(function() error({ message = "with a file", file = io.stdout }) end)
    assert.are.equal("with a file", value.message)
    assert.is_nil(value.cause)
    value = caught(function() error(coroutine.create(print)) end)
    contains(value.message, "thread: ")
    value = caught(function() error(setmetatable({}, { __index = function() error("trap") end })) end)
    assert.are.equal("string", type(value.message))
  end)

  it("may be caught, made and passed on inside the task", function()
    local task = tm.delayed(function()
      local fine, message = xpcall(function() error("first", 0) end, function(m) error("second" .. m, 0) end)
      local again, other = pcall(error, { code = 3 })
      return { fine, type(message), again, other.code }
    end)
    assert.are.same({ false, "string", false, 3 }, task():compute())
    local value = caught(function()
      local _, first = pcall(error, "inner", 0)
      error("outer: " .. tostring(first), 0)
    end)
    contains(value.message, "outer: ")
  end)

  it("comes from a coroutine and from callbacks as well", function()
    contains(caught(function() return coroutine.wrap(function() error("inside") end)() end).message, "inside")
    local function raise() error("in a callback", 0) end
    contains(caught(function() return (("x"):gsub(".", raise)) end).message, "in a callback")
    contains(caught(function() table.sort({ 3, 2, 1 }, raise) end).message, "in a callback")
  end)

  it("tells of a stack that overflows, and the worker goes on", function()
    local function endless(n) return 1 + endless(n + 1) end
    for _ = 1, 3 do contains(caught(endless, 1).message, "stack overflow") end
    local function through_gsub(s) return (s:gsub(".", through_gsub)) end
    contains(caught(through_gsub, "x").message, "overflow")
    assert.are.equal(3, add(1, 2):compute())
  end)

  it("tells of memory that is not to be had, and the worker goes on", function()
    -- More than a string of LuaJIT may hold: refused before memory is touched.
    contains(caught(function() return ("x"):rep(2 ^ 20):rep(2 ^ 12) end).message, "not enough memory")
    assert.are.equal(3, add(1, 2):compute())
  end)

  it("tells of a wrong builtin call as Lua does", function()
    contains(caught(math.sqrt, "x").message, "number expected, got string")
  end)
end)

describe("when tasks fail", function()
  it("what needs them is skipped and counted, the rest still runs", function()
    local folder = process.folder()
    finally(function() process.remove(folder) end)
    local mark = tm.delayed(function(path) io.open(path, "w"):close() return 1 end)
    local bad = tm.delayed(function(text) error(text, 0) end, { name = "bad" })
    local broken = bad("broken")
    local down = add(broken, mark(folder .. "/a"))
    local fine, value = pcall(tm.compute,
      { add(down, 1), add(down, 2), mark(folder .. "/b"), mark(folder .. "/c") })
    assert.is_false(fine)
    assert.are.equal("broken", value.message)
    assert.are.equal("bad", value.task)
    assert.are.equal(1, value.failed)
    assert.are.equal(3, value.skipped)
    for _, name in ipairs { "a", "b", "c" } do assert.is_true(process.exists(folder .. "/" .. name), name) end
  end)

  it("one of many loses its own result only", function()
    local futures = tm.submit_all(function(i) if i == 500 then error("the 500th", 0) end return i end,
      (function() local list = {} for i = 1, 1000 do list[i] = i end return list end)())
    local sum, failed = 0, 0
    for i = 1, futures.n do
      local fine, value = pcall(futures[i].result, futures[i])
      if fine then sum = sum + value else failed = failed + 1 end
    end
    assert.are.equal(1, failed)
    assert.are.equal(500500 - 500, sum)
  end)

  it("a chain of 10,000 below one is skipped without recursion", function()
    local node = tm.delayed(function() error("top", 0) end)()
    for _ = 1, 10000 do node = add(node, 1) end
    local fine, value = pcall(node.compute, node)
    assert.is_false(fine)
    assert.are.equal("top", value.message)
    assert.are.equal(10000, value.skipped)
  end)

  it("the first in the order of building is the one that is raised, on any number of workers", function()
    for _, workers in ipairs { 0, 1, 2, 7 } do
      local result = script([[
local seen = {}
for round = 1, 50 do
  local leaf = tm.delayed(function(i)
    if i % 3 == 2 then error("leaf " .. i, 0) end
    return i
  end)
  local join = tm.delayed(function(a, b) return a + b end)
  local nodes = {}
  for i = 3, 40 do nodes[#nodes + 1] = join(leaf(i), leaf(i + 1)) end
  local _, value = pcall(tm.compute, nodes)
  seen[#seen + 1] = value.message .. " " .. value.failed .. " " .. value.skipped
  local _, named = pcall(tm.compute, { b = leaf(5), a = leaf(8), c = leaf(2) })
  seen[#seen] = seen[#seen] .. " " .. named.message
end
for i = 2, 50 do assert(seen[i] == seen[1], seen[i]) end
print(seen[1])]], "--workers", tostring(workers))
      assert.are.equal("leaf 5 25 25 leaf 8\n", result.out, result.err)
    end
  end)
end)

describe("an error that nobody catches", function()
  it("prints its message, the task and the script's own lines, and status 1", function()
    local folder = process.folder()
    finally(function() process.remove(folder) end)
    process.write(folder .. "/main.lua", [[
local tm = require "tidemill"
local function helper(x) return x.y.z end
local load = tm.delayed(function(x) return (helper(x)) end, { name = "load" })
local use = tm.delayed(function(a) return a end, { name = "use" })
tm.compute(use(load({})), load({}), use(use(load({}))))
]])
    local result = process.run { "--cache", "off", "--workers", "1", "main.lua", cwd = folder }
    assert.are.equal(1, result.status)
    assert.are.equal("", result.out)
    contains(result.err,
      "main.lua:2: attempt to index field 'y' (a nil value)\nin task \"load\" on worker 1\n")
    contains(result.err, "main.lua:2: in function 'helper'")
    contains(result.err, "2 other tasks failed as well\n3 tasks that needed a result skipped\n")
    assert.is_nil(result.err:find("[tidemill]", 1, true), result.err)
  end)

  it("can be thrown on by the script", function()
    local result = script([[
local task = tm.delayed(function() error("broken", 0) end, { name = "t" })
local fine, value = pcall(task().compute, task())
print(fine, value.task)
error(value)]])
    assert.are.equal(1, result.status)
    assert.are.equal("false\tt\n", result.out)
    contains(result.err, "broken\nin task \"t\"")
  end)

  it("says what a script lacks that was tried out in a session", function()
    local result = process.run { "-", stdin = "local x = 1\nprint(tm.version)\n" }
    assert.are.equal(1, result.status)
    contains(result.err, "stdin:2: attempt to index global 'tm' (a nil value); a script begins with "
      .. "local tm = require \"tidemill\"\nstack traceback:\n")
  end)

  it("says that what arrays have is a method where Lua tells of a function", function()
    local result = script("local x = tm.ones(2)\nprint(x.T + 1)")
    contains(result.err, "attempt to perform arithmetic on field 'T' (a function value); of an array it is a "
      .. "method: a:T()\n")
    result = script("local x = tm.ones(2)\nlocal t = { first = print }\nprint(t.first + 1)")
    contains(result.err, "field 'first' (a function value)\nstack traceback:")
  end)

  it("leaves no engine behind that hangs", function()
    local result = script([[
for i = 1, 100 do tm.submit(function() for _ = 1, 1e5 do end end) end
error("now")]], "--workers", "2")
    assert.are.equal(1, result.status)
    contains(result.err, "now")
  end)
end)
