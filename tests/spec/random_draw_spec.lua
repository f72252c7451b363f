-- tm.random.choice and tm.random.permutation: what is drawn, with which bits, and messages.
-- SPDX-License-Identifier: MIT

require "tests.spec.helper"
local tm = require "tidemill"
local random, kernels = tm.random, tm.kernels

local function list(a)
  local out = {}
  a = a:compute()
  for i = 1, #a do out[i] = tonumber(a[i]) end
  return out
end

local function sorted(values)
  table.sort(values)
  return values
end

describe("tm.random.choice", function()
  it("draws positions with the same bits in any chunks", function()
    local whole = list(random.choice(1000, 5000, { seed = 7 }))
    assert.are.same(whole, list(random.choice(1000, 5000, { seed = 7, chunks = 333 })))
    assert.are.same(list(kernels.choice(7, 0, 5000, 1000)), whole)
    local ordered = sorted(whole)
    assert.is_true(ordered[1] >= 1 and ordered[5000] <= 1000)
    assert.are.same({ 40, 5 }, random.choice(3, { 40, 5 }, { seed = 1, chunks = 7 }).shape)
  end)

  it("without putting any back draws each once", function()
    local all = list(random.choice(200, 200, { replace = false, seed = 3 }))
    assert.are.same(list(random.choice(200, 50, { replace = false, seed = 3 })), { unpack(all, 1, 50) })
    for i, place in ipairs(sorted(all)) do assert.are.equal(i, place) end
  end)

  it("goes by weights, a table or an array", function()
    local drawn = list(random.choice(4, 8000, { p = { 0, 1, 3, 0 }, seed = 5 }))
    local counts = { 0, 0, 0, 0 }
    for _, place in ipairs(drawn) do counts[place] = counts[place] + 1 end
    assert.are.equal(0, counts[1] + counts[4])
    assert.is_true(math.abs(counts[3] / 8000 - 0.75) < 0.03, counts[3])
    assert.are.same(drawn, list(random.choice(4, 8000, { p = tm.array { 0, 1, 3, 0 } * 2, seed = 5 })))
  end)

  it("takes the elements of arrays, of several axes along the first", function()
    local places = list(random.choice(3, 60, { seed = 2 }))
    local values = list(random.choice({ 10, 20, 30 }, 60, { seed = 2 }))
    for i, place in ipairs(places) do assert.are.equal(place * 10, values[i]) end
    local rows = random.choice(tm.array { { 1, 2 }, { 3, 4 } }, { 5, 2 }, { seed = 2 })
    assert.are.same({ 5, 2, 2 }, rows.shape)
    local row = rows:compute()[1][1]
    assert.are.equal(row[1] + 1, row[2])
    assert.are.equal("int32", random.choice(tm.array({ 1, 2 }, "int32"), 3).dtype)
    assert.are.same({ 2, 3 }, random.choice({ 1.5 }, { 2, 3 }).shape)
    assert.are.equal(0, #random.choice(0, 0):compute())
  end)

  it("draws other ones from call to call", function()
    local first, second = list(random.choice(1e6, 20)), list(random.choice(1e6, 20))
    assert.are_not.same(first, second)
  end)

  it("says what is wrong", function()
    local function told(message, ...)
      local given, n = { ... }, select("#", ...)
      local fine, said = pcall(function() local _ = random.choice(unpack(given, 1, n)) end)
      assert.is_false(fine)
      assert.is_truthy(said:find("^tests/spec/random_draw_spec.lua:%d+: "), said)
      assert.are.equal(message, (said:gsub("^.-: ", "", 1)))
    end
    told("choice: expected something to choose from, got 0 elements", 0, 1)
    told("choice: expected at most 2 elements where none is put back, got 3", 2, 3, { replace = false })
    told("choice: p: expected 2 weights, got the shape (1)", 2, 3, { p = { 1 } })
    told("choice: p: expected 2 weights, got the shape ()", 2, 3, { p = 1 })
    told("choice: p: weight 2: expected a number >= 0, got -1", 2, 3, { p = { 1, -1 } })
    told("choice: p: weight 1: expected a number >= 0, got nan", 2, 3, { p = { 0 / 0, 1 } })
    told("choice: p: expected weights with a sum above 0, got 0", 2, 3, { p = { 0, 0 } })
    told("choice: p: expected weights with a sum above 0, got inf", 2, 3, { p = { 1e308, 1e308 } })
    told("choice: expected p or replace = false, got both", 2, 1, { p = { 1, 1 }, replace = false })
    told("choice: replace must be true or false, got 1", 2, 3, { replace = 1 })
    told("choice: expected an array or a whole number >= 0, got -1", -1, 3)
    told("choice: expected an array or a whole number >= 0, got 0.5", 0.5, 3)
    told("choice: expected an array, a table of numbers or a number, got a string", "x", 3)
    told("choice: expected a shape: numbers or one table", 5)
    told("choice: seed must be an integer >= 0, got -1", 5, 1, { seed = -1 })
  end)
end)

describe("tm.random.permutation", function()
  it("has each position once, as tm.kernels.permutation", function()
    local order = list(random.permutation(500, { seed = 4 }))
    assert.are.same(list(kernels.permutation(4, 0, 500)), order)
    for i, place in ipairs(sorted(order)) do assert.are.equal(i, place) end
    assert.are.equal(0, #random.permutation(0):compute())
  end)

  it("shuffles arrays, whole rows of those of several axes", function()
    local order = list(random.permutation(4, { seed = 6 }))
    local values = list(random.permutation({ 10, 20, 30, 40 }, { seed = 6 }))
    for i, place in ipairs(order) do assert.are.equal(place * 10, values[i]) end
    local rows = random.permutation(tm.arange(1, 13):reshape { 6, 2 }, { seed = 6 }):compute()
    assert.are.same({ 6, 2 }, rows.shape)
    local total = 0
    for i = 1, 6 do
      assert.are.equal(rows[i][1] + 1, rows[i][2])
      total = total + rows[i][1]
    end
    assert.are.equal(1 + 3 + 5 + 7 + 9 + 11, total)
  end)

  it("says what is wrong", function()
    local function told(message, ...)
      local fine, said = pcall(random.permutation, ...)
      assert.is_false(fine)
      assert.is_truthy(said:find(message, 1, true), said)
    end
    told("permutation: expected an array or a whole number >= 0, got 1.5", 1.5)
    told("permutation: expected an array, a table of numbers or a number, got nil")
    told("permutation: expected a table of options, got 5", 3, 5)
    told("permutation: unknown option \"sed\", did you mean \"seed\"?", 3, { sed = 1 })
    told("permutation: array: 1000000000000000 int64 is more than memory can hold", 1e15)
  end)
end)
