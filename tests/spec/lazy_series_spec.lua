-- Running totals, order, counts and quantiles of lazy arrays, and what NaN does to them and to
-- reductions: whole against chunked, and against naive ones.  SPDX-License-Identifier: MIT

local ffi = require "ffi"
local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local text = require "tests.spec.array_text"
local tm = require "tidemill"

math.randomseed(helper.seed())
local random = math.random
local nan = 0 / 0

local function is_nan(value) return value ~= value end

local function is(expected, value, what) assert.are.equal(expected, text(value), what) end

-- Numbers with many ties, and NaN in `share` of them.
local function numbers(length, share)
  local list = {}
  for i = 1, length do list[i] = random() < share and nan or random(-20, 20) end
  return list
end

local function cut(list) return tm.array(list):rechunk(random(math.max(#list, 1))) end

local function kept(list)
  local made = {}
  for _, value in ipairs(list) do
    if not is_nan(value) then made[#made + 1] = value end
  end
  return made
end

describe("running totals", function()
  it("go on from chunk to chunk", function()
    is("{1,3,6,10,15}", tm.arange(1, 6, { chunks = 2 }):cumsum())
    is("{1,2,6,24,120}", tm.arange(1, 6, { chunks = { { 1, 3, 1 } } }):cumprod())
    is("{{1,2},{4,6}}", tm.array { { 1, 2 }, { 3, 4 } }:rechunk(1):cumsum(1))
    is("{{1,3},{3,7}}", tm.array { { 1, 2 }, { 3, 4 } }:rechunk(1):cumsum(-1))
    is("{3,3,5,5}", tm.array { 3, 1, 5, 2 }:rechunk(2):cummax())
    is("{3,1,1,1}", tm.array { 3, 1, 5, 2 }:rechunk(2):cummin())
    assert.are.equal("int64", tm.ones(3, { dtype = "int32" }):cumsum().dtype)
  end)

  it("are NaN from the first NaN on", function()
    is("{1,nan,nan}", tm.array { 1, nan, 3 }:rechunk(1):cumsum())
    is("{1,nan,nan}", tm.array { 1, nan, 3 }:rechunk(1):cummax())
  end)

  it("have differences that undo them", function()
    local x = tm.random.integers(1000, { seed = 1, high = 100, chunks = 130 })
    is(text(x:slice { { 2, -1 } }), x:cumsum():diff())
    is("{}", tm.array { 1 }:diff())
    is("{}", tm.zeros(0):diff())
    assert.are.same({ 0, 3 }, tm.zeros(0, 3):diff(1):compute().shape)
    local why = expect.problem(function() local _ = tm.array { true }:diff() end)
    expect.contains(why, 'diff: an array of bool has no differences; a:astype("int32") first')
    expect.contains(why, "lazy_series_spec.lua:")
  end)
end)

describe("order", function()
  it("of any chunks is that of the whole, NaN last", function()
    for _ = 1, 30 do
      local list = numbers(random(300), 0.1)
      local want, missing = kept(list), #list - #kept(list)
      table.sort(want)
      for _ = 1, missing do want[#want + 1] = nan end
      is(text(want), cut(list):sort())
      local order, places = cut(list):argsort():compute():totable(), {}
      for i, place in ipairs(order) do
        assert.is_nil(places[place])
        places[place] = true
        local before = i > 1 and list[order[i - 1]]
        assert.are.equal(text(want[i]), text(list[place]))
        if before == list[place] then assert.is_true(order[i - 1] < place, "ties keep their order") end
      end
    end
  end)

  it("descends with NaN last, too", function()
    is("{3,2,1,nan}", tm.array { 1, nan, 3, 2 }:sort(1, { descending = true }))
    is("{{2,1},{4,3}}", tm.array { { 1, 2 }, { 3, 4 } }:rechunk(1):sort { descending = true })
  end)

  it("of more than one task sorts is that of the whole", function()
    local x = tm.random.uniform(2^21 + 5000, { seed = 7 })
    local sorted = x:sort():persist()
    assert.is_true(#sorted.chunks[1] > 1)
    assert.is_true(sorted:diff():min():compute() >= 0)
    local a, b, c, d = tm.compute(sorted:min(), x:min(), sorted:max(), x:max())
    assert.are.same({ b, d }, { a, c })
    assert.are.equal(x:gt(0.25):count():compute(), sorted:gt(0.25):count():compute())
    is(text(x:median()), sorted:slice { { 2^20 + 2500, 2^20 + 2501 } }:mean())
    local in_place, of_memory = x:sort():compute(), (x:compute() + 0):sort():compute()
    assert.are.equal(0, sorted:ne(in_place):count():compute())
    assert.are.equal(0, sorted:ne(of_memory):count():compute())
  end)

  it("finds the greatest and the least", function()
    for _ = 1, 20 do
      local list = numbers(random(200), 0)
      local k = random(#list)
      local want = { unpack(list) }
      table.sort(want, function(a, b) return a > b end)
      local values, places = cut(list):topk(k)
      is(text({ unpack(want, 1, k) }), values)
      for i, place in places:compute():iter() do assert.are.equal(want[i], list[place]) end
      local least = cut(list):topk(-k)
      is(text({ unpack(want, #want - k + 1) }):gsub("[{}]", ""),
        (text(least:compute():slice { { -1, 1, -1 } }):gsub("[{}]", "")))
    end
    assert.are.equal("int64", (tm.arange(5):topk(2)).dtype)
  end)

  it("finds the greatest of integers that float64 would change", function()
    local big = tm.array({ 1, 9007199254740993LL, -9007199254740993LL, 9007199254740992LL }, "int64")
    for _, x in ipairs { big, big:rechunk(1) } do
      local values, places = x:topk(3)
      is("{2,4,1}", places)
      assert.are.equal(9007199254740993LL, values:compute():int64(1))
      is("{3,1}", (select(2, x:topk(-2))))
    end
    assert.are.equal(9007199254740993LL, tm.kernels.topk(big, 1):int64(1))
  end)

  it("finds as many of the greatest as asked for, with NaN last", function()
    for _, x in ipairs { tm.array { nan, 1, 3, nan }, tm.array { nan, 1, 3, nan }:rechunk(1) } do
      local values, places = x:topk(3)
      is("{3,1,nan}", values)
      is("{3,2,1}", places)
      is("{1,1,0}", (values * 0 + 1):eq(1):astype("int32"))
      is("{1,3,nan,nan}", (x:topk(-4)))
    end
    assert.are.equal(2, #tm.kernels.topk({ nan, 1, 3 }, 3))
    assert.are.equal("bool", tm.kernels.topk(tm.array { true, false }, 1).dtype)
  end)

  it("refuses more of the greatest than there are", function()
    assert.has_error(function() tm.arange(5):topk(6) end,
      "topk: k must be a whole number from 1 to 5, or as much below 0, got 6")
  end)

  it("ranks, and finds what is distinct", function()
    is("{2.5,1,2.5}", tm.array { 3, 1, 3 }:rechunk(1):rank())
    is("{2,1,2}", tm.array { 3, 1, 3 }:rank("dense"))
    assert.has_error(function() tm.ones(3):rank("averag") end, "rank: method must be one of average, dense, "
      .. 'max, min, ordinal, got "averag", did you mean "average"?')
    local values, counts = tm.array { { 3, 1 }, { 3, 2 } }:rechunk(1):unique()
    is("{1,2,3}", values)
    is("{1,1,2}", counts)
  end)
end)

describe("counts by bins", function()
  it("of chunks are those of the whole", function()
    local x = tm.random.uniform(10000, { seed = 2, chunks = 700 })
    local counts, edges = x:histogram(10, 0, 1)
    is(text((tm.random.uniform(10000, { seed = 2 }):histogram(10, 0, 1))), counts)
    assert.are.equal(10000, counts:sum():compute())
    assert.are.equal(11, #edges)
    assert.are.equal(x:ge(0.5):count():compute(), counts:slice { { 6, 10 } }:sum():compute())
  end)

  it("include both ends and leave NaN out", function()
    is("{1,2}", (tm.array { 0, 1, 2, nan }:histogram(2)))
    is("{2,1}", (tm.array { 0, 1, 5, 7 }:rechunk(1):histogram { 0, 2, 6 }))
    is("{0,0}", (tm.zeros(0):histogram(2)))
    assert.has_error(function() tm.arange(3):histogram(0) end)
    is("{2,1}", (tm.array { 0, 1, 5, 7 }:histogram(tm.array { 0, 2, 6 } * 1)))
  end)

  it("refuse what they would not heed, where it is said", function()
    local x = tm.arange(3)
    assert.has_error(function() x:histogram() end,
      "histogram: bins: expected how many, or a list of edges, got a nil")
    assert.has_error(function() x:histogram { 4, 2 } end,
      "histogram: the edges must ascend, and 4 stands before 2")
    assert.has_error(function() x:histogram { 1, nan } end,
      "histogram: the edges must ascend, and 1 stands before nan")
    assert.has_error(function() x:histogram({ 1, 2 }, 0, 3) end,
      "histogram: bins: expected how many between low and high, or edges alone")
    assert.has_error(function() x:histogram(2, 0, 1, { 1, 2, 3 }) end,
      "histogram: expected a:histogram(bins, low, high); by weights: tm.kernels.histogram")
  end)
end)

describe("quantiles", function()
  it("are linear between neighbours, in any chunks", function()
    for _ = 1, 20 do
      local list = numbers(random(200), 0)
      local sorted, q = { unpack(list) }, random()
      table.sort(sorted)
      local at = q * (#list - 1)
      local low = math.floor(at)
      local want = sorted[low + 1] + (at - low) * ((sorted[low + 2] or sorted[low + 1]) - sorted[low + 1])
      local got = cut(list):quantile(q):compute()
      assert.is_true(math.abs(got - want) < 1e-12, ("%.17g, expected %.17g"):format(got, want))
    end
  end)

  it("go along an axis, several at once", function()
    local x = tm.array { { 1, 2, 3 }, { 5, 7, 9 } }:rechunk(1)
    is("{{1,3},{5,9}}", x:quantile({ 0, 1 }, 2))
    is("{{1,2,3},{5,7,9}}", x:quantile({ 0, 1 }, 1))
    is("{2,7}", x:median(2))
    is("4", x:median())
    assert.has_error(function() x:quantile(1.5) end)
  end)
end)

-- ---- NaN in reductions ------------------------------------------------------------------------------

local function sum(list)
  local total = 0
  for _, value in ipairs(list) do total = total + value end
  return total
end

describe("a NaN", function()
  it("makes sums and extremes NaN, and is found by argmin and argmax", function()
    for _ = 1, 20 do
      local list = numbers(random(2, 100), 0)
      local place = random(#list)
      list[place] = nan
      local x = cut(list)
      for _, name in ipairs { "sum", "mean", "min", "max", "std", "prod" } do
        assert.is_true(is_nan(x[name](x):compute()), name)
      end
      assert.are.equal(place, x:argmin():compute())
      assert.are.equal(place, x:argmax():compute())
    end
  end)

  it("is no variance of numbers far apart, which is infinite in any chunks", function()
    for _ = 1, 20 do
      local list = numbers(random(2, 100), 0)
      for _, size in ipairs { 1e200, 1.7e308 } do
        list[1], list[#list] = size, -size
        assert.are.equal(math.huge, cut(list):var():compute())
        assert.are.equal(math.huge, cut(list):nanstd():compute())
        local pairs_of = cut(list):reshape(-1, 1):mul { 1, 1 }
        assert.are.equal("float64[2]{inf, inf}", tostring(pairs_of:var(1):compute()))
      end
    end
  end)

  it("is passed over by the nan forms, in any chunks", function()
    assert.has_error(function() tm.array { nan, nan }:nanargmax():compute() end,
      "nanargmax: all elements are NaN")
    for _ = 1, 40 do
      local list = numbers(random(100), 0.4)
      local own, x = kept(list), cut(list)
      assert.are.equal(#own, x:nancount():compute())
      assert.are.equal(sum(own), x:nansum():compute())
      if #own > 0 then
        assert.are.equal(math.min(unpack(own)), x:nanmin():compute())
        assert.are.equal(math.max(unpack(own)), x:nanmax():compute())
        assert.are.equal(sum(own) / #own, x:nanmean():compute())
        assert.are.equal(math.max(unpack(own)), list[x:nanargmax():compute()])
        local first = x:nanargmin():compute()
        for i = 1, first - 1 do assert.is_false(list[i] == list[first]) end
      else
        assert.is_true(is_nan(x:nanmean():compute()))
      end
    end
  end)

  it("is seen by isnan, and is unequal to itself", function()
    is("{false,true}", tm.array { 1, nan }:isnan())
    is("{true,false}", tm.array { 1, nan }:eq(tm.array { 1, nan }))
    is("2", tm.array { 1, nan, 0 }:count()) -- it is not 0
  end)
end)

describe("sliding windows of an array in memory", function()
  local names = { "sum", "mean", "var", "std", "min", "max", "zscore" }

  local function same_bits(wanted, got, what)
    assert.are.same(wanted.shape, got.shape, what)
    local bytes = 8 * wanted.length
    assert.is_true(ffi.string(wanted:pointer(), bytes) == ffi.string(got:pointer(), bytes), what)
  end

  local function rolled(x, window, what)
    local windows = x:rolling(window)
    return windows[what](windows)
  end

  it("have the kernel's bits, whatever tasks make them", function()
    local rows = 400000
    local x = tm.random.normal(3 * rows, { seed = 7 }):compute()
    local holes = tm.where(x:gt(2.5), 0 / 0, x):compute()
    for _, shape in ipairs { { 3 * rows }, { rows, 3 } } do
      for _, window in ipairs { 1, 2, 7, 252, 30000, 250000, shape[1], shape[1] + 5, 2^50 } do
        local what = names[random(#names)]
        for _, values in ipairs { x:reshape(shape), holes:reshape(shape) } do
          same_bits(tm.kernels["rolling_" .. what](values, window), rolled(values, window, what):compute(),
            ("%s of %d in %d axes"):format(what, window, #shape))
        end
      end
    end
  end)

  it("of each kind too, and in what is made of them", function()
    local x = tm.random.normal({ 300000, 2 }, { seed = 8 }):compute()
    for _, what in ipairs(names) do
      local lazy, bits = rolled(x, 20, what), tm.kernels["rolling_" .. what](x, 20)
      same_bits(bits, lazy:compute(), what)
      same_bits(tm.kernels.mul(bits, 2), (lazy * 2):compute(), what)
      local some = { { 262000, 262300 } }
      same_bits(bits:slice(some):compute(), lazy:slice(some):compute(), what)
    end
    local turned = x:T():rolling(20, 2):std():T():compute()
    same_bits(tm.kernels.rolling_std(x, 20), turned, "along the second axis")
  end)

  it("of no elements, and of few", function()
    is("{}", tm.zeros(0):compute():rolling(3):mean())
    is("{nan,1.5}", tm.array({ 1, 2 }):rolling(2):mean())
    assert.are.same({ 4, 0 }, tm.zeros(4, 0):compute():rolling(3):sum():compute().shape)
  end)
end)

describe("correlations of sliding windows", function()
  local series, days = 7, 40
  local x = tm.random.normal({ days, series }, { seed = 5 }):compute()
  local wanted = tm.kernels.rolling_correlation(x:T():compute(), 9)

  it("have the kernel's bits along either axis, chunked or not", function()
    for _, lazy in ipairs { x:rolling(9):corr(), x:T():rolling(9, 2):corr(), x:T():rolling(9, -1):corr(),
      tm.array(x:totable()):rechunk({ 11, 3 }):rolling(9):corr() } do
      assert.are.same({ days - 8, series, series }, lazy.shape)
      assert.are.same(wanted:totable(), lazy:compute():totable())
    end
  end)

  it("are put where they belong by many tasks", function()
    local y = tm.random.normal({ 60, 300 }, { seed = 6 }):compute()
    local all = y:rolling(20):corr()
    assert.is_true(tonumber(tostring(all:optimize()):match("plan of (%d+) tasks")) > 3)
    local bits = tm.kernels.rolling_correlation(y:T():compute(), 20)
    assert.is_true((all - bits):abs():max():compute() == 0)
    assert.is_true(tm.kernels.max((all:compute() - bits):abs():compute()) == 0)
  end)

  it("come in chunks of a group that shares its values, less of it where matrices are large", function()
    local function chunks(length, columns, window)
      return tostring(tm.zeros({ length, columns }):rolling(window):corr()):match("(%d+) chunks? of (%d+)")
    end
    assert.are.same({ "15", "15" }, { chunks(252, 200, 30) })
    assert.are.same({ "23", "3" }, { chunks(98, 1100, 30) }) -- 9.7 MB each
    assert.are.same({ "10", "1" }, { chunks(39, 3000, 30) }) -- 72 MB each
  end)

  it("say what is wrong", function()
    local function fails(message, fn) expect.contains(expect.problem(fn), message) end
    fails("rolling: corr: a window of 41, and the axis has 40", function() x:rolling(41):corr() end)
    fails("rolling: corr: expected a matrix of series, got the shape (3)",
      function() tm.array({ 1, 2, 3 }):rolling(2):corr() end)
  end)
end)
