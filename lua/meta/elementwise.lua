---@meta _
-- What editors know of tm.kernels: element by element.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill.kernels
local kernels = {}

-- Element by element ---------------------------------------------------------------------------

--- Sums. A date and a number of days is a date.
---     tm.kernels.add({1, 2}, {10, 20})                   --> 11, 22
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.add(a, b) end

--- Differences. Of two dates: days; of two timestamps: microseconds.
---     tm.kernels.sub({1, 2}, 1)                          --> 0, 1
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.sub(a, b) end

--- Products; integers wrap around.
---     tm.kernels.mul({1, 2}, {3, 4})                     --> 3, 8
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.mul(a, b) end

--- Quotients, always floats.
---     tm.kernels.div({1, 2}, 4)                          --> 0.25, 0.5
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.div(a, b) end

--- Floored remainders, with the sign of b. By zero: NaN, or 0 of integers.
---     tm.kernels.mod({5, -5}, 3)                         --> 2, 1
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.mod(a, b) end

--- The lesser of two; NaN when one is.
---     tm.kernels.minimum({1, 5}, 3)                      --> 1, 3
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.minimum(a, b) end

--- The greater of two; NaN when one is.
---     tm.kernels.maximum({1, 5}, 3)                      --> 3, 5
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.maximum(a, b) end

--- Negatives.
---@param x tidemill.operand
---@return tidemill.array
function kernels.neg(x) end

--- Absolute values.
---@param x tidemill.operand
---@return tidemill.array
function kernels.abs(x) end

--- -1, 0 or 1; NaN of NaN.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sign(x) end

--- Square roots; NaN of negative numbers.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sqrt(x) end

--- x times x, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.square(x) end

--- 1 / x, always floats.
---@param x tidemill.operand
---@return tidemill.array
function kernels.reciprocal(x) end

--- The greatest whole number not above, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.floor(x) end

--- The least whole number not below, in the type of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.ceil(x) end

--- The nearest whole number, halves to the even one.
---     tm.kernels.round({0.5, 1.5, -2.6})                 --> 0, 2, -3
---@param x tidemill.operand
---@return tidemill.array
function kernels.round(x) end

--- Without what stands behind the point.
---@param x tidemill.operand
---@return tidemill.array
function kernels.trunc(x) end

--- Not below `least`, then not above `most`; NaN when one of the three is.
---     tm.kernels.clip({-5, 0.5, 7}, 0, 1)                --> 0, 0.5, 1
---@param x tidemill.operand
---@param least tidemill.operand
---@param most tidemill.operand
---@return tidemill.array
function kernels.clip(x, least, most) end

--- In another element type. Floats are cut toward zero; what the type cannot hold is an error.
---     tm.kernels.cast({1.9, -1.9}, "int32")              --> 1, -1
---@param x tidemill.numbers
---@param dtype string "bool", "uint8", "int32", "int64", "float32", "float64", "date", "timestamp"
---@return tidemill.array
function kernels.cast(x, dtype) end

--- Where a equals b; never where one is NaN.
---     tm.kernels.eq({1, 2}, {1, 3})                    --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.eq(a, b) end

--- Where a differs from b; always where one is NaN.
---     tm.kernels.ne({1, 2}, {1, 3})                    --> false, true
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.ne(a, b) end

--- Where a is less than b.
---     tm.kernels.lt({1, 2}, 2)                         --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.lt(a, b) end

--- Where a is not above b: less or equal.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.le(a, b) end

--- Where a is greater than b.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.gt(a, b) end

--- Where a is not below b: greater or equal.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.ge(a, b) end

--- Where both are true; of integers, the bits that both have.
---     tm.kernels.band({true, true}, {true, false})     --> true, false
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.band(a, b) end

--- Where one is true; of integers, the bits that one has.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.bor(a, b) end

--- Where one alone is true; of integers, the bits that one alone has.
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.bxor(a, b) end

--- What is not true; of integers, all bits turned.
---@param x tidemill.operand
---@return tidemill.array
function kernels.bnot(x) end

--- Where x is NaN.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isnan(x) end

--- Where x is a number: no NaN, no infinity.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isfinite(x) end

--- Where x is an infinity of either sign.
---@param x tidemill.operand
---@return tidemill.array
function kernels.isinf(x) end

--- a where the mask is true (not zero), else b.
---     tm.kernels.where({true, false}, {1, 2}, 0)       --> 1, 0
---@param mask tidemill.operand
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.where(mask, a, b) end

--- a to the power of b.
---     tm.kernels.pow({2, 3}, 2)                        --> 4, 9
---@param a tidemill.operand
---@param b tidemill.operand
---@return tidemill.array
function kernels.pow(a, b) end

--- Angles of the points (x, y), in radians.
---     tm.kernels.atan2(1, {1, -1})                     --> 0.7853981633974, 2.3561944901923
---@param y tidemill.operand
---@param x tidemill.operand
---@return tidemill.array
function kernels.atan2(y, x) end

--- e to the power of x.
---     tm.kernels.exp({0, 1})                           --> 1, 2.718281828459
---@param x tidemill.operand
---@return tidemill.array
function kernels.exp(x) end

--- 2 to the power of x.
---@param x tidemill.operand
---@return tidemill.array
function kernels.exp2(x) end

--- exp(x) - 1, without loss where x is near 0.
---@param x tidemill.operand
---@return tidemill.array
function kernels.expm1(x) end

--- Natural logarithms; -inf of 0, NaN of negative numbers.
---     tm.kernels.log({1, 10})                          --> 0, 2.302585092994
---@param x tidemill.operand
---@return tidemill.array
function kernels.log(x) end

--- log(1 + x), without loss where x is near 0.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log1p(x) end

--- Logarithms to base 2.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log2(x) end

--- Logarithms to base 10.
---@param x tidemill.operand
---@return tidemill.array
function kernels.log10(x) end

--- Sines of radians; right for every finite number, however large.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sin(x) end

--- Cosines of radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.cos(x) end

--- Tangents of radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.tan(x) end

--- Arc sines, in radians; NaN outside [-1, 1].
---@param x tidemill.operand
---@return tidemill.array
function kernels.asin(x) end

--- Arc cosines, in radians; NaN outside [-1, 1].
---@param x tidemill.operand
---@return tidemill.array
function kernels.acos(x) end

--- Arc tangents, in radians.
---@param x tidemill.operand
---@return tidemill.array
function kernels.atan(x) end

--- Hyperbolic sines.
---@param x tidemill.operand
---@return tidemill.array
function kernels.sinh(x) end

--- Hyperbolic cosines.
---@param x tidemill.operand
---@return tidemill.array
function kernels.cosh(x) end

--- Hyperbolic tangents.
---@param x tidemill.operand
---@return tidemill.array
function kernels.tanh(x) end
