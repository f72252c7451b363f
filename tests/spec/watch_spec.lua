-- The log and the trace, as scripts and the command line see them.  SPDX-License-Identifier: MIT

local expect = require("tests.spec.expect")
local process = require("tests.spec.process")
local run = process.run
local ends_with, contains = expect.ends_with, expect.contains

local function says(expected, text, ...)
  local result = run { "-e", text, ... }
  ends_with(0, result)
  assert.are.equal(expected, result.out)
  return result
end

local time = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ"

-- Lines of a log without their times and the name of the run.
local function lines_of(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do
    local rest, found = line:gsub("^" .. time .. " %x%x%x%x%x%x%x%x ", "")
    assert.are.equal(1, found, line)
    lines[#lines + 1] = rest
  end
  return lines
end

describe("the log", function()
  local folder

  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  it("keeps what the script says, with its fields", function()
    says("info\t0\tnil\tnil\tread\t10\tx\ttrue\n", [[
      local before = os.time()
      tm.log.info("read", { rows = 10, name = "x", good = true })
      local line = tm.logs()[1]
      assert(#tm.logs() == 1 and line.time >= before and line.time < before + 60)
      print(line.level, line.worker, line.task, line.attempt, line.text, line.fields.rows,
        line.fields.name, line.fields.good)]])
  end)

  it("keeps what tasks say, on any lane, with their names", function()
    for _, workers in ipairs { "0", "1", "2" } do
      says("one\t1\t1\tx1\none\t1\t2\tx2\ntwo\t1\t3\tx3\n", [[
        local one = tm.delayed(function(x) tm.log.warn("x" .. x, { x = x }) end, { name = "one" })
        local two = tm.delayed(function(x) tm.log.warn("x" .. x, { x = x }) end, { name = "two" })
        one(1):compute() one(2):compute() two(3):compute()
        for _, line in ipairs(tm.logs()) do
          assert(line.worker >= 1 and line.level == "warn")
          print(line.task, line.attempt, line.fields.x, line.text)
        end]], "--workers", workers)
    end
  end)

  it("takes the functions of tm.log as upvalues", function()
    says("said\n", [[
      local log, info = tm.log, tm.log.info
      tm.submit(function() info("said") log.debug("not said") end):result()
      local lines = tm.logs()
      assert(#lines == 1)
      print(lines[1].text)]])
  end)

  it("comes back in order of time, whoever spoke", function()
    says("300\tin order\n", [[
      tm.map(function(i) tm.log.info("a" .. i) end, (function()
        local list = {} for i = 1, 300 do list[i] = i end return list end)())
      local lines = tm.logs()
      for i = 2, #lines do assert(lines[i - 1].time <= lines[i].time) end
      print(#lines, "in order")]])
  end)

  it("keeps the last 1,000 of each", function()
    says("1000\t501\t1500\t1\n", [[
      tm.submit(function() tm.log.info("from a task") end):result()
      for i = 1, 1500 do tm.log.info(tostring(i)) end
      local lines = tm.logs { worker = 0 }
      print(#lines, lines[1].text, lines[1000].text, #tm.logs() - #lines)]])
  end)

  it("is filtered by level, worker, task and number", function()
    says("b c d\nc\nd\na b c\nc d\nd\n\n", [[
      tm.config { log_level = "debug" }
      tm.log.debug("a") tm.log.info("b") tm.log.error("c")
      tm.delayed(function() tm.log.warn("d") end, { name = "task" })():compute()
      local function show(given)
        local texts = {}
        for i, line in ipairs(tm.logs(given)) do texts[i] = line.text end
        print(table.concat(texts, " "))
      end
      show { level = "info" }
      show { level = "error" }
      show { task = "task" }
      show { worker = 0 }
      show { limit = 2 }
      show { level = "warn", limit = 1 }
      show { task = "tas" }]])
  end)

  it("does not build what is below its level", function()
    local text = "tm.log.debug(nil, 5) tm.log.info('i') tm.log.warn('w') print(#tm.logs())"
    says("2\n", text)
    says("1\n", text, "--log-level", "warn")
    says("0\n", text, "--log-level=error")
    says("2\n", [[tm.log.debug('d') tm.config { log_level = 'debug' } tm.log.debug('e')
      tm.submit(function() tm.log.debug('f') end):result() print(#tm.logs())]])
  end)

  it("refuses what it cannot keep", function()
    local cases = {
      ["tm.log.info(5)"] = "log: expected a text, got a number",
      ["tm.log('x')"] = "log: expected a level, such as tm.log.info(text, fields), got tm.log(text)",
      ["tm.log.info('x', 5)"] = "log: expected a table of fields such as {rows = 10}, got a number",
      ["tm.log.info('x', { 5 })"] = "log: expected fields with names such as {rows = 10}, got the key 1",
      ["tm.log.info('x', { a = {} })"] = "log: field \"a\": expected a string, a number or a boolean, "
        .. "got a table",
      ["tm.log.wran('x')"] = "tm.log has no \"wran\", did you mean \"warn\"?",
      ["tm.logs { level = 'loud' }"] = "logs: level: expected \"debug\", \"info\", \"warn\" or "
        .. "\"error\", got \"loud\"",
      ["tm.logs { lvl = 'info' }"] = "logs: unknown option \"lvl\", did you mean \"level\"?",
      ["tm.logs { limit = 0 }"] = "logs: limit: expected a whole number from 1",
      ["tm.logs { worker = 'a' }"] = "logs: worker: expected a worker's number, or 0 for the script",
      ["tm.logs { task = 1 }"] = "logs: task: expected a task's name",
    }
    for code, message in pairs(cases) do
      local result = run { "-e", code }
      ends_with(1, result)
      contains(result.err, "tidemill: -e:1: " .. message .. "\n")
    end
  end)

  local script = [[
    tm.log.info("began", { symbols = 2, path = "a b", nan = 0 / 0, big = 2 ^ 53 })
    tm.delayed(function() tm.log.warn("two\nlines") end, { name = "load" })():compute()
    tm.log.debug("never")]]

  it("goes to a file as text, one line a record", function()
    local path = folder .. "/a.log"
    local result = run { "-e", script, "--log", path, "--workers", "1" }
    ends_with(0, result)
    assert.are.equal("", result.err)
    assert.are.same({
      "info  [script] began big=9007199254740992 nan=nan path=\"a b\" symbols=2",
      "warn  [worker 1, load] two\\nlines",
    }, lines_of(process.read(path)))
  end)

  it("goes to a file as JSON lines by its name, or by the setting", function()
    for name, format in pairs { ["a.json"] = "auto", ["a.jsonl"] = "auto", ["a.log"] = "json" } do
      local path = folder .. "/" .. name
      ends_with(0, run { "-e", script, "--log", path, "--workers", "1", "--set",
        "log_format=" .. format })
      local runs = {}
      local text, times = process.read(path):gsub("\"time\":\"" .. time .. "\",", "")
      text = text:gsub("\"run\":\"(%x+)\",", function(id) runs[#runs + 1] = id return "" end)
      assert.are.equal(runs[1], runs[2])
      assert.are.equal(8, #runs[1])
      assert.are.equal(2, times)
      assert.are.equal("{\"level\":\"info\",\"worker\":0,\"text\":\"began\",\"fields\":"
        .. "{\"big\":9007199254740992,\"nan\":null,\"path\":\"a b\",\"symbols\":2}}\n"
        .. "{\"level\":\"warn\",\"worker\":1,\"task\":\"load\",\"attempt\":1,\"text\":\"two\\nlines\"}\n",
        text)
    end
  end)

  it("is added to, not replaced", function()
    local path = folder .. "/a.log"
    for _ = 1, 2 do ends_with(0, run { "-e", "tm.log.info('again')", "--log", path }) end
    assert.are.same({ "info  [script] again", "info  [script] again" }, lines_of(process.read(path)))
    local runs = {}
    for line in io.lines(path) do runs[#runs + 1] = line:match("^%S+ (%x+) ") end
    assert.are.equal(2, #runs)
    assert.are_not.equal(runs[1], runs[2])
  end)

  it("goes to stderr by the name -", function()
    local result = run { "-e", script, "--log", "-", "--log-level", "warn", "--workers", "1" }
    ends_with(0, result)
    assert.are.same({ "warn  [worker 1, load] two\\nlines" }, lines_of(result.err))
    assert.are.equal("", result.out)
  end)

  it("can be named by the script, and by a file", function()
    local path = folder .. "/a.log"
    ends_with(0, run { "-e", ("tm.config { log = %q, log_format = 'json' } tm.log.info('x')")
      :format(path) })
    contains(process.read(path), "\"text\":\"x\"}\n")
    process.write(folder .. "/a.conf", "log = b.log\nlog_level = warn\n")
    ends_with(0, run { "-e", "tm.log.info('x') tm.log.warn('y')", "--config", folder .. "/a.conf" })
    assert.are.same({ "warn  [script] y" }, lines_of(process.read(folder .. "/b.log")))
  end)

  it("is refused before the script runs when its file cannot be written", function()
    local result = run { "-e", "print('ran')", "--log", folder .. "/none/a.log" }
    ends_with(2, result)
    assert.are.equal(("tidemill: --log: %s/none/a.log: its folder does not exist\n"):format(folder),
      result.err)
    assert.are.equal("", result.out)
    result = run { "-e", "print('ran')", env = { TIDEMILL_LOG = folder .. "/none/a.log" } }
    ends_with(1, result)
    contains(result.err, "tidemill: log: " .. folder .. "/none/a.log: No such file or directory")
    assert.are.equal("", result.out)
  end)

  it("warns once when the script names a file that cannot be written, or the disk is full", function()
    local text = "tm.config { log = %q } tm.log.info('x') tm.log.info('y') print(#tm.logs())"
    local result = run { "-e", text:format(folder .. "/none/a.log") }
    ends_with(0, result)
    assert.are.equal("2\n", result.out)
    assert.are.equal(("tidemill: log %s/none/a.log: No such file or directory; going on without\n")
      :format(folder), result.err)
    result = run { "-e", text:format("/dev/full") }
    ends_with(0, result)
    assert.are.equal("tidemill: log /dev/full: No space left on device; lines are missing from it\n",
      result.err)
  end)
end)

describe("the trace", function()
  local folder

  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  -- Its events: lists of the JSON objects that stand one a line.
  local function events_of(path, category)
    local found = {}
    for line in process.read(path):gmatch("[^\n]+") do
      if line:find("\"cat\":\"" .. category .. "\"", 1, true) then found[#found + 1] = line end
    end
    return found
  end

  it("is written when the script has ended, also with an error", function()
    local path = folder .. "/t.json"
    ends_with(0, run { "-e", "print(1)", "--trace", path })
    local text = process.read(path)
    assert.are.equal("{\"displayTimeUnit\":\"ns\",", text:sub(1, 24))
    assert.are.equal("\n]}\n", text:sub(-4))
    local events = events_of(path, "script")
    assert.are.equal(1, #events)
    contains(events[1], "\"name\":\"-e\"")
    os.remove(path)
    ends_with(1, run { "-e", "error('boom')", "--trace", path })
    assert.are.equal(1, #events_of(path, "script"))
    os.remove(path)
    ends_with(7, run { "-e", "os.exit(7)", "--trace", path })
    assert.are.equal(1, #events_of(path, "script"))
  end)

  it("tells which lane a task took, and why", function()
    local path = folder .. "/t.json"
    ends_with(0, run { "--trace", path, "--workers", "2", "-e", [[
      local io = tm.delayed(function() tm.sleep(0.001) end, { kind = "io", name = "waits" })
      tm.compute { io(), tm.delayed(math.sqrt, { name = "counts" })(4) }]] })
    local text = process.read(path)
    local lane = text:match("\"tid\":(%d+),\"name\":\"thread_name\",\"args\":{\"name\":\"loop lane\"")
    assert.are.equal("3", lane)
    local phases = {}
    for _, event in ipairs(events_of(path, "task")) do
      phases[#phases + 1] = event:match("\"ph\":\"(%a)\"")
      local waits = event:find("\"waits\"", 1, true)
      assert.are.equal(waits and "3" or nil, event:match("\"tid\":(3)"))
      assert.are.equal(phases[#phases] == "b" and "kind" or nil, event:match("\"why\":\"(%w+)\""))
    end
    assert.are.equal("X b e", table.concat(phases, " "))
  end)

  -- Perfetto leaves out a span of a thread that overlaps another without lying inside it.
  it("has no spans that overlap on a thread, however its tasks wait", function()
    local path = folder .. "/t.json"
    for _, workers in ipairs { "0", "1", "2" } do
      ends_with(0, run { "--trace", path, "--workers", workers, "-e", [[
        local function fib(n)
          if n < 2 then return n end
          local a, b = tm.submit(fib, n - 1), tm.submit(fib, n - 2)
          local text = ("a"):gsub("a", function() return tostring(a:result()) end)
          return text + b:result()
        end
        assert(tm.submit(fib, 10):result() == 55)]] })
      local last, spans, overlaps = {}, {}, ""
      for line in process.read(path):gmatch("[^\n]+") do
        local tid = line:match("\"ph\":\"X\",.-\"tid\":([1-9]%d*),")
        local begin, length = line:match("\"ts\":([%d.]+),\"dur\":([%d.]+)")
        if tid then spans[#spans + 1] = { tid, tonumber(begin), tonumber(begin) + tonumber(length), line } end
      end
      table.sort(spans, function(a, b) return a[2] < b[2] end)
      for _, span in ipairs(spans) do
        local before = last[span[1]]
        if before and span[2] < before[3] - 1e-6 then overlaps = overlaps .. before[4] .. span[4] .. "\n" end
        last[span[1]] = span
      end
      assert.are.equal("", overlaps)
      -- All 88 calls that are no leaves wait where nobody else can have done their parts before.
      assert.is_true(#events_of(path, "wait") >= (workers == "2" and 1 or 88))
      contains(events_of(path, "wait")[1], "\"args\":{\"state\":\"waits\"}")
    end
  end)

  it("tells which attempts were followed by another", function()
    local path = folder .. "/t.json"
    ends_with(0, run { "--trace", path, "-e", [[
      local calls = tm.channel(9)
      tm.delayed(function(c) c:put(1) if c:state() < 3 then error("busy") end end,
        { retries = 4, retry_delay = 0 })(calls):compute()]] })
    local events = events_of(path, "retry")
    assert.are.equal(2, #events)
    for attempt, event in ipairs(events) do
      contains(event, ("\"args\":{\"attempt\":%d}"):format(attempt))
    end
  end)

  it("of a session holds each statement", function()
    local path = folder .. "/t.json"
    ends_with(0, run { "--trace", path, stdin = "x = 1\nprint(x)\n" })
    assert.are.equal(2, #events_of(path, "script"))
  end)

  it("is refused before the script runs when it cannot be written", function()
    local result = run { "-e", "print('ran')", "--trace", folder }
    ends_with(2, result)
    assert.are.equal("tidemill: --trace: " .. folder .. ": is a folder\n", result.err)
    assert.are.equal("", result.out)
  end)

  it("that cannot be written fails the run", function()
    local result = run { "-e", "print('ran')", "--trace", "/dev/full" }
    ends_with(1, result)
    assert.are.equal("ran\n", result.out)
    assert.are.equal("tidemill: trace /dev/full: No space left on device\n", result.err)
    result = run { "-e", "error('boom')", "--trace", "/dev/full" }
    ends_with(1, result)
    contains(result.err, "tidemill: trace /dev/full: No space left on device\n")
    contains(result.err, "boom")
  end)
end)
