-- shapes: the methods of lazy arrays that show the same elements otherwise: slices, transposes,
-- reshaping, joining, other chunks.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local pick = require("tidemill.lazy.pick")
local shown = require("tidemill.shown")

local methods = {}

local function operand(what, self, level) return (lazy.array_operand(what, self, level + 1)) end

-- ---- slices -----------------------------------------------------------------------------------------

local function whole(value) return type(value) == "number" and value == math.floor(value) end

-- A place from 0, of an index from 1, or from the end when it is negative.
local function place_of(index, size, axis, level)
  if whole(index) then
    local at = index < 0 and size + index or index - 1
    if at >= 0 and at < size and index ~= 0 then return at end
  end
  error(("slice: index %s is outside 1..%d (axis %d)"):format(shown.value(index), size, axis), level + 1)
end

-- First place, count and step of a range {first, last, step}, both ends included.
local function range_of(range, size, axis, level)
  local step = range[3] == nil and 1 or range[3]
  if not whole(step) or step == 0 then
    error(("slice: axis %d: a step is a whole number and not 0, got %s"):format(axis, shown.value(step)),
      level + 1)
  end
  local first, last = range[1], range[2]
  if size == 0 and first == nil and last == nil then return 0, 0, step end
  if first == nil then first = step > 0 and 1 or -1 end
  if last == nil then last = step > 0 and -1 or 1 end
  -- An empty range {n + 1, n} is no mistake.
  if step == 1 and whole(first) and first >= 1 and first <= size + 1 and last == first - 1 then
    return 0, 0, 1
  end
  local from, to = place_of(first, size, axis, level + 1), place_of(last, size, axis, level + 1)
  return from, math.max(math.floor((to - from) / step) + 1, 0), step
end

local function is_array(value) return array.is(value) or lazy.is(value) end

