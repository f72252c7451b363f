---@meta tidemill.lazy
-- What editors know of lazy arrays; computed ones have these methods, too, where they lack their own.
-- Nothing here runs; tests/spec/meta_spec.lua holds it against lua/tidemill/lazy.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

--- An array that is described and not yet computed; arithmetic gives such ones.
---@class tidemill.lazy
---@field shape integer[] sizes of the axes
---@field dtype tidemill.dtype
---@field ndim integer how many axes
---@field size integer elements in all
---@field nbytes integer bytes that the elements would take
---@field chunks integer[][] sizes of the chunks along each axis
---@operator add(any): tidemill.lazy
---@operator sub(any): tidemill.lazy
---@operator mul(any): tidemill.lazy
---@operator div(any): tidemill.lazy
---@operator mod(any): tidemill.lazy
---@operator pow(any): tidemill.lazy
---@operator unm: tidemill.lazy
---@operator len: integer
local lazy = {}

-- ---- element by element ------------------------------------------------------------------------------

--- The negative of each element.
---@return tidemill.lazy
function lazy:neg() end

--- The absolute value.
---@return tidemill.lazy
function lazy:abs() end

--- -1, 0 or 1.
---@return tidemill.lazy
function lazy:sign() end

--- The square root.
---@return tidemill.lazy
function lazy:sqrt() end

--- The square.
---@return tidemill.lazy
function lazy:square() end

--- One by each element.
---@return tidemill.lazy
function lazy:reciprocal() end

--- The next whole number below.
---@return tidemill.lazy
function lazy:floor() end

--- The next whole number above.
---@return tidemill.lazy
function lazy:ceil() end

--- The nearest whole number, half to even.
---@return tidemill.lazy
function lazy:round() end

--- The whole number toward zero.
---@return tidemill.lazy
function lazy:trunc() end

--- The bits, or truths, turned over.
---@return tidemill.lazy
function lazy:bnot() end

--- Whether it is NaN.
---@return tidemill.lazy bool
function lazy:isnan() end

--- Whether it is neither NaN nor infinite.
---@return tidemill.lazy bool
function lazy:isfinite() end

--- Whether it is infinite.
---@return tidemill.lazy bool
function lazy:isinf() end

--- e to this power.
---@return tidemill.lazy
function lazy:exp() end

--- 2 to this power.
---@return tidemill.lazy
function lazy:exp2() end

--- e to this power less 1.
---@return tidemill.lazy
function lazy:expm1() end

--- The natural logarithm.
---@return tidemill.lazy
function lazy:log() end

--- The logarithm of 1 and this.
---@return tidemill.lazy
function lazy:log1p() end

--- The logarithm to base 2.
---@return tidemill.lazy
function lazy:log2() end

--- The logarithm to base 10.
---@return tidemill.lazy
function lazy:log10() end

--- The sine.
---@return tidemill.lazy
function lazy:sin() end

--- The cosine.
---@return tidemill.lazy
function lazy:cos() end

--- The tangent.
---@return tidemill.lazy
function lazy:tan() end

--- The angle of this sine.
---@return tidemill.lazy
function lazy:asin() end

--- The angle of this cosine.
---@return tidemill.lazy
function lazy:acos() end

--- The angle of this tangent.
---@return tidemill.lazy
function lazy:atan() end

--- The hyperbolic sine.
---@return tidemill.lazy
function lazy:sinh() end

--- The hyperbolic cosine.
---@return tidemill.lazy
function lazy:cosh() end

--- The hyperbolic tangent.
---@return tidemill.lazy
function lazy:tanh() end

--- Sums.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:add(b) end

--- Differences.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:sub(b) end

--- Products.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:mul(b) end

--- Quotients.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:div(b) end

--- Remainders with the sign of the divisor.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:mod(b) end

--- Powers.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:pow(b) end

--- The lesser of two; NaN where one is.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:minimum(b) end

--- The greater of two; NaN where one is.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:maximum(b) end

--- The angle of the point (b, self).
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:atan2(b) end

--- Whether equal.
---@param b any array, table of numbers or number
---@return tidemill.lazy bool
function lazy:eq(b) end

--- Whether unequal.
---@param b any array, table of numbers or number
---@return tidemill.lazy bool
function lazy:ne(b) end

--- Whether less.
---@param b any array, table of numbers or number
---@return tidemill.lazy bool
function lazy:lt(b) end

--- Whether less or equal.
---@param b any array, table of numbers or number
---@return tidemill.lazy bool
function lazy:le(b) end

