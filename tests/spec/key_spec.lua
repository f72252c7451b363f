-- What is in the key of a cached task: one table of pairs of programs, each run in a process of its own
-- with the same cache, and whether the second is answered from it.
-- SPDX-License-Identifier: MIT

local cached = require("tests.spec.cached")
local helper = require("tests.spec.helper")
local process = require("tests.spec.process")
local swap = helper.swap

local folder

local function write(name, text) process.write(folder .. "/" .. name, text) end

local function run(text, options) return cached.run(folder, text, options) end

-- ---- programs --------------------------------------------------------------------------------------

local deep = [[
local deep = {}
local factor = 3
local function helper(x) return x * factor end
function deep.scale(x) return helper(x) end
return deep
]]

local script = [[
local deep = require "deep"
local offset = 10
local limits = { low = 1, high = 100 }
local class = { twice = function(self) return self.x * 2 end }
class.__index = class
local object = setmetatable({ x = 0 }, class)
local tools = { list = { function(x) return x + 7 end } }
function third(x) return tools.list[1](x) end
local function second(x) return third(x) * 2 end
local function first(x)
  local y = second(x) + offset
  return math.min(y, limits.high) + deep.scale(x) + object:twice()
end
local task = tm.delayed(function(x)
  local total = first(x) + 5
  return total
end, { name = "task", cache = true })
print(tm.compute(task(1), task(2)))]]

-- A row about an edit of that script; `now` takes the place of `was`.
local function edit(expected, what, was, now)
  return { what, expected, script, swap(script, was, now), files = { ["deep.lua"] = deep } }
end

-- A row about an edit of a module that it requires.
local function edit_module(expected, what, was, now)
  return { what, expected, script, script, files = { ["deep.lua"] = deep },
    later = { ["deep.lua"] = swap(deep, was, now) } }
end

local function argument_program(value)
  local text, before = value, ""
  if type(value) == "table" then text, before = value[1], value[2] end
  return ([[
%s
local task = tm.delayed(function(x) return type(x) end, { cache = true })
print(task(%s):compute())]]):format(before, text)
end

-- A row about two arguments, written as Lua, or as { Lua, statements before }.
local function argument(expected, what, one, other)
  return { "an argument: " .. what, expected, argument_program(one), argument_program(other) }
end

-- A task that returns what an expression gives.
local function task(expression, options, before)
  return ([[
%s
local task = tm.delayed(function(...) return %s end, { cache = true, %s })
print(task():compute())]]):format(before or "", expression, options or "")
end

local function option(expected, what, one, other)
  return { what, expected, task("1", one), task("1", other) }
end

-- A row about a file that a task reads by an expression: `texts` before and after; false: absent.
local function reading(expected, what, expression, was, now, options)
  return { what, expected, task(expression, options), task(expression, options),
    files = { ["data.txt"] = was }, later = { ["data.txt"] = now },
    command = expected == "hit" and "touch -d 2001-01-01 data.txt" or "touch -d 2020-02-02 data.txt" }
end

local function plain(expected, what, one, other) return { what, expected, one, other } end

local paths = "package.path = \"./?.lua;./?/init.lua\""
local read_text = "tm.read_text(\"data.txt\")"
local function by_handle(mode)
  return ("(function() local f = io.open(\"data.txt\"%s); if not f then return \"none\" end\n"
    .. "local text = f:read(\"*a\"); f:close(); return text end)()"):format(mode or "")
end
local absent = "(select(2, pcall(tm.read_text, \"data.txt\"))):sub(1, 20)"
local by_lines = "(function() for line in io.lines(\"data.txt\") do return line end end)()"
local by_input = "(function() io.input(\"data.txt\"); return (io.read(\"*l\")) end)()"

local array = [[
local task = tm.delayed(function(a) return a.dtype .. a[2] end, { cache = true })
print(task(%s):compute())]]