-- Numbers, ranges and `true` of a slice as one view.
local function basic(e, entries, level)
  local dims, map = {}, {}
  for axis, size in ipairs(e.dims) do
    local entry = entries[axis]
    if entry == nil or entry == true then entry = {} end
    if type(entry) == "number" then
      map[axis] = { start = place_of(entry, size, axis, level + 1), step = 0 }
    else
      local first, count, step = range_of(entry, size, axis, level + 1)
      dims[#dims + 1] = count
      map[axis] = { axis = #dims, start = first, step = step }
    end
  end
  return expr.view(e, dims, map)
end

-- What an index array picks along an axis of what the other entries have left.
local function picked(e, given, level)
  local plain, arrays, axis = {}, {}, 0
  for k = 1, #e.dims do
    local entry = given[k]
    if is_array(entry) then
      plain[k] = true
      axis = axis + 1
      arrays[axis] = entry
    else
      plain[k] = entry == nil and true or entry
      if type(plain[k]) ~= "number" then axis = axis + 1 end
    end
  end
  local result = basic(e, plain, level + 1)
  for at, index in pairs(arrays) do result = pick.along(result, at, index, level + 1) end
  return result
end

-- Whether a table has entries by number alone: names would be passed over in silence.
local function is_list(value, most)
  if type(value) ~= "table" or table.maxn(value) > most then return false end
  for key in pairs(value) do
    if type(key) ~= "number" and key ~= "n" then return false end
  end
  return true
end

--- The slice of a value: what a:slice does.
function methods.sliced(value, ranges, level)
  local e = operand("slice", value, level + 1)
  if is_array(ranges) then
    return lazy.of(pick.where(e, lazy.array_operand("slice", ranges, level + 1), level + 1))
  end
  if not is_list(ranges, math.huge) then error("slice: expected a:slice{ entry, ... }", level + 1) end
  local count, has_arrays = table.maxn(ranges), false
  if count > #e.dims then
    error(("slice: %d entries for an array of %d axes"):format(count, #e.dims), level + 1)
  end
  for axis = 1, count do
    local entry = ranges[axis]
    local kind = type(entry)
    has_arrays = has_arrays or is_array(entry)
    if kind ~= "number" and kind ~= "nil" and entry ~= true and not is_array(entry)
      and not is_list(entry, 3) then
      error(("slice: axis %d: expected a number, {first, last, step}, true or an array, got %s"):format(axis,
        shown.value(entry)), level + 1)
    end
  end
  if has_arrays then return lazy.of(picked(e, ranges, level + 1)) end
  return lazy.of(basic(e, ranges, level + 1))
end

--- A part: one entry an axis, the rest whole.  A number takes that place and drops the axis, {first,
--- last, step} takes a range with both ends, {} or true all, an array of numbers these places, a bool
--- array those that are true: a:slice{ {1, 10}, 5 }, a:slice{ {-1, 1, -1} }, a:slice{ index }.
--- A bool array of the shape itself in place of the entries gives what it marks, in one axis.
---@param ranges table|tidemill.lazy|tidemill.array
---@return tidemill.lazy
function methods:slice(ranges)
  return (methods.sliced(self, ranges, 2))
end

--- The places that an array of numbers names, along an axis (the first).
---@param index tidemill.numbers|tidemill.lazy from 1; from the end when negative
---@param axis? integer
---@return tidemill.lazy
function methods:take(index, axis)
  local e = operand("take", self, 2)
  if type(index) == "table" then index = array.given(index, "take", 2) end
  if not is_array(index) then
    error("take: expected an array or a table of indexes, got a " .. type(index), 2)
  end
  return lazy.of(pick.along(e, axis == nil and 1 or axis, index, 2))
end

--- The elements that a bool array of the same shape marks, in one axis.
---@param mask tidemill.array|tidemill.lazy
---@return tidemill.lazy
function methods:mask(mask)
  return lazy.of(pick.where(operand("mask", self, 2), operand("mask", mask, 2), 2))
end

-- ---- the order of axes ------------------------------------------------------------------------------

local function listed(list)
  local texts = {}
  for k = 1, table.maxn(list) do texts[k] = shown.value(list[k]) end
  return table.concat(texts, ", ")
end

--- With the axes in another order, reversed without one: a:transpose(2, 1, 3).
---@param ... integer
---@return tidemill.lazy
function methods:transpose(...)
  local e, given = operand("transpose", self, 2), { ... }
  if type(given[1]) == "table" then given = given[1] end
  local count, order, seen = #e.dims, {}, {}
  if #given == 0 then
    for axis = 1, count do order[axis] = count - axis + 1 end
    return lazy.of(expr.transpose(e, order))
  end
  for k = 1, math.max(count, #given) do
    local axis = given[k]
    if whole(axis) and axis < 0 then axis = count + axis + 1 end
    if not whole(axis) or axis < 1 or axis > count or seen[axis] then
      error(("transpose: expected the %d axes in some order, got (%s)"):format(count, listed(given)), 2)
    end
    order[k], seen[axis] = axis, true
  end
  return lazy.of(expr.transpose(e, order))
end

--- The transpose: the axes reversed.
---@return tidemill.lazy
function methods:T()
  if self == nil then error("expected x:T()", 2) end
  return methods.transpose(self)
end

--- With the elements of some axes (all) in reverse.
---@param axes? integer|integer[]
---@return tidemill.lazy
function methods:flip(axes)
  local e, map = operand("flip", self, 2), {}
  local flipped = {}
  for _, axis in ipairs(require("tidemill.lazy.reduce").axes_of("flip", e.dims, axes, 2)) do
    flipped[axis] = true
  end
  for axis, size in ipairs(e.dims) do
    map[axis] = flipped[axis] and { axis = axis, start = math.max(size - 1, 0), step = -1 }
      or { axis = axis, start = 0, step = 1 }
  end
  return lazy.of(expr.view(e, e.dims, map))
end

-- ---- shapes -----------------------------------------------------------------------------------------

-- The shape that is asked for; one -1 is what is left.
local function asked(what, e, level, first, ...)
  local given = type(first) == "table" and first or { first, ... }
  local dims, open, known = {}, nil, 1
  for axis, size in ipairs(given) do
    if size == -1 and not open then
      open = axis
      dims[axis] = 1
    elseif whole(size) and size >= 0 then
      dims[axis] = size
      known = known * size
    else
      error(("%s: axis %d: expected a size >= 0, or -1 once, got %s"):format(what, axis, shown.value(size)),
        level + 1)
    end
  end
  local length = expr.length(e.dims)
  if open then
    if known == 0 or length % known ~= 0 then
      error(("%s: %s has %d elements, which %d does not divide"):format(what, expr.shape_text(e.dims), length,
        known), level + 1)
    end
    dims[open] = length / known
  elseif known ~= length then
    error(("%s: %s has %d elements, %s would have %d"):format(what, expr.shape_text(e.dims), length,
      expr.shape_text(dims), known), level + 1)
  end
  return expr.dims(what, level + 1, dims)
end

--- The elements in row-major order in another shape; one -1 stands for what is left.
---@param ... integer|integer[]
---@return tidemill.lazy
function methods:reshape(...)
  local e = operand("reshape", self, 2)
  return lazy.of(expr.reshape(e, asked("reshape", e, 2, ...)))
end

--- All elements in one axis.
---@return tidemill.lazy
function methods:flatten()
  local e = operand("flatten", self, 2)
  return lazy.of(expr.reshape(e, { expr.length(e.dims) }))
end

--- Without axes of one element: all of them, or those that are named.
---@param axes? integer|integer[]
---@return tidemill.lazy
function methods:squeeze(axes)
  local e, drop = operand("squeeze", self, 2), {}
  if axes == nil then
    for axis, size in ipairs(e.dims) do drop[axis] = size == 1 end
  else
    for _, axis in ipairs(require("tidemill.lazy.reduce").axes_of("squeeze", e.dims, axes, 2)) do
      if e.dims[axis] ~= 1 then
        error(("squeeze: axis %d has %d elements"):format(axis, e.dims[axis]), 2)
      end
      drop[axis] = true
    end
  end
  return lazy.of(expr.drop_axes(e, drop))
end

--- With an axis of one element at this place of the new shape.
---@param axis integer
---@return tidemill.lazy
function methods:expand_dims(axis)
  local e = operand("expand_dims", self, 2)
  local at = whole(axis) and axis < 0 and #e.dims + 2 + axis or axis
  if not whole(at) or at < 1 or at > #e.dims + 1 then
    error(("expand_dims: axis %s is outside 1..%d"):format(shown.value(axis), #e.dims + 1), 2)
  end
  if #e.dims == 8 then error("expand_dims: at most 8 axes, got 9", 2) end
  return lazy.of(expr.insert_axes(e, { at }))
end

--- Repeated along axes of one element, or new ones before the first, up to a shape.
---@param ... integer|integer[]
---@return tidemill.lazy
function methods:broadcast_to(...)
  local e, dims = operand("broadcast_to", self, 2), expr.dims("broadcast_to", 2, ...)
  local shape = expr.broadcast("broadcast_to", { e.dims, dims }, 2)
  if not expr.same_dims(shape, dims) then
    error(("broadcast_to: %s does not broadcast to %s"):format(expr.shape_text(e.dims),
      expr.shape_text(dims)), 2)
  end
  return lazy.of(expr.expand(e, dims))
end

--- The same elements in other chunks: a:rechunk(1000), a:rechunk{1000, "all"}, a:rechunk("auto").
---@param chunks integer|string|table
---@return tidemill.lazy
function methods:rechunk(chunks)
  local e = operand("rechunk", self, 2)
  local g = grid.new(e.dims, dtypes.size(e.dtype), chunks, "rechunk", 2)
  local input = e
  while input.op == "rechunk" do input = input.input end
  return lazy.of({ op = "rechunk", dims = e.dims, dtype = e.dtype, input = input, grid = g })
end

return methods
