-- product_task: what the tasks of products of matrices do.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local blas = require("tidemill.blas")
local check_type = require("tidemill.lazy.chunk").check_type
local C = require("tidemill.clib")
local operand = require("tidemill.operand")

local product_task = {}

local function hold() end

-- c = a b + beta c; lda and ldb: between rows as they are stored, turned or not.
local function accumulate(dtype, m, n, k, a, lda, turn_a, b, ldb, turn_b, beta, c, ldc)
  if blas.multiplies("matmul", 3) then
    return blas.call("gemm", dtype, 3, m, n, k, 1, a, lda, turn_a, b, ldb, turn_b, beta, c, ldc)
  end
  local scratch, space = operand.scratch(dtype, m, n, k)
  operand.kernel("matmul", dtype)(m, n, k, 1, a, turn_a and 1 or lda, turn_a and lda or 1, b,
    turn_b and 1 or ldb, turn_b and ldb or 1, beta, c, ldc, scratch)
  hold(space)
end

-- c = a times its transposed + beta c, all of it.
local function accumulate_symmetric(dtype, n, k, a, lda, turn, beta, c, ldc)
  if not blas.multiplies("matmul", 3) then
    local scratch, space = operand.scratch(dtype, n, n, k)
    operand.kernel("syrk", dtype)(n, k, a, turn and 1 or lda, turn and lda or 1, beta, c, ldc, scratch)
    hold(space)
  elseif beta == 0 and not turn then
    blas.call("syrk", dtype, 3, n, k, a, lda, c, ldc)
  else
    blas.call("gemm", dtype, 3, n, n, k, 1, a, lda, turn, a, lda, not turn, beta, c, ldc)
    for i = 1, n - 1 do
      for j = 0, i - 1 do c[i * ldc + j] = c[j * ldc + i] end
    end
  end
end

-- Rows `ldc` apart from `to` on become the sum over the blocks of the inner axis, in order.  The
-- specification is int64 numbers: m, n, whether a and b are stored turned, whether b is a, the number of
-- blocks; then of each block its k, and of a and b: which argument it is, the element where it begins, the
-- distance between rows.
local function multiply(dtype, spec, inputs, to, ldc)
  for _, input in ipairs(inputs) do check_type(input, dtype) end
  local numbers = ffi.cast("const int64_t *", spec)
  local m, n = tonumber(numbers[0]), tonumber(numbers[1])
  local turn_a, turn_b, symmetric = numbers[2] ~= 0, numbers[3] ~= 0, numbers[4] ~= 0
  local blocks = tonumber(numbers[5])
  if blocks == 0 then
    for i = 0, m - 1 do ffi.fill(to + i * ldc, n * ffi.sizeof(dtype == "float32" and "float" or "double")) end
  end
  for i = 0, blocks - 1 do
    local at, beta = numbers + 6 + 7 * i, i == 0 and 0 or 1
    local k, a, b = tonumber(at[0]), inputs[tonumber(at[1])], inputs[tonumber(at[4])]
    if symmetric then
      accumulate_symmetric(dtype, n, k, a:pointer() + at[2], tonumber(at[3]), turn_a, beta, to, ldc)
    else
      accumulate(dtype, m, n, k, a:pointer() + at[2], tonumber(at[3]), turn_a, b:pointer() + at[5],
        tonumber(at[6]), turn_b, beta, to, ldc)
    end
  end
  hold(inputs, spec)
end

--- A chunk of a product.
---@param dtype string
---@param spec string
---@param ... tidemill.array
function product_task.multiply(dtype, spec, ...)
  local numbers = ffi.cast("const int64_t *", spec)
  local m, n = tonumber(numbers[0]), tonumber(numbers[1])
  local out = array.new(dtype, m * n, { m, n })
  multiply(dtype, spec, { ... }, out:pointer(), n)
  return out
end

--- The same at its place in an array that many tasks fill: `part` begins there, rows are `pitch` apart.
---@param part tidemill.array
---@param pitch integer
---@param spec string
---@param ... tidemill.array
function product_task.multiply_into(part, pitch, spec, ...)
  multiply(part.dtype, spec, { ... }, part:pointer(), pitch)
  array.let_go(part)
end

--- A chunk below the diagonal: the one above it, turned.
function product_task.mirror(dtype, chunk)
  local shape = chunk.shape
  local out = array.new(dtype, chunk.length, { shape[2], shape[1] })
  operand.transpose(dtype)(chunk:pointer(), shape[1], shape[2], shape[2], out:pointer(), shape[1])
  hold(chunk)
  return out
end

--- The same at its place; the one above the diagonal, rows x columns, is at its own, now that it is made.
function product_task.mirror_into(part, pitch, above, rows, columns)
  operand.transpose(part.dtype)(above:pointer(), rows, columns, pitch, part:pointer(), pitch)
  array.let_go(part)
  array.let_go(above)
end

-- ---- covariances ------------------------------------------------------------------------------------

--- Rows of a matrix of float64, `length` long, from element `from` on: standardised, or less their means.
---@param what "corr"|"cov"
function product_task.rescale(what, rows, length, x, from)
  check_type(x, "float64")
  local out = array.new("float64", rows * length, { rows, length })
  local kernel = what == "corr" and C.tidemill_kernel_standardise or C.tidemill_kernel_centre
  kernel(x:pointer() + from, rows, length, out:pointer())
  hold(x)
  return out
end

-- Correlations of two blocks of standardised rows, or covariances of centred ones; b nil: of a alone.
local function relate(what, divisor, a, b, to, ldc)
  local m, k = a.shape[1], a.shape[2]
  local n = b and b.shape[1] or m
  if b then
    accumulate("float64", m, n, k, a:pointer(), k, false, b:pointer(), k, true, 0, to, ldc)
  else
    accumulate_symmetric("float64", n, k, a:pointer(), k, false, 0, to, ldc)
  end
  for i = 0, m - 1 do
    local row = to + i * ldc
    for j = 0, n - 1 do
      local value = row[j]
      if what == "cov" then
        row[j] = value / divisor
      elseif value > 1 then
        row[j] = 1
      elseif value < -1 then
        row[j] = -1
      end
    end
  end
  hold(a, b)
end

--- A chunk of correlations or covariances.
function product_task.relate(what, divisor, a, b)
  local m, n = a.shape[1], (b or a).shape[1]
  local out = array.new("float64", m * n, { m, n })
  relate(what, divisor, a, b, out:pointer(), n)
  return out
end

--- The same at its place.
function product_task.relate_into(part, pitch, what, divisor, a, b)
  relate(what, divisor, a, b, part:pointer(), pitch)
  array.let_go(part)
end

return product_task