local function arrays(expected, what, one, other)
  return { "an array: " .. what, expected, array:format(one), array:format(other) }
end

local adder = [[
local function adder(n) return tm.delayed(function(x) return x + n end, { cache = true }) end
print(adder(%d)(10):compute())]]

local on_line = [[
local one, two = function() return 1 end, function() return 2 end
print(tm.delayed(%s, { cache = true })():compute())]]

local environment = [[
local fn = function() return limit_of_all end
print(tm.delayed(setfenv(fn, { limit_of_all = %d }), { cache = true })():compute())]]

local walk = [[
local function walk(t, iterate)
  local sum = 0
  for _, value in pairs(t) do sum = sum + value end
  for _, value in iterate(t) do sum = sum + value end
  for i = 1, #t do sum = sum + i end
  return sum
end
local function body() return walk({ 1, 2, 3 }, pairs) end
%s
print(tm.delayed(body, { cache = true })():compute())]]

local captured = [[
%s
local factor = 3
local function scale(x) return x * factor end
print(tm.delayed(function() return scale(2) end, { cache = true })():compute())]]

local upstream = [[
local up = tm.delayed(function(x) return %s end)
local down = tm.delayed(function(x) return #x end, { cache = true })
print(down(up(3)):compute())]]

local loaded = [[
local fn = loadstring(%q, %q)
print(tm.delayed(fn, { cache = true })():compute())]]

local stripped = [[
local fn = loadstring(string.dump(loadstring(%q), true))
print(tm.delayed(fn, { cache = true })():compute())]]

local variable = "tostring(%s(\"TIDE_KEY\"))"

local function variables(expected, what, way, was, now)
  local text = task(variable:format(way))
  return { what, expected, text, text, env = { TIDE_KEY = was }, later_env = { TIDE_KEY = now } }
end

-- ---- the table -------------------------------------------------------------------------------------

-- { what differs, "hit" or "miss", first program, second program; files, env: of the first, later,
-- later_env: of the second; command: run between the two }
local rows = {
  -- The text of the program.
  edit("hit", "nothing", "local task", "local task"),
  edit("hit", "a comment before the task", "local task", "-- a task\nlocal task"),
  edit("hit", "a comment inside the task", "return total", "return total -- the sum"),
  edit("hit", "a comment in a helper", "function third(x)", "function third(x) -- adds\n"),
  edit("hit", "blank lines", "local total", "\n\n  local total"),
  edit("hit", "spacing", "first(x) + 5", "first( x )+5"),
  edit("hit", "the name of a local", "local total = first(x) + 5\n  return total",
    "local sum = first(x) + 5\n  return sum"),
  edit("hit", "the name of an argument", "third(x) return tools.list[1](x)",
    "third(y) return tools.list[1](y)"),
  edit("hit", "the name of a captured local", "local function second(x) return third(x) * 2 end\n"
    .. "local function first(x)\n  local y = second(x)",
    "local function middle(x) return third(x) * 2 end\nlocal function first(x)\n  local y = middle(x)"),
  edit("hit", "the name of the task", "name = \"task\"", "name = \"other\""),
  edit("hit", "its priority", "name = \"task\"", "priority = 2"),
  edit("hit", "the base of a number", "offset = 10", "offset = 0xA"),
  edit("hit", "the quotes of a module's name", "\"deep\"", "'deep'"),
  edit("hit", "an unrelated local above a captured one", "local offset", "local unused = 1\nlocal offset"),
  edit("hit", "another task above", "local task", "local other = tm.delayed(print)\nlocal task"),
  edit("hit", "the order of keys in a captured table", "low = 1, high = 100", "high = 100, low = 1"),
  edit("hit", "a global that nobody reads", "function third", "fourth = 4\nfunction third"),
  plain("hit", "an unrelated local above, captured by others", captured:format(""),
    captured:format("local far = 4\nlocal function unrelated() return far end")),

  -- What the function does.
  edit("miss", "a constant", "first(x) + 5", "first(x) + 6"),
  edit("miss", "an operator", "first(x) + 5", "first(x) - 5"),
  edit("miss", "the order of operands", "first(x) + 5", "5 + first(x)"),
  edit("miss", "the value of an upvalue", "offset = 10", "offset = 11"),
  edit("miss", "a field of a captured table", "high = 100", "high = 26"),
  edit("miss", "a helper two calls away", "second(x) return third(x) * 2", "second(x) return third(x) * 3"),
  edit("miss", "a global function three calls away", "third(x) return tools", "third(x) return 1 + tools"),
  edit("miss", "a helper reached through a table field", "x + 7", "x + 8"),
  edit("miss", "a helper reached through a metatable", "self.x * 2", "self.x + 2"),
  edit("miss", "a field of an object", "x = 0", "x = 1"),
  edit("miss", "a global function that is redefined", "local task",
    "third = function(x) return x end\nlocal task"),
  edit("miss", "a redefined builtin", "local task",
    "math.min = function(a, b) return b - a end\nlocal task"),
  edit("miss", "a module's function that is replaced", "local task",
    "deep.scale = function(x) return x * 1000 end\nlocal task"),
  edit_module("miss", "a helper in a required module", "x * factor", "x * factor + 1"),
  edit_module("miss", "a local of a required module", "factor = 3", "factor = 4"),
  plain("miss", "the value that a function was made with", adder:format(1), adder:format(2)),
  plain("miss", "two functions on one line", on_line:format("one"), on_line:format("two")),
  plain("hit", "one of two functions on one line", on_line:format("one"), on_line:format("one")),
  plain("miss", "the environment of a function", environment:format(1), environment:format(2)),
  plain("miss", "a method of strings",
    task("(\"abc\"):upper()", "", "string.upper = function(s) return s .. \"!\" end"),
    task("(\"abc\"):upper()", "", "string.upper = function(s) return s .. \"?\" end")),
  plain("miss", "a constant table", task("({ 1, nil, 3 })[3]"), task("({ 1, 3, 3 })[3]")),
  plain("miss", "an inner function", task("(function() return 1 end)()"),
    task("(function() return 2 end)()")),
  plain("hit", "the chunk of a loaded function", loaded:format("return 1", "=one"),
    loaded:format("return 1", "=two")),
  plain("miss", "the text of a loaded function", loaded:format("return 1", "=one"),
    loaded:format("return 2", "=one")),
  plain("hit", "nothing, in a function without source", stripped:format("return 1"),
    stripped:format("return 1")),
  plain("miss", "the code of a function without source", stripped:format("return 1"),
    stripped:format("return 2")),

  -- What running has done to the function before.
  plain("hit", "the function was JIT-compiled before", walk:format(""),
    walk:format("for _ = 1, 300 do body() end")),
  plain("hit", "its pairs loop was despecialised before", walk:format(""),
    walk:format("for _ = 1, 300 do walk({ 1, 2 }, ipairs) end\n"
      .. "local pairs_before = pairs; pairs = ipairs; for _ = 1, 300 do body() end; pairs = pairs_before")),
  plain("hit", "its loops were blacklisted before", walk:format(""),
    walk:format("jit.opt.start(\"hotloop=2\")\nfor _ = 1, 300 do walk({ 1, 2, \"3\" }, ipairs) end")),

  -- Arguments.
  argument("miss", "1 and \"1\"", "1", "\"1\""),
  argument("miss", "1 and 1LL", "1", "1LL"),
  argument("miss", "1LL and 1ULL", "1LL", "1ULL"),
  argument("miss", "-0 and 0", "0", "-0"),
  argument("hit", "NaN and NaN of another sign", "0/0", "-(0/0)"),
  argument("hit", "NaN inside tables", "{0/0, {-(0/0)}}", "{-(0/0), {0/0}}"),
  argument("miss", "nil and false", "nil", "false"),
  argument("miss", "false and true", "false", "true"),
  argument("miss", "\"\" and a zero byte", "\"\"", "\"\\0\""),
  argument("miss", "a number and its next", "0.1 + 0.2", "0.3"),
  argument("hit", "tables with another order of keys", "{a = 1, b = 2, [10] = 3}",
    { "t", "local t = {}; t[10] = 3; t.b = 2; t.a = 1" }),
  argument("hit", "a table that was larger before", "{1, x = 2}",
    { "t", "local t = {}; for i = 1, 99 do t[i] = i; t[\"k\" .. i] = i end\n"
      .. "for i = 2, 99 do t[i] = nil end; for i = 1, 99 do t[\"k\" .. i] = nil end; t.x = 2" }),
  argument("hit", "{1, nil, 3} and itself", "{1, nil, 3}", "{1, nil, 3}"),
  argument("miss", "{1, nil, 3} and {1, 3}", "{1, nil, 3}", "{1, 3}"),
  argument("miss", "{1, nil, 3} and {1, false, 3}", "{1, nil, 3}", "{1, false, 3}"),
  argument("hit", "{1, nil, 3} filled in another order", "{1, nil, 3}",
    { "t", "local t = {}; t[3] = 3; t[1] = 1" }),
  argument("miss", "nested tables", "{{1, {2}}}", "{{1, {3}}}"),
  argument("miss", "the depth of nesting", "{{1}, 2}", "{{1, 2}}"),
  argument("hit", "shared references and copies", { "{s, s}", "local s = {1}" }, "{{1}, {1}}"),
  argument("miss", "the other element of shared references", { "{s, s}", "local s = {1}" }, "{{1}, {2}}"),
  argument("hit", "a table that is in itself", { "t", "local t = {1}; t.me = t" },
    { "t", "local t = {}; t.me = t; t[1] = 1" }),
  argument("miss", "a key that is a number and one that is text", "{[\"1\"] = 1}", "{[1] = 1}"),
  argument("miss", "a metatable", "{}", "setmetatable({}, {__index = string})"),
  argument("miss", "two builtins", "print", "pairs"),
  argument("miss", "functions", "function() return 1 end", "function() return 2 end"),
  plain("miss", "one argument more", argument_program("1"), argument_program("1, nil")),

  -- Arrays.
  arrays("hit", "the same numbers", "tm.array({1, 2, 3})", "tm.array({1, 2, 3})"),
  arrays("hit", "the same numbers as a part of another", "tm.array({1, 2, 3})",
    "tm.array({0, 1, 2, 3}):slice{{2, 4}}"),
  arrays("miss", "one element changed", "tm.array({1, 2, 3})", "tm.array({1, 2, 4})"),
  arrays("miss", "the same numbers in float32", "tm.array({1, 2, 3})", "tm.array({1, 2, 3}, \"float32\")"),
  arrays("miss", "the same numbers in int32", "tm.array({1, 2, 3}, \"int64\")",
    "tm.array({1, 2, 3}, \"int32\")"),
  arrays("miss", "one element more", "tm.array({1, 2, 3})", "tm.array({1, 2, 3, 4})"),

  -- Results of other tasks: by content.
  plain("hit", "how an input was made", upstream:format("(\"a\"):rep(x)"),
    upstream:format("\"a\" .. \"aa\"")),
  plain("miss", "the value of an input", upstream:format("(\"a\"):rep(x)"), upstream:format("\"aab\"")),

  -- Options.
  option("miss", "version", "version = 1", "version = 2"),
  option("miss", "a version that is given at all", "", "version = 1"),
  option("miss", "the type of version", "version = 1", "version = \"1\""),
  option("miss", "the last bit of version", "version = 0.1 + 0.2", "version = 0.3"),
  option("hit", "the same version", "version = 2", "version = 1 + 1"),
  option("miss", "seed", "seed = 1", "seed = 2"),
  option("miss", "the last digit of a seed", "seed = 1234567890123456", "seed = 1234567890123457"),
  option("hit", "retries, cost, affinity", "retries = 1", "cost = 2, affinity = \"a\""),

  -- Files; their size and time stay the same where the content changes.
  reading("miss", "a file declared in files", "1", "one", "two", "files = {\"data.txt\"}"),
  reading("hit", "a file declared in files, touched", "1", "one", "one", "files = {\"data.txt\"}"),
  reading("miss", "a file declared in files that appears", "1", false, "two", "files = {\"data.txt\"}"),
  reading("miss", "a file read by tm.read_text", read_text, "one", "two"),
  reading("hit", "a file read by tm.read_text, touched", read_text, "one", "one"),
  reading("miss", "a file read by tm.read_csv", "tm.read_csv(\"data.txt\").v[1]", "v\n1\n", "v\n2\n"),
  reading("hit", "a file read by tm.read_csv, touched", "tm.read_csv(\"data.txt\").v[1]", "v\n1\n", "v\n1\n"),
  reading("miss", "a file read by tm.read_header", "tm.read_header(\"data.txt\")[1]", "v\n1\n", "w\n1\n"),
  reading("miss", "a file that was looked for and appears", absent, false, "two"),
  reading("miss", "a file that is gone", absent, "one", false),
  reading("miss", "a file read through io.open", by_handle(), "one", "two"),
  reading("hit", "a file read through io.open, touched", by_handle(", \"rb\""), "one", "one"),
  reading("miss", "a file that io.open looked for and appears", by_handle(), false, "two"),
  reading("miss", "a file read by io.lines", by_lines, "one\n", "two\n"),
  reading("hit", "a file read by io.lines, touched", by_lines, "one\n", "one\n"),
  reading("miss", "a file read by io.input and io.read", by_input, "one\n", "two\n"),
  reading("miss", "a file that loadfile loads", "loadfile(\"data.txt\")()", "return 1", "return 2"),
  reading("miss", "a file that loadfile looked for and appears",
    "(loadfile(\"data.txt\") or function() return 0 end)()", false, "return 2"),
  reading("miss", "a file that dofile runs", "dofile(\"data.txt\")", "return 1", "return 2"),
  reading("hit", "a file that dofile runs, touched", "dofile(\"data.txt\")", "return 1", "return 1"),
  reading("miss", "what a path is", "tostring(tm.path_kind(\"data.txt\"))", false, "two"),
  reading("hit", "the content of a path of which only the kind was asked",
    "tostring(tm.path_kind(\"data.txt\"))", "one", "two"),
  reading("miss", "the names that a pattern stands for", "#tm.glob(\"*.txt\")", false, "two"),
  reading("hit", "the content of files whose names were asked for", "#tm.glob(\"*.txt\")", "one", "two"),
  reading("miss", "a module that the task requires", "(function() package.path = \"./?.txt\"\n"
    .. "return require(\"data\") end)()", "return 1", "return 2"),

  { "the place where a module is found", "miss",
    task("require(\"far\")", "", "package.path = \"./one/?.lua;\" .. package.path"),
    task("require(\"far\")", "", "package.path = \"./two/?.lua;\" .. package.path"),
    files = { ["far.lua"] = "return 0", ["one/far.lua"] = "return 1", ["two/far.lua"] = "return 2" } },
  { "a module that appears where it is looked for first", "miss", task("require(\"far\")", "", paths),
    task("require(\"far\")", "", paths),
    files = { ["far/init.lua"] = "return 1" }, later = { ["far.lua"] = "return 2" } },

  -- The environment.
  variables("miss", "a variable read through tm.env", "tm.env", "1", "2"),
  variables("miss", "a variable that was not set", "tm.env", false, ""),
  variables("miss", "a variable that is not set any more", "tm.env", "1", false),
  variables("hit", "the same variable", "tm.env", "1", "1"),
  variables("miss", "a variable read through os.getenv", "os.getenv", "1", "2"),
  variables("hit", "a variable that nobody reads", "type", "1", "2"),
}

describe("the key of a cached task", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local function put(files)
    for name, text in pairs(files or {}) do
      local parent = name:match("^(.*)/")
      if parent then os.execute("mkdir -p " .. folder .. "/" .. parent) end
      if text then write(name, text) else os.remove(folder .. "/" .. name) end
    end
  end

  local words = { hit = "is the same whatever became of ", miss = "is another one after a change of " }

  for number, row in ipairs(rows) do
    local what, expected, one, other = unpack(row)
    it(("%d %s%s"):format(number, words[expected], what), function()
      put(row.files)
      if row.command and row.files["data.txt"] then
        os.execute("touch -d 2020-02-02 " .. folder .. "/data.txt")
      end
      local first = run(one, { env = row.env })
      assert.are.equal(0, first.hits)
      assert.is_true(first.misses > 0)
      local again = run(one, { env = row.env })
      assert.are.same({ first.out, 0 }, { again.out, again.misses })
      put(row.later)
      if row.command and row.later["data.txt"] then
        os.execute(("cd %s && %s"):format(folder, row.command))
      end
      local second = run(other, { env = row.later_env })
      local oracle = run(other, { env = row.later_env, cache = "off" })
      assert.are.equal(oracle.out, second.out)
      if expected == "hit" then
        assert.are.equal(0, second.misses)
        assert.is_true(second.hits > 0)
      else
        assert.are.equal(0, second.hits)
        assert.is_true(second.misses > 0)
        assert.are.equal(0, (run(other, { env = row.later_env })).misses)
      end
    end)
  end

  it("has a row for each of 60 cases and more", function() assert.is_true(#rows >= 60) end)
end)

-- ---- many processes --------------------------------------------------------------------------------

describe("the key of a cached task", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  -- TIDEMILL_TEST_PROCESSES sets how many.
  it("is the same in 200 fresh processes", function()
    write("shapes.lua", [[
local shapes = { circle = {}, square = {} }
function shapes.circle.area(r) return 3 * r * r end
shapes.square.area = function(a) return a * a end
shapes.disc, shapes.alias = shapes.circle, shapes.circle.area
return shapes]])
    write("main.lua", [[
local tm = require "tidemill"
local shapes = require "shapes"
local words = { one = 1, two = 2, three = { x = true, y = "z", [10] = 0.5 }, alias = shapes.alias }
local function sum(t, seen)
  local total = 0
  for _, key in ipairs { "one", "two" } do total = total + t[key] end
  for key, value in pairs(t) do if type(value) == "number" then total = total + #tostring(key) end end
  return total
end
local task = tm.delayed(function(i, options)
  return sum(words) + i + shapes.circle.area(i) + shapes.disc.area(i) + ({ a = 1, b = 2, c = 3 })[options.key]
end, { cache = true })
for i = 1, 10 do
  print(tm.submit(task, i, { key = "b", tm = print, list = { i, i + 1 }, more = shapes.disc,
    array = tm.array({ i, 2 }) }).key)
end]])
    local count = tonumber(os.getenv("TIDEMILL_TEST_PROCESSES") or "200")
    -- One shell starts them all, two at a time.
    local command = ("cd %s && export HOME=%s && seq %d | xargs -P 2 -I{} sh -c '%s --serial --cache off "
      .. "main.lua > keys.{}' && cat keys.* | sort | uniq -c"):format(process.quote(folder),
      process.quote(folder), count, process.program)
    local lines = helper.lines(command)
    assert.are.equal(10, #lines)
    for _, line in ipairs(lines) do
      local times, key = line:match("^%s*(%d+) (%x+)$")
      assert.are.equal(count, tonumber(times), line)
      assert.are.equal(32, #key)
    end
  end)
end)
