-- tidemill cache, as a process beside processes that fill a cache.  SPDX-License-Identifier: MIT

local expect = require("tests.spec.expect")
local helper = require("tests.spec.helper")
local process = require("tests.spec.process")
local ends_with, is_refused = expect.ends_with, expect.is_refused

-- A small result that has read a file and a variable, four small ones, and one that is too large and
-- too much like noise to lie in the database.
local job = [[
local tm = require "tidemill"
local word = tm.delayed(function()
  return { tm.read_text("word.txt"), os.getenv("WHO") or "nobody" }
end, { name = "word", cache = true })
local square = tm.delayed(function(x) return x * x end, { name = "square", cache = true })
local noise = tm.delayed(function(count)
  local bytes, state = {}, 1
  for i = 1, count do
    state = (state * 16807) % 2147483647
    bytes[i] = string.char(state % 251)
  end
  return table.concat(bytes)
end, { name = "noise", cache = true })
for i = 1, 4 do square(i):compute() end
word():compute()
noise(400000):compute()
print(tm.stats().hits, tm.stats().misses)
]]

local entries = 6

describe("tidemill cache", function()
  local folder

  before_each(function()
    folder = process.folder()
    process.write(folder .. "/job.lua", job)
    process.write(folder .. "/word.txt", "moon\n")
  end)
  after_each(function() process.remove(folder) end)

  local function run(...)
    local words = { ... }
    words.cwd = folder
    return process.run(words)
  end

  local function cache(...) return run("cache", "--cache", "a.db", ...) end

  local function fill(path)
    return ends_with(0, run("--cache", path or "a.db", "job.lua"))
  end

  -- The value of a member that is a number or a text, wherever it first stands.
  local function member(text, name)
    local number = text:match('"' .. name .. '":(-?[%d.e+-]+)')
    return number and tonumber(number) or text:match('"' .. name .. '":"([^"]*)"')
  end

  local function key_of(task)
    return member(ends_with(0, cache("ls", "--json", "--task", task)), "key")
  end

  -- Changes a byte in the middle of the only large result.
  local function damage()
    local paths = {}
    for _, path in ipairs(helper.lines("find " .. process.quote(folder .. "/a.db.d") .. " -type f")) do
      if #process.read(path) > 300000 then paths[#paths + 1] = path end
    end
    assert.are.equal(1, #paths)
    local text = process.read(paths[1])
    local middle = math.floor(#text / 2)
    local byte = string.char((text:byte(middle) + 1) % 256)
    process.write(paths[1], text:sub(1, middle - 1) .. byte .. text:sub(middle + 1))
  end

  describe("given wrong words", function()
    it("suggests the nearest command and option", function()
      is_refused('cache: unknown command "stat"; did you mean stats?', cache("stat"))
      is_refused('cache: unknown command "verfy"; did you mean verify?', cache("verfy"))
      is_refused('unknown option "--tsak"; did you mean --task?', cache("ls", "--tsak", "x"))
      is_refused('unknown option "--repiar"; did you mean --repair?', cache("verify", "--repiar"))
      is_refused('unknown command "cach"; did you mean cache?', run("cach"))
    end)

    it("says what is missing and what is too much", function()
      is_refused("cache: no command; tidemill cache --help lists them all", cache())
      is_refused("cache show: no KEY", cache("show"))
      is_refused("cache export: no FILE", cache("export", "--task", "square"))
      is_refused('cache show takes one KEY, got "b"', cache("show", "a", "b"))
      is_refused('cache clear takes no arguments, got "now"', cache("clear", "now"))
      is_refused("cache stats takes no --task", cache("stats", "--task", "square"))
      is_refused("cache gc takes no --limit", cache("gc", "--limit=3"))
      is_refused("cache clear takes no --repair", cache("clear", "--repair"))
      is_refused("cache gc takes no --all", cache("gc", "--all"))
      is_refused('unknown option "--al"; did you mean --all?', cache("clear", "--al"))
      is_refused('--all takes no value, got "1"', cache("clear", "--all=1"))
      is_refused('--repair takes no value, got "1"', cache("verify", "--repair=1"))
      is_refused("--task: no value; expected the name of a task", cache("ls", "--task"))
      is_refused('--limit: "0" is not a number of entries; expected a whole number from 1',
        cache("ls", "--limit", "0"))
    end)

    it("touches nothing", function()
      fill()
      cache("clear", "now")
      cache("clear", "--task", "square")
      assert.are.equal(entries, member(ends_with(0, cache("stats", "--json")), "entries"))
    end)

    it("helps without a cache", function()
      local help = ends_with(0, run("cache", "--help"))
      for _, name in ipairs { "stats", "ls", "show", "verify", "gc", "clear", "export", "import" } do
        assert.is_truthy(help:find("\n  " .. name .. " "), name)
      end
      assert.are.equal(help, ends_with(0, run("cache", "ls", "--help")))
    end)
  end)

  describe("without a cache", function()
    it("ends with 1 and makes none", function()
      for _, words in ipairs { { "stats" }, { "ls" }, { "show", "abcd" }, { "verify" }, { "gc" },
        { "clear" }, { "export", "x" } } do
        local result = cache(unpack(words))
        ends_with(1, result)
        assert.are.equal("tidemill: cache a.db: there is none yet\n", result.err)
        assert.are.equal("", result.out)
      end
      assert.is_false(process.exists(folder .. "/a.db"))
      assert.is_false(process.exists(folder .. "/x"))
    end)

    it("says so when it is off, and when it is something else", function()
      local off = run("cache", "ls", "--cache", "off")
      ends_with(1, off)
      assert.are.equal("tidemill: the cache is off; --cache FILE names one\n", off.err)
      process.write(folder .. "/a.db", "dear diary\n")
      ends_with(1, cache("clear"))
      assert.are.equal("dear diary\n", process.read(folder .. "/a.db"))
    end)
  end)

  describe("of an empty cache", function()
    it("answers everything", function()
      fill()
      assert.are.equal("6 entries removed\n", ends_with(0, cache("clear")))
      assert.are.equal("0 entries removed\n", ends_with(0, cache("clear")))
      assert.are.equal("no entries\n", ends_with(0, cache("ls")))
      assert.are.equal('{"entries":[],"schema":1,"total":0}\n', ends_with(0, cache("ls", "--json")))
      local stats = ends_with(0, cache("stats"))
      assert.is_truthy(stats:find("\nentries +0\n"))
      assert.is_truthy(stats:find("\nnewest +none\n"))
      ends_with(0, cache("verify"))
      ends_with(1, cache("show", "0123"))
      assert.are.equal("0\t6\n", fill()) -- what was removed is computed again
    end)
  end)

  describe("of a full one", function()
    before_each(function() assert.are.equal("0\t6\n", fill()) end)

    it("counts entries, results, hits and tasks", function()
      assert.are.equal("6\t0\n", fill())
      local stats = ends_with(0, cache("stats", "--json"))
      assert.are.equal(entries, member(stats, "entries"))
      assert.are.equal(entries, member(stats, "hits"))
      assert.are.equal(3, member(stats, "tasks"))
      assert.are.equal(1, member(stats, "files"))
      assert.are.equal(1, member(stats, "schema"))
      assert.is_true(member(stats, "size") > 400000)
      local names = {}
      for name in stats:gmatch('"([%w_]+)":') do names[#names + 1] = name end
      local sorted = { unpack(names) }
      table.sort(sorted)
      assert.are.same(sorted, names)
    end)

    it("takes the cache from the settings too", function()
      local result = process.run { "cache", "stats", "--json", cwd = folder,
        env = { TIDEMILL_CACHE = folder .. "/a.db" } }
      assert.are.equal(entries, member(ends_with(0, result), "entries"))
    end)

    it("lists the newest first, in columns, as many as asked for", function()
      process.write(folder .. "/word.txt", "mill\n")
      fill()
      local lines = {}
      local list = ends_with(0, cache("ls"))
      for line in list:gmatch("[^\n]+") do lines[#lines + 1] = line end
      assert.are.equal(entries + 2, #lines)
      local column = lines[1]:find("task", 1, true)
      for i = 2, #lines do
        assert.is_truthy(lines[i]:match("^%x+  %d+%-%d+%-%d+T%d+:%d+:%d+Z "))
        assert.are.equal("  ", lines[i]:sub(column - 2, column - 1))
      end
      assert.are.equal("word", lines[2]:sub(column)) -- made after all others
      assert.is_truthy(ends_with(0, cache("ls", "--limit", "2")):find("\n2 of 7 entries\n$"))
      local squares = ends_with(0, cache("ls", "--json", "--task", "square", "--limit", "3"))
      assert.are.equal(4, member(squares, "total"))
      assert.are.equal(3, select(2, squares:gsub('"task":"square"', "")))
    end)

    it("shows a key by how it begins: its value and what it has read", function()
      local key = key_of("word")
      local text = ends_with(0, cache("show", key:sub(1, 12)))
      assert.are.equal(text, ends_with(0, cache("show", key)))
      assert.are.equal(text, ends_with(0, cache("show", key:upper())))
      assert.is_truthy(text:find("key         " .. key, 1, true))
      assert.is_truthy(text:find('value       {"moon\\n", "nobody"}', 1, true))
      assert.is_truthy(text:find("read        file word.txt\n", 1, true))
      assert.is_truthy(text:find("read        variable WHO\n", 1, true))
      local json = ends_with(0, cache("show", "--json", key))
      assert.are.equal("word", member(json, "task"))
      assert.is_truthy(json:find('"reads":[{"kind":"file","name":"word.txt"},', 1, true))
    end)

    it("shows every way in which a key was answered", function()
      process.write(folder .. "/word.txt", "mill\n")
      fill()
      local text = ends_with(0, cache("show", key_of("word")))
      assert.is_truthy(text:find('{"moon\\n"', 1, true))
      assert.is_truthy(text:find('{"mill\\n"', 1, true))
    end)

    it("refuses keys that are none, and ends with 1 for one that is not there", function()
      is_refused('cache show: "abc" is not a key; expected 32 hexadecimal digits, or the first of'
        .. " them, at least 4", cache("show", "abc"))
      ends_with(2, cache("show", "word"))
      ends_with(2, cache("show", ("a"):rep(33)))
      local result = cache("show", ("0"):rep(32))
      ends_with(1, result)
      assert.are.equal("tidemill: cache show: a.db has no key " .. ("0"):rep(32) .. "\n", result.err)
    end)

    it("finds a damaged result, removes it when asked to, and finds nothing then", function()
      ends_with(0, cache("verify"))
      damage()
      for _ = 1, 2 do
        local found = cache("verify")
        assert.is_truthy(ends_with(1, found):find("\nbroken results +1\n"))
        assert.are.equal("tidemill: a.db: results are damaged or not there; --repair removes them\n",
          found.err)
      end
      local json = cache("verify", "--json")
      assert.are.equal(1, member(ends_with(1, json), "broken"))
      assert.is_truthy(json.out:find('"findings":["result ', 1, true))
      assert.is_truthy(ends_with(0, cache("verify", "--repair")):find("\nbroken results +1\n"))
      assert.is_truthy(ends_with(0, cache("verify")):find("\nbroken results +0\n"))
      assert.are.equal("5\t1\n", fill())
    end)

    it("ends with 1 when the database itself was damaged", function()
      local text = process.read(folder .. "/a.db")
      process.write(folder .. "/a.db", text:sub(1, 100) .. ("x"):rep(#text - 100))
      local result = cache("verify")
      ends_with(1, result)
      assert.is_truthy(result.err:find("damaged", 1, true))
    end)

    it("removes what is older than allowed, and beyond the limits", function()
      local swept = ends_with(0, cache("gc", "--json", "--set", "cache.entries=2"))
      assert.is_true(member(swept, "removed") >= 4)
      assert.is_true(member(ends_with(0, cache("stats", "--json")), "entries") <= 2)
      assert.is_truthy(ends_with(0, cache("gc")):find("^0 entries removed, "))
    end)

    it("moves entries to another cache, which answers from them then", function()
      assert.are.equal("6 entries written to x.export\n", ends_with(0, cache("export", "x.export")))
      local import = run("cache", "import", "x.export", "--cache", "b.db", "--json")
      assert.are.equal('{"entries":6,"file":"x.export","schema":1}\n', ends_with(0, import))
      assert.are.equal("6\t0\n", fill("b.db"))
      ends_with(0, run("cache", "verify", "--cache", "b.db"))
    end)

    it("moves the entries of one task alone", function()
      ends_with(0, cache("export", "x.export", "--task", "square"))
      ends_with(0, run("cache", "import", "x.export", "--cache", "b.db"))
      assert.are.equal("4\t2\n", fill("b.db"))
    end)

    it("adds nothing from a file that is not whole, or not there", function()
      ends_with(0, cache("export", "x.export"))
      local text = process.read(folder .. "/x.export")
      process.write(folder .. "/x.export", text:sub(1, #text - 100))
      ends_with(1, run("cache", "import", "x.export", "--cache", "b.db"))
      ends_with(1, run("cache", "import", "y.export", "--cache", "b.db"))
      assert.is_false(process.exists(folder .. "/b.db"))
      assert.are.equal("0\t6\n", fill("b.db"))
    end)

    it("is taken away whole, with all that lies beside it", function()
      ends_with(0, run("--cache", "a.db", "-e",
        "print(pcall(tm.kernel_c, 'double one(void) { return 1; }', 'double one(void);'))"))
      process.write(folder .. "/a.db.broken-1", "was damaged")
      os.execute("mkdir -p " .. process.quote(folder) .. "/a.db.broken-1.d/12")
      process.write(folder .. "/a.db.export", "mine")
      process.write(folder .. "/a.dbx", "mine")
      local stats = ends_with(0, cache("stats", "--json"))
      local removed = ends_with(0, cache("clear", "--all", "--json"))
      assert.are.equal(entries, member(removed, "removed"))
      assert.are.equal("a.db", member(removed, "cache"))
      assert.are.equal(member(stats, "bytes"), member(removed, "bytes"))
      assert.are.equal("a.db.export a.dbx", helper.capture("cd " .. process.quote(folder) .. " && echo a.*"))
      local again = cache("clear", "--all")
      ends_with(1, again)
      assert.are.equal("tidemill: cache a.db: there is none yet\n", again.err)
      assert.are.equal("0\t6\n", fill())
    end)

    it("is taken away with its folder when that is the engine's own", function()
      local home = folder .. "/home"
      local function at_home(...)
        return process.run { env = { XDG_CACHE_HOME = home }, cwd = folder, ... }
      end
      ends_with(0, at_home("job.lua"))
      assert.is_true(process.exists(home .. "/tidemill/cache.db"))
      local said = ends_with(0, at_home("cache", "clear", "--all"))
      assert.are.equal(home .. "/tidemill/cache.db: 6 entries removed, ", said:match("^.*removed, "))
      assert.is_false(process.exists(home .. "/tidemill"))
    end)

    it("stays whole as long as another process uses it", function()
      local held = run("--cache", "a.db", "-e", ([[
        tm.submit(function() return tm.cache.get("x") end):result()
        os.execute("%s cache clear --all --cache a.db >out 2>&1; echo $? >status")]]):format(process.program))
      ends_with(0, held)
      assert.are.equal("1\n", process.read(folder .. "/status"))
      assert.are.equal("tidemill: cache a.db: is in use by another process; nothing was removed\n",
        process.read(folder .. "/out"))
      assert.are.equal("6\t0\n", fill())
      ends_with(0, cache("verify"))
    end)

    it("writes JSON into a file that is named", function()
      assert.are.equal("", ends_with(0, cache("stats", "--json=stats.json")))
      assert.are.equal(entries, member(process.read(folder .. "/stats.json"), "entries"))
    end)
  end)
end)
