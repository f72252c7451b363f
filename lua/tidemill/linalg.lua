-- linalg: linear algebra of matrices and vectors that are in memory; tm.linalg.
-- Arguments are arrays of one or two axes, or tables of numbers or rows; results are new arrays,
-- float32 when all arguments are, else float64; a single number is a number.
-- Products work without a BLAS, by kernels; what is made of LAPACK says that it is missing.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local blas = require("tidemill.blas")
local operand = require("tidemill.operand")
local arguments = require("tidemill.kernels.arguments")
local options = require("tidemill.options")
require("tidemill.kernels.declare")("matrix.h")
local C = require("tidemill.clib")

local hold, is_integer = arguments.hold, arguments.is_integer
local shape_text = operand.shape_text

local linalg = {}

local suffixes = { float64 = "_f64", float32 = "_f32" }
local epsilons = { float64 = 2^-52, float32 = 2^-23 }

local function kernel(name, dtype) return C["tidemill_kernel_" .. name .. suffixes[dtype]] end

local function refuse(...) error((...):format(select(2, ...)), 3) end

-- ---- Products -------------------------------------------------------------------------------------

-- c (m x n) = a b; `turn`: b is stored as n x k.  Distances between rows are lda and ldb.
local function product(name, dtype, m, n, k, a, lda, b, ldb, turn, c)
  if blas.there(name, 3) then
    blas.call("gemm", dtype, 3, m, n, k, 1, a, lda, false, b, ldb, turn, 0, c, n)
    return
  end
  local scratch = array.new(dtype, tonumber(C.tidemill_kernel_matmul_scratch(m, n, k)))
  kernel("matmul", dtype)(m, n, k, 1, a, lda, 1, b, turn and 1 or ldb, turn and ldb or 1, 0, c, n,
    scratch:pointer())
  hold(scratch)
end

-- y = a x for a matrix and a vector; `turn`: a is stored as n x m.
local function matrix_vector(dtype, m, n, a, lda, turn, x, y)
  if blas.there("matmul", 3) then
    blas.call("gemv", dtype, 3, m, n, a, lda, turn, x, y)
    return
  end
  local scratch = array.new(dtype, tonumber(C.tidemill_kernel_matmul_scratch(m, 1, n)))
  kernel("matmul", dtype)(m, 1, n, 1, a, turn and 1 or lda, turn and lda or 1, x, 1, 1, 0, y, 1,
    scratch:pointer())
  hold(scratch)
end

-- Rows first..last of a matrix, checked: the first, from 0, and how many.
local function rows_of(name, a, first, last)
  if first == nil and last == nil then return 0, a.rows end
  if not is_integer(first, 1, a.rows) or not is_integer(last, first, a.rows) then
    error(("%s: first and last must be rows from 1 to %d, got %s and %s"):format(name, a.rows,
      tostring(first), tostring(last)), 3)
  end
  return first - 1, last - first + 1
end

--- a b, for matrices and vectors; or rows `first` to `last` of it, for one task of many.  The bits
--- of a row may depend on the rows it is computed with: split by the shape alone.
---     tm.linalg.matmul({{1, 2}, {3, 4}}, {5, 6})                      --> 17, 39
---@param a tidemill.matrix
---@param b tidemill.matrix
---@param first? integer
---@param last? integer
---@return tidemill.array|number
function linalg.matmul(a, b, first, last)
  a, b = operand.any("matmul", "a", a), operand.any("matmul", "b", b)
  local inner = #a.shape == 1 and a.rows or a.columns
  if inner ~= b.rows then
    refuse("matmul: %s x %s: %d ~= %d", shape_text(a.shape), shape_text(b.shape), inner, b.rows)
  end
  local dtype = operand.promote(a, b)
  local left, right = a.array:pointer(), b.array:pointer()
  local out
  if #a.shape == 1 and #b.shape == 1 then
    out = kernel("dot", dtype)(left, right, inner)
  elseif #a.shape == 1 then
    out = array.new(dtype, b.columns, { b.columns })
    matrix_vector(dtype, b.columns, inner, right, b.columns, true, left, out:pointer())
  else
    local from, count = rows_of("matmul", a, first, last)
    left = left + from * inner
    if #b.shape == 1 then
      out = array.new(dtype, count, { count })
      matrix_vector(dtype, count, inner, left, inner, false, right, out:pointer())
    else
      out = array.new(dtype, count * b.columns, { count, b.columns })
      product("matmul", dtype, count, b.columns, inner, left, inner, right, b.columns, false,
        out:pointer())
    end
  end
  hold(a, b)
  return out
