-- What the cache answers and what runs again: scripts run as child processes with one cache file.
-- SPDX-License-Identifier: MIT

local cached = require("tests.spec.cached")
local helper = require("tests.spec.helper")
local process = require("tests.spec.process")
local swap = helper.swap

local folder

local function write(name, text) process.write(folder .. "/" .. name, text) end

local function run(text, options)
  options = options or {}
  local result = cached.run(folder, text, options)
  if not options.warns then assert.are.equal("", result.err) end
  return result
end

-- Runs a script whose results must come from the cache, or must not.
local function hits(text, options)
  local result = run(text, options)
  assert.are.equal(0, result.misses, text)
  assert.is_true(result.hits > 0, text)
  return result.out
end

local function misses(text, options)
  local result = run(text, options)
  assert.are.equal(0, result.hits, text)
  assert.is_true(result.misses > 0, text)
  return result.out
end

-- A task that returns what an expression gives, the expression's names being upvalues.
local function task(expression, before, options)
  return ([[
%s
local task = tm.delayed(function(...) return %s end, { cache = true, %s })
print(task():compute())]]):format(before or "", expression, options or "")
end

-- A task that says what it was given, for arguments written as Lua.
local function argument(value, before)
  return ([[
%s
local task = tm.delayed(function(x) return type(x) end, { cache = true })
print(task(%s):compute())]]):format(before or "", value)
end

