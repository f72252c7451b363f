-- Pools of resources: real files, opened when needed, never more than the limit, closed at the end.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"
local contains = expect.contains

local folder = helper.folder()
teardown(function() helper.remove(folder) end)

-- How a script begins: files(max, ...) is a pool of files, and what happens to them is written down
-- in `events`: before one is opened, and after it was closed.  A line is one write at the end of the
-- file, so that the lines of several threads stand in the order in which things happened.
local prologue = ([[
local tm = require "tidemill"
local folder = %q
local function note(text)
  local file = assert(io.open(folder .. "/events", "a"))
  file:write(text .. "\n")
  file:close()
end
local function files(max, close)
  return tm.pool { name = "files", max = max,
    create = function()
      note("open")
      return assert(io.open(folder .. "/data", "a"))
    end,
    close = close or function(file)
      file:close()
      note("close")
    end }
end
local function range(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end
]]):format(folder)

local function lines_of(name)
  local lines = {}
  for line in (process.read(folder .. "/" .. name) or ""):gmatch("[^\n]+") do lines[#lines + 1] = line end
  return lines
end

-- What the events come to: opened, closed, the most at once.
local function events()
  local opened, closed, most = 0, 0, 0
  for _, line in ipairs(lines_of("events")) do
    if line == "open" then opened = opened + 1 end
    if line == "close" then closed = closed + 1 end
    most = math.max(most, opened - closed)
  end
  return { opened = opened, closed = closed, most = most }
end

local lanes = { ["in the serial lane"] = { "--serial" }, ["with one worker"] = { "--workers", "1" },
  ["with four workers"] = { "--workers", "4" } }

-- Runs a script in a lane; gives its result, what it returned, and the events.
local function run(text, options)
  os.remove(folder .. "/events")
  os.remove(folder .. "/data")
  process.write(folder .. "/script.lua", prologue .. text)
  local words = { "run", "--cache", "off" }
  for _, word in ipairs(options or lanes["with four workers"]) do words[#words + 1] = word end
  words[#words + 1] = folder .. "/script.lua"
  local result = process.run(words)
  return result, events()
end

-- The same for one that must end well, without a word on stderr.
local function well(text, options)
  local result, seen = run(text, options)
  assert.are.equal("", result.err)
  assert.are.equal(0, result.status)
  return result.out, seen
end

for lane, options in pairs(lanes) do
  describe("a pool of files " .. lane, function()
    it("lends to every task, never more than its limit, and closes all", function()
      local _, seen = well([[
        local pool = files(2)
        local answers = tm.map(function(x)
          return (pool:with(function(file, y)
            assert(io.type(file) == "file")
            file:write(x .. "\n")
            file:flush()
            if x % 50 == 0 then tm.sleep(0.002) end -- others run meanwhile
            return x + y, "more"
          end, 1000))
        end, range(1000))
        for i = 1, 1000 do assert(answers[i] == i + 1000) end
        local stats = pool:stats()
        assert(stats.max == 2 and stats.waiting == 0 and stats.idle == stats.made)
      ]], options)
      assert.is_true(seen.most >= 1 and seen.most <= 2, "open at once: " .. seen.most)
      assert.are.equal(seen.opened, seen.closed)
      local written = lines_of("data")
      assert.are.equal(1000, #written)
      local found = {}
      for _, line in ipairs(written) do found[tonumber(line)] = true end
      for i = 1, 1000 do assert.is_true(found[i]) end
    end)

    it("gives another one to a task while the first one waits with its own", function()
      local out = well([[
        local pool = files(3)
        local channel = tm.channel(3)
        local first = tm.submit(function()
          return pool:with(function(file)
            channel:put(tostring(file))
            while (channel:state()) > 0 do tm.sleep(0.001) end
            return tostring(file)
          end)
        end)
        local second = tm.submit(function()
          return pool:with(function(file) return channel:take() .. " " .. tostring(file) end)
        end)
        local one, both = first:result(), second:result()
        print(both:sub(1, #one) == one, both:sub(#one + 2) ~= one, pool:stats().made)
      ]], options)
      assert.are.equal("true\ttrue\t2\n", out)
    end)

    it("gives back after errors of every kind, and raises them as they are", function()
      local out, seen = well([[
        local pool = files(1)
        local thrown = { "text", { code = 7 }, false }
        local answers = tm.map(function(i)
          local value = thrown[i]
          local fine, caught = pcall(pool.with, pool, function() error(value, 0) end)
          return { fine = fine, same = rawequal(caught, value), kind = type(caught) }
        end, { 1, 2, 3 })
        for _, answer in ipairs(answers) do print(answer.fine, answer.same, answer.kind) end
        print(pcall(tm.map, function() pool:with(function() error("at a line") end) end, { 1 }))
        print(pool:stats().idle)
      ]], options)
      contains(out, "false\ttrue\tstring\nfalse\ttrue\ttable\nfalse\ttrue\tboolean\n")
      contains(out, "at a line\n1\n")
      assert.are.same({ most = 1 }, { most = seen.most })
      assert.are.equal(seen.opened, seen.closed)
    end)

    it("is closed at once, and is an error from then on", function()
      local out, seen = well([[
        local pool = files(4)
        tm.map(function(x)
          pool:with(function() if x % 3 == 0 then tm.sleep(0.001) end end)
        end, range(20))
        assert(pool:stats().made > 0)
        pool:close()
        note("after")
        print(pool:stats().made, pcall(pool.with, pool, print))
        print(select(2, pcall(tm.map, function() pool:with(print) end, { 1 })))
        pool:close() -- once more: nothing
      ]], options)
      assert.are.equal("after", lines_of("events")[seen.opened + seen.closed + 1])
      assert.are.equal(seen.opened, seen.closed)
      contains(out, "0\tfalse\t")
      contains(out, "pool \"files\" is closed\n")
    end)

    it("tells those who wait when it is closed, and closes what comes back", function()
      local out, seen = well([[
        local pool, gate = files(1), tm.channel(1)
        local holder = tm.submit(function()
          return pool:with(function(file)
            gate:put("has it")
            tm.sleep(0.02)
            file:write("still open\n")
            return "done"
          end)
        end)
        assert(gate:take() == "has it")
        local waiter = tm.submit(function()
          gate:put("asks")
          return pool:with(function() return "had it" end)
        end)
        gate:take()
        while pool:stats().waiting == 0 do tm.sleep(0.001) end
        pool:close()
        print(holder:result(), pcall(waiter.result, waiter))
      ]], options)
      contains(out, "done\tfalse\t")
      contains(out, "pool \"files\" is closed")
      assert.are.same({ opened = 1, closed = 1, most = 1 }, seen)
      assert.are.same({ "still open" }, lines_of("data"))
    end)

    it("serves the script, which keeps one until it waits", function()
      local out, seen = well([[
        local pool = files(1)
        for _ = 1, 3 do pool:with(function(file) file:write("script\n") end) end
        print(pool:stats().made, pool:stats().idle)
        tm.map(function() pool:with(function(file) file:write("task\n") end) end, { 1, 2, 3 })
        pool:with(function(file) file:write("script\n") end)
      ]], options)
      assert.are.equal("1\t1\n", out)
      assert.is_true(seen.opened >= 3 and seen.opened <= 5) -- the script twice, one to three workers
      assert.are.same({ closed = seen.opened, most = 1 }, { closed = seen.closed, most = seen.most })
      assert.are.same({ "script", "script", "script", "task", "task", "task", "script" }, lines_of("data"))
    end)

    it("says so when a wait for one can never end, and goes on", function()
      local out, seen = well([[
        local pool = files(1)
        local function nested() return pool:with(function() return pool:with(print) end) end
        print(pcall(tm.compute, tm.delayed(nested)()))
        print(pcall(nested))
        print(pool:with(tostring) ~= nil, tm.map(function() return pool:with(io.type) end, { 1 })[1])
      ]], options)
      contains(out, "pool \"files\": this wait could never end: all 1 are in use")
      contains(out, "pool \"files\": the script has all 1 itself")
      contains(out, "true\tfile\n")
      assert.are.equal(seen.opened, seen.closed)
      assert.are.equal(1, seen.most)
    end)

    it("gives a second one to with() inside with()", function()
      local out = well([[
        local pool = files(2)
        print(tm.map(function()
          return pool:with(function(a) return pool:with(function(b) return a ~= b end) end)
        end, { 1 })[1])
        print(pool:with(function(a) return pool:with(function(b) return a ~= b end) end))
      ]], options)
      assert.are.equal("true\ntrue\n", out)
    end)

    it("works in callbacks of string.gsub, and in coroutines of the task", function()
      local _, seen = well([[
        local pool = files(1)
        local answers = tm.map(function(x)
          local text = ("ab"):gsub("%w", function(c)
            if x % 10 == 0 then tm.sleep(0.001) end
            return pool:with(function() return c .. x end)
          end)
          local inner = coroutine.wrap(function() return pool:with(function() return text end) end)
          return inner()
        end, range(40))
        for x = 1, 40 do assert(answers[x] == "a" .. x .. "b" .. x) end
      ]], options)
      assert.are.equal(1, seen.most)
      assert.are.equal(seen.opened, seen.closed)
    end)

    it("ends a wait in a callback above the task that has what it needs", function()
      local out, seen = well([[
        local pool = files(1)
        local function hold() return pool:with(function() tm.sleep(0.01) return "held" end) end
        local function nested(x)
          return (tostring(x):gsub(".+", function() return hold() end))
        end
        local futures = tm.submit_all(nested, range(20))
        tm.wait(futures)
        local held, refused = 0, 0
        for _, future in ipairs(futures) do
          local fine, what = pcall(future.result, future)
          if fine and what == "held" then held = held + 1 end
          if not fine and tostring(what):find("this wait could never end", 1, true) then
            refused = refused + 1
          end
        end
        print(held > 0, held + refused)
      ]], options)
      assert.are.equal("true\t20\n", out)
      assert.are.equal(1, seen.most)
      assert.are.equal(seen.opened, seen.closed)
    end)

    it("names itself in an error of create, and its place is free again", function()
      local out = well([[
        local pool = tm.pool { name = "broken", max = 1,
          create = function() return io.open("/nowhere/file") end }
        local raises = tm.pool { name = "raises", max = 1, create = function() error({ code = 5 }) end }
        local errors = tm.map(function(p)
          local fine, problem = pcall(p.with, p, print)
          local again = pcall(p.with, p, print)
          return { tostring(problem), type(problem) == "table" and problem.cause.code, fine, again }
        end, { pool, raises })
        for _, e in ipairs(errors) do print(e[1], e[2], e[3], e[4]) end
        print(pcall(pool.with, pool, print))
        print(pool:stats().made, raises:stats().made)
      ]], options)
      contains(out, "pool \"broken\": create failed: /nowhere/file: No such file or directory\t"
        .. "false\tfalse\tfalse\n")
      contains(out, "pool \"raises\": create failed: table: ")
      contains(out, "\t5\tfalse\tfalse\n")
      contains(out, "0\t0\n")
    end)

    it("warns of errors in close, and of waits there", function()
      local result, seen = run([[
        local pool = files(2, function(file)
          file:close()
          note("close")
          tm.sleep(1)
        end)
        tm.map(function() pool:with(print) end, { 1 })
        pool:close()
        local other = files(1, function() error("cannot close", 0) end)
        other:with(print)
        other:close()
        print(other:stats().made)
      ]], options)
      assert.are.equal(0, result.status)
      contains(result.err, "pool \"files\": close failed: pool \"files\": close must not wait")
      contains(result.err, "pool \"files\": close failed: cannot close")
      contains(result.out, "\n0\n")
      assert.are.same({ 2, 1 }, { seen.opened, seen.closed })
    end)

    it("closes what is discarded instead of keeping it", function()
      local out, seen = well([[
        local pool = files(1)
        print(table.concat(tm.map(function(x)
          return pool:with(function(file)
            if x % 2 == 0 then pool:discard(file) end
            return x
          end)
        end, range(6)), " "))
        pool:with(function(file) pool:discard(file) end)
        print(pool:stats().made, pcall(pool.discard, pool, 1))
      ]], options)
      contains(out, "1 2 3 4 5 6\n0\tfalse\t")
      contains(out, "pool \"files\": discard: expected what with() has given")
      assert.is_true(seen.opened >= 4)
      assert.are.equal(seen.opened, seen.closed)
    end)

    it("is closed when the script fails, with what its tasks still have", function()
      local result, seen = run([[
        local pool, gate = files(3), tm.channel(1)
        local future = tm.submit(function()
          return pool:with(function()
            gate:put("has it")
            tm.sleep(1000)
          end)
        end)
        pool:with(print)
        gate:take()
        pool:with(function() error("the script fails, " .. future:status(), 0) end)
      ]], options)
      assert.are.equal(1, result.status)
      contains(result.err, "the script fails, running")
      assert.is_true(seen.opened >= 2)
      assert.are.equal(seen.opened, seen.closed)
    end)
  end)
end

describe("a pool", function()
  it("moves to the worker that waits, when another keeps what it needs", function()
    local out, seen = well([[
      local pool = files(1)
      -- Each worker in turn needs the only file, while the others sleep.
      local function use(file) file:write("x\n") return "had it" end
      local task = tm.delayed(function() return pool:with(use) end)
      local futures = {}
      for round = 1, 3 do
        for i = 1, 4 do futures[i] = task:with { affinity = i }():submit() end
        for i = 1, 4 do assert(futures[i]:result() == "had it") end
      end
      print(pool:stats().made)
    ]])
    assert.are.equal("1\n", out)
    assert.are.equal(1, seen.most)
    assert.are.equal(seen.opened, seen.closed)
    assert.are.equal(12, #lines_of("data"))
  end)

  it("that nobody holds any more is closed when it is collected", function()
    local out, seen = well([[
      local function text()
        local file = io.open(folder .. "/events")
        local lines = file:read("*a"):gsub("\n", " ")
        file:close()
        return lines
      end
      (function() files(2):with(print) end)()
      collectgarbage()
      collectgarbage()
      tm.sleep(0) -- the script looks when it waits
      print(text());
      -- In a task, where nothing else holds it.
      (function()
        tm.map(function() files(2):with(io.type) end, { 1 })
      end)()
      for _ = 1, 1000 do
        tm.map(function() collectgarbage() end, range(20))
        if text() == "open close open close " then break end
      end
      note("after")
    ]])
    contains(out, "\nopen close \n")
    assert.are.same({ opened = 2, closed = 2, most = 1 }, seen)
    assert.are.same({ "open", "close", "open", "close", "after" }, lines_of("events"))
  end)

  it("is a pool of its own in a task, too", function()
    local out, seen = well([[
      print(table.concat(tm.map(function(x)
        local own = files(1)
        local kind = own:with(io.type)
        own:close()
        return kind .. x
      end, range(4)), " "))
    ]])
    assert.are.equal("file1 file2 file3 file4\n", out)
    assert.are.equal(4, seen.opened)
    assert.are.equal(4, seen.closed)
  end)

  it("is closed by a stock LuaJIT, too", function()
    if helper.sanitized then
      return pending("the child has no sanitizer preloaded")
    end
    local quote = process.quote
    process.write(folder .. "/script.lua", prologue .. [[
      local pool = files(2)
      tm.map(function() pool:with(print) end, { 1 })
      pool:with(print)
      if arg[1] == "exit" then os.exit(0) end
    ]])
    for _, word in ipairs { "exit", "end" } do
      os.remove(folder .. "/events")
      local _, err, status = helper.shell(("LUA_CPATH=%s %s %s %s"):format(
        quote(helper.products .. "/?.so"), os.getenv("LUAJIT") or "luajit",
        quote(folder .. "/script.lua"), word))
      assert.are.equal("", err)
      assert.are.equal(0, status)
      local seen = events()
      assert.are.same({ 2, 2 }, { seen.opened, seen.closed })
    end
  end)

  it("refuses what it cannot use", function()
    local function problem(...) return select(2, pcall(tm.pool, ...)) end
    local function create() end
    contains(problem(), "pool: expected pool{create = function, close = function, max = 4}, got a nil")
    contains(problem { max = 1 }, "pool: create: expected a function that makes a resource, got a nil")
    contains(problem { create = create }, "pool: max: expected a whole number from 1 to 2^20, got nil")
    contains(problem { create = create, max = 0 }, "pool: max: expected a whole number from 1")
    contains(problem { create = create, max = 1.5 }, "pool: max: expected a whole number from 1")
    contains(problem { create = create, max = 1, close = 1 }, "pool: close: expected a function")
    contains(problem { create = create, max = 1, name = 1 }, "pool: name: expected a text")
    contains(problem { create = create, max = 1, maxx = 1 },
      "pool: unknown option \"maxx\", did you mean \"max\"?")
    local pool = tm.pool { create = create, max = 1 }
    contains(select(2, pcall(pool.with, pool, 5)), "expected with(function, ...), got a number")
    contains(tostring(pool), "pool \"pool_spec.lua:")
  end)
end)
