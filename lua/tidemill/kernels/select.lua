-- select: values by position and by mask; part of tm.kernels.
-- Arrays of several axes are lists of what lies along their first.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local sortable = require("tidemill.kernels.sortable")
require("tidemill.kernels.declare")("select.h")

local fail, refuse, hold = arguments.fail, arguments.refuse, arguments.hold
local check_values, size_of = arguments.check_values, sortable.size
local elements_of, positions_of = sortable.elements, sortable.positions

local kernels = {}

arguments.describe {
  take = "take(values, index, axis)",
  put = "put(x, index, values)",
  compress = "compress(x, mask)",
  nonzero = "nonzero(mask)",
}

-- Sizes before an axis, of it, and after it.
local function around(shape, axis)
  local outer, inner = 1, 1
  for a = 1, axis - 1 do outer = outer * shape[a] end
  for a = axis + 1, #shape do inner = inner * shape[a] end
  return outer, shape[axis], inner
end

local function complain_of_position(name, index, at, length)
  local position = index:pointer()[at]
  fail(name, "index[%d] is %s, and there are %d values", at + 1,
    tostring(tonumber(position)), length)
end

--- The values at these positions, in their order and of their type; along an axis of an array of
--- several.
---     tm.kernels.take({10, 20, 30}, {3, 1})              --> 30, 10
---     tm.kernels.take(matrix, {2}, 2)                    -- its second column
---@param values tidemill.numbers
---@param index tidemill.numbers positions from 1
---@param axis? integer from 1, the first unless given
---@return tidemill.array
function kernels.take(values, index, axis)
  check_values("take", "values", values)
  check_values("take", "index", index)
  values, index = elements_of("take", "values", values), positions_of("take", "index", index)
  local shape = values.shape
  if axis == nil then axis = 1 end
  arguments.check_integer("take", "axis", axis, 1, #shape)
  local outer, length, inner = around(shape, axis)
  local n = index.length
  shape[axis] = n
  local out = array.new(values.dtype, outer * n * inner, shape)
  local taken = tonumber(C.tidemill_kernel_take(size_of(values) * inner, values:pointer(), outer,
    length, index:pointer(), size_of(index), n, 1, out:pointer()))
  if taken < n then complain_of_position("take", index, taken, length) end
  hold(values, index)
  return out
end

--- A copy with these values at these positions; of equal positions the last counts.
---     tm.kernels.put({1, 2, 3}, {3, 1}, {9, 8})          --> 8, 2, 9
---     tm.kernels.put({1, 2, 3}, {2}, 0)                  --> 1, 0, 3
---@param x tidemill.numbers
---@param index tidemill.numbers positions from 1, in row-major order
---@param values tidemill.numbers|number one for each position, or one for all
---@return tidemill.array
function kernels.put(x, index, values)
  check_values("put", "x", x)
  check_values("put", "index", index)
  x, index = elements_of("put", "x", x), positions_of("put", "index", index)
  local one = type(values) == "number" or type(values) == "boolean" or ffi.istype("int64_t", values)
  if one then values = { values } end
  check_values("put", "values", values)
  values = elements_of("put", "values", values, x.dtype)
  if not one and values.length ~= index.length then
    refuse("put", "values must be one or as many as positions, %d, got %d", index.length, values.length)
  end
  local out = array.new(x.dtype, x.length, x.shape)
  ffi.copy(out:pointer(), x:pointer(), x.length * size_of(x))
  local done = tonumber(C.tidemill_kernel_put(size_of(x), values:pointer(), one and 1 or 0,
    index:pointer(), size_of(index), index.length, 1, out:pointer(), x.length))
  if done < index.length then complain_of_position("put", index, done, x.length) end
  hold(x, index, values)
  return out
end

--- The values where the mask is true; of an array of several axes what lies along its first.
---     tm.kernels.compress({10, 20, 30}, {true, false, true})             --> 10, 30
---@param x tidemill.numbers
---@param mask tidemill.array|boolean[]
---@return tidemill.array
function kernels.compress(x, mask)
  check_values("compress", "x", x)
  check_values("compress", "mask", mask)
  x = elements_of("compress", "x", x)
  mask = sortable.mask("compress", "mask", mask)
  local shape = x.shape
  local _, length, inner = around(shape, 1)
  if mask.length ~= length then
    refuse("compress", "mask must have one element for each of %d, got %d", length, mask.length)
  end
  local count = tonumber(C.tidemill_kernel_mask_count(mask:pointer(), length))
  shape[1] = count
  local out = array.new(x.dtype, count * inner, shape)
  C.tidemill_kernel_compress(size_of(x) * inner, x:pointer(), mask:pointer(), count, out:pointer())
  hold(x, mask)
  return out
end

--- The positions, from 1, where a mask is true.
---     tm.kernels.nonzero({false, true, true})            --> 2, 3
---@param mask tidemill.array|boolean[]
---@return tidemill.array int32, int64 of 2^31 elements
function kernels.nonzero(mask)
  check_values("nonzero", "mask", mask)
  mask = sortable.mask("nonzero", "mask", mask)
  local dtype, width = sortable.index_type(mask.length)
  local count = tonumber(C.tidemill_kernel_mask_count(mask:pointer(), mask.length))
  local out = array.new(dtype, count)
  C.tidemill_kernel_nonzero(mask:pointer(), count, width, 1, out:pointer())
  hold(mask)
  return out
end

return kernels
