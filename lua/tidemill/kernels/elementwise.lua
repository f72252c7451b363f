-- elementwise: arithmetic element by element, rounding and casts; part of tm.kernels.
-- Operands are arrays of one shape, tables of numbers, or single numbers.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local array = require("tidemill.array")
local types = require("tidemill.dtype")
local apply = require("tidemill.kernels.apply")
local arguments = require("tidemill.kernels.arguments")

local check_values, fail, hold = arguments.check_values, arguments.fail, arguments.hold

local kernels = {}

arguments.describe {
  add = "add(a, b)",
  sub = "sub(a, b)",
  mul = "mul(a, b)",
  div = "div(a, b)",
  mod = "mod(a, b)",
  minimum = "minimum(a, b)",
  maximum = "maximum(a, b)",
  neg = "neg(x)",
  abs = "abs(x)",
  sign = "sign(x)",
  sqrt = "sqrt(x)",
  square = "square(x)",
  reciprocal = "reciprocal(x)",
  floor = "floor(x)",
  ceil = "ceil(x)",
  round = "round(x)",
  trunc = "trunc(x)",
  clip = "clip(x, least, most)",
  cast = "cast(x, dtype)",
}

-- The parentheses below keep the call from being a tail call: errors blame the caller's line.
local x_alone, a_and_b = { "x" }, { "a", "b" }

--- Sums. A date and a number of days is a date.
---     tm.kernels.add({1, 2}, {10, 20})                   --> 11, 22
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.add(a, b)
  return (apply("add", a_and_b, a, b))
end

--- Differences. Of two dates: days; of two timestamps: microseconds.
---     tm.kernels.sub({1, 2}, 1)                          --> 0, 1
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.sub(a, b)
  return (apply("sub", a_and_b, a, b))
end

--- Products; integers wrap around.
---     tm.kernels.mul({1, 2}, {3, 4})                     --> 3, 8
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.mul(a, b)
  return (apply("mul", a_and_b, a, b))
end

--- Quotients, always floats.
---     tm.kernels.div({1, 2}, 4)                          --> 0.25, 0.5
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.div(a, b)
  return (apply("div", a_and_b, a, b))
end

--- Floored remainders, with the sign of b. By zero: NaN, or 0 of integers.
---     tm.kernels.mod({5, -5}, 3)                         --> 2, 1
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.mod(a, b)
  return (apply("mod", a_and_b, a, b))
end

--- The lesser of two; NaN when one is.
---     tm.kernels.minimum({1, 5}, 3)                      --> 1, 3
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.minimum(a, b)
  return (apply("minimum", a_and_b, a, b))
end

--- The greater of two; NaN when one is.
---     tm.kernels.maximum({1, 5}, 3)                      --> 3, 5
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.maximum(a, b)
  return (apply("maximum", a_and_b, a, b))
end

--- Negatives.
---@param x tidemill.operand
---@return tidemill.array
function kernels.neg(x)
  return (apply("neg", x_alone, x))
end

--- Absolute values.
---@param x tidemill.operand
---@return tidemill.array
function kernels.abs(x)
  return (apply("abs", x_alone, x))
end

--- -1, 0 or 1; NaN of NaN.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sign(x)
  return (apply("sign", x_alone, x))
end

--- Square roots; NaN of negative numbers.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sqrt(x)
  return (apply("sqrt", x_alone, x))
end

--- x times x, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.square(x)
  return (apply("square", x_alone, x))
end

--- 1 / x, always floats.
---@param x tidemill.operand
---@return tidemill.array
function kernels.reciprocal(x)
  return (apply("reciprocal", x_alone, x))
end

--- The greatest whole number not above, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.floor(x)
  return (apply("floor", x_alone, x))
end

--- The least whole number not below, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.ceil(x)
  return (apply("ceil", x_alone, x))
end

--- The nearest whole number, halves to the even one.
---     tm.kernels.round({0.5, 1.5, -2.6})                 --> 0, 2, -3
---@param x tidemill.operand
---@return tidemill.array
function kernels.round(x)
  return (apply("round", x_alone, x))
end

--- Without what stands behind the point.
---@param x tidemill.operand
---@return tidemill.array
function kernels.trunc(x)
  return (apply("trunc", x_alone, x))
end

local clip_labels = { "x", "least", "most" }

--- Not below `least`, then not above `most`; NaN when one of the three is.
---     tm.kernels.clip({-5, 0.5, 7}, 0, 1)                --> 0, 0.5, 1
---@param x tidemill.operand
---@param least tidemill.operand
---@param most tidemill.operand
---@return tidemill.array
function kernels.clip(x, least, most)
  return (apply("clip", clip_labels, x, least, most))
end

local function check_type(name)
  if not types.is(name) then fail("cast", "%s", types.complaint(name)) end
end

local function refuse_element(x, at, dtype)
  local value = x.dtype == "int64" and tostring(x:int64(at)) or tostring(x[at])
  fail("cast", "x[%d] is %s, which %s cannot hold", at, value, dtype)
end

-- An array of a type that kernels know.
local function settled(x)
  if not array.is(x) then x = array.given(x, "cast: x", 3) end
  if not types.is(x.dtype) then
    fail("cast", "x must be numbers, got an array of %s%s", x.dtype, types.advice(x.dtype, "x"))
  end
  return x
end

-- Without missing elements: they are NaN in floats, and in nothing else.
local function completed(x, dtype)
  if x.nulls == 0 then return x end
  if types.is_float(dtype) or types.is_float(x.dtype) then
    return array.as(x, x.dtype == "float32" and "float32" or "float64", "cast: x")
  end
  local flat = x:reshape(-1)
  for i = 1, flat.length do
    if not flat:present(i) then fail("cast", "x[%d] is missing, which %s cannot hold", i, dtype) end
  end
end

--- In another element type. Floats are cut toward zero; what the type cannot hold is an error.
---     tm.kernels.cast({1.9, -1.9}, "int32")              --> 1, -1
---@param x tidemill.numbers
---@param dtype string "bool", "uint8", "int32", "int64", "float32", "float64", "date", "timestamp"
---@return tidemill.array
function kernels.cast(x, dtype)
  check_values("cast", "x", x)
  check_type(dtype)
  x = completed(settled(x), dtype)
  local out = array.new(dtype, x.length, x.shape)
  local done = tonumber(C.tidemill_kernel_cast(types.number(x.dtype), types.number(dtype),
    x:pointer(), out:pointer(), x.length))
  if done < x.length then refuse_element(x:reshape(-1), done + 1, dtype) end
  hold(x)
  return out
end

return kernels