end

--- Sum of the products of two vectors, with the same bits on every machine.
---     tm.linalg.dot({1, 2, 3}, {4, 5, 6})                             --> 32
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return number
function linalg.dot(a, b)
  a, b = operand.vector("dot", "a", a), operand.vector("dot", "b", b)
  if a.rows ~= b.rows then
    refuse("dot: %s x %s: %d ~= %d", shape_text(a.shape), shape_text(b.shape), a.rows, b.rows)
  end
  local out = kernel("dot", operand.promote(a, b))(a.array:pointer(), b.array:pointer(), a.rows)
  hold(a, b)
  return out
end

--- a times its transposed: all products of two rows.  With `first` and `last` those rows of it from
--- column `first` on, for one task of many: `symmetric` puts them together.
---     tm.linalg.syrk({{1, 2}, {3, 4}})                                --> 5, 11, 11, 25
---@param a tidemill.matrix
---@param first? integer
---@param last? integer
---@return tidemill.array
function linalg.syrk(a, first, last)
  a = operand.matrix("syrk", "a", a)
  local from, count = rows_of("syrk", a, first, last)
  local n, k, dtype, pointer = a.rows - from, a.columns, a.dtype, a.array:pointer()
  local out = array.new(dtype, count * n, { count, n })
  pointer = pointer + from * k
  if count == a.rows and blas.there("syrk", 2) then
    blas.call("syrk", dtype, 2, n, k, pointer, k, out:pointer(), n)
  else
    product("syrk", dtype, count, n, k, pointer, k, pointer, k, true, out:pointer())
  end
  hold(a)
  return out
end

--- The whole symmetric matrix of its blocks of rows, each from its diagonal on, as `syrk` makes them.
---     tm.linalg.symmetric({tm.linalg.syrk(a, 1, 2), tm.linalg.syrk(a, 3, 3)})
---@param blocks tidemill.array[] of float64 or float32
---@return tidemill.array
function linalg.symmetric(blocks)
  if type(blocks) ~= "table" or #blocks == 0 then refuse("symmetric: expected a table of blocks of rows") end
  local parts, n = {}, nil
  for i, block in ipairs(blocks) do
    parts[i] = operand.matrix("symmetric", ("blocks[%d]"):format(i), block)
    n = n or parts[i].columns
  end
  local dtype, from = parts[1].dtype, 0
  local out, bytes = array.new(dtype, n * n, { n, n }), dtype == "float64" and 8 or 4
  local turn, to = C["tidemill_kernel_transpose_" .. bytes], out:pointer()
  for i, block in ipairs(parts) do
    if block.columns ~= n - from or block.rows > n - from or block.dtype ~= dtype then
      refuse("symmetric: blocks[%d] must be %s with %d columns, got %s with the shape %s", i, dtype,
        n - from, block.dtype, shape_text(block.shape))
    end
    local values = block.array:pointer()
    for row = 0, block.rows - 1 do
      require("ffi").copy(to + (from + row) * n + from, values + row * block.columns, bytes * block.columns)
    end
    turn(values, block.rows, block.columns, block.columns, to + from * n + from, n)
    from = from + block.rows
  end
  if from ~= n then refuse("symmetric: the blocks have %d rows of %d", from, n) end
  hold(parts)
  return out
end

-- ---- Systems of equations -------------------------------------------------------------------------

-- The two sides of a x = b, checked.
local function sides_of(name, a, b)
  if a.rows ~= b.rows then
    error(("%s: %s and %s: %d ~= %d"):format(name, shape_text(a.shape), shape_text(b.shape), a.rows,
      b.rows), 3)
  end
  return operand.promote(a, b)
end

local function refuse_singular(name, pivot)
  error(("%s: the matrix is singular (pivot %d is 0)"):format(name, pivot), 3)
