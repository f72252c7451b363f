-- What the command line hands out: tidemill examples, tidemill new.  SPDX-License-Identifier: MIT

local examples = dofile("scripts/dev/examples.lua")
local expect = require("tests.spec.expect")
local helper = require("tests.spec.helper")
local process = require("tests.spec.process")
local run = process.run
local ends_with, is_refused = expect.ends_with, expect.is_refused

local folder
before_each(function() folder = process.folder() end)
after_each(function() process.remove(folder) end)

describe("tidemill examples", function()
  it("lists every example, and what it shows", function()
    local listed = {}
    for line in ends_with(0, run { "examples" }):gmatch("[^\n]+") do
      local name, summary = line:match("^(%S+)  +(%S.*)$")
      assert.is_truthy(name, line)
      assert.is_falsy(summary:find("\n") or summary:find("^Shows"))
      listed[#listed + 1] = name
    end
    local there = helper.lines(
      "cd examples && ls *.lua embed/*.c embed/*.lua embed/*.py embed/*.cpp 2>/dev/null")
    assert.are.equal(#there, #listed)
    for i, path in ipairs(there) do there[i] = path:gsub("%.lua$", "") end
    table.sort(there)
    assert.are.same(there, listed)
  end)

  it("prints one, by any of its names, as it is", function()
    local text = process.read("examples/02_graph.lua")
    for _, name in ipairs { "02_graph", "02_graph.lua", "graph", "2", "02" } do
      assert.are.equal(text, ends_with(0, run { "examples", name }), name)
    end
    local c = process.read("examples/embed/smallest.c")
    assert.are.equal(c, ends_with(0, run { "examples", "embed/smallest.c" }))
    assert.are.equal(c, ends_with(0, run { "examples", "smallest" }))
  end)

  it("suggests the nearest name", function()
    is_refused('examples: none is "01_sum_of_squars"; did you mean 01_sum_of_squares?',
      run { "examples", "01_sum_of_squars" })
    is_refused('examples: none is "rolling_corelation"; did you mean rolling_correlation?',
      run { "examples", "rolling_corelation" })
    is_refused('examples: none is "99"; tidemill examples lists them', run { "examples", "99" })
    is_refused('examples takes one name, got "2" as well', run { "examples", "1", "2" })
    is_refused('unknown option "--cpoy"; did you mean --copy?', run { "examples", "--cpoy" })
    is_refused('unknown command "exampels"; did you mean examples?', run { "exampels" })
  end)

  it("copies one, that runs there and prints what it says", function()
    local out = ends_with(0, run { "examples", "sum_of_squares", "--copy", folder .. "/a/b" })
    local path = folder .. "/a/b/01_sum_of_squares.lua"
    assert.are.equal(path .. "\n", out)
    local source = process.read(path)
    assert.are.equal(process.read("examples/01_sum_of_squares.lua"), source)
    assert.is_nil(examples.compare(source, ends_with(0, run { "run", path })))
  end)

  it("copies into the current folder when none is named", function()
    ends_with(0, run { "examples", "graph", "--copy", cwd = folder })
    ends_with(0, run { "examples", "--copy", "--", "smallest", cwd = folder })
    assert.are.same({ "02_graph.lua", "smallest.c" }, helper.lines("ls " .. process.quote(folder)))
  end)

  it("copies all, and replaces none", function()
    local copies = folder .. "/copies"
    ends_with(0, run { "examples", "--copy=" .. copies })
    for _, path in ipairs(helper.lines("cd " .. process.quote(copies) .. " && find * -type f")) do
      assert.are.equal(process.read("examples/" .. path), process.read(copies .. "/" .. path), path)
    end
    os.execute("rm " .. process.quote(copies) .. "/0*.lua")
    process.write(copies .. "/cache.lua", "mine")
    is_refused(copies .. "/10_sizes.lua: is there already, and is not replaced; nothing was copied",
      run { "examples", "--copy", copies })
    assert.is_falsy(process.exists(copies .. "/01_sum_of_squares.lua"))
    is_refused(copies .. "/cache.lua: is there already, and is not replaced",
      run { "examples", "cache", "--copy", copies })
    assert.are.equal("mine", process.read(copies .. "/cache.lua"))
  end)

  it("ends with 1 where nothing can be written", function()
    process.write(folder .. "/file", "")
    local result = run { "examples", "1", "--copy", folder .. "/file" }
    ends_with(1, result)
    assert.is_truthy(result.err:find("Not a directory", 1, true), result.err)
  end)
end)

describe("tidemill new", function()
  it("writes a strategy that runs, in parallel, and comes from the cache", function()
    local path = folder .. "/mine.lua"
    assert.is_truthy(ends_with(0, run { "new", path }):find("tidemill run " .. path, 1, true))
    local env = { XDG_CACHE_HOME = folder .. "/cache" }
    local first = ends_with(0, run { "run", path, env = env })
    assert.is_truthy(first:find("\n120 tasks computed, 0 from the cache\n", 1, true), first)
    local second = ends_with(0, run { "run", path, "--workers", "1", env = env })
    assert.is_truthy(second:find("\n0 tasks computed, 120 from the cache\n", 1, true), second)
    assert.are.equal(first:match("^(.*\n)%d+ tasks"), second:match("^(.*\n)%d+ tasks"))
    local help = ends_with(0, run { "run", path, "--help" })
    assert.is_truthy(help:find("--data", 1, true))
  end)

  it("writes a strategy that reads files", function()
    local path = folder .. "/mine.lua"
    ends_with(0, run { "new", path })
    local rows = { "date,close" }
    for day = 1, 300 do rows[day + 1] = ("%d,%g"):format(20200000 + day, 100 + day) end
    process.write(folder .. "/up.csv", table.concat(rows, "\n") .. "\n")
    local out = ends_with(0, run { "run", path, "--data", "*.csv", "--cost", "0", "--json", "-", "--quiet",
      cwd = folder })
    -- Days of which the two averages are known, 20 and later: prices from 120 up to 400.
    assert.is_truthy(out:find('"name":"up.csv"', 1, true), out)
    assert.is_true(math.abs(tonumber(out:match('"gain":([%d.]+)')) - (400 / 120 - 1)) < 1e-9, out)
    local result = run { "run", path, "--data", "none*.csv", cwd = folder }
    ends_with(1, result)
    assert.is_truthy(result.err:find("tidemill: --data: no file is named none*.csv\n", 1, true), result.err)
  end)

  it("replaces nothing", function()
    local path = folder .. "/mine.lua"
    process.write(path, "mine")
    is_refused(path .. ": is there already, and is not replaced", run { "new", path })
    is_refused(path .. ": is there already, and is not replaced", run { "new", folder .. "/mine" })
    os.execute(("ln -s nowhere %s/link.lua"):format(process.quote(folder)))
    is_refused(folder .. "/link.lua: is there already, and is not replaced",
      run { "new", folder .. "/link.lua" })
    assert.are.equal("mine", process.read(path))
  end)

  it("says what is wrong with the file", function()
    is_refused("new: no file; expected new FILE", run { "new" })
    is_refused('new takes one file, got "b" as well', run { "new", "a", "b", cwd = folder })
    local result = run { "new", folder .. "/no/mine.lua" }
    ends_with(1, result)
    assert.are.equal("tidemill: " .. folder .. "/no/mine.lua: its folder does not exist\n", result.err)
  end)

  it("writes to stdout", function()
    assert.are.equal(process.read("scripts/new/strategy.lua"), ends_with(0, run { "new", "-" }))
  end)
end)
