-- What crosses from the script's Lua state to a task's and back, and what is refused.
-- SPDX-License-Identifier: MIT

-- luacheck: globals Cross_limit Cross_file Cross_total Cross_global limit math string

local ffi = require "ffi"
local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local tm = require "tidemill"
local contains = expect.contains

local folder = helper.folder()
package.path = folder .. "/?.lua;" .. package.path

-- A module of its own name, so that no other test has loaded it.
local modules = 0
local function module(text)
  modules = modules + 1
  local name = "cross_module_" .. modules
  helper.write(folder .. "/" .. name .. ".lua", text)
  return require(name), name
end

local function run(fn, ...) return tm.delayed(fn, { name = "t" })(...):compute() end

local function refusal(...) return expect.problem(run, ...) end

teardown(function() helper.remove(folder) end)

describe("a function crosses with", function()
  it("its upvalues", function()
    local a, b, t = 1, "two", { x = { 3 } }
    assert.are.same({ 1, "two", 3 }, run(function() return { a, b, t.x[1] } end))
  end)

  it("the variables that its closures share", function()
    local same = run(function()
      local count = 0
      local function up() count = count + 1 end
      local function get() return count end
      up()
      up()
      return get()
    end)
    assert.are.equal(2, same)
    local shared = { n = 0 }
    local function up() shared.n = shared.n + 1 end
    local function get() return shared.n end
    assert.are.equal(3, run(function() up() up() up() return get() end))
    assert.are.equal(0, shared.n) -- the task had a copy
  end)

  it("functions that call themselves and each other, local and global", function()
    local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
    assert.are.equal(55, run(fib, 10))
    local odd
    local function even(n) return n == 0 or odd(n - 1) end
    function odd(n) return n ~= 0 and even(n - 1) end
    assert.is_true(run(even, 10))
    assert.is_false(run(function(n) return odd(n) end, 10))
    function Cross_global(n) return n == 0 and 0 or 1 + Cross_global(n - 1) end
    assert.are.equal(9, run(function() return Cross_global(9) end))
    assert.are.equal(9, run(Cross_global, 9))
  end)

  it("globals as they are at the call, and what its helpers read", function()
    Cross_limit = 1
    local function helper_one() return Cross_limit end
    local task = tm.delayed(function() return helper_one() end)
    local node = task()
    assert.are.equal(1, node:compute())
    Cross_limit = 2
    assert.are.equal(2, node:compute())
    Cross_limit = nil
    assert.is_nil(node:compute())
  end)

  it("an environment of its own", function()
    local fn = setfenv(function() return limit, tostring(limit) end, { limit = 4, tostring = tostring })
    assert.are.equal(4, run(function() return (fn()) end))
    local other = setfenv(loadstring("return limit"), { limit = 5 })
    assert.are.same({ 4, 5 }, run(function() return { (fn()), other() } end))
  end)

  it("builtins that were replaced", function()
    local plain = math.floor
    finally(function() math.floor = plain end)
    math.floor = function(x) return plain(x) + 100 end
    assert.are.equal(103, run(function() return math.floor(3.5) end))
    assert.are.equal(3, run(function() return plain(3.5) end))
    math.floor = plain
    assert.are.equal(3, run(function() return math.floor(3.5) end))
  end)

  it("methods of strings, replaced and added ones too", function()
    local plain = string.upper
    finally(function() string.upper, string.twice = plain, nil end)
    local task = tm.delayed(function(s) return s:upper() end)
    assert.are.equal("AB", task("ab"):compute())
    string.upper = function(s) return "<" .. plain(s) .. ">" end
    function string.twice(s) return s .. s end
    assert.are.equal("<AB>", task("ab"):compute())
    assert.are.equal("abab", run(function(s) return s:twice() end, "ab"))
    string.upper, string.twice = plain, nil
    assert.are.equal("AB", task("ab"):compute())
    contains(refusal(function(s) return s:twice() end, "ab"), "twice")
  end)

  it("operators of strings that the script has made up", function()
    local strings = getmetatable("")
    finally(function() strings.__mod = nil end)
    strings.__mod = function(format, value) return format:format(value) end
    assert.are.equal("x=5", run(function(n) return "x=%d" % n end, 5))
    strings.__mod = nil
    contains(refusal(function(n) return "x=%d" % n end, 5), "attempt to perform arithmetic")
  end)

  it("varargs, many upvalues and constants of all kinds", function()
    local names, values = {}, {}
    for i = 1, 55 do names[i], values[i] = "v" .. i, i end
    local chunk = ("local %s = ...\nreturn function(...) return %s + select('#', ...) end"):format(
      table.concat(names, ", "), table.concat(names, " + "))
    assert.are.equal(55 * 56 / 2 + 3, run(loadstring(chunk)(unpack(values)), nil, nil, nil))
    local constants = function() return { 1, nil, 3, x = "y", [0.5] = true, n = { -0, 1e300 } } end
    local result = run(constants)
    assert.are.same({ 1, nil, 3, x = "y", [0.5] = true, n = { -0, 1e300 } }, result)
    assert.are.equal("5LL", run(function() return tostring(5LL) end))
  end)

  it("the builtin itself when it is one, whatever task or library replaced", function()
    assert.are.equal(print, run(function() return print end))
    assert.are.equal(math.random, run(function() return math.random end))
    assert.are.equal(os.exit, run(function() return os.exit end))
    assert.are.equal(math.random, tm.delayed(function(f) return f end)(math.random):compute())
    assert.are.equal(string, run(function() return string end))
    assert.are.equal(ffi, run(function() return ffi end))
  end)

  it("a function as argument and as result", function()
    local n = 5
    assert.are.equal(15, run(function(f) return f(10) end, function(x) return x + n end))
    local add = run(function(x) return function(y) return x + y + n end end, 100)
    assert.are.equal(106, add(1))
    assert.are.equal(106, run(add, 1))
  end)
end)

