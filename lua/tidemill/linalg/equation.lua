-- equation: systems of linear equations; part of tm.linalg.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local blas = require("tidemill.blas")
local operand = require("tidemill.operand")
local arguments = require("tidemill.kernels.arguments")
local options = require("tidemill.options")

local hold, kernel, shape_text = arguments.hold, operand.kernel, operand.shape_text
local is_empty = operand.is_empty

local epsilons = { float64 = 2^-52, float32 = 2^-23 }

local linalg = {}

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
  if is_empty(b) then return x end
  local pivot = blas.call("solve", dtype, 2, a.rows, b.columns, a.array:pointer(), x:pointer())
  hold(a)
  if pivot > 0 then refuse_singular("solve", pivot) end
  return x
end

local switches = { "upper", "unit", "transposed" }

--- x of t x = b for a lower triangular t; `upper = true`: an upper one; `unit = true`: its diagonal is 1;
--- `transposed = true`: of the transposed t.  The other triangle is not read.
---     tm.linalg.solve_triangular({{2, 0}, {1, 1}}, {2, 3})            --> 1, 2
---@param t tidemill.matrix square
---@param b tidemill.matrix
---@param opts? {upper: boolean?, unit: boolean?, transposed: boolean?}
---@return tidemill.array x
function linalg.solve_triangular(t, b, opts)
  opts = options.only(opts, switches, "solve_triangular", 2)
  options.switches(opts, switches, "solve_triangular", 2)
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
  if is_empty(a) then return out end
  local pivot = blas.call("inv", a.dtype, 2, a.rows, out:pointer())
  if pivot > 0 then refuse_singular("inv", pivot) end
  return out
end

--- The determinant; of no elements it is 1.
---     tm.linalg.det({{1, 2}, {3, 4}})                                 --> -2
---@param a tidemill.matrix square
---@return number
function linalg.det(a)
  a = operand.square("det", "a", a)
  blas.need("det", 2)
  operand.check_finite("det", "a", a)
  if is_empty(a) then return 1 end
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

local function zeros(dtype, shape)
  local out = array.new(dtype, nil, shape)
  ffi.fill(out:pointer(), out.nbytes)
  return out
end

-- What lstsq gives where a or b has no elements: x is 0, or empty; LAPACK wants a right side.
local function lstsq_of_none(a, b, dtype, rcond)
  local x = zeros(dtype, #b.shape == 1 and { a.columns } or { a.columns, b.columns })
  if is_empty(a) then return x, 0, array.new(dtype, 0) end
  local _, rank, s = linalg.lstsq(a.array, zeros(dtype, { a.rows }), rcond)
  return x, rank, s
end

--- x, n x columns, of the least |a x - b|, and of several such the least one; the rank of a; and its
--- singular values.  Those of at most `rcond` times the largest count as 0 (default: the
--- machine's precision times the larger of a's sizes).
--- Of no elements, x is 0.
---     local line = tm.linalg.lstsq({{1, 1}, {1, 2}, {1, 3}}, {1, 2, 2})
---@param a tidemill.matrix
---@param b tidemill.matrix
---@param rcond? number
---@return tidemill.array x, integer rank, tidemill.array s
function linalg.lstsq(a, b, rcond)
  a, b = operand.matrix("lstsq", "a", a), operand.any("lstsq", "b", b)
  local dtype = sides_of("lstsq", a, b)
  operand.check_tolerance("lstsq", "rcond", rcond)
  blas.need("lstsq", 2)
  operand.check_finite("lstsq", "a", a)
  operand.check_finite("lstsq", "b", b)
  if is_empty(a) or is_empty(b) then return lstsq_of_none(a, b, dtype, rcond) end
  local m, n = a.rows, a.columns
  local x = array.new(dtype, n * b.columns, #b.shape == 1 and { n } or { n, b.columns })
  local s, rank = array.new(dtype, math.min(m, n)), array.new("int32", 1)
  if blas.call("lstsq", dtype, 2, m, n, b.columns, a.array:pointer(), b.array:pointer(), x:pointer(),
      s:pointer(), rcond or epsilons[dtype] * math.max(m, n), rank:pointer()) > 0 then
    error("lstsq: did not converge", 2)
  end
  hold(a, b)
  return x, rank[1], s
end

return linalg
