-- day_trade_spec: the main job as a user starts it, held against the plain oracle.
-- Runs the program as a child with a cache of its own; real data are used where they are.
-- SPDX-License-Identifier: MIT
local json = require "dkjson"
local helper = require "tests.spec.helper"
local oracle = require "tests.spec.day_trade_oracle"

local MARKET = "tests/data/market/"
local FOLDER_FILES = {
  MARKET .. "folder/ash.csv", MARKET .. "folder/birch.csv",
  MARKET .. "folder/cedar.csv", MARKET .. "folder/dogwood.csv",
}

-- Running the job ----------------------------------------------------------------------------

local folder

local function path(name)
  return folder .. "/" .. name
end

-- A run of `script` (default: the shipped one) with a cache that the test keeps.  Gives what
-- the run left: {result =, text =, out =, err =, status =}; `result` is nil when it failed.
local function run(options, script)
  os.remove(path("out.json"))
  local words = {script or "day_trade", "--json", path("out.json")}
  if not table.concat(options, " "):find("--cache", 1, true) then
    words[#words + 1], words[#words + 2] = "--cache", path("cache.db")
  end
  for _, word in ipairs(options) do words[#words + 1] = word end
  local left = {}
  left.out, left.err, left.status = helper.tidemill("run", unpack(words))
  local file = io.open(path("out.json"), "rb")
  if file then
    left.text = file:read("*a")
    left.result = json.decode(left.text)
    file:close()
  end
  return left
end

local function run_well(options, script)
  local left = run(options, script)
  assert.are.equal(0, left.status, left.err)
  assert(left.result, "no JSON was written")
  return left
end

-- What the JSON says of the data: all but elapsed, cache and workers, as text.
local function facts(left)
  local text = left.text:gsub('"elapsed":[^,}]*', ""):gsub('"workers":[^,}]*', "")
  return (text:gsub('"cache":%s*{[^}]*}', ""))
end

-- Comparing ----------------------------------------------------------------------------------

local OF_THE_RUN = {elapsed = true, cache = true, workers = true, tasks = true, schema = true}

local function is_close(found, wanted)
  if found == wanted then return true end
  if type(found) ~= "number" or type(wanted) ~= "number" then return false end
  -- What is small beside the prices it is the difference of keeps fewer digits.
  return math.abs(found - wanted) <= 1e-9 * math.max(math.abs(wanted), 1e-3)
end

local function compare(found, wanted, where, differences)
  if type(found) ~= "table" or type(wanted) ~= "table" then
    if not is_close(found, wanted) then
      local line = ("%s: %s, the oracle has %s"):format(where, tostring(found), tostring(wanted))
      differences[#differences + 1] = line
    end
    return
  end
  for key, value in pairs(wanted) do
    compare(found[key], value, where .. "." .. key, differences)
  end
  for key, value in pairs(found) do
    if wanted[key] == nil and not OF_THE_RUN[key] then
      compare(value, nil, where .. "." .. key, differences)
    end
  end
end

local function assert_agrees(found, wanted)
  local differences = {}
  compare(found, wanted, "result", differences)
  assert(#differences == 0, table.concat(differences, "\n", 1, math.min(#differences, 20)))
end

-- Real data ----------------------------------------------------------------------------------

-- The rows of the first `count` symbols of the real file as a file of its own.
local function slice_of_real(count)
  local source = helper.data("us_stocks/all_stocks_5yr.csv.gz")
  if not source then return nil end
  local pipe = assert(io.popen("gzip -dc " .. helper.quote(source)))
  local lines, symbols, seen = {pipe:read("*l")}, 0, {}
  for line in pipe:lines() do
    local symbol = line:match("[^,]*$")
    if not seen[symbol] then seen[symbol], symbols = true, symbols + 1 end
    if symbols > count then break end
    lines[#lines + 1] = line
  end
  pipe:close()
  helper.write(path("slice.csv"), table.concat(lines, "\n") .. "\n")
  return path("slice.csv")
end

-- Some of the A-share files: other order of columns, suspended days, empty volumes.
local function a_share_files()
  local files = {}
  for _, code in ipairs{"sh.600000", "sh.600340", "sh.600705", "sh.688111", "sz.000651"} do
    local source = helper.data("cn_stocks/a_share/" .. code .. ".csv")
    if not source then return nil end
    files[#files + 1] = path("a_share/" .. code .. ".csv")
    os.execute("mkdir -p " .. helper.quote(path("a_share")))
    helper.write(files[#files], helper.read(source))
  end
  return files
end

-- Files to break -----------------------------------------------------------------------------

local function copy_folder()
  os.execute(("mkdir -p %s && cp %sfolder/*.csv %s && chmod u+w %s/*"):format(path("copy"),
    MARKET, path("copy"), path("copy")))
  return path("copy")
end

-- Replaces the last `pattern` line of a file by what `change` makes of its cells.
local function change_last_row(file, change)
  local text = helper.read(file)
  local head, line = text:match("^(.*\n)([^\n]+)\n$")
  local cells = {}
  for cell in line:gmatch("[^,]+") do cells[#cells + 1] = cell end
  change(cells)
  helper.write(file, head .. table.concat(cells, ",") .. "\n")
end

-- A copy of the job in which `from` (plain text, there once) is `to`.
local function copy_script(from, to)
  local text = helper.read("scripts/day_trade.lua")
  if from then
    local first, last = text:find(from, 1, true)
    assert(first, "the script no longer has: " .. from)
    assert(not text:find(from, last + 1, true), "the script has more than once: " .. from)
    text = text:sub(1, first - 1) .. to .. text:sub(last + 1)
  end
  helper.write(path("job.lua"), text)
  return path("job.lua")
end

local HEADER = "date,open,high,low,close,volume,Name\n"
local ROW = "2020-01-02,10,11,9,10.5,100,A\n"

local function input(name, text)
  helper.write(path(name), text)
  return path(name)
end

describe("day_trade", function()
  before_each(function() folder = helper.folder() end)
  after_each(function() helper.remove(folder) end)

  describe("agrees with the oracle on", function()
    it("one file: any order and case of columns, mixed rows, duplicates and faults", function()
      local left = run_well{"--data", MARKET .. "mixed.csv"}
      assert_agrees(left.result, oracle.run{MARKET .. "mixed.csv"})
    end)

    it("a folder, a folder with a slash and a glob of files", function()
      local wanted = oracle.run(FOLDER_FILES)
      for _, data in ipairs{"folder", "folder/", "folder/*.csv"} do
        assert_agrees(run_well{"--data", MARKET .. data}.result, wanted)
      end
    end)

    it("a file of one symbol that does not name it", function()
      local left = run_well{"--data", MARKET .. "folder/ash.csv"}
      assert_agrees(left.result, oracle.run{MARKET .. "folder/ash.csv"})
    end)

    it("gzip files beside plain ones", function()
      local copy = copy_folder()
      assert(os.execute("gzip " .. helper.quote(copy .. "/birch.csv")))
      assert_agrees(run_well{"--data", copy}.result, oracle.run(FOLDER_FILES))
    end)

    it("one symbol whose rows are in several files", function()
      local first = input("1.csv", HEADER .. ROW .. "2020-01-03,10,11,9,10.25,100,B\n")
      local second = input("2.csv", HEADER .. "2020-01-02,10,12,9,11.5,100,A\n"
        .. "2020-01-06,10,12,9,11.25,100,A\n")
      assert_agrees(run_well{"--data", path("*.csv")}.result, oracle.run{first, second})
    end)

    it("a GBK file with Chinese names", function()
      local left = run_well{"--data", MARKET .. "gbk.csv", "--encoding", "GBK"}
      assert_agrees(left.result, oracle.run({MARKET .. "gbk.csv"}, "GBK"))
    end)

    it("one row, and rows that are all dropped", function()
      local one = input("one.csv", HEADER .. ROW)
      assert_agrees(run_well{"--data", one}.result, oracle.run{one})
      local none = input("none.csv", HEADER .. "2020-01-02,10,11,9,,100,A\n")
      assert_agrees(run_well{"--data", none}.result, oracle.run{none})
    end)

    it("twenty symbols of real prices", function()
      local slice = slice_of_real(20) or pending("no real data")
      assert_agrees(run_well{"--data", slice}.result, oracle.run{slice})
    end)

    it("real prices with suspended days and empty volumes", function()
      local files = a_share_files() or pending("no real data")
      assert_agrees(run_well{"--data", path("a_share")}.result, oracle.run(files))
    end)

    it("the real GBK index file", function()
      local file = helper.data("cn_stocks/index/csi300_000300_gbk.csv") or pending("no real data")
      local left = run_well{"--data", file, "--encoding", "GBK"}
      assert_agrees(left.result, oracle.run({file}, "GBK"))
    end)
  end)

  describe("gives the same bits", function()
    it("for any number of workers, from the cache or without one", function()
      local wanted
      for _, data in ipairs{"mixed.csv", "folder"} do
        for _, workers in ipairs{"0", "1", "2", "7"} do
          local cache = path(workers .. data .. ".db")
          local options = {"--data", MARKET .. data, "--workers", workers, "--cache", cache}
          local first, again = run_well(options), run_well(options)
          options[6] = "off"
          local bare = run_well(options)
          wanted = workers == "0" and facts(first) or wanted
          for _, left in ipairs{first, again, bare} do
            assert.are.equal(wanted, facts(left))
          end
        end
      end
    end)

    it("for a market of its own", function()
      local options = {"--symbols", "41", "--days", "300", "--seed", "7", "--cache", "off"}
      local wanted = run_well(options)
      options[#options + 1], options[#options + 2] = "--workers", "7"
      assert.are.equal(facts(wanted), facts(run_well(options)))
      assert.are.equal(41, wanted.result.symbols)
      assert.are.equal("2015-01-02", wanted.result.first_date)
      assert.are.same({"S0040"}, wanted.result.correlation.left_out)
      -- The same on every machine.
      assert.are.equal(12118, wanted.result.rows)
      assert.are.equal(203.26, wanted.result.per_symbol[1].last_close)
      assert.are.equal(114.09, wanted.result.per_symbol[41].last_close)
      options[6] = "8"
      assert.are_not.equal(facts(wanted), facts(run_well(options)))
    end)
  end)

  describe("computes only what changed:", function()
    -- Tasks that ran in a second run with `options` and perhaps another script.
    local function misses(options, script)
      local left = run_well(options, script)
      local cache = left.result.cache
      return cache.misses, cache.hits, left
    end

    it("nothing in a second run", function()
      for _, data in ipairs{"mixed.csv", "folder"} do
        local options = {"--data", MARKET .. data}
        assert.is_true(misses(options) > 0)
        local missed, hit = misses(options)
        assert.are.equal(0, missed)
        assert.is_true(hit > 0)
      end
      local missed = misses{"--symbols", "5", "--days", "50"}
      assert.is_true(missed > 0)
      assert.are.equal(0, (misses{"--symbols", "5", "--days", "50"}))
    end)

    it("one symbol and what needs it, after one close of its file changed", function()
      local options = {"--data", copy_folder()}
      misses(options)
      change_last_row(path("copy/ash.csv"), function(cells) cells[5] = cells[3] end)
      -- load, prepare, measure, sweep, align, one block of correlate, report
      local missed, _, left = misses(options)
      assert.are.equal(7, missed)
      assert_agrees(left.result, oracle.run{path("copy/ash.csv"), FOLDER_FILES[2],
        FOLDER_FILES[3], FOLDER_FILES[4]})
    end)

    it("no further than where the change ends, after one volume changed", function()
      local options = {"--data", copy_folder()}
      misses(options)
      change_last_row(path("copy/ash.csv"), function(cells) cells[6] = "7" end)
      -- load, prepare: what they hand on is as before
      assert.are.equal(2, (misses(options)))
    end)

    it("one new file's tasks and what needs them", function()
      local options = {"--data", copy_folder()}
      misses(options)
      helper.write(path("copy/elm.csv"), helper.read(FOLDER_FILES[1]))
      -- load; prepare and the rest of that symbol have content of their own to find
      local missed, _, left = misses(options)
      assert.is_true(missed <= 7)
      assert.are.equal(5, left.result.symbols)
    end)

    it("nothing, after a comment or the layout of the script changed", function()
      local options = {"--data", MARKET .. "folder"}
      misses(options, copy_script())
      local line = "local fasts, slows = {5, 10, 15, 20, 25, 30, 35, 40, 45, 50}, {}"
      assert.are.equal(0, (misses(options, copy_script(line, "-- Pairs.\n\n\n   " .. line))))
    end)

    it("the four sweeps and the report, after a number of sweep changed", function()
      local options = {"--data", MARKET .. "folder"}
      misses(options, copy_script())
      assert.are.equal(5, (misses(options, copy_script("{5, 10, 15, 20,", "{6, 10, 15, 20,"))))
    end)

    it("the four measures alone, after a number changed that changes no result", function()
      local options = {"--data", MARKET .. "folder"}
      misses(options, copy_script())
      local changed = copy_script("count_moves(returns, 0.4)", "count_moves(returns, 0.5)")
      assert.are.equal(4, (misses(options, changed)))
    end)
  end)

  describe("writes", function()
    it("a summary of what it found", function()
      local out = run_well{"--data", MARKET .. "mixed.csv"}.out
      for _, part in ipairs{
        "1,376 read; dropped 5 missing, 3 inconsistent, 3 duplicate",
        "260, 2020-01-02 to 2020-12-30", "LATE ONCE VOID", "DELTA, INC",
        "most correlated pairs", "best strategies", " misses",
      } do
        assert(out:find(part, 1, true), "the summary lacks " .. part .. ":\n" .. out)
      end
      assert.is_nil(out:find("nan", 1, true))
    end)

    it("lists as lists and what is undefined as null", function()
      local text = run_well{"--data", input("one.csv", HEADER .. ROW)}.text
      assert(text:find('"top":[]', 1, true), text)
      assert(text:find('"left_out":[]', 1, true), text)
      assert(text:find('"mean":null', 1, true), text)
      assert(text:find('"sma20":null', 1, true), text)
    end)

    it("JSON alone to stdout with --json -, the summary to stderr", function()
      local out, err, status = helper.tidemill("run", "day_trade", "--json", "-", "--cache",
        "off", "--data", MARKET .. "folder")
      assert.are.equal(0, status, err)
      assert.are.equal(4, json.decode(out).symbols)
      assert(err:find("most correlated pairs", 1, true), err)
    end)

    it("nothing to stdout with --quiet", function()
      assert.are.equal("", run_well{"--quiet", "--data", MARKET .. "folder"}.out)
    end)

    it("everything, and ends with status 3, when rows were dropped with --strict", function()
      local left = run{"--strict", "--data", MARKET .. "folder"}
      assert.are.equal(3, left.status, left.err)
      assert.are.equal(861, left.result.rows)
      local whole = input("one.csv", HEADER .. ROW)
      run_well{"--strict", "--data", whole}
    end)
  end)

  describe("refuses with one message", function()
    -- One line on stderr that holds all of `parts`, no summary, no JSON.
    local function assert_refused(options, status, parts)
      local left = run(options)
      assert.are.equal(status, left.status, left.err)
      assert.are.equal("", left.out)
      assert.is_nil(left.text)
      for _, part in ipairs(parts) do
        assert(left.err:find(part, 1, true), ("no %q in:\n%s"):format(part, left.err))
      end
      if status == 1 then
        assert.are.equal(1, select(2, left.err:gsub("\n", "")), left.err)
      end
    end

    it("a file that is not there", function()
      assert_refused({"--data", path("none.csv")}, 1, {path("none.csv"), "no such file"})
      assert_refused({"--data", path("*.csv")}, 1, {path("*.csv"), "no file matches"})
    end)

    it("an empty file and a header alone", function()
      assert_refused({"--data", input("a.csv", "")}, 1, {"a.csv", "empty"})
      assert_refused({"--data", input("b.csv", HEADER)}, 1, {"b.csv", "no rows"})
    end)

    it("a missing column", function()
      assert_refused({"--data", input("a.csv", "date,open,high,low,Name\n2020-01-02,1,1,1,A\n")},
        1, {"a.csv", "close, volume", "date, open, high, low, Name"})
    end)

    it("a file of many rows a day without a symbol column", function()
      local text = "date,open,high,low,close,volume\n"
        .. ("2020-01-02,10,11,9,10.5,100\n"):rep(2)
      assert_refused({"--data", input("a.csv", text)}, 1, {"a.csv", "no symbol column"})
    end)

    it("text in a number column", function()
      local text = HEADER .. ROW .. "2020-01-03,10,11,9,high,100,A\n"
      assert_refused({"--data", input("a.csv", text)}, 1, {"a.csv", "3", "close", "high"})
    end)

    it("a date that is none", function()
      local text = HEADER .. ROW .. "2020-13-03,10,11,9,10,100,A\n"
      assert_refused({"--data", input("a.csv", text)}, 1, {"a.csv", "3", "date"})
    end)

    it("a row without a date or a symbol", function()
      assert_refused({"--data", input("a.csv", HEADER .. ROW .. ",10,11,9,10,100,A\n")}, 1,
        {"a.csv:3", '"date"'})
      assert_refused({"--data", input("b.csv", HEADER .. ROW .. "2020-01-03,10,11,9,10,100,\n")},
        1, {"b.csv:3", '"Name"'})
    end)

    it("rows with too few or too many cells", function()
      assert_refused({"--data", input("a.csv", HEADER .. ROW .. "2020-01-03,10,11\n")}, 1,
        {"a.csv", "3"})
      assert_refused({"--data", input("b.csv", HEADER .. ROW .. ROW:gsub("\n", ",1\n"))}, 1,
        {"b.csv", "3"})
    end)

    it("bytes that are not UTF-8, with the option that reads them", function()
      assert_refused({"--data", MARKET .. "gbk.csv"}, 1, {"gbk.csv", "--encoding"})
      local text = HEADER .. ROW .. "2020-01-03,10,11,9,10,100,\200\200\n"
      assert_refused({"--data", input("a.csv", text)}, 1, {"a.csv", "3", "--encoding"})
    end)

    it("an encoding that there is not", function()
      assert_refused({"--data", MARKET .. "gbk.csv", "--encoding", "NONE-8"}, 1, {"NONE-8"})
    end)

    it("a broken gzip file", function()
      local whole = path("whole.csv")
      helper.write(whole, HEADER .. ROW:rep(2000))
      assert(os.execute("gzip " .. helper.quote(whole)))
      local packed = helper.read(whole .. ".gz")
      input("cut.csv.gz", packed:sub(1, -20))
      assert_refused({"--data", path("cut.csv.gz")}, 1, {"cut.csv.gz", "gzip"})
      input("text.csv.gz", "\31\139\8" .. HEADER)
      assert_refused({"--data", path("text.csv.gz")}, 1, {"text.csv.gz", "gzip"})
    end)

    it("a folder without CSV files", function()
      os.execute("mkdir " .. helper.quote(path("empty")))
      assert_refused({"--data", path("empty")}, 1, {path("empty"), "no .csv or .csv.gz files"})
    end)

    it("one bad file of a folder, by its name", function()
      local copy = copy_folder()
      helper.write(copy .. "/cedar.csv", "date,high,low,open,close,volume\n2020-01-02,x,1,1,1,1\n")
      assert_refused({"--data", copy}, 1, {"cedar.csv", "high"})
    end)

    it("options that it does not know and values that they do not take", function()
      assert_refused({"--dta", "x.csv"}, 2, {"--dta", "--data"})
      assert_refused({"--symbols", "0"}, 2, {"--symbols", "0"})
      assert_refused({"--days", "2.5"}, 2, {"--days", "2.5"})
      assert_refused({"--days", "many"}, 2, {"--days", "many"})
      assert_refused({"--data"}, 2, {"--data"})
    end)
  end)

  it("stops when interrupted, with a cache that goes on to serve", function()
    local cache = helper.quote(path("cache.db"))
    local program = helper.quote(helper.products .. "/tidemill")
    local _, err, status = helper.shell("timeout --preserve-status -s INT 0.5 " .. program
      .. " run day_trade --symbols 20000 --days 2000 --cache " .. cache)
    assert.are.equal(130, status, err)
    local left = run_well{"--data", MARKET .. "folder"}
    assert.are.equal("", left.err)
    assert.are.equal(0, run_well{"--data", MARKET .. "folder"}.result.cache.misses)
  end)

  it("explains its options", function()
    local out, err, status = helper.tidemill("run", "day_trade", "--help")
    assert.are.equal(0, status, err)
    for _, option in ipairs{"--data", "--symbols", "--days", "--seed", "--encoding"} do
      assert(out:find(option, 1, true), out)
    end
  end)
end)