end

--- x of a x = b, by LU with partial pivoting; b is a vector or a matrix of right sides in columns.
---     tm.linalg.solve({{2, 0}, {0, 4}}, {2, 2})                       --> 1, 0.5
---@param a tidemill.matrix square
---@param b tidemill.matrix
---@return tidemill.array x
function linalg.solve(a, b)
  a, b = operand.square("solve", "a", a), operand.any("solve", "b", b)
  local dtype = sides_of("solve", a, b)
  blas.need("solve", 2)
  operand.check_finite("solve", "a", a)
  operand.check_finite("solve", "b", b)
  local x = operand.copy(b)
  local pivot = blas.call("solve", dtype, 2, a.rows, b.columns, a.array:pointer(), x:pointer())
  hold(a)
  if pivot > 0 then refuse_singular("solve", pivot) end
  return x
end

--- x of t x = b for a lower triangular t; `upper = true`: an upper one; `unit = true`: its diagonal is 1;
--- `transposed = true`: of the transposed t.  The other triangle is not read.
---     tm.linalg.solve_triangular({{2, 0}, {1, 1}}, {2, 3})            --> 1, 2
---@param t tidemill.matrix square
---@param b tidemill.matrix
---@param opts? {upper: boolean?, unit: boolean?, transposed: boolean?}
---@return tidemill.array x
function linalg.solve_triangular(t, b, opts)
  opts = options.only(opts, { "upper", "unit", "transposed" }, "solve_triangular", 2)
  t, b = operand.square("solve_triangular", "t", t), operand.any("solve_triangular", "b", b)
  local dtype = sides_of("solve_triangular", t, b)
  local upper, turn, unit = opts.upper == true, opts.transposed == true, opts.unit == true
  local n, m, x, values = t.rows, b.columns, operand.copy(b), t.array:pointer()
  for i = 0, unit and -1 or n - 1 do
    if values[i * n + i] == 0 then refuse_singular("solve_triangular", i + 1) end
  end
  if blas.there("solve_triangular", 2) then
    blas.call("trsm", dtype, 2, n, m, values, n, upper, turn, unit, x:pointer(), m)
  else
    kernel("solve_triangular", dtype)(n, m, values, turn and 1 or n, turn and n or 1,
      upper ~= turn and 1 or 0, unit and 1 or 0, x:pointer(), m)
  end
  hold(t)
  return x
end

--- The inverse; to solve equations, `solve` is faster and more exact.
---@param a tidemill.matrix square
---@return tidemill.array
function linalg.inv(a)
  a = operand.square("inv", "a", a)
  blas.need("inv", 2)
  operand.check_finite("inv", "a", a)
  local out = operand.copy(a)
  local pivot = blas.call("inv", a.dtype, 2, a.rows, out:pointer())
  if pivot > 0 then refuse_singular("inv", pivot) end
  return out
end

--- The determinant.
---     tm.linalg.det({{1, 2}, {3, 4}})                                 --> -2
---@param a tidemill.matrix square
---@return number
function linalg.det(a)
  a = operand.square("det", "a", a)
  blas.need("det", 2)
  operand.check_finite("det", "a", a)
  local n, lu, pivots = a.rows, operand.copy(a), array.new("int32", a.rows)
  local values, places = lu:pointer(), pivots:pointer()
  if blas.call("lu", a.dtype, 2, n, values, places) > 0 then return 0 end
  local out = 1
  for i = 0, n - 1 do
    out = out * values[i * n + i]
    if places[i] ~= i + 1 then out = -out end
  end
  hold(lu, pivots)
  return out
end

