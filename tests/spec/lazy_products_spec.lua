-- Products and linear algebra of lazy arrays: against naive ones, identities, and the whole matrix.
-- What LAPACK computes is skipped, and said so, where there is no BLAS.  SPDX-License-Identifier: MIT

require "tests.spec.helper"
local expect = require "tests.spec.expect"
local tm = require "tidemill"
local model = require "tests.spec.lazy_model"
local has_blas = require("tidemill.blas").there("the spec", 1)

local seed = tonumber(os.getenv("TIDEMILL_TEST_SEED")) or os.time()
print("products: seed " .. seed .. " (repeat with TIDEMILL_TEST_SEED=" .. seed .. ")")
math.randomseed(seed)
local random = math.random

local function with_blas(name, test)
  it(name, function()
    if not has_blas then return pending("no BLAS: " .. require("tidemill.blas").text()) end
    test()
  end)
end

local function random_chunks(dims)
  local chunks = {}
  for axis, size in ipairs(dims) do chunks[axis] = random(3) == 1 and "all" or random(size) end
  return chunks
end

-- Whole numbers: their products and sums are exact, in any order.
local function random_pair(dims)
  local m = model.build(dims, function() return random(-9, 9) end)
  return m, tm.array({ unpack(m) }):reshape(dims):rechunk(random_chunks(dims))
end

local function check(m, x, what)
  assert.are.same(m.dims, x.shape, what)
  local value = x:compute()
  if type(value) == "number" then return assert.are.equal(m[1], value, what) end
  local flat = value:reshape(value.size):totable()
  for i = 1, #m do assert.are.equal(m[i], flat[i], what .. ", element " .. i) end
end

