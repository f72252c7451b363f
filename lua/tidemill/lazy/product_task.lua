-- product_task: what the tasks of products of matrices do.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local blas = require("tidemill.blas")
local operand = require("tidemill.operand")

local product_task = {}

local function hold() end

-- c = a b + beta c; lda and ldb: between rows as they are stored, turned or not.
local function accumulate(dtype, m, n, k, a, lda, turn_a, b, ldb, turn_b, beta, c)
  if blas.multiplies("matmul", 3) then
    return blas.call("gemm", dtype, 3, m, n, k, 1, a, lda, turn_a, b, ldb, turn_b, beta, c, n)
  end
  local scratch, space = operand.scratch(dtype, m, n, k)
  operand.kernel("matmul", dtype)(m, n, k, 1, a, turn_a and 1 or lda, turn_a and lda or 1, b,
    turn_b and 1 or ldb, turn_b and ldb or 1, beta, c, n, scratch)
  hold(space)
end

--- A chunk of a product: the sum over the blocks of the inner axis, in order.  The specification is
--- int64 numbers: m, n, whether a and b are stored turned, the number of blocks; then of each block its
--- k, and of a and b: which argument it is, the element where it begins, the distance between rows.
---@param dtype string
---@param spec string
---@param ... tidemill.array
function product_task.multiply(dtype, spec, ...)
  local numbers = ffi.cast("const int64_t *", spec)
  local inputs = { ... }
  local m, n = tonumber(numbers[0]), tonumber(numbers[1])
  local turn_a, turn_b = numbers[2] ~= 0, numbers[3] ~= 0
  local out = array.new(dtype, m * n, { m, n })
  local to = out:pointer()
  ffi.fill(to, out.nbytes) -- an inner axis of none, or one that begins with beta 1
  for i = 0, tonumber(numbers[4]) - 1 do
    local at = numbers + 5 + 7 * i
    local a, b = inputs[tonumber(at[1])], inputs[tonumber(at[4])]
    accumulate(dtype, m, n, tonumber(at[0]), a:pointer() + at[2], tonumber(at[3]), turn_a,
      b:pointer() + at[5], tonumber(at[6]), turn_b, i == 0 and 0 or 1, to)
  end
  hold(inputs, spec)
  return out
end

--- A chunk on the diagonal of a symmetric product: what is below the diagonal is what is above.
function product_task.multiply_symmetric(dtype, spec, ...)
  local out = product_task.multiply(dtype, spec, ...)
  local to, n = out:pointer(), out.shape[1]
  for i = 1, n - 1 do
    for j = 0, i - 1 do to[i * n + j] = to[j * n + i] end
  end
  return out
end

--- A chunk below the diagonal: the one above it, turned.
function product_task.mirror(dtype, chunk)
  local shape = chunk.shape
  local out = array.new(dtype, chunk.length, { shape[2], shape[1] })
  operand.transpose(dtype)(chunk:pointer(), shape[1], shape[2], shape[2], out:pointer(), shape[1])
  hold(chunk)
  return out
end

return product_task
