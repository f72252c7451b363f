-- tm.kernels: random numbers of streams, as scripts see them.
-- SPDX-License-Identifier: MIT

local tm = require "tidemill"

local kernels = tm.kernels

local function values(a)
  local list = {}
  for i = 1, #a do list[i] = a[i] end
  return list
end

-- Each kernel as a function of (n, first).
local drawn = {
  uniform = function(n, first) return kernels.uniform(7, 2, n, first) end,
  normal = function(n, first) return kernels.normal(7, 2, n, 5, 3, first) end,
  lognormal = function(n, first) return kernels.lognormal(7, 2, n, 0, 0.5, first) end,
  exponential = function(n, first) return kernels.exponential(7, 2, n, 4, first) end,
  integers = function(n, first) return kernels.integers(7, 2, n, -5, 5, first) end,
  bernoulli = function(n, first) return kernels.bernoulli(7, 2, n, 0.5, first) end,
  choice = function(n, first) return kernels.choice(7, 2, n, 10, first) end,
  weighted = function(n, first) return kernels.choice(7, 2, n, { 1, 0, 2.5 }, first) end,
}

describe("random kernels", function()
  for name, draw in pairs(drawn) do
    it("draw number i of a stream alike wherever a part begins: " .. name, function()
      local whole = values(draw(50))
      for first = 1, 50 do
        local part = values(draw(50 - first + 1, first))
        for i = 1, #part do assert.are.equal(whole[first + i - 1], part[i]) end
      end
      assert.are.equal(0, #draw(0))
    end)
  end

  it("take mean and deviation, scale and bounds", function()
    local normal = kernels.normal(1, 0, 20000, 170, 10)
    assert.is_true(math.abs(kernels.mean(normal) - 170) < 0.3)
    assert.is_true(math.abs(kernels.std(normal) - 10) < 0.3)
    assert.is_true(math.abs(kernels.mean(kernels.exponential(1, 1, 20000, 3)) - 3) < 0.1)
    local seen = {}
    for _, v in ipairs(values(kernels.integers(1, 2, 1000, -2, 2))) do seen[v] = true end
    for v = -2, 2 do assert.is_true(seen[v]) end
    assert.is_nil(seen[-3] or seen[3])
    for _, v in ipairs(values(kernels.choice(1, 3, 1000, { 0, 1, 3, 0 }))) do
      assert.is_true(v == 2 or v == 3)
    end
    assert.are.same({ 9, 9, 9 }, values(kernels.integers(1, 4, 3, 9, 9)))
  end)

  it("take integers beyond 2^53 as int64, from the least to the greatest", function()
    assert.are.same(values(kernels.uniform(5, 3, 4)), values(kernels.uniform(5LL, 3LL, 4)))
    assert.are.same(values(kernels.integers(1, 4, 9, -2, 6)), values(kernels.integers(1, 4, 9, -2LL, 6LL)))
    local most = 9223372036854775807LL
    local two = kernels.integers(1, 5, 64, most - 1LL, most)
    local seen = 0
    for i = 1, 64 do
      assert.is_true(two:int64(i) >= most - 1LL)
      seen = seen + (two:int64(i) == most and 1 or 0)
    end
    assert.is_true(seen > 0 and seen < 64)
    local any, negative = kernels.integers(1, 6, 64, -most - 1LL, most), 0
    for i = 1, 64 do negative = negative + (any:int64(i) < 0 and 1 or 0) end
    assert.is_true(negative > 0 and negative < 64)
  end)

  it("say what they give by the type of the array", function()
    assert.are.equal("float64", kernels.lognormal(1, 0, 1).dtype)
    assert.are.equal("int64", kernels.integers(1, 0, 1, 1, 6).dtype)
    assert.are.equal("int64", kernels.choice(1, 0, 1, { 1 }).dtype)
    assert.are.equal("bool", kernels.bernoulli(1, 0, 1, 1).dtype)
  end)

  it("order positions, each once, and a sample is where its order begins", function()
    local order = values(kernels.permutation(3, 1, 100))
    local sorted = values(kernels.permutation(3, 1, 100))
    table.sort(sorted)
    for i = 1, 100 do assert.are.equal(i, sorted[i]) end
    local sample = values(kernels.sample(3, 1, 30, 100))
    for i = 1, 30 do assert.are.equal(order[i], sample[i]) end
    assert.are.same({ 20, 10 },
      values(kernels.take({ 10, 20 }, { kernels.permutation(3, 9, 1)[1] + 1, 1 })))
    assert.are.equal(100, #kernels.take(kernels.uniform(1, 1, 100), kernels.permutation(3, 1, 100)))
  end)

  it("say what is wrong, and blame the line that called", function()
    local function told(message, call, ...)
      local ok, said = pcall(call, ...)
      assert.is_false(ok)
      assert.are.equal(message, (said:gsub("^.-: ", "", 1)))
    end
    local line = debug.getinfo(1, "l").currentline + 1
    local _, said = pcall(function() kernels.normal(1, 0, -1) end)
    local part = "normal: expected normal(seed, stream, n, mean, sd, first): "
    assert.are.equal("tests/spec/random_spec.lua:" .. line .. ": " .. part
      .. "n must be an integer >= 0, got -1", said)
    local function wrapped(name, ...)
      local given, n = { ... }, select("#", ...)
      return function() kernels[name](unpack(given, 1, n)) end
    end
    told(part .. "seed must be an integer >= 0, got \"x\"", wrapped("normal", "x", 0, 1))
    told(part .. "seed must be an integer >= 0, got -1LL", wrapped("normal", -1LL, 0, 1))
    told(part .. "stream must be an integer >= 0, got 0.5", wrapped("normal", 1, 0.5, 1))
    told(part .. "first must be an integer >= 1, got 0", wrapped("normal", 1, 0, 1, 0, 1, 0))
    told(part .. "mean must be a number, got a table", wrapped("normal", 1, 0, 1, { 1 }))
    told(part .. "sd must be a number >= 0, got -1", wrapped("normal", 1, 0, 1, 0, -1))
    told("integers: expected integers(seed, stream, n, low, high, first): "
      .. "high must not be below low, got 3 and 2", wrapped("integers", 1, 0, 1, 3, 2))
    told("bernoulli: expected bernoulli(seed, stream, n, probability, first): "
      .. "probability must be from 0 to 1, got 1.5", wrapped("bernoulli", 1, 0, 1, 1.5))
    told("choice: expected choice(seed, stream, n, of, first): "
      .. "weights must be finite, >= 0 and not all 0", wrapped("choice", 1, 0, 1, { 0, 0 }))
    told("choice: expected choice(seed, stream, n, of, first): "
      .. "of must be an integer >= 1, got 0", wrapped("choice", 1, 0, 1, 0))
    told("choice: expected choice(seed, stream, n, of, first): "
      .. "of: element 1 is a string, expected a number", wrapped("choice", 1, 0, 1, { "x" }))
    told("sample: expected sample(seed, stream, n, length): "
      .. "n must be at most length, got 3 of 2", wrapped("sample", 1, 0, 3, 2))
  end)
end)