--- Whether greater.
---@param b any array, table of numbers or number
---@return tidemill.lazy bool
function lazy:gt(b) end

--- Whether greater or equal.
---@param b any array, table of numbers or number
---@return tidemill.lazy bool
function lazy:ge(b) end

--- Both, of truths or bits.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:band(b) end

--- Either, of truths or bits.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:bor(b) end

--- One alone, of truths or bits.
---@param b any array, table of numbers or number
---@return tidemill.lazy
function lazy:bxor(b) end

--- Not below `low`, then not above `high`; nil is no limit.
---@param low any
---@param high? any
---@return tidemill.lazy
function lazy:clip(low, high) end

--- Conversion to another element type; floats are cut toward zero, and what does not fit is an error
--- of the computation.
---@param dtype string
---@return tidemill.lazy
function lazy:astype(dtype) end

--- Elements of `a` where this mask is true, of `b` elsewhere.
---@param a any
---@param b any
---@return tidemill.lazy
function lazy:where(a, b) end

-- ---- reductions --------------------------------------------------------------------------------------

---@class tidemill.reduce_options
---@field axis? integer|integer[] those that go; all without
---@field keepdims? boolean they stay, with one element

---@class tidemill.spread_options: tidemill.reduce_options
---@field ddof? integer the divisor is n - ddof; default 0

--- The sum, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:sum(axes, options) end

--- The product, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:prod(axes, options) end

--- The mean, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:mean(axes, options) end

--- The variance, divided by n - ddof (0), over some axes or all.
---@param axes? integer|integer[]|tidemill.spread_options
---@param options? tidemill.spread_options
---@return tidemill.lazy
function lazy:var(axes, options) end

--- The deviation, divided by n - ddof (0), over some axes or all.
---@param axes? integer|integer[]|tidemill.spread_options
---@param options? tidemill.spread_options
---@return tidemill.lazy
function lazy:std(axes, options) end

--- The least, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:min(axes, options) end

--- The greatest, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:max(axes, options) end

--- The position of the first least, from 1, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:argmin(axes, options) end

--- The position of the first greatest, from 1, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:argmax(axes, options) end

--- Whether any is not 0, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:any(axes, options) end

--- Whether all are not 0, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:all(axes, options) end

--- How many are not 0, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:count(axes, options) end

--- The sum, over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nansum(axes, options) end

--- The product, over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nanprod(axes, options) end

--- The mean, over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nanmean(axes, options) end

--- The least, over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nanmin(axes, options) end

--- The greatest, over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nanmax(axes, options) end

--- The position of the first least, from 1, over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nanargmin(axes, options) end

--- The position of the first greatest, from 1, over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nanargmax(axes, options) end

--- How many are not NaN, over some axes or all.
---@param axes? integer|integer[]|tidemill.reduce_options
---@param options? tidemill.reduce_options
---@return tidemill.lazy
function lazy:nancount(axes, options) end

--- The variance, divided by n - ddof (0), over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.spread_options
---@param options? tidemill.spread_options
---@return tidemill.lazy
function lazy:nanvar(axes, options) end

--- The deviation, divided by n - ddof (0), over some axes or all; NaN is passed over.
---@param axes? integer|integer[]|tidemill.spread_options
---@param options? tidemill.spread_options
---@return tidemill.lazy
function lazy:nanstd(axes, options) end

-- ---- shapes ------------------------------------------------------------------------------------------

--- A part: one entry an axis, the rest whole.  A number takes that place and drops the axis, {first,
--- last, step} takes a range with both ends, {} or true all, an array of numbers these places, a bool
--- array those that are true: a:slice{ {1, 10}, 5 }, a:slice{ {-1, 1, -1} }, a:slice{ index }.
--- A bool array of the shape itself in place of the entries gives what it marks, in one axis.
---@param ranges table|tidemill.lazy|tidemill.array
---@return tidemill.lazy
function lazy:slice(ranges) end

--- The transpose: the axes reversed.
---@return tidemill.lazy
function lazy:T() end

--- With the axes in another order, reversed without one: a:transpose(2, 1, 3).
---@param ... integer
---@return tidemill.lazy
function lazy:transpose(...) end

--- The elements in row-major order in another shape; one -1 stands for what is left.
---@param ... integer|integer[]
---@return tidemill.lazy
function lazy:reshape(...) end

--- All elements in one axis.
---@return tidemill.lazy
function lazy:flatten() end

