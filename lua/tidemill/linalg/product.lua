-- product: products of matrices and vectors; part of tm.linalg.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local blas = require("tidemill.blas")
local operand = require("tidemill.operand")
local arguments = require("tidemill.kernels.arguments")
local shown = require("tidemill.shown")

local hold, is_integer = arguments.hold, arguments.is_integer
local kernel, shape_text = operand.kernel, operand.shape_text

local function refuse(...) error((...):format(select(2, ...)), 3) end

local linalg = {}

-- c (m x n) = a b; `turn`: b is stored as n x k.  Distances between rows are lda, ldb and ldc.
local function product(name, dtype, m, n, k, a, lda, b, ldb, turn, c, ldc)
  if blas.multiplies(name, 3) then
    blas.call("gemm", dtype, 3, m, n, k, 1, a, lda, false, b, ldb, turn, 0, c, ldc)
    return
  end
  local scratch, space = operand.scratch(dtype, m, n, k)
  kernel("matmul", dtype)(m, n, k, 1, a, lda, 1, b, turn and 1 or ldb, turn and ldb or 1, 0, c, ldc,
    scratch)
  hold(space)
end

-- y = a x for a matrix and a vector; `turn`: a is stored as n x m.
local function matrix_vector(dtype, m, n, a, lda, turn, x, y)
  if blas.multiplies("matmul", 3) then
    blas.call("gemv", dtype, 3, m, n, a, lda, turn, x, y)
    return
  end
  local scratch, space = operand.scratch(dtype, m, 1, n)
  kernel("matmul", dtype)(m, 1, n, 1, a, turn and 1 or lda, turn and lda or 1, x, 1, 1, 0, y, 1,
    scratch)
  hold(space)
end

-- Rows first..last of a matrix, checked: the first, from 0, and how many.
local function rows_of(name, a, first, last)
  if first == nil and last == nil then return 0, a.rows end
  if not is_integer(first, 1, a.rows) or not is_integer(last, first, a.rows) then
    error(("%s: first and last must be rows from 1 to %d, got %s and %s"):format(name, a.rows,
      shown.value(first), shown.value(last)), 3)
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
        out:pointer(), b.columns)
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
  if blas.multiplies("syrk", 2) then
    local to = out:pointer()
    blas.call("syrk", dtype, 2, count, k, pointer, k, to, n)
    blas.call("gemm", dtype, 2, count, n - count, k, 1, pointer, k, false, pointer + count * k, k, true, 0,
      to + count, n)
  else
    product("syrk", dtype, count, n, k, pointer, k, pointer, k, true, out:pointer(), n)
  end
  hold(a)
  return out
end

--- The same for a matrix that is kept in blocks of rows: its rows of block `number`.
---     tm.linalg.syrk_block({{{1, 2}, {3, 4}}, {{5, 6}}}, 1)           --> 5, 11, 17, 11, 25, 39
---@param blocks tidemill.matrix[]
---@param number integer
---@return tidemill.array
function linalg.syrk_block(blocks, number)
  if type(blocks) ~= "table" or not is_integer(number, 1, #blocks) then
    refuse("syrk_block: expected syrk_block(blocks, number): a table of matrices, and one of its places")
  end
  local parts, n = {}, 0
  for i = number, #blocks do
    local part = operand.matrix("syrk_block", ("blocks[%d]"):format(i), blocks[i])
    local first = parts[1] or part
    if part.columns ~= first.columns or part.dtype ~= first.dtype then
      refuse("syrk_block: blocks[%d] must be %s with %d columns, got %s with the shape %s", i, first.dtype,
        first.columns, part.dtype, shape_text(part.shape))
    end
    parts[#parts + 1], n = part, n + part.rows
  end
  local a, from = parts[1], parts[1].rows
  local rows, k, dtype, pointer = a.rows, a.columns, a.dtype, a.array:pointer()
  local out = array.new(dtype, rows * n, { rows, n })
  local to = out:pointer()
  if blas.multiplies("syrk_block", 2) then
    blas.call("syrk", dtype, 2, rows, k, pointer, k, to, n)
  else
    product("syrk_block", dtype, rows, rows, k, pointer, k, pointer, k, true, to, n)
  end
  for i = 2, #parts do
    local part = parts[i]
    product("syrk_block", dtype, rows, part.rows, k, pointer, k, part.array:pointer(), k, true, to + from, n)
    from = from + part.rows
  end
  hold(parts)
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
  local turn, to = operand.transpose(dtype), out:pointer()
  for i, block in ipairs(parts) do
    if block.columns ~= n - from or block.rows > n - from or block.dtype ~= dtype then
      refuse("symmetric: blocks[%d] must be %s with %d columns, got %s with the shape %s", i, dtype,
        n - from, block.dtype, shape_text(block.shape))
    end
    local values = block.array:pointer()
    for row = 0, block.rows - 1 do
      ffi.copy(to + (from + row) * n + from, values + row * block.columns, bytes * block.columns)
    end
    turn(values, block.rows, block.columns, block.columns, to + from * n + from, n)
    from = from + block.rows
  end
  if from ~= n then refuse("symmetric: the blocks have %d rows of %d", from, n) end
  hold(parts)
  return out
end

return linalg