--- x, n x columns, of the least |a x - b|, and of several such the least one; the rank of a; and its
--- singular values.  Those of at most `rcond` times the largest count as 0 (default: the
--- machine's precision times the larger of a's sizes).
---     local line = tm.linalg.lstsq({{1, 1}, {1, 2}, {1, 3}}, {1, 2, 2})
---@param a tidemill.matrix
---@param b tidemill.matrix
---@param rcond? number
---@return tidemill.array x, integer rank, tidemill.array s
function linalg.lstsq(a, b, rcond)
  a, b = operand.matrix("lstsq", "a", a), operand.any("lstsq", "b", b)
  local dtype = sides_of("lstsq", a, b)
  blas.need("lstsq", 2)
  operand.check_finite("lstsq", "a", a)
  operand.check_finite("lstsq", "b", b)
  local m, n = a.rows, a.columns
  local x = array.new(dtype, n * b.columns, #b.shape == 1 and { n } or { n, b.columns })
  local s, rank = array.new(dtype, math.min(m, n)), array.new("int32", 1)
  if blas.call("lstsq", dtype, 2, m, n, b.columns, a.array:pointer(), b.array:pointer(), x:pointer(),
      s:pointer(), rcond or epsilons[dtype] * math.max(m, n), rank:pointer()) > 0 then
    refuse("lstsq: did not converge")
  end
  hold(a, b)
  return x, rank[1], s
end

-- ---- Factors --------------------------------------------------------------------------------------

--- The lower triangular L of a = L times its transposed, for a symmetric positive definite a, of
--- which the lower triangle is read.
---     tm.linalg.cholesky({{4, 2}, {2, 5}})                            --> 2, 0, 1, 2
---@param a tidemill.matrix square
---@return tidemill.array
function linalg.cholesky(a)
  a = operand.square("cholesky", "a", a)
  blas.need("cholesky", 2)
  operand.check_finite("cholesky", "a", a)
  local out = operand.copy(a)
  local place = blas.call("cholesky", a.dtype, 2, a.rows, out:pointer())
  if place > 0 then
    refuse("cholesky: the matrix is not positive definite (that of its first %d rows and columns is not)",
      place)
  end
  return out
end

--- q, m x k with orthonormal columns, and r, k x n upper triangular, of a = q r; k is the lesser of m
--- and n.  The diagonal of r is not negative.
---     local q, r = tm.linalg.qr({{0, 1}, {2, 3}})
---@param a tidemill.matrix
---@return tidemill.array q, tidemill.array r
function linalg.qr(a)
  a = operand.matrix("qr", "a", a)
  blas.need("qr", 2)
  operand.check_finite("qr", "a", a)
  local m, n, work = a.rows, a.columns, operand.copy(a)
  local k = math.min(m, n)
  local q, r = array.new(a.dtype, m * k, { m, k }), array.new(a.dtype, k * n, { k, n })
  blas.call("qr", a.dtype, 2, m, n, work:pointer(), q:pointer(), r:pointer())
  kernel("orient_diagonal", a.dtype)(k, r:pointer(), n, n, q:pointer(), m, k)
  hold(work)
  return q, r
end

--- u, m x k, s, k descending singular values, and vt, k x n, of a = u diag(s) vt; k is the lesser of m
--- and n.  In each column of u the element of the largest size, the first of several, is positive.
---     local u, s, vt = tm.linalg.svd({{3, 0}, {0, 4}})
---@param a tidemill.matrix
---@return tidemill.array u, tidemill.array s, tidemill.array vt
function linalg.svd(a)
  a = operand.matrix("svd", "a", a)
  blas.need("svd", 2)
  operand.check_finite("svd", "a", a)
  local m, n, work = a.rows, a.columns, operand.copy(a)
  local k = math.min(m, n)
  local u, vt = array.new(a.dtype, m * k, { m, k }), array.new(a.dtype, k * n, { k, n })
  local s = array.new(a.dtype, k)
  if blas.call("svd", a.dtype, 2, m, n, work:pointer(), u:pointer(), s:pointer(), vt:pointer()) > 0 then
    refuse("svd: did not converge")
  end
  kernel("orient", a.dtype)(k, u:pointer(), m, 1, k, vt:pointer(), n, n, 1)
  hold(work)
  return u, s, vt
end

--- The singular values alone, descending.
---@param a tidemill.matrix
---@return tidemill.array
function linalg.singular_values(a)
  a = operand.matrix("singular_values", "a", a)
  blas.need("singular_values", 2)
  operand.check_finite("singular_values", "a", a)
  local work, s = operand.copy(a), array.new(a.dtype, math.min(a.rows, a.columns))
  if blas.call("svd", a.dtype, 2, a.rows, a.columns, work:pointer(), nil, s:pointer(), nil) > 0 then
    refuse("singular_values: did not converge")
  end
  hold(work)
  return s
end

--- Ascending eigenvalues of a symmetric matrix, of which the lower triangle is read, and its vectors
--- in columns; of each the element of the largest size, the first of several, is positive.
---     local values, vectors = tm.linalg.eigh({{2, 1}, {1, 2}})        --> 1, 3
---@param a tidemill.matrix square
---@return tidemill.array values, tidemill.array vectors
function linalg.eigh(a)
  a = operand.square("eigh", "a", a)
  blas.need("eigh", 2)
  operand.check_finite("eigh", "a", a)
  local n, rows = a.rows, operand.copy(a)
  local values, vectors = array.new(a.dtype, n), array.new(a.dtype, n * n, { n, n })
  if blas.call("eigh", a.dtype, 2, n, rows:pointer(), values:pointer()) > 0 then
    refuse("eigh: did not converge")
  end
  kernel("orient", a.dtype)(n, rows:pointer(), n, n, 1, nil, 0, 0, 0)
  local turn = a.dtype == "float64" and C.tidemill_kernel_transpose_8 or C.tidemill_kernel_transpose_4
  turn(rows:pointer(), n, n, n, vectors:pointer(), n)
  hold(rows)
  return values, vectors
end

-- ---- Numbers --------------------------------------------------------------------------------------

--- Sum of the diagonal.
---@param a tidemill.matrix square
---@return number
function linalg.trace(a)
  a = operand.square("trace", "a", a)
  local values, sum = a.array:pointer(), 0
  for i = 0, a.rows - 1 do sum = sum + values[i * a.rows + i] end
  hold(a)
  return sum
end

-- Root of the sum of squares, also where a square is beyond what a number holds.
local function length_of(a)
  local values, size = a.array:pointer(), a.rows * a.columns
  local sum = kernel("dot", a.dtype)(values, values, size)
  if sum ~= sum or (sum > 1e-290 and sum < math.huge) then return math.sqrt(sum) end
  local most = 0
  for i = 0, size - 1 do most = math.max(most, math.abs(values[i])) end
  if most == 0 or most == math.huge then return most end
  sum = 0
  for i = 0, size - 1 do sum = sum + (values[i] / most) ^ 2 end
  return most * math.sqrt(sum)
end

-- The largest sum of sizes along an axis; a NaN makes it NaN.
local function largest_sum(a, lines, length, apart, next)
  local values, most = a.array:pointer(), 0
  for line = 0, lines - 1 do
    local sum = 0
    for i = 0, length - 1 do sum = sum + math.abs(values[line * apart + i * next]) end
    if sum ~= sum then return sum end
    if sum > most then most = sum end
  end
  return most
end

local kinds = "\"fro\", 1, 2, math.huge or \"nuc\""

--- The size of a vector or a matrix.  `kind`: nil or "fro", the root of the sum of squares; 1, the
--- largest sum of sizes of a column; math.huge, of a row (of a vector: the sum and the largest); 2,
--- the largest singular value (of a vector: as "fro"); "nuc", the sum of those.
---     tm.linalg.norm({3, 4})                                          --> 5
---@param a tidemill.matrix
---@param kind? "fro"|"nuc"|1|2|number
---@return number
function linalg.norm(a, kind)
  a = operand.any("norm", "a", a)
  local out
  if kind == nil or kind == "fro" or (kind == 2 and #a.shape == 1) then
    out = length_of(a)
  elseif kind == 1 then
    out = largest_sum(a, a.columns, a.rows, 1, a.columns)
  elseif kind == math.huge then
    out = largest_sum(a, a.rows, a.columns, a.columns, 1)
  elseif (kind == 2 or kind == "nuc") and #a.shape == 2 then
    blas.need("norm", 2)
    local s = linalg.singular_values(a.array)
    out = 0
    for i = 1, kind == 2 and 1 or s.length do out = out + s[i] end
  else
    refuse("norm: kind must be %s, got %s%s", kinds, tostring(kind), kind == "nuc" and " of a vector" or "")
  end
  hold(a)
  return out
end

return linalg
