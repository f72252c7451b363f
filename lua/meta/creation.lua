---@meta _
-- What editors know of the face: what makes lazy arrays.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill
local tm = {}

-- Lazy arrays ---------------------------------------------------------------------------------

---@alias tidemill.chunks integer|"auto"|"all"|(integer|"auto"|"all"|integer[])[] of each axis, or one entry an axis; "auto" without

---@class tidemill.creation_options
---@field dtype? tidemill.dtype
---@field chunks? tidemill.chunks

--- Zeros: tm.zeros(3, 4), tm.zeros({3, 4}, {dtype = "int32"}).
---@param ... integer|integer[]|tidemill.creation_options shape; then options
---@return tidemill.lazy
function tm.zeros(...) end

--- Ones.
---@param ... integer|integer[]|tidemill.creation_options shape; then options
---@return tidemill.lazy
function tm.ones(...) end

--- One value everywhere: tm.full({3, 4}, 7).
---@param shape integer|integer[]
---@param value number|boolean
---@param given? tidemill.creation_options
---@return tidemill.lazy
function tm.full(shape, value, given) end

--- Numbers from start, stop left out, step apart: arange(5) is 0 to 4, arange(1, 6), arange(0, 1, 0.1).
---@param start number
---@param stop? number
---@param step? number
---@param given? tidemill.creation_options dtype: int64 of whole numbers, else float64
---@return tidemill.lazy
function tm.arange(start, stop, step, given) end

--- `count` numbers from start to stop, both included, evenly apart.
---@param start number
---@param stop number
---@param count integer
---@param given? tidemill.creation_options
---@return tidemill.lazy
function tm.linspace(start, stop, count, given) end

--- Ones on the diagonal, or on the k-th above it (below: k < 0): eye(3), eye(3, 4, 1).
---@param rows integer
---@param columns? integer rows
---@param k? integer
---@param given? tidemill.creation_options
---@return tidemill.lazy
function tm.eye(rows, columns, k, given) end

--- Arrays one after the other along an axis (the first): tm.concat({a, b}, 2).
---@param list table arrays whose other axes agree
---@param axis? integer
---@return tidemill.lazy
function tm.concat(list, axis) end

--- Arrays of one shape along a new axis (the first): tm.stack{a, b}.
---@param list table
---@param axis? integer place of the new axis
---@return tidemill.lazy
function tm.stack(list, axis) end

--- Elements of `a` where the mask is true, of `b` elsewhere: tm.where(x:gt(0), x, 0).
---@param mask tidemill.lazy|tidemill.array
---@param a any
---@param b any
---@return tidemill.lazy
function tm.where(mask, a, b) end

---@class tidemill.random
local random = {}
tm.random = random

--- Uniform numbers in [low, high).
---@param ... integer|integer[]|{low: number?, high: number?, dtype: tidemill.dtype?, seed: integer?, chunks: tidemill.chunks?} shape; then options low (0), high (1)
---@return tidemill.lazy
function random.uniform(...) end

--- Normal numbers.
---@param ... integer|integer[]|{mean: number?, std: number?, dtype: tidemill.dtype?, seed: integer?, chunks: tidemill.chunks?} shape; then options mean (0), std (1)
---@return tidemill.lazy
function random.normal(...) end

--- exp of normal numbers with this mean and deviation.
---@param ... integer|integer[]|{mean: number?, std: number?, dtype: tidemill.dtype?, seed: integer?, chunks: tidemill.chunks?} shape; then options mean (0), std (1)
---@return tidemill.lazy
function random.lognormal(...) end

--- Exponential numbers.
---@param ... integer|integer[]|{scale: number?, dtype: tidemill.dtype?, seed: integer?, chunks: tidemill.chunks?} shape; then options scale (1)
---@return tidemill.lazy
function random.exponential(...) end

--- True with probability p.
---@param ... integer|integer[]|{p: number?, seed: integer?, chunks: tidemill.chunks?} shape; then options p (0.5)
---@return tidemill.lazy
function random.bernoulli(...) end

--- Whole numbers from low to high, both included.
---@param ... integer|integer[]|{low: integer?, high: integer, dtype: tidemill.dtype?, seed: integer?, chunks: tidemill.chunks?} shape; then options low (1), dtype (int64)
---@return tidemill.lazy
function random.integers(...) end

--- Elements of an array (of several axes: along the first), or positions from 1 to a number, each as likely:
---     tm.random.choice(52, 5, { replace = false })       -- five of 52 cards
---     tm.random.choice(prices, { 10, 3 }, { seed = 1 })
---@param of any
---@param ... integer|integer[]|{replace: boolean?, p: tidemill.numbers?, seed: integer?, chunks: tidemill.chunks?} shape; then options replace (true), p (weights)
---@return tidemill.lazy
function random.choice(of, ...) end

--- The positions 1 to n, or the elements of an array (of several axes: along the first), in a random order.
---@param of any an array or how many
---@param given? {seed?: integer}
---@return tidemill.lazy
function random.permutation(of, given) end
