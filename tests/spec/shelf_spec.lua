-- tm.cache: values that scripts and tasks put into the cache themselves; scripts run as child processes.
-- SPDX-License-Identifier: MIT

local helper = require("tests.spec.helper")
local process = require("tests.spec.process")

local folder

local function run(text, options)
  options = options or {}
  process.write(folder .. "/main.lua", "local tm = require \"tidemill\"\n" .. text)
  local words = { "--workers", tostring(options.workers or 2), "--cache", options.cache or "cache.db",
    "main.lua", cwd = folder }
  for i = 1, #options do table.insert(words, 1, options[i]) end
  local result = process.run(words)
  assert.are.equal(0, result.status, result.err)
  if not options.warns then assert.are.equal("", result.err) end
  return result.out, result.err
end

local function tool(...)
  local words = { "cache", cwd = folder }
  for i = 1, select("#", ...) do words[i + 1] = (select(i, ...)) end
  return process.run(words)
end

describe("tm.cache", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  it("gives in the next process what was put in this one, by the key's content", function()
    run [[
for _, mode in ipairs { "behind", "through", "aside" } do
  assert(tm.cache.put({ "key", mode = mode }, { mode, n = 1, tm.array { 1, 2.5 } }, { mode = mode }))
end
tm.cache.put(1, "number")
tm.cache.put("1", "string")
tm.cache.put("flag", false)]]
    assert.are.equal([[
behind	2.5
through	2.5
aside	2.5
number	string	false	nil
]], run [[
for _, mode in ipairs { "behind", "through", "aside" } do
  local value = tm.cache.get { mode = mode, "key" }
  print(value[1], value[2]:get(2))
end
print(tm.cache.get(1), tm.cache.get("1"), tm.cache.get("flag"), tm.cache.get("other"))]])
  end)

  it("puts a value in the place of the one that is there, but aside", function()
    assert.are.equal("true 1\ntrue 2\nfalse 2\ntrue 3\n", run [[
local function put(value, mode)
  print(tostring(tm.cache.put("k", value, { mode = mode })) .. " " .. tm.cache.get("k"))
end
put(1, "aside")
put(2, "behind")
put(9, "aside")
put(3, "through")]])
    assert.are.equal("3\n", run "print(tm.cache.get('k'))")
  end)

  it("forgets what is older than its ttl, or than the cache's", function()
    assert.are.equal("nil\t2\n", run [[
tm.cache.put("short", 1, { ttl = "10ms" })
tm.cache.put("long", 2, { ttl = "1h" })
tm.sleep(0.02)
print(tm.cache.get("short"), tm.cache.get("long"))]])
    local limit = { "cache.ttl=10ms", "--set" }
    assert.are.equal("nil\n", run("tm.sleep(0.02) print(tm.cache.get('long'))", limit))
  end)

  it("says which part of a key or a value cannot be kept, and where", function()
    assert.are.equal([[
main.lua:7: cache.put: cannot keep a function in the cache (the value, field .list[2])
main.lua:8: cache.put: cannot keep a channel in the cache (the value, field .handle)
main.lua:9: cache.put: cannot keep a coroutine in the cache (the key, field .c)
main.lua:10: cache.fetch: cannot keep a lazy node in the cache (the value)
main.lua:11: cache.put: expected a value, got nil; tm.cache.invalidate{key = key} removes one
main.lua:12: cache.get: expected a key, got nil
main.lua:13: cache.put: mode: expected "aside", "through" or "behind", got "trough", did you mean "through"?
main.lua:14: cache.put: unknown option "tll", did you mean "ttl"?
main.lua:15: tm.cache has no "fetsh", did you mean "fetch"?
main.lua:16: cache.invalidate: expected name, key or older_than; `tidemill cache clear` removes everything
main.lua:17: cache.invalidate: older_than: expected a time
]], run [[
local node = tm.delayed(function() return 1 end)()
local function try(fn)
  local _, problem = pcall(fn)
  print((problem:gsub("expected seconds.*", "expected a time")))
end
try(function() tm.cache.put("k", { list = { print, function() end } }) end)
try(function() tm.cache.put("k", tm.channel(1)) end)
try(function() tm.cache.put({ c = coroutine.create(print) }, 1) end)
try(function() tm.cache.fetch("k", function() return node end) end)
try(function() tm.cache.put("k") end)
try(function() tm.cache.get() end)
try(function() tm.cache.put("k", 1, { mode = "trough" }) end)
try(function() tm.cache.put("k", 1, { tll = 1 }) end)
try(function() return tm.cache.fetsh end)
try(function() tm.cache.invalidate {} end)
try(function() tm.cache.invalidate { older_than = -1 } end)]])
  end)

  describe("fetch", function()
    it("computes a value once, and again after an error or nil", function()
      assert.are.equal([[
1
1
main.lua:10: no
2
nil	nil	3
]], run [[
local function count(key)
  return tm.cache.fetch(key, function()
    tm.cache.put("n", (tm.cache.get("n") or 0) + 1)
    return tm.cache.get("n")
  end)
end
print(count "a")
print(count "a")
local _, problem = pcall(tm.cache.fetch, "b", function() error("no") end)
print(problem)
print(count "b")
local n = 2
local function none() n = n + 0.5 end
print(tm.cache.fetch("c", none), tm.cache.fetch("c", none), n)]])
    end)

    for _, mode in ipairs { "aside", "through", "behind" } do
      it("computes once for eight tasks at the same time: " .. mode, function()
        assert.are.equal("computing\n8\n", run(([[
local task = tm.delayed(function(i)
  return tm.cache.fetch("k", function()
    print("computing")
    tm.sleep(0.1)
    return i
  end, { mode = %q })
end)
local nodes, same = {}, 0
for i = 1, 8 do nodes[i] = task(i) end
local results = tm.compute(nodes)
for i = 1, 8 do same = same + (results[i] == results[1] and 1 or 0) end
print(same)]]):format(mode)))
      end)
    end

    it("computes once for four processes at the same time", function()
      process.write(folder .. "/once.lua", [[
local tm = require "tidemill"
print(tm.cache.fetch("k", function() print("computing") tm.sleep(0.5) return "value" end))]])
      local four = "cd %s && for i in 1 2 3 4; do %s --cache cache.db once.lua & done; wait"
      local lines = helper.lines(four:format(process.quote(folder), process.quote(process.program)))
      table.sort(lines)
      assert.are.same({ "computing", "value", "value", "value", "value" }, lines)
    end)

    it("goes on when what it computes fetches the same, or others the other way round", function()
      assert.are.equal("2\tx\ty\n", run [[
-- How far each comes before it meets the other is open.
local function both(a, b)
  return tm.cache.fetch(a, function()
    tm.sleep(0.05)
    return a .. tm.cache.fetch(b, function() tm.sleep(0.05) return b end)
  end)
end
local again = tm.cache.fetch("r", function() return tm.cache.fetch("r", function() return 1 end) + 1 end)
local task = tm.delayed(both)
local results = tm.compute { task("x", "y"), task("y", "x") }
print(again, results[1]:sub(1, 1), results[2]:sub(1, 1))]])
    end)
  end)

  it("removes by name, by key and by age, and counts", function()
    assert.are.equal([[
1	nil	2
1	nil
2	1
0	3
4
]], run [[
local task = tm.delayed(function(i) return i end, { name = "task", cache = true })
tm.compute { task(1), task(2) }
tm.cache.put("a", 1)
tm.cache.put("b", 2)
tm.cache.put({ 3 }, 3)
print(tm.cache.invalidate { name = "value:a" }, tm.cache.get("a"), tm.cache.get("b"))
print(tm.cache.invalidate { key = { 3 } }, tm.cache.get { 3 })
print(tm.cache.invalidate { name = "task" }, tm.cache.stats().entries)
tm.compute { task(1), task(2) }
tm.cache.put("a", 1)
print(tm.cache.invalidate { older_than = "1h" }, tm.cache.get("a") + tm.cache.get("b"))
tm.sleep(0.01)
print(tm.cache.invalidate { older_than = "1ms" })]])
  end)

  it("is listed and shown, with the key in its name", function()
    run [[
tm.cache.put("prices", { 1, 2 }, { ttl = 1000 })
tm.cache.put({ 1, x = 2 }, "v")]]
    local listed = tool("ls", "--cache", "cache.db").out
    assert.is_truthy(listed:find("value:prices", 1, true), listed)
    assert.is_truthy(listed:find("value:{1, x = 2}", 1, true), listed)
    local key = listed:match("(%x+)[^\n]*value:prices")
    local shown = tool("show", key, "--cache", "cache.db").out
    assert.is_truthy(shown:find("value       {1, 2}", 1, true), shown)
    assert.is_truthy(shown:find("read        until %d+%-%d+%-%d+T"), shown)
  end)

  it("is no part of a cached task's key: the task says so, unless it is pure", function()
    local script = [[
tm.cache.put("k", %d)
local task = tm.delayed(function() return tm.cache.get("k") end, { name = "task", cache = true, pure = %s })
print(task():compute())]]
    local out, err = run(script:format(1, "false"), { warns = true })
    assert.are.equal("1\n", out)
    assert.is_truthy(err:find('task "task": what it makes is not cached: it has used tm.cache', 1, true), err)
    assert.are.equal("2\n", (run(script:format(2, "false"), { warns = true })))
    assert.are.equal("3\n", run(script:format(3, "true")))
    assert.are.equal("3\n", run(script:format(4, "true")))
  end)

  for _, lane in ipairs { "thread", "loop", "process" } do
    it("is there for tasks on every lane: " .. lane, function()
      assert.are.equal("from the script\t2\tfrom the task\n", run(([[
tm.cache.put("s", "from the script", { mode = "through" })
local task = tm.delayed(function()
  tm.cache.put("t", "from the task")
  return { tm.cache.get("s"), tm.cache.fetch("f", function() return 2 end) }
end, { lane = %q })
local got = task():compute()
print(got[1], got[2], tm.cache.get("t"))]]):format(lane)))
    end)
  end

  it("warns of a cached task that puts a value, or writes a file, on every lane", function()
    for _, lane in ipairs { "thread", "process" } do
      local _, err = run(([[
local given = { cache = true, lane = %q }
local put = tm.delayed(function() tm.cache.put("k", 1) end, given):with { name = "put" }
local write = tm.delayed(function() tm.write_text("out.txt", "x") end, given):with { name = "write" }
tm.compute { put(), write() }]]):format(lane), { warns = true, cache = lane .. ".db" })
      assert.is_truthy(err:find('task "put" is cached and writes value:k: ', 1, true), err)
      assert.is_truthy(err:find('task "write" is cached and writes out.txt: ', 1, true), err)
    end
  end)

  it("goes on without a cache, and says once that nothing is kept", function()
    local out, err = run([[
print(tm.cache.get("k"), tm.cache.put("k", 1), tm.cache.put("k", 1), tm.cache.get("k"))
print(tm.cache.fetch("k", function() return "computed" end))
print(tm.cache.stats(), tm.cache.invalidate { name = "x" })]],
      { cache = "off", warns = true })
    assert.are.equal("nil\tfalse\tfalse\tnil\ncomputed\nnil\t0\n", out)
    assert.are.equal(1, select(2, err:gsub("tm%.cache: there is no cache", "")), err)
  end)

  it("changes nothing in a dry run", function()
    run [[tm.cache.put("k", 1)]]
    process.write(folder .. "/dry.lua", [[
local tm = require "tidemill"
tm.cache.put("k", 2)
tm.cache.invalidate { key = "k" }
print(tm.cache.get("k"), tm.cache.fetch("f", function() return "computed" end))]])
    local result = process.run { "explain", "dry.lua", "--cache", "cache.db", cwd = folder }
    assert.are.equal("1\tcomputed\n", result.out:match("^[^\n]*\n"), result.err)
    assert.are.equal("1\tnil\n", run [[print(tm.cache.get("k"), tm.cache.get("f"))]])
  end)
end)
