-- Why tasks are answered from the cache or not: --explain, tidemill explain, node:explain(), --record and
-- tidemill diff.  SPDX-License-Identifier: MIT

local expect = require("tests.spec.expect")
local helper = require("tests.spec.helper")
local process = require("tests.spec.process")
local contains, swap = expect.contains, helper.swap

local folder

local function write(name, text) process.write(folder .. "/" .. name, text) end

local function tidemill(words)
  words.cwd = folder
  return process.run(words)
end

-- Runs the program; what --explain says of it.
local function explained(text, options)
  write("main.lua", "local tm = require \"tidemill\"\n" .. text)
  options = options or {}
  local result = tidemill { "--cache", options.cache or "cache.db", "--workers", "2", "--explain", "main.lua",
    env = options.env }
  assert.are.equal(options.status or 0, result.status, result.err)
  return result.err, result.out
end

-- What a dry run says of it.
local function dry(text, task, options)
  write("main.lua", "local tm = require \"tidemill\"\n" .. text)
  local words = { "--cache", "cache.db", "--workers", "2", "explain", "main.lua", task,
    env = options and options.env }
  local result = tidemill(words)
  assert.are.equal(0, result.status, result.err)
  return result.out
end

local deep = "local deep = {}\nfunction deep.scale(x) return x * 3 end\nreturn deep\n"

local script = [[
local deep = require "deep"
local threshold = 0.5
local limits = { low = 1, high = 100, names = { "a", "b" } }
local tools = { list = { function(x) return x + 7 end } }
local class = { twice = function(self) return self.x * 2 end }
class.__index = class
local object = setmetatable({ x = 4 }, class)
factor = 2
local function scale(x) return tools.list[1](x) * factor end
local function middle(x) return scale(x) end
local function first(x) return middle(x) + limits.high + deep.scale(x) + object:twice() end
local task = tm.delayed(function(x, n)
  return first(x) + threshold + n + math.min(1, 2)
end, { name = "score", cache = true })
print(task(1, 30):compute())]]

-- An edit of that script, and the one line that explains it.
local edits = {
  { "threshold = 0.5", "threshold = 0.6", "upvalue threshold: 0.5 -> 0.6" },
  { "high = 100", "high = 26", "upvalue limits.high of first: 100 -> 26" },
  { "\"a\", \"b\"", "\"a\", \"c\"", "upvalue limits.names[2] of first: \"b\" -> \"c\"" },
  { "high = 100,", "high = 100, more = true,", "upvalue limits.more of first: new" },
  { "low = 1, ", "", "upvalue limits.low of first: gone" },
  { "factor = 2", "factor = 3", "global factor: 2 -> 3" },
  { "return first(x) +", "return first(x) -", "function body" },
  { "first(x) return middle(x) +", "first(x) return 1 + middle(x) +", "helper first (1 call away)" },
  { "middle(x) return scale(x)", "middle(x) return scale(x) + 1", "helper middle (2 calls away)" },
  { "(x) * factor", "(x) / factor", "helper scale (3 calls away)" },
  { "x + 7", "x + 8", "helper tools.list[1] (4 calls away)" },
  { "self.x * 2", "self.x * 3", "helper object's metatable.twice (2 calls away)" },
  { "x = 4", "x = 5", "upvalue object.x of first: 4 -> 5" },
  { "local task", "math.min = function() return 1 end\nlocal task",
    "helper math.min (1 call away): new" },
  { "task(1, 30)", "task(1, 31)", "argument 2 changed: 30 -> 31" },
  { "task(1, 30)", "task(\"1\", 30)", "argument 1 changed: 1 -> \"1\"" },
  { "task(1, 30)", "task(1, 30, nil)", "3 arguments instead of 2" },
  { "cache = true", "cache = true, version = \"b\"", "version: \"b\"" },
  { "cache = true", "cache = true, seed = 3", "seed: 3" },
  { "cache = true", "cache = true, files = { \"deep.lua\" }", "file deep.lua: new" },
  { "cache = true", "cache = \"refresh\"", "refresh" },
  { "name = \"score\"", "name = \"other\", version = 1", "new" },
}

