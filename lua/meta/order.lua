---@meta _
-- What editors know of tm.kernels: order, and what is chosen by it.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill.kernels
local kernels = {}

-- Order ----------------------------------------------------------------------------------------

--- The values in ascending order, of an array of several axes each row by itself.
---     tm.kernels.sort({3, 1, 2})                         --> 1, 2, 3
---     tm.kernels.sort({3, 1, 2}, {descending = true})    --> 3, 2, 1
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return tidemill.array
function kernels.sort(x, options) end

--- Positions of the values in ascending order, of an array of several axes each row by itself.
---     tm.kernels.argsort({30, 10, 20})                   --> 2, 3, 1
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return tidemill.array int32, int64 where a row has 2^31 values
function kernels.argsort(x, options) end

--- Whether the values stand in order already.
---     tm.kernels.is_sorted({1, 2, 2})                    --> true
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return boolean
function kernels.is_sorted(x, options) end

--- The place of each value among all, from 1.  Equal values share the mean of theirs, or the least
--- ("min"), the largest ("max"), the same one with none left out after it ("dense"); "ordinal"
--- gives each its own, in their order.  NaN has NaN.
---     tm.kernels.rank({10, 30, 10})                      --> 1.5, 3, 1.5
---@param x tidemill.numbers
---@param method? "average"|"min"|"max"|"dense"|"ordinal"
---@return tidemill.array float64
function kernels.rank(x, method) end

--- The distinct values, ascending, and how many there are of each.  With {index = true} also the
--- position of each one's first, and for each element of x the place of its value among them.
---     tm.kernels.unique({3, 1, 3})                       --> 1, 3   and   1, 2
---@param x tidemill.numbers
---@param options? {index?: boolean}
---@return tidemill.array values, tidemill.array counts, tidemill.array? first, tidemill.array? inverse
function kernels.unique(x, options) end

--- Where values would be put among ascending ones: the position, from 1, of the first that is not
--- below, or with "right" of the first that is above; one more than there are when there is none.
--- Arrays of two types are compared in what holds both, date and timestamp at midnight; tables as float64.
---     tm.kernels.searchsorted({10, 20, 20, 30}, {20, 5, 40})             --> 2, 1, 5
---     tm.kernels.searchsorted({10, 20, 20, 30}, 20, "right")             --> 4
---@param sorted tidemill.numbers ascending
---@param values tidemill.numbers|number in any order
---@param side? "left"|"right"
---@return tidemill.array|integer positions int32, or a number for a number
function kernels.searchsorted(sorted, values, side) end

--- Values that part all of several lists into so many buckets of about one size, chosen from
--- samples, so that the same lists give the same ones.
---     local bounds = tm.kernels.splitters({chunk1, chunk2}, 8)
---@param parts tidemill.numbers[]
---@param buckets integer
---@return tidemill.array splitters buckets - 1 ascending values
function kernels.splitters(parts, buckets) end

--- The values in buckets: bucket b has those that are not below splitter b - 1 and are below
--- splitter b, in their old order; NaNs are in the last.
---     tm.kernels.split({5, 1, 7}, {4})                   --> {1} and {5, 7}, in a table
---@param x tidemill.numbers
---@param splitters tidemill.numbers ascending, of the type of x
---@return tidemill.array[] buckets #splitters + 1
function kernels.split(x, splitters) end

--- The values of several lists in one order.
---     tm.kernels.sort_parts({{3, 1}, {2}})               --> 1, 2, 3
---@param parts tidemill.numbers[] of one type
---@param options? {descending?: boolean}
---@return tidemill.array
function kernels.sort_parts(parts, options) end

--- Ascending lists merged, or values `first` to `last` of that, made by themselves; of equal values
--- those of an earlier list are first.
---     tm.kernels.merge({{1, 4}, {2, 3}})                 --> 1, 2, 3, 4
---     tm.kernels.merge({{1, 4}, {2, 3}}, 2, 3)           --> 2, 3
---@param runs tidemill.numbers[] ascending, of one type
---@param first? integer default 1
---@param last? integer default how many there are in all
---@return tidemill.array
function kernels.merge(runs, first, last) end

-- Selecting ------------------------------------------------------------------------------------

--- The values at these positions, in their order and of their type; along an axis of an array of
--- several.
---     tm.kernels.take({10, 20, 30}, {3, 1})              --> 30, 10
---     tm.kernels.take(matrix, {2}, 2)                    -- its second column
---@param values tidemill.numbers
---@param index tidemill.numbers positions from 1
---@param axis? integer from 1, the first unless given
---@return tidemill.array
function kernels.take(values, index, axis) end

--- A copy with these values at these positions; of equal positions the last counts.
---     tm.kernels.put({1, 2, 3}, {3, 1}, {9, 8})          --> 8, 2, 9
---     tm.kernels.put({1, 2, 3}, {2}, 0)                  --> 1, 0, 3
---@param x tidemill.numbers
---@param index tidemill.numbers positions from 1, in row-major order
---@param values tidemill.numbers|number one for each position, or one for all
---@return tidemill.array
function kernels.put(x, index, values) end

--- The values where the mask is true; of an array of several axes what lies along its first.
---     tm.kernels.compress({10, 20, 30}, {true, false, true})             --> 10, 30
---@param x tidemill.numbers
---@param mask tidemill.array|boolean[]
---@return tidemill.array
function kernels.compress(x, mask) end

--- The positions, from 1, where a mask is true.
---     tm.kernels.nonzero({false, true, true})            --> 2, 3
---@param mask tidemill.array|boolean[]
---@return tidemill.array int32, int64 of 2^31 elements
function kernels.nonzero(mask) end

--- Positions by code from 0, as a dictionary has them: those with code g - 1 are index[i] for
--- offsets[g] <= i < offsets[g + 1].  A negative code is left out.
---     local offsets, index = tm.kernels.group({1, 0, 1}, 2)   --> 1, 2, 4   and   2, 1, 3
---@param codes tidemill.numbers
---@param groups integer all codes are below
---@return tidemill.array offsets, tidemill.array index
function kernels.group(codes, groups) end

--- The values that two ascending lists of integers (or dates) share, each once.
---     tm.kernels.intersect({1, 2, 4}, {2, 3, 4})         --> 2, 4
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return tidemill.array
function kernels.intersect(a, b) end

--- For each wanted key its first position among ascending keys, -1 where there is none.
---     tm.kernels.locate({10, 20, 30}, {30, 15})          --> 3, -1
---@param keys tidemill.numbers
---@param wanted tidemill.numbers in any order; ascending is fastest
---@return tidemill.array int32
function kernels.locate(keys, wanted) end
