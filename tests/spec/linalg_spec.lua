-- tm.linalg and the matrix kernels of tm.kernels, against identities and NumPy's numbers.
-- What LAPACK computes is skipped, and said so, on a machine without a BLAS or with TIDEMILL_BLAS=none.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local tm = require "tidemill"

local array = require "tidemill.array"
local linalg, kernels = tm.linalg, tm.kernels
local has_blas = require("tidemill.blas").there("the spec", 1)

local seed = tonumber(os.getenv("TIDEMILL_TEST_SEED")) or os.time()
print("seed " .. seed .. " (repeat with TIDEMILL_TEST_SEED=" .. seed .. ")")

-- A test of what needs a BLAS.
local function with_blas(name, test)
  it(name, function()
    if not has_blas then
      pending("no BLAS: " .. require("tidemill.blas").text())
      return
    end
    test()
  end)
end

-- ---- Matrices as arrays ---------------------------------------------------------------------------

local drawn = 0

-- Numbers from -1 to 1; without n a vector.
local function random(m, n, dtype)
  local size = m * (n or 1)
  local from = kernels.uniform(seed, 0, math.max(size, 1), drawn + 1)
  drawn = drawn + size
  local out = array.new(dtype or "float64", size, n and { m, n } or { m })
  for i = 0, size - 1 do out:pointer()[i] = 2 * from[i + 1] - 1 end
  return out
end

local function at(a, i, j) return a:pointer()[(i - 1) * a.shape[2] + j - 1] end

-- Sum of products, and of their sizes.
local function products(n, left, right)
  local sum, size = 0, 0
  for p = 1, n do
    local value = left(p) * right(p)
    sum, size = sum + value, size + math.abs(value)
  end
  return sum, size
end

-- Whether every element of c is that of a b, to a share of what was added up.
local function is_product(a, b, c, share)
  for i = 1, a.shape[1] do
    for j = 1, b.shape[2] do
      local sum, size = products(a.shape[2], function(p) return at(a, i, p) end,
        function(p) return at(b, p, j) end)
      local off = math.abs(at(c, i, j) - sum)
      if off ~= off or off > (share or 1e-14) * (size + 1e-300) then
        return false, ("(%d,%d): %.17g, not %.17g"):format(i, j, at(c, i, j), sum)
      end
    end
  end
  return true
end

-- The largest difference of two matrices or vectors.
local function distance(a, b)
  assert.are.same(a.shape, b.shape)
  local most = 0
  for i = 0, a.length - 1 do
    local size = math.abs(a:pointer()[i] - b:pointer()[i])
    if size ~= size or size > most then most = size end
  end
  return most
end

local function identity(n)
  local out = array.new("float64", n * n, { n, n })
  for i = 0, n * n - 1 do out:pointer()[i] = i % (n + 1) == 0 and 1 or 0 end
  return out
end

local function diagonal(s)
  local n = s.shape[1]
  local out = array.new("float64", n * n, { n, n })
  for i = 0, n * n - 1 do out:pointer()[i] = i % (n + 1) == 0 and s:pointer()[i / (n + 1)] or 0 end
  return out
end

local transpose, matmul = kernels.transpose, kernels.matmul

-- A matrix whose columns are orthonormal.
local function is_orthonormal(q) return distance(matmul(transpose(q), q), identity(q.shape[2])) < 1e-13 end

local function definite(n)
  local a = random(n, n)
  local out = matmul(a, transpose(a))
  for i = 0, n - 1 do out:pointer()[i * (n + 1)] = out:pointer()[i * (n + 1)] + 1 end
  return out
end

