-- Sliding windows and decaying means from Lua: beside pandas, over tables, in tasks, and what is
-- said of wrong arguments.  The kernels' own tests are tests/c/test_rolling_*.c.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local tm = require "tidemill"
local array = require "tidemill.array"
local kernels = tm.kernels

local seed = tonumber(os.getenv("TIDEMILL_TEST_SEED")) or os.time()
print(("seed %d (repeat with TIDEMILL_TEST_SEED=%d)"):format(seed, seed))
math.randomseed(seed)

local nan = 0 / 0

local function numbers(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = tonumber(word) or nan end
  return list
end

local function near(got, right, share)
  if right ~= right then return got ~= got end
  return math.abs(got - right) <= share * math.max(1, math.abs(right))
end

local function assert_near(right, got, what)
  assert.are.equal(#right, #got, what)
  for i = 1, #right do
    if not near(got[i], right[i], 1e-10) then
      error(("%s[%d]: %.17g, not %.17g"):format(what, i, got[i], right[i]))
    end
  end
end

local function assert_same(a, b)
  assert.are.same(a.shape, b.shape)
  for i = 1, a.length do
    assert.is_true(a[i] == b[i] or (a[i] ~= a[i] and b[i] ~= b[i]))
  end
end

-- A table of rows and columns of small numbers, some of them missing.
local function made_up(rows, columns)
  local out = array.new("float64", rows * columns, { rows, columns })
  local values = out:pointer()
  for i = 0, rows * columns - 1 do
    values[i] = math.random(30) == 1 and nan or math.random(100) / 8
  end
  return out
end

local function column(x, c)
  local list = {}
  for r = 1, x.shape[1] do list[r] = x:get(r, c) end
  return list
end

describe("rolling kernels", function()
  it("give pandas' numbers", function()
    local series, rows = {}, 0
    local with_pair = { rolling_cov = true, rolling_corr = true }
    for line in io.lines("tests/data/kernels/rolling.txt") do
      local kind, name, parameters, results = line:match("^([%w_]+) | ([%w ]+) | ([^|]*) ?|? ?([^|]*)$")
      if kind == "series" then
        series[name] = numbers(parameters)
      elseif kind then
        local x, y = series[name:match("^%w+")], series[name:match("%w+$")]
        local given, right = numbers(parameters), numbers(results)
        local got
        if kind == "ewm_span" then
          got = kernels.ewm_mean(x, { span = given[1] })
        elseif kind == "ewm_halflife" then
          got = kernels.ewm_mean(x, { halflife = given[1] })
        elseif kind:match("^ewm") then
          got = kernels[kind](x, { alpha = given[1], adjust = given[2] == 1, min_count = given[3] })
        elseif with_pair[kind] then
          got = kernels[kind](x, y, unpack(given))
        else
          got = kernels[kind](x, unpack(given))
        end
        assert_near(right, got, line:match("^[^|]*|[^|]*|[^|]*"))
        rows = rows + 1
      end
    end
    assert.is_true(rows > 200)
  end)

  -- name -> how it is called with a window and options
  local calls = {
    sum = function(x) return kernels.rolling_sum(x, 7) end,
    mean = function(x) return kernels.rolling_mean(x, 7, 3) end,
    var = function(x) return kernels.rolling_var(x, 7, 0, 3) end,
    std = function(x) return kernels.rolling_std(x, 7) end,
    zscore = function(x) return kernels.rolling_zscore(x, 7) end,
    min = function(x) return kernels.rolling_min(x, 7) end,
    max = function(x) return kernels.rolling_max(x, 7, 1) end,
    median = function(x) return kernels.rolling_median(x, 7) end,
    quantile = function(x) return kernels.rolling_quantile(x, 7, 0.9, 2) end,
    cov = function(x) return kernels.rolling_cov(x, x, 7) end,
    corr = function(x) return kernels.rolling_corr(x, x, 7) end,
    ewm_mean = function(x) return kernels.ewm_mean(x, { span = 5 }) end,
    ewm_var = function(x) return kernels.ewm_var(x, { alpha = 0.2, adjust = false }) end,
    ewm_std = function(x) return kernels.ewm_std(x, { halflife = 3, min_count = 4 }) end,
  }

  it("run along the first axis of a table, each column by itself", function()
    for _, columns in ipairs { 1, 2, 5, 16, 17, 40 } do
      local x = made_up(30, columns)
      for name, call in pairs(calls) do
        local all = call(x)
        assert.are.same({ 30, columns }, all.shape, name)
        for c = 1, columns do
          local alone = call(column(x, c))
          for r = 1, 30 do
            local a, b = all:get(r, c), alone[r]
            assert.is_true(a == b or (a ~= a and b ~= b), name)
          end
        end
      end
    end
  end)

  it("take tables, and arrays of other types, which keep their shape", function()
    local list = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8 }
    for name, call in pairs(calls) do
      local right = call(list)
      for _, dtype in ipairs { "float64", "float32", "int32", "int64" } do
        assert_same(right, call(tm.array(list, dtype)))
      end
      local wide = array.new("int32", 12, { 6, 2 })
      for i = 1, 12 do wide:pointer()[i - 1] = list[i] end
      assert.are.same({ 6, 2 }, call(wide).shape, name)
    end
  end)

  it("give as many results as there are values, none of none", function()
    for name, call in pairs(calls) do
      assert.are.equal(0, #call({}), name)
      assert.are.equal(1, #call({ 3 }), name)
    end
    assert.are.equal(5, #kernels.rolling_mean({ 1, 2, 3, 4, 5 }, 1000))
    assert.are.equal("float64[3]{1, 1.5, 2}", tostring(kernels.rolling_mean({ 1, 2, 3 }, 9, 1)))
  end)

  -- 1 - exp(-log(2) / halflife) lost digits, and from 1.3e16 on was 0, which C refuses: what came back was
  -- memory as it was found.
  it("take any half-life", function()
    for _, halflife in ipairs { 1e6, 1e9, 1e15, 1e17, 1e300 } do
      local alpha = kernels.ewm_mean({ 0, 1 }, { halflife = halflife, adjust = false })[2]
      local log = math.log(2)
      assert.is_true(near(alpha * halflife, log - log * log / 2 / halflife, 1e-12), halflife)
    end
    assert.are.equal(1, kernels.ewm_mean({ 0, 1 }, { halflife = 1e-320, adjust = false })[2])
  end)

  it("run in tasks", function()
    local task = tm.delayed(function(list, window) return tm.kernels.rolling_median(list, window) end)
    assert_same(kernels.rolling_median({ 5, 1, 3, 2 }, 3), task({ 5, 1, 3, 2 }, 3):compute())
  end)
end)

describe("rolling correlations of many series", function()
  local function made_up_list(count, length)
    local list = {}
    for i = 1, count do
      list[i] = {}
      for k = 1, length do list[i][k] = math.random(1000) / 16 end
    end
    return list
  end

  it("are those of each window", function()
    local list = made_up_list(6, 25)
    local all = kernels.rolling_correlation(list, 10)
    assert.are.same({ 16, 6, 6 }, all.shape)
    for k = 1, 16 do
      local part = {}
      for i = 1, 6 do part[i] = tm.array(list[i]):slice { { k, k + 9 } } end
      local one = kernels.correlation(part)
      for i = 1, 6 do
        for j = 1, 6 do assert.is_true(near(all:get(k, i, j), one:get(i, j), 1e-13)) end
      end
    end
  end)

  it("have the bits of a matrix that is standardised, and are refused of one that is not", function()
    local list = { { 1, 2, 3, 4 }, { 4, 3, 2, 5 }, { 7, 7, 7, 7 }, { 1, 2, 0 / 0, 3 } }
    local all, z = kernels.correlation(list), kernels.standardise(tm.array(list))
    local part = kernels.correlation(z, 2, 3)
    for j = 1, 4 do
      for i = 2, 3 do
        local a, b = all:get(i, j), part:get(i - 1, j)
        assert.is_true(a == b or a ~= a and b ~= b)
      end
    end
    -- Their products, cut at 1, passed for correlations.
    for _, matrix in ipairs { { { 1, 2, 3, 4 }, { 4, 3, 2, 5 } }, { { 1, 0, 0 } }, { { 0.5, 0, -0.5 } } } do
      local ok, message = pcall(kernels.correlation, tm.array(matrix))
      assert.is_false(ok)
      assert.is_truthy(message:find("row 1 of list is not standardised; tm.kernels.stand", 1, true))
    end
    local none = kernels.correlation { {}, {} }
    assert.is_true(none:get(1, 2) ~= none:get(1, 2))
    assert.are.same({ 2, 3 }, kernels.standardise(tm.array({ { 1, 2, 3 }, { 3, 1, 2 } }, "int32")).shape)
  end)

  it("have the same bits in parts, and of a matrix", function()
    local list = made_up_list(20, 40)
    local matrix = array.new("float64", 20 * 40, { 20, 40 })
    for i = 1, 20 do
      for k = 1, 40 do matrix:pointer()[(i - 1) * 40 + k - 1] = list[i][k] end
    end
    local all = kernels.rolling_correlation(matrix, 30)
    for first = 1, 11, 3 do
      local last = math.min(11, first + 2)
      local part = kernels.rolling_correlation(list, 30, first, last)
      assert.are.same({ last - first + 1, 20, 20 }, part.shape)
      for k = first, last do
        for i = 1, 20 do
          for j = 1, 20 do assert.are.equal(all:get(k, i, j), part:get(k - first + 1, i, j)) end
        end
      end
    end
  end)
end)

describe("what rolling kernels refuse", function()
  local refused = {
    { "rolling_mean({1, 2}, 0)", "(x, window, min_count): window must be an integer >= 1, got 0" },
    { "rolling_sum({1, 2})", "window must be an integer >= 1, got nil" },
    { "rolling_min('x', 2)", "x must be an array or a table of numbers, got \"x\"" },
    { "rolling_max({1, 2}, 2, 3)", "min_count must be an integer from 1 to 2, got 3" },
    { "rolling_std({1, 2}, 2, -1)", "ddof must be an integer >= 0, got -1" },
    { "rolling_var({1, 2}, 2, 0.5)", "ddof must be an integer >= 0, got 0.5" },
    { "rolling_zscore({1, 2}, 2, 1, 0)", "min_count must be an integer from 1 to 2, got 0" },
    { "rolling_quantile({1, 2}, 2)", "q must be a number, got nil" },
    { "rolling_quantile({1, 2}, 2, 1.5)", "q must be a number from 0 to 1, got 1.5" },
    { "rolling_median({1, nil, 3}, 2)", "x[2] is nil; NaN stands for a missing number" },
    { "rolling_cov({1, 2}, {1, 2, 3}, 2)", "x and y must have one shape, got (2) and (3)" },
    { "rolling_corr({1, 2}, {1, 2}, 2, 7)", "min_count must be an integer from 1 to 2, got 7" },
    { "ewm_mean({1, 2})", "options must be a table, got nil" },
    { "ewm_mean({1, 2}, {})", "options must have alpha, span or halflife" },
    { "ewm_mean({1, 2}, {alpha = 0})", "alpha must be a number above 0 and at most 1, got 0" },
    { "ewm_var({1, 2}, {span = 0.5})", "span must be a number >= 1, got 0.5" },
    { "ewm_std({1, 2}, {halflife = '3'})", "halflife must be a number above 0, got \"3\"" },
    { "ewm_mean({1, 2}, {spam = 3})", "there is no option \"spam\", did you mean \"span\"?" },
    { "ewm_mean({1, 2}, {span = 3, alpha = 0.5})", "one of alpha, span and halflife, got two" },
    { "ewm_mean({1, 2}, {span = 3, adjust = 1})", "adjust must be true or false, got 1" },
    { "ewm_mean({1, 2}, {span = 3, min_count = 0})", "min_count must be an integer >= 1, got 0" },
    { "rolling_correlation({}, 3)", "list must be a table of series or a matrix" },
    { "rolling_correlation({{1, 2}, {1}}, 1)", "one length, got 2 in list[1] and 1 in list[2]" },
    { "rolling_correlation({{1, 2}, 7}, 1)", "list[2] must be an array or a table of numbers, got 7" },
    { "rolling_correlation({require('tidemill').array{{1, 2}}}, 1)",
      "list[1] must have one axis, got 1 x 2" },
    { "correlation({require('tidemill').array{{1, 2}}})", "list[1] must have one axis, got 1 x 2" },
    { "rolling_correlation({{1, 2}}, 3)", "window must be an integer from 1 to 2, got 3" },
    { "rolling_correlation({{1, 2}}, 2, 2)", "first must be an integer from 1 to 1, got 2" },
    { "rolling_correlation({{1, 2, 3}}, 2, 2, 1)", "last must be an integer from 2 to 2, got 1" },
  }
  for _, case in ipairs(refused) do
    it(case[1], function()
      local run = assert(loadstring("return require('tidemill').kernels." .. case[1], "=script"))
      local ok, message = pcall(function() return (run()) end)
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("is blamed on the line that called", function()
    local out, err = helper.tidemill("-e", "local x = tm.kernels.rolling_corr({1}, {2}, 0)")
    assert.are.equal("", out)
    local said = "-e:1: rolling_corr: expected rolling_corr(x, y, window, min_count): window must be"
    assert.is_truthy(err:find(said, 1, true), err)
    out, err = helper.tidemill("-e", "local x = tm.kernels.correlation({{1, 'x'}, {1, 2}})")
    assert.are.equal("", out)
    said = "-e:1: correlation: expected correlation(list, first, last): list[1]: element 2 is a string"
    assert.is_truthy(err:find(said, 1, true), err)
  end)
end)
