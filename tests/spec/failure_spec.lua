-- Tasks that fail, are tried again, are cancelled, run out of memory or of stack.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local process = require "tests.spec.process"

local sanitized = helper.sanitized

local shared = require "tests.spec.everywhere"
local run, everywhere = shared.run, shared.prints
local contains, lanes = require("tests.spec.expect").contains, shared.lanes

-- What a task gives, or the message of its error.
local try = [[
local function try(name, fn, ...)
  local fine, value = pcall(function(...) return tm.delayed(fn, { name = name })(...):compute() end, ...)
  local text
  if fine then text = "gave " .. tostring(value) else text = "raised " .. tostring(value.message) end
  io.write(name, ": ", text, "\n")
  return value
end
]]

describe("a task throws", function()
  it("a text, a number, a table, nil, an object that speaks", function()
    everywhere([[
text: raised as it is
number: raised 5
table: raised the task threw a table
nil: raised nil
false: raised false
speaks: raised I speak
message: raised in the field
number table boolean nil
7 tables
]], try .. [[
      try("text", function() error("as it is", 0) end)
      try("number", function() error(5, 0) end)
      local a = try("table", function() error({ code = 7, list = { "tables" } }) end)
      try("nil", function() error() end)
      local b = try("false", function() error(false) end)
      local c = try("speaks", function()
        error(setmetatable({}, { __tostring = function() return "I speak" end }))
      end)
      try("message", function() error({ message = "in the field" }) end)
      io.write(type(a.cause.code), " ", type(c.cause), " ", type(b.cause), " ",
        type(try and b.task and a.nothing), "\n", a.cause.code, " ", a.cause.list[1], "\n")]])
  end)

  it("an object whose __tostring raises, or gives no text", function()
    everywhere([[
mute: raised an error whose description failed
no text: raised the task threw a table
index: raised an error whose description failed
after: gave 1
]], try .. [[
      try("mute", function() error(setmetatable({}, { __tostring = function() error("inner") end })) end)
      try("no text", function() error(setmetatable({}, { __tostring = function() return {} end })) end)
      try("index", function() error(setmetatable({}, { __index = function() error("inner") end })) end)
      try("after", function() return 1 end)]])
  end)

  it("what cannot cross: its text does", function()
    for _, workers in ipairs(lanes) do
      local out = run(workers, try .. [[
        local e = try("thread", function() error(coroutine.create(print)) end)
        print(e.cause)
        e = try("file", function() error({ io.stdout, message = "with a file" }) end)
        print(e.cause)]]).out
      assert.is_truthy(out:find("^thread: raised thread: [^\n]*\nnil\nfile: raised with a file\nnil\n$"), out)
    end
  end)

  it("an error inside an error handler", function()
    everywhere("handler: gave false\nagain: gave false\n", try .. [[
      local function broken() error("again") end
      try("handler", function() return (xpcall(error, broken, "first")) end)
      try("again", function() return (xpcall(function() return nil + 1 end, broken)) end)]])
  end)

  it("through tasks that waited: the message and the task stay those of the first", function()
    everywhere("at the bottom|bottom|1|true\n", [[
      local bottom = tm.delayed(function() error("at the bottom", 0) end, { name = "bottom" })
      local middle = tm.delayed(function() return bottom():compute() end, { name = "middle" })
      local top = tm.delayed(function()
        return (("x"):gsub(".", function() return middle():compute() end))
      end, { name = "top" })
      local _, e = pcall(function() return top():compute() end)
      print(e.message .. "|" .. e.task .. "|" .. e.failed .. "|" .. tostring(e.traceback ~= nil))]])
  end)

  it("and what needs it is skipped, all else runs", function()
    everywhere("1 4\nerror finished skipped 2\n", [[
      local bad = tm.delayed(function() error("bad", 0) end)
      local log = tm.channel(10)
      local good = tm.delayed(function(x) log:put(x) return x end)
      local failed = bad()
      local _, e = pcall(tm.compute, { good(failed), good(good(failed)), good(1), good(failed) })
      print(e.failed .. " " .. e.skipped)
      local a, b, c = bad():submit(), good(2):submit(), good(bad()):submit()
      tm.wait({ a, b, c })
      pcall(a.result, a)
      pcall(c.result, c)
      print(a:status() .. " " .. b:status() .. " " .. c:status() .. " " .. (log:state()))]])
  end)
end)

