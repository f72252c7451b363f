-- matrix: products and transposing, with the bits that kernels/matrix.h states; part of tm.kernels.
-- tm.linalg computes products by the BLAS of the machine.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local operand = require("tidemill.operand")
local arguments = require("tidemill.kernels.arguments")
local shown = require("tidemill.shown")
require("tidemill.kernels.declare")("matrix.h")
local C = require("tidemill.clib")

local hold, is_integer = arguments.hold, arguments.is_integer

local kernels = {}

--- a b for matrices: tables of rows, or arrays; float32 when both are, else float64.
---     tm.kernels.matmul({{1, 2}, {3, 4}}, {{5}, {6}})                --> 17, 39
---@param a tidemill.matrix m x k
---@param b tidemill.matrix k x n
---@return tidemill.array m x n
function kernels.matmul(a, b)
  a, b = operand.matrix("matmul", "a", a), operand.matrix("matmul", "b", b)
  local m, n, k = a.rows, b.columns, a.columns
  if k ~= b.rows then
    error(("matmul: %s x %s: %d ~= %d"):format(operand.shape_text(a.shape), operand.shape_text(b.shape),
      k, b.rows), 2)
  end
  local dtype = operand.promote(a, b)
  local out = array.new(dtype, m * n, { m, n })
  local scratch, space = operand.scratch(dtype, m, n, k)
  operand.kernel("matmul", dtype)(m, n, k, 1, a.array:pointer(), k, 1,
    b.array:pointer(), n, 1, 0, out:pointer(), n, scratch)
  hold(a, b, space)
  return out
end

local widths = { bool = 1, int8 = 1, uint8 = 1, int32 = 4, uint32 = 4, float32 = 4, date = 4,
  int64 = 8, uint64 = 8, float64 = 8, timestamp = 8 }

--- A matrix whose rows are the columns of another.
---     tm.kernels.transpose({{1, 2, 3}, {4, 5, 6}})                   --> 1, 4, 2, 5, 3, 6
---@param a tidemill.matrix m x n, of any type of 1, 4 or 8 bytes
---@return tidemill.array n x m
function kernels.transpose(a)
  local dtype, shape
  if array.is(a) and widths[a.dtype] and a.nulls == 0 then
    dtype, shape = a.dtype, a.shape
    if #shape ~= 2 then
      error(("transpose: a must be a matrix, got the shape %s"):format(operand.shape_text(shape)), 2)
    end
  else
    local given = operand.matrix("transpose", "a", a)
    a, dtype, shape = given.array, given.dtype, given.shape
  end
  local m, n = shape[1], shape[2]
  local out = array.new(dtype, m * n, { n, m })
  C["tidemill_kernel_transpose_" .. widths[dtype]](a:pointer(), m, n, n, out:pointer(), m)
  hold(a)
  return out
end

--- All products of an element of a and one of b.
---     tm.kernels.outer({1, 2}, {10, 20, 30})                         --> 10, 20, 30, 20, 40, 60
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return tidemill.array #a x #b
function kernels.outer(a, b)
  a, b = operand.vector("outer", "a", a), operand.vector("outer", "b", b)
  local dtype = operand.promote(a, b)
  local out = array.new(dtype, a.rows * b.rows, { a.rows, b.rows })
  operand.kernel("outer", dtype)(a.array:pointer(), a.rows, b.array:pointer(), b.rows,
    out:pointer())
  hold(a, b)
  return out
end

--- Covariances of all pairs of rows, divisor columns - ddof (default 1).  A NaN spoils its own row and
--- column.
---     tm.kernels.covariance({{1, 2, 3}, {3, 1, 2}})                  --> 1, -0.5, -0.5, 1
---@param x tidemill.matrix a series a row
---@param ddof? integer
---@return tidemill.array rows x rows
function kernels.covariance(x, ddof)
  x = operand.matrix("covariance", "x", x)
  if ddof ~= nil and not is_integer(ddof, 0, 2^53) then
    error(("covariance: ddof must be an integer >= 0, got %s"):format(shown.value(ddof)), 2)
  end
  local rows, n = x.rows, x.columns
  local values = array.as(x.array, "float64", "covariance")
  local z, out = array.new("float64", rows * n), array.new("float64", rows * rows, { rows, rows })
  C.tidemill_kernel_centre(values:pointer(), rows, n, z:pointer())
  C.tidemill_kernel_covariance(z:pointer(), rows, n, ddof or 1, out:pointer())
  hold(values, z)
  return out
end

return kernels