--- Without axes of one element: all of them, or those that are named.
---@param axes? integer|integer[]
---@return tidemill.lazy
function lazy:squeeze(axes) end

--- With an axis of one element at this place of the new shape.
---@param axis integer
---@return tidemill.lazy
function lazy:expand_dims(axis) end

--- Repeated along axes of one element, or new ones before the first, up to a shape.
---@param ... integer|integer[]
---@return tidemill.lazy
function lazy:broadcast_to(...) end

--- The same elements in other chunks: a:rechunk(1000), a:rechunk{1000, "all"}, a:rechunk("auto").
---@param chunks integer|string|table
---@return tidemill.lazy
function lazy:rechunk(chunks) end

--- The places that an array of numbers names, along an axis (the first).
---@param index tidemill.numbers|tidemill.lazy from 1; from the end when negative
---@param axis? integer
---@return tidemill.lazy
function lazy:take(index, axis) end

--- The elements that a bool array of the same shape marks, in one axis.
---@param mask tidemill.array|tidemill.lazy
---@return tidemill.lazy
function lazy:mask(mask) end

--- With the elements of some axes (all) in reverse.
---@param axes? integer|integer[]
---@return tidemill.lazy
function lazy:flip(axes) end

-- ---- running -----------------------------------------------------------------------------------------

--- The elements: a computed array, or where no axis is left a number or boolean.
---@param given? tidemill.run_options
---@return tidemill.array|number|boolean
function lazy:compute(given) end

--- Starts now and keeps the chunks: a lazy array whose elements are computed once.
---@return tidemill.lazy
function lazy:persist() end

--- One lazy node that gives the whole array, for the functions that take nodes.
---@return tidemill.node
function lazy:node() end

--- Starts now; a future of the whole array.
---@return tidemill.future
function lazy:submit() end

--- How the array would run: its stages, what each fuses, chunks and tasks; a table that prints as text.
---@return tidemill.plan
function lazy:optimize() end

--- The same as optimize, by the word that nodes use.
---@return tidemill.plan
function lazy:explain() end

--- Draws the tasks: a:visualize("x.svg") or ("x.dot").
---@param file string
---@param given? tidemill.picture
function lazy:visualize(file, given) end

-- ---- functions of one's own --------------------------------------------------------------------------

---@alias tidemill.boundary "none"|"nearest"|"periodic"|"reflect"|number

---@class tidemill.overlap_options: tidemill.options
---@field dtype? tidemill.dtype of the result; that of the array
---@field boundary? tidemill.boundary|tidemill.boundary[] what is beyond the ends; for all axes, or one an axis

---@class tidemill.block_options: tidemill.options
---@field dtype? tidemill.dtype of the result; that of the array
---@field chunks? integer[][]|integer[] sizes of a resulting block along each axis

--- fn(block, ...) of each chunk; other arrays give the block at the same place.
---
---     local y = x:map_blocks(function(block) return tm.kernels.exp(block) end)
---@param fn function|tidemill.delayed gets computed arrays, gives one
---@param ... tidemill.lazy|tidemill.array|tidemill.block_options other arrays of the same shape; then options
---@return tidemill.lazy
function lazy:map_blocks(fn, ...) end

--- fn(block) of each chunk with `depth` more elements of its neighbours around it, which are cut off
--- the result again.  At the array's own ends there are none, and the block is smaller there, unless
--- `boundary` says what is beyond: "nearest" the last element, "periodic" those of the other end,
--- "reflect" the last ones in reverse, or a number; for all axes, or one an axis.
---@param fn function|tidemill.delayed gives an array of the shape that it gets
---@param depth integer|table for all axes; one an axis; or {before, after} an axis
---@param given? tidemill.overlap_options
---@return tidemill.lazy
function lazy:map_overlap(fn, depth, given) end

--- Rolling windows along an axis (the first): a:rolling(30):mean(), a:rolling(5, 2):max().
--- mean, sum, var, std (ddof 1), min, max, median, quantile(q), zscore; NaN before the first full window.
--- corr: of a matrix of series along that axis, correlations of all pairs: full windows x series x series.
---@param window integer
---@param axis? integer
---@return tidemill.rolling
function lazy:rolling(window, axis) end

-- ---- products ----------------------------------------------------------------------------------------

--- The product of matrices; a vector on the left is a row, on the right a column.
---@param other any
---@return tidemill.lazy
function lazy:matmul(other) end

