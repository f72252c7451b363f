-- How lazy arrays are planned: what is done at once, without a task, and that it is what tasks do; what uses
-- a part of itself more than once at many steps; what reads more than one pass holds.
-- SPDX-License-Identifier: MIT

require "tests.spec.helper"
local tm = require "tidemill"

local function executed() return tm.stats().executed end

-- Elements to their last bits.
local function bits(value)
  if type(value) == "number" then return ("%a"):format(value) end
  local list = { table.concat(value.shape, "x"), value.dtype }
  local flat = value:reshape { value.nbytes == 0 and 0 or -1 }:compute()
  for i = 1, #flat do list[#list + 1] = ("%a"):format(tonumber(flat[i])) end
  return table.concat(list, " ")
end

local vector = tm.random.normal({ 60 }, { seed = 1 }):compute()
local matrix = tm.random.normal({ 12, 20 }, { seed = 2 }):compute()
local square = (tm.random.normal({ 6, 6 }, { seed = 3 }) + tm.eye(6) * 9):compute()

-- An array, or one that is cut by its user, into one chunk.
local function cut(a, size) return size and (a + 0):rechunk(size) or a + 0 end
local kinds = {
  concat = function(size) return tm.concat { cut(vector, size), cut(vector, size) } end,
  stack = function(size) return tm.stack { cut(vector, size), cut(vector, size) } end,
  reshape = function(size) return (cut(matrix, size) * 2):reshape { 20, 12 } end,
  take = function(size) return cut(vector, size):take { 5, 1, 60, 5 } end,
  mask = function(size) return cut(vector, size):mask(vector:gt(0)) end,
  cumsum = function(size) return cut(matrix, size):cumsum(1) end,
  cumprod = function(size) return cut(vector, size):cumprod() end,
  ["rolling mean"] = function(size) return cut(vector, size):rolling(7):mean() end,
  ["rolling median"] = function(size) return cut(vector, size):rolling(5):median() end,
  ["rolling std of columns"] = function(size) return cut(matrix, size):rolling(4):std() end,
  sort = function(size) return cut(vector, size):sort() end,
  argsort = function(size) return cut(vector, size):argsort() end,
  rank = function(size) return cut(vector, size):rank() end,
  topk = function(size) return (cut(vector, size):topk(5)) end,
  histogram = function(size) return (cut(vector, size):histogram(8)) end,
  median = function(size) return cut(matrix, size):median(2) end,
  quantile = function(size) return cut(vector, size):quantile(0.3) end,
  matmul = function(size) return cut(matrix, size):matmul(matrix:T()) end,
  corr = function(size) return cut(matrix, size):corr() end,
  inverse = function(size) return tm.linalg.inv(cut(square, size)) end,
  ["sum of rows"] = function(size) return cut(matrix, size):sum(2) end,
}

describe("little work", function()
  for name, make in pairs(kinds) do
    it(("is done at once: %s"):format(name), function()
      local before = executed()
      local at_once = make(nil)
      assert.is_truthy(tostring(at_once):find(", no task, ", 1, true), tostring(at_once))
      local value = at_once:compute()
      assert.are.equal(before, executed())
      assert.are.equal(bits(make(1000):compute()), bits(value))
      assert.is_true(executed() > before)
    end)
  end

  it("is no more than that of some 65,536 additions", function()
    local function runs_tasks(array)
      local before = executed()
      array:compute()
      return executed() > before
    end
    local long, short = tm.ones(60000):compute(), tm.ones(1900):compute()
    assert.is_false(runs_tasks(long:max()))
    assert.is_false(runs_tasks(short:sort()))
    assert.is_true(runs_tasks(long:sort()))
    assert.is_true(runs_tasks(long:rolling(5):mean()))
    local large = tm.random.uniform({ 3000, 1000 }, { seed = 8 }):compute()
    assert.is_false(runs_tasks(large:slice { { 2, 3000, 1000 }, { 5, 9 } } * 2))
    assert.is_false(runs_tasks(large:slice { 7 }:mean()))
    assert.is_true(runs_tasks(large:mean()))
    assert.is_true(runs_tasks(large:mask(large:gt(0.5))))
    local wide, narrow = tm.ones(100, 100):compute(), tm.ones(60, 60):compute()
    assert.is_true(runs_tasks(wide:matmul(wide)))
    assert.is_false(runs_tasks(narrow:matmul(narrow)))
  end)

  it("is never that of a user's function", function()
    local before = executed()
    vector:map_blocks(function(block) return block end):compute()
    local between = executed()
    assert.is_true(between > before)
    vector:map_overlap(function(block) return block end, 1):compute()
    assert.is_true(executed() > between)
  end)

  it("fails as a task does", function()
    local singular = tm.array { { 1, 2 }, { 2, 4 } }
    local _, at_once = pcall(function() return tm.linalg.inv(singular + 0):compute() end)
    local _, in_task = pcall(function() return tm.linalg.inv((singular + 0):rechunk(1)):compute() end)
    assert.is_truthy(tostring(at_once):find("inv: the matrix is singular (pivot 2 is 0)", 1, true), at_once)
    assert.is_truthy(tostring(in_task):find("inv: the matrix is singular (pivot 2 is 0)", 1, true), in_task)
  end)
end)