-- Sums over the last axis of a and the first of b.
local function naive(a, b)
  local dims, k = {}, a.dims[#a.dims]
  for axis = 1, #a.dims - 1 do dims[axis] = a.dims[axis] end
  for axis = 2, #b.dims do dims[#dims + 1] = b.dims[axis] end
  local left = #a.dims - 1
  return model.build(dims, function(index)
    local sum, ia, ib = 0, {}, {}
    for axis = 1, left do ia[axis] = index[axis] end
    for axis = left + 1, #dims do ib[axis - left + 1] = index[axis] end
    for i = 1, k do
      ia[left + 1], ib[1] = i, i
      sum = sum + model.at(a, ia) * model.at(b, ib)
    end
    return sum
  end)
end

local function near(x, y, tolerance)
  local difference = (x - y):abs():max():compute()
  assert.is_true(difference <= (tolerance or 1e-9), ("they differ by %g"):format(difference))
end

describe("products", function()
  it("of matrices and vectors in any chunks are those of naive ones", function()
    for _ = 1, 40 do
      local n, k, m = random(12), random(12), random(12)
      local a, x = random_pair({ n, k })
      local b, y = random_pair({ k, m })
      local v, z = random_pair({ k })
      local what = ("(%d,%d) x (%d,%d)"):format(n, k, k, m)
      check(naive(a, b), x:matmul(y), what)
      check(naive(a, v), x:matmul(z), what)
      check(naive(v, b), z:dot(y), what)
      check(naive(v, v), z:dot(z), what)
    end
  end)

  it("of views are those of what they show", function()
    for _ = 1, 20 do
      local n, k = random(2, 12), random(2, 12)
      local a, x = random_pair({ n, k })
      local turned = model.transpose(a, { 2, 1 })
      check(naive(a, turned), x:matmul(x:T()), "a a'")
      check(naive(turned, a), x:T():matmul(x), "a' a")
      local part = model.pick(a, { { n, n - 1 }, { 1, 2 } })
      check(naive(part, turned and model.pick(turned, { { 1, 2 }, { 1 } })),
        x:slice { { -1, -2, -1 }, { 1, 2 } }:matmul(x:T():slice { { 1, 2 }, { 1, 1 } }), "slices")
    end
  end)

  -- Whole numbers again: the kernel's sums are exact, in float32 too.
  local function in_memory(dims, dtype)
    local drawn = tm.random.uniform(dims, { seed = random(1000) })
    return (drawn * 19):round():astype(dtype or "float64"):compute()
  end

  local function same(a, b)
    assert.are.same(a.shape, b.shape)
    assert.are.equal(a.dtype, b.dtype)
    assert.are.equal(0, (a - b):abs():max():compute())
  end

  it("of matrices in memory are cut by their work, and each block is put at its place", function()
    for _, dtype in ipairs { "float64", "float32" } do
      local a, b = in_memory({ 610, 2050 }, dtype), in_memory({ 2050, 590 }, dtype)
      local want = tm.linalg.matmul(a, b)
      assert.are.same({ { 168, 168, 168, 106 }, { 312, 278 } }, a:matmul(b).chunks)
      assert.are.same({ { 216, 216, 178 }, { 216, 216, 178 } }, a:matmul(a:T()).chunks)
      same(want, a:matmul(b):compute())
      same(want, b:T():matmul(a:T()):T():compute())
      same(want, a:rechunk({ "all", 700 }):matmul(b):compute())
      local square = tm.linalg.syrk(a)
      same(square, a:matmul(a:T()):compute())
      same(square, a:T():compute():T():matmul(a:T():compute()):compute())
      same(square, a:rechunk({ "all", 700 }):matmul(a:rechunk({ "all", 700 }):T()):compute())
    end
  end)

  it("over any axes are those of naive ones", function()
    for _ = 1, 20 do
      local p, q, r, s = random(4), random(4), random(4), random(4)
      local a, x = random_pair({ p, q, r })
      local b, y = random_pair({ r, q, s })
      local want = model.build({ p, s }, function(index)
        local sum = 0
        for j = 1, q do
          for k = 1, r do sum = sum + model.at(a, { index[1], j, k }) * model.at(b, { k, j, index[2] }) end
        end
        return sum
      end)
      check(want, x:tensordot(y, { { 2, 3 }, { 2, 1 } }), "tensordot")
      check(want, x:tensordot(y, { { -2, -1 }, { -2, 1 } }), "tensordot, axes from the end")
      check(naive(a, b), x:tensordot(y, 1), "tensordot, 1")
      local all = 0
      for i = 1, #a do all = all + a[i] ^ 2 end
      check({ all, dims = {} }, x:tensordot(x, 3), "tensordot, all axes")
    end
  end)

  it("of two vectors, each with each", function()
    local a, x = random_pair({ 7 })
    local b, y = random_pair({ 5 })
    check(model.build({ 7, 5 }, function(i) return a[i[1]] * b[i[2]] end), x:outer(y), "outer")
  end)

  it("of nothing are zeros", function()
    local zeros = model.build({ 2, 3 }, function() return 0 end)
    check(zeros, tm.zeros(2, 0):matmul(tm.zeros(0, 3)), "(2,0) x (0,3)")
    assert.are.same({ 0, 3 }, tm.zeros(0, 2):matmul(tm.zeros(2, 3)):compute().shape)
  end)

  it("have the types of their operands", function()
    local f, d = tm.ones(2, 2, { dtype = "float32" }), tm.ones(2, 2)
    assert.are.equal("float32", f:matmul(f).dtype)
    assert.are.equal("float64", f:matmul(d).dtype)
    assert.are.equal("float64", tm.ones(2, 2, { dtype = "int32" }):matmul(d):compute().dtype)
    expect.contains(expect.problem(function() tm.ones(2, { dtype = "date" }):dot(tm.ones(2)) end),
      "dot: an array of date has no products")
  end)

  it("of integers do not wrap around, of two vectors neither", function()
    local v = tm.array({ 100000, 1 }, "int32")
    assert.are.equal(1e10 + 1, v:dot(v):compute())
    assert.are.equal(1e10 + 1, v:rechunk(1):matmul(v):compute())
    assert.are.equal(1e10 + 1, v:reshape(1, 2):matmul(v):compute()[1])
  end)
end)

describe("correlations and covariances", function()
  it("of the rows are those that two passes give", function()
    local dims = { 6, 50 }
    local x = tm.random.normal(dims, { seed = seed % 1000, mean = 1e6, chunks = { 4, 17 } })
    local rows = x:compute():totable()
    local function covariance(a, b)
      local ma, mb, sum = 0, 0, 0
      for i = 1, 50 do
        ma, mb = ma + a[i] / 50, mb + b[i] / 50
      end
      for i = 1, 50 do sum = sum + (a[i] - ma) * (b[i] - mb) end
      return sum / 49
    end
    local cov, corr = x:cov():compute(), x:corr():compute()
    for i = 1, 6 do
      for j = 1, 6 do
        local want = covariance(rows[i], rows[j])
        assert.is_true(math.abs(cov:get(i, j) - want) < 1e-8)
        want = want / math.sqrt(covariance(rows[i], rows[i]) * covariance(rows[j], rows[j]))
        assert.is_true(math.abs(corr:get(i, j) - want) < 1e-8)
      end
      assert.is_true(math.abs(corr:get(i, i) - 1) < 1e-12)
    end
  end)

  it("of matrices in memory and of chunks agree, and are symmetric to the bit", function()
    local x = tm.random.normal({ 610, 2050 }, { seed = seed % 1000, mean = 3 }):compute()
    local centred = x - x:mean(2, { keepdims = true })
    local unit = centred / (centred * centred):sum(2, { keepdims = true }):sqrt()
    local pairs_of = { { "corr", unit:matmul(unit:T()) }, { "cov", centred:matmul(centred:T()) / 2049 } }
    for _, pair in ipairs(pairs_of) do
      local name, want = pair[1], pair[2]:compute()
      local got = x[name](x):compute()
      assert.is_true((got - want):abs():max():compute() < 1e-13)
      assert.are.equal(0, (got - got:T()):abs():max():compute())
      local of_turned, of_chunks = x:T():compute():T(), x:rechunk({ 100, 500 })
      assert.are.equal(0, (of_turned[name](of_turned) - got):abs():max():compute())
      assert.are.equal(0, (of_chunks[name](of_chunks) - got):abs():max():compute())
      assert.are.equal(0, ((x[name](x) * 2):compute() - got * 2):abs():max():compute())
    end
  end)

  it("of a row with an infinity or a NaN are NaN, and of no other", function()
    local x = tm.array { { 1, 2, 4 }, { 1, 1 / 0, 2 }, { 3, 0 / 0, 1 }, { 3, 1, 1 } }
    for _, name in ipairs { "corr", "cov" } do
      local value = x[name](x):compute()
      for i = 1, 4 do
        for j = 1, 4 do
          local spoilt = i == 2 or i == 3 or j == 2 or j == 3
          assert.are.equal(spoilt, value:get(i, j) ~= value:get(i, j))
        end
      end
    end
  end)

  it("of no more columns than ddof are NaN", function()
    local function all_nan(x) return x:isnan():all():compute() end
    local x = tm.array { { 1, 2 }, { 3, 5 } }
    for _, ddof in ipairs { 2, 3 } do assert.is_true(all_nan(x:cov { ddof = ddof })) end
    assert.is_true(all_nan(tm.zeros(2, 0):cov()) and all_nan(tm.zeros(2, 0):corr()))
  end)

  it("of a constant row are NaN", function()
    local corr = tm.array { { 1, 2, 3 }, { 5, 5, 5 } }:corr():compute()
    assert.is_true(corr:get(1, 2) ~= corr:get(1, 2))
  end)
end)

describe("linear algebra of lazy matrices", function()
  local function tall() return tm.random.normal({ 300, 12 }, { seed = 1, chunks = { 70, 12 } }) end
  local function square() return tm.random.normal({ 40, 40 }, { seed = 2, chunks = 15 }) end

  with_blas("factors tall ones by blocks of rows", function()
    local q, r = tm.linalg.qr(tall())
    near(q:matmul(r), tall())
    near(q:T():matmul(q), tm.eye(12))
    assert.are.equal(0, r:slice { 5, 2 }:compute())
  end)

  with_blas("joins the triangles of many blocks in a tree of several levels", function()
    for _, blocks in ipairs { 8, 9, 64, 73 } do
      local x = tm.random.normal({ 4 * blocks, 3 }, { seed = blocks, chunks = { 4, 3 } })
      local q, r = tm.linalg.qr(x)
      assert.are.equal(blocks, #q.chunks[1])
      near(q:matmul(r), x)
      near(q:T():matmul(q), tm.eye(3))
    end
  end)

  with_blas("finds singular values, with vectors", function()
    for _, x in ipairs { tall(), tall():T() } do
      local u, s, v = tm.linalg.svd(x)
      near((u * s):matmul(v), x)
      local values = s:compute()
      for i = 2, #values do assert.is_true(values[i] <= values[i - 1]) end
      near((s * s):sum(), (x * x):sum(), 1e-8)
    end
  end)

  with_blas("finds the first of them by random projections", function()
    local low = tm.random.normal({ 200, 3 }, { seed = 3, chunks = { 50, 3 } })
      :matmul(tm.random.normal({ 3, 100 }, { seed = 4, chunks = { 3, 40 } }))
    local u, s, v = tm.linalg.svd_compressed(low, 3, { seed = 1 })
    near((u * s):matmul(v), low, 1e-7)
    assert.are.same({ 3 }, s.shape)
  end)

  with_blas("solves and inverts", function()
    local a, b = square(), tm.random.normal({ 40, 3 }, { seed = 5 })
    near(a:matmul(tm.linalg.solve(a, b)), b, 1e-8)
    near(a:matmul(tm.linalg.inv(a)), tm.eye(40), 1e-8)
    local spd = a:matmul(a:T()) + tm.eye(40)
    local l = tm.linalg.cholesky(spd)
    near(l:matmul(l:T()), spd, 1e-8)
    local values, vectors = tm.linalg.eigh(spd)
    near(spd:matmul(vectors), vectors * values, 1e-8)
  end)

  with_blas("fits by least squares", function()
    local x = tm.linalg.lstsq(tall(), tall():matmul(tm.arange(12, { dtype = "float64" })))
    near(x, tm.arange(12), 1e-8)
  end)

  with_blas("fits what has no one answer by the least one, as NumPy does, whatever the chunks", function()
    local function same(want, got) for i = 1, #want do near(tm.array { got[i] }, { want[i] }, 1e-12) end end
    local twice = { { 1, 2 }, { 2, 4 }, { 3, 6 }, { 4, 8 }, { 5, 10 } }
    for _, size in ipairs { 1, 2, 5 } do
      local x, rank, s = tm.linalg.lstsq(tm.array(twice):rechunk { size, 2 }, { 1, 2, 3, 4, 5 })
      same({ 0.2, 0.4 }, x:compute())
      assert.are.equal(1, rank:compute())
      same({ math.sqrt(275), 0 }, s:compute())
    end
    local x, rank = tm.linalg.lstsq(tm.array { { 1, 2, 3 }, { 3, 4, 5 } }:rechunk(1), { 1, 2 })
    same({ 1 / 6, 1 / 6, 1 / 6 }, x:compute())
    assert.are.equal(2, rank:compute())
    local near_twice = tm.array { { 1, 1 }, { 1, 1 + 1e-6 }, { 1, 1 } }:rechunk { 2, 2 }
    assert.are.equal(2, select(2, tm.linalg.lstsq(near_twice, { 1, 1, 1 })):compute())
    assert.are.equal(1, select(2, tm.linalg.lstsq(near_twice, { 1, 1, 1 }, 1e-3)):compute())
    assert.has_error(function() tm.linalg.lstsq(near_twice, { 1, 1, 1 }, "x") end,
      "lstsq: rcond must be a number from 0, got \"x\"")
  end)

  with_blas("of a float32 and a float64 matrix has the type that holds both", function()
    -- It was said to be float32, and its elements were read as such.
    local a = tm.array({ { 2, 0 }, { 0, 4 } }, "float32"):rechunk(2)
    for _, x in ipairs { tm.linalg.solve(a, tm.ones(2)), (tm.linalg.lstsq(a, tm.ones(2))) } do
      assert.are.equal("float64", x.dtype)
      near(x * 1, { 0.5, 0.25 })
    end
  end)

  with_blas("of no elements has the empty answers of computed ones", function()
    for _, dims in ipairs { { 0, 3 }, { 3, 0 }, { 0, 0 } } do
      local x = tm.zeros(dims)
      for _, name in ipairs { "qr", "svd", "lstsq", "inv", "cholesky", "eigh", "solve" } do
        if dims[1] == dims[2] or name == "qr" or name == "svd" or name == "lstsq" then
          local right = (name == "solve" or name == "lstsq") and tm.zeros(dims[1], 2) or nil
          local own = { tm.linalg[name](x:compute(), right and right:compute()) }
          for i, lazy in ipairs { tm.linalg[name](x, right) } do
            local got = lazy:compute()
            if type(got) == "number" then
              assert.are.equal(own[i], got, name)
            else
              assert.are.same(own[i].shape, got.shape, name)
              assert.are.same(got.shape, lazy.shape, name)
            end
          end
        end
      end
    end
  end)

  it("measures nothing as 0, and float32 squares without overflow", function()
    for _, kind in ipairs { "fro", 1, math.huge } do
      assert.are.equal(0, tm.linalg.norm(tm.zeros(0, 3), kind):compute())
      assert.are.equal(0, tm.linalg.norm(tm.zeros(3, 0), kind):compute())
    end
    local large = tm.linalg.norm(tm.array({ 3e30, 4e30 }, "float32") * 1)
    assert.are.equal("float32", large.dtype)
    assert.is_true(math.abs(large:compute() / 5e30 - 1) < 1e-6)
  end)

  with_blas("names the place of a NaN in the whole, and wrong options", function()
    local x = tm.array { { 1 }, { 2 }, { 3 }, { 0 / 0 } }:rechunk { 2, 1 }
    local _, why = pcall(function() return (tm.linalg.qr(x)):compute() end)
    assert.is_truthy(tostring(why):find("qr: a must have finite numbers, element (4,1) is nan", 1, true))
    assert.has_error(function() tm.linalg.svd_compressed(x, 1, { iterations = "x" }) end,
      "svd_compressed: iterations must be a whole number from 0, got \"x\"")
    assert.has_error(function() tm.linalg.svd_compressed(x, 1, { oversample = 1.5 }) end,
      "svd_compressed: oversample must be a whole number from 0, got 1.5")
  end)

  with_blas("says what cannot be", function()
    local ok, why = pcall(function() return (tm.linalg.inv(tm.zeros(3, 3)):compute()) end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find("singular", 1, true))
    assert.has_error(function() tm.linalg.inv(tm.zeros(2, 3)) end,
      "inv: expected a square matrix, got the shape (2,3)")
    assert.has_error(function() tm.linalg.solve(tm.zeros(2, 2), tm.zeros(3)) end)
  end)
end)