describe("a miss", function()
  before_each(function()
    folder = process.folder()
    write("deep.lua", deep)
  end)
  after_each(function() process.remove(folder) end)

  local function says(text, line, options)
    local expected = "       1  " .. line .. "\n"
    contains(dry(text, nil, options), expected)
    local told = explained(text, options)
    contains(told, expected)
    assert.are.equal(2, select(2, told:gsub("\n", "")), told)
  end

  for _, edit in ipairs(edits) do
    it("is explained: " .. edit[3], function()
      contains(explained(script), "       1  new\n")
      contains(explained(script), "score  1 hit\n")
      says(swap(script, edit[1], edit[2]), edit[3])
    end)
  end

  it("is explained by the source of a module", function()
    explained(script)
    write("deep.lua", swap(deep, "x * 3", "x * 4"))
    says(script, "module deep: source")
  end)

  it("is explained by all that has changed", function()
    explained(script)
    local text = swap(swap(swap(script, "threshold = 0.5", "threshold = 0.6"), "x + 7", "x + 8"),
      "task(1, 30)", "task(1, 31)")
    says(text, "helper tools.list[1] (4 calls away), upvalue threshold: 0.5 -> 0.6, "
      .. "argument 2 changed: 30 -> 31")
  end)

  it("is explained by what was read", function()
    local reads = [[
local task = tm.delayed(function()
  local text = select(2, pcall(tm.read_text, "data.txt"))
  return text, #tm.glob("*.csv") .. tostring(tm.env("TIDE")) .. tostring(tm.path_kind("x"))
end, { name = "reads", cache = true, nout = 2 })
print((task():compute()))]]
    local function cause(line, options)
      contains(dry(reads, "reads", options), "       1  " .. line .. "\n")
      explained(reads, options)
      contains(dry(reads, "reads", options), "reads  1 hit\n")
    end
    explained(reads)
    write("data.txt", "one")
    cause("file data.txt: is there now")
    write("data.txt", "two")
    cause("file data.txt: content")
    write("b.csv", "")
    cause("listing *.csv")
    cause("variable TIDE: set now", { env = { TIDE = "1" } })
    write("x", "")
    cause("what x is")
    os.remove(folder .. "/data.txt")
    os.remove(folder .. "/x")
    os.remove(folder .. "/b.csv")
    contains(dry(reads, "reads"), "reads  1 hit\n")
  end)

  it("is explained by a failure, and by a result that was not kept", function()
    local text = [[
local fails = tm.delayed(function() error("no") end, { name = "fails", cache = true })
local odd = tm.delayed(function() return { print = print, os.time() } end, { name = "odd", cache = true })
pcall(function() fails():compute() end)
print(type(odd():compute()))]]
    explained(text)
    local told = explained(text)
    contains(told, "fails  1 miss\n       1  failed last time\n")
    contains(told, "odd    1 miss\n       1  not kept last time\n")
  end)

  it("is explained by what has no key", function()
    local told = explained([[
local channel = tm.channel(1)
local task = tm.delayed(function(to) return 1 end, { name = "sends", cache = true })
print(task(channel):compute())]])
    contains(told, "sends  1 without a key\n       1  argument 1 holds a channel")
  end)

  it("is explained when the entry is gone", function()
    explained(script)
    if helper.capture("command -v sqlite3") == "" then return pending("no sqlite3 here") end
    os.execute(("sqlite3 %s/cache.db 'DELETE FROM entry'"):format(folder))
    says(script, "evicted")
  end)

  it("is explained by the age of the result, of the task's ttl or of the cache's", function()
    local text = [[
local task = tm.delayed(function() return 1 end, { name = "ages", cache = true, ttl = %q })
print(task():compute())]]
    explained(text:format("1h"))
    contains(dry(text:format("1h"), "ages"), "ages  1 hit\n")
    os.execute("sleep 0.01")
    contains(dry(text:format("5ms"), "ages"), "ages  1 miss\n       1  expired\n")
    write("main.lua", "local tm = require \"tidemill\"\n" .. text:format("1h"))
    local limited = tidemill { "--cache", "cache.db", "--set", "cache.ttl=5ms", "--explain", "main.lua" }
    contains(limited.err, "ages  1 miss\n       1  expired\n")
  end)

  it("is compared with the nearest call of its name", function()
    local text = [[
local task = tm.delayed(function(name, n) return name .. n end, { name = "study", cache = true })
local nodes = {}
for _, name in ipairs { "a", "b", "c", %s } do nodes[#nodes + 1] = task(name, %d) end
print(unpack(tm.compute(nodes)))]]
    explained(text:format("", 1))
    contains(dry(text:format("\"d\"", 1)), "study  3 hits, 1 miss\n")
    contains(dry(text:format("", 2)), "study  3 misses\n       3  argument 2 changed: 1 -> 2\n")
  end)

  it("of a name without results since is new, whatever became of the ledger", function()
    explained(script)
    os.execute("rm -f " .. folder .. "/cache.db*")
    says(script, "new")
  end)

  it("without a cache is that", function()
    contains(explained(script, { cache = "off" }), "       1  no cache\n")
  end)
end)

describe("tidemill explain", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local chain = [[
local load = tm.delayed(function(i) io.open("ran", "a"):close() return i * %d end,
  { name = "load", cache = true })
local study = tm.delayed(function(x) return x + 1 end, { name = "study", cache = true })
local sum = tm.delayed(function(list) return #list end, { name = "sum" })
local last = tm.delayed(function(n) return n end, { name = "last", cache = true })
local nodes = {}
for i = 1, 4 do nodes[i] = study(load(i)) end
print(unpack(tm.compute(nodes)))
print(last(sum(nodes)):compute())
print("the end")]]

  it("runs no task, and says what waits for which", function()
    local told = dry(chain:format(1))
    assert.are.equal("load   4 misses\n       4  new\nstudy  4 unknown\n       4  until load has run\n"
      .. "ends at main.lua:9, where a result is wanted that is not known before tasks have run\n", told)
    assert.is_false(process.exists(folder .. "/ran"))
  end)

  it("goes on as far as the cache knows the results", function()
    local err, out = explained(chain:format(1))
    assert.are.equal("2\t3\t4\t5\n4\nthe end\n", out)
    contains(err, "is cached and writes ran")
    os.remove(folder .. "/ran")
    assert.are.equal("2\t3\t4\t5\nlast   1 unknown\n       1  until sum has run\nload   8 hits\n"
      .. "study  8 hits\n"
      .. "sum    1 not cached\n"
      .. "ends at main.lua:10, where a result is wanted that is not known before tasks have run\n",
      dry(chain:format(1)))
    assert.is_false(process.exists(folder .. "/ran"))
  end)

  it("tells of one task, and names the nearest of a name that is none", function()
    assert.are.equal("load  4 misses\n       4  new\n", (dry(chain:format(1), "load"):gsub("ends at.*", "")))
    contains(dry(chain:format(1), "laod"), "no task \"laod\" was looked at, did you mean \"load\"?\n")
  end)

  it("ends where a future's result, a map or a batch wants what is not known", function()
    local task = "local task = tm.delayed(function(x) return x end, { name = \"t\", cache = true })\n"
    for _, ending in ipairs { "tm.submit(task, 1):result()", "tm.map(task, { 1 })", "tm.batch(task, { 1 })",
        "tm.gather(tm.submit(task, 1))", "for f in tm.as_completed { tm.submit(task, 1) } do f:result() end",
        "task(task(1):persist()):compute()", "pcall(function() task(1):compute() end) task(1):compute()" } do
      local told = dry(task .. ending .. "\nprint(\"not reached\")")
      contains(told, "t  ")
      contains(told, "  new\n")
      contains(told, "ends at main.lua:3")
      assert.is_nil(told:find("not reached"))
    end
  end)

  it("leaves nothing in the cache, and counts nothing", function()
    dry(chain:format(1))
    contains(explained(chain:format(1)), "load   4 hits, 4 misses\n       4  new\n") -- looked for twice
  end)

  it("gives the script its arguments behind --, and takes options", function()
    write("main.lua", "local tm = require \"tidemill\"\nprint(...)")
    local result = tidemill { "explain", "--serial", "main.lua", "--cache", "off", "--", "a", "b" }
    assert.are.same({ 0, "a\tb\nno tasks\n" }, { result.status, result.out })
  end)

  it("says no more of a script that fails before its first task", function()
    write("main.lua", "error(\"no\", 0)")
    local result = tidemill { "explain", "main.lua" }
    assert.are.same({ 1, "" }, { result.status, result.out })
    contains(result.err, "tidemill: no\n")
    write("main.lua", "local tm = require \"tidemill\"\ntm.map(tm.delayed(function(x) return x end,"
      .. " { name = \"t\" }), { 1 })\nerror(\"no\", 0)")
    contains(tidemill({ "explain", "main.lua" }).out, "t  ")
  end)

  it("refuses wrong usage", function()
    local cases = { { "explain" }, { "explain", "main.lua", "one", "two" },
      { "explain", "nothing.lua", status = 1 }, { "explain", "main.lua", "--json", "-" } }
    write("main.lua", "")
    for _, case in ipairs(cases) do
      local result = tidemill(case)
      assert.are.equal(case.status or 2, result.status, result.err)
      assert.are.equal(1, select(2, result.err:gsub("\n", "")))
    end
  end)
end)

describe("node:explain()", function()
  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  it("says what the cache knows of each task below", function()
    write("main.lua", [[
local tm = require "tidemill"
local bound = 1
local load = tm.delayed(function(i) return i * bound end, { name = "load", cache = true })
local study = tm.delayed(function(x, n) return x + n end, { name = "study", cache = true })
local function node(n) return study(load(1), n) end
print(node(5):explain())
node(5):compute()
local known = node(5):explain()
print(known, known[1].hits, known[2].misses, tm.stats().hits, tm.stats().failed, tm.stats().skipped)
local other = node(6):explain()
print(other)
print(other[2].misses, other[2].causes[1])
bound = 2
local changed = node(5):explain()
print(changed, changed[1].causes[1], changed[2].unknown)]])
    local result = tidemill { "--cache", "cache.db", "main.lua" }
    assert.are.equal("", result.err)
    assert.are.equal([[
load   thread lane; cached: 1 miss (new); 1 task (1 pending)
study  thread lane; cached: 1 unknown (until load has run); 1 task (1 pending)
load   thread lane; cached: 1 hit; 1 task (1 pending)
study  thread lane; cached: 1 hit; 1 task (1 pending)	1	0	0	0	0
load   thread lane; cached: 1 hit; 1 task (1 pending)
study  thread lane; cached: 1 miss (argument 2 changed: 5 -> 6); 1 task (1 pending)
1	argument 2 changed: 5 -> 6
load   thread lane; cached: 1 miss (upvalue bound: 1 -> 2); 1 task (1 pending)
study  thread lane; cached: 1 unknown (until load has run); 1 task (1 pending)	upvalue bound: 1 -> 2	1
]], result.out)
  end)
end)

-- ---- records --------------------------------------------------------------------------------------

describe("--record", function()
  before_each(function()
    folder = process.folder()
    write("deep.lua", deep)
    write("data.txt", "four")
    write("main.lua", [[
local tm = require "tidemill"
local deep = require "deep"
local read = tm.delayed(function() return #tm.read_text("data.txt") + #(os.getenv("TIDE") or "") end,
  { name = "read", cache = true })
local late = tm.delayed(function(x) return x + os.time() * 0 end, { name = "late", cache = true })
return { late(read()):compute(), deep.scale(2), arg[1] }]])
  end)
  after_each(function() process.remove(folder) end)

  local function record(name, ...)
    local words = { "--cache", "cache.db", "--workers", "1", "--record", name, "main.lua", "--json",
      "out.json", ... }
    local result = tidemill(words)
    return process.read(folder .. "/" .. name), result
  end

  local function decode(text)
    write("decode.lua", "local tm = require \"tidemill\"\nlocal file = io.open(arg[1])\n"
      .. "local value = tm.json.decode(file:read(\"*a\"))\nprint(tm.json.encode(value) .. \"\\n\")\n"
      .. "for _, path in ipairs(arg) do if path ~= arg[1] then\nlocal at = value\n"
      .. "for key in path:gmatch(\"[^.]+\") do at = at[tonumber(key) or key] end\nprint(at)\nend end")
    return text
  end

  local function fields(name, ...)
    decode()
    local result = tidemill { "--cache", "off", "decode.lua", name, ... }
    assert.are.equal("", result.err)
    local list = {}
    for line in result.out:match("\n\n(.*)"):gmatch("[^\n]+") do list[#list + 1] = line end
    return list
  end

  it("writes what is needed to trust or repeat a run", function()
    local text = record("a.json", "word")
    assert.is_truthy(text:match("^{\"arguments\":%[\"word\"%],\"blas\":\"[^\"]+\",\"end\":\""))
    local got = fields("a.json", "schema", "release", "semantics", "script.path", "seed", "exit_status",
      "hits", "misses", "misses_by_cause.new", "fallbacks", "inputs.1.kind", "inputs.1.name", "inputs.1.size",
      "inputs.2.kind",
      "inputs.2.name", "modules.1.name", "settings.workers", "settings.cache", "warnings.1")
    local function from(at, count) return { unpack(got, at, at + count - 1) } end
    assert.are.same({ "1", "0.1.0", "1", "main.lua", "0", "0", "0", "2", "2", "0" }, from(1, 10))
    assert.are.same({ "file", "data.txt", "4", "variable", "TIDE", "deep", "1", "cache.db" }, from(11, 8))
    contains(got[19], "it has used os.time")
    for _, field in ipairs { "outputs.json", "outputs.result", "script.hash", "inputs.1.hash",
        "modules.1.hash" } do
      assert.is_truthy(fields("a.json", field)[1]:match("^%x+$"), field)
      assert.are.equal(32, #fields("a.json", field)[1])
    end
    for _, field in ipairs { "start", "end" } do
      assert.is_truthy(fields("a.json", field)[1]:match("^%d+%-%d+%-%d+T%d+:%d+:%d+%.%d+Z$"))
    end
    for _, field in ipairs { "luajit", "sqlite", "instruction_set", "libm" } do
      assert.is_true(#fields("a.json", field)[1] > 2)
    end
  end)

  it("is the same of a run that comes from the cache, as diff says", function()
    record("a.json", "word")
    record("b.json", "word")
    assert.are.same({ "1", "1", "1" }, fields("b.json", "hits", "misses",
      "misses_by_cause.not kept last time"))
    local result = tidemill { "diff", "a.json", "b.json" }
    assert.are.same({ 0, "", "" }, { result.status, result.out, result.err })
  end)

  it("differs in what has changed, as diff says", function()
    record("a.json", "word")
    write("data.txt", "three")
    write("deep.lua", swap(deep, "x * 3", "x * 4"))
    record("b.json", "other", "--set", "seed=7")
    local result = tidemill { "diff", "a.json", "b.json" }
    assert.are.equal(1, result.status)
    for _, part in ipairs { "arguments.1: word -> other\n", "inputs.file data.txt.hash: ",
        "inputs.file data.txt.size: 4 -> 5\n", "modules.deep.hash: ", "outputs.json: ", "outputs.result: ",
        "seed: 0 -> 7\n", "settings.seed: nothing -> 7\n" } do
      contains(result.out, part)
    end
    assert.is_nil(result.out:find("start", 1, true))
    assert.is_nil(result.out:find("script", 1, true))
  end)

  it("tells of a script that fails", function()
    write("main.lua", "local tm = require \"tidemill\"\nerror(\"no luck\")")
    local _, result = record("a.json")
    assert.are.equal(1, result.status)
    assert.are.equal("1", fields("a.json", "exit_status")[1])
    contains(fields("a.json", "error")[1], "no luck")
  end)

  it("holds the files that the script itself opens", function()
    write("main.lua", "local tm = require \"tidemill\"\nlocal f = io.open(\"data.txt\") f:close()\n"
      .. "for _ in io.lines(\"deep.lua\") do end\nprint(tm.env(\"TIDE\"))")
    record("a.json")
    assert.are.same({ "data.txt", "deep.lua", "TIDE" }, fields("a.json", "inputs.1.name", "inputs.2.name",
      "inputs.3.name"))
  end)

  it("refuses what it cannot write, and diff what is no record", function()
    for _, case in ipairs { { "--record", "no/such/a.json", "main.lua" }, { "--record", "a.json" },
        { "diff", "a.json" }, { "diff", "a.json", "b.json", "c.json" }, { "diff", "main.lua", "main.lua" },
        { "diff", "no.json", "main.lua" } } do
      local result = tidemill(case)
      assert.are.equal(2, result.status, table.concat(case, " ") .. result.err)
      assert.are.equal(1, select(2, result.err:gsub("\n", "")), result.err)
    end
  end)
end)