describe("what is used twice at each of many steps", function()
  for _, shape in ipairs { { 0 }, { 1 }, { 100 }, { 70000 }, { 300, 300 } } do
    it(("is met once at each: %s"):format(table.concat(shape, " x ")), function()
      local x = tm.ones(shape)
      for _ = 1, 100 do x = x + x end
      assert.is_truthy(#x.chunks > 0 and tostring(x))
      local value, count = x:compute(), 1
      for _, size in ipairs(shape) do count = count * size end
      assert.are.equal(2 ^ 100 * count, (x:sum():compute()))
      if count > 0 then assert.are.equal(2 ^ 100, (value:max():compute())) end
    end)
  end

  it("also through views, products and scans", function()
    local x, y, z = tm.ones(30, 30), tm.ones(30, 30), tm.ones(900)
    for _ = 1, 40 do
      x = (x + x:T()) / 2
      y = y:matmul(y) / 30
      z = z - z:cumsum() * 0
    end
    assert.are.equal(900, (x:sum():compute()))
    assert.is_true(math.abs(y:sum():compute() - 900) < 1e-6)
    assert.are.equal(900, (z:sum():compute()))
  end)
end)

describe("what reads more than one pass holds", function()
  local arrays = {}
  for i = 1, 700 do arrays[i] = tm.random.normal({ 3000 }, { seed = i }):compute() end

  it("is cut into few passes: a long sum", function()
    local total, plain = arrays[1] + 0, arrays[1][17]
    for i = 2, #arrays do total, plain = total + arrays[i], plain + arrays[i][17] end
    local plan = total:rechunk(3000):optimize()
    assert.is_true(plan.tasks <= 6, plan.tasks .. " tasks")
    assert.are.equal(plain, total:compute()[17])
    assert.are.equal(total:compute():sum():compute(), (total:sum():compute()))
  end)

  it("whatever its form: a tree, a long difference to the right, other types below", function()
    local level, plain = {}, {}
    for i = 1, 600 do level[i], plain[i] = arrays[i], arrays[i][1000] end
    while #level > 1 do
      local up, sums = {}, {}
      for i = 1, #level, 2 do
        up[#up + 1] = level[i + 1] and level[i] + level[i + 1] or level[i]
        sums[#sums + 1] = level[i + 1] and plain[i] + plain[i + 1] or plain[i]
      end
      level, plain = up, sums
    end
    assert.are.equal(plain[1], level[1]:compute()[1000])
    local right, last = arrays[700] * 1, arrays[700][5]
    for i = 699, 1, -1 do right, last = arrays[i] - right, arrays[i][5] - last end
    assert.are.equal(last, right:compute()[5])
    local count = arrays[1]:gt(0):astype("int64")
    local expected = arrays[1][9] > 0 and 1 or 0
    for i = 2, 400 do
      count = count + arrays[i]:gt(0):astype("int64")
      expected = expected + (arrays[i][9] > 0 and 1 or 0)
    end
    assert.are.equal(expected, tonumber(count:compute()[9]))
  end)
end)

-- The element of a computed array at a place of each axis.
local function element(a, ...)
  for _, place in ipairs { ... } do a = a[place] end
  return a
end

describe("what is taken of and joined from large arrays in memory", function()
  local large = tm.random.normal({ 900, 700 }, { seed = 11 }):compute()
  local flat = large:reshape { 630000 }:compute()

  it("take: by positions from either end, along any axis", function()
    local places = {}
    for i = 1, 700000 do places[i] = (i * 7919) % 630000 + 1 end
    for i = 2, #places, 3 do places[i] = -places[i] end
    local some = flat:take(tm.array(places, "int64"))
    assert.is_true(some.chunks[1][1] < #places)
    local value = some:compute()
    for i = 1, #places, 911 do
      local at = places[i]
      assert.are.equal(flat[at > 0 and at or 630000 + at + 1], value[i])
    end
    local picked = { 5, 700, 5, 1 }
    local columns, rows = large:take(picked, 2):compute(), large:take(picked, 1):compute()
    assert.are.same({ 900, 4 }, columns.shape)
    for k, at in ipairs(picked) do
      for i = 1, 900, 100 do assert.are.equal(element(large, i, at), element(columns, i, k)) end
      for i = 1, 700, 100 do assert.are.equal(element(large, at, i), element(rows, k, i)) end
    end
    assert.are.equal(0, #flat:take({}):compute())
  end)

  it("concat and stack", function()
    local joined = tm.concat { flat, flat * 2, flat:slice { { 1, 10 } } }
    local value = joined:compute()
    assert.are.equal(1260010, #value)
    for i = 1, 630000, 9973 do
      assert.are.equal(flat[i], value[i])
      assert.are.equal(flat[i] * 2, value[630000 + i])
    end
    assert.are.equal(flat[10], value[1260010])
    local stacked, beside = tm.stack { large, large + 1 }, tm.concat({ large, large + 1 }, 2)
    stacked, beside = stacked:compute(), beside:compute()
    for i = 1, 900, 89 do
      assert.are.equal(element(large, i, 7) + 1, element(stacked, 2, i, 7))
      assert.are.equal(element(large, i, 7) + 1, element(beside, i, 707))
      assert.are.equal(element(large, i, 700), element(beside, i, 700))
    end
  end)

  it("concat of arrays that have several chunks each", function()
    local long = tm.arange(2500000)
    local joined = tm.concat { long * 2, long + 1 }
    assert.is_true(#joined.chunks[1] >= 6)
    joined = joined:compute()
    for i = 1, 2500000, 99991 do
      assert.are.equal(2 * (i - 1), joined[i])
      assert.are.equal(i, joined[2500000 + i])
    end
  end)

  it("a matrix times a vector, by several tasks", function()
    local tall = tm.ones(20000, 1000):compute()
    local product = tall:matmul(tm.ones(1000):compute())
    assert.is_true(#product.chunks[1] > 4)
    assert.are.equal(20000 * 1000, (product:sum():compute()))
  end)
end)

describe("an integer beyond 2^53 that is the answer", function()
  it("is an error that says where it is to be had, however it is computed", function()
    local big = tm.array({ 9007199254740993LL, -5 }, "int64")
    local message = ": 9007199254740993 does not fit a Lua number exactly; "
      .. "use {keepdims = true} and a:int64(1)"
    for _, compute in ipairs {
      function() return big:max():compute() end,
      function() return big:rechunk(1):max():compute() end,
      function() return big:max():node():compute() end,
      function() return tm.compute(big:max(), big:min()) end,
    } do
      local fine, said = pcall(compute)
      assert.is_false(fine)
      assert.is_truthy(tostring(said):find(message, 1, true), tostring(said))
    end
    assert.are.equal(9007199254740993LL, big:max { keepdims = true }:compute():int64(1))
    assert.are.equal(-5, big:min():compute())
  end)
end)