describe("a table crosses with", function()
  it("cycles and shared references", function()
    local t = { list = {} }
    t.self, t.list[1], t.list[2] = t, t, t.list
    t[t] = "itself"
    local function check(x)
      return x.self == x and x.list[1] == x and x.list[2] == x.list and x[x] == "itself"
    end
    assert.is_true(run(check, t))
    assert.is_true(run(function() return check(t) end))
    assert.is_true(check(run(function(x) return x end, t)))
  end)

  it("the metatable of a class, functions and all", function()
    local class = {}
    class.__index = class
    function class.new(x) return setmetatable({ x = x }, class) end
    function class:double() return class.new(self.x * 2) end
    function class.__add(a, b) return class.new(a.x + b.x) end
    function class.__tostring(a) return "<" .. a.x .. ">" end
    local object = run(function(a, b) return (a + b):double() end, class.new(1), class.new(2))
    assert.are.equal(6, object.x)
    assert.are.equal("<6>", tostring(object))
    assert.are.equal("<7>", run(function() return tostring(class.new(7)) end))
    local same = tm.delayed(function(a, b) return getmetatable(a.x) == getmetatable(b) and a[1] == b end)
    local shared = class.new(1)
    assert.is_true(same({ shared, x = class.new(2) }, shared):compute() == false) -- two arguments, two copies
    assert.is_true(run(function(t) return t[1] == t.x and getmetatable(t[1]) == getmetatable(t[2]) end,
      { shared, class.new(3), x = shared }))
  end)

  it("what __index chains, weak modes and hidden metatables say", function()
    local base = { kind = "base" }
    local derived = setmetatable({}, { __index = base })
    local object = setmetatable({}, { __index = derived, __metatable = "hidden", __mode = "k" })
    assert.are.same({ "base", "hidden" }, run(function() return { object.kind, getmetatable(object) } end))
    assert.are.equal("base", run(function(x) return x.kind end, object))
  end)

  it("keys of every kind, however it was filled", function()
    local t = {}
    for i = 100, 1, -1 do t[i] = i end
    for i = 60, 100 do t[i] = nil end
    t[0], t[-5], t[2 ^ 40], t[1.5] = "a", "b", "c", "d"
    t[false], t["x\0y"] = "e", "f"
    assert.are.same(t, run(function(x) return x end, t))
    assert.are.equal(59, run(function(x) return #x end, t))
  end)

  it("up to 190 levels of nesting", function()
    local function nest(depth)
      local t = { "bottom" }
      for _ = 1, depth do t = { t } end
      return t
    end
    local deep = run(function(x) return x end, nest(190))
    for _ = 1, 190 do deep = deep[1] end
    assert.are.equal("bottom", deep[1])
    local message = refusal(function(x) return x end, nest(250))
    contains(message, "cannot send a value nested deeper than 200 levels to a task (argument 1")
  end)
end)

describe("a module crosses by name", function()
  it("itself, its functions, its classes and their objects", function()
    local shapes = module [[
local shapes = {}
shapes.Circle = {}
shapes.Circle.__index = shapes.Circle
function shapes.Circle.new(r) return setmetatable({ r = r }, shapes.Circle) end
function shapes.Circle:area() return 3 * self.r ^ 2 end
function shapes.is_circle(x) return getmetatable(x) == shapes.Circle end
return shapes]]
    assert.are.equal(12, run(function(r) return shapes.Circle.new(r):area() end, 2))
    assert.are.equal(12, run(shapes.Circle.area, shapes.Circle.new(2)))
    assert.is_true(run(shapes.is_circle, shapes.Circle.new(2)))
    local made = run(function() return shapes.Circle.new(4) end)
    assert.are.equal(shapes.Circle, getmetatable(made))
    assert.is_true(shapes.is_circle(made))
    assert.are.equal(shapes, run(function() return shapes end))
    assert.are.equal(shapes.Circle.new, run(function() return shapes.Circle.new end))
  end)

  it("and is the one that require gives in the task", function()
    local _, name = module "return { value = 1, get = function() return 1 end }"
    local held = require(name)
    assert.is_true(run(function(which)
      return require(which) == held and require(which).get == held.get
    end, name))
  end)

  it("with state of its own in each worker", function()
    local counter = module [[
local n = 0
return { next = function() n = n + 1 return n end }]]
    counter.next()
    counter.next()
    assert.is_true(run(counter.next) >= 1) -- its locals are not the script's
    assert.are.equal(3, counter.next())
  end)

  it("when it is a function, or a table of functions and data", function()
    local double = module "return function(x) return x * 2 end"
    assert.are.equal(6, run(double, 3))
    assert.are.equal(6, run(function() return double(3) end))
    local mixed = module "return { unit = 'cm', show = function(x) return x .. 'cm' end }"
    assert.are.equal("3cmcm", run(function(x) return mixed.show(x) .. mixed.unit end, 3))
  end)

  it("unless the script has changed it: then by value", function()
    local text = [[
local m = { limit = 5 }
function m.inner(x) return x + m.limit end
function m.outer(x) return m.inner(x) * 10 end
return m]]
    local m = module(text)
    local inner = m.inner
    local task = tm.delayed(function(x) return m.outer(x) end)
    assert.are.equal(60, task(1):compute())
    m.limit = 6
    assert.are.equal(70, task(1):compute())
    m.inner = function(x) return x end
    assert.are.equal(10, task(1):compute())
    assert.are.equal(10, run(m.outer, 1))
    m.inner, m.limit = inner, 5
    assert.are.equal(60, task(1):compute())
    m.added = function() return "added" end
    assert.are.equal("added", run(function() return m.added() end))
  end)

  it("and modules that the script has made up itself cross by value", function()
    package.loaded.cross_made_up = { value = function() return "mine" end }
    finally(function() package.loaded.cross_made_up = nil end)
    local made = require "cross_made_up"
    assert.are.equal("mine", run(function() return made.value() end))
    assert.are.equal("mine", run(made.value))
  end)

  it("also when it was loaded again, or replaced by another", function()
    local first, name = module "return { get = function() return 1 end }"
    assert.are.equal(1, run(first.get))
    helper.write(folder .. "/" .. name .. ".lua", "return { get = function() return 2 end }")
    package.loaded[name] = nil
    local second = require(name)
    assert.are.equal(2, run(second.get))
    assert.are.equal(1, run(function() return first.get() end))
    package.loaded[name] = { get = function() return 3 end }
    local third = require(name)
    assert.are.equal(3, run(third.get))
    assert.are.equal(3, run(function() return third.get() end))
  end)

  it("tidemill and its own modules", function()
    assert.is_true(run(function() return tm == require("tidemill") end))
    assert.are.equal("number", run(function() return type(tm.clock()) end))
    local kernels = tm.kernels
    assert.are.equal("table", run(function() return type(kernels) end))
  end)

  it("a C module's functions, when one is installed", function()
    local found, lfs = pcall(require, "lfs")
    if not found then return pending("no lfs") end
    assert.are.equal(lfs.currentdir(), run(function() return lfs.currentdir() end))
    assert.are.equal(lfs.currentdir(), run(lfs.currentdir))
  end)
end)

describe("arrays and frames cross by reference", function()
  local function address(a) return tostring(ffi.cast("void *", a:pointer())) end

  it("with the same memory", function()
    local array = tm.array({ 1, 2, 3, 4 })
    local where = tm.delayed(function(a)
      return tostring(require("ffi").cast("void *", a:pointer()))
    end)
    assert.are.equal(address(array), where(array):compute())
    assert.are.equal(address(array), run(function() return address(array) end))
    assert.are.equal(address(array), address(run(function(a) return a end, array)))
    assert.are.equal(address(array), address(run(function(t) return { x = t[2] } end, { 1, array }).x))
    local slice = run(function(a) return a:slice { { 2, 3 } } end, array)
    assert.are.equal(ffi.cast("char *", array:pointer()) + 8, ffi.cast("char *", slice:pointer()))
    assert.are.same({ 2, 3, n = 2 }, slice:totable())
  end)

  it("of every type, alive as long as anybody has them", function()
    local types = { "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
      "float32", "float64" }
    for _, dtype in ipairs(types) do
      local values = dtype == "bool" and { true, false, n = 2 } or { 1, 0, n = 2 }
      local result = run(function(a) return a end, tm.array(values, dtype))
      collectgarbage()
      assert.are.equal(dtype, result.dtype)
      assert.are.same(values, result:totable())
    end
  end)

  it("frames with their columns and methods", function()
    local path = folder .. "/frame.csv"
    helper.write(path, "a,b\n1,x\n2,y\n")
    local frame = tm.read_csv(path)
    local back = run(function(t) return t end, frame)
    assert.are.equal("frame of 2 rows: a, b", tostring(back))
    assert.are.equal(address(frame.a), address(back.a))
    assert.are.equal("y", run(function(t) return t:column("b")[2] end, frame))
    assert.are.equal(2, run(function() return frame.rows end))
    local made = run(function(p) return tm.read_csv(p) end, path)
    assert.are.equal(getmetatable(frame), getmetatable(made))
  end)
end)

describe("what cannot cross is refused with its path:", function()
  it("a file", function()
    local log = { handle = io.stderr }
    assert.are.equal("cannot send a file to a task (argument 2, field .log.handle); open it inside the task",
      refusal(print, 1, { log = log }))
    assert.are.equal("cannot send a file to a task (task \"t\", upvalue log, field .handle); open it inside "
      .. "the task", refusal(function() return log end))
    assert.are.equal("cannot send a file to a task (argument 1, field [2].x[1]); open it inside the task",
      refusal(print, { 1, { x = { io.stderr } } }))
  end)

  it("a coroutine, a userdata, a C function without a name, a C object", function()
    local thread = coroutine.create(print)
    assert.are.equal("cannot send a coroutine to a task (argument 1, field .co)",
      refusal(print, { co = thread }))
    assert.are.equal("cannot send a userdata to a task (argument 1)", refusal(print, newproxy()))
    assert.are.equal("cannot send a C function to a task (argument 1, field .iter)",
      refusal(print, { iter = ("x"):gmatch(".") }))
    local wrapped = coroutine.wrap(print)
    assert.are.equal("cannot send a C function to a task (task \"t\", upvalue wrapped)",
      refusal(function() return wrapped end))
    assert.are.equal("cannot send a C object (cdata) to a task (argument 3)",
      refusal(print, 1, 2, ffi.new("int[3]")))
    local size = ffi.typeof("int32_t")
    assert.are.equal("cannot send a C object (cdata) to a task (task \"t\", upvalue size)",
      refusal(function() return size end))
  end)

  it("a key, a metatable, a function's own upvalue on the way", function()
    contains(refusal(print, { [io.stderr] = 1 }), "(argument 1, a key that is not a string)")
    contains(refusal(print, setmetatable({}, { x = io.stderr })), "(argument 1, its metatable, field .x)")
    local out = io.stderr
    local function deep() return out end
    contains(refusal(function() return deep() end), "(task \"t\", upvalue deep, upvalue out)")
    Cross_file = io.stderr
    contains(refusal(function() return Cross_file end), "(task \"t\", global Cross_file)")
    Cross_file = nil
  end)

  it("the table of all globals", function()
    assert.are.equal("cannot send the table of all globals to a task (task \"t\", global _G); name the "
      .. "global that is needed", refusal(function() return _G.x end))
    local everything = _G
    contains(refusal(function() return everything.x end), "(task \"t\", upvalue everything)")
    contains(refusal(print, { _G }), "(argument 1, field [1])")
  end)

  it("a function that assigns an upvalue or a global", function()
    local total = 0
    assert.are.equal("task \"t\" assigns upvalue total; return the value instead",
      refusal(function(x) total = total + x end, 1))
    assert.are.equal("task \"t\" assigns global Cross_total; return the value instead",
      refusal(function(x) Cross_total = x end, 1))
    local function inner() total = 1 end
    assert.are.equal("task \"t\", upvalue inner assigns upvalue total; return the value instead",
      refusal(function() inner() end))
    assert.are.equal(0, total)
    -- Its own locals are its own affair, however deep.
    assert.are.equal(3, run(function()
      local n = 0
      for _ = 1, 3 do (function() n = n + 1 end)() end
      return n
    end))
  end)

  it("a result, too", function()
    local message = refusal(function() return { log = { io.stdout } } end)
    assert.are.equal("cannot send a file to a task (the task's result, field .log[1]); open it inside the "
      .. "task", message)
    contains(refusal(function() return coroutine.create(print) end), "cannot send a coroutine")
  end)
end)

describe("A delayed function is looked at for every run", function()
  -- Its value before and after each change; the second look at the same state may take the short
  -- cut of host/bind/witness.h, which must see the next change all the same.
  local function follows(fn, expected, changes)
    local task, given = tm.delayed(fn, { name = "t" }), {}
    local function look()
      for _ = 1, 3 do given[#given + 1] = { task():compute() } end
    end
    look()
    local wanted = { { expected }, { expected }, { expected } }
    for _, change in ipairs(changes) do
      change[1]()
      look()
      for _ = 1, 3 do wanted[#wanted + 1] = { change[2] } end
    end
    assert.are.same(wanted, given) -- at the end: it needs the methods of strings that some replace
  end

  it("upvalues: plain values by their bits, functions and what those have", function()
    local plain, inner = 0, 1
    local function deep() return inner end
    local function other() return "other" end
    local callee = deep
    follows(function() return { 1 / plain, callee == os.date and "date" or callee() } end, { math.huge, 1 }, {
      { function() plain = -0.0 end, { -math.huge, 1 } },
      { function() plain = 2 end, { 0.5, 1 } },
      { function() inner = "two" end, { 0.5, "two" } },
      { function() inner = nil end, { 0.5 } },
      { function() callee = other end, { 0.5, "other" } },
      { function() callee = os.date end, { 0.5, "date" } },
    })
  end)

  it("upvalues joined to those of other functions", function()
    local one, two = 1, 2
    local function fn() return one end
    follows(fn, 1, { { function() debug.upvaluejoin(fn, 1, function() return two end, 1) end, 2 } })
  end)

  it("tables, their metatables, arrays and 64-bit integers", function()
    local list, kept, big = { 1 }, tm.array { 1, 2 }, 5LL
    follows(function() return { #list, list.extra, kept[1], tostring(big) } end,
      { 1, nil, 1, "5LL" }, {
        { function() list[2] = 2 end, { 2, nil, 1, "5LL" } },
        { function() setmetatable(list, { __index = { extra = 7 } }) end, { 2, 7, 1, "5LL" } },
        { function() kept = tm.array { 10 } end, { 2, 7, 10, "5LL" } },
        { function() big = 6LL end, { 2, 7, 10, "6LL" } },
      })
  end)

  it("globals, also such as a metatable of the globals makes up", function()
    local environment = setmetatable({}, { __index = function(_, name) return "no " .. name end })
    local fn = setfenv(function() return limit end, environment)
    follows(fn, "no limit", {
      { function() environment.limit = 1 end, 1 },
      { function() environment.limit = nil end, "no limit" },
      { function() getmetatable(environment).__index = { limit = 2 } end, 2 },
      { function() setfenv(fn, { limit = 3 }) end, 3 },
    })
  end)

  it("libraries: functions replaced, added and taken away, the library itself", function()
    local floor, library = math.floor, math
    finally(function() math, math.floor, math.added = library, floor, nil end)
    follows(function() return { math.floor(1.5), math.added ~= nil } end, { 1, false }, {
      { function() math.added = function() end end, { 1, true } },
      { function() math.floor = function() return "replaced" end end, { "replaced", true } },
      { function() math.floor, math.added = floor, nil end, { 1, false } },
      { function() math = { floor = function() return "own" end } end, { "own", false } },
    })
  end)

  it("methods and operators of strings", function()
    local strings, upper, library = getmetatable(""), string.upper, string
    finally(function()
      debug.setmetatable("", strings)
      strings.__index, strings.__len, string.upper = library, nil, upper
    end)
    local function with(word) -- all methods, but for this one
      local own = { upper = function() return word end }
      return { __index = setmetatable(own, { __index = library }) }
    end
    follows(function() return ("a"):upper() end, "A", {
      { function() string.upper = function() return "replaced" end end, "replaced" },
      { function() string.upper = upper end, "A" },
      { function() strings.__index = with("own").__index end, "own" },
      { function() strings.__index = library end, "A" },
      { function() debug.setmetatable("", with("made up")) end, "made up" },
      { function() debug.setmetatable("", strings) end, "A" },
      { function() debug.setmetatable("", { __index = library }) end, "A" },
      { function() string.upper = function() return "again" end end, "again" },
      { function() string.upper = upper end, "A" },
      { function() debug.setmetatable("", strings) end, "A" },
    })
    follows(function() return (pcall(function() return -"a" end)) end, false, {
      { function() strings.__unm = function() return 1 end end, true },
      { function() strings.__unm = nil end, false },
    })
  end)

  it("modules, and what they hold", function()
    local loaded = module("return { value = function() return 1 end }")
    local plain = loaded.value
    follows(function() return loaded.value() end, 1, {
      { function() loaded.value = function() return 2 end end, 2 },
      { function() loaded.value = plain end, 1 },
    })
    follows(plain, 1, { { function() loaded.more = 1 end, 1 } })
  end)

  it("declared files", function()
    local path = folder .. "/declared.txt"
    helper.write(path, "one")
    local function read()
      local file = assert(io.open(path))
      local text = file:read("*a")
      file:close()
      return text
    end
    local task = tm.delayed(read, { files = { path }, cache = true })
    assert.are.equal("one", task():compute())
    assert.are.equal("one", task():compute())
    helper.write(path, "two!")
    assert.are.equal("two!", task():compute())
  end)
end)
