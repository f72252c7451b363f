-- ops: the elementwise operations of lazy arrays: their codes, operands and result types.
-- SPDX-License-Identifier: MIT

local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")

-- Number of operands of each; codes are those of enum tidemill_op (kernels/elementwise.h).
local operands = {
  [[neg abs sign sqrt square reciprocal floor ceil round trunc bnot isnan isfinite isinf exp exp2 expm1 log
    log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh]],
  [[add sub mul div mod pow minimum maximum atan2 eq ne lt le gt ge band bor bxor]],
  [[where clip]],
}

local ops, methods = {}, {}
for count, names in ipairs(operands) do
  for name in names:gmatch("%S+") do
    ops[name] = { code = dtypes.op(name), operands = count }
    if name ~= "where" then methods[#methods + 1] = name end
  end
end
table.sort(methods)

-- What dtype.result takes: the type of an array, a number itself.
local function weigh(e)
  if e.dtype then return e.dtype end
  return e.value
end

-- A mask is bool; numbers are not.
local function mask_of(e, level)
  if e.dtype == "bool" then return e end
  if type(e.value) == "boolean" then return expr.constant(e.value, "bool") end
  error(("where: the mask is of %s, expected bool"):format(e.dtype or "a number"), level + 1)
end

-- An operand in the type that an operation works in.
local function converted(e, compute)
  if e.dtype == compute then return e end
  return (expr.cast(e.dtype and e or expr.constant(e.value, "?"), compute))
end

--- The expression of an operation on operands (expressions; numbers have no dtype).
function ops.build(name, op, level, a, b, c)
  local mask
  if name == "where" then mask, a, b, c = mask_of(a, level + 1), b, c, nil end
  local compute, result
  if c ~= nil then
    compute, result = dtypes.result(name, weigh(a), weigh(b), weigh(c))
  elseif b ~= nil then
    compute, result = dtypes.result(name, weigh(a), weigh(b))
  else
    compute, result = dtypes.result(name, weigh(a))
  end
  if not compute then error(("%s: %s"):format(name, result), level + 1) end
  a = converted(a, compute)
  if b ~= nil then b = converted(b, compute) end
  if c ~= nil then c = converted(c, compute) end
  local made = dtypes.gives(op.code, compute)
  local e
  if mask then
    e = expr.map(name, op.code, compute, made, level + 1, mask, a, b)
  else
    e = expr.map(name, op.code, compute, made, level + 1, a, b, c)
  end
  if made == result then return e end
  return expr.cast(e, result) -- the difference of two dates is a number of days
end

local letters = { "b", "c" }

--- What stands between the brackets of a:name(..).
function ops.arguments(name)
  if name == "clip" then return "low, high" end
  return table.concat(letters, ", ", 1, ops[name].operands - 1)
end

ops.methods = methods

return ops
