-- join: arrays made of several: tm.concat{a, b}, tm.stack{a, b}.
-- SPDX-License-Identifier: MIT

local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local plan = require("tidemill.lazy.plan")
local shown = require("tidemill.shown")
local view = require("tidemill.lazy.view")

local join = {}

-- The operands in their common type.
local function operands(what, list, level)
  if type(list) ~= "table" or lazy.is(list) or #list == 0 then
    error(("%s: expected a table of at least one array"):format(what), level + 1)
  end
  local inputs, dtype = {}, nil
  for i, value in ipairs(list) do
    inputs[i] = lazy.array_operand(what, value, level + 1)
    dtype = dtype and dtypes.promote(dtype, inputs[i].dtype, what, level + 1) or inputs[i].dtype
  end
  for i, e in ipairs(inputs) do inputs[i] = expr.cast(e, dtype) end
  return inputs, dtype
end

local function check_axis(what, axis, count, level)
  if axis == nil then return 1 end
  local at = type(axis) == "number" and axis < 0 and count + axis + 1 or axis
  if type(at) ~= "number" or at < 1 or at > count or at ~= math.floor(at) then
    error(("%s: axis %s is outside 1..%d"):format(what, shown.value(axis), count), level + 1)
  end
  return at
end

--- Arrays one after the other along an axis (the first): tm.concat({a, b}, 2).
---@param list table arrays whose other axes agree
---@param axis? integer
---@return tidemill.lazy
function join.concat(list, axis)
  local inputs, dtype = operands("concat", list, 2)
  local first = inputs[1].dims
  if #first == 0 then error("concat: expected arrays with an axis; tm.stack gives single values one", 2) end
  axis = check_axis("concat", axis, #first, 2)
  local dims = {}
  for k, size in ipairs(first) do dims[k] = size end
  for i = 2, #inputs do
    local own = inputs[i].dims
    for k = 1, math.max(#own, #first) do
      if own[k] == nil or first[k] == nil or (k ~= axis and own[k] ~= first[k]) then
        error(("concat: array %d has shape %s, array 1 has %s (axis %d)"):format(i, expr.shape_text(own),
          expr.shape_text(first), k), 2)
      end
    end
    dims[axis] = dims[axis] + own[axis]
  end
  if #inputs == 1 then return lazy.of(inputs[1]) end
  return lazy.of({ op = "concat", dims = expr.dims("concat", 2, dims), dtype = dtype, inputs = inputs,
    axis = axis, key = tostring(axis) })
end

--- Arrays of one shape along a new axis (the first): tm.stack{a, b}.
---@param list table
---@param axis? integer place of the new axis
---@return tidemill.lazy
function join.stack(list, axis)
  local inputs = operands("stack", list, 2)
  local first = inputs[1].dims
  axis = check_axis("stack", axis, #first + 1, 2)
  local pieces = {}
  for i, e in ipairs(inputs) do
    if not expr.same_dims(e.dims, first) then
      error(("stack: array %d has shape %s, array 1 has %s"):format(i, expr.shape_text(e.dims),
        expr.shape_text(first)), 2)
    end
    pieces[i] = lazy.of(expr.insert_axes(e, { axis }))
  end
  return join.concat(pieces, axis)
end

-- Along the axis each input keeps its own cuts, along the others all are cut where one is.
plan.stages.concat = function(planner, e)
  local axes, sizes, own = #e.dims, {}, {}
  local cuts = {}
  for axis = 1, axes do cuts[axis] = {} end
  for i, input in ipairs(e.inputs) do
    own[i] = planner:grid(input)
    view.cuts(view.identity(axes), own[i], cuts)
  end
  for axis = 1, axes do
    if axis ~= e.axis then sizes[axis] = grid.sizes_of_cuts(e.dims[axis], cuts[axis]) end
  end
  local along, home = {}, {} -- chunk along the axis -> its input and the chunk there
  local stages = {}
  for i, input in ipairs(e.inputs) do
    local list = {}
    for axis = 1, axes do list[axis] = axis == e.axis and own[i].sizes[axis] or sizes[axis] end
    stages[i] = planner:on_grid(input, grid.of(list))
    for k, size in ipairs(own[i].sizes[e.axis]) do
      if size > 0 or e.dims[e.axis] == 0 and #along == 0 then
        along[#along + 1] = size
        home[#along] = { input = i, at = k }
      end
    end
  end
  sizes[e.axis] = along
  local g = grid.of(sizes)
  local function all() -- nobody asks for a piece of no elements
    for _, piece in ipairs(own) do
      for _, size in ipairs(piece.sizes[e.axis]) do
        if size == 0 then return nil end
      end
    end
    return 0, stages
  end
  -- The stage of an input that has a chunk, and the chunk's number there.
  local function home_of(number)
    local index = grid.index(g, number)
    local from = home[index[e.axis]]
    local stage = stages[from.input]
    index[e.axis] = from.at
    return stage, grid.number(stage.grid, index)
  end
  local all_fill = true
  for _, stage in ipairs(stages) do all_fill = all_fill and stage.fill end
  return { grid = g, chunk = function(number)
    local stage, there = home_of(number)
    return stage.chunk(there)
  end, fill = all_fill and function(number, part)
    local stage, there = home_of(number)
    return stage.fill(there, part)
  end or nil, all = all }
end

return join