describe("an error that nobody asked for", function()
  local function fails_at_the_end(text)
    for _, workers in ipairs(lanes) do
      local result = run(workers, text)
      assert.are.equal("end\n", result.out)
      assert.are.equal(1, result.status)
      contains(result.err, "nobody asked")
    end
  end

  it("of a task that a task has started ends the script with status 1", function()
    fails_at_the_end [[
      tm.submit(function()
        require("tidemill").submit(function() error("nobody asked", 0) end)
        return 1
      end):result()
      print("end")]]
  end)

  it("is the script's, too, when that has only computed, and is waited for", function()
    fails_at_the_end [[
      print(tm.delayed(function()
        local tm = require "tidemill"
        tm.submit(function() tm.sleep(0.02) error("nobody asked", 0) end)
        return "end"
      end)():compute())]]
  end)

  it("is none when the task asks: by result, gather, or a node that needs it", function()
    everywhere("3\n", [[
      local bad = tm.delayed(function() error("bad", 0) end)
      local good = tm.delayed(function() return 1 end)
      print(tm.submit(function()
        local tm = require "tidemill"
        local a, b, c = bad():submit(), bad():submit(), bad():submit()
        local count = 0
        for _, fn in ipairs { function() return a:result() end, function() return tm.gather { b } end,
          function() return tm.delayed(function(x) return x end)(c):compute() end } do
          if not pcall(fn) then count = count + 1 end
        end
        return count
      end):result())]])
  end)
end)

