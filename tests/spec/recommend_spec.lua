-- Choosing sizes: tm.recommend from the machine as it is, tm.autotune from a sample.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"
local core = require "tidemill.core"
local sizes = require "tidemill.sizes"
local contains, problem = expect.contains, expect.problem

local seed = helper.seed()

describe("the machine", function()
  it("has CPUs and memory that the process may use", function()
    local machine = core.machine()
    local nproc = helper.shell("env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc")
    assert.are.equal(tonumber(nproc), machine.affinity)
    assert.is_true(machine.cpus >= 1 and machine.cpus <= machine.affinity)
    assert.is_true(machine.affinity <= machine.online)
    assert.is_true(machine.memory > 0 and machine.memory <= machine.installed)
    assert.are.equal(machine.memory, machine.available + machine.used)
    local total = helper.read("/proc/meminfo"):match("MemTotal:%s*(%d+) kB")
    assert.are.equal(tonumber(total) * 1024, machine.installed)
  end)

  it("is smaller for a process that is bound to one CPU", function()
    local command = ("taskset -c %s %s -e %s"):format(
      helper.read("/proc/self/status"):match("Cpus_allowed_list:%s*(%d+)"),
      helper.quote(helper.products .. "/tidemill"), helper.quote(
        "print(tm.recommend{items = 1000}.workers, tm.recommend{items = 1000, kind = 'io'}.workers)"))
    local out, err, status = helper.shell(command)
    if status == 127 then return pending("no taskset here") end
    assert.are.equal("1\t4\n", out, err)
  end)
end)

describe("a size", function()
  it("is a number or text with a unit", function()
    local cases = { [0] = 0, [17] = 17, [1.9] = 1, ["4096"] = 4096, ["512MB"] = 512e6, ["2GiB"] = 2 ^ 31,
      [" 1.5 kB "] = 1500, ["1KiB"] = 1024, ["3b"] = 3, ["1tib"] = 2 ^ 40, ["0.5MiB"] = 2 ^ 19,
      ["1PB"] = 1e15 }
    for given, bytes in pairs(cases) do assert.are.equal(bytes, sizes.parse(given), tostring(given)) end
    for _, given in ipairs { "", "MB", "512M", "1,5MB", "-1", "1e3", "0x10", "1..2MB", ".5MB", "1 2MB", "50%",
      "1MBs", true, {}, -1, 0 / 0, math.huge, 2 ^ 63, "99999999PB" } do
      assert.is_nil(sizes.parse(given), tostring(given))
    end
    assert.are.equal(250, sizes.parse("25%", 1000))
    assert.are.equal(1000, sizes.parse("100 %", 1000))
    assert.is_nil(sizes.parse("101%", 1000)) -- nobody has more than all
  end)

  it("prints short", function()
    assert.are.equal("0 bytes", sizes.text(0))
    assert.are.equal("1 byte", sizes.text(1))
    assert.are.equal("1023 bytes", sizes.text(1023))
    assert.are.equal("1 KiB", sizes.text(1024))
    assert.are.equal("1.5 MiB", sizes.text(1.5 * 2 ^ 20))
    assert.are.equal("100 MiB", sizes.text(sizes.parse("100MiB")))
  end)
end)