--- The same; of two vectors the sum of their products.
---@param other any
---@return tidemill.lazy
function lazy:dot(other) end

--- Sums of products over some axes of both: axes = n are the last n of this array and the first n of
--- the other, {{..}, {..}} lists of axes.
---@param other any
---@param axes? integer|table 2
---@return tidemill.lazy
function lazy:tensordot(other, axes) end

--- All products of an element of this vector with one of another: #a x #b.
---@param other any
---@return tidemill.lazy
function lazy:outer(other) end

--- Correlations of the rows (Pearson): rows x rows, from -1 to 1.  A constant row, or one with a NaN,
--- gives NaN.
---@param other? nil nothing: two series are two rows
---@return tidemill.lazy
function lazy:corr(other) end

--- Covariances of the rows: rows x rows, divided by n - ddof.
---@param given? {ddof: integer?} 1
---@return tidemill.lazy
function lazy:cov(given) end

-- ---- order and counts --------------------------------------------------------------------------------

--- Running sums, along an axis (the first).
---@param axis? integer
---@return tidemill.lazy
function lazy:cumsum(axis) end

--- Running products, along an axis (the first).
---@param axis? integer
---@return tidemill.lazy
function lazy:cumprod(axis) end

--- The greatest so far, along an axis (the first).
---@param axis? integer
---@return tidemill.lazy
function lazy:cummax(axis) end

--- The least so far, along an axis (the first).
---@param axis? integer
---@return tidemill.lazy
function lazy:cummin(axis) end

--- Differences of neighbours along an axis (the first), one fewer than there are elements, none of none.
---@param axis? integer
---@return tidemill.lazy
function lazy:diff(axis) end

--- Sorted along an axis (the last); NaN last.
---@param axis? integer
---@param given? {descending: boolean?}
---@return tidemill.lazy
function lazy:sort(axis, given) end

--- Positions, from 1, of the elements in sorted order along an axis (the last); equal ones keep theirs.
---@param axis? integer
---@param given? {descending: boolean?}
---@return tidemill.lazy int64
function lazy:argsort(axis, given) end

--- The place of each element among all of a vector, from 1: see tm.kernels.rank.
---@param method? "average"|"min"|"max"|"dense"|"ordinal"
---@return tidemill.lazy float64
function lazy:rank(method) end

--- The distinct elements, ascending, and how many there are of each: computed at once, for how many
--- there are is not known before.
---@return tidemill.array values, tidemill.array counts
function lazy:unique() end

--- The k greatest of a vector, greatest first, and their positions; for k < 0 the -k least.  NaNs come
--- last in both, where fewer than k elements are none.
---@param k integer
---@return tidemill.lazy values, tidemill.lazy positions
function lazy:topk(k) end

--- Counts of the elements by bins: so many of one width from low to high (default: the least and the
--- greatest element, which are computed at once), or between the edges of a list.  NaN is in none.
---@param bins integer|tidemill.numbers
---@param low? number
---@param high? number
---@param weights? nil none: tm.kernels.histogram takes them
---@return tidemill.lazy counts, tidemill.array edges
function lazy:histogram(bins, low, high, weights) end

--- Quantiles, linear between neighbours, along an axis, or of all: one for a number q, in place of the
--- axis a list of them for a list.
---@param q number|number[]
---@param axis? integer
---@return tidemill.lazy
function lazy:quantile(q, axis) end

--- The middle element, or half way between the middle two, along an axis, or of all.
---@param axis? integer
---@return tidemill.lazy
function lazy:median(axis) end

-- ---- rolling windows -------------------------------------------------------------------------------------

--- Windows along an axis: results have the array's shape, NaN before the first full window.
---@class tidemill.rolling
---@field mean fun(self: tidemill.rolling): tidemill.lazy
---@field sum fun(self: tidemill.rolling): tidemill.lazy
---@field var fun(self: tidemill.rolling, ddof?: integer): tidemill.lazy
---@field std fun(self: tidemill.rolling, ddof?: integer): tidemill.lazy
---@field min fun(self: tidemill.rolling): tidemill.lazy
---@field max fun(self: tidemill.rolling): tidemill.lazy
---@field median fun(self: tidemill.rolling): tidemill.lazy
---@field quantile fun(self: tidemill.rolling, q: number): tidemill.lazy
---@field zscore fun(self: tidemill.rolling, ddof?: integer): tidemill.lazy
---@field corr fun(self: tidemill.rolling): tidemill.lazy correlations of all pairs of series: full windows x series x series
