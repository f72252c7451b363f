-- Computed arrays: made from tables and memory, looked at, reshaped, converted, printed.
-- SPDX-License-Identifier: MIT

local ffi = require "ffi"
local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local tm = require "tidemill"
local message = expect.message

-- Numbers 1 to n as a list.
local function count(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

describe("tm.array", function()
  it("takes nested tables as axes", function()
    local a = tm.array { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.are.same({ 2, 3 }, a.shape)
    assert.are.equal(2, #a)
    assert.are.equal(2, a.ndim)
    assert.are.equal(6, a.size)
    assert.are.equal(6, a.length)
    assert.are.equal(8, a.itemsize)
    assert.are.equal(48, a.nbytes)
    local deep = { { { { { { { { 7 } } } } } } } }
    assert.are.equal(7, tm.array(deep):get(1, 1, 1, 1, 1, 1, 1, 1))
    assert.are.equal("array: tables are nested more than 8 deep", message(tm.array, { deep }))
    assert.are.same({ 0 }, tm.array({}).shape)
    assert.are.same({ 2, 0 }, tm.array({ {}, {} }).shape)
  end)

  it("refuses ragged tables and names the row", function()
    assert.are.equal("array: row 2 has 3 elements, row 1 has 2", message(tm.array, { { 1, 2 }, { 3, 4, 5 } }))
    assert.are.equal("array: row 2 has 1 element, row 1 has 2", message(tm.array, { { 1, 2 }, { 3 } }))
    assert.are.equal("array: row 2 is a number, row 1 has 2", message(tm.array, { { 1, 2 }, 3 }))
    assert.are.equal("array: row 2, 2 has 1 element, row 2, 1 has 2",
      message(tm.array, { { { 1, 2 }, { 3, 4 } }, { { 5, 6 }, { 7 } } }))
    assert.are.equal("array: row 2, 1 has 3 elements, row 1, 1 has 2",
      message(tm.array, { { { 1, 2 } }, { { 3, 4, 5 } } }))
    assert.are.equal("array: element 2 is a table, expected a number", message(tm.array, { 1, { 2 } }))
  end)

  it("guesses the type of booleans, strings and 64-bit integers", function()
    assert.are.equal("bool", tm.array({ { true }, { false } }).dtype)
    assert.are.equal("utf8", tm.array({ "a", "" }).dtype)
    assert.are.equal("float64", tm.array({ 1, 2 }).dtype)
    local wide = tm.array { 9007199254740993LL, -1LL, 5 }
    assert.are.equal("int64", wide.dtype)
    assert.is_true(wide:int64(1) == 9007199254740993LL)
    assert.are.equal(5, wide[3])
    assert.is_truthy(message(function() return wide[1] end):find("does not fit a Lua number", 1, true))
    assert.are.equal(2 ^ 53, tm.array({ 9007199254740992LL })[1])
    assert.are.equal("uint64", tm.array({ 18446744073709551615ULL }).dtype)
    assert.are.equal("int32", tm.array({ 1 }, { dtype = "int32" }).dtype)
    assert.is_truthy(message(tm.array, { 1 }, { dtyp = "int32" }):find("did you mean \"dtype\"", 1, true))
  end)

  it("refuses what a type cannot hold", function()
    local cases = {
      { { 1, true }, nil, "element 2 is a boolean, expected a number" },
      { { { 1 }, { "x" } }, nil, "element 2, 1 is a string, expected a number" },
      { { true, 1 }, nil, "element 2 is 1, which bool cannot hold" },
      { { "a", 1 }, nil, "element 2 is a number, expected a string" },
      { { 2 ^ 31 }, "int32", "element 1 is 2147483648, which int32 cannot hold" },
      { { -1 }, "uint64", "element 1 is -1, which uint64 cannot hold" },
      { { 0 / 0 }, "int8", "element 1 is nan, which int8 cannot hold" },
      { { 300LL }, "uint8", "element 1 is 300LL, which uint8 cannot hold" },
      { { -1LL }, "uint64", "element 1 is -1LL, which uint64 cannot hold" },
      { { 2 ^ 63 }, "int64", "element 1 is 9.2233720368548e+18, which int64 cannot hold" },
      { { n = 2, 1 }, "int32", "element 2 is nil, expected a number" },
      { { "2018-02-30" }, "date", "element 1 is \"2018-02-30\", expected a date such as 2018-02-07" },
      { { "noon" }, "timestamp",
        "element 1 is \"noon\", expected a time such as 2018-02-07T10:30:00Z" },
    }
    for _, case in ipairs(cases) do
      local got = message(tm.array, case[1], case[2]):gsub("%-nan", "nan")
      assert.are.equal("array: " .. case[3], got)
    end
    for _, holes in ipairs { { nil, 2 }, { 1, nil, 3 }, { 1, nil, 3, 4 }, { 1, nil, nil, nil, nil, 6 } } do
      local length = table.maxn(holes)
      assert.are.equal(length, #tm.array(holes)) -- # of such a table may say less
      assert.are.equal(length, #(tm.array(holes) + holes))
    end
    local hole = tm.array { n = 3, 1, nil, 3 }
    assert.is_true(hole[2] ~= hole[2])
  end)

  it("reads dates and times of ISO 8601", function()
    local days = tm.array({ "1970-01-02", "20180207", "2018/02/07", 5 }, "date")
    assert.are.same({ n = 4, 1, 17569, 17569, 5 }, days:totable())
    local times = tm.array({ "1970-01-01T00:00:01Z", "1970-01-01 01:00", "1970-01-01T02:00:00.25+02:00",
      "1969-12-31T23:59:59.999999", "1970-01-02", "1969-12-31T19:00:00-0500" }, "timestamp")
    assert.are.same({ n = 6, 1000000, 3600000000, 250000, -1, 86400000000, 0 }, times:totable())
    for _, bad in ipairs { "1970-01-01T25:00", "1970-01-01T10", "1970-01-01T10:00:00+2", "1970-1-1" } do
      assert.is_truthy(message(tm.array, { bad }, "timestamp"):find("expected a time", 1, true), bad)
    end
  end)

  it("stacks arrays as rows", function()
    local r = tm.array({ 1, 2, 3 }, "int32")
    local a = tm.array { r, r }
    assert.are.same({ 2, 3 }, a.shape)
    assert.are.equal("int32", a.dtype)
    assert.are.same({ 2, 2, 3 }, tm.array({ a, a }).shape)
    assert.are.same({ 1, 2, 3 }, tm.array({ { r, r } }).shape)
    assert.are.equal("float64", tm.array({ r, tm.array { 1, 2, 3 } }).dtype)
    assert.are.equal("int8", tm.array({ r }, "int8").dtype)
    assert.are.equal("array: row 2 is an array of 1, row 1 is an array of 3",
      message(tm.array, { r, tm.array { 1 } }))
    assert.is_true(rawequal(r, tm.array(r)))
  end)

  it("names the nearest type", function()
    assert.is_truthy(message(tm.array, { 1 }, "flaot64"):find("got \"flaot64\", did you mean \"float64\"?",
      1, true))
    assert.are.equal("array: expected array(table, dtype), got a number", message(tm.array, 1))
  end)
end)

describe("tm.from_buffer", function()
  it("copies strings, FFI arrays and what a pointer points to", function()
    assert.are.same({ n = 2, 1, 513 }, tm.from_buffer("\1\0\1\2", "int16"):totable())
    local source = ffi.new("double[6]", { 1, 2, 3, 4, 5, 6 })
    local a = tm.from_buffer(source, "float64", 2, 3)
    source[0] = 100
    assert.are.equal(1, a:get(1, 1))
    assert.are.same({ 3, 2 }, tm.from_buffer(source, "float64", { 3, 2 }).shape)
    assert.are.same({ n = 2, 3, 4 }, tm.from_buffer(ffi.cast("double *", source) + 2, "float64", 2):totable())
  end)

  it("refuses sizes that disagree", function()
    assert.are.equal("from_buffer: 3 bytes are no whole number of int16",
      message(tm.from_buffer, "abc", "int16"))
    assert.are.equal("from_buffer: 2 x 2 int16 is 8 bytes, the source has 4",
      message(tm.from_buffer, "abcd", "int16", 2, 2))
    assert.are.equal("from_buffer: a pointer needs a shape: how many elements it points to",
      message(tm.from_buffer, ffi.cast("char *", "abc"), "int8"))
    assert.are.equal("from_buffer: the pointer is NULL",
      message(tm.from_buffer, ffi.cast("char *", nil), "int8", 1))
    assert.are.equal("from_buffer: expected a string, an FFI array or a pointer, got a table",
      message(tm.from_buffer, {}, "int8"))
    assert.is_truthy(message(tm.from_buffer, "a", "utf8"):find("of fixed size", 1, true))
  end)
end)

describe("an array", function()
  local a = tm.array { { 1, 2, 3 }, { 4, 5, 6 } }

  it("of several axes has rows, without a copy", function()
    assert.are.same({ n = 3, 4, 5, 6 }, a[2]:totable())
    assert.are.same({ n = 3, 4, 5, 6 }, a[-1]:totable())
    assert.are.same({ n = 3, 1, 2, 3 }, a:row(1):totable())
    assert.are.equal(a:pointer() + 3, a[2]:pointer())
    local rows = {}
    for i, row in a:iter() do rows[i] = row[2] end
    assert.are.same({ 2, 5 }, rows)
    assert.are.same({ n = 2, { n = 3, 1, 2, 3 }, { n = 3, 4, 5, 6 } }, a:totable())
    assert.are.equal("[[1,2,3],[4,5,6]]", tm.json.encode(a))
    assert.are.equal("row: an array of one axis has elements: a[i]",
      message(function() return a[1]:row(1) end))
  end)

  it("keeps the memory of its rows", function()
    local row = tm.array({ count(5000), count(5000) })[2]
    collectgarbage()
    collectgarbage()
    assert.are.equal(5000, row[5000])
  end)

  it("has elements at indexes from either end", function()
    assert.are.equal(6, a:get(2, 3))
    assert.are.equal(4, a:get(-1, -3))
    assert.is_true(a:present(1, 1))
    assert.are.equal("index 3 is outside 1..2", message(function() return a[3] end))
    assert.are.equal("index 0 is outside 1..2", message(function() return a[0] end))
    assert.are.equal("index 4 is outside 1..3 (axis 2)", message(a.get, a, 1, 4))
    assert.are.equal("index -3 is outside 1..2 (axis 1)", message(a.get, a, -3, 1))
    assert.are.equal("get: 1 index for an array of 2 axes", message(a.get, a, 1))
    assert.are.equal("get: 3 indexes for an array of 2 axes", message(a.get, a, 1, 1, 1))
  end)

  it("reshapes without a copy", function()
    local b = a:reshape(3, -1)
    assert.are.same({ 3, 2 }, b.shape)
    assert.are.equal(a:pointer(), b:pointer())
    assert.are.same({ n = 2, 3, 4 }, b[2]:totable())
    assert.are.same({ 6 }, a:reshape(-1).shape)
    assert.are.same({ 1, 6, 1 }, a:reshape({ 1, 6, 1 }).shape)
    assert.are.equal("reshape: 6 elements do not fill 4 x 2", message(a.reshape, a, 4, 2))
    assert.are.equal("reshape: 6 elements do not fill 4 x -1", message(a.reshape, a, 4, -1))
    assert.are.equal("reshape: only one size may be -1", message(a.reshape, a, -1, -1))
    assert.are.equal("reshape: size 1 of the shape is 1.5, expected a whole number from 0",
      message(a.reshape, a, 1.5, 4))
    assert.are.equal("reshape: size 1 of the shape is -2, expected a whole number from 0",
      message(a.reshape, a, -2, -3))
    assert.are.same({ 0, 3 }, tm.array({}):reshape(0, 3).shape)
    assert.are.same({ 2, 1 }, tm.array({ "a", "b" }):reshape(2, 1).shape)
  end)

  it("converts to other types and says what it cannot", function()
    assert.are.same({ n = 3, 1, -1, 0 }, tm.array({ 1.9, -1.9, 0.1 }):astype("int32"):totable())
    assert.are.same({ 2, 3 }, a:astype("int8").shape)
    assert.are.same({ n = 3, true, false, true }, tm.array({ 2, 0, 0 / 0 }):astype("bool"):totable())
    assert.are.same({ n = 2, 1, 0 }, tm.array({ true, false }):astype("float32"):totable())
    assert.is_true(rawequal(a, a:astype("float64")))
    assert.is_truthy(message(a.astype, tm.array { 300 }, "uint8")
      :find("element 1 is 300, which uint8 cannot hold"))
    assert.is_truthy(message(a.astype, tm.array { 0 / 0 }, "int64"):find("which int64 cannot hold"))
    assert.is_truthy(message(a.astype, tm.array { -1LL }, "uint64"):find("element 1 is -1, which uint64", 1,
      true))
    local day = tm.array({ "2018-02-07", "1969-12-31" }, "date")
    assert.are.same(day:totable(), day:astype("timestamp"):astype("date"):totable())
    assert.are.equal(-1, tm.array({ -1 }, "timestamp"):astype("date")[1])
    local ends = tm.array({ -106751991, 106751991 }, "date"):astype("timestamp")
    assert.are.equal(-106751991 * 86400000000LL, ends:int64(1))
    assert.are.equal(106751991 * 86400000000LL, ends:int64(2))
    for _, far in ipairs { 106751992, -106751992, 2^31 - 1 } do
      assert.are.equal(("astype: element 1 is %d, which timestamp cannot hold"):format(far),
        message(function() return tm.array({ far }, "date"):astype("timestamp") end))
    end
    assert.are.same(day:totable(), tm.array({ "2018-02-07", "1969-12-31" }):astype("date"):totable())
    assert.is_truthy(message(a.astype, tm.array { "1" }, "float64"):find("see tonumber", 1, true))
    assert.is_truthy(message(a.astype, a, "float46"):find("did you mean \"float64\"", 1, true))
  end)

  it("of one element has an item", function()
    assert.are.equal(5, tm.array({ { 5 } }):item())
    assert.are.equal("item: the array has 6 elements, expected one", message(a.item, a))
  end)

  it("of a size that no memory has is refused", function()
    local new = require("tidemill.array").new
    assert.are.equal("array: 10000000000 x 10000000000 float64 is more than memory can hold",
      message(new, "float64", nil, { 1e10, 1e10 }))
    assert.are.equal("array: size 2 of the shape is -1, expected a whole number from 0",
      message(new, "float64", nil, { 1, -1 }))
    assert.are.equal("array: a shape has 1 to 8 axes, got 9",
      message(new, "int8", nil, { 1, 1, 1, 1, 1, 1, 1, 1, 1 }))
  end)

  it("crosses to tasks with its shape", function()
    local got = tm.submit(function(x) return x:reshape(3, 2) end, a):result()
    assert.are.same({ 3, 2 }, got.shape)
    assert.are.equal(5, got:get(3, 1))
    local rows = tm.map(function(row) return row[1] + row[3] end, a)
    assert.are.same({ 4, 10 }, { rows[1], rows[2] })
  end)

  it("of several axes is what the totals of a sweep are", function()
    local close = count(30)
    local totals, best = tm.kernels.sma_cross(close, { 2, 3 }, { 5, 6, 7 })
    assert.are.same({ 2, 3 }, totals.shape)
    assert.are.same(best, tm.kernels.best_pair(totals, { 2, 3 }, { 5, 6, 7 }))
  end)

  it("of several axes is refused by kernels of one", function()
    assert.is_truthy(message(tm.kernels.sma, a, 2)
      :find("x must have one axis, got 2 x 3; a:reshape(-1) has", 1, true))
  end)
end)

describe("printing an array", function()
  local function shows(a, expected) assert.are.equal(expected, tostring(a)) end

  it("puts a few elements into a line", function()
    shows(tm.array { 1, 2.5, 0 / 0, 1 / 0, -1 / 0 }, "float64[5]{1, 2.5, nan, inf, -inf}")
    shows(tm.array { "a", "b\n\"" }, "utf8[2]{\"a\", \"b\\n\\\"\"}")
    shows(tm.array { true, false }, "bool[2]{true, false}")
    shows(tm.array { 9007199254740993LL }, "int64[1]{9007199254740993}")
    shows(tm.array({ "2018-02-07" }, "date"), "date[1]{2018-02-07}")
    shows(tm.array({ "2018-02-07T10:30:00.5", "1969-12-31T23:59:59" }, "timestamp"),
      "timestamp[2]{2018-02-07T10:30:00.5Z, 1969-12-31T23:59:59Z}")
    shows(tm.array {}, "float64[0]{}")
  end)

  it("aligns columns and gives all floats the decimals that one needs", function()
    shows(tm.array { { 1, 2.5, 0 / 0 }, { 3, 1 / 0, -4.125 } }, [[
array 2 x 3 float64
  1.000  2.500     nan
  3.000    inf  -4.125]])
    shows(tm.array({ { 1, 20 }, { 300, 4 } }, "int16"), [[
array 2 x 2 int16
    1  20
  300   4]])
    shows(tm.array { { "ä", "bcd" }, { "long", "" } }, [[
array 2 x 2 utf8
  "ä"     "bcd"
  "long"  ""]])
    shows(tm.array({ { 0.1 }, { 1 / 3 } }, "float32"), [[
array 2 x 1 float32
  0.10000000
  0.33333334]])
    shows(tm.array { { 1e-10 }, { 2.5e20 } }, [[
array 2 x 1 float64
  1.0e-10
  2.5e+20]])
    shows(tm.array { { 1e-10 }, { 2 } }, [[
array 2 x 1 float64
  1e-10
  2e+00]])
    shows(tm.array { { 0 }, { 123456789012 } }, [[
array 2 x 1 float64
             0
  123456789012]])
    shows(tm.array { {}, {} }, "array 2 x 0 float64")
  end)

  it("labels what lies above two axes", function()
    shows(tm.array(count(8)):reshape(2, 2, 2), [[
array 2 x 2 x 2 float64
[1]
  1  2
  3  4
[2]
  5  6
  7  8]])
  end)

  it("wraps one axis, and leaves out columns that do not fit", function()
    shows(tm.array(count(30)), [[
array 30 float64
   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15  16  17  18  19  20
  21  22  23  24  25  26  27  28  29  30]])
    local wide = tm.array(count(200)):reshape(2, 100)
    for line in tostring(wide):gmatch("[^\n]+") do assert.is_true(#line <= 80) end
    assert.is_truthy(tostring(wide):find("\n    1    2    3 .* %.%.%. .*   99  100\n"))
  end)

  it("shows corners of more than a thousand elements", function()
    shows(tm.array(count(2000)), [[
array 2000 float64
     1     2     3   ...  1998  1999  2000]])
    shows(tm.array(count(1600)):reshape(40, 40), [[
array 40 x 40 float64
     1     2     3  ...    38    39    40
    41    42    43  ...    78    79    80
    81    82    83  ...   118   119   120
  ...
  1481  1482  1483  ...  1518  1519  1520
  1521  1522  1523  ...  1558  1559  1560
  1561  1562  1563  ...  1598  1599  1600]])
    local _, lines = tostring(tm.array(count(1000)):reshape(500, 2)):gsub("\n", "")
    assert.are.equal(500, lines)
  end)

  it("writes what is missing as nil", function()
    local folder = helper.folder()
    helper.write(folder .. "/t.csv", "n\n1\n\n3\nNA\n5\n6\n70\n8\n")
    local t = tm.read_csv(folder .. "/t.csv", { types = { n = "int64" } })
    helper.remove(folder)
    assert.is_truthy(tostring(t.n):find("nil", 1, true))
  end)

  it("reads NaNs of any bits as NaN, which LuaJIT would take for other values", function()
    local tails = { "\255\255", "\253\255", "\251\255", "\252\255", "\241\127", "\240\127", "\240\255" }
    for k, tail in ipairs(tails) do
      for _, head in ipairs({ "\1\2\3\4\5\6", ("\0"):rep(6) }) do
        local a = tm.from_buffer((head .. tail):rep(4), "float64", 2, 2):compute()
        local infinite = k > 5 and head:byte() == 0
        for _ = 1, 100 do -- compiled, too
          local x = a:get(2, 2)
          assert.equal("number", type(x))
          if infinite then assert.equal(k == 6 and math.huge or -math.huge, x) else assert.is_true(x ~= x) end
        end
        local row = a[1]
        assert.is_true(row[1] ~= row[1] or infinite)
        assert.equal("number", type(a:totable()[1][1]))
        assert.equal("number", type(tm.linalg.trace(a)))
        assert.equal("number", type(tm.linalg.norm(a, 1)))
        assert.equal("number", type(a:sum():compute()))
        assert.is_string(tostring(a))
      end
    end
    local b = tm.from_buffer("\255\255\255\255\0\0\128\255\1\0\128\127", "float32"):compute()
    assert.is_true(b[1] ~= b[1] and b[3] ~= b[3])
    assert.equal(-math.huge, b[2])
  end)
end)