describe("a recommendation", function()
  local function of(items, given)
    local asked = { items = items, cpus = 4, memory = "4GiB" }
    for name, value in pairs(given or {}) do asked[name] = value end
    return tm.recommend(asked)
  end

  it("changes where the number of items passes 50, 200 and 500", function()
    local tasks = { [49] = 49, [50] = 25, [199] = 67, [200] = 34, [499] = 32, [500] = 16 }
    local each = { [49] = 1, [50] = 2, [199] = 3, [200] = 6, [499] = 16, [500] = 32 }
    for items, chunk_size in pairs(each) do
      local r = of(items)
      assert.are.equal(chunk_size, r.chunk_size, items .. " items")
      assert.are.equal(tasks[items], r.chunks, items .. " items")
      assert.are.equal(4, r.workers)
    end
    contains(of(49).reason, "fewer than 50 items")
    contains(of(50).reason, "50 to 199 items")
    contains(of(199).reason, "50 to 199 items")
    contains(of(200).reason, "200 to 499 items")
    contains(of(499).reason, "200 to 499 items")
    contains(of(500).reason, "500 items and more")
  end)

  it("has as many workers as the kind of work can use", function()
    local workers = { cpu = 4, parse = 4, mixed = 8, io = 16, write = 16 }
    for kind, count in pairs(workers) do
      assert.are.equal(count, of(1000, { kind = kind }).workers, kind)
      assert.are.equal(3, of(3, { kind = kind }).workers, kind)
    end
    assert.are.equal(64, of(1e6, { kind = "io", cpus = 20 }).workers)
    assert.are.equal(100, of(1e6, { kind = "io", cpus = 100 }).workers) -- never fewer than CPUs
    assert.are.equal(4, of(1000).workers)
    assert.are.equal(7, of(1000, { workers = 7 }).workers)
    assert.are.equal(core.machine().cpus, tm.recommend { items = 1e6 }.workers)
  end)

  it("cuts partitions by bytes", function()
    local r = of(1e8, { bytes_per_item = 50, partition_bytes = "100MiB" })
    assert.are.equal(48, r.chunks)
    assert.is_true(r.chunk_size * 50 <= 100 * 2 ^ 20)
    assert.are.equal(50, of(1e8, { bytes_per_item = 50, partition_bytes = "100MB" }).chunks)
    local few = of(10, { bytes_per_item = 300, partition_bytes = 100 })
    assert.are.equal(10, few.chunks) -- an item is not cut in two
    contains(few.reason, "1 item a task (each is more than a partition of 100 bytes)")
    local tight = of(1e8, { bytes_per_item = 50, partition_bytes = "100MiB", memory = "250MiB" })
    assert.are.equal(2, tight.workers)
    assert.are.equal(48, tight.chunks)
  end)

  it("keeps what is worked on at once within the memory", function()
    local r = of(1000, { bytes_per_item = "100MiB", memory = "250MiB" })
    assert.are.equal(2, r.workers)
    assert.are.equal(1, r.chunk_size)
    assert.are.equal(200 * 2 ^ 20, r.memory)
    assert.are.equal(250 * 2 ^ 20, r.memory_limit)
    local too_much = of(10, { bytes_per_item = "3GiB", memory = "2GiB" })
    assert.are.equal(1, too_much.workers)
    contains(too_much.reason, "an item alone is more than 2 GiB of memory")
    contains(of(1000, { bytes_per_item = "300MiB" }).reason, "each is more than 128 MiB")
    contains(of(1000, { bytes_per_item = "30MiB" }).reason, "at most 128 MiB a task")
    local open = tm.recommend { items = 10, bytes_per_item = 1 }
    assert.is_true(open.memory_limit > 0 and open.memory_limit <= core.machine().memory / 2)
    local half = tm.recommend { items = 10, bytes_per_item = 1, memory = "50%" }
    assert.are.equal(math.floor(core.machine().memory / 2), half.memory_limit)
  end)

  it("knows what a task costs when it knows what an item costs", function()
    local short = of(1e6, { seconds_per_item = 1e-6 }) -- 100 us are 5 % overhead, 10 ms enough
    assert.is_true(short.chunk_size >= 100 and short.chunk_size <= 10000, tostring(short))
    assert.are.equal(1, of(1e6, { seconds_per_item = 1 }).chunk_size)
    local tiny = of(10, { seconds_per_item = 1e-6 })
    assert.are.equal(1, tiny.workers)
    assert.is_true(tiny.speedup < 1)
    contains(tiny.reason, "a plain loop is faster")
  end)

  it("expects what its formula says", function()
    local r = of(200, { cpus = 4 }) -- 34 tasks on 4 workers: 9 rounds
    local busy = 34 / 9
    assert.are.equal(1 / (0.02 + 0.98 / busy), r.speedup)
    local timed = of(200, { cpus = 4, seconds_per_item = 1e-3 })
    local work = 200e-3
    busy = timed.chunks / math.ceil(timed.chunks / timed.workers)
    assert.is_true(math.abs(timed.speedup - work / (work / busy + timed.chunks * 5e-6)) < 1e-9)
    assert.are.equal(1, of(0).speedup)
    assert.are.equal(0, of(0).chunks)
  end)

  it("holds its promises for any question", function()
    math.randomseed(seed)
    local kinds = { "cpu", "io", "mixed", "parse", "write" }
    local most = { cpu = 1, parse = 1, mixed = 2, io = 4, write = 4 }
    local function one_in(n) return math.random(n) == 1 end
    for _ = 1, 5000 do
      local given = {
        items = math.floor(10 ^ (math.random() * 9)), kind = kinds[math.random(5)], cpus = math.random(80),
        memory = math.floor(10 ^ (3 + math.random() * 9)),
        bytes_per_item = not one_in(3) and math.floor(10 ^ (math.random() * 8)) or nil,
        seconds_per_item = one_in(2) and 10 ^ (math.random() * 8 - 7) or nil,
        workers = one_in(3) and math.random(200) or nil,
      }
      if given.bytes_per_item and one_in(3) then
        given.partition_bytes = math.floor(10 ^ (2 + math.random() * 7))
      end
      local r = tm.recommend(given)
      local said = tm.json.encode(given) .. " -> " .. r.reason
      local bytes = given.bytes_per_item or 0
      assert.are.equal(math.ceil(given.items / r.chunk_size), r.chunks, said)
      assert.is_true(r.workers >= 1 and r.workers <= r.chunks, said)
      assert.is_true(r.workers <= (given.workers or math.max(given.cpus, 64)), said)
      assert.are.equal(math.min(r.workers * r.chunk_size, given.items) * bytes, r.memory, said)
      if r.memory > given.memory then
        assert.are.equal(1, r.workers, said)
        assert.is_true(r.chunk_size == 1 or given.partition_bytes ~= nil, said)
        contains(r.reason, "alone is more than")
      end
      if given.partition_bytes then
        assert.is_true(r.chunk_size == 1 or r.chunk_size * bytes <= given.partition_bytes, said)
        assert.are.equal(math.ceil(given.items / math.max(1, math.floor(given.partition_bytes / bytes))),
          r.chunks, said)
      else
        assert.is_true(r.chunk_size == 1 or r.chunk_size * bytes <= 128 * 2 ^ 20, said)
      end
      assert.is_true(r.speedup > 0 and r.speedup <= r.workers + 1e-9, said)
      assert.is_true(r.speedup <= given.cpus * most[given.kind] + 1e-9, said)
    end
  end)

  it("prints as one line", function()
    assert.are.equal("4 workers, 16 tasks of 32 items, 125 KiB in flight, about 3.77 times as fast",
      tostring(of(500, { bytes_per_item = 1000 })))
    assert.are.equal("1 worker, 1 task of 1 item, about 1 times as fast", tostring(of(1)))
  end)

  it("names what is wrong with a question", function()
    local cases = {
      { nil, "items: expected how many there are" },
      { 5, "expected a table of options, got 5" },
      { { itms = 1 }, "unknown option \"itms\", did you mean \"items\"?" },
      { { items = "many" }, "items: expected a whole number from 0, got \"many\"" },
      { { items = -1 }, "items: expected a whole number from 0, got -1" },
      { { items = 1.5 }, "items: expected a whole number from 0, got 1.5" },
      { { items = 0 / 0 }, "items: expected a whole number from 0, got nan" },
      { { items = math.huge }, "items: expected a whole number from 0, got inf" },
      { { items = 1, kind = "gpu" }, "kind: expected \"cpu\", \"io\", \"mixed\"" },
      { { items = 1, kind = false }, "kind: expected \"cpu\"" },
      { { items = 1, bytes_per_item = "512M" }, "bytes_per_item: expected bytes as a number, or text" },
      { { items = 1, bytes_per_item = -1 }, "bytes_per_item: expected bytes" },
      { { items = 1, bytes_per_item = "5%" }, "bytes_per_item: expected bytes" },
      { { items = 1, memory = 0 }, "memory: expected bytes" },
      { { items = 1, memory = {} }, "memory: expected bytes" },
      { { items = 1, seconds_per_item = 0 }, "seconds_per_item: expected a number of seconds above 0" },
      { { items = 1, seconds_per_item = "1s" }, "seconds_per_item: expected a number" },
      { { items = 1, workers = 0 }, "workers: expected a whole number from 1 to 1024, got 0" },
      { { items = 1, cpus = 2000 }, "cpus: expected a whole number from 1 to 1024, got 2000" },
      { { items = 1, partition_bytes = "1MB" }, "partition_bytes: expected bytes_per_item beside it" },
      { { items = 1, partition_bytes = 0, bytes_per_item = 1 }, "partition_bytes: expected bytes" },
    }
    for _, case in ipairs(cases) do
      local text = problem(tm.recommend, case[1])
      contains(text, case[2])
      contains(text, "recommend: ")
    end
    contains(problem(function() tm.recommend { items = -1 } end), "recommend_spec.lua:")
  end)
end)

