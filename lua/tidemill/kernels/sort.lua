-- sort: sorted values and positions, ranks, distinct values, searches; part of tm.kernels.
-- Equal values keep their order, NaN is last; kernels/order.h says it to the bit.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local dtypes = require("tidemill.dtype")
local sortable = require("tidemill.kernels.sortable")
require("tidemill.kernels.declare")("order.h")

local refuse, check_values = arguments.refuse, arguments.check_values
local hold, scratch = arguments.hold, sortable.scratch
local values_of, number_of = sortable.values, sortable.number
local options_of = sortable.options
local words = ffi.typeof("int64_t *")

local kernels = {}

arguments.describe {
  sort = "sort(x, options)",
  argsort = "argsort(x, options)",
  is_sorted = "is_sorted(x, options)",
  rank = "rank(x, method)",
  unique = "unique(x, options)",
  searchsorted = "searchsorted(sorted, values, side)",
}

local order_options = { "descending" }

local function descends(options)
  return options.descending and 1 or 0
end

--- The values in ascending order, of an array of several axes each row by itself.
---     tm.kernels.sort({3, 1, 2})                         --> 1, 2, 3
---     tm.kernels.sort({3, 1, 2}, {descending = true})    --> 3, 2, 1
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return tidemill.array
function kernels.sort(x, options)
  options = options_of("sort", options, order_options)
  check_values("sort", "x", x)
  x = values_of("sort", "x", x)
  local rows, n = sortable.rows(x)
  local out = array.new(x.dtype, x.length, x.shape)
  local work, space = scratch(n)
  C.tidemill_kernel_sort(number_of(x), x:pointer(), rows, n, descends(options), work, out:pointer())
  hold(x, space)
  return out
end

--- Positions of the values in ascending order, of an array of several axes each row by itself.
---     tm.kernels.argsort({30, 10, 20})                   --> 2, 3, 1
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return tidemill.array int32, int64 where a row has 2^31 values
function kernels.argsort(x, options)
  options = options_of("argsort", options, order_options)
  check_values("argsort", "x", x)
  x = values_of("argsort", "x", x)
  local rows, n = sortable.rows(x)
  local dtype, width = sortable.index_type(n)
  local out = array.new(dtype, x.length, x.shape)
  local work, space = scratch(2 * n)
  C.tidemill_kernel_argsort(number_of(x), x:pointer(), rows, n, descends(options), width, 1,
    ffi.cast(words, work), out:pointer())
  hold(x, space)
  return out
end

--- Whether the values stand in order already.
---     tm.kernels.is_sorted({1, 2, 2})                    --> true
---@param x tidemill.numbers
---@param options? {descending?: boolean}
---@return boolean
function kernels.is_sorted(x, options)
  options = options_of("is_sorted", options, order_options)
  check_values("is_sorted", "x", x)
  x = values_of("is_sorted", "x", x)
  local sorted = C.tidemill_kernel_is_sorted(number_of(x), x:pointer(), x.length, descends(options))
  hold(x)
  return sorted == 1
end

--- The place of each value among all, from 1.  Equal values share the mean of theirs, or the least
--- ("min"), the largest ("max"), the same one with none left out after it ("dense"); "ordinal"
--- gives each its own, in their order.  NaN has NaN.
---     tm.kernels.rank({10, 30, 10})                      --> 1.5, 3, 1.5
---@param x tidemill.numbers
---@param method? "average"|"min"|"max"|"dense"|"ordinal"
---@return tidemill.array float64
function kernels.rank(x, method)
  local number, problem = sortable.rank_method(method)
  if not number then refuse("rank", "method must be one of %s", problem) end
  check_values("rank", "x", x)
  x = values_of("rank", "x", x)
  local out = array.new("float64", x.length, x.shape)
  local work, space = scratch(2 * x.length)
  C.tidemill_kernel_rank(number_of(x), x:pointer(), x.length, number, ffi.cast(words, work),
    out:pointer())
  hold(x, space)
  return out
end

