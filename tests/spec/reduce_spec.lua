-- Reductions, scans, quantiles and histograms of one series: beside NumPy's numbers and plain
-- Lua, with what they say to wrong arguments.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

local tm = require "tidemill"
local kernels = tm.kernels

local NAN = 0 / 0

local function numbers(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word == "nan" and NAN or tonumber(word) end
  return list
end

local function near(expected, got, scale)
  if expected ~= expected then return got ~= got end
  return got == expected or math.abs(got - expected) <= 1e-13 * math.max(scale, math.abs(expected))
end

-- A boolean as NumPy's numbers have it.
local function number(value) return value == true and 1 or value == false and 0 or value end

local function list_of(result)
  if type(result) ~= "cdata" then return { number(result) } end
  local list = {}
  for i = 1, #result do list[i] = number(result[i]) end
  return list
end

local function series(dtype, values)
  local list = {}
  for i, value in ipairs(values) do
    if dtype == "bool" then list[i] = value ~= 0 else list[i] = value end
  end
  return tm.array(list, dtype)
end

describe("a reduction of one series", function()
  it("has NumPy's numbers", function()
    local rows = 0
    for line in helper.read("tests/data/kernels/reduce.txt"):gmatch("[^\n]+") do
      local name, dtype, parameters, values, expected =
        line:match("^(%w+) | (%w+) | ([^|]*) ?| ([^|]*) | (.*)$")
      if name then
        rows = rows + 1
        local elements, arguments = numbers(values), numbers(parameters)
        local got = list_of((kernels[name](series(dtype, elements), unpack(arguments))))
        local wanted, scale = numbers(expected), 0
        for _, value in ipairs(elements) do
          if value == value and math.abs(value) < math.huge then scale = math.max(scale, math.abs(value)) end
        end
        assert.are.equal(#wanted, #got, line)
        for i = 1, #wanted do
          assert.is_true(near(wanted[i], got[i], scale), line .. ": got " .. tostring(got[i]))
        end
      end
    end
    assert.is_true(rows > 300)
  end)

  it("reads tables, and arrays of every type", function()
    assert.are.equal(6, kernels.sum { 1, 2, 3 })
    assert.are.equal(6, kernels.sum(tm.array({ 1, 2, 3 }, "int16")))
    assert.are.equal(2^53, kernels.sum(tm.array({ 2^53 - 1, 1 }, "int64")))
    assert.are.equal(2, kernels.sum(tm.array({ true, false, true }, "bool")))
    assert.are.equal(-1, kernels.min(tm.array({ 3, -1 }, "date")))
    assert.are.equal(7, kernels.max(tm.array({ 3, 7 }, "timestamp")))
    assert.is_true(kernels.max(tm.array({ false, true }, "bool")))
    assert.is_true(kernels.any { false, true })
    assert.is_false(kernels.all { false, true })
    assert.are.equal("int64[2]{1, 2}", tostring(kernels.cumsum { true, true }))
    assert.are.equal("bool[2]{false, true}", tostring(kernels.cummax { false, true }))
    assert.are.equal("int64", kernels.cumsum(tm.array({ 1, 2 }, "int32")).dtype)
    assert.are.equal("float32", kernels.cumsum(tm.array({ 1, 2 }, "float32")).dtype)
    assert.are.equal("date", kernels.cummax(tm.array({ 1, 2 }, "date")).dtype)
  end)

  it("has what nothing has, or an error", function()
    assert.are.equal(0, kernels.sum {})
    assert.are.equal(1, kernels.prod {})
    assert.is_true(kernels.all {})
    assert.is_false(kernels.any {})
    assert.is_true(kernels.mean {} ~= kernels.mean {})
    assert.is_true(kernels.nanmin { NAN } ~= kernels.nanmin { NAN })
    assert.has_error(function() kernels.min {} end, "min: expected min(x): x has no elements")
    assert.has_error(function() kernels.nanargmax { NAN } end,
      "nanargmax: expected nanargmax(x): x has only NaNs")
  end)

  it("keeps a sum that it cannot show from being shown", function()
    assert.has_error(function() kernels.max(tm.array { 9007199254740993LL }) end, "max: expected max(x): "
      .. "the result 9007199254740993 is no exact Lua number; convert x to float64 before")
    assert.has_error(function() kernels.sum(tm.array({ 2^53, 2^53 }, "int64")) end,
      "sum: expected sum(x): the result 18014398509481984 is no exact Lua number; "
        .. "convert x to float64 before")
  end)
end)

describe("quantiles and the few greatest", function()
  it("take one share or a list", function()
    assert.are.equal(1.75, kernels.quantile({ 1, 2, 3, 4 }, 0.25))
    assert.are.same({ 2.5, 4 }, list_of(kernels.quantile({ 1, 2, 3, 4 }, { 0.5, 1 })))
    assert.are.equal(2, kernels.nanquantile({ 1, NAN, 3 }, 0.5))
    assert.has_error(function() kernels.quantile({ 1 }, 2) end,
      "quantile: expected quantile(x, q): q must be from 0 to 1, got float64[1]{2}")
  end)

  it("between a number and an infinity are the infinity, and NaN between two", function()
    local inf = math.huge
    assert.are.equal(inf, kernels.median { 1, inf })
    assert.are.equal(-inf, kernels.median { -inf, 1 })
    assert.are.equal(inf, kernels.nanquantile({ NAN, inf, 2 }, 0.25))
    assert.are.equal("float64[3]{nan, -inf, inf}", tostring(kernels.quantile({ -inf, inf }, { 0.5, 0, 1 })))
    local x = tm.array { { 1, inf, -inf }, { 2, 3, inf } }:rechunk(1)
    assert.are.equal("float64[3]{1.5, inf, nan}", tostring(x:median(1):compute()))
    assert.are.equal("float64[2]{-inf, 2.5}", tostring(x:quantile(0.25, 2):compute()))
  end)

  it("have the places of sorting", function()
    local x = {}
    for i = 1, 100 do x[i] = (i * 37) % 101 end
    local parted, greatest, places = kernels.partition(x, 30), kernels.topk(x, 3)
    assert.are.equal(30, parted[30])
    for i = 1, 30 do assert.is_true(parted[i] <= 30) end
    assert.are.same({ 100, 99, 98 }, list_of(greatest))
    for i = 1, 3 do assert.are.equal(greatest[i], x[places[i]]) end
    assert.are.same({ 1, 2 }, list_of((kernels.topk(x, -2))))
    assert.are.equal(0, #kernels.topk({}, 5))
  end)

  -- With an element missing, or unsigned, they went through float64.
  it("keep integers that float64 has not, beside missing ones too", function()
    local column = helper.column("int64", "5\n\n9007199254740993\n-9007199254740995\n9007199254740992\n")
    local greatest, places = kernels.topk(column, 3)
    assert.are.equal("int64[3]{9007199254740993, 9007199254740992, 5}", tostring(greatest))
    assert.are.same({ 3, 5, 1 }, list_of(places))
    greatest, places = kernels.topk(column, -9)
    assert.are.equal("int64[4]{-9007199254740995, 5, 9007199254740992, 9007199254740993}", tostring(greatest))
    assert.are.same({ 4, 1, 5, 3 }, list_of(places))
    local unsigned = tm.array({ 9007199254740993ULL, 1, 9007199254740995ULL }, "uint64")
    assert.are.equal("uint64[2]{9007199254740995, 9007199254740993}", tostring((kernels.topk(unsigned, 2))))
  end)
end)

describe("a histogram", function()
  it("takes bins or edges, weights, and the range of x", function()
    local counts, edges = kernels.histogram({ 1, 2, 2, 5, NAN }, 2)
    assert.are.same({ 3, 1 }, list_of(counts))
    assert.are.same({ 1, 3, 5 }, list_of(edges))
    counts = kernels.histogram({ 1, 2, 2, 5 }, { 0, 2, 5 }, nil, nil, { 1, 1, 1, 0.5 })
    assert.are.same({ 1, 2.5 }, list_of(counts))
    counts, edges = kernels.histogram({ 7, 7 }, 1)
    assert.are.same({ 2, 6.5, 7.5 }, { counts[1], edges[1], edges[2] })
    assert.are.same({ 1, 0, 2 }, list_of(kernels.bincount { 2, 0, 2 }))
  end)

  -- Two weights were taken for the six elements of two rows, and what lay behind them was added.
  it("takes a weight for each element of a matrix", function()
    local x = tm.array { { 1, 2, 3 }, { 4, 5, 6 } }
    assert.are.same({ 6, 15 }, list_of((kernels.histogram(x, 2, 0, 7, x))))
    assert.are.same({ 6, 15 }, list_of((kernels.histogram(x, 2, 0, 7, { 1, 2, 3, 4, 5, 6 }))))
    assert.has_error(function() kernels.histogram(x, 2, 0, 7, { 1, 2 }) end, "histogram: expected "
      .. "histogram(x, bins, low, high, weights): x and weights must have one length, got 6 and 2")
  end)

  it("names what is wrong", function()
    local called = "histogram: expected histogram(x, bins, low, high, weights): "
    assert.has_error(function() kernels.histogram({ 1 }, 2, 3, 1) end,
      called .. "low must be less than high, both finite, got 3 and 1")
    assert.has_error(function() kernels.histogram({ 1 }, { 2, 1 }) end,
      called .. "bins must be two edges or more that ascend, got float64[2]{2, 1}")
    assert.has_error(function() kernels.histogram({ 1 }, 0) end,
      called .. "bins must be an integer from 1 to 2147483648, got 0")
    local matrix = tm.array { { 0, 1 }, { 2, 3 } }
    assert.has_error(function() kernels.histogram({ 1 }, matrix) end,
      called .. "bins must have one axis, got 2 x 2; a:reshape(-1) has")
    assert.has_error(function() kernels.quantile({ 1 }, matrix) end,
      "quantile: expected quantile(x, q): q must have one axis, got 2 x 2; a:reshape(-1) has")
    assert.has_error(function() kernels.bincount({ 1, 5 }, 5) end,
      "bincount: expected bincount(x, bins): x must be integers from 0 to 4, got 1 to 5")
  end)
end)
