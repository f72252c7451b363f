-- factor: matrices as products of simpler ones, with signs that are fixed; part of tm.linalg.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local blas = require("tidemill.blas")
local operand = require("tidemill.operand")
local arguments = require("tidemill.kernels.arguments")

local hold, kernel, is_empty = arguments.hold, operand.kernel, operand.is_empty

local function refuse(...) error((...):format(select(2, ...)), 3) end

local linalg = {}

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
  if is_empty(a) then return out end
  local place = blas.call("cholesky", a.dtype, 2, a.rows, out:pointer())
  if place > 0 then
    refuse("cholesky: the matrix is not positive definite (its leading %d x %d part is not)",
      place, place)
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
  if is_empty(a) then return q, r end
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
  if is_empty(a) then return u, s, vt end
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
  if is_empty(a) then return s end
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
  if is_empty(a) then return values, vectors end
  if blas.call("eigh", a.dtype, 2, n, rows:pointer(), values:pointer()) > 0 then
    refuse("eigh: did not converge")
  end
  kernel("orient", a.dtype)(n, rows:pointer(), n, n, 1, nil, 0, 0, 0)
  operand.transpose(a.dtype)(rows:pointer(), n, n, n, vectors:pointer(), n)
  hold(rows)
  return values, vectors
end

return linalg
