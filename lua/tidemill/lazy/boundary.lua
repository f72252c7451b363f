-- boundary: what a lazy array has beyond its ends, for functions of neighbours: map_overlap.
-- The array becomes a longer one, axis by axis, so that corners are as numpy.pad has them.
-- SPDX-License-Identifier: MIT

local join = require("tidemill.lazy.join")
local make = require("tidemill.lazy.make")
local shown = require("tidemill.shown")

local boundary = {}

-- Kinds -> whether they take as many elements of the axis as there are to be more.
local needs = { none = false, nearest = false, periodic = true, reflect = true }

-- One kind or number for each axis; none where it is not said.
local function kinds_of(given, dims, level)
  local list = {}
  for axis in pairs(type(given) == "table" and given or {}) do
    if dims[axis] == nil then
      error(("map_overlap: boundary: expected one entry an axis, of %d, got one for %s"):format(#dims,
        shown.value(axis)), level + 1)
    end
  end
  for axis in ipairs(dims) do
    local kind = given
    if type(given) == "table" then kind = given[axis] end
    if kind == nil then kind = "none" end
    if needs[kind] == nil and type(kind) ~= "number" and type(kind) ~= "boolean" then
      error(("map_overlap: boundary: axis %d: expected \"none\", \"nearest\", \"periodic\", \"reflect\" or a "
        .. "number, got %s"):format(axis, shown.value(kind)), level + 1)
    end
    list[axis] = kind
  end
  return list
end

local function check_size(kind, axis, size, more, level)
  local least = needs[kind] and more or kind == "nearest" and 1 or 0
  if more > 0 and size < least then
    error(("map_overlap: boundary: \"%s\" by %d wants axis %d to have %d elements or more, it has %d"):format(
      kind, more, axis, least, size), level + 1)
  end
end

-- Elements `first` to `last` of an axis.
local function part(x, axis, first, last, step)
  local ranges = {}
  for k = 1, axis - 1 do ranges[k] = true end
  ranges[axis] = { first, last, step }
  return x:slice(ranges)
end

local ends = {}

function ends.periodic(x, axis, size, before, after)
  return part(x, axis, size - before + 1, size), part(x, axis, 1, after)
end

function ends.reflect(x, axis, size, before, after)
  return part(x, axis, before, 1, -1), part(x, axis, size, size - after + 1, -1)
end

local function shape_with(x, axis, size)
  local shape = x.shape
  shape[axis] = size
  return shape
end

function ends.nearest(x, axis, size, before, after)
  return part(x, axis, 1, 1):broadcast_to(shape_with(x, axis, before)),
    part(x, axis, size, size):broadcast_to(shape_with(x, axis, after))
end

local function constants(x, axis, value, before, after)
  local given = { dtype = x.dtype }
  return make.full(shape_with(x, axis, before), value, given),
    make.full(shape_with(x, axis, after), value, given)
end

-- With `before` and `after` more elements of an axis at its ends, where they are not 0.
local function longer(x, axis, kind, before, after)
  local size = x.shape[axis]
  local first, last
  if type(kind) == "string" then
    first, last = ends[kind](x, axis, size, math.max(before, 1), math.max(after, 1))
  else
    first, last = constants(x, axis, kind, before, after)
  end
  local list = { x }
  if before > 0 then table.insert(list, 1, first) end
  if after > 0 then list[#list + 1] = last end
  return #list > 1 and join.concat(list, axis) or x
end

--- An array with more around it, and how much more there is before it along each axis.
---@param x tidemill.lazy
---@param reach integer[][] before and after, along each axis
---@param given string|number|table|nil
---@param level integer
---@return tidemill.lazy
---@return integer[]
function boundary.around(x, reach, given, level)
  local dims, before = x.shape, {}
  local kinds = kinds_of(given, dims, level + 1)
  for axis, kind in ipairs(kinds) do
    local own = kind == "none" and { 0, 0 } or reach[axis]
    check_size(kind, axis, dims[axis], math.max(own[1], own[2]), level + 1)
    if own[1] + own[2] > 0 then x = longer(x, axis, kind, own[1], own[2]) end
    before[axis] = own[1]
  end
  return x, before
end

return boundary