describe("retries", function()
  -- Fails until the counter has reached `failures`.
  local flaky = [[
    local function flaky(given, failures)
      local counter = tm.channel(1)
      counter:put(0)
      local task = tm.delayed(function()
        local n = counter:take() + 1
        counter:put(n)
        if n <= failures then error("attempt " .. n, 0) end
        return n
      end, given)
      local fine, value = pcall(function() return task():compute() end)
      return fine, value, counter:take()
    end
    local function show(fine, value, ran)
      print(("%s %s %d"):format(tostring(fine), tostring(value), ran))
      return value
    end
  ]]

  it("are as many as were asked for", function()
    everywhere("true 3 3\nfalse attempt 3 3\nfalse attempt 1 1\ntrue 1 1\n3 3\n", flaky .. [[
      show(flaky({ retries = 2, retry_delay = 0 }, 2))
      local e = show(flaky({ retries = 2, retry_delay = 0.001, backoff = 1 }, 3))
      show(flaky({ retries = 0 }, 1))
      show(flaky({ retries = 5 }, 0))
      print(e.attempt .. " " .. #e.attempts)]])
  end)

  it("keep how long each attempt took", function()
    everywhere("3 true true\n", [[
      local task = tm.delayed(function() tm.sleep(0.01) error("x", 0) end,
        { retries = 2, retry_delay = 0 })
      local _, e = pcall(function() return task():compute() end)
      local least = math.min(unpack(e.attempts))
      print(#e.attempts .. " " .. tostring(least >= 0.01) .. " " .. tostring(least < 10))]])
  end)

  it("ask retry_on, whose own error is told", function()
    everywhere("true 3 3\nfalse attempt 1 1\nfalse attempt 2 2\nfalse true 1\n", flaky .. [[
      show(flaky({ retries = 2, retry_delay = 0, retry_on = function() return true end }, 2))
      show(flaky({ retries = 2, retry_delay = 0, retry_on = function() return false end }, 2))
      show(flaky({ retries = 5, retry_delay = 0, retry_on = function(e) return e.attempt < 2 end }, 9))
      local fine, e, ran = flaky({ retries = 2, retry_on = function() error("cannot tell", 0) end }, 2)
      print(("%s %s %d"):format(tostring(fine),
        tostring(e.message == "attempt 1 (and retry_on failed: cannot tell)"), ran))]])
  end)

  it("wait between attempts without a worker", function()
    for _, workers in ipairs { 0, 1 } do
      local out = run(workers, flaky .. [[
        local other = tm.delayed(function() return tm.clock() end)
        local began = tm.clock()
        local node = tm.delayed(function(done)
          if (done:state()) == 0 then error("not yet", 0) end
          return "after the other"
        end, { retries = 100, retry_delay = 0.005, backoff = 1 })
        local done = tm.channel(1)
        print(tm.compute(node(done), tm.delayed(function() done:put(1) end)()))]]).out
      assert.are.equal("after the other\tnil\n", out)
    end
  end)

  it("wait between attempts without their resources", function()
    everywhere("yes\tcancelled\n", [[
      tm.config { resources = { one = 1 } }
      local fail = tm.delayed(function() error("no", 0) end,
        { resources = { one = 1 }, retries = 1, retry_delay = 600 })
      local waits = fail():submit()
      local other = tm.delayed(function() return "yes" end, { resources = { one = 1 } })():submit()
      local result = other:wait(60) and other:result() or other:status()
      waits:cancel()
      waits:wait()
      print(result, waits:status())]])
  end)

  it("options are checked by name", function()
    local out = run(1, [[
      local function refuse(given) print((select(2, pcall(tm.delayed, print, given)))) end
      refuse { retries = -1 }
      refuse { retries = 1.5 }
      refuse { retry_delay = -1 }
      refuse { retry_delay = "1" }
      refuse { retry_on = true }
      refuse { backoff = 0.5 }
      refuse { backoff = { fctor = 2 } }
      refuse { backoff = { jitter = 2 } }
      refuse { backoff = { factor = "2" } }
      refuse { backoff = { max = -1 } }
      refuse { backoff = { 2 } }
      refuse { resources = { db = 0 } }
      refuse { resources = { "db" } }
      refuse { files = {} }]]).out
    for name, expected in pairs { retries = "a whole number from 0 to 1000",
      retry_on = "a function of the error", retry_delay = "seconds, a number from 0",
      backoff = "a factor from 1, or a table such as" } do
      contains(out, ("option \"%s\": expected %s"):format(name, expected))
    end
    for _, expected in ipairs {
      'option "backoff": expected one of factor, max and jitter, got the key "fctor"',
      'option "backoff": jitter: expected a share from 0 to 1, got 2',
      'option "backoff": factor: expected a number from 1, got "2"',
      'option "backoff": max: expected seconds, a number from 0, got -1',
      'option "backoff": expected one of factor, max and jitter, got the key 1',
      'option "resources": db: expected an amount above 0, at most 1e9, got 0',
      'option "resources": expected a name, as in {db = 1}, got the key 1',
      'option "files": expected a list of paths, got an empty table',
    } do contains(out, expected) end
    assert.is_nil(out:find("delayed function", 1, true), out)
    local _, count = out:gsub("\n", "")
    assert.are.equal(14, count)
  end)
end)

describe("cancelling", function()
  it("ends tasks that wait: for a time, a channel, a child, another attempt, a resource", function()
    everywhere("cancelled cancelled cancelled cancelled cancelled cancelled\n", [[
      local channel = tm.channel(1)
      local nap = tm.delayed(function() tm.sleep(600) end)
      local fail = tm.delayed(function() error("x") end, { retries = 9, retry_delay = 600, backoff = 1 })
      local hold = tm.delayed(function() tm.sleep(600) end, { resources = { db = 1 } })
      local futures = {
        nap():submit(),
        tm.submit(function() return channel:take() end),
        tm.submit(function() return nap():compute() end),
        fail():submit(),
        hold():submit(),
        hold():submit(),
      }
      tm.sleep(0.02)
      for _, future in ipairs(futures) do future:cancel() end
      local states = {}
      for i, future in ipairs(futures) do
        future:wait()
        states[i] = future:status()
      end
      print(table.concat(states, " "))]], "--set", "resources=db=1")
  end)

  it("ends waits in callbacks and coroutines too", function()
    -- On the serial lane these waits lie above the script itself, which cannot cancel them.
    for _, workers in ipairs { 1, 2, 8 } do
      local result = run(workers, [[
      local nap = tm.delayed(function() tm.sleep(600) end)
      local futures = {
        tm.submit(function() return (("x"):gsub(".", function() return nap():compute() end)) end),
        tm.submit(function() table.sort({ 1, 2, 3 }, function() nap():compute() end) end),
        tm.submit(function() coroutine.wrap(function() tm.sleep(600) end)() end),
      }
      tm.sleep(0.02)
      for _, future in ipairs(futures) do future:cancel() end
      local states = {}
      for i, future in ipairs(futures) do
        future:wait()
        states[i] = future:status()
      end
      print(table.concat(states, " "))]])
      assert.are.equal("cancelled cancelled cancelled\n", result.out, result.err)
    end
  end)

  it("cancels what the task has started, and what that has started", function()
    everywhere("cancelled\ncancelled 3\n", [[
      local log = tm.channel(100)
      local down
      down = tm.delayed(function(depth)
        log:put(depth)
        if depth == 3 then tm.sleep(600) log:put("never") end
        return down(depth + 1):compute()
      end)
      local future = down(1):submit()
      while (log:state()) < 3 do tm.sleep(0.001) end
      future:cancel()
      future:wait()
      print(future:status())
      local dropped = tm.submit(function()
        down(3):submit()
        down(3):submit()
        tm.sleep(600)
      end)
      while (log:state()) < 5 do tm.sleep(0.001) end
      dropped:cancel()
      dropped:wait()
      local seen = {}
      while (log:state()) > 0 do seen[#seen + 1] = tostring(log:take()) end
      table.sort(seen)
      print(dropped:status() .. " " .. seen[#seen])]])
  end)

  it("keeps no answer of a cached task that catches it and goes on", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    for _, workers in ipairs { "1", "2" } do
      local cache = ("%s/%s.db"):format(folder, workers)
      local result = process.run { "--workers", workers, "--cache", cache, "-e", [[
        local nap = tm.delayed(function() tm.sleep(600) end)
        local waits = {
          function() tm.sleep(600) end,
          function() tm.channel(1):take(600) end,
          function() nap():compute() end,
          function() nap():submit():result() end,
          function() return (("x"):gsub(".", function() tm.sleep(600) end)) end,
        }
        for _ = 1, 2 do
          for i, wait in ipairs(waits) do
            local task = tm.delayed(function() return pcall(wait) and "waited" or "gave up" end,
              { cache = true, version = i })
            local future = task():submit()
            while future:status() == "pending" do tm.sleep(0.001) end
            tm.sleep(0.005)
            future:cancel()
            future:wait()
          end
        end
        print(tm.stats().hits)]] }
      assert.are.equal("0\n", result.out, result.err)
    end
  end)

  it("ends a wait that begins after it", function()
    for _, workers in ipairs { 1, 2 } do
      local result = run(workers, [[
        local future = tm.submit(function()
          while not tm.cancelled() do end
          tm.sleep(600)
        end)
        while future:status() ~= "running" do tm.sleep(0.001) end
        future:cancel()
        print(future:wait(60), future:status())]])
      assert.are.equal("true\tcancelled\n", result.out, result.err)
    end
  end)

  it("leaves alone what has ended, and what others need", function()
    everywhere("1 finished 2\n", [[
      local one = tm.delayed(function() return 1 end)
      local future = one():submit()
      future:wait()
      future:cancel()
      local shared = one()
      local a, b = tm.submit(tm.delayed(function(x) return x + 1 end)(shared)), tm.submit(shared)
      b:cancel()
      print(future:result() .. " " .. future:status() .. " " .. a:result())]])
  end)
end)

describe("cancelling at random moments", function()
  it("loses no resource and no task, beside retries and waits", function()
    local seed = os.time() % 1000000
    for _, workers in ipairs { "0", "1", "2", "8" } do
      local result = process.run { "--workers", workers, "--cache", "off", "-e", ([[
        math.randomseed(%d)
        tm.config { resources = { db = 2, net = 3 } }
        local f = tm.delayed(function(i, mode)
          if mode == 1 then tm.sleep(0.0005 * (i %% 5)) return i end
          if mode == 2 then error("broken") end
          if mode == 3 then
            local child = tm.submit(function(x) tm.sleep(0.0003) return x end, i)
            if i %% 3 == 0 then child:cancel() end
            return select(2, pcall(child.result, child)) and i
          end
          if math.random() < 0.5 then error("again") end
          return i
        end)
        local db, both = { db = 1 }, { db = 1, net = 2 }
        local kinds = { f, f:with { resources = db }, f:with { priority = 2 },
          f:with { retries = 3, retry_delay = 0.0005, backoff = { factor = 2, jitter = 0.5 } },
          f:with { resources = both, retries = 2, retry_delay = 0.0002 } }
        local sum = tm.delayed(function(list) return #list end, { resources = { net = 1 } })
        local ended, rounds = 0, 12
        for round = 1, rounds do
          local futures, inputs = {}, {}
          for i = 1, 40 do futures[i] = tm.submit(kinds[math.random(5)], i, math.random(4)) end
          for i = 1, 10 do inputs[i] = kinds[math.random(5)](i, 1) end
          futures[41] = sum(inputs):submit()
          if math.random(2) == 1 then tm.sleep(math.random() * 0.004) end
          for _ = 1, math.random(30) do futures[math.random(41)]:cancel() end
          if round %% 5 == 0 then tm.cancel() end
          assert(tm.wait(futures, 40), "futures that do not end")
          for _, future in ipairs(futures) do
            local status = future:status()
            assert(pcall(future.result, future) == (status == "finished"), status)
            if ("finished error cancelled skipped"):find(status, 1, true) then ended = ended + 1 end
          end
        end
        local all = f:with { resources = { db = 2, net = 3 } }
        print(ended == 41 * rounds, tm.submit(all, 7, 1):result(40), tm.stats().queued)]]):format(seed) }
      assert.are.equal("true\t7\t0\n", result.out, ("seed %d: %s"):format(seed, result.err))
    end
  end)
end)

describe("recursion without end is an error", function()
  local ways = {
    ["through calls"] = "local function f(n) return 1 + f(n + 1) end return f(1)",
    ["through string.gsub"] = "local function f() return (('a'):gsub('.', f)) end return f()",
    ["through table.sort"] = [[local function f()
      table.sort({ 1, 2 }, function(a, b) f() return a < b end)
    end f()]],
    ["through coroutines"] = "local function f() return coroutine.wrap(f)() end return f()",
    ["through coroutine.resume"] = [[local function f()
      local fine, problem = coroutine.resume(coroutine.create(f))
      if not fine then error(problem, 0) end
    end return f()]],
    ["through coroutines in string.gsub"] = [[local function f()
      return coroutine.wrap(function() return (('a'):gsub('.', f)) end)()
    end return f()]],
    ["through deep string.gsub in coroutines"] = [[local function deep(n)
      if n == 0 then return coroutine.wrap(deep)(2000) end
      return (("a"):gsub(".", function() return deep(n - 1) end))
    end return deep(2000)]],
    ["through pcall"] = [[local function f()
      local ok, e = pcall(f) if not ok then error(e, 0) end return 1
    end return f()]],
    ["through pcall in string.gsub"] = [[local function f()
      return (("a"):gsub(".", function() local ok, e = pcall(f) if not ok then error(e, 0) end return e end))
    end return f()]],
    ["through __index"] = [[local meta = {}
      meta.__index = function(t, key) return t[key + 1] + 1 end
      return setmetatable({}, meta)[1] ]],
    ["through __tostring"] = [[local meta = {}
      meta.__tostring = function(t) return "a" .. tostring(t) end
      return tostring(setmetatable({}, meta))]],
    ["through __concat"] = [[local meta = {}
      meta.__concat = function(a, b) return 1 + (a .. b) end
      return setmetatable({}, meta) .. ""]],
    ["through __lt"] = [[local meta = {}
      meta.__lt = function(a, b) return not (a < b) end
      return setmetatable({}, meta) < setmetatable({}, meta)]],
    ["through an iterator"] = [[local function f()
      local n = 0 for x in f do n = n + x end return n + 1
    end return f()]],
    ["through loaded text"] = [[local function f()
      return 1 + assert(loadstring("return ..."))(f())
    end return f()]],
  }
  for name, body in pairs(ways) do
    it(name, function()
      for _, workers in ipairs { 0, 1, 8 } do
        local result = run(workers, ([[
          local function endless() %s end
          local node = tm.delayed(endless, { name = "endless" })()
          local fine, problem = pcall(function() return node:compute() end)
          print(fine, problem.task, problem.message:find("stack overflow") ~= nil)
          print(tm.delayed(function() return "goes on" end)():compute())]]):format(body))
        assert.are.equal("false\tendless\ttrue\ngoes on\n", result.out,
          ("%d workers, status %s: %s"):format(workers, result.status, result.err))
      end
    end)
  end

  it("through waits in callbacks, of tasks that start one another", function()
    for _, workers in ipairs { 0, 1, 2 } do
      local result = run(workers, [[
        local f
        f = tm.delayed(function(n) return (("a"):gsub(".", function() return f(n + 1):compute() end)) end)
        local fine, problem = pcall(function() return f(1):compute() end)
        print(fine, problem)
        print(tm.delayed(function() return "goes on" end)():compute())]])
      contains(result.out, "false\ttoo many waits inside string.gsub")
      contains(result.out, "goes on\n")
    end
  end)

  it("through callbacks of tasks that submit one another, which leave none behind", function()
    for _, workers in ipairs { 0, 1, 2 } do
      local result = run(workers, [[
        local function f() return (("a"):gsub(".", function() return tm.submit(f):result() end)) end
        local function g() return coroutine.wrap(function() return tm.submit(g):result() end)() end
        for _, endless in ipairs { f, g } do
          local future = tm.submit(endless)
          print(future:wait(30), select(2, pcall(future.result, future)))
          tm.cancel()
        end]])
      assert.are.equal(2, select(2, result.out:gsub("true\ttoo many waits inside", "")), result.out)
    end
  end)
end)

describe("a module that fails to load", function()
  local folder

  before_each(function() folder = helper.folder() end)
  after_each(function() helper.remove(folder) end)

  it("tells every task and every attempt the reason, and loads when it can", function()
    helper.write(folder .. "/broken.lua", "error('no licence', 0)")
    helper.write(folder .. "/busy.lua", "Tries = (Tries or 0) + 1\nif Tries < 3 then error('busy', 0) end\n"
      .. "return { tries = Tries }")
    everywhere([[
no licence	no licence	no licence
false	no licence	3
false	busy
false	busy
true	3
]], ("package.path = %q .. '/?.lua;' .. package.path\n"):format(folder) .. [[
      local r = tm.batch(function() return require("broken") end, { 1, 2, 3 })
      print(r.errors[1].error, r.errors[2].error, r.errors[3].error)
      local again = tm.delayed(function() return require("broken") end, { retries = 2, retry_delay = 0 })
      local fine, problem = pcall(tm.compute, again())
      print(fine, problem.message, problem.attempt)
      for _ = 1, 3 do
        local loads, busy = pcall(require, "busy")
        print(loads, loads and busy.tries or busy)
      end]])
  end)

  it("that is being loaded is still a loop", function()
    helper.write(folder .. "/hen.lua", "return (require('egg'))")
    helper.write(folder .. "/egg.lua", "return coroutine.wrap(function() return (require('hen')) end)()")
    for _, workers in ipairs(lanes) do
      local result = run(workers, ("package.path = %q .. '/?.lua;' .. package.path\n"):format(folder)
        .. [[
        for _ = 1, 2 do
          print(pcall(require, "hen"))
          print(pcall(tm.map, function() return require("egg") end, { 1, 2 }))
        end]])
      local _, count = result.out:gsub("loop or previous error loading module", "")
      assert.are.equal(4, count, result.out .. result.err)
    end
  end)
end)

describe("a task that runs out of memory", function()
  -- Memory is limited from outside; sanitizers need too much of it.
  local function limited(workers, kilobytes, text)
    local command = ("ulimit -v %d; %s --workers %d --cache off -e %s"):format(kilobytes,
      process.quote(process.program), workers, process.quote(text))
    local out, err, status = helper.shell(command, 100)
    return out, ("status %s: %s"):format(status, err)
  end

  for name, body in pairs {
    ["by a table of long strings"] = "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i end",
    ["by one string"] = "local s = 'x' while true do s = s .. s end",
    ["by small tables"] = "local t = {} for i = 1, 1e9 do t[i] = { i } end",
    ["while it waits"] = "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i tm.sleep(0) end",
  } do
    it(name .. " fails, and later tasks run", function()
      if sanitized then return pending("sanitizers need more memory") end
      for _, workers in ipairs { 0, 1, 2 } do
        local out, why = limited(workers, 1200000, ([[
          local function greedy() %s end
          for _ = 1, 2 do
            local node = tm.delayed(greedy, { name = "greedy" })()
            local fine, problem = pcall(function() return node:compute() end)
            print(fine, problem.task, problem.message:find("memory") ~= nil)
            print(tm.map(function(x) return x * x end, { 1, 2, 3 })[3])
          end]]):format(body))
        assert.are.equal(("false\tgreedy\ttrue\n9\n"):rep(2), out, workers .. " workers, " .. why)
      end
    end)
  end

  it("and catches the error leaves memory to the tasks after it", function()
    if sanitized then return pending("sanitizers need more memory") end
    for _, workers in ipairs { 0, 1 } do -- of two the one may ask while the other still collects
      local out, why = limited(workers, 1200000, [[
        local greedy = tm.delayed(function()
          local t = {}
          return (pcall(function() for i = 1, 1e9 do t[i] = { i } end end))
        end)
        for _ = 1, 3 do print(greedy():compute()) end
        print(tm.batch(function(i) return #("x"):rep(1e8 + i) end, { 1, 2, 3, 4 }).failed)]])
      assert.are.equal("false\nfalse\nfalse\n0\n", out, workers .. " workers, " .. why)
    end
  end)

  it("by starting tasks that wait, without end", function()
    if sanitized then return pending("sanitizers need more memory") end
    for _, workers in ipairs { 0, 1, 2 } do
      local out, why = limited(workers, 900000, [[
        local f
        f = tm.delayed(function(n) return f(n + 1):compute() end)
        local fine, problem = pcall(function() return f(1):compute() end)
        print(fine, problem.message:find("memory") ~= nil)
        print(tm.delayed(function() return "goes on" end)():compute())]])
      assert.are.equal("false\ttrue\ngoes on\n", out, workers .. " workers, " .. why)
    end
  end)
end)

describe("an item whose result cannot leave its task", function()
  it("fails alone, whatever travels with it", function()
    everywhere("299\t1\t150\ttrue\n298\t150\n", [[
      local items = {}
      for i = 1, 300 do items[i] = i end
      local r = tm.batch(function(i) return i == 150 and coroutine.create(print) or i end, items)
      print(r.successful, r.failed, r.errors[1].index,
        r.errors[1].error.message:find("cannot send a coroutine", 1, true) ~= nil)
      r = tm.batch(function(i)
        if i == 150 then error({ message = "m", on = io.stdout }) end
        if i == 151 then return io.stdout end
        return i
      end, items)
      print(r.successful, r.errors[1].index)]])
  end)
end)

describe("an item that cannot cross to its task", function()
  local items = [[
      local items = {}
      for i = 1, 100 do items[i] = i end
      items[57], items[99] = { 1, { a = io.stdout } }, coroutine.create(print)
      local function same(x) return x end
      local single = tm.delayed(same, { retries = 1 })
  ]]

  it("is named by its place in the whole list", function()
    local first = "cannot send a file to a task (item 57, field [2].a); open it inside the task\n"
    everywhere(first:rep(4), items .. [[
      for _, of_many in ipairs { tm.map, tm.submit_all } do
        for _, f in ipairs { same, single } do print((select(2, pcall(of_many, f, items)))) end
      end]])
  end)

  it("fails alone in a batch, also when it is tried again", function()
    local twice = ("57 item 57, field [2].a 0\n99 item 99 0\n"):rep(2)
    everywhere((twice .. "98 of 100 98 100 true\n"):rep(3), items .. [[
      for _, f in ipairs { same, single, single:with { retries = 0, kind = "io" } } do
        local called, done = 0, 0
        local r = tm.batch(f, items, { progress = function(n) called, done = called + 1, n end })
        for _ = 1, 2 do
          for _, failure in ipairs(r.errors) do
            print(failure.index .. " " .. failure.error.message:match("%((.*)%)") .. " " .. failure.attempts)
          end
          if done == 100 then r:retry() end
        end
        print(("%d of %d %d %d %s"):format(r.successful, r.total, r.results[98], r.results[100],
          tostring(called > 0)))
      end]])
  end)
end)

describe("futures and kept nodes", function()
  it("do not run again for those who need them after their end", function()
    everywhere([[
finished	2	2	2	1
error	no	no	no	1
cancelled	the run was cancelled	the task was cancelled	the task was cancelled	1
finished	2000	2000	2000	2000
]], [[
      local ran = tm.channel(10000)
      local same = tm.delayed(function(x) return x end)
      local function text(fine, value) return tostring(value) end
      local function show(future)
        future:wait()
        io.write(future:status(), "\t", text(pcall(tm.compute, same(future))), "\t",
          text(pcall(function() return tm.submit(function(x) return x end, future):result() end)), "\t",
          text(pcall(function() return future:as_node():submit():result() end)), "\t",
          (ran:state()), "\n")
        while (ran:state()) > 0 do ran:take() end
      end
      show(tm.submit(function(x) ran:put(1) return 2 * x end, 1))
      show(tm.submit(function() ran:put(1) error("no", 0) end))
      local asleep = tm.submit(function() ran:put(1) tm.sleep(600) end)
      while (ran:state()) == 0 do tm.sleep(0.001) end
      asleep:cancel()
      show(asleep)
      local link, node = tm.delayed(function(x) ran:put(1) return x + 1 end), 0
      for _ = 1, 2000 do node = link(node) end
      show(node:submit())]])
  end)

  it("are inputs as arguments and in tables, in several runs, and run once", function()
    everywhere("8 8 3 1\n", [[
      local ran = tm.channel(10)
      local once = tm.delayed(function() ran:put(1) return 4 end)
      local double = tm.delayed(function(x) return 2 * (type(x) == "table" and x.list[1] or x) end)
      local future = once():submit()
      local a, b = double(future):compute(), double({ list = { future } }):compute()
      local sum = tm.delayed(function(x, y) return (x == y and x or 0) - 1 end)(future, future)
      print(a .. " " .. b .. " " .. sum:compute() .. " " .. (ran:state()))]])
  end)

  it("that persist keeps run once, also in tasks", function()
    everywhere("30 1\n12 1\n", [[
      local ran = tm.channel(10)
      local once = tm.delayed(function() ran:put(1) return 10 end)
      local same = tm.delayed(function(x) return x end)
      local kept = once():persist()
      local x = same(kept):compute() + same(kept):compute() + kept:compute()
      print(x .. " " .. (ran:state()))
      ran:take()
      local task = tm.delayed(function()
        local inside = tm.delayed(function() ran:put(1) return 4 end)():persist()
        return same(inside):compute() + same(inside):compute() + inside:compute()
      end)
      print(task():compute() .. " " .. (ran:state()))]])
  end)

  it("carry the error of the task, not their own", function()
    everywhere("broken bad true\nbroken bad skipped\n", [[
      local bad = tm.delayed(function() error("broken", 0) end, { name = "bad" })
      local same = tm.delayed(function(x) return x end, { name = "same" })
      local kept = bad():persist()
      local _, e = pcall(function() return same(kept):compute() end)
      local _, again = pcall(function() return kept:compute() end)
      print(e.message .. " " .. e.task .. " " .. tostring(again.message == e.message))
      local future = same(bad():submit()):submit()
      local _, third = pcall(future.result, future)
      print(third.message .. " " .. third.task .. " " .. future:status())]])
  end)

  it("are refused as upvalues", function()
    local out = run(1, [[
      local future, kept = tm.submit(function() return 1 end), tm.delayed(function() return 1 end)():persist()
      print(pcall(function() return tm.delayed(function() return future end)():compute() end))
      print(pcall(function() return tm.delayed(function() return kept end)():compute() end))]]).out
    contains(out, "cannot send a future to a task")
    contains(out, "upvalue future)")
    contains(out, "upvalue kept)")
  end)

  it("hold memory of their runs until the end without harm: 6,000 of them", function()
    everywhere("6000\n", [[
      local add = tm.delayed(function(a, b) return a + b end)
      local node = add(0, 0):persist()
      for i = 1, 6000 do node = add(node, 1):persist() end
      print(node:compute())]])
  end)
end)

describe("nout", function()
  it("makes as many nodes, each cached by itself", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    local text = [[
      local two = tm.delayed(function(x) return x + 1, { x } end, { nout = 2, cache = true, name = "two" })
      local a, b = two(5)
      if SECOND then
        print(a:compute())
      else
        local x, y = tm.compute(a, b)
        print(x, y[1])
      end
      print(tm.stats().executed)]]
    for _, workers in ipairs { "0", "2" } do
      local cache = ("%s/cache%s.db"):format(folder, workers)
      local first = process.run { "--workers", workers, "--cache", cache, "-e", text }
      assert.are.equal("6\t5\n", first.out:match("^[^\n]*\n"), first.err)
      local second = process.run { "--workers", workers, "--cache", cache, "-e", "SECOND = true " .. text }
      assert.are.equal("6\n0\n", second.out, second.err)
    end
  end)

  it("gives nil for what was not returned, and is an error for more", function()
    everywhere("1 nil\nreturned 3 values, but nout is 2\n", [[
      local a, b = tm.delayed(function() return 1 end, { nout = 2 })()
      local x, y = tm.compute(a, b)
      print(tostring(x) .. " " .. tostring(y))
      local c = tm.delayed(function() return 1, 2, 3 end, { nout = 2 })()
      print((select(2, pcall(function() return c:compute() end))).message)]])
  end)
end)

describe("tm.share", function()
  it("is the value itself in a task, one for all tasks of a worker", function()
    everywhere("2 x true\n", [[
      local shared = tm.share({ 1, { "x" } })
      local task = tm.delayed(function(list, other)
        return { #list, list[2][1], list == other.inner, tostring(list) }
      end)
      local nodes = {}
      for i = 1, 20 do nodes[i] = task(shared, { inner = shared }) end
      local same, first = true, nil
      for _, got in ipairs(tm.compute(nodes)) do
        first, same = first or got, same and got[3]
      end
      print(first[1] .. " " .. first[2] .. " " .. tostring(same))]])
    local out = run(1, [[
      local shared = tm.share({})
      local seen, count = {}, 0
      local task = tm.delayed(function(list) return tostring(list) end)
      for i = 1, 10 do
        local address = task(shared):compute()
        if not seen[address] then seen[address], count = true, count + 1 end
      end
      print(count)]]).out
    assert.are.equal("1\n", out)
  end)
end)

describe("a task with a key", function()
  it("has it in its errors and in the lines that it logs, the same each time; others have none", function()
    everywhere("true\ttrue\ttrue\ttrue\tnil\tnil\n", [[
      local function fails(x) tm.log.info("about to fail") error("no " .. x) end
      local function key_of(given, x)
        given.name = "t"
        local _, problem = pcall(function() return tm.delayed(fails, given)(x):compute() end)
        local lines = tm.logs()
        return problem.key, lines[#lines].key
      end
      local key, logged = key_of({ cache = true }, 1)
      local again, other = key_of({ cache = true }, 1), key_of({ cache = true }, 2)
      print(#key == 32 and not key:find("%X"), key == logged, key == again, key ~= other, key_of({}, 1))]])
  end)
end)