describe("the cache", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  describe("after an edit of a module", function()
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
function third(x) return x + 7 end
local function second(x) return third(x) * 2 end
local function first(x)
  local y = second(x) + offset
  return math.min(y, limits.high) + deep.scale(x)
end
local task = tm.delayed(function(x)
  local total = first(x) + 5
  return total
end, { name = "task", cache = true })
print(tm.compute(task(1), task(2)))]]

    before_each(function()
      write("deep.lua", deep)
      assert.are.equal("34\t39\n", misses(script))
    end)

    it("runs the task again: a module that a module requires", function()
      write("deep.lua", [[
local base = require "base"
return { scale = function(x) return base.scale(x) end }]])
      write("base.lua", "return { scale = function(x) return x * 5 end }")
      assert.are.equal("36\t43\n", misses(script))
      hits(script)
      write("base.lua", "return { scale = function(x) return x * 6 end }")
      assert.are.equal("37\t45\n", misses(script))
    end)

    it("runs the task again: a module that two modules require of each other", function()
      write("deep.lua", [[
local deep = {}
package.loaded.deep = deep
deep.base = require "base"
function deep.factor() return 5 end
function deep.scale(x) return deep.base.scale(x) end
return deep]])
      local base = [[
local deep = require "deep"
return { scale = function(x) return x * deep.factor() end }]]
      write("base.lua", base)
      assert.are.equal("36\t43\n", misses(script))
      write("base.lua", swap(base, "x *", "x * 2 *"))
      assert.are.equal("41\t53\n", misses(script))
    end)

    it("runs the task again: a module found by a name made up at run time", function()
      local chosen = [[
local name = "ba" .. "se"
local base = require(name)
return { scale = function(x) return base.scale(x) end }]]
      write("deep.lua", chosen)
      write("base.lua", "return { scale = function(x) return x * 5 end }")
      misses(script)
      hits(script)
      write("base.lua", "return { scale = function(x) return x * 6 end }")
      assert.are.equal("37\t45\n", misses(script))
    end)
  end)

  describe("tells functions apart", function()
    it("that reach a different function through a metatable", function()
      local text = [[
local class = { value = function(self) return self.x * %d end }
class.__index = class
local derived = setmetatable({}, { __index = class })
derived.__index = derived
local object = setmetatable({ x = 7 }, derived)
local task = tm.delayed(function() return object:value() end, { cache = true })
print(task():compute())]]
      assert.are.equal("14\n", misses(text:format(2)))
      assert.are.equal("21\n", misses(text:format(3)))
    end)

    it("that call a method of strings that was replaced", function()
      local text = task("(\"abc\"):upper()")
      assert.are.equal("ABC\n", misses(text))
      local patched = "string.upper = function(s) return s .. \"%s\" end\n"
      assert.are.equal("abc!\n", misses(patched:format("!") .. text))
      assert.are.equal("abc?\n", misses(patched:format("?") .. text))
      assert.are.equal("ABC\n", hits(text))
    end)

    it("that read a module's table of settings after the script has changed it", function()
      write("settings.lua", "return { limit = 5, show = function(x) return x end }")
      local text = "local settings = require \"settings\"\n%s\n" .. task("settings.limit")
      assert.are.equal("5\n", misses(text:format("")))
      assert.are.equal("6\n", misses(text:format("settings.limit = 6")))
      assert.are.equal("7\n", misses(text:format("settings.limit = 7")))
      assert.are.equal("5\n", hits(text:format("")))
    end)

    it("that call a module's function which calls one that the script has replaced", function()
      write("parts.lua", [[
local parts = {}
function parts.inner(x) return x + 1 end
function parts.outer(x) return parts.inner(x) * 10 end
return parts]])
      write("above.lua", [[
local parts = require "parts"
return { run = function(x) return parts.outer(x) end }]])
      local text = [[
local parts, above = require "parts", require "above"
%s
local task = tm.delayed(function() return above.run(1) + parts.outer(2) end, { cache = true })
print(task():compute())]]
      assert.are.equal("50\n", misses(text:format("")))
      assert.are.equal("150\n", misses(text:format("function parts.inner(x) return x + 6 end")))
      assert.are.equal("50\n", hits(text:format("")))
    end)
  end)

  describe("tells arguments apart", function()
    it("by type and by bits", function()
      local seen = {}
      for _, value in ipairs { "1", "\"1\"", "1LL", "1ULL", "0", "-0", "false", "nil", "true", "0/0", "1/0",
          "\"\"", "\"\\0\"", "{}", "{1}", "{[2]=1}", "{1,nil,3}", "{1,3}", "{{1},2}", "{{1,2}}",
          "setmetatable({}, {__index = string})", "{a=1}", "{b=1}", "{[\"1\"]=1}", "{[true]=1}", "print" } do
        local result = run(argument(value))
        assert.are.equal(1, result.misses, value)
        seen[#seen + 1] = value
      end
      for _, value in ipairs(seen) do hits(argument(value)) end
    end)

    it("by the content of another task's result, whatever made it", function()
      local text = [[
local up = tm.delayed(function(x) return %s end, { cache = %s })
local down = tm.delayed(function(x) return #x end, { cache = true })
print(down(up(3)):compute())]]
      assert.are.equal("3\n", misses(text:format("(\"a\"):rep(x)", "true")))
      local result = run(text:format("\"aa\" .. \"a\"", "true"))
      assert.are.same({ 1, 1 }, { result.hits, result.misses })
      result = run(text:format("\"aaa\"", "false"))
      assert.are.same({ 1, 0, 1 }, { result.hits, result.misses, result.executed })
    end)
  end)

  describe("knows what a task reads", function()
    it("by require inside the task", function()
      write("late.lua", "local later = require \"later\"\nreturn { value = function() return later() end }")
      write("later.lua", "return function() return 1 end")
      local text = [[
local task = tm.delayed(function(i) return require("late").value() + i end, { cache = true })
print(tm.compute(task(0), task(10)))]]
      assert.are.equal("1\t11\n", misses(text))
      assert.are.equal("1\t11\n", hits(text))
      write("later.lua", "return function() return 2 end")
      assert.are.equal("2\t12\n", misses(text))
      write("late.lua", "return { value = function() return 3 end }")
      assert.are.equal("3\t13\n", misses(text))
    end)

    it("by require inside a module's function", function()
      write("outer.lua", "return { value = function() return require \"inner\" end }")
      write("inner.lua", "return 1")
      local text = task("outer.value()", "local outer = require \"outer\"")
      assert.are.equal("1\n", misses(text))
      write("inner.lua", "return 2")
      assert.are.equal("2\n", misses(text))
      assert.are.equal("2\n", hits(text))
    end)

    it("refuses files= of a folder", function()
      local text = ("print(pcall(function() %s end))"):format(task("1", "", "files = {\".\"}"))
      assert.is_truthy(run(text).out:find("option \"files\": . is not a file", 1, true))
    end)
  end)

  describe("with a future as input", function()
    local text = [[
      local list = tm.delayed(function(x) return { x, "list" } end, { name = "list", cache = CACHED })
      local first = tm.delayed(function(t) return t[1] end, { name = "first", cache = true })
      local future = list(4):submit()
      future:wait()
      for _ = 1, 3 do io.write(first(future):compute(), " ") end
      print(first(list(4)):compute())]]

    it("answers with what the task gave, and not with the future's value", function()
      for _, cached_too in ipairs { "true", "false" } do
        for workers = 0, 2 do
          local options = { workers = workers, cache = ("cache-%s-%d.db"):format(cached_too, workers) }
          local script = swap(text, "CACHED", cached_too)
          assert.are.equal("4 4 4 4\n", run(script, options).out)
          assert.are.equal("4 4 4 4\n", run(script, options).out)
        end
      end
    end)
  end)

  describe("obeys options", function()
    it("cache = \"refresh\" runs and keeps what comes", function()
      -- What a pipe gives is not known to the cache.
      local text = [[
local task = tm.delayed(function()
  local pipe = io.popen("cat n")
  local text = pipe:read("*a")
  pipe:close()
  return text
end, { cache = %s, pure = true })
print(task():compute())]]
      write("n", "1")
      assert.are.equal("1\n", misses(text:format("true")))
      write("n", "2")
      assert.are.equal("1\n", hits(text:format("true")))
      assert.are.equal("2\n", misses(text:format("\"refresh\"")))
      assert.are.equal("2\n", hits(text:format("true")))
    end)

    it("cache = false neither looks nor keeps", function()
      local text = "print(tm.delayed(function() return 1 end)():compute())"
      for _ = 1, 2 do
        local result = run(text)
        assert.are.same({ 0, 0, 1 }, { result.hits, result.misses, result.executed })
      end
    end)
  end)

  it("tells the key of a future, the same as its error has, in every process", function()
    local text = [[
local gate = tm.channel(1)
local low = tm.delayed(function(x) return x end, { cache = true })
local bad = tm.delayed(function(x) error("no") end, { cache = true })
local slow = tm.delayed(function() return gate:take() end)
local plain, fine, fails = tm.submit(math.sqrt, 4), tm.submit(low, 1), tm.submit(bad, 2)
local later = tm.submit(low, slow())
print(plain.key, later.key)                        -- it has none; its input is not there
gate:put(7)
local _, problem = pcall(fails.result, fails)
print(later:result(), problem.key == fails.key, #fails.key, fails.key ~= fine.key)
print(fine.key, later.key, fails.key, low(1):submit().key == fine.key, plain.key)]]
    local first = run(text, { warns = true }).out
    assert.are.equal("nil\tnil\n7\ttrue\t32\ttrue\n", first:match("^.-\n.-\n"))
    assert.is_truthy(first:match("\n%x+\t%x+\t%x+\ttrue\tnil\n$"), first)
    assert.are.equal(first, run(text, { warns = true }).out)
    assert.are.equal(first, run(text, { warns = true, cache = "off", workers = 2 }).out)
  end)

  it("does not take fields of tm that the script has used for a part of the task", function()
    local text = task("tm.date_text and 1")
    misses(text)
    hits("tm.say(\"\")\ntm.clock()\nlocal _ = tm.kernels, tm.json\n" .. text)
  end)

  it("keeps nil, false and tables with holes", function()
    local text = [[
local task = tm.delayed(function(i)
  if i == 1 then return nil elseif i == 2 then return false elseif i == 3 then return { 1, nil, 3 } end
  return 0 / 0
end, { cache = true })
local a, b, c, d = tm.compute(task(1), task(2), task(3), task(4))
print(a, b, c[1], c[2], c[3], d ~= d)]]
    assert.are.equal("nil\tfalse\t1\tnil\t3\ttrue\n", misses(text))
    assert.are.equal("nil\tfalse\t1\tnil\t3\ttrue\n", hits(text))
  end)

  it("keeps nothing of a task that failed or was skipped", function()
    local text = [[
local bad = tm.delayed(function() error("no") end, { cache = true })
local down = tm.delayed(function(x) return 1 end, { cache = true })
print(pcall(function() return down(bad()):compute() end))]]
    local first = run(text)
    assert.are.same({ 0, 1 }, { first.hits, first.misses })
    local second = run(text)
    assert.are.same({ 0, 1 }, { second.hits, second.misses })
    assert.are.equal(first.out, second.out)
  end)

  it("keeps nothing of a task that has heard that it is cancelled", function()
    local text = [[
local task = tm.delayed(function()
  io.open("begun", "w"):close()
  repeat until require("tidemill").cancelled()
  return "half"
end, { cache = true })
os.remove("begun")
local future = task():submit()
repeat local file = io.open("begun") until file
future:cancel()
future:wait()
print(future:status())]]
    for _ = 1, 2 do
      local result = run(text, { warns = true })
      assert.are.same({ "finished\n", 0, 1 }, { result.out, result.hits, result.misses })
    end
  end)

  it("says once that a result with a function in it is not kept", function()
    local text = [[
local task = tm.delayed(function(i) return { f = function() return i end } end,
  { cache = true, name = "maker" })
print(task(1):compute().f(), task(2):compute().f())]]
    for _ = 1, 2 do
      local result = run(text, { warns = true })
      assert.are.same({ "1\t2\n", 0, 2 }, { result.out, result.hits, result.misses })
      local _, count = result.err:gsub("\"maker\" is not cached: its result holds a function", "")
      assert.are.equal(1, count)
    end
  end)

  describe("with a damaged store", function()
    local text = [[
local size = 400000
local make = tm.delayed(function(i)
  local out = {}
  for k = 1, size do out[k] = (k * 7919 * i) %% 1000003 / 7 end
  return tm.array(out)
end, { cache = true, name = "make" })
local shift = tm.delayed(function(a) return a:slice{{2, a.length}} end, { name = "shift" })
local sum = tm.delayed(function(a, n)
  local total = 0
  for i = 1, a.length do total = total + a[i] end
  return total + n
end, { cache = true, name = "sum" })
local nodes = {}
for i = 1, 3 do nodes[i] = sum(shift(make(i)), %d) end
print(unpack(tm.compute(nodes)))]]

    local function objects() return helper.lines("find " .. folder .. "/cache.db.d -type f") end

    for way, command in pairs {
      truncated = "truncate -s 100",
      deleted = "rm -f",
      flipped = "sh -c 'printf X | dd of=\"$0\" bs=1 seek=5000 conv=notrunc 2>/dev/null'",
    } do
      it("computes again what lies below a task that is new: objects " .. way, function()
        local right = run(text:format(1), { cache = "off" }).out
        misses(text:format(0))
        local list = objects()
        assert.is_true(#list >= 3)
        for _, path in ipairs(list) do os.execute(command .. " " .. path) end
        local result = run(text:format(1), { workers = 2 })
        assert.are.equal(right, result.out)
        assert.are.equal(0, (run(text:format(1))).misses)
      end)
    end

    it("computes again when the database's own values are flipped", function()
      local small = [[
local task = tm.delayed(function(i) return ("x"):rep(200) .. i end, { cache = true })
local down = tm.delayed(function(a) return #a + %d end, { cache = true })
local nodes = {}
for i = 1, 20 do nodes[i] = down(task(i)) end
print(unpack(tm.compute(nodes)))]]
      local right = run(small:format(5), { cache = "off" }).out
      run(small:format(0))
      local path = folder .. "/cache.db"
      local bytes = process.read(path)
      local changed, count = bytes:gsub(("x"):rep(100), ("y"):rep(100))
      if count == 0 then -- stored in another form: damage the middle of every page instead
        changed = bytes:gsub("()", function(at) return at % 8192 == 6000 and "Z" or "" end):sub(1, #bytes)
      end
      process.write(path, changed)
      local result = run(small:format(5), { warns = true })
      assert.are.equal(right, result.out)
    end)
  end)

  describe("that cannot be used", function()
    local text = "print(tm.delayed(function() return 7 end, { cache = true })():compute())"

    local function goes_on(cache)
      local result = run(text, { cache = cache, warns = true })
      assert.are.equal("7\n", result.out)
      assert.are.equal(1, result.executed)
      local _, lines = result.err:gsub("\n", "")
      assert.are.equal(1, lines, result.err)
      assert.is_truthy(result.err:find(cache, 1, true), result.err)
    end

    -- Calls fn, for which the program under test is a copy of it that a user without rights runs.
    local function as_nobody(fn)
      local program, copy = process.program, folder .. "/program"
      write("nobody", ("#!/bin/sh\nexec env -u HOME -u XDG_CONFIG_HOME setpriv --reuid=65534 --regid=65534 "
        .. "--clear-groups %s \"$@\"\n"):format(copy))
      os.execute(("cp %s %s && chmod 755 %s %s %s/nobody"):format(process.quote(program), copy, folder, copy,
        folder))
      process.program = folder .. "/nobody"
      local fine, problem = pcall(fn)
      process.program = program
      if not fine then error(problem, 0) end
    end

    it("warns once and goes on: not a database", function()
      write("garbage.db", ("not a database "):rep(1000))
      goes_on("garbage.db")
    end)

    it("warns once and goes on: no such folder", function() goes_on("no/such/cache.db") end)

    it("warns once and goes on: a folder", function()
      os.execute("mkdir " .. folder .. "/here")
      goes_on("here")
    end)

    it("warns once and goes on: a folder that may not be written", function()
      os.execute("mkdir " .. folder .. "/locked && chmod a-w " .. folder .. "/locked")
      if helper.capture("id -u") ~= "0" then
        goes_on("locked/cache.db")
      elseif os.execute("setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null") == 0 then
        as_nobody(function() goes_on("locked/cache.db") end)
      else
        pending("root may write everywhere, and cannot be somebody else here")
      end
      os.execute("chmod u+w " .. folder .. "/locked")
    end)

    it("is not missed when it is off", function()
      for _ = 1, 2 do
        local result = run(text, { cache = "off" })
        assert.are.same({ "7\n", 0, 1 }, { result.out, result.hits, result.executed })
      end
    end)
  end)
end)
