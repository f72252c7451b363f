-- The process lane: tasks in processes of their own, which crash, hang, grow and are killed.
-- SPDX-License-Identifier: MIT

local libc = require "ffi"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"

libc.cdef "int kill(int pid, int sig); int getpid(void);"

-- Sanitizers are slow.
local slow = helper.sanitized

local function on_process(fn, options)
  options = options or {}
  options.lane = options.lane or "process"
  return tm.delayed(fn, options)
end

local function run(fn, options, ...) return on_process(fn, options)(...):compute() end

-- The error that a task ends with.
local function failure(fn, options, ...)
  local task = on_process(fn, options)
  local fine, problem = pcall(function(...) return task(...):compute() end, ...)
  assert(not fine, "the task did not fail")
  return problem
end

-- Processes that this one has started, zombies included.
local function children()
  local list = {}
  for _, line in ipairs(helper.lines("cat /proc/" .. libc.C.getpid() .. "/task/*/children")) do
    for pid in line:gmatch("%d+") do
      local name = io.open("/proc/" .. pid .. "/comm")
      local comm = name and name:read("*l") or ""
      if name then name:close() end
      if comm:find("^tidemill") then list[#list + 1] = tonumber(pid) end
    end
  end
  return list
end

-- Looks again and again, for at most 20 seconds.
local function eventually(condition)
  for _ = 1, 1000 do
    if condition() then return true end
    tm.sleep(0.02)
  end
  return false
end

local function script(text, options)
  local arguments = { "--cache", "off", "--workers", "2" }
  for _, word in ipairs(options or {}) do arguments[#arguments + 1] = word end
  arguments[#arguments + 1] = "-e"
  arguments[#arguments + 1] = text
  arguments.env = options and options.env
  arguments.signal = options and options.signal
  arguments.cwd = options and options.cwd
  return process.run(arguments)
end

describe("a task of the process lane", function()
  it("gives what it would give on a thread", function()
    local functions = {
      function() return nil end,
      function() return true, "one" end,
      function(a, b) return a .. b end,
      function() return { 1, nil, 3, x = { y = "z" }, [2.5] = false } end,
      function() return 2 ^ 53, 1 / 0 end,
      function() return ("long "):rep(30000) end,
      function() return 12LL + 2 end,
      function() return math.random(), math.random(100) end,
      function() return string.format end,
    }
    for i, fn in ipairs(functions) do
      local outputs = { nout = 2 }
      local there = { tm.compute(on_process(fn, outputs)("a", "b")) }
      local here = { tm.compute(tm.delayed(fn, { nout = 2 })("a", "b")) }
      if i ~= 8 then assert.are.same(here, there) end
    end
    local add = run(function(x) return function(y) return x + y end end, nil, 3)
    assert.are.equal(7, add(4))
  end)

  it("has results of other tasks as arguments, inside tables too", function()
    local one = on_process(function(x) return { value = x } end)
    local thread = tm.delayed(function(x) return x * 10 end)
    local sum = on_process(function(t, last) return t.a.value + t.list[1].value + t.list[2] + last end)
    assert.are.equal(1 + 2 + 30 + 40, sum({ a = one(1), list = { one(2), thread(3) } }, thread(4)):compute())
  end)

  it("draws the random numbers of a thread's task", function()
    local text = [[
local draw = function(i) return ("%d %.17g %d"):format(i, math.random(), math.random(1000)) end
local nested = function(i)
  local tm = require "tidemill"
  return table.concat(tm.map(function(x) return x .. ":" .. math.random() end, { 1, 2, 3 }), " ")
    .. tm.submit(function() return math.random() end):result()
end
for _, fn in ipairs { draw, nested } do
  local task, nodes = tm.delayed(fn, { lane = LANE, name = "draw" }), {}
  for i = 1, 5 do nodes[i] = task(i) end
  for _, line in ipairs(tm.compute(nodes)) do print(line) end
end]]
    local there = script((text:gsub("LANE", '"process"')))
    local here = script((text:gsub("LANE", '"thread"')))
    assert.are.equal("", there.err)
    assert.are.equal(here.out, there.out)
  end)

  it("has arrays by shared memory, bit for bit, and gives them so", function()
    local length = slow and 1e6 or 12500000
    local array = tm.array({ 1 })
    local big = require("tidemill.array").new("float64", length)
    local cells = big:pointer()
    for i = 0, length - 1 do cells[i] = i * 0.1 end
    local back, sum = tm.compute(on_process(function(a)
      local s = 0
      for i = 1, a.length, 1000 do s = s + a[i] end
      return a, s
    end, { nout = 2 })(big))
    local expected = 0
    for i = 1, length, 1000 do expected = expected + big[i] end
    assert.are.equal(expected, sum)
    local got = back:pointer()
    for i = 0, length - 1 do
      if got[i] ~= cells[i] then error("element " .. i) end
    end
    assert.are.equal(1, run(function(a) return a[1] end, nil, array))
    local made = run(function(n)
      local new = require("tidemill.array").new("int32", n)
      local p = new:pointer()
      for i = 0, n - 1 do p[i] = i end
      return new
    end, nil, 1e6)
    assert.are.equal(1e6, made.length)
    assert.are.equal(1e6 - 1, made[1e6])
  end)

  it("is sent its function and shared tables once", function()
    local table_of = {}
    for i = 1, 1000 do table_of[i] = "entry " .. i end
    local shared = tm.share(table_of)
    local task = on_process(function(t, i) return t[i] end)
    for i = 1, 20 do assert.are.equal("entry " .. i, task(shared, i):compute()) end
    local factor = 3
    for i = 1, 5 do
      local scale = on_process(function(x) return x * factor end)
      factor = i
      assert.are.equal(7 * i, scale(7):compute())
    end
  end)

  it("loads the script's modules, as they were", function()
    local folder = process.folder()
    process.write(folder .. "/pmodule.lua", "return { double = function(x) return 2 * x end }")
    process.write(folder .. "/pother.lua", "return { name = 'first' }")
    process.write(folder .. "/main.lua", [[
local tm = require "tidemill"
local pmodule = require "pmodule"
print(tm.delayed(function(x) return pmodule.double(x) end, { lane = "process" })(21):compute())
local file = io.open(FOLDER .. "/pmodule.lua", "w")
file:write("return { double = function() return 'changed' end }")
file:close()
print(tm.delayed(function(x) return require("pmodule").double(x) end, { isolate = true })(4):compute())
print(tm.delayed(function() return require("pother").name end, { lane = "process" })():compute())]])
    local text = process.read(folder .. "/main.lua"):gsub("FOLDER", "%%q", 1)
    process.write(folder .. "/main.lua", (text:gsub("%%q", ("%q"):format(folder))))
    local result = process.run { "--cache", "off", folder .. "/main.lua" }
    process.remove(folder)
    assert.are.equal("", result.err)
    assert.are.equal("42\n8\nfirst\n", result.out)
  end)

  it("starts tasks of its own, and ends when they have", function()
    assert.are.equal(30, run(function()
      local sum = 0
      local square = function(x) tm.sleep(0.01) return x * x end
      for _, x in ipairs(tm.map(square, { 1, 2, 3, 4 })) do sum = sum + x end
      return sum
    end))
    local result = script([[
tm.submit(tm.delayed(function()
  local tm = require "tidemill"
  tm.submit(function() tm.sleep(0.05) print("late") end)
  tm.submit(function() error("nobody asks") end)
end, { lane = "process", name = "outer" })):result()]])
    assert.are.equal("late\n", result.out)
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("nobody asks", 1, true), result.err)
  end)

  it("prints whole lines, and its log lines say who", function()
    local result = script([[
local say = tm.delayed(function(i)
  print("line", i) io.write("a", i, "\nb") io.write(i, "\nrest", i)
  tm.log.warn("it is", { i = i, text = "x", yes = true })
  tm.say("said", i)
end, { lane = "process", name = "say" })
tm.compute { say(1), say(2) }
for _, line in ipairs(tm.logs { task = "say" }) do
  print(line.level, line.text, line.fields.i > 0, line.fields.text, line.fields.yes, line.attempt)
end]])
    assert.are.equal("", result.err)
    for i = 1, 2 do
      for _, line in ipairs { "line\t" .. i, "a" .. i, "b" .. i, "rest" .. i, "said\t" .. i } do
        assert.is_truthy(("\n" .. result.out):find("\n" .. line .. "\n", 1, true),
          line .. " in " .. result.out)
      end
    end
    assert.is_truthy(result.out:find("warn\tit is\ttrue\tx\ttrue\t1\nwarn", 1, true), result.out)
  end)

  it("is kept by the cache, with what it has read", function()
    local folder = process.folder()
    process.write(folder .. "/input", "first")
    local text = ([[
local read = tm.delayed(function(path)
  print("runs")
  local file = io.open(path)
  local line = file:read("*a")
  file:close()
  return line .. " " .. math.random()
end, { lane = "process", cache = true, name = "read" })
print(read(%q):compute())]]):format(folder .. "/input")
    local function once() return process.run { "--cache", folder .. "/cache.db", "-e", text } end
    local first = once()
    assert.are.equal("", first.err)
    local value = first.out:match("^runs\n(first %S+)\n$")
    assert.is_truthy(value, first.out)
    assert.are.equal(value .. "\n", once().out)
    process.write(folder .. "/input", "second")
    assert.is_truthy(once().out:find("^runs\nsecond"))
    process.remove(folder)
  end)

  it("puts into channels of the script, and takes from them", function()
    local items, results = tm.channel(2), tm.channel(3)
    local producer = tm.submit(on_process(function(channel)
      for i = 1, 50 do channel:put({ i = i, text = ("x"):rep(i) }) end
      channel:close()
      return tostring(channel)
    end), items)
    local consumer = tm.submit(on_process(function()
      local sum = 0
      for item in items:iter() do
        sum = sum + #item.text
        results:put(item.i)
      end
      results:close()
      return sum
    end))
    local seen = 0
    for i in results:iter() do
      seen = seen + 1
      assert.are.equal(seen, i)
    end
    assert.are.equal(1275, consumer:result())
    assert.is_truthy(producer:result():find("^channel of %d/2 values, closed$"))
    local gate = tm.channel(1)
    assert.are.same({ "timeout", true, false }, run(function(channel)
      local _, why = channel:take(0.01)
      return { why, channel:put(1, 5), channel:put(2, 0.01) }
    end, nil, gate))
    assert.are.equal(1, gate:take())
    local back = run(function(channel) channel:put(channel) return channel end, nil, gate)
    back:take():put("through all")
    assert.are.equal("through all", gate:take())
  end)

  it("that waits for a channel holds up no other, and loses no turn when it is stopped", function()
    local out = script([[
local channel = tm.channel(1)
local list = {}
for i = 1, 5 do
  list[i] = tm.submit(tm.delayed(function() return channel:take() end, { lane = "process" }))
end
tm.sleep(0.05)
list[3]:cancel()
list[3]:wait()
for i = 1, 4 do
  tm.delayed(function() channel:put(i) end, { lane = "process" })():compute()
end
local sum = 0
for i = 1, 5 do if i ~= 3 then sum = sum + list[i]:result() end end
print(sum, (channel:state()))
local never = tm.delayed(function() return channel:take() end, { lane = "process" })
print(pcall(function() return never():compute() end))
print(tm.delayed(function(x) return x end, { lane = "process" })("goes on"):compute())]],
      { "--set", "processes=1" }).out
    assert.are.equal("10\t0\nfalse\tthis wait could never end: nothing else runs\ngoes on\n", out)
  end)

  it("refuses what cannot leave the process, with advice", function()
    local pool = tm.pool { create = function() return {} end, max = 2 }
    local problem = failure(function(_, p) p:use(print) end, { name = "use" }, 1, { { pool } })
    assert.are.equal("a pool of resources cannot be used in another process (task \"use\", argument 2); "
      .. "use it in a task of the thread lane, or pass what is needed of it as a value", tostring(problem))
    problem = tostring(failure(function() return pool end, { name = "upvalue" }))
    assert.is_truthy(problem:find("cannot be used in another process (task \"upvalue\")", 1, true))
    problem = failure(function() return require("tidemill").channel(1) end)
    assert.is_truthy(problem.message:find("a channel cannot leave the process that it was made in", 1, true))
    problem = failure(function()
      return tm.delayed(function() return 1 end, { timeout = 1 })():compute()
    end)
    assert.is_truthy(problem.message:find("timeout cannot be had inside a task of the process lane", 1, true))
  end)
end)

describe("an error on the process lane", function()
  it("keeps its text when what was thrown cannot leave the process", function()
    for _, thing in ipairs { "channel(1)", "pool{create = print, max = 1}" } do
      local problem = failure(assert(loadstring(
        "error({ message = 'no line', kept = require('tidemill')." .. thing .. " })")))
      assert.are.equal("no line", problem.message)
      assert.is_nil(problem.cause)
    end
  end)

  it("is that of the task", function()
    local problem = failure(function(x) error("wrong " .. x) end, { name = "bad" }, "input")
    assert.is_truthy(problem.message:find("process_spec.lua:%d+: wrong input$"))
    assert.are.equal("bad", problem.task)
    assert.are.equal("process", problem.lane)
    assert.are.equal(1, problem.attempt)
    assert.is_truthy(problem.traceback:find("process_spec.lua", 1, true))
    problem = failure(function() error({ code = 7, list = { 1 } }) end)
    assert.are.same({ code = 7, list = { 1 } }, problem.cause)
  end)

  it("is tried again by the task's own rule", function()
    local folder = process.folder()
    local count = on_process(function(path, fails)
      local file = io.open(path, "a")
      file:write("x")
      local size = file:seek("end")
      file:close()
      if size <= fails then error({ code = size }) end
      return size
    end, { retries = 3, retry_delay = 0, retry_on = function(e) return e.cause.code < 3 end })
    assert.are.equal(3, count(folder .. "/a", 2):compute())
    local fine, problem = pcall(function() return count(folder .. "/b", 9):compute() end)
    assert.is_false(fine)
    assert.are.same({ code = 3 }, problem.cause) -- the third was not worth another one
    assert.are.equal(3, problem.attempt)
    assert.are.equal(3, #problem.attempts)
    process.remove(folder)
  end)

  it("by a signal names it, and the next task runs", function()
    local problem = failure(function() require("ffi").cast("int *", 0)[0] = 1 end, { name = "null" })
    assert.are.equal("the task's process was killed by signal 11 (SIGSEGV)", problem.message)
    assert.are.equal("null", problem.task)
    assert.are.equal("process", problem.lane)
    problem = failure(function()
      local ffi = require "ffi"
      ffi.cdef "void abort(void);"
      ffi.C.abort()
    end)
    assert.are.equal("the task's process was killed by signal 6 (SIGABRT)", problem.message)
    problem = failure(function()
      local ffi = require "ffi"
      ffi.cdef "void _exit(int);"
      ffi.C._exit(3)
    end)
    assert.are.equal("the task's process ended with status 3", problem.message)
    assert.are.equal(5, run(function(x) return x + 1 end, nil, 4))
  end)

  it("by a signal is tried again, when retry_on says so", function()
    local folder = process.folder()
    local crash = function(path, word)
      local file = io.open(path, "a")
      file:write("x")
      local size = file:seek("end")
      file:close()
      if size < 3 then require("ffi").cast("int *", 0)[0] = 1 end
      return word .. size
    end
    local once = { retries = 5, retry_delay = 0 }
    assert.are.equal("done3", run(crash, once, folder .. "/a", "done"))
    once.retry_on = function(e) return e.message:find("SIGSEGV") ~= nil end
    assert.are.equal("done3", run(crash, once, folder .. "/b", "done"))
    once.retry_on = function(e) return e.message:find("SIGBUS") ~= nil end
    assert.is_truthy(failure(crash, once, folder .. "/c", "done").message:find("SIGSEGV"))
    assert.are.equal("x", process.read(folder .. "/c"))
    process.remove(folder)
  end)
end)

describe("a limit", function()
  it("of time stops whatever the task does", function()
    local hangs = {
      function() local x = 0 while true do x = x + 1 end end,
      function()
        local ffi = require "ffi"
        ffi.cdef "unsigned sleep(unsigned);"
        ffi.C.sleep(100)
      end,
      function() while true do pcall(error) end end,
    }
    for _, fn in ipairs(hangs) do
      local problem = failure(fn, { timeout = 0.2, name = "hangs" })
      assert.are.equal("the task took longer than its timeout of 0.2 s and was stopped", problem.message)
      assert.are.equal("hangs", problem.task)
    end
    assert.are.equal(1, run(function() return 1 end, { timeout = 60 }))
    local before = tm.stats().lanes.process.timeouts
    assert.are.equal(2, failure(hangs[1], { timeout = 0.05, retries = 1, retry_delay = 0 }).attempt)
    assert.are.equal(before + 2, tm.stats().lanes.process.timeouts)
  end)

  it("of memory stops a task that takes more", function()
    if helper.sanitized then
      pending("a sanitizer's own memory counts")
      return
    end
    local problem = failure(function()
      local list = {}
      for i = 1, 1e9 do list[i] = { i } end
      return #list
    end, { memory = "150MB" })
    assert.is_truthy(problem.message:find("^the task's process used [%d.]+ MB, more than its limit of 150"))
    assert.are.equal(3, run(function() return 3 end, { memory = "150MB" }))
  end)

  it("of a process makes room for a new one", function()
    if slow then
      pending("a sanitizer's own memory counts")
      return
    end
    local result = script([[
local grow = tm.delayed(function() local t = {} for i = 1, 2e6 do t[i] = { i } end return #t end,
  { lane = "process", name = "grow" })
print(pcall(function() return grow():compute() end))
print(tm.delayed(function() return "fine" end, { lane = "process" })():compute())]],
      { "--set", "memory.worker_limit=100MB" })
    assert.is_truthy(result.out:find("more than its limit of 95.0 MB, and was stopped\nfine\n", 1, true),
      result.out .. result.err)
  end)

  it("of processes is kept", function()
    local result = script([[
local sleep = tm.delayed(function() local tm = require "tidemill" tm.sleep(0.02) end, { lane = "process" })
local nodes = {}
for i = 1, 20 do nodes[i] = sleep() end
tm.compute(nodes)
print(tm.stats().lanes.process.started)]], { "--set", "processes=3" })
    assert.are.equal("3\n", result.out)
  end)
end)

describe("a process", function()
  it("of an isolated task runs nothing else", function()
    local pid = function()
      local ffi = require "ffi"
      pcall(ffi.cdef, "int getpid(void);")
      return ffi.C.getpid()
    end
    local first, second = run(pid, { isolate = true }), run(pid, { isolate = true })
    assert.are_not.equal(first, second)
    assert.are_not.equal(libc.C.getpid(), first)
    assert.is_true(eventually(function()
      return libc.C.kill(first, 0) ~= 0 and libc.C.kill(second, 0) ~= 0
    end))
    local kept = run(pid)
    assert.are.equal(kept, run(pid))
  end)

  it("that is killed from outside is replaced, and its task begins again", function()
    local folder = process.folder()
    local future = tm.submit(on_process(function(path)
      local file = io.open(path, "a")
      file:write("x")
      local size = file:seek("end")
      file:close()
      if size == 1 then tm.sleep(100) end
      return size
    end), folder .. "/ran")
    assert.is_true(eventually(function() return process.exists(folder .. "/ran") end))
    for _, pid in ipairs(children()) do libc.C.kill(pid, 9) end
    assert.are.equal(2, future:result(20))
    process.remove(folder)
  end)

  it("that is killed four times is not to blame any more", function()
    local problem = failure(function()
      local ffi = require "ffi"
      ffi.cdef "int raise(int);"
      ffi.C.raise(9)
    end)
    assert.are.equal("the task's process was killed by signal 9 (SIGKILL)", problem.message)
    assert.are.equal(1, problem.attempt)
  end)

  it("that dies while it is idle is replaced", function()
    assert.are.equal(1, run(function() return 1 end))
    for _, pid in ipairs(children()) do libc.C.kill(pid, 9) end
    assert.are.equal(2, run(function() return 2 end))
  end)

  it("is killed with what it has started when its task is cancelled", function()
    local folder = process.folder()
    local future = tm.submit(on_process(function(path)
      os.execute("echo $$ >" .. path .. "; exec sleep 1000")
    end), folder .. "/pid")
    local function pid()
      return process.exists(folder .. "/pid") and tonumber(process.read(folder .. "/pid"))
    end
    assert.is_true(eventually(pid))
    future:cancel()
    assert.is_true(future:wait(20))
    assert.are.equal("cancelled", future:status())
    local grandchild = pid()
    assert.is_true(eventually(function() return libc.C.kill(grandchild, 0) ~= 0 end))
    process.remove(folder)
  end)

  it("is gone when the engine is, however that ends", function()
    local text = [[
local wait = tm.delayed(function(path)
  os.execute("echo $PPID $$ >" .. path .. "; sleep 1000")
  while true do end
end, { lane = "process" })
local futures = tm.submit_all(wait, { FOLDER .. "/1", FOLDER .. "/2" })
for i = 1, 2 do while not io.open(FOLDER .. "/" .. i) do tm.sleep(0.01) end end
io.open(os.getenv("READY"), "w"):close()
tm.sleep(ENDS)]]
    for _, signal in ipairs { "KILL", "INT", "TERM", false } do
      local folder = process.folder()
      local body = text:gsub("FOLDER", function() return ("%q"):format(folder) end)
      body = body:gsub("ENDS", signal and "100" or "0.1) os.exit(5")
      local result = script(body, { signal = signal or nil })
      if not signal then assert.are.equal(5, result.status) end
      for i = 1, 2 do
        for pid in process.read(folder .. "/" .. i):gmatch("%d+") do
          assert.is_true(eventually(function() return libc.C.kill(tonumber(pid), 0) ~= 0 end),
            tostring(signal) .. " left process " .. pid)
        end
      end
      process.remove(folder)
    end
  end)
end)

describe("when no process can be had", function()
  local task = [[print(select(2, pcall(function()
  return tm.delayed(function() return 1 end, { lane = "process" })():compute()
end)))]]

  it("a wrong worker_path is named", function()
    local result = script(task, { "--set", "worker_path=/nonexistent/tidemill" })
    assert.is_truthy(result.out:find("worker_path: /nonexistent/tidemill is no program", 1, true), result.out)
    result = script(task, { env = { TIDEMILL_WORKER = "/nonexistent/other" } })
    assert.is_truthy(result.out:find("worker_path: /nonexistent/other is no program", 1, true), result.out)
  end)

  it("a program that is none of ours fails its task", function()
    local result = script(task, { "--set", "worker_path=/bin/true" })
    assert.are.equal("the worker process /bin/true ended with status 0 before it was ready\n", result.out)
    local folder = process.folder()
    local function says(text)
      process.write(folder .. "/worker", "#!/bin/sh\n" .. text)
      os.execute("chmod +x " .. folder .. "/worker")
      return script(task, { "--set", "worker_path=" .. folder .. "/worker" }).out
    end
    assert.are.equal("the task's process sent what is no message\n",
      says("printf 'this is no message, and too long for a head' >&3; exec sleep 100"))
    -- A head that promises a READY of 3 bytes, with a wrong version in it.
    assert.is_truthy(says([[printf '\3\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\177\0\0' >&3; exec sleep 100]])
      :find("is of another release", 1, true))
    assert.is_truthy(says("exec >/dev/null 3>&-; exec sleep 100"):find("closed its connection", 1, true))
    process.remove(folder)
  end)

  it("too few descriptors or processes are an error of the task", function()
    for _, limit in ipairs { "-n 16", "-n 20", "-n 24" } do
      local command = ("ulimit %s; exec %s --cache off --workers 2 -e %s"):format(limit,
        helper.quote(process.program), helper.quote(task))
      local out, err, status = helper.shell(command, 60)
      assert.are_not.equal(124, status, limit .. ": hangs")
      assert.is_true(out == "1\n" or out:find("cannot", 1, true) ~= nil or err ~= "",
        limit .. ": " .. out .. err)
    end
  end)
end)

describe("random kills", function()
  it("of worker processes lose no result, and leave nothing behind", function()
    local kills = os.getenv("TIDEMILL_TEST_KILLS") or (slow and "10" or "50")
    local result = process.run { "--cache", "off", "--workers", "2", "tests/soak/kills.lua", kills,
      tostring(os.getenv("TIDEMILL_TEST_SEED") or os.time()) }
    assert.are.equal("", result.err, result.out)
    assert.is_truthy(result.out:find("all results right, nothing left", 1, true), result.out)
  end)
end)

describe("the lane's health", function()
  it("counts what has become of its processes", function()
    local result = script([[
local ok = tm.delayed(function() return 1 end, { lane = "process" })
ok():compute()
pcall(function() return tm.delayed(function() while true do end end, { timeout = 0.05 })():compute() end)
local lane = tm.stats().lanes.process
print(lane.state, lane.load, lane.completed, lane.failed, lane.started, lane.killed, lane.timeouts,
  lane.restarted, lane.average > 0)]])
    assert.are.equal("idle\t0\t1\t1\t1\t1\t1\t0\ttrue\n", result.out)
  end)

  it("leaves no process, descriptor or mapping of this spec behind", function()
    collectgarbage()
    collectgarbage()
    for _, pid in ipairs(children()) do libc.C.kill(pid, 9) end
    assert.is_true(eventually(function() return #children() == 0 end))
  end)
end)
