-- What `make bench` says of its numbers: ratios, goals, and the table in which it ends.
-- SPDX-License-Identifier: MIT

local helper = require("tests.spec.helper")
local bench = dofile("tests/bench/lib/bench_table.lua")

describe("a row of a benchmark", function()
  it("has a ratio above 1 where we are better, whichever way better lies", function()
    assert.are.equal(4, bench.ratio { ours = 2, peer_value = 8 })
    assert.are.equal(0.25, bench.ratio { ours = 2, peer_value = 8, better = "more" })
    assert.is_nil(bench.ratio { ours = 2 })
    assert.is_nil(bench.ratio { ours = 0, peer_value = 8 })
  end)

  it("meets a limit that it touches, and misses it beyond", function()
    local function judged(ours, goal) return bench.judge { ours = ours, peer_value = 8, goal = goal } end
    for _, case in ipairs {
      { goal = { at_most = 2 }, inside = 2, outside = 2.001 },
      { goal = { at_least = 2 }, inside = 2, outside = 1.999 },
      { goal = { ratio = 4 }, inside = 2, outside = 2.001 },
      { goal = { above = 1 }, inside = 9, outside = 9.001 },
    } do
      assert.are.equal("met", judged(case.inside, case.goal))
      assert.are.equal("NOT MET", judged(case.outside, case.goal))
    end
  end)

  it("meets a goal of several clauses when one of them is met", function()
    local goal = { at_most = 1, ratio = 10 }
    assert.are.equal("met", bench.judge { ours = 1, peer_value = 2, goal = goal })
    assert.are.equal("met", bench.judge { ours = 2, peer_value = 20, goal = goal })
    assert.are.equal("NOT MET", bench.judge { ours = 2, peer_value = 19, goal = goal })
  end)

  it("is not judged without what its goal speaks of", function()
    assert.are.equal("no peer", bench.judge { ours = 1, peer = "Dask", goal = { ratio = 2 } })
    assert.are.equal("no peer", bench.judge { ours = 1, peer = "futex", goal = { above = 2 } })
    assert.are.equal("met", bench.judge { ours = 1, peer = "Dask", goal = { at_most = 2 } })
    assert.are.equal("not available", bench.judge { peer_value = 1, goal = { at_most = 2 } })
    assert.are.equal("", bench.judge { ours = 1, peer_value = 2 })
  end)
end)

describe("make bench", function()
  local folder

  before_each(function() folder = helper.folder() end)
  after_each(function() helper.remove(folder) end)

  -- Its last step, on benchmarks of our own.
  local function run_benches(...)
    local words = {}
    for i, text in ipairs({ ... }) do
      words[i] = ("%s/%d.lua"):format(folder, i)
      helper.write(words[i], "package.path = 'tests/bench/lib/?.lua;' .. package.path\n"
        .. "local bench = require('bench_table')\n" .. text)
    end
    return helper.shell(("env TIDEMILL_BENCH_PYTHON=false TIDEMILL_BENCH_FOLDER=%s "
      .. "%s tests/bench/lib/bench_run.lua %s none 1 %s"):format(folder,
      os.getenv("LUAJIT") or "luajit", helper.products,
      table.concat(words, " ")))
  end

  it("ends in one table of all rows and counts the goals", function()
    local out, err, status = run_benches(
      "bench.row { name = 'first', ours = 2e-6, peer = 'them', peer_value = 3e-6, goal = { ratio = 2 } }",
      "bench.row { name = 'second', ours = 150, unit = 'bytes', peer = 'them', goal = { at_most = 200 } }")
    assert.are.equal(0, status, err)
    local lines = assert(out:match("\nname [^\n]*\n%-+\n(.*)"))
    local first, second, goals = lines:match("([^\n]*)\n([^\n]*)\n([^\n]*)\n")
    assert.are.equal("first | 2.00 us | 3.00 us them | 1.50x | >= 2x | NOT MET", (first:gsub("  +", " | ")))
    assert.are.equal("second | 150 B | them: absent | - | <= 200 B | met", (second:gsub("  +", " | ")))
    assert.are.equal("goals: 1 met, 1 not met", goals)
  end)

  it("goes on after a benchmark that fails, names it and ends with 1", function()
    local out, _, status = run_benches("error('broken on purpose')",
      "bench.row { name = 'after it', ours = 1 }")
    assert.are.equal(1, status)
    assert.is_truthy(out:match("\n[^\n]*/1%.lua +%- +%- +%- +exit status 1 +FAILED\nafter it "))
    assert.is_truthy(out:find("goals: 1 failed", 1, true))
  end)
end)
