-- ops: the elementwise operations of lazy arrays: their codes, operands and result types.
-- SPDX-License-Identifier: MIT

local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")

-- Codes are those of enum tidemill_op (kernels/elementwise.h).  kind tells the type that an
-- operation works in:
--   same     the operands' common type
--   float    the common type, integers as float64
--   compare  the common type; the result is bool
--   logic    bool or integers
--   test     any; the result is bool
--   add, sub the common type, and dates
local ops = {
  add = { 1, 2, "same" }, sub = { 2, 2, "same" }, mul = { 3, 2, "same" }, div = { 4, 2, "float" },
  mod = { 5, 2, "same" }, pow = { 6, 2, "float" }, minimum = { 7, 2, "same" }, maximum = { 8, 2, "same" },
  atan2 = { 9, 2, "float" },
  eq = { 10, 2, "compare" }, ne = { 11, 2, "compare" }, lt = { 12, 2, "compare" },
  le = { 13, 2, "compare" }, gt = { 14, 2, "compare" }, ge = { 15, 2, "compare" },
  band = { 16, 2, "logic" }, bor = { 17, 2, "logic" }, bxor = { 18, 2, "logic" },
  neg = { 20, 1, "same" }, abs = { 21, 1, "same" }, sign = { 22, 1, "same" }, sqrt = { 23, 1, "float" },
  square = { 24, 1, "same" }, reciprocal = { 25, 1, "float" }, floor = { 26, 1, "same" },
  ceil = { 27, 1, "same" }, round = { 28, 1, "same" }, trunc = { 29, 1, "same" },
  bnot = { 30, 1, "logic" },
  isnan = { 32, 1, "test" }, isfinite = { 33, 1, "test" }, isinf = { 34, 1, "test" },
  exp = { 40, 1, "float" }, exp2 = { 41, 1, "float" }, expm1 = { 42, 1, "float" }, log = { 43, 1, "float" },
  log1p = { 44, 1, "float" }, log2 = { 45, 1, "float" }, log10 = { 46, 1, "float" },
  sin = { 47, 1, "float" }, cos = { 48, 1, "float" }, tan = { 49, 1, "float" }, asin = { 50, 1, "float" },
  acos = { 51, 1, "float" }, atan = { 52, 1, "float" }, sinh = { 53, 1, "float" },
  cosh = { 54, 1, "float" }, tanh = { 55, 1, "float" },
  where = { 60, 3, "same" }, clip = { 61, 3, "same" },
}

local methods = {}
for name, op in pairs(ops) do
  ops[name] = { code = op[1], operands = op[2], kind = op[3] }
  if name ~= "where" then methods[#methods + 1] = name end
end
table.sort(methods)

-- The type that the operands meet in; numbers take that of the arrays.
local function common(name, op, operands, first, level)
  local found
  for i = first, op.operands do
    local own = operands[i]
    if own.dtype then found = found and dtypes.promote(found, own.dtype, name, level + 1) or own.dtype end
  end
  for i = first, op.operands do
    local own = operands[i]
    if not own.dtype then
      found = found and dtypes.with_number(found, own.value, name, level + 1)
        or (type(own.value) == "boolean" and "bool" or "float64")
    end
  end
  return found
end

--- The expression of an operation on operands (expressions; numbers have no dtype).
function ops.build(name, op, operands, level)
  local first = name == "where" and 2 or 1
  local type_in = common(name, op, operands, first, level + 1)
  if op.kind == "float" and not dtypes.is_float(type_in) then
    dtypes.refuse_dates(type_in, name, level + 1)
    type_in = "float64"
  end
  local type_out = dtypes.result(op.code, type_in)
  if not type_out then
    error(("%s: an array of %s has no such operation"):format(name, type_in), level + 1)
  end
  local inputs = {}
  for i = 1, op.operands do
    local e = operands[i]
    if i < first then
      if e.dtype ~= "bool" and type(e.value) ~= "boolean" then
        error(("%s: the mask is of %s, expected bool"):format(name, e.dtype or "a number"), level + 1)
      end
      inputs[i] = e.dtype and e or expr.constant(e.value, "bool")
    elseif e.dtype then
      inputs[i] = expr.cast(e, type_in)
    else
      inputs[i] = expr.cast(expr.constant(e.value, "?"), type_in)
    end
  end
  return (expr.map(name, op.code, type_in, type_out, inputs, level + 1)) -- no tail call: levels count
end

local names = { "b", "c" }

--- What stands between the brackets of a:name(..).
function ops.arguments(name)
  if name == "clip" then return "low, high" end
  return table.concat(names, ", ", 1, ops[name].operands - 1)
end

ops.methods = methods

return ops
