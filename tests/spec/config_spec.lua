-- Settings: where they come from and which holds.  SPDX-License-Identifier: MIT

local expect = require("tests.spec.expect")
local process = require("tests.spec.process")
local run = process.run
local ends_with, contains, is_refused = expect.ends_with, expect.contains, expect.is_refused

-- Rows of `tidemill config`: name -> {value, source}.
local function rows_of(result)
  ends_with(0, result)
  local rows = {}
  for line in result.out:gmatch("[^\n]+") do
    local name, value, source = line:match("^(%S+)  +(.-)  +(%S.*)$")
    assert.is_truthy(name, line)
    rows[name] = { value, source }
  end
  return rows
end

describe("settings", function()
  local folder

  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local function file(name, text)
    local path = folder .. "/" .. name
    os.execute("mkdir -p " .. process.quote(path:match("^(.*)/")))
    process.write(path, text)
    return path
  end

  describe("tidemill config", function()
    it("prints every setting in order, with its default", function()
      local result = run { "config" }
      local rows, last = rows_of(result), ""
      for line in result.out:gmatch("[^\n]+") do
        local name = line:match("^%S+")
        assert.is_true(last < name)
        last = name
      end
      for _, name in ipairs { "adaptive", "blas", "cache", "cache.all", "cache.entries",
        "cache.limit", "cache.ttl", "distribution", "lane", "log", "log_format", "log_level",
        "memory.limit", "memory.pause", "memory.spill", "memory.target", "memory.terminate",
        "memory.worker_limit", "processes", "spill_folder", "resources", "seed", "trace", "trace_events",
        "worker_path", "workers" } do
        assert.are.equal("default", rows[name][2], name)
        rows[name].known = true
      end
      for name, row in pairs(rows) do assert.is_true(row.known, name) end
      assert.are.equal("info", rows.log_level[1])
      assert.are.equal("2000000", rows.trace_events[1])
      assert.is_truthy(rows.workers[1]:match("^[1-9]%d*$"))
      assert.is_truthy(rows.cache[1]:match("/cache/tidemill/cache%.db$"))
    end)

    it("says where each value comes from", function()
      local conf = file("a.conf", "# mine\n\ntrace_events = 5\n")
      local rows = rows_of(run { "config", "--config", conf, "--workers", "3", "--log-level=warn",
        env = { TIDEMILL_DISTRIBUTION = "affinity" } })
      assert.are.same({ "5", "file " .. conf .. ":3" }, rows.trace_events)
      assert.are.same({ "3", "command line" }, rows.workers)
      assert.are.same({ "warn", "command line" }, rows.log_level)
      assert.are.same({ "affinity", "environment TIDEMILL_DISTRIBUTION" }, rows.distribution)
      assert.are.same({ "0", "default" }, rows.seed)
    end)

    it("prints JSON too, where numbers are numbers", function()
      local result = run { "config", "--json", "--set", "resources=db=3,gpu=1", "--set", "log=a\"b" }
      ends_with(0, result)
      contains(result.out, "{\"schema\":1,\"settings\":{\"adaptive\":{\"source\":\"default\","
        .. "\"value\":\"off\"},")
      contains(result.out, "\"log\":{\"source\":\"command line\",\"value\":\"a\\\"b\"}")
      contains(result.out, "\"resources\":{\"source\":\"command line\",\"value\":\"db=3,gpu=1\"}")
      contains(result.out, "\"seed\":{\"source\":\"default\",\"value\":0}")
      contains(result.out, "\"cache.entries\":{\"source\":\"default\",\"value\":\"off\"}")
      assert.is_false(process.exists("a\"b")) -- nothing is opened
      local path = folder .. "/config.json"
      ends_with(0, run { "config", "--json", path })
      assert.are.equal("{\"schema\":1,", process.read(path):sub(1, 12))
    end)

    it("looks into the folder of a script that it is given", function()
      local conf = file("job/tidemill.conf", "seed = 7\n")
      file("job/x.lua", "error('is not run')")
      local rows = rows_of(run { "config", folder .. "/job/x.lua" })
      assert.are.same({ "7", "file " .. conf .. ":1" }, rows.seed)
      is_refused("config takes the path of one script, got \"x\"", run { "config", "x" })
    end)
  end)

  describe("in files", function()
    it("are found beside the script, in the user's folder, and where they are named", function()
      local script = file("job/x.lua", "local c = require('tidemill').config\n"
        .. "print(c.seed, c.trace_events, c.log_level, c.distribution)")
      file("job/tidemill.conf", "seed = 3\nlog_level = error\ntrace_events = 30\n")
      local named = file("named.conf", "seed = 1\n")
      local variable = file("variable.conf", "seed = 2\ntrace_events = 20\n")
      file("xdg/tidemill/tidemill.conf", "seed = 4\ndistribution = affinity\n")
      local env = { XDG_CONFIG_HOME = folder .. "/xdg", TIDEMILL_CONFIG = variable }
      assert.are.equal("1\t20\terror\taffinity\n",
        run({ script, "--config", named, env = env }).out)
      env.TIDEMILL_CONFIG = nil
      assert.are.equal("3\t30\terror\taffinity\n", run({ script, env = env }).out)
      env.XDG_CONFIG_HOME = nil
      env.TIDEMILL_CONFIG = ""
      assert.are.equal("3\t30\terror\tdynamic\n", run({ script, env = env }).out)
      assert.are.equal("3\t30\terror\tdynamic\n",
        run({ "x.lua", cwd = folder .. "/job", env = env }).out)
    end)

    it("are looked for in the home folder without XDG_CONFIG_HOME", function()
      local conf = file(".config/tidemill/tidemill.conf", "seed = 9\n")
      local rows = rows_of(run { "config", env = { HOME = folder, XDG_CONFIG_HOME = false } })
      assert.are.same({ "9", "file " .. conf .. ":1" }, rows.seed)
    end)

    it("are never looked for in the current folder", function()
      file("tidemill.conf", "seed = 9\n")
      assert.are.equal("0\n", run({ "-e", "print(tm.config.seed)", cwd = folder }).out)
      assert.are.equal("0\n", run({ "-", stdin = "print(require('tidemill').config.seed)",
        cwd = folder }).out)
    end)

    it("may have comments, blanks, empty lines, CRLF and a byte order mark", function()
      local conf = file("a.conf", "\239\187\191# all of it\r\n\r\n  seed=5  # five\r\n"
        .. "\tresources =  db = 3 , gpu=1\r\nlog = a#b\n log_level =\twarn")
      local rows = rows_of(run { "config", "--config", conf })
      assert.are.equal("5", rows.seed[1])
      assert.are.equal("db=3,gpu=1", rows.resources[1])
      assert.are.equal(folder .. "/a#b", rows.log[1])
      assert.are.same({ "warn", "file " .. conf .. ":6" }, rows.log_level)
    end)

    it("count relative paths from the file's own folder", function()
      local conf = file("here/a.conf", "cache = c.db\nlog = -\ntrace = /abs/t.json\n")
      local rows = rows_of(run { "config", "--config", conf })
      assert.are.equal(folder .. "/here/c.db", rows.cache[1])
      assert.are.equal("-", rows.log[1])
      assert.are.equal("/abs/t.json", rows.trace[1])
    end)

    it("are refused by line when they are wrong", function()
      for text, message in pairs {
        ["seed = x"] = ":1: seed: \"x\" is not a whole number from 0, or random",
        ["# a\nworkers"] = ":2: expected NAME = VALUE",
        ["seed = 1\n\nseed = 2"] = ":3: seed is set in line 1 already",
        ["log_level ="] = ":1: log_level: \"\" is not debug, info, warn or error",
        ["a\0b = 1"] = ":1: a zero byte; expected text",
      } do
        local conf = file("bad.conf", text)
        is_refused(conf .. message, run { "--config", conf, "-e", "print(1)" })
      end
    end)

    it("warn about names that are no settings, and go on", function()
      local conf = file("a.conf", "wrokers = 2\nfoo-bar = 1\nseed = 4\n")
      local result = run { "--config", conf, "-e", "print(tm.config.seed)" }
      ends_with(0, result)
      assert.are.equal("4\n", result.out)
      assert.are.equal(("tidemill: %s:1: unknown setting \"wrokers\", did you mean \"workers\"?\n"
        .. "tidemill: %s:2: unknown setting \"foo-bar\"; tidemill config lists them all\n"):format(
        conf, conf), result.err)
    end)

    it("must be there when they are named", function()
      local none = folder .. "/none.conf"
      local result = run { "--config", none, "-e", "print(1)" }
      ends_with(1, result)
      assert.are.equal("tidemill: " .. none .. ": No such file or directory\n", result.err)
      result = run { "-e", "print(1)", env = { TIDEMILL_CONFIG = folder } }
      ends_with(1, result)
      contains(result.err, folder .. ": Is a directory")
    end)
  end)

  describe("in the environment", function()
    it("are upper case behind TIDEMILL_", function()
      local result = run { "-e", "print(tm.config.workers, tm.config.trace_events)",
        env = { TIDEMILL_WORKERS = "3", TIDEMILL_TRACE_EVENTS = "77" } }
      assert.are.equal("3\t77\n", result.out)
    end)

    it("are refused by name when they are wrong", function()
      is_refused("TIDEMILL_WORKERS: workers: \"many\" is not auto, 0 (serial) or 1 to 1024",
        run { "-e", "print(1)", env = { TIDEMILL_WORKERS = "many" } })
    end)

    it("warn about variables that are none", function()
      local result = run { "-e", "print(1)", env = { TIDEMILL_WROKERS = "1" } }
      ends_with(0, result)
      assert.are.equal("tidemill: unknown variable TIDEMILL_WROKERS, did you mean TIDEMILL_WORKERS?\n",
        result.err)
      result = run { "-e", "print(1)", env = { TIDEMILL_seed = "1" } }
      contains(result.err, "unknown variable TIDEMILL_seed, did you mean TIDEMILL_SEED?")
      result = run { "-e", "print(1)", env = { TIDEMILL_ZZZZ = "1" } }
      contains(result.err, "unknown variable TIDEMILL_ZZZZ; tidemill config lists the settings")
    end)

    it("ask for an instruction set that there is", function()
      local result = run { "-e", "print(1)", env = { TIDEMILL_ISA = "avx3" } }
      ends_with(2, result)
      assert.are.equal("tidemill: TIDEMILL_ISA: \"avx3\" is not an instruction set that this machine and "
        .. "build have; expected plain, avx2, avx512 or neon\n", result.err)
      result = run { "-e", "print(tm.kernels.isa())", env = { TIDEMILL_ISA = "plain" } }
      assert.are.equal("plain\n", result.out)
    end)

    it("leave alone what is for others", function()
      local result = run { "-e", "print(1)", env = { TIDEMILL_TEST_X = "1", TIDEMILL_BENCH_X = "1",
        TIDEMILL_BIN = "x", TIDEMILL_DOT = "off", TIDEMILL_ISA = "plain", TIDEMILL_WORKER = "1",
        TIDEMILL_CONFIG = "" } }
      ends_with(0, result)
      assert.are.equal("", result.err)
    end)
  end)

  describe("in a script", function()
    local function says(expected, text, ...)
      local result = run { "-e", text, ... }
      ends_with(0, result)
      assert.are.equal(expected, result.out)
    end

    it("are set by one call and read as fields", function()
      says("3\tnil\t1\t4\t5\taffinity\n", [[
        tm.config { workers = 3, resources = { gpu = 1, db = 3 }, distribution = "affinity",
          adaptive = { minimum = 1, maximum = 4, interval = "5s" } }
        local c = tm.config
        print(c.resources.db, c.resources.no, c.resources.gpu, c.adaptive.maximum,
          c.adaptive.interval, c.distribution)]])
      says("3\t0\toff\n", [[
        tm.config { workers = 3 } tm.config { adaptive = false }
        local all = tm.config() print(all.workers, all.seed, all.adaptive)]])
    end)

    it("start the workers that are asked for", function()
      says("3\t3\n", [[
        tm.config { workers = 3 }
        tm.map(function(x) return x end, { 1 })
        print(tm.stats().workers, tm.map(function() return tm.config.workers end, { 1 })[1])]])
    end)

    it("start a thread for each worker that adaptive may have", function()
      for workers, active in pairs { [1] = 2, [3] = 3, [9] = 4 } do
        says(("%d\t%d\n"):format(math.max(workers, 4), active):rep(2) .. math.max(workers, 4) .. "\n", ([[
          tm.config { workers = %d, adaptive = { minimum = 2, maximum = 4 } }
          for _ = 1, 2 do
            print(tm.stats().workers, tm.stats().active)
            assert(tm.submit(math.sqrt, 4):result() == 2)
          end
          print(tm.each_worker(math.sqrt, 4).n)]]):format(workers))
      end
    end)

    it("hold a seed of 64 bits, or one that is drawn", function()
      says("18446744073709551615\n", "tm.config { seed = '18446744073709551615' } print(tm.config.seed)")
      says("123\n", "tm.config { seed = 123ULL } print(tm.config.seed)")
      local text = "print(('%.0f'):format(tm.config.seed))"
      local first = run({ "--set", "seed=random", "-e", text }).out
      local second = run({ "--set", "seed=random", "-e", text }).out
      assert.is_truthy(first:match("^%d+\n$"))
      assert.are_not.equal(first, second)
      assert.is_true(tonumber(first) < 2 ^ 53)
    end)

    -- Of two that set the seed the first of these holds.
    it("are stronger than files, and weaker than the environment and the command line", function()
      local conf = file("a.conf", "seed = 1\n")
      local text = "tm.config { seed = 2 } print(tm.config.seed)"
      local env = { TIDEMILL_SEED = "3" }
      local none = { TIDEMILL_SEED = false }
      assert.are.equal("4\n", run({ "--config", conf, "--set", "seed=4", "-e", text, env = env }).out)
      assert.are.equal("3\n", run({ "--config", conf, "-e", text, env = env }).out)
      assert.are.equal("2\n", run({ "--config", conf, "-e", text, env = none }).out)
      assert.are.equal("1\n", run({ "--config", conf, "-e", "print(tm.config.seed)", env = none }).out)
      assert.are.equal("4\n", run({ "--set", "seed=4", "--config", conf, "-e", text, env = env }).out)
    end)

    it("of the command line hold the last", function()
      assert.are.equal("5\n", run({ "--workers", "3", "--set", "workers=5", "-e",
        "print(tm.config.workers)" }).out)
      assert.are.equal("0\n", run({ "--workers", "3", "--serial", "-e",
        "print(tm.config.workers)" }).out)
    end)

    it("cannot be set once what they change has started", function()
      local text = "tm.map(function(x) return x end, { 1 }) tm.config { %s }"
      local cases = {
        ["workers = 1"] = "workers: the workers have started already",
        ["resources = { a = 1 }"] = "resources: the workers have started already",
        ["cache = 'x.db'"] = "cache: it is open already",
      }
      for code, message in pairs(cases) do
        local result = run { "-e", text:format(code) }
        ends_with(1, result)
        contains(result.err, "config: " .. message)
      end
      local log = folder .. "/a.log"
      local result = run { "-e", ("tm.config { log = %q } tm.log.info 'x' tm.config { log = 'b' }")
        :format(log) }
      ends_with(1, result)
      contains(result.err, "config: log: the log is open already")
      says("warn\n", "tm.map(function(x) return x end, { 1 }) tm.config { log_level = 'warn' }"
        .. " print(tm.config.log_level)")
    end)

    it("are refused with the name and what was expected", function()
      local cases = {
        ["{ wrokers = 1 }"] = "config: unknown setting \"wrokers\", did you mean \"workers\"?",
        ["{ workers = 2.5 }"] = "config: workers: \"2.5\" is not auto, 0 (serial) or 1 to 1024",
        ["{ workers = print }"] = "config: workers: expected a text, a number, a boolean or a table "
          .. "of them, got a function",
        ["{ resources = { 3 } }"] = "config: resources: expected a text",
        ["{ resources = { db = 0 } }"] = "config: resources: \"db=0\" is not off, or NAME=LIMIT,",
        ["{ adaptive = { minimum = 4, maximum = 2 } }"] = "config: adaptive: \"maximum=2,minimum=4\" "
          .. "is not on, off, or of minimum=",
        ["{ adaptive = { least = 4 } }"] = "config: adaptive: \"least=4\" is not",
        ["{ distribution = 'fair' }"] = "config: distribution: \"fair\" is not dynamic, round_robin,",
        ["'workers'"] = "config: expected a table such as {workers = 2}, got a string",
      }
      for code, message in pairs(cases) do
        local result = run { "-e", "tm.config(" .. code .. ")" }
        ends_with(1, result)
        contains(result.err, "tidemill: -e:1: " .. message)
      end
      contains(run({ "-e", "print(tm.config.wrokers)" }).err,
        "-e:1: tm.config has no \"wrokers\", did you mean \"workers\"?")
      contains(run({ "-e", "tm.config.workers = 2" }).err,
        "-e:1: tm.config.workers = value: expected tm.config{workers = value}")
    end)

    it("are the script's alone to set", function()
      local result = run { "-e", "tm.submit(function() tm.config { seed = 1 } end):result()" }
      ends_with(1, result)
      contains(result.err, "config: a task cannot set what the script has started with")
    end)
  end)

  describe("with pairs", function()
    it("are refused unless every pair is right", function()
      for _, value in ipairs { "", "db", "db=", "=3", "db=3,", ",db=3", "db=3,db=4", "db=0", "db=-1",
        "d b=3", "3=3", "db=3;gpu=1", "db==3" } do
        is_refused(("resources: %q is not off, or NAME=LIMIT,NAME=LIMIT with limits above 0")
          :format(value), run { "config", "--set", "resources=" .. value })
      end
      for _, value in ipairs { "", "yes", "minimum=0", "maximum=1025", "interval=0", "interval=1x",
        "minimum=2,maximum=1", "minimum=1,maximum=2,interval=5s,", "minimum" } do
        is_refused(("adaptive: %q is not on, off, or of minimum=WORKERS,maximum=WORKERS,interval=TIME, "
          .. "with 1 <= minimum <= maximum <= 1024"):format(value),
          run { "config", "--set", "adaptive=" .. value })
      end
    end)

    it("are shown as they are meant", function()
      local rows = rows_of(run { "config", "--set", "adaptive=interval=1.5m, maximum=6" })
      assert.are.equal("minimum=1,maximum=6,interval=90", rows.adaptive[1])
      rows = rows_of(run { "config", "--set", "adaptive=minimum=1000" })
      assert.are.equal("minimum=1000,maximum=1000,interval=5", rows.adaptive[1])
      rows = rows_of(run { "config", "--set", "resources= b = 2.50 ,a.x-1=1" })
      assert.are.equal("b=2.5,a.x-1=1", rows.resources[1])
    end)
  end)

  it("of a stock luajit come from the environment and the script's folder", function()
    local helper = require("tests.spec.helper")
    if helper.sanitized then
      return pending("a stock luajit knows nothing of sanitizers")
    end
    file("tidemill.conf", "seed = 6\ntrace_events = 9\n")
    file("x.lua", "local c = require('tidemill').config print(c.seed, c.trace_events, c.workers)")
    local products = process.program:match("^(.*)/[^/]*$")
    local out, err = helper.shell(("env LUA_CPATH=%s/?.so TIDEMILL_SEED=8 TIDEMILL_WORKERS=2 luajit %s/x.lua")
      :format(process.quote(products), folder))
    assert.are.equal("", err)
    assert.are.equal("8\t9\t2\n", out)
    local _, problem = helper.shell(("env LUA_CPATH=%s/?.so TIDEMILL_SEED=x luajit %s/x.lua"):format(
      process.quote(products), folder))
    contains(problem, "tidemill: TIDEMILL_SEED: seed: \"x\" is not a whole number")
  end)
end)
