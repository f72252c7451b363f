-- Tasks that start tasks and wait for them, for times, for channels, for resources.
-- SPDX-License-Identifier: MIT

local shared = require "tests.spec.everywhere"
local run, everywhere = shared.run, shared.prints
local contains, lanes = require("tests.spec.expect").contains, shared.lanes

local fib = [[
local fib
fib = tm.delayed(function(n)
  if n < 2 then return n end
  local first, second = fib(n - 1):submit(), fib(n - 2)
  return first:result() + second:compute()
end, { name = "fib" })
]]

describe("tasks that start tasks", function()
  it("compute Fibonacci numbers on any number of workers", function()
    everywhere("987\n", fib .. "print(fib(16):compute())")
  end)

  it("start them by submit, compute, gather, map, submit_all, persist and tm.wait", function()
    everywhere("3 7 11 4 9 16 5 true 3\n", [[
      local add = tm.delayed(function(a, b) return a + b end)
      local function square(x) return x * x end
      local task = tm.delayed(function()
        local tm = require "tidemill"
        local kept = add(1, 2):persist()
        local futures = tm.submit_all(square, { 2, 3 })
        local waited = tm.wait(futures)
        return table.concat({ kept:compute(), tm.submit(add, 3, 4):result(), tm.gather { add(5, 6) }[1],
          futures[1]:result(), futures[2]:result(), tm.map(square, { 4 })[1],
          add(kept, 2):compute(), tostring(waited), add(kept, 0):compute() }, " ")
      end)
      print(task():compute())]])
  end)

  it("may be deep: 5,000 tasks each wait for the next", function()
    everywhere("5000\n", [[
      local down
      down = tm.delayed(function(n) return n == 0 and 0 or 1 + down(n - 1):compute() end)
      print(down(5000):compute())]])
  end)

  it("that submit themselves, or one another, come back to the functions that are loaded", function()
    local text = [[
      local function note(list, f)
        list[#list + 1] = tostring(f)
        return list
      end
      local function down(n)
        return note(n == 0 and {} or tm.submit(down, n - 1):result(), down)
      end
      local later
      later = tm.delayed(function(n)
        return note(n == 0 and {} or later(n - 1):compute(), later.record.fn)
      end)
      local pong
      local function ping(n) return note(n == 0 and {} or tm.submit(pong, n - 1):result(), pong) end
      function pong(n) return note(n == 0 and {} or tm.submit(ping, n - 1):result(), ping) end
      for _, f in ipairs { down, later, ping } do
        local distinct, count = {}, 0
        for _, name in ipairs(tm.submit(f, 50):result()) do
          if not distinct[name] then distinct[name], count = true, count + 1 end
        end
        print(count <= 6 or count)
      end]]
    -- On two workers each has its own, which the other may be given once more.
    for _, workers in ipairs { 0, 1, 2 } do assert.are.equal("true\ntrue\ntrue\n", run(workers, text).out) end
  end)

  it("draw the same random numbers on any number of workers", function()
    local text = [[
      local leaf = tm.delayed(function(i) return ("%.17g"):format(math.random() + i) end)
      local parent = tm.delayed(function(i)
        local before = math.random()
        local list = {}
        for k = 1, 3 do list[k] = leaf(k):submit() end
        local parts = { ("%.17g"):format(before) }
        for k = 3, 1, -1 do parts[#parts + 1] = list[k]:result() end
        parts[#parts + 1] = ("%.17g"):format(math.random())
        return table.concat(parts, " ")
      end)
      for _, line in ipairs(tm.map(function(i) return parent(i):compute() end, { 1, 2, 3, 4, 5, 6 })) do
        print(line)
      end]]
    local expected = run(0, text).out
    local seen, count = {}, 0
    for number in expected:gmatch("%S+") do
      local fraction = ("%.12f"):format(tonumber(number) % 1)
      assert.is_nil(seen[fraction], "two tasks drew the same")
      seen[fraction], count = true, count + 1
    end
    assert.are.equal(30, count)
    everywhere(expected, text)
    assert.are_not.equal(expected, run(2, text, "--set", "seed=3").out)
  end)
end)

describe("a task waits", function()
  it("in string.gsub, table.sort and coroutines of its own", function()
    everywhere("13a13b13c\n1 3 5 7 9\n8 13 21\n", fib .. [[
      local task = tm.delayed(function()
        local text = ("abc"):gsub(".", function(letter) return tostring(fib(7):compute()) .. letter end)
        local list = { 5, 3, 9, 1, 7 }
        table.sort(list, function(a, b)
          local x = fib(a):submit()
          return x:result() < fib(b):compute() or (a < b and fib(a):compute() == fib(b):compute())
        end)
        local each = coroutine.wrap(function()
          for i = 1, 3 do coroutine.yield(fib(i + 5):compute()) end
        end)
        return text .. "\n" .. table.concat(list, " ") .. "\n" .. each() .. " " .. each() .. " " .. each()
      end)
      print(task():compute())]])
  end)

  it("in pcall, xpcall and its handler, metamethods, iterators and tostring", function()
    everywhere("true 8\nfalse boom 5\n55 21 S13 true 34 5 8\n1 2 3 4 5 6 7\n", fib .. [[
      local task = tm.delayed(function()
        local object = setmetatable({}, {
          __index = function(_, key) return fib(key):compute() end,
          __add = function() return fib(8):compute() end,
          __tostring = function() return "S" .. fib(7):compute() end,
          __lt = function() return fib(3):compute() == 2 end,
          __concat = function() return fib(9):compute() end,
          __call = function(_, n) return fib(n):compute() end,
          __newindex = function(self, key, n) rawset(self, key, fib(n):compute()) end,
        })
        object.x = 6
        local function step(_, i)
          if fib(i + 1):compute() < 20 then return i + 1 end
        end
        local steps = {}
        for i in step, nil, 0 do steps[#steps + 1] = i end
        local fine, value = pcall(function() return fib(6):compute() end)
        local failed, message = xpcall(function() error("boom", 0) end,
          function(text) return text .. " " .. fib(5):compute() end)
        return ("%s %s\n%s %s\n%s %s %s %s %s %s %s\n%s"):format(tostring(fine), value, tostring(failed),
          message, object[10], object + 1, tostring(object), tostring(object < object), object .. 1,
          object(5), object.x, table.concat(steps, " "))
      end)
      print(task():compute())]])
  end)

  it("in callbacks one above the other, and each goes on when it can", function()
    -- The lower wait ends while another one lies above it on the same stack.
    everywhere("1 2 3 4 5 6 7 8 9 10 11 12\n", [[
      local nap = tm.delayed(function(x, seconds) tm.sleep(seconds) return x end)
      local results = tm.map(function(i)
        return tonumber((("x"):gsub(".", function()
          return tostring(nap(i, (i * 7 % 5) / 1000):compute())
        end)))
      end, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 })
      print(table.concat(results, " "))]])
  end)

  it("in callbacks, hundreds at a time", function()
    everywhere("45150\n", [[
      local nap = tm.delayed(function(x) tm.sleep(0.0001) return x end)
      local items, sum = {}, 0
      for i = 1, 300 do items[i] = i end
      local results = tm.map(function(i)
        return (("x"):gsub(".", function() return nap(i):compute() end))
      end, items)
      for i = 1, 300 do sum = sum + results[i] end
      print(sum)]])
  end)

  it("without holding its worker: others run meanwhile", function()
    for _, workers in ipairs { 0, 1 } do
      local result = run(workers, [[
        local gate = tm.channel(1)
        local first = tm.submit(function() return gate:take() end)
        local second = tm.submit(function() gate:put("from the second") return "put" end)
        print(first:result(), second:result())]])
      assert.are.equal("from the second\tput\n", result.out, result.err)
    end
  end)

  it("and sleeps side by side on one worker", function()
    for _, workers in ipairs { 0, 1 } do
      local out = run(workers, [[
        local spans = tm.map(function()
          local began = tm.clock()
          tm.sleep(0.05)
          return { began, tm.clock() }
        end, { 1, 2, 3, 4, 5 })
        local latest, earliest = 0, math.huge
        for i = 1, 5 do
          latest, earliest = math.max(latest, spans[i][1]), math.min(earliest, spans[i][2])
        end
        print(latest < earliest)]]).out
      assert.are.equal("true\n", out)
    end
  end)

  it("and keeps its own random stream and unfinished line", function()
    local text = [[
      local nap = tm.delayed(function() tm.sleep(0.001) return math.random() end)
      local task = tm.delayed(function(i)
        io.write("a", i)
        local list = { math.random() }
        for k = 2, 4 do
          nap():compute()
          list[k] = math.random()
        end
        io.write(" b", i, "\n")
        return list
      end)
      local nodes = {}
      for i = 1, 5 do nodes[i] = task(i) end
      local lists = tm.compute(nodes)
      for i = 1, 5 do print(("%.17g %.17g %.17g %.17g"):format(unpack(lists[i]))) end]]
    local function sorted(out)
      local lines = {}
      for line in out:gmatch("[^\n]+") do lines[#lines + 1] = line end
      table.sort(lines)
      return table.concat(lines, "\n")
    end
    local expected = sorted(run(0, text).out)
    for i = 1, 5 do contains(expected, ("a%d b%d"):format(i, i)) end
    for _, workers in ipairs(lanes) do
      assert.are.equal(expected, sorted(run(workers, text).out), workers .. " workers")
    end
  end)
end)

describe("waits that can never end", function()
  it("are errors: a channel that nobody fills", function()
    for _, workers in ipairs(lanes) do
      local out = run(workers, [[
        local ok, problem = pcall(function()
          return tm.delayed(function() return tm.channel(1):take() end, { name = "t" })():compute()
        end)
        print(ok, problem, problem.task)
        print(pcall(function() return tm.channel(1):take() end))
        local full = tm.channel(1)
        full:put(1)
        print(pcall(function() return full:put(2) end))
        print(tm.submit(function() return "goes on" end):result())]]).out
      local _, count = out:gsub("this wait could never end", "")
      assert.are.equal(3, count, out)
      contains(out, "\tt\n")
      assert.is_truthy(out:find("goes on\n$"), out)
    end
  end)

  it("are errors: two tasks that wait for one another", function()
    for _, workers in ipairs(lanes) do
      local out = run(workers, [[
        local a, b = tm.channel(1), tm.channel(1)
        local function exchange(from, to)
          local value = from:take()
          to:put(value)
          return value
        end
        local first, second = tm.submit(exchange, a, b), tm.submit(exchange, b, a)
        print(pcall(first.result, first))
        print(pcall(second.result, second))]]).out
      contains(out, "this wait could never end")
      assert.is_nil(out:find("true", 1, true), out)
    end
  end)

  it("are errors: two waits in callbacks of one worker that need each other", function()
    -- The lower one ends only after the upper one has put, which waits for the lower one.
    for _, workers in ipairs { 0, 1 } do
      local result = run(workers, [[
        local a, b = tm.channel(1), tm.channel(1)
        local function exchange(mine, other)
          return (("x"):gsub(".", function()
            local got = mine:take()
            other:put("more")
            return got
          end))
        end
        local first, second = tm.submit(exchange, a, b), tm.submit(exchange, b, a)
        tm.sleep(0.01)
        a:put("start")
        local results = { pcall(first.result, first) }
        print(results[1], (pcall(second.result, second)))]])
      assert.are_not.equal("", result.out, result.err)
    end
  end)
end)

describe("resources", function()
  local limits = { "--set", "resources=db=3,gpu=1" }

  it("are never in use more than there is, on any number of workers", function()
    everywhere("3\n12\n", [[
      local use = tm.delayed(function(counter, seconds)
        local before = counter:take()
        counter:put(before + 1)
        tm.sleep(seconds)
        counter:put(counter:take() - 1)
        return before + 1
      end, { resources = { db = 1 } })
      local counter, list, most = tm.channel(1), {}, 0
      counter:put(0)
      for i = 1, 12 do list[i] = use(counter, 0.005) end
      local at_once = tm.compute(list)
      for i = 1, 12 do most = math.max(most, at_once[i]) end
      print(most)
      print(#at_once)]], unpack(limits))
  end)

  it("are counted in amounts, and in several at once", function()
    everywhere("true\n", [[
      local function busy(kind)
        return tm.delayed(function()
          local began = tm.clock()
          tm.sleep(0.002)
          return { began, tm.clock(), kind }
        end, { resources = kind })
      end
      local list = {}
      for i = 1, 6 do
        list[#list + 1] = busy { db = 2 }()
        list[#list + 1] = busy { db = 1, gpu = 1 }()
        list[#list + 1] = busy { gpu = 0.5 }()
      end
      local spans = tm.compute(list)
      local fine = true
      for i = 1, #spans do
        local db, gpu = 0, 0
        for k = 1, #spans do
          if spans[k][1] <= spans[i][1] and spans[k][2] > spans[i][1] then
            db, gpu = db + (spans[k][3].db or 0), gpu + (spans[k][3].gpu or 0)
          end
        end
        fine = fine and db <= 3 and gpu <= 1
      end
      print(fine)]], unpack(limits))
  end)

  it("stay with a task that waits", function()
    everywhere("1\n", [[
      local inner = tm.delayed(function() tm.sleep(0.002) end)
      local outer = tm.delayed(function(counter)
        local before = counter:take()
        counter:put(before + 1)
        inner():compute()
        counter:put(counter:take() - 1)
        return before + 1
      end, { resources = { gpu = 1 } })
      local counter, list, most = tm.channel(1), {}, 0
      counter:put(0)
      for i = 1, 8 do list[i] = outer(counter) end
      for _, at_once in ipairs(tm.compute(list)) do most = math.max(most, at_once) end
      print(most)]], unpack(limits))
  end)

  it("that a waiting task holds end a wait for them, with their name", function()
    for _, workers in ipairs(lanes) do
      local result = run(workers, [[
        local inner = tm.delayed(function() return 1 end, { resources = { db = 3 }, name = "inner" })
        local outer = tm.delayed(function() return inner():compute() end,
          { resources = { db = 1 }, name = "outer" })
        local ok, problem = pcall(function() return outer():compute() end)
        print(ok, problem, problem.task)
        print(inner():compute())]], unpack(limits))
      contains(result.out, "this wait could never end")
      contains(result.out, "resource \"db\"")
      contains(result.out, "\touter\n1\n")
      assert.are.equal(0, result.status, result.err)
    end
  end)

  it("are given back by tasks that fail, are tried again, or are cancelled", function()
    everywhere("false\tfalse\tcancelled\tall of it\n", [[
      local whole = { resources = { db = 3 } }
      local fail = tm.delayed(function() error("x", 0) end, whole)
      local again = fail:with { retries = 2, retry_delay = 0.001 }
      local a, b = pcall(function() fail():compute() end), pcall(function() again():compute() end)
      local future = tm.submit(tm.delayed(function() tm.sleep(60) end, whole))
      while future:status() == "pending" do tm.sleep(0.001) end
      future:cancel()
      future:wait()
      print(a, b, future:status(), tm.delayed(function() return "all of it" end, whole)():compute())]],
      unpack(limits))
  end)

  it("must be known, and enough", function()
    local out = run(2, [[
      local function try(given)
        local ok, problem = pcall(function() return tm.delayed(function() end, given)():compute() end)
        print(ok, problem)
      end
      try { resources = { gpus = 1 }, name = "t" }
      try { resources = { db = 4 }, name = "t" }
      try { resources = { db = 0 } }
      try { resources = { "db" } }
      try { resources = "db" }]], unpack(limits)).out
    contains(out, "task \"t\": resource \"gpus\" has no limit; set one: tm.config{resources = {gpus = 3}}")
    contains(out, "task \"t\" needs 4 of resource \"db\", of which there is only 3")
    contains(out, "option \"resources\": db: expected an amount above 0, at most 1e9, got 0")
    contains(out, "option \"resources\": expected a name, as in {db = 1}, got the key 1")
    contains(out, "option \"resources\": expected a table of amounts above 0, such as {db = 1}, got \"db\"")
    assert.is_nil(out:find("true", 1, true), out)
  end)
end)

describe("a channel", function()
  it("keeps the order, waits when full or empty, and ends its iterators when closed", function()
    everywhere("1 2 3 4 5 6 7 8 9 10\nnil closed 0 2 true\n", [[
      local channel = tm.channel(2)
      local producer = tm.submit(function()
        for i = 1, 10 do channel:put(i) end
        channel:close()
      end)
      local got = {}
      for value in channel:iter() do got[#got + 1] = value end
      producer:result()
      print(table.concat(got, " "))
      local value, why = channel:take()
      local size, capacity, closed = channel:state()
      print(("%s %s %d %d %s"):format(tostring(value), why, size, capacity, tostring(closed)))]])
  end)

  it("loses nothing between two producers and two consumers", function()
    everywhere("400 80200 2\n", [[
      local channel, done = tm.channel(3), tm.channel(2)
      local function produce(first)
        for i = first, first + 199 do channel:put(i) end
        done:put(true)
      end
      local function consume()
        local count, sum = 0, 0
        for value in channel:iter() do count, sum = count + 1, sum + value end
        return { count, sum }
      end
      local a, b = tm.submit(consume), tm.submit(consume)
      local c, d = tm.submit(produce, 1), tm.submit(produce, 201)
      local finished = 0
      for _ = 1, 2 do
        done:take()
        finished = finished + 1
      end
      channel:close()
      local x, y = a:result(), b:result()
      c:result()
      d:result()
      print(("%d %d %d"):format(x[1] + y[1], x[2] + y[2], finished))]])
  end)

  it("takes and puts with a time to wait at most", function()
    everywhere("nil timeout\ntrue false\nfalse nil timeout\n", [[
      local channel = tm.channel(1)
      local value, why = channel:take(0.001)
      print(tostring(value) .. " " .. why)
      print(tostring(channel:put(1)) .. " " .. tostring(channel:put(2, 0.001)))
      local task = tm.delayed(function(full, empty)
        local put = full:put(2, 0.001)
        local got, reason = empty:take(0)
        return tostring(put) .. " " .. tostring(got) .. " " .. reason
      end)
      print(task(channel, tm.channel(1)):compute())]])
  end)

  it("refuses nil, what is closed, and what cannot cross", function()
    everywhere("4\n", [[
      local function try(what, fn, ...)
        local ok, problem = pcall(fn, ...)
        assert(not ok and tostring(problem):find(what, 1, true), tostring(problem))
        return 1
      end
      local channel = tm.channel(1)
      local refused = try("nil means that a channel is closed", channel.put, channel, nil)
        + try("cannot send a file", channel.put, channel, io.stdout)
      channel:close()
      channel:close()
      refused = refused + try("the channel is closed", channel.put, channel, 1)
        + try("the channel is closed", function()
          tm.submit(function() channel:put(1) end):result()
        end)
      print(refused)]])
  end)

  it("crosses by reference: as an argument, an upvalue, in tables, in channels", function()
    everywhere("a b c d e\n", [[
      local channel = tm.channel(10)
      channel:put("a")
      tm.delayed(function(c) c:put("b") end)(channel):compute()
      tm.delayed(function() channel:put("c") end)():compute()
      tm.delayed(function(t) t.x[1]:put("d") end)({ x = { channel } }):compute()
      local other = tm.channel(1)
      other:put(channel)
      tm.delayed(function(c) c:take():put("e") end)(other):compute()
      channel:close()
      local got = {}
      for value in channel:iter() do got[#got + 1] = value end
      print(table.concat(got, " "))]])
  end)

  it("wakes who waits when it is closed", function()
    everywhere("closed closed refused\n", [[
      local empty, full = tm.channel(1), tm.channel(1)
      full:put(1)
      local function take() return (select(2, empty:take())) end
      local a, b = tm.submit(take), tm.submit(take)
      local c = tm.submit(function()
        return pcall(full.put, full, 2) and "put" or "refused"
      end)
      tm.sleep(0.005)
      empty:close()
      full:close()
      print(a:result() .. " " .. b:result() .. " " .. c:result())]])
  end)
end)
