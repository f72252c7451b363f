-- What a wrong use says: one line that blames the caller and shows the right form.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

-- Lua text -> the first line on stderr; "-e:1: " in front where a line of the script is to blame.
local cases = {
  { "tm.array{1, 'a'}", "-e:1: array: element 2 is a string, expected a number" },
  { "tm.array({1}, 'int3')", "-e:1: array: expected an element type of fixed size such as "
    .. "\"float64\" or \"int32\", got \"int3\", did you mean \"int8\"?" },
  { "tm.array({1.5}, 'int32')", "-e:1: array: element 1 is 1.5, which int32 cannot hold" },
  { "tm.array({300}, 'uint8')", "-e:1: array: element 1 is 300, which uint8 cannot hold" },
  { "tm.array({0}, 'bool')", "-e:1: array: element 1 is 0, which bool cannot hold" },
  { "local a = tm.array{1} + 'x'",
    "-e:1: add: expected an array, a table of numbers or a number, got a string" },
  { "local a = tm.ones(3, 4) + tm.ones(5, 6)",
    "-e:1: add: shapes (3,4) and (5,6) do not broadcast: 3 ~= 5 (axis 1)" },
  { "return tm.array{1} < tm.array{2}",
    "-e:1: < and <= of arrays give one boolean in Lua; write a:lt(b), a:le(b), a:gt(b), a:ge(b)" },
  { "local f = tm.delayed(print); return f(1) + 1",
    "-e:1: a lazy node has no value yet: pass it to a delayed function, or call :compute()" },
  { "local f = tm.delayed(print); return 'x' .. f(1)",
    "-e:1: a lazy node has no value yet: pass it to a delayed function, or call :compute()" },
  { "local f = tm.delayed(print); return f(1).x",
    "-e:1: a lazy node has no value yet: call :compute() before using \"x\"" },
  { "return tm.submit(tostring, 1) .. 'x'",
    "-e:1: a future is not its value: call :result(), or pass it to another task" },
  { "return tm.submit(tostring, 1):get()",
    "-e:1: a future has no \"get\": its value is what :result() gives" },
  { "tm.kernels.smaa()", "-e:1: tm.kernels has no \"smaa\", did you mean \"sma\"?" },
  { "tm.graph{x = 1}:get('yy')", "-e:1: graph: no key \"yy\"" },
  { "local f = function(a) return a end; tm.graph{x = {f, 'y'}, y = {f, 'x'}}:get('x')",
    "-e:1: graph: a cycle: x -> y -> x" },
  { "tm.graph{x = {print, 'x'}}:node('x')", "-e:1: graph: a cycle: x -> x" },
  { "tm.json.encode{1, x = 2}",
    "json: the value has a key that is a number; expected names, or 1 to n without holes" },
  { "tm.json.encode{f = print}", "json: .f is a function, which JSON does not have" },
  { "local t = {}; t.t = t; tm.json.encode{a = t}", "json: .a.t is a table that it is in itself" },
}

describe("a wrong use", function()
  for _, case in ipairs(cases) do
    it("is told: " .. case[1], function()
      local out, err, status = helper.tidemill("--cache", "off", "-e", case[1])
      assert.are.equal(1, status)
      assert.are.equal("", out)
      assert.are.equal("tidemill: " .. case[2], (err:match("^[^\n]*")))
    end)
  end

  it("shows the lines of the script alone", function()
    local _, err = helper.tidemill("--cache", "off", "-e", "\ntm.read_csv('/no/such/file')")
    assert.are.equal("tidemill: /no/such/file: No such file or directory\nstack traceback:\n"
      .. "\t-e:2: in main chunk\n", err)
  end)

  it("counts what was skipped", function()
    local _, err = helper.tidemill("--cache", "off", "-e",
      "local f = tm.delayed(function(x) return x.y end); f(f(f(1))):compute()")
    assert.is_truthy(err:match("\n2 tasks that needed a result skipped\n$"), err)
  end)
end)

describe("a session", function()
  it("shows strings as Lua would write them", function()
    local command = "printf '%s\\n' '\"x\"' '\"a\\nb\\0\"' | " .. helper.products .. "/tidemill --cache off"
    assert.are.equal("\"x\"\n\"a\\nb\\0\"\n", (helper.shell(command)))
  end)
end)

describe("a script's own --help", function()
  it("begins with its usage", function()
    local out = helper.tidemill("-e", "tm.args({a = 1}, {usage = 'tidemill run x [--a N]'})", "--help")
    assert.are.equal("usage: tidemill run x [--a N]\n", out:match("^[^\n]*\n"))
  end)
end)
