-- Arrays in .npy files, from Lua: what is read and written, and what the cache knows of it.
-- tests/c/test_npy.c has the format.  SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local tm = require "tidemill"
local message = expect.message

describe("a .npy file", function()
  local folder
  before_each(function() folder = helper.folder() end)
  after_each(function() helper.remove(folder) end)

  it("of NumPy is read with type and shape", function()
    local x = tm.read_npy("tests/data/npy/f8_3d_fortran.npy")
    assert.are.same({ 3, 4, 5 }, x.shape)
    assert.are.equal("float64", x.dtype)
    assert.are.equal(((37 * 59) % 101 - 50) / 4, x:get(3, 4, 5))
    assert.are.equal("date", tm.read_npy("tests/data/npy/time_D.npy").dtype)
    assert.is_nil(tm.read_npy("tests/data/npy/missing_us.npy")[3])
    assert.are.same(tm.read_npy("tests/data/npy/time_h.npy"):totable(),
      tm.read_npy("tests/data/npy/time_h_big_endian.npy"):totable())
    assert.are.same(tm.read_npy("tests/data/npy/f4.npy", { rows = { 2, 3 } }):totable(),
      tm.read_npy("tests/data/npy/f4_big_endian.npy", { rows = { 2, 3 } }):totable())
  end)

  it("gives back what was written", function()
    local path = folder .. "/x.npy"
    for _, dtype in ipairs { "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
      "float32", "float64", "date", "timestamp" } do
      local x = tm.array({ { 1, 2, 3 }, { 4, 5, 6 } }, dtype)
      tm.write_npy(path, x)
      local y = tm.read_npy(path)
      assert.are.equal(dtype, y.dtype)
      assert.are.same({ 2, 3 }, y.shape)
      assert.are.same(x:totable(), y:totable())
    end
    tm.write_npy(path, { true, false })
    assert.are.equal("bool[2]{true, false}", tostring(tm.read_npy(path)))
    tm.write_npy(path, tm.array { { 1, 2 }, { 3, 4 } }[2]) -- a row
    assert.are.equal("float64[2]{3, 4}", tostring(tm.read_npy(path)))
    tm.write_npy(path, tm.arange(3) * 2) -- lazy
    assert.are.equal("int64[3]{0, 2, 4}", tostring(tm.read_npy(path)))
  end)

  it("is read by rows, from either end", function()
    local path = folder .. "/x.npy"
    tm.write_npy(path, { { 1, 2 }, { 3, 4 }, { 5, 6 } })
    assert.are.same({ n = 2, 3, 4 }, tm.read_npy(path, { rows = { 2, 2 } })[1]:totable())
    assert.are.same({ 2, 2 }, tm.read_npy(path, { rows = { -2, -1 } }).shape)
    assert.are.same({ 0, 2 }, tm.read_npy(path, { rows = { 2, 1 } }).shape)
  end)

  it("may be mapped, and its array crosses to tasks and processes", function()
    local path, list = folder .. "/x.npy", {}
    for i = 1, 30000 do list[i] = i end
    tm.write_npy(path, list)
    local x = tm.read_npy(path, { mmap = true })
    local add = function(a)
      local sum = 0
      for i = 1, #a do sum = sum + a[i] end
      return sum
    end
    assert.are.equal(30000 * 30001 / 2, tm.submit(add, x):result())
    assert.are.equal(30000 * 30001 / 2, tm.delayed(add, { lane = "process" })(x):compute())
  end)

  it("that cannot be had is told of", function()
    assert.is_truthy(message(tm.read_npy, folder .. "/none"):find("none: No such file or directory", 1, true))
    assert.are.equal("read_npy: expected a path, got a nil", message(tm.read_npy))
    assert.are.equal("read_npy: mmap: expected \"auto\", true or false, got 1",
      message(tm.read_npy, "x", { mmap = 1 }))
    for _, rows in ipairs { 1, { 1 }, { 0, 1 }, { 1, 1.5 }, { 1, "2" } } do
      assert.is_truthy(message(tm.read_npy, "x", { rows = rows }):find("rows: expected {first, last}", 1,
        true))
    end
    assert.is_truthy(message(tm.read_npy, "x", { row = { 1, 2 } }):find("did you mean \"rows\"", 1, true))
    assert.is_truthy(message(tm.read_npy, "tests/data/npy/f8.npy", { rows = { 2, 4 } })
      :find("rows 2..4 are outside 1..3", 1, true))
    assert.is_truthy(message(tm.write_npy, folder .. "/x", { "a" }):find("does not hold utf8 arrays", 1,
      true))
    assert.are.equal("write_npy: expected write_npy(path, array), got a number",
      message(tm.write_npy, "x", 1))
  end)

  it("is known to the cache by its content, whatever part was read", function()
    helper.write(folder .. "/job.lua", [[
      local tm = require "tidemill"
      local path = ...
      local first = tm.delayed(function(p) return tm.read_npy(p, {rows = {1, 1}})[1] end, {cache = true})
      print(first(path):compute(), tm.stats().hits)
    ]])
    local path = folder .. "/x.npy"
    local function run()
      return (helper.tidemill("--cache", folder .. "/c.db", folder .. "/job.lua", path))
    end
    tm.write_npy(path, { 1, 2 })
    assert.are.equal("1\t0\n", run())
    assert.are.equal("1\t1\n", run())
    tm.write_npy(path, { 1, 3 })
    assert.are.equal("1\t0\n", run())
    tm.write_npy(path, { 5, 3 })
    assert.are.equal("5\t0\n", run())
  end)
end)