-- The first `length` elements as an array of their own.
local function first_of(a, length)
  local out = array.new(a.dtype, length)
  ffi.copy(out:pointer(), a:pointer(), length * (a.nbytes / #a))
  hold(a)
  return out
end

local function shorten(length, ...)
  local lists = { ... }
  for i, list in ipairs(lists) do
    if length < #list then lists[i] = first_of(list, length) end
  end
  return unpack(lists)
end

--- The distinct values, ascending, and how many there are of each.  With {index = true} also the
--- position of each one's first, and for each element of x the place of its value among them.
---     tm.kernels.unique({3, 1, 3})                       --> 1, 3   and   1, 2
---@param x tidemill.numbers
---@param options? {index?: boolean}
---@return tidemill.array values, tidemill.array counts, tidemill.array? first, tidemill.array? inverse
function kernels.unique(x, options)
  options = options_of("unique", options, { "index" })
  check_values("unique", "x", x)
  x = values_of("unique", "x", x)
  local n = x.length
  local values, counts = array.new(x.dtype, n), array.new("int64", n)
  if not options.index then
    local sorted = array.new(x.dtype, n)
    local work, space = scratch(n)
    C.tidemill_kernel_sort(number_of(x), x:pointer(), 1, n, 0, work, sorted:pointer())
    local distinct = tonumber(C.tidemill_kernel_unique(number_of(x), sorted:pointer(), n,
      values:pointer(), counts:pointer()))
    hold(x, space, sorted)
    return shorten(distinct, values, counts)
  end
  local first, inverse = array.new("int64", n), array.new("int64", n)
  local work, space = scratch(2 * n)
  local distinct = tonumber(C.tidemill_kernel_unique_index(number_of(x), x:pointer(), n, 1,
    ffi.cast(words, work), values:pointer(), first:pointer(), counts:pointer(), inverse:pointer()))
  hold(x, space)
  values, counts, first = shorten(distinct, values, counts, first)
  return values, counts, first, inverse
end

local sides = { left = 0, right = 1 }

-- The type in which two lists are compared: of arrays what holds both, int32 and int64 as int64, date
-- and timestamp as timestamp; else float64.
local function common_type(a, b)
  if array.is(a) and type(b) == "number" and dtypes.is_float(a.dtype) then return a.dtype end
  if not array.is(a) or not array.is(b) then return "float64" end
  if a.dtype == b.dtype then return a.dtype end
  return dtypes.is(a.dtype) and dtypes.is(b.dtype) and dtypes.promote(a.dtype, b.dtype) or "float64"
end

--- Where values would be put among ascending ones: the position, from 1, of the first that is not
--- below, or with "right" of the first that is above; one more than there are when there is none.
--- Arrays of two types are compared in what holds both, date and timestamp at midnight; tables as float64.
---     tm.kernels.searchsorted({10, 20, 20, 30}, {20, 5, 40})             --> 2, 1, 5
---     tm.kernels.searchsorted({10, 20, 20, 30}, 20, "right")             --> 4
---@param sorted tidemill.numbers ascending
---@param values tidemill.numbers|number in any order
---@param side? "left"|"right"
---@return tidemill.array|integer positions int32, or a number for a number
function kernels.searchsorted(sorted, values, side)
  if side == nil then side = "left" end
  if not sides[side] then
    refuse("searchsorted", "side must be \"left\" or \"right\", got %s", arguments.shown(side))
  end
  local single, is_int64 = type(values) == "number", ffi.istype("int64_t", values)
  if is_int64 then single, values = true, array.from({ values }, "int64") end
  local dtype = common_type(sorted, values)
  if single and not is_int64 then values = { values } end
  check_values("searchsorted", "sorted", sorted)
  check_values("searchsorted", "values", values)
  sorted = values_of("searchsorted", "sorted", sorted, dtype)
  values = values_of("searchsorted", "values", values, dtype)
  local index, width = sortable.index_type(sorted.length)
  local out = array.new(index, values.length, values.shape)
  C.tidemill_kernel_searchsorted(number_of(sorted), sorted:pointer(), sorted.length, values:pointer(),
    values.length,
    sides[side], width, 1, out:pointer())
  hold(sorted, values)
  return single and out[1] or out
end

return kernels
