-- transcendental: powers, exponentials, logarithms and angles; part of tm.kernels.
-- Results are floats, the same bits with every instruction set: kernels/elementary.h.
-- SPDX-License-Identifier: MIT

local apply = require("tidemill.kernels.apply")

local kernels = {}

require("tidemill.kernels.arguments").describe {
  pow = "pow(a, b)",
  atan2 = "atan2(y, x)",
  exp = "exp(x)",
  exp2 = "exp2(x)",
  expm1 = "expm1(x)",
  log = "log(x)",
  log1p = "log1p(x)",
  log2 = "log2(x)",
  log10 = "log10(x)",
  sin = "sin(x)",
  cos = "cos(x)",
  tan = "tan(x)",
  asin = "asin(x)",
  acos = "acos(x)",
  atan = "atan(x)",
  sinh = "sinh(x)",
  cosh = "cosh(x)",
  tanh = "tanh(x)",
}

-- The parentheses below keep the call from being a tail call: errors blame the caller's line.
local x_alone, a_and_b, atan2_labels = { "x" }, { "a", "b" }, { "y", "x" }

--- a to the power of b.
---     tm.kernels.pow({2, 3}, 2)                        --> 4, 9
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.pow(a, b)
  return (apply("pow", a_and_b, a, b))
end

--- Angles of the points (x, y), in radians.
---     tm.kernels.atan2(1, {1, -1})                     --> 0.7853981633974, 2.3561944901923
---@param y tidemill.operand
---@param x tidemill.operand
---@return tidemill.array
function kernels.atan2(y, x)
  return (apply("atan2", atan2_labels, y, x))
end

--- e to the power of x.
---     tm.kernels.exp({0, 1})                           --> 1, 2.718281828459
---@param x tidemill.operand
---@return tidemill.array
function kernels.exp(x)
  return (apply("exp", x_alone, x))
end

--- 2 to the power of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.exp2(x)
  return (apply("exp2", x_alone, x))
end

--- exp(x) - 1, without loss where x is near 0.
---@param x tidemill.operand
---@return tidemill.array
function kernels.expm1(x)
  return (apply("expm1", x_alone, x))
end

--- Natural logarithms; -inf of 0, NaN of negative numbers.
---     tm.kernels.log({1, 10})                          --> 0, 2.302585092994
---@param x tidemill.operand
---@return tidemill.array
function kernels.log(x)
  return (apply("log", x_alone, x))
end

--- log(1 + x), without loss where x is near 0.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log1p(x)
  return (apply("log1p", x_alone, x))
end

--- Logarithms to base 2.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log2(x)
  return (apply("log2", x_alone, x))
end

--- Logarithms to base 10.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log10(x)
  return (apply("log10", x_alone, x))
end

--- Sines of radians; right for every finite number, however large.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sin(x)
  return (apply("sin", x_alone, x))
end

--- Cosines of radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.cos(x)
  return (apply("cos", x_alone, x))
end

--- Tangents of radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.tan(x)
  return (apply("tan", x_alone, x))
end

--- Arc sines, in radians; NaN outside [-1, 1].
---@param x tidemill.operand
---@return tidemill.array
function kernels.asin(x)
  return (apply("asin", x_alone, x))
end

--- Arc cosines, in radians; NaN outside [-1, 1].
---@param x tidemill.operand
---@return tidemill.array
function kernels.acos(x)
  return (apply("acos", x_alone, x))
end

--- Arc tangents, in radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.atan(x)
  return (apply("atan", x_alone, x))
end

--- Hyperbolic sines.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sinh(x)
  return (apply("sinh", x_alone, x))
end

--- Hyperbolic cosines.
---@param x tidemill.operand
---@return tidemill.array
function kernels.cosh(x)
  return (apply("cosh", x_alone, x))
end

--- Hyperbolic tangents.
---@param x tidemill.operand
---@return tidemill.array
function kernels.tanh(x)
  return (apply("tanh", x_alone, x))
end

return kernels