local shapes = { { 1, 1 }, { 1, 6 }, { 6, 1 }, { 40, 7 }, { 7, 40 }, { 65, 65 } }
for n = 2, 17 do
  shapes[#shapes + 1] = { n, n }
  shapes[#shapes + 1] = { n, n % 5 + 1 }
  shapes[#shapes + 1] = { n % 7 + 1, n }
end

local function fails(message, fn, ...)
  local fine, problem = pcall(fn, ...)
  assert.is_false(fine)
  assert.are.equal(message, (tostring(problem):gsub("^[^\n]-:%d+: ", "")))
end

-- ---- Products -------------------------------------------------------------------------------------

describe("products", function()
  for name, multiply in pairs { ["tm.kernels.matmul"] = kernels.matmul,
    ["tm.linalg.matmul"] = linalg.matmul } do
    it("of matrices are those of rows and columns: " .. name, function()
      for _, shape in ipairs(shapes) do
        for _, k in ipairs { 0, 1, 5, 300 } do
          local a, b = random(shape[1], k), random(k, shape[2])
          local c = multiply(a, b)
          assert.are.same(shape, c.shape)
          assert(is_product(a, b, c))
          local single = multiply(random(3, k, "float32"), random(k, 2, "float32"))
          assert.are.equal("float32", single.dtype)
        end
      end
    end)

    it("of nothing are zeros or nothing: " .. name, function()
      assert.are.same({ 0, 0, 0, 0, n = 4 }, multiply(random(2, 0), random(0, 2)):reshape(-1):totable())
      assert.are.same({ 0, 3 }, multiply(random(0, 2), random(2, 3)).shape)
    end)

    it("take tables and whole numbers, and say which shapes do not fit: " .. name, function()
      local whole = array.new("int32", 4, { 2, 2 })
      for i = 0, 3 do whole:pointer()[i] = i + 1 end
      assert.are.same({ 19, 22, 43, 50, n = 4 },
        multiply(whole, { { 5, 6 }, { 7, 8 } }):reshape(-1):totable())
      fails("matmul: (3,4) x (5,6): 4 ~= 5", multiply, random(3, 4), random(5, 6))
      fails("matmul: a must be an array or a table, got 7", multiply, 7, random(1, 1))
    end)
  end

  it("of float32 are near those of float64", function()
    local a, b = random(33, 70, "float32"), random(70, 19, "float32")
    assert(is_product(a, b, linalg.matmul(a, b), 1e-5))
    assert(is_product(a, b, kernels.matmul(a, b), 1e-5))
  end)

  it("of kernels have the same bits with every instruction set", function()
    local C = require "tidemill.clib"
    local a, b = random(50, 300), random(300, 41)
    local chosen, expected = kernels.isa(), nil
    for _, isa in ipairs { "plain", "avx2", "avx512", "neon" } do
      if C.tidemill_kernel_isa_select(isa) == 0 then
        local c = matmul(a, b)
        expected = expected or c
        assert.are.equal(0, distance(expected, c), isa)
      end
    end
    C.tidemill_kernel_isa_select(chosen)
  end)

  it("of a matrix and a vector have one axis", function()
    local a, x, y = random(9, 13), random(13), random(9)
    local right, left = linalg.matmul(a, x), linalg.matmul(y, a)
    assert.are.same({ { 9 }, { 13 } }, { right.shape, left.shape })
    for i = 1, 9 do
      local sum = products(13, function(p) return at(a, i, p) end, function(p) return x[p] end)
      assert.is_true(math.abs(right[i] - sum) < 1e-14)
    end
    for j = 1, 13 do
      local sum = products(9, function(p) return y[p] end, function(p) return at(a, p, j) end)
      assert.is_true(math.abs(left[j] - sum) < 1e-14)
    end
    assert.are.equal(32, linalg.matmul({ 1, 2, 3 }, { 4, 5, 6 }))
    fails("matmul: (2,) x (3,2): 2 ~= 3", linalg.matmul, { 1, 2 }, random(3, 2))
  end)

  it("by blocks of rows are those rows", function()
    local a, b = random(20, 30), random(30, 10)
    local part = linalg.matmul(a, b, 5, 9)
    assert.are.same({ 5, 10 }, part.shape)
    local whole = linalg.matmul(a, b)
    for i = 1, 5 do
      for j = 1, 10 do assert.is_true(math.abs(at(part, i, j) - at(whole, i + 4, j)) < 1e-13) end
    end
    fails("matmul: first and last must be rows from 1 to 20, got 0 and 3", linalg.matmul, a, b, 0, 3)
    fails("matmul: first and last must be rows from 1 to 20, got 3 and 2", linalg.matmul, a, b, 3, 2)
  end)

  it("of a matrix with its transposed are symmetric, whole or in blocks", function()
    for _, shape in ipairs(shapes) do
      local a = random(shape[1], shape[2])
      local c = linalg.syrk(a)
      assert(is_product(a, transpose(a), c))
      assert.are.equal(0, distance(c, transpose(c)))
      local blocks = {}
      for first = 1, shape[1], 3 do
        blocks[#blocks + 1] = linalg.syrk(a, first, math.min(first + 2, shape[1]))
      end
      local again = linalg.symmetric(blocks)
      assert(is_product(a, transpose(a), again))
      assert.are.equal(0, distance(again, transpose(again)))
    end
    for n = 1, 9 do
      local blocks, parts = {}, {}
      for i = 1, n do blocks[i] = random(i % 4 + 1, 7) end
      for i = 1, n do parts[i] = linalg.syrk_block(blocks, i) end
      local got, rows = linalg.symmetric(parts), {}
      for _, block in ipairs(blocks) do
        for i = 1, block.shape[1] do
          rows[#rows + 1] = {}
          for j = 1, 7 do rows[#rows][j] = at(block, i, j) end
        end
      end
      assert.is_true(distance(got, linalg.syrk(rows)) < 1e-14)
      assert.are.equal(0, distance(got, transpose(got)))
    end
    fails("syrk_block: blocks[2] must be float64 with 3 columns, got float64 with the shape (1,2)",
      linalg.syrk_block, { random(2, 3), random(1, 2) }, 1)
    fails("symmetric: the blocks have 2 rows of 3", linalg.symmetric, { random(2, 3) })
    fails("symmetric: blocks[2] must be float64 with 1 columns, got float64 with the shape (1,2)",
      linalg.symmetric, { random(2, 3), random(1, 2) })
  end)

  it("of two vectors are numbers", function()
    for n = 0, 40 do
      local a, b = random(n), random(n)
      local sum = products(n, function(p) return a[p] end, function(p) return b[p] end)
      assert.is_true(math.abs(linalg.dot(a, b) - sum) < 1e-14)
    end
    fails("dot: (2,) x (3,): 2 ~= 3", linalg.dot, { 1, 2 }, { 1, 2, 3 })
    fails("dot: a must be a vector, got the shape (1,2)", linalg.dot, { { 1, 2 } }, { 1, 2 })
  end)
end)

describe("the kernels of matrices", function()
  it("transpose every type", function()
    for _, dtype in ipairs { "bool", "int32", "int64", "float32", "float64", "date", "timestamp" } do
      local a = array.new(dtype, 6, { 2, 3 })
      for i = 0, 5 do a:pointer()[i] = dtype == "bool" and i % 2 or i end
      local b = transpose(a)
      assert.are.same({ dtype, 3, 2 }, { b.dtype, b.shape[1], b.shape[2] })
      for i = 1, 2 do
        for j = 1, 3 do assert.are.equal(a:get(i, j), b:get(j, i)) end
      end
    end
    fails("transpose: a must be a matrix, got the shape (3,)", transpose, array.from { 1, 2, 3 })
  end)

  it("multiply every pair", function()
    local out = kernels.outer({ 1, 2 }, { 10, 20, 30 })
    assert.are.same({ 2, 3 }, out.shape)
    assert.are.same({ 10, 20, 30, 20, 40, 60, n = 6 }, out:reshape(-1):totable())
  end)

  it("give covariances", function()
    assert.are.same({ 1, -0.5, -0.5, 1, n = 4 },
      kernels.covariance({ { 1, 2, 3 }, { 3, 1, 2 } }):reshape(-1):totable())
    assert.are.same({ 2 / 3, n = 1 }, kernels.covariance({ { 1, 2, 3 } }, 0):reshape(-1):totable())
    fails("covariance: ddof must be an integer >= 0, got -1", kernels.covariance, { { 1, 2 } }, -1)
  end)
end)

-- ---- Equations ------------------------------------------------------------------------------------

describe("systems of equations", function()
  with_blas("are solved", function()
    for n = 1, 17 do
      local a, b, v = random(n, n), random(n, n % 4 + 1), random(n)
      for i = 0, n - 1 do a:pointer()[i * (n + 1)] = a:pointer()[i * (n + 1)] + 4 end
      assert.is_true(distance(matmul(a, linalg.solve(a, b)), b) < 1e-12)
      assert.is_true(distance(linalg.matmul(a, linalg.solve(a, v)), v) < 1e-12)
      assert.is_true(distance(matmul(a, linalg.inv(a)), identity(n)) < 1e-12)
    end
    assert.are.equal("float32", linalg.solve(random(3, 3, "float32"), random(3, 1, "float32")).dtype)
  end)

  with_blas("leave their arguments alone", function()
    local a, b = random(5, 5), random(5)
    local before = { a:totable(), b:totable() }
    linalg.solve(a, b)
    linalg.inv(a)
    linalg.det(a)
    linalg.qr(a)
    linalg.svd(a)
    linalg.eigh(a)
    linalg.lstsq(a, b)
    linalg.cholesky(definite(5))
    assert.are.same(before, { a:totable(), b:totable() })
  end)

  -- NumPy's answers; lazily they are lazy_products_spec's.
  with_blas("of no elements have empty answers", function()
    local none = random(0, 0)
    local function sizes_of(...)
      local list = {}
      for i, v in ipairs { ... } do list[i] = array.is(v) and table.concat(v.shape, "x") or v end
      return table.concat(list, " ")
    end
    assert.are.equal(1, linalg.det(none))
    assert.are.equal("0x0 0x0", sizes_of(linalg.inv(none), linalg.cholesky(none)))
    assert.are.equal("0 0x3 3x0", sizes_of(linalg.solve(none, random(0)), linalg.solve(none, random(0, 3)),
      linalg.solve(definite(3), random(3, 0))))
    assert.are.equal("0x0 0x3", sizes_of(linalg.qr(random(0, 3))))
    assert.are.equal("3x0 0x0", sizes_of(linalg.qr(random(3, 0))))
    assert.are.equal("0x0 0 0x3", sizes_of(linalg.svd(random(0, 3))))
    assert.are.equal("3x0 0 0x0", sizes_of(linalg.svd(random(3, 0))))
    assert.are.equal("0 0x0 0", sizes_of(linalg.eigh(none), (select(2, linalg.eigh(none))),
      linalg.singular_values(random(2, 0))))
    for _, kind in ipairs { "fro", 1, 2, math.huge, "nuc" } do
      assert.are.equal(0, linalg.norm(random(0, 3), kind))
      assert.are.equal(0, linalg.norm(random(3, 0), kind))
    end
  end)

  with_blas("of no elements have the least answer", function()
    local x, rank, s = linalg.lstsq(random(0, 3), random(0, 2))
    assert.are.same({ { 3, 2 }, "float64[6]{0, 0, 0, 0, 0, 0}", 0, 0 },
      { x.shape, tostring(x:reshape(6)), rank, s.length })
    x, rank, s = linalg.lstsq(random(3, 0), random(3))
    assert.are.same({ { 0 }, 0, 0 }, { x.shape, rank, s.length })
    x, rank, s = linalg.lstsq({ { 1, 1 }, { 2, 2 }, { 1, 1 } }, random(3, 0))
    assert.are.same({ { 2, 0 }, 1, 2 }, { x.shape, rank, s.length })
  end)

  with_blas("are refused when they have no answer", function()
    local singular = { { 1, 2, 3 }, { 4, 5, 6 }, { 5, 7, 9 } }
    local zero = { { 1, 0 }, { 0, 0 } }
    fails("solve: the matrix is singular (pivot 2 is 0)", linalg.solve, zero, { 1, 2 })
    fails("inv: the matrix is singular (pivot 2 is 0)", linalg.inv, zero)
    assert.are.equal(0, linalg.det(zero))
    assert.is_true(math.abs(linalg.det(singular)) < 1e-13)
    fails("solve: a must be a square matrix, got the shape (2,3)", linalg.solve, random(2, 3), random(2))
    fails("solve: (2,2) and (3,): 2 ~= 3", linalg.solve, random(2, 2), random(3))
    fails("solve: b must have finite numbers, element 2 is nan", linalg.solve, zero, { 1, 0 / 0 })
    fails("inv: a must have finite numbers, element (2,1) is inf", linalg.inv, { { 1, 2 }, { math.huge, 1 } })
    fails("inv: a: row 2 has 1 elements, row 1 has 2", linalg.inv, { { 1, 2 }, { 3 } })
  end)

  it("of triangles are solved, each way round", function()
    for n = 1, 17 do
      for form = 0, 7 do
        local opts = { upper = form % 2 == 1, unit = form % 4 > 1, transposed = form > 3 }
        local t, b = random(n, n), random(n, 3)
        local used = array.new("float64", n * n, { n, n })
        for i = 1, n do
          for j = 1, n do
            local place, value = (i - 1) * n + j - 1, at(t, i, j) / n
            if i == j then value = opts.unit and 1 or 2 + value end
            t:pointer()[place] = opts.unit and i == j and 0 / 0 or value
            used:pointer()[place] = (i == j or (i < j) == opts.upper) and value or 0
          end
        end
        local x = linalg.solve_triangular(t, b, opts)
        assert.is_true(distance(matmul(opts.transposed and transpose(used) or used, x), b) < 1e-13)
      end
    end
    fails("solve_triangular: the matrix is singular (pivot 2 is 0)", linalg.solve_triangular,
      { { 1, 0 }, { 1, 0 } }, { 1, 2 })
    fails("solve_triangular: unknown option \"uper\", did you mean \"upper\"?", linalg.solve_triangular,
      { { 1 } }, { 1 }, { uper = true })
  end)

  with_blas("without an answer have a nearest one", function()
    for _, shape in ipairs(shapes) do
      local m, n = shape[1], shape[2]
      local a, b = random(m, n), random(m, 2)
      local x, rank, s = linalg.lstsq(a, b)
      assert.are.same({ { n, 2 }, math.min(m, n) }, { x.shape, rank })
      assert.is_true(distance(s, linalg.singular_values(a)) < 1e-12)
      -- What is left is orthogonal to the columns of a.
      local left = matmul(a, x)
      for i = 0, left.length - 1 do left:pointer()[i] = left:pointer()[i] - b:pointer()[i] end
      local size = s[1] * (1 + linalg.norm(x))
      assert.is_true(linalg.norm(matmul(transpose(a), left)) < 1e-11 * (1 + size * s[1]))
    end
    local x, rank = linalg.lstsq({ { 1, 1 }, { 2, 2 } }, { 1, 2 })
    assert.are.equal(1, rank)
    assert.is_true(distance(x, array.from { 0.5, 0.5 }) < 1e-14)
  end)
end)

-- ---- Factors --------------------------------------------------------------------------------------

describe("factors", function()
  with_blas("of QR are orthonormal and triangular, with a diagonal that is not negative", function()
    for _, shape in ipairs(shapes) do
      local a = random(shape[1], shape[2])
      local q, r = linalg.qr(a)
      local k = math.min(shape[1], shape[2])
      assert.are.same({ { shape[1], k }, { k, shape[2] } }, { q.shape, r.shape })
      assert.is_true(is_orthonormal(q))
      assert.is_true(distance(matmul(q, r), a) < 1e-12)
      for i = 1, k do
        assert.is_true(at(r, i, i) >= 0)
        for j = 1, i - 1 do assert.are.equal(0, at(r, i, j)) end
      end
    end
  end)

  with_blas("of the singular value decomposition give the matrix, with fixed signs", function()
    for _, shape in ipairs(shapes) do
      local a = random(shape[1], shape[2])
      local u, s, vt = linalg.svd(a)
      assert.is_true(is_orthonormal(u))
      assert.is_true(is_orthonormal(transpose(vt)))
      assert.is_true(distance(matmul(u, matmul(diagonal(s), vt)), a) < 1e-12)
      assert.is_true(distance(s, linalg.singular_values(a)) < 1e-12)
      for j = 1, s.length do
        if j > 1 then assert.is_true(s[j] <= s[j - 1]) end
        local largest = 0
        for i = 1, shape[1] do
          if math.abs(at(u, i, j)) > math.abs(largest) then largest = at(u, i, j) end
        end
        assert.is_true(largest > 0)
      end
    end
  end)

  with_blas("of Cholesky are triangular", function()
    for n = 1, 17 do
      local a = definite(n)
      local l = linalg.cholesky(a)
      assert.is_true(distance(matmul(l, transpose(l)), a) < 1e-12)
      for i = 1, n do
        for j = i + 1, n do assert.are.equal(0, at(l, i, j)) end
      end
    end
    fails("cholesky: the matrix is not positive definite (its leading 2 x 2 part is not)", linalg.cholesky,
      { { 1, 2 }, { 2, 1 } })
  end)

  with_blas("of eigenvalues give the matrix", function()
    for n = 1, 17 do
      local a = definite(n)
      local values, vectors = linalg.eigh(a)
      assert.is_true(is_orthonormal(vectors))
      assert.is_true(distance(matmul(vectors, matmul(diagonal(values), transpose(vectors))), a) < 1e-12)
      for i = 2, n do assert.is_true(values[i] >= values[i - 1]) end
    end
  end)

  with_blas("of float32 are float32", function()
    local a = random(6, 4, "float32")
    local q, r = linalg.qr(a)
    local u, s, vt = linalg.svd(a)
    local values = linalg.eigh(matmul(transpose(a), a))
    for _, part in ipairs { q, r, u, s, vt, linalg.singular_values(a), values } do
      assert.are.equal("float32", part.dtype)
    end
    assert.is_true(distance(matmul(q, r), a) < 1e-5)
  end)
end)

-- ---- Numbers --------------------------------------------------------------------------------------

describe("norms", function()
  it("of vectors and matrices are as stated", function()
    assert.are.equal(5, linalg.norm { 3, 4 })
    assert.are.equal(5, linalg.norm({ 3, -4 }, 2))
    assert.are.equal(7, linalg.norm({ 3, -4 }, 1))
    assert.are.equal(4, linalg.norm({ 3, -4 }, math.huge))
    local a = { { 1, -2 }, { 3, 4 } }
    assert.are.same({ math.sqrt(30), 6, 7 },
      { linalg.norm(a), linalg.norm(a, 1), linalg.norm(a, math.huge) })
    assert.are.equal(5, linalg.trace(a))
  end)

  it("neither overflow nor vanish, and show a NaN", function()
    assert.is_true(math.abs(linalg.norm { 3e200, 4e200 } / 5e200 - 1) < 1e-15)
    assert.is_true(math.abs(linalg.norm { 3e-200, 4e-200 } / 5e-200 - 1) < 1e-15)
    assert.are.equal(0, linalg.norm { 0, 0 })
    assert.are.equal(math.huge, linalg.norm { 1, -math.huge })
    for _, kind in ipairs { "fro", 1, math.huge } do
      local got = linalg.norm({ { 1, 0 / 0 }, { 1, 1 } }, kind)
      assert.is_true(got ~= got)
    end
  end)

  it("of other kinds are refused", function()
    fails("norm: kind must be \"fro\", 1, 2, math.huge or \"nuc\", got 3", linalg.norm, { 1 }, 3)
    fails("norm: kind must be \"fro\", 1, 2, math.huge or \"nuc\", got \"nuc\" of a vector", linalg.norm,
      { 1 }, "nuc")
    fails("trace: a must be a square matrix, got the shape (1,2)", linalg.trace, { { 1, 2 } })
  end)
end)

-- ---- NumPy ----------------------------------------------------------------------------------------

-- The cases of tests/data/kernels/linalg.txt.
local function cases_of(path)
  local cases, case = {}, {}
  for line in (helper.read(path)):gmatch("([^\n]*)\n") do
    if line == "" then
      cases[#cases + 1], case = case, {}
    elseif line:sub(1, 1) ~= "#" then
      local words = {}
      for word in line:gmatch("%S+") do words[#words + 1] = word end
      local m, n = tonumber(words[2]), tonumber(words[3])
      local out = array.new("float64", #words - 3, n > 0 and { m, n } or { m })
      for i = 4, #words do out:pointer()[i - 4] = tonumber(words[i]) end
      case[words[1]] = out
    end
  end
  return cases
end

describe("NumPy's numbers", function()
  local cases = cases_of("tests/data/kernels/linalg.txt")

  local function near(name, expected, got, case)
    if type(got) == "number" then got = array.from { got } end
    assert.is_true(distance(expected, got) < 1e-12 * (1 + linalg.norm(expected)),
      ("%s of %dx%d"):format(name, case.a.shape[1], case.a.shape[2]))
  end

  it("are those of products and covariances", function()
    assert.is_true(#cases > 5)
    for _, case in ipairs(cases) do
      near("product", case.product, linalg.matmul(transpose(case.a), case.b), case)
      near("syrk", case.syrk, linalg.syrk(case.a), case)
      near("covariance", case.covariance, kernels.covariance(case.a, 0), case)
      near("fro", case.fro, linalg.norm(case.a), case)
      near("norm1", case.norm1, linalg.norm(case.a, 1), case)
      near("norminf", case.norminf, linalg.norm(case.a, math.huge), case)
    end
  end)

  with_blas("are those of factors and equations", function()
    for _, case in ipairs(cases) do
      local q, r = linalg.qr(case.a)
      local u, s, vt = linalg.svd(case.a)
      local x, rank = linalg.lstsq(case.a, case.b)
      for name, got in pairs { q = q, r = r, u = u, s = s, vt = vt, lstsq = x, rank = rank,
        norm2 = linalg.norm(case.a, 2), nuc = linalg.norm(case.a, "nuc") } do
        near(name, case[name], got, case)
      end
    end
  end)

  with_blas("are those of square matrices", function()
    local squares = 0
    for _, case in ipairs(cases) do
      if case.solve then
        squares = squares + 1
        local values, vectors = linalg.eigh(case.definite)
        for name, got in pairs { solve = linalg.solve(case.a, case.b), inv = linalg.inv(case.a),
          det = linalg.det(case.a), cholesky = linalg.cholesky(case.definite), values = values,
          vectors = vectors } do
          near(name, case[name], got, case)
        end
      end
    end
    assert.is_true(squares >= 4)
  end)
end)
