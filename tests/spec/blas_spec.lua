-- The BLAS of the machine: the setting that names it, and what a result stands on that it computed.
-- What needs one is skipped, and said so, on a machine without.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

require "tidemill"
local has_blas = require("tidemill.blas").there("the spec", 1)

-- A test of what needs a BLAS.
local function with_blas(name, test)
  it(name, function()
    if not has_blas then
      pending("no BLAS: " .. require("tidemill.blas").text())
      return
    end
    test()
  end)
end

describe("the BLAS", function()
  local folder

  before_each(function() folder = helper.folder() end)
  after_each(function() helper.remove(folder) end)

  local function run(environment, text, ...)
    helper.write(folder .. "/job.lua", text)
    local words = { "env", "-u", "TIDEMILL_BLAS" }
    for word in environment:gmatch("%S+") do words[#words + 1] = word end
    for _, word in ipairs { helper.products .. "/tidemill", "run",
      "--cache", folder .. "/cache.db", ... } do words[#words + 1] = word end
    words[#words + 1] = folder .. "/job.lua"
    for i, word in ipairs(words) do words[i] = helper.quote(word) end
    return helper.shell(table.concat(words, " "))
  end

  it("is missed by what needs it, and by nothing else", function()
    local out, err, status = run("TIDEMILL_BLAS=none", [[
      local tm = require "tidemill"
      print(tm.linalg.matmul({{1, 2}, {3, 4}}, {5, 6}), tm.linalg.syrk({{1, 2}}):item(),
        tm.linalg.norm {3, 4})
      print(pcall(tm.linalg.solve, {{1}}, {1}))]])
    assert.are.equal("", err)
    assert.are.equal(0, status)
    assert.are.equal("float64[2]{17, 39}\t5\t5\n" ..
      "false\tsolve: no BLAS: the setting blas is none\n", out)
  end)

  it("that was named and is not there is an error", function()
    local out = run("TIDEMILL_BLAS=/nowhere/libblas.so", [[
      local tm = require "tidemill"
      print(pcall(tm.linalg.matmul, {{1}}, {{1}}))]])
    assert.is_truthy(out:find("false\tmatmul: no BLAS: /nowhere/libblas.so: cannot open", 1, true))
  end)

  it("that is no BLAS is an error which says what it lacks", function()
    local out = run("TIDEMILL_BLAS=libm.so.6", [[
      local tm = require "tidemill"
      print(pcall(tm.linalg.matmul, {{1}}, {{1}}))]])
    assert.are.equal("false\tmatmul: no BLAS: libm.so.6: it has no dgemm_\n", out)
  end)

  it("cannot be set once it is open", function()
    local out = run("A=b", [[
      local tm = require "tidemill"
      tm.linalg.matmul({{1}}, {{1}})
      print(pcall(tm.config, {blas = "none"}))]])
    assert.are.equal("false\tblas: it is open already\n", (out:gsub("\t[^\n]-: blas", "\tblas")))
  end)

  it("is the same on the process lane", function()
    local out, err = run("TIDEMILL_BLAS=none", [[
      local tm = require "tidemill"
      local f = tm.delayed(function() return require("tidemill.blas").text() end, {lane = "process"})
      print(f():compute())]])
    assert.are.equal("the setting blas is none\n", out, err)
  end)

  for _, lane in ipairs { "thread", "serial", "process" } do
    with_blas("is part of what a cached result stands on: " .. lane, function()
      local text = ([[
        local tm = require "tidemill"
        local f = tm.delayed(function(x)
          print "computed"
          return tm.linalg.solve_triangular({{1, 0}, {3, 4}}, {x, 2})[1]
        end, {cache = true, pure = true, lane = %q})
        print(f(7):compute())]]):format(lane)
      local function outcome(environment)
        local out, err = run(environment, text)
        assert.are.equal("", err)
        return out
      end
      assert.are.equal("computed\n7\n", outcome "A=b")
      assert.are.equal("7\n", outcome "A=b")
      assert.are.equal("computed\n7\n", outcome "TIDEMILL_BLAS=none")
      assert.are.equal("7\n", outcome "TIDEMILL_BLAS=none")
    end)
  end

  with_blas("gives the same bits on any number of workers, by blocks of rows", function()
    local text = [[
      local tm = require "tidemill"
      local a = tm.kernels.uniform(1, 0, 200 * 300)
      local array = require("tidemill.array")
      local function shaped(from, m, n)
        local out = array.new("float64", m * n, {m, n})
        require("ffi").copy(out:pointer(), from:pointer(), 8 * m * n)
        return out
      end
      local left, right = shaped(a, 200, 300), shaped(a, 300, 200)
      local parts = tm.map(function(first)
        return tm.linalg.matmul(left, right, first, first + 24)
      end, {1, 26, 51, 76, 101, 126, 151, 176})
      for i, part in ipairs(parts) do
        print(i, ("%.17g %.17g"):format(tm.kernels.sum(part), part:get(25, 200)))
      end]]
    local expected = run("A=b", text, "--workers", "1")
    assert.is_truthy(expected:find("^1\t"))
    for _, workers in ipairs { 2, 7 } do
      assert.are.equal(expected, (run("A=b", text, "--workers", workers)))
    end
  end)

  it("is shown by tidemill doctor", function()
    local program = helper.quote(helper.products .. "/tidemill")
    local out = helper.shell("TIDEMILL_BLAS=none " .. program .. " doctor")
    assert.is_truthy(out:find("\nBLAS +none: the setting blas is none\n"))
  end)
end)
