-- Memory: limits, results on disk, and nothing that grows or is left behind.  The whole size is in
-- tests/bench/spill.lua and tests/soak/flat.lua.  SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local memory = require "tests.soak.memory"
local process = require "tests.spec.process"

-- A sanitizer's own memory would count.
local sanitized = helper.sanitized

local arrays = [[
local tm = require "tidemill"
local make = tm.delayed(function(i)
  local a = require("tidemill.array").new("float64", 131072)
  local p = a:pointer()
  for k = 0, 131071 do p[k] = i + k end
  return a
end)
local first = tm.delayed(function(list, n)
  local sum = 0
  for i = 1, n do sum = sum + list[i][1] + list[i][131072] end
  return sum
end)
local function run(n)
  local list = {}
  for i = 1, n do list[i] = make(i) end
  return first(list, n):compute() == n * (n + 1) + n * 131071
end
]]

local function run(text, options)
  options = options or {}
  local words = { "--cache", "off", "--set", "workers=2" }
  for _, word in ipairs(options) do words[#words + 1] = word end
  words.env, words.signal, words.cwd = options.env, options.signal, options.cwd
  local folder = process.folder()
  process.write(folder .. "/script.lua", text)
  words[#words + 1] = folder .. "/script.lua"
  local result = process.run(words)
  process.remove(folder)
  return result
end

local function prints(expected, result)
  assert.are.equal("", result.err)
  assert.are.equal(expected, result.out)
  assert.are.equal(0, result.status)
end

describe("results that do not fit", function()
  for kind, piece in pairs { array = 8, table = 1, string = 4 } do
    it(("as %ss go to disk and are read again, within the limit"):format(kind), function()
      if sanitized then return pending("a sanitizer's own memory counts, too") end
      local got = memory.run { program = helper.products .. "/tidemill", kind = kind, limit = 256,
        times = kind == "table" and 1 or 2, piece = piece }
      assert.is_nil(got.error)
      assert.is_true(got.right)
      assert.is_true(got.spills > 0)
      assert.is_true(got.peak <= 1.2 * 256e6, ("%.0f MB at most"):format(got.peak / 1e6))
    end)
  end

  it("do so on the serial lane, too", function()
    prints("true\ttrue\n", run(arrays .. [[
      print(run(100), tm.stats().memory.spills > 0)]],
      { "--serial", "--set", "memory.limit=" .. (sanitized and "8GB" or "96MB"),
        sanitized and "--set" or nil, sanitized and "memory.spill=1e-6" or nil,
        sanitized and "--set" or nil, sanitized and "memory.target=1e-6" or nil }))
  end)

  it("leave no file, also when the engine is killed", function()
    local folder = process.folder()
    local options = { "--set", "memory.limit=4GB", "--set", "memory.target=1e-6", "--set",
      "memory.spill=1e-6", "--set", "spill_folder=" .. folder }
    prints("true\ttrue\n", run(arrays .. "print(run(40), tm.stats().memory.spills > 20)", options))
    assert.are.equal("", (helper.shell("ls -A " .. folder)))
    options.signal = "KILL"
    local result = run(arrays .. [[
      local kept = {}
      for i = 1, 40 do kept[i] = make(i):persist() end
      first(kept, 40):compute()
      assert(tm.stats().memory.spilled > 2e7)
      io.open(os.getenv("READY"), "w"):close()
      tm.sleep(60)]], options)
    assert.are.equal(137, result.status)
    assert.are.equal("", (helper.shell("ls -A " .. folder)))
    process.remove(folder)
  end)

  it("stay in memory when the disk takes no more, with one warning", function()
    local folder = process.folder()
    process.write(folder .. "/full.lua", arrays .. "print(run(40), tm.stats().memory.spills)")
    local out, err, status = helper.shell(("ulimit -f 1; exec %s --cache off --set memory.limit=4GB "
      .. "--set memory.target=1e-6 --set memory.spill=1e-6 --set spill_folder=%s %s/full.lua"):format(
      process.program, folder, folder))
    assert.are.equal("true\t0\n", out)
    assert.are.equal(0, status)
    assert.are.equal(("tidemill: cannot spill to %s: File too large; results stay in memory\n"):format(
      folder), err)
    process.remove(folder)
  end)

  it("are told in the log and in the trace", function()
    local folder = process.folder()
    local result = run(arrays .. "print(run(40))", { "--set", "memory.limit=4GB", "--set",
      "memory.target=1e-6", "--set", "memory.spill=1e-6", "--log", folder .. "/log.txt", "--trace",
      folder .. "/trace.json" })
    prints("true\n", result)
    assert.is_truthy(process.read(folder .. "/log.txt"):find("spilled to disk blocks=%d+ bytes=%d+"))
    assert.is_truthy(process.read(folder .. "/trace.json"):find("\"spill\"", 1, true))
    process.remove(folder)
  end)

  it("are told when memory is so short that nothing new is begun", function()
    local folder = process.folder()
    local result = run(arrays .. "print(run(40), tm.stats().memory.pauses > 0)", { "--set",
      "memory.limit=4GB", "--set", "memory.target=1e-6", "--set", "memory.spill=1e-6", "--set",
      "memory.pause=1e-6", "--log", folder .. "/log.txt", "--trace", folder .. "/trace.json" })
    prints("true\ttrue\n", result)
    assert.is_truthy(process.read(folder .. "/log.txt"):find("memory is short: nothing new is begun used="))
    assert.is_truthy(process.read(folder .. "/trace.json"):find("\"pause\"", 1, true))
    process.remove(folder)
  end)
end)

describe("a run while memory is short", function()
  local short = { "--set", "memory.limit=4GB", "--set", "memory.target=1e-6", "--set",
    "memory.spill=1e-6", "--set", "memory.pause=1e-6" }

  it("ends, whatever its tasks wait for", function()
    prints("5050\t4\t100\tdone\n", run([[
      local tm = require "tidemill"
      local double = tm.delayed(function(x) return x end)
      local add = tm.delayed(function(a, b) return a + b end)
      local sum = double(0)
      for i = 1, 100 do sum = add(sum, double(i)) end
      local nested = tm.delayed(function()
        local tm = require "tidemill"
        return tm.submit(function(x) return x + 1 end, 1):result()
          + tm.submit(function(x) return x + 1 end, 1):result()
      end)
      -- One root waits for another that has not begun.
      local channel = tm.channel(1)
      local take = tm.submit(function(c) return c:take() end, channel)
      local give = tm.submit(function(c) c:put("done") end, channel)
      local mapped = tm.map(function(x) return x end, { n = 100, 1, 2, 3 })
      give:result()
      print(sum:compute(), nested():compute(), mapped.n, take:result())]], short))
  end)

  it("makes the groups of a map smaller, and gives the same", function()
    prints("333833500\n", run([[
      local tm = require "tidemill"
      local list = {}
      for i = 1, 1000 do list[i] = i end
      local sum = 0
      for _, x in ipairs(tm.map(function(x) return x * x end, list)) do sum = sum + x end
      print(sum)]], short))
  end)
end)

describe("Lua's collectors", function()
  it("do not hold on to arrays that the script has dropped", function()
    prints("true\ttrue\n", run([[
      local tm = require "tidemill"
      local new = require("tidemill.array").new
      for _ = 1, 3000 do new("float64", 131072) end -- 3 GB in all
      local stats = tm.stats()
      print(stats.peak_bytes < 2e8, stats.memory.held < 2e8)]]))
  end)

  it("do not hold on to arguments and results of tasks", function()
    prints("true\ttrue\n", run(arrays .. [[
      for round = 1, 40 do run(40) end -- 40 MB each
      print(tm.stats().peak_bytes < 4e8, run(1))]]))
  end)

  it("of workers count an array once, however many tasks take it", function()
    prints("true\t200\n", run(arrays .. [[
      local held = tm.delayed(function(a)
        local ffi, core = require("ffi"), require("tidemill.core")
        return ffi.cast("struct tidemill__holdings *", core.holdings).held
      end)
      local a, list, most = make(1):compute(), {}, 0
      for i = 1, 200 do list[i] = held(a) end
      local values = tm.compute(list)
      for _, bytes in ipairs(values) do most = math.max(most, bytes) end
      print(most >= 2^20 and most < 4 * 2^20 or most, #values)]]))
  end)

  it("of workers hold nothing of the parts that they have filled", function()
    prints("0\ttrue\t1000000\n", run([[
      local tm = require "tidemill"
      local function held()
        local ffi, core = require("ffi"), require("tidemill.core")
        return ffi.cast("struct tidemill__holdings *", core.holdings).held
      end
      local function all()
        local sum = 0
        for _, bytes in ipairs(tm.each_worker(held)) do sum = sum + bytes end
        return sum
      end
      local x = tm.random.uniform(1e6, { seed = 1, chunks = 1e5 }):compute()
      local filled = all()
      tm.random.uniform(1e6, { seed = 1, chunks = 1e5 }):persist()
      print(filled, all() > 0, x.length)]]))
  end)

  it("do not wait for as much garbage as there is beside it", function()
    prints("true\t100\n", run([[
      local tm = require "tidemill"
      local new = require("tidemill.array").new
      local large = new("float64", 5e7) -- 400 MB, of which no page is touched
      local task = tm.delayed(function(a)
        local make = require("tidemill.array").new
        for _ = 1, 40 do make("float64", 131072) end
        return #a
      end)
      local list = {}
      for i = 1, 100 do list[i] = task(large) end
      local done = #tm.compute(list)
      print(tm.stats().peak_bytes < 5e8 or tm.stats().peak_bytes, done)]]))
  end)

  it("of workers give arrays back before they sleep", function()
    prints("true\ttrue\n", run(arrays .. [[
      local length = tm.delayed(function(a) return #a end)
      local list = {}
      for i = 1, 8 do list[i] = length(make(i)) end
      tm.compute(list)
      local held = tm.stats().bytes
      for _ = 1, 500 do
        if tm.stats().bytes == 0 then break end
        tm.sleep(0.01)
      end
      print(held > 0, tm.stats().bytes == 0)]]))
  end)

  it("let no memory grow over a million tasks", function()
    if sanitized then return pending("too slow") end
    local out, err = helper.shell(process.program .. " --cache off tests/soak/flat.lua 1e6 --quiet")
    assert.are.equal("", err)
    local grown = out:match("grown by (%-?%d+) bytes from the middle to the end")
    assert.is_truthy(grown, out)
    assert.is_true(tonumber(grown) < 24e6, grown)
  end)
end)

describe("settings of memory", function()
  local function config(...)
    local out, err, status = helper.tidemill("config", ...)
    return out, err, status
  end

  it("take sizes, shares and words", function()
    local out = config("--set", "memory.limit=512MB", "--set", "memory.worker_limit=2GiB")
    assert.is_truthy(out:find("memory.limit%s+512000000%s+command line"))
    assert.is_truthy(out:find("memory.worker_limit%s+2147483648%s+command line"))
    assert.is_truthy(out:find("memory.target%s+0.6%s+default"))
    assert.is_truthy(config():find("memory.limit%s+auto%s+default"))
    out = config("--set", "memory.limit=50%")
    assert.is_truthy(tonumber(out:match("memory.limit%s+(%d+)")) > 1e6)
  end)

  it("come from variables with _ for the point", function()
    local result = process.run { "config", env = { TIDEMILL_MEMORY_LIMIT = "off",
      TIDEMILL_MEMORY_WORKER_LIMIT = "1GB", TIDEMILL_SPILL_FOLDER = "/var/tmp" } }
    assert.are.equal("", result.err)
    assert.is_truthy(result.out:find("memory.limit%s+off%s+environment TIDEMILL_MEMORY_LIMIT"))
    assert.is_truthy(result.out:find("memory.worker_limit%s+1000000000%s+environment"))
    assert.is_truthy(result.out:find("spill_folder%s+/var/tmp%s+environment"))
    result = process.run { "-e", "print(1)", env = { TIDEMILL_MEMORY_LIMITS = "1" } }
    assert.is_truthy(result.err:find("did you mean TIDEMILL_MEMORY_LIMIT?", 1, true))
  end)

  it("may stand in one table of tm.config", function()
    prints("1000000000\t0.9\t0.9\n", run([[
      local tm = require "tidemill"
      tm.config { memory = { limit = "1GB", pause = 0.9 } }
      print(tm.config["memory.limit"], tm.config.memory.pause, tm.config["memory.pause"])]]))
  end)

  local wrong = {
    ["memory.limit=many"] = "memory.limit: \"many\" is not auto, off, or a size such as 512MB, 2GiB or 50%",
    ["memory.limit=0"] = "memory.limit: \"0\" is not auto, off, or a size such as 512MB, 2GiB or 50%",
    ["memory.worker_limit=auto"] = "memory.worker_limit: \"auto\" is not off, or a size",
    ["memory.spill=1.5"] = "memory.spill: \"1.5\" is not a share of the limit: a number above 0, at most 1",
    ["memory.pause=0"] = "memory.pause: \"0\" is not a share of the limit: a number above 0, at most 1",
  }
  for setting, message in pairs(wrong) do
    it("refuse " .. setting, function()
      local _, err, status = helper.tidemill("--set", setting, "-e", "print(1)")
      assert.is_truthy(err:find(message, 1, true), err)
      assert.are.equal(2, status)
    end)
  end

  it("refuse shares that are out of order", function()
    local result = run("print(require('tidemill').submit(math.sqrt, 4):result())",
      { "--set", "memory.spill=0.5" })
    assert.is_truthy(result.err:find("memory.spill: 0.5 is below memory.target, 0.6; expected "
      .. "memory.target <= memory.spill <= memory.pause <= memory.terminate", 1, true), result.err)
    assert.are.equal(1, result.status)
  end)
end)