describe("autotune", function()
  local numbers = {}
  for i = 1, 100 do numbers[i] = i end
  local function double(x) return 2 * x end

  local function chunk_sizes_of(tuned)
    local list = {}
    for i, row in ipairs(tuned.table) do list[i] = row.chunk_size end
    return list
  end

  it("measures each candidate and returns the fastest", function()
    local tuned = tm.autotune(double, numbers, { chunk_sizes = { 50, 1, 7, 7, 1000 }, repeats = 2 })
    assert.are.same({ 1, 7, 50, 100 }, chunk_sizes_of(tuned)) -- none is larger than the sample
    assert.are.equal(100, tuned.n)
    assert.are.equal(math.max(1, tm.stats().workers), tuned.workers)
    assert.is_true(tuned.deterministic and tuned.complete)
    local alone = tuned.table[4].seconds
    assert.are.equal(alone / 100, tuned.seconds_per_item)
    for _, row in ipairs(tuned.table) do
      assert.is_true(row.seconds > 0 and row.seconds >= tuned.best.seconds)
      assert.are.equal(100 / row.seconds, row.items_per_second)
      assert.are.equal(row.seconds / 100, row.seconds_per_item)
      assert.are.equal(alone / (tuned.workers * row.seconds), row.efficiency)
    end
    local found = false
    for _, row in ipairs(tuned.table) do found = found or row == tuned.best end
    assert.is_true(found)
  end)

  it("chooses candidates from one item to all", function()
    local tuned = tm.autotune(double, numbers, { repeats = 1 })
    local list = chunk_sizes_of(tuned)
    assert.are.equal(1, list[1])
    assert.are.equal(100, list[#list])
    local share = false
    for _, chunk_size in ipairs(list) do share = share or chunk_size == math.ceil(100 / tuned.workers) end
    assert.is_true(share)
    assert.are.same({ 1 }, chunk_sizes_of(tm.autotune(double, { 5 })))
  end)

  it("runs every item once a measurement", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    local path = folder .. "/count"
    tm.autotune(function(x)
      local file = io.open(path, "a")
      file:write("x")
      file:close()
      return x
    end, { 1, 2, 3, 4, 5, 6 }, { chunk_sizes = { 1, 2, 6 }, repeats = 4 })
    -- Once before, all in one once, three candidates four times.
    assert.are.equal(6 * (1 + 1 + 3 * 4), #helper.read(path))
  end)

  it("prints as a table that marks the best", function()
    local tuned = tm.autotune(double, numbers, { chunk_sizes = { 10, 100 }, repeats = 1 })
    tuned.best.seconds = 0.0009
    contains(tostring(tuned), "\nless than 1 ms in all: a longer sample tells more")
    tuned.best.seconds = 0.001
    local lines = {}
    for line in tostring(tuned):gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert.are.equal(4, #lines)
    assert.is_truthy(lines[1]:match("^100 items, %d+ workers?$"), lines[1])
    assert.is_truthy(lines[2]:match("^items a task +seconds +items/s +us/item +efficiency$"))
    local marked = 0
    for i, row in ipairs(tuned.table) do
      local line = lines[i + 2]
      assert.are.equal(row.chunk_size, tonumber(line:match("^ *(%d+) ")))
      if line:match("  best$") then
        marked = marked + 1
        assert.are.equal(tuned.best, row)
      end
    end
    assert.are.equal(1, marked)
  end)

  it("stops when the budget is spent, but not before it has something to say", function()
    local tuned = tm.autotune(double, numbers, { budget = 1e-9, chunk_sizes = { 3, 10 } })
    assert.is_false(tuned.complete)
    assert.are.same({ 3 }, chunk_sizes_of(tuned))
    assert.are.equal(3, tuned.best.chunk_size)
    contains(tostring(tuned), "the budget ended before all was measured")
  end)

  it("compares results by value, whatever they are", function()
    local results = {
      function(x) return x end,
      function() return nil end,
      function() return 0 / 0 end,
      function(x) return { x, { text = "a" .. x, [false] = 0 / 0, none = {} } } end,
      function(x) return tm.array({ x, 0 / 0, -x }) end,
      function(x) return tm.array({ x, x + 1 }, "int64") end,
      function(x) return x % 2 == 0 and "even" end,
      function(x) return 2LL * x end,
    }
    for i, fn in ipairs(results) do
      local tuned = tm.autotune(fn, { n = 5, 1, 2, 3, 4, 5 }, { repeats = 1 })
      assert.is_true(tuned.deterministic, "function " .. i)
    end
  end)

  it("warns of a function whose results differ", function()
    local bodies = {
      "function(x) return math.random() end",
      "function(x) return { x, { math.random() } } end",
      "function(x) return tm.array({ x, math.random() }) end",
      "function(x) return tm.array({ math.random(1e9) }, 'int64') end",
      "function(x) return { [math.random()] = x } end",
      "function(x) return tostring(math.random()) end",
      "function(x) return math.random(2) == 1 and {} or nil end",
    }
    for _, body in ipairs(bodies) do
      local result = process.run { "--cache", "off", "--workers", "2", "-e", ([[
local list = {}
for i = 1, 40 do list[i] = i end
local tuned = tm.autotune(%s, list, { repeats = 2 })
print(tuned.deterministic, (tostring(tuned):find("results differ between chunk sizes", 1, true)) ~= nil)]])
        :format(body) }
      assert.are.equal("false\ttrue\n", result.out, result.err)
      assert.is_truthy(result.err:match("^tidemill: autotune: item %d+ has another result in tasks of %d+ "
        .. "items than before: [^\n]*\n$"), result.err)
    end
  end)

  it("is the same script on any number of workers", function()
    for _, workers in ipairs { 0, 1, 2, 5 } do
      local result = process.run { "--cache", "off", "--workers", tostring(workers), "-e", [[
local list = {}
for i = 1, 30 do list[i] = i end
local tuned = tm.autotune(function(x) return x * x end, list, { chunk_sizes = { 1, 30 } })
print(tuned.workers, #tuned.table, tuned.deterministic)]] }
      assert.are.equal(("%d\t2\ttrue\n"):format(math.max(1, workers)), result.out, result.err)
    end
  end)

  it("raises what the function raises", function()
    local fine, value = pcall(tm.autotune, function(x) error("no " .. x, 0) end, { 7 })
    assert.is_false(fine)
    assert.are.equal("no 7", tostring(value))
    assert.are.equal("autotune", value.task)
  end)

  it("takes an array as the sample, as map does", function()
    local tuned = tm.autotune(double, tm.array { 1, 2, 3 }, { repeats = 1 })
    assert.are.equal(3, tuned.n)
    assert.is_truthy(tostring(tuned):match("^3 items, "))
    assert.is_truthy(tostring(tm.autotune(double, { 1 }, { repeats = 1 })):match("^1 item, "))
  end)

  it("names what is wrong with its arguments", function()
    local cases = {
      { {}, "expected autotune(function, sample, options), got a nil as the function" },
      { { tm.delayed(double), numbers }, "got a delayed function (pass the plain one)" },
      { { double }, "expected a list of at least one item as the sample, got a nil" },
      { { double, {} }, "expected a list of at least one item as the sample, got an empty one" },
      { { double, { n = 0.5 } }, "expected a list of at least one item" },
      { { double, numbers, 3 }, "expected a table of options, got 3" },
      { { double, numbers, { chunksizes = {} } }, "did you mean \"chunk_sizes\"?" },
      { { double, numbers, { chunk_sizes = {} } }, "of whole numbers from 1, got an empty one" },
      { { double, numbers, { chunk_sizes = { 4, 0 } } }, "whole numbers from 1, got 0 in it" },
      { { double, numbers, { chunk_sizes = 4 } }, "chunk_sizes: expected a list" },
      { { double, numbers, { repeats = 0 } }, "repeats: expected a whole number from 1 to 1000, got 0" },
      { { double, numbers, { budget = 0 / 0 } }, "budget: expected a number of seconds above 0, got nan" },
    }
    for _, case in ipairs(cases) do contains(problem(tm.autotune, unpack(case[1], 1, 3)), case[2]) end
    contains(problem(function() tm.autotune(double, {}) end), "recommend_spec.lua:")
  end)
end)
