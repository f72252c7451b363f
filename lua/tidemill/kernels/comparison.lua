-- comparison: which elements are less, equal, true, NaN, and choices by them; part of tm.kernels.
-- Operands are arrays of one shape, tables of numbers or booleans, or single ones.
-- SPDX-License-Identifier: MIT

local apply = require("tidemill.kernels.apply")

local kernels = {}

require("tidemill.kernels.arguments").describe {
  eq = "eq(a, b)",
  ne = "ne(a, b)",
  lt = "lt(a, b)",
  le = "le(a, b)",
  gt = "gt(a, b)",
  ge = "ge(a, b)",
  band = "band(a, b)",
  bor = "bor(a, b)",
  bxor = "bxor(a, b)",
  bnot = "bnot(x)",
  isnan = "isnan(x)",
  isfinite = "isfinite(x)",
  isinf = "isinf(x)",
  where = "where(mask, a, b)",
}

-- The parentheses below keep the call from being a tail call: errors blame the caller's line.
local x_alone, a_and_b = { "x" }, { "a", "b" }

--- Where a equals b; never where one is NaN.
---     tm.kernels.eq({1, 2}, {1, 3})                    --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.eq(a, b)
  return (apply("eq", a_and_b, a, b))
end

--- Where a differs from b; always where one is NaN.
---     tm.kernels.ne({1, 2}, {1, 3})                    --> false, true
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.ne(a, b)
  return (apply("ne", a_and_b, a, b))
end

--- Where a is less than b.
---     tm.kernels.lt({1, 2}, 2)                         --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.lt(a, b)
  return (apply("lt", a_and_b, a, b))
end

--- Where a is not above b: less or equal.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.le(a, b)
  return (apply("le", a_and_b, a, b))
end

--- Where a is greater than b.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.gt(a, b)
  return (apply("gt", a_and_b, a, b))
end

--- Where a is not below b: greater or equal.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.ge(a, b)
  return (apply("ge", a_and_b, a, b))
end

--- Where both are true; of integers, the bits that both have.
---     tm.kernels.band({true, true}, {true, false})     --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.band(a, b)
  return (apply("band", a_and_b, a, b))
end

--- Where one is true; of integers, the bits that one has.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.bor(a, b)
  return (apply("bor", a_and_b, a, b))
end

--- Where one alone is true; of integers, the bits that one alone has.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.bxor(a, b)
  return (apply("bxor", a_and_b, a, b))
end

--- What is not true; of integers, all bits turned.
---@param x tidemill.operand
---@return tidemill.array
function kernels.bnot(x)
  return (apply("bnot", x_alone, x))
end

--- Where x is NaN.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isnan(x)
  return (apply("isnan", x_alone, x))
end

--- Where x is a number: no NaN, no infinity.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isfinite(x)
  return (apply("isfinite", x_alone, x))
end

--- Where x is an infinity of either sign.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isinf(x)
  return (apply("isinf", x_alone, x))
end

local where_labels = { "mask", "a", "b" }

--- a where the mask is true (not zero), else b.
---     tm.kernels.where({true, false}, {1, 2}, 0)       --> 1, 0
---@param mask tidemill.operand
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.where(mask, a, b)
  return (apply("where", where_labels, mask, a, b))
end

return kernels
