-- The store under a cache: several processes, limits, and what goes wrong around it.  Scripts run as
-- child processes with one cache file.  SPDX-License-Identifier: MIT

local process = require "tests.spec.process"
local helper = require "tests.spec.helper"
local crash = require "tests.soak.crash"

local slow = helper.sanitized
local folder

local function write(name, text) process.write(folder .. "/" .. name, text) end

local function run(text, ...)
  write("main.lua", "local tm = require \"tidemill\"\n" .. text)
  local words = { "--workers", "2", "--cache", "cache.db", cwd = folder }
  for _, word in ipairs { ... } do words[#words + 1] = word end
  words[#words + 1] = "main.lua"
  return process.run(words)
end

-- Shell commands; `tidemill` is the program.
local function shell(commands)
  write("script", ("cd %s; program=%s\n%s"):format(process.quote(folder),
    process.quote(process.program), commands))
  return (helper.shell("sh " .. process.quote(folder .. "/script") .. " 2>&1", 600))
end

local function lines_of(name)
  local counts, lines = {}, 0
  for line in (process.read(folder .. "/" .. name) or ""):gmatch("[^\n]+") do
    counts[line], lines = (counts[line] or 0) + 1, lines + 1
  end
  return counts, lines
end

describe("a cache that several processes share", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  it("computes each key of a nested graph once, in eight processes at the same time", function()
    write("graph.lua", [[
      local tm = require "tidemill"
      local function note(text)
        local file = assert(io.open("log", "a"))
        file:write(text, "\n")
        file:close()
      end
      local leaf = tm.delayed(function(i)
        note("leaf " .. i)
        local began = tm.clock()
        while tm.clock() - began < 0.002 do end
        return i * 2
      end, { cache = true, name = "leaf" })
      local outer = tm.delayed(function(i)
        note("outer " .. i)
        local nodes, sum = {}, 0
        for k = 1, 4 do nodes[k] = leaf(i * 2 + k) end
        for _, value in ipairs(tm.compute(nodes)) do sum = sum + value end
        return sum
      end, { cache = true, name = "outer" })
      local nodes, sum = {}, 0
      for i = 1, 40 do nodes[i] = outer(i) end
      for _, value in ipairs(tm.compute(nodes)) do sum = sum + value end
      print(sum)]])
    local out = shell([[
      for i in 0 1 2 3 4 5 6 7; do
        timeout 60 "$program" --workers $((i % 3)) --cache cache.db graph.lua 2>err$i &
      done
      wait]])
    assert.are.equal(("13920\n"):rep(8), out)
    local counts, lines = lines_of("log")
    for line, count in pairs(counts) do assert.are.equal(1, count, line) end
    assert.are.equal(40 + 82, lines)
  end)

  it("takes over what a process that was killed had begun", function()
    write("long.lua", [[
      local tm = require "tidemill"
      local task = tm.delayed(function()
        if not io.open("begun") then
          io.open("begun", "w"):close()
          while true do tm.sleep(1) end
        end
        return 42
      end, { cache = true, name = "long" })
      print(task():compute())]])
    local out = shell([[
      "$program" --cache cache.db long.lua 2>err & child=$!
      tries=0
      until [ -e begun ] || [ $tries -ge 600 ]; do sleep 0.05; tries=$((tries + 1)); done
      timeout 60 "$program" --cache cache.db long.lua >got 2>err2 & waiter=$!
      sleep 0.3
      cat got
      kill -KILL $child
      wait $waiter; echo status $?
      cat got]])
    assert.is_truthy(out:match("^[^\n]*\n?status 0\n42\n$") or out:match("status 0\n42\n$"), out)
    assert.is_nil(out:match("^42"), out)
  end)
end)

describe("results that do not last", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local task = "print(tm.delayed(function() return 1 end, { cache = true, %s })():compute(), tm.stats().hits)"

  it("are computed again when they are older than the task's ttl, or the cache's", function()
    assert.are.equal("1\t0\n", run(task:format("ttl = 3600")).out)
    assert.are.equal("1\t1\n", run(task:format("ttl = 3600")).out)
    assert.are.equal("1\t0\n", run(task:format("ttl = 1e-6")).out)
    assert.are.equal("1\t1\n", run(task:format("ttl = \"1d\"")).out)
    assert.are.equal("1\t0\n", run(task:format(""), "--set", "cache.ttl=1us").out)
    assert.are.equal("1\t0\n", run(task:format("ttl = 3600"), "--set", "cache.ttl=1us").out)
  end)

  it("make room when there are more than cache.entries", function()
    local text = [[
      local nodes = {}
      local same = tm.delayed(function(k) return k end, { cache = true })
      for i = 1, 300 do nodes[i] = same(i + 1000 * %d) end
      tm.compute(nodes)
      print(tm.stats().hits)]]
    for round = 1, 3 do
      assert.are.equal("0\n", run(text:format(round), "--set", "cache.entries=400").out)
    end
    local found = shell("\"$program\" doctor --cache cache.db")
    local results = tonumber(found:match("cache +[^\n]* (%d+) results"))
    assert.is_true(results >= 300 and results <= 425, results)
    assert.are.equal("300\n", run(text:format(3), "--set", "cache.entries=400").out)
  end)
end)

describe("cache = \"auto\"", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local text = [[
    local quick = tm.delayed(function(x) return x + 1 end, { name = "quick", %s })
    local long = tm.delayed(function(x)
      local began = tm.clock()
      while tm.clock() - began < 0.01 do end
      return x
    end, { name = "long", %s })
    local nodes = {}
    for i = 1, 100 do nodes[i] = quick(i) end
    tm.compute(nodes)
    for i = 1, 4 do nodes[i] = long(i) end
    tm.compute { nodes[1], nodes[2], nodes[3], nodes[4] }
    print(tm.stats().hits)]]

  it("keeps what takes long and leaves what is quick", function()
    local script = text:format("cache = \"auto\"", "cache = \"auto\"")
    assert.are.equal("0\n", run(script).out)
    -- A quick one that was interrupted may have looked long.
    local hits = tonumber(run(script).out)
    assert.is_true(hits >= 4 and hits < 50, hits)
  end)

  it("is what tasks have that say nothing under --cache-all", function()
    assert.are.equal("0\n", run(text:format("", "")).out)
    assert.are.equal("0\n", run(text:format("", "")).out)
    assert.are.equal("0\n", run(text:format("", ""), "--cache-all").out)
    local hits = tonumber(run(text:format("", ""), "--cache-all").out)
    assert.is_true(hits >= 4 and hits < 50, hits)
    hits = tonumber(run(text:format("", ""), "--set", "cache.all=on").out)
    assert.is_true(hits >= 4 and hits < 50, hits)
    assert.are.equal("0\n", run(text:format("cache = false", "cache = false"), "--cache-all").out)
  end)

  it("does not keep what writes a file or looks at the clock, and says nothing", function()
    local script = [[
      local function task(body) return tm.delayed(body, { cache = "auto" }) end
      local write = task(function()
        local began = tm.clock()
        while tm.clock() - began < 0.01 do end
        local file = io.open("out", "a")
        file:write("line\n")
        file:close()
        return 1
      end)
      local time = task(function()
        local began = os.clock()
        while os.clock() - began < 0.01 do end
        return os.time() > 0
      end)
      tm.compute { write(), time() }
      print(tm.stats().hits)]]
    for _ = 1, 2 do
      local result = run(script)
      assert.are.equal("0\n", result.out)
      assert.are.equal("", result.err)
    end
    assert.are.equal("line\nline\n", process.read(folder .. "/out"))
  end)

  it("says nothing of what cannot be kept", function()
    local result = run([[
      print(type(tm.delayed(function()
        local began = tm.clock()
        while tm.clock() - began < 0.01 do end
        return print
      end)():compute()))]], "--cache-all")
    assert.are.equal("function\n", result.out)
    assert.are.equal("", result.err)
  end)
end)

describe("a cache to which something happens in mid-run", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local text = [[
    local work = tm.delayed(function(x)
      local began = tm.clock()
      while tm.clock() - began < 0.002 do end
      return ("x"):rep(1000) .. x
    end, { cache = true })
    local function round(from)
      local nodes, total = {}, 0
      for i = 1, 60 do nodes[i] = work(from + i) end
      for _, value in ipairs(tm.compute(nodes)) do total = total + #value end
      return total
    end
    print(round(1000))
    os.execute(%q)
    print(round(2000))
    print(round(1000))]]

  local function survives(command, warning)
    local result = run(text:format(command))
    assert.are.equal(0, result.status, result.err)
    assert.are.equal("60240\n60240\n60240\n", result.out)
    local _, lines = result.err:gsub("\n", "\n")
    assert.is_true(lines <= (warning and 1 or 0), result.err)
  end

  it("goes on when it is deleted, and the next run makes a new one", function()
    survives("rm -rf cache.db cache.db-* cache.db.d", true)
    survives("true")
  end)

  it("goes on when its folder is gone", function()
    survives("rm -rf '" .. folder .. "'/cache.db*", true)
  end)

  it("goes on when its files are overwritten", function()
    survives("for f in cache.db cache.db-wal; do "
      .. "head -c 100000 /dev/urandom | dd of=$f conv=notrunc 2>/dev/null; done", true)
    local result = run("print(tm.delayed(function() return 7 end, { cache = true })():compute())")
    assert.are.equal("7\n", result.out)
    assert.are.equal(0, result.status)
  end)
end)

describe("a cache whose writers are killed", function()
  it("has nothing wrong in it, and serves the next run", function()
    local programs = helper.programs or ("build/" .. helper.config .. "/tests/c")
    local seed = os.time() % 1000000
    local problem = crash.kills(process.program, programs .. "/test_manage", slow and 6 or 20, seed,
      function() end)
    assert(not problem, ("%s\nrepeat it with: make crash seed=%d N=20"):format(problem or "", seed))
  end)
end)
