-- Elementwise kernels from Lua: NumPy's numbers, types that meet, shapes, and what is refused.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local ffi = require "ffi"
local tm = require "tidemill"
local array, dtype = require "tidemill.array", require "tidemill.dtype"
local kernels = tm.kernels

-- ---- Columns as text --------------------------------------------------------------------------

local words = { ["true"] = true, ["false"] = false, inf = math.huge, ["-inf"] = -math.huge,
  nan = 0 / 0 }

local function value_of(text, of)
  if words[text] ~= nil then return words[text] end
  return of == "int64" and loadstring("return " .. text .. "LL")() or tonumber(text)
end

local function column(text, of)
  local values = {}
  for word in text:gmatch("[^,]+") do values[#values + 1] = value_of(word, of) end
  return array.from(values, of)
end

-- Elements of two arrays of one type are the same to the bit, or near; NaNs are equal.
local function same(got, expected, near)
  if got.dtype ~= expected.dtype or #got ~= #expected then return false end
  if not near then
    local bytes = #got * dtype.size(got.dtype)
    if ffi.string(got:pointer(), bytes) == ffi.string(expected:pointer(), bytes) then return true end
  end
  for i = 1, #got do
    local x, y = got:pointer()[i - 1], expected:pointer()[i - 1]
    local nan = x ~= x and y ~= y
    if not (nan or x == y and near or near and math.abs(x - y) <= 1e-15 * math.abs(y)) then
      -- Zeros differ by their sign alone.
      if x ~= y or (type(x) == "number" and 1 / x ~= 1 / y) then return false end
    end
  end
  return true
end

describe("elementwise kernels", function()
  it("give NumPy's numbers", function()
    local near, rows = false, 0
    for line in io.lines("tests/data/kernels/elementwise.txt") do
      near = near or line:match("^# what follows is right to 1e%-15") ~= nil
      local op, of, operands, to, result = line:match("^(%w+) (%w+) (.*) %-> (%w+) (%S+)$")
      if op then
        local a, b = operands:match("^(%S+) ?(%S*)$")
        local second = op == "cast" and to or b ~= "" and column(b, of) or nil
        local got = kernels[op](column(a, of), second)
        assert.is_true(same(got, column(result, to), near), line)
        rows = rows + 1
      end
    end
    assert.is_true(rows > 130)
  end)

  it("take arrays, tables and numbers in any place", function()
    local a = tm.array { 1, 2, 3 }
    assert.are.same({ 2, 3, 4, n = 3 }, kernels.add(a, 1):totable())
    assert.are.same({ 9, 8, 7, n = 3 }, kernels.sub(10, a):totable())
    assert.are.same({ 10, 40, 90, n = 3 }, kernels.mul(a, { 10, 20, 30 }):totable())
    assert.are.same({ 1, -2, 3, n = 3 }, kernels.where({ true, false, true }, a, -2):totable())
    assert.are.same({ -1, 2, -1, n = 3 }, kernels.where(kernels.eq(a, 2), a, -1):totable())
    assert.are.same({ 2, 2, 2.5, n = 3 }, kernels.clip(a, 2, 2.5):totable())
    assert.are.equal(0, #kernels.add({}, 1))
  end)

  it("give a scalar of scalars", function()
    assert.are.equal(5, kernels.add(2, 3))
    assert.are.equal(0.5, kernels.div(1, 2))
    assert.is_true(kernels.lt(1, 2))
    assert.is_false(kernels.band(true, false))
    assert.are.equal(7, kernels.where(false, 3, 7))
  end)

  it("keep the shape", function()
    local x = array.new("float64", 6, { 2, 3 })
    for i = 0, 5 do x:pointer()[i] = i end
    local y = kernels.add(kernels.neg(x), x)
    assert.are.same({ 2, 3 }, y.shape)
    assert.are.same({ 2, 3 }, kernels.lt(x, 3).shape)
    assert.are.same({ 2, 3 }, kernels.cast(x, "int32").shape)
    local whole = kernels.cast(x, "int32")
    assert.are.same({ 5, 26, 4 }, { whole:get(2, 3), kernels.square(whole):get(2, 3) + 1,
      kernels.sqrt(kernels.square(whole)):get(2, 2) }) -- the last is converted
    assert.has_error(function() kernels.add(x, { 1, 2, 3, 4, 5, 6 }) end,
      "add: expected add(a, b): shapes must be equal, got (2,3) and (6)")
  end)

  it("leave their operands alone", function()
    local a, b = tm.array({ 1, 2 }, "int32"), tm.array { 0.5, 0.25 }
    kernels.add(a, b)
    kernels.neg(a)
    assert.are.same({ 1, 2, n = 2 }, a:totable())
    assert.are.same({ 0.5, 0.25, n = 2 }, b:totable())
  end)

  it("know 64-bit integers that no number holds", function()
    local x = tm.array({ 9007199254740993LL, -9223372036854775807LL - 1 }, "int64")
    assert.are.equal(9007199254740994LL, kernels.add(x, 1):int64(1))
    assert.are.equal(18014398509481986LL, kernels.add(x, 9007199254740993LL):int64(1))
    assert.are.same({ true, false, n = 2 }, kernels.eq(x, 9007199254740993LL):totable())
    assert.has_error(function() kernels.cast(x, "int32") end, "cast: expected cast(x, dtype): "
      .. "x[1] is 9007199254740993LL, which int32 cannot hold")
  end)

  it("take missing floats for NaN and refuse other missing elements", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    helper.write(folder .. "/t.csv", "n,x\n1,1.5\n,\n")
    local frame = tm.read_csv(folder .. "/t.csv", { types = { n = "int64", x = "float64" } })
    local sum = kernels.add(frame.x, 1)
    assert.are.equal(2.5, sum[1])
    assert.is_true(sum[2] ~= sum[2])
    assert.has_error(function() kernels.add(frame.n, 1) end,
      "add: expected add(a, b): a[2] is missing, which int64 cannot hold")
  end)
end)

describe("dates", function()
  local days = tm.array({ 17000, 17001 }, "date")

  it("and numbers of days are dates, two dates are days apart", function()
    assert.are.equal("date", kernels.add(days, 1).dtype)
    assert.are.equal("date", kernels.add(tm.array({ 1, 2 }, "int64"), days).dtype)
    assert.are.equal("int32", kernels.sub(days, days).dtype)
    assert.are.same({ 1, 1, n = 2 }, kernels.sub(kernels.add(days, 1), days):totable())
  end)

  it("meet timestamps at midnight", function()
    local times = kernels.cast(days, "timestamp")
    assert.are.same({ true, true, n = 2 }, kernels.eq(times, days):totable())
    local later = kernels.sub(kernels.add(times, 5), days)
    assert.are.equal("int64", later.dtype)
    assert.are.same({ 5, 5, n = 2 }, later:totable())
    assert.are.same({ 17000, 17001, n = 2 }, kernels.cast(times, "date"):totable())
  end)

  it("refuse what means nothing", function()
    local function message(call) return select(2, pcall(call)) end
    assert.matches("a date and a date have no sum", message(function() kernels.add(days, days) end))
    assert.matches("a date takes whole numbers, not 1.5", message(function() kernels.add(days, 1.5) end))
    assert.matches("a date cannot be taken from a number", message(function() kernels.sub(1, days) end))
    assert.matches("date has no mul", message(function() kernels.mul(days, 2) end))
    assert.matches("date and float64 have no common type",
      message(function() kernels.lt(days, { 1, 2 }) end))
  end)
end)

describe("element types", function()
  -- NumPy 2's numpy.result_type, rows and columns in this order.
  local order = { "bool", "uint8", "int32", "int64", "float32", "float64" }
  local table_of = [[
    bool    uint8   int32   int64   float32 float64
    uint8   uint8   int32   int64   float32 float64
    int32   int32   int32   int64   float64 float64
    int64   int64   int64   int64   float64 float64
    float32 float32 float64 float64 float32 float64
    float64 float64 float64 float64 float64 float64]]

  it("meet as NumPy's do", function()
    local i = 0
    for expected in table_of:gmatch("%w+") do
      local a, b = order[math.floor(i / 6) + 1], order[i % 6 + 1]
      assert.are.equal(expected, dtype.promote(a, b), a .. " and " .. b)
      i = i + 1
    end
    assert.are.equal("timestamp", dtype.promote("date", "timestamp"))
    assert.are.same({ nil, "date and int32 have no common type" }, { dtype.promote("date", "int32") })
  end)

  it("stay with whole numbers and give way to fractions", function()
    assert.are.equal("int32", dtype.weak(2, "int32"))
    assert.are.equal("float64", dtype.weak(2.5, "int32"))
    assert.are.equal("float64", dtype.weak(0 / 0, "int64"))
    assert.are.equal("float64", dtype.weak(math.huge, "int64"))
    assert.are.equal("float32", dtype.weak(2.5, "float32"))
    assert.are.equal("int64", dtype.weak(1, "bool"))
    assert.are.equal("bool", dtype.weak(true, "bool"))
    assert.are.equal("int32", dtype.weak(true, "int32"))
    assert.are.equal("float64", dtype.weak(3))
    assert.are.same({ nil, "2147483648 does not fit int32" }, { dtype.weak(2^31, "int32") })
    assert.are.same({ nil, "a date takes whole numbers, not true" }, { dtype.weak(true, "date") })
  end)

  it("that have no arithmetic say what has", function()
    for name, advised in pairs { int8 = '"int32"', int16 = '"int32"', uint16 = '"int32"', uint32 = '"int64"',
        uint64 = '"int64" or "float64"' } do
      local x = tm.array({ 1, 2 }, name)
      local first = advised:match('"(%w+)"')
      assert.has_error(function() kernels.add(1, x) end, "add: expected add(a, b): b must be numbers, got an "
        .. ("array of %s; b:astype(%s) first"):format(name, (advised:gsub(" or ", ") or b:astype("))))
      assert.are.equal(first, kernels.add(1, x:astype(first)).dtype)
    end
    assert.has_error(function() kernels.neg(tm.array({ 1 }, "uint8")) end,
      'neg: expected neg(x): uint8 has no neg; a:astype("int32") first')
  end)

  it("of results follow the op", function()
    assert.are.same({ "int32", "int32" }, { dtype.result("add", "int32", 2) })
    assert.are.same({ "float64", "float64" }, { dtype.result("div", "int32", "int64") })
    assert.are.same({ "float32", "float32" }, { dtype.result("exp", "float32") })
    assert.are.same({ "float64", "float64" }, { dtype.result("pow", "bool", 2) })
    assert.are.same({ "timestamp", "bool" }, { dtype.result("lt", "date", "timestamp") })
    assert.are.same({ "float64", "float64" }, { dtype.result("clip", "int32", 0, 1.5) })
    assert.are.same({ "int32", "int32" }, { dtype.result("sub", "date", "date") })
    assert.are.same({ "timestamp", "int64" }, { dtype.result("sub", "date", "timestamp") })
    assert.are.same({ nil, "bool has no sub; cast it to int32 first, or use bxor" },
      { dtype.result("sub", "bool", "bool") })
  end)

  it("have numbers, sizes and names", function()
    for _, name in ipairs(dtype.names) do
      assert.are.equal(name, dtype.name(dtype.number(name)))
      local x = array.new(name, 3)
      assert.are.equal(3 * dtype.size(name), x.nbytes)
    end
    assert.is_nil(dtype.name(2))
    assert.has_error(function() dtype.number("float65") end,
      "unknown element type \"float65\", did you mean \"float64\"?")
    assert.has_error(function() dtype.size(7) end,
      "an element type is a name such as \"float64\", not 7")
  end)
end)

describe("wrong operands", function()
  local function message(call, ...) return select(2, pcall(call, ...)) end

  it("are named, at the line of the call", function()
    local days, frame = helper.column("date", "2020-01-01\n\n")
    local cases = {
      { "a must be an array, a table of numbers or a number, got nil", kernels.add },
      { "b must be an array, a table of numbers or a number, got \"x\"", kernels.add, 1, "x" },
      { "a%[2%] is nil", kernels.add, { 1, nil, 3 }, 1 },
      { "float64 has no band", kernels.band, { 1 }, 2 },
      { "shapes must be equal, got %(2%) and %(3%)", kernels.add, { 1, 2 }, { 1, 2, 3 } },
      { "1099511627776 does not fit int32", kernels.mul, tm.array({ 1 }, "int32"), 2^40 },
      { "x%[2%] is nan, which int64 cannot hold", kernels.cast, { 1, 0 / 0 }, "int64" },
      { "unknown element type \"int31\", did you mean \"int32\"", kernels.cast, { 1 }, "int31" },
      { "x must be an array or a table of numbers", kernels.cast, 1, "int32" },
      { "a must be an array, a table of numbers or a number, got a frame; its columns are arrays",
        kernels.add, frame, 1 },
      { "x must be an array or a table of numbers, got a frame", kernels.sum, frame },
      { "x must be an array or a table of numbers, got a frame", kernels.returns, frame },
      { "a must be an array or a table, got a frame", kernels.matmul, frame, { { 1 } } },
    }
    for _, case in ipairs(cases) do
      local text = message(case[2], case[3], case[4])
      assert.matches(case[1], text)
    end
    -- A missing element became true, as NaN does.
    assert.matches("x%[2%] is missing, which bool cannot hold", message(kernels.cast, days, "bool"))
    assert.matches("x%[2%] is missing, which int64 cannot hold", message(kernels.cast, days, "int64"))
    assert.are.equal("float64[2]{18262, nan}", tostring(kernels.cast(days, "float64")))
    local where = debug.getinfo(1, "S").short_src
    local text = message(function()
      local sum = kernels.add({ 1, 2 }, { 1 })
      return sum
    end)
    assert.is_truthy(text:find(where, 1, true), text)
  end)
end)
