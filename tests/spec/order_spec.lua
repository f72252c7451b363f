-- tm.kernels that sort, search, merge and select: held against numbers that NumPy and pandas gave,
-- against the whole where work is done in parts, and their complaints.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local tm = require "tidemill"
local kernels = tm.kernels

local seed = helper.seed()

-- ---- Numbers of NumPy and pandas ---------------------------------------------------------------

local function numbers_of(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = tonumber(word) end
  return list
end

local function lists_of(text)
  local lists = {}
  for part in (text .. "|"):gmatch("([^|]*)|") do lists[#lists + 1] = numbers_of(part) end
  return lists
end

-- Element by element; a NaN is equal to any.
local function same(expected, got, what)
  assert.are.equal(#expected, #got, what)
  for i, value in ipairs(expected) do
    local ours = got[i]
    if ours ~= value and (ours == ours or value == value) then
      error(("%s: element %d is %s, expected %s"):format(what, i, tostring(ours), tostring(value)), 2)
    end
  end
end

local function mask_of(list)
  local mask = {}
  for i, value in ipairs(list) do mask[i] = value == 1 end
  return mask
end

-- What we give for a line of the file; arguments have the type that it names.
local calls = {
  sort = function(x) return kernels.sort(x) end,
  argsort = function(x) return kernels.argsort(x) end,
  unique = function(x) return kernels.unique(x, { index = true }) end,
  rank = function(x, _, _, method) return kernels.rank(x, method) end,
  searchsorted = function(sorted, values, _, side)
    return kernels.searchsorted(sorted, tm.array(values, sorted.dtype), side)
  end,
  take = function(x, index) return kernels.take(x, index) end,
  put = function(x, index, values) return kernels.put(x, index, values) end,
  compress = function(x, mask) return kernels.compress(x, mask_of(mask)) end,
  nonzero = function(mask) return kernels.nonzero(mask) end,
}

local function check_line(line)
  local what, inputs, outputs = line:match("^(.-) : (.-) > (.*)$")
  local name, dtype, option = what:match("^(%S+) (%S+) ?(%S*)")
  inputs, outputs = lists_of(inputs), lists_of(outputs)
  local first = dtype == "bool" and mask_of(inputs[1]) or inputs[1]
  local got = { calls[name](tm.array(first, dtype), inputs[2], inputs[3], option) }
  for i, expected in ipairs(outputs) do same(expected, got[i], what) end
  return name
end

describe("the numbers of NumPy and pandas", function()
  it("are ours", function()
    local seen = {}
    for line in helper.read("tests/data/kernels/order.txt"):gmatch("[^\n]+") do
      if line:sub(1, 1) ~= "#" then seen[check_line(line)] = true end
    end
    for name in pairs(calls) do assert.is_true(seen[name], name .. " has no line") end
  end)
end)

-- ---- Values and options --------------------------------------------------------------------------

local function list(a) return a:totable() end

describe("sorting", function()
  it("leaves NaN last in both directions, and equal values in their order", function()
    same({ -1, 2, 3, 0 / 0 }, kernels.sort({ 3, 0 / 0, -1, 2 }), "sort")
    same({ 3, 2, -1, 0 / 0 }, kernels.sort({ 3, 0 / 0, -1, 2 }, { descending = true }), "sort")
    same({ 2, 4, 1, 3 }, kernels.argsort({ 1, 5, 1, 5 }, { descending = true }), "argsort")
    assert.are.equal(-math.huge, 1 / kernels.sort({ -0.0, 0, -1 })[2])
    assert.are.equal(math.huge, 1 / kernels.sort({ 0, -0.0, -1 })[2])
  end)

  it("keeps the type, and sorts each row of a matrix", function()
    for _, dtype in ipairs { "float64", "float32", "int64", "int32", "date", "timestamp", "uint8" } do
      local sorted = kernels.sort(tm.array({ 3, 1, 2 }, dtype))
      assert.are.equal(dtype, sorted.dtype)
      assert.are.same({ 1, 2, 3, n = 3 }, list(sorted))
    end
    assert.are.same({ false, true, true, n = 3 }, list(kernels.sort({ true, false, true })))
    local standardised = kernels.standardise({ { 3, 1, 2 }, { 1, 3, 2 } })
    local sorted, order = kernels.sort(standardised), kernels.argsort(standardised)
    assert.are.same({ 2, 3 }, sorted.shape)
    assert.is_true(sorted:get(1, 1) < sorted:get(1, 2) and sorted:get(2, 2) < sorted:get(2, 3))
    assert.are.same({ 2, 3, 1, 1, 3, 2, n = 6 }, list(order:reshape(-1)))
  end)

  it("tells what is in order", function()
    assert.is_true(kernels.is_sorted({}))
    assert.is_true(kernels.is_sorted({ 1, 1, 2, 0 / 0 }))
    assert.is_false(kernels.is_sorted({ 1, 0 / 0, 2 }))
    assert.is_true(kernels.is_sorted({ 2, 1, 1 }, { descending = true }))
  end)

  it("finds the place of one value", function()
    assert.are.equal(2, kernels.searchsorted({ 10, 20, 20 }, 20))
    assert.are.equal(4, kernels.searchsorted(tm.array({ 10, 20, 20 }, "int32"), 20, "right"))
    assert.are.equal(2, kernels.searchsorted(tm.array({ 10, 20, 20 }, "int32"), 10.5))
    assert.are.equal(1, kernels.searchsorted({}, 7))
  end)

  it("finds places among values of another type, days among times", function()
    local big = tm.array({ 9007199254740992LL, 9007199254740993LL })
    same({ 1 }, kernels.searchsorted(big, tm.array({ 7 }, "int32")), "int32")
    same({ 3 }, kernels.searchsorted(tm.array({ 1, 2 }, "int32"), big:slice { { 2, 2 } }:compute()), "int64")
    local days, midnights = tm.array({ 1, 2 }, "date"), tm.array({ 0, 86400000000 }, "timestamp")
    same({ 1, 2, 3 }, kernels.searchsorted(days, tm.array({ 2, 86400000001, 172800000001 }, "timestamp")),
      "times among days")
    same({ 2, 3 }, kernels.searchsorted(midnights, days), "days among times")
  end)

  it("finds the place of an int64 that is no Lua number", function()
    local big = tm.array({ 9007199254740992LL, 9007199254740993LL, 9007199254740994LL })
    assert.are.equal(2, kernels.searchsorted(big, 9007199254740993LL))
    assert.are.equal(3, kernels.searchsorted(big, 9007199254740993LL, "right"))
    assert.are.equal(3, kernels.searchsorted(tm.array({ 1, 2 }, "int32"), 9007199254740993LL))
    assert.are.equal(2, kernels.searchsorted({ 1, 2 }, 2LL))
    assert.is_true(kernels.put(big, { 1 }, 9007199254740995LL):int64(1) == 9007199254740995LL)
  end)

  it("counts distinct values", function()
    local values, counts = kernels.unique({ 3, 1, 3, 0 / 0, 0 / 0 })
    same({ 1, 3, 0 / 0 }, values, "values")
    same({ 1, 2, 2 }, counts, "counts")
  end)
end)

describe("selecting", function()
  local matrix = kernels.standardise({ { 1, 2, 3 }, { 3, 1, 2 } })

  it("goes along an axis", function()
    local column = kernels.take(matrix, { 3, 1 }, 2)
    assert.are.same({ 2, 2 }, column.shape)
    assert.are.equal(matrix:get(2, 3), column:get(2, 1))
    assert.are.equal(matrix:get(2, 1), column:get(2, 2))
    local row = kernels.take(matrix, tm.array({ 2 }, "int64"))
    assert.are.same({ 1, 3 }, row.shape)
    assert.are.equal(matrix:get(2, 2), row:get(1, 2))
    row = kernels.compress(matrix, { false, true })
    assert.are.same({ 1, 3 }, row.shape)
    assert.are.equal(matrix:get(2, 1), row:get(1, 1))
  end)

  it("writes one value at many places", function()
    assert.are.same({ 0, 2, 0, n = 3 }, list(kernels.put({ 1, 2, 3 }, { 3, 1 }, 0)))
    assert.are.same({ true, true, n = 2 }, list(kernels.put({ true, false }, { 2 }, true)))
  end)
end)

-- ---- In parts --------------------------------------------------------------------------------------

local function random_list(n)
  local values = {}
  for i = 1, n do
    local kind = math.random(10)
    values[i] = kind == 1 and 0 / 0 or kind == 2 and -0.0 or kind < 6 and math.random(-3, 3)
      or math.random() - 0.5
  end
  return tm.array(values)
end

-- Signs of zeros too.
local function same_bits(a, b, what)
  assert.are.equal(#a, #b, what)
  local ffi = require "ffi"
  local left, right = ffi.string(a:pointer(), a.nbytes), ffi.string(b:pointer(), b.nbytes)
  if left ~= right then error(what .. ": other bits", 2) end
end

local function joined(lists)
  local values = {}
  for _, part in ipairs(lists) do
    for i = 1, #part do values[#values + 1] = part[i] end
  end
  return tm.array(values)
end

describe("sorting in parts", function()
  it("has the bits of sorting the whole, for any number of chunks and buckets", function()
    math.randomseed(seed)
    for _, buckets in ipairs { 1, 2, 7 } do
      local chunks, pieces, sorted = {}, {}, {}
      for c = 1, math.random(4) do chunks[c] = random_list(math.random(0, 300)) end
      chunks[#chunks + 1] = random_list(50)
      local bounds = kernels.splitters(chunks, buckets)
      assert.are.equal(buckets - 1, #bounds)
      for c, chunk in ipairs(chunks) do pieces[c] = kernels.split(chunk, bounds) end
      for b = 1, buckets do
        local parts = {}
        for c in ipairs(chunks) do parts[c] = pieces[c][b] end
        sorted[b] = kernels.sort_parts(parts)
      end
      same_bits(kernels.sort(joined(chunks)), joined(sorted), buckets .. " buckets")
    end
  end)

  it("has them too when sorted chunks are merged, part by part", function()
    math.randomseed(seed)
    local chunks, runs = {}, {}
    for c = 1, 5 do
      chunks[c] = random_list(math.random(0, 200))
      runs[c] = kernels.sort(chunks[c])
    end
    local whole = kernels.sort(joined(chunks))
    same_bits(whole, kernels.merge(runs), "merge")
    local half = math.floor(#whole / 2)
    same_bits(whole, joined { kernels.merge(runs, 1, half), kernels.merge(runs, half + 1) }, "halves")
    assert.are.equal(0, #kernels.merge(runs, 3, 2))
  end)

  it("counts all elements of a matrix", function()
    local matrix, row = tm.array { { 1, 2, 5 }, { 6, 8, 9 } }, tm.array { 3, 7 }
    same({ 1, 2, 3, 5, 6, 7, 8, 9 }, kernels.sort_parts { matrix, row }, "sort_parts")
    same({ 1, 2, 3, 5, 6, 7, 8, 9 }, kernels.merge { matrix, row }, "merge")
    same({ 6, 7 }, kernels.merge({ matrix, row }, 5, 6), "merge in part")
    same({ 6 }, kernels.splitters({ matrix }, 2), "splitters")
  end)
end)

-- ---- Complaints ------------------------------------------------------------------------------------

describe("a complaint", function()
  local wrong = {
    { "sort({1}, {decending = true})", "unknown option \"decending\", did you mean \"descending\"?" },
    { "sort({1}, {descending = 1})", "descending must be true or false, got 1" },
    { "sort(5)", "x must be an array or a table of numbers, got 5" },
    { "rank({1}, \"averag\")", "got \"averag\", did you mean \"average\"?" },
    { "searchsorted({1}, {1}, \"middle\")", "side must be \"left\" or \"right\", got \"middle\"" },
    { "take({1}, {2})", "index[1] is 2, and there are 1 values" },
    { "take({1}, {0})", "index[1] is 0, and there are 1 values" },
    { "take({1}, {1}, 2)", "axis must be an integer from 1 to 1, got 2" },
    { "take({1}, {1.5})", "element 1 is 1.5" },
    { "take({1, 2}, tm.array{true, true})", "index must be positions, got an array of bool; compress" },
    { "put({1, 2}, tm.array{true, true}, 0)", "index must be positions, got an array of bool; compress" },
    { "put({1}, {3}, 1)", "index[1] is 3, and there are 1 values" },
    { "put({1}, {1}, {1, 2})", "values must be one or as many as positions, 1, got 2" },
    { "put(tm.array({1}, \"int32\"), {1}, 1.5)", "values[1] is 1.5, which int32 cannot hold" },
    { "compress({1, 2}, {true})", "mask must have one element for each of 2, got 1" },
    { "compress({1}, {1})", "mask[1] must be true or false, got 1" },
    { "nonzero(tm.array({1}))", "mask must be bool without missing elements, got float64" },
    { "merge({{2, 1}})", "runs[1] must ascend" },
    { "merge({{1, 2}}, 2, 3)", "last must be an integer from 1 to 2, got 3" },
    { "sort_parts({})", "parts has no list" },
    { "sort_parts({tm.array({1}), tm.array({1}, \"int32\")})", "must have one type, got float64 and int32" },
    { "sort_parts({tm.array({\"a\"})})", "parts[1] has no order: it is utf8" },
    { "sort_parts({tm.array({true}), {1}})", "must have one type, got bool and float64" },
    { "sort_parts({{1, \"a\"}})", "parts[1]: element 2 is a string, expected a number" },
    { "merge({{1, \"a\"}})", "runs[1]: element 2 is a string, expected a number" },
    { "split({1}, {2, 1})", "splitters must ascend" },
    { "splitters({{}}, 2)", "parts have no values" },
  }
  for _, case in ipairs(wrong) do
    it("blames the line that called " .. case[1], function()
      local chunk = assert(loadstring("local tm = require \"tidemill\"\ntm.kernels." .. case[1], "=user"))
      local ok, message = pcall(chunk)
      assert.is_false(ok)
      message = tostring(message)
      assert.are.equal("user:2: " .. case[1]:match("^[%w_]+") .. ": expected ",
        message:sub(1, #"user:2: " + #case[1]:match("^[%w_]+") + #": expected "), message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
