-- blocks: functions of one's own over the chunks of lazy arrays: map_blocks, map_overlap.
-- SPDX-License-Identifier: MIT

local assembly = require("tidemill.lazy.assembly")
local block = require("tidemill.lazy.block")
local dtypes = require("tidemill.dtype")
local boundary = require("tidemill.lazy.boundary")
local chunk = require("tidemill.lazy.chunk")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local options = require("tidemill.options")
local plan = require("tidemill.lazy.plan")
local shown = require("tidemill.shown")
local task = require("tidemill.task")

local methods = {}

-- The function itself, of a delayed one too.
local function function_of(what, fn, level)
  if task.is(fn) then return fn.record.fn end
  if type(fn) == "function" then return fn end
  error(("%s: expected a function, got a %s"):format(what, type(fn)), level + 1)
end

-- The options that are a task's: all but those in `own`.
local function task_options(given, own, name, level)
  if given ~= nil and type(given) ~= "table" then
    error(("%s: expected options as a table, got a %s"):format(name, type(given)), level + 1)
  end
  local options_of_task = { name = name }
  for key, value in pairs(given or {}) do
    if not own[key] then options_of_task[key] = value end
  end
  return (options.task(options_of_task, level + 1, own))
end

-- ---- map_blocks -------------------------------------------------------------------------------------

local function block_size(axis, number, size, level)
  if type(size) == "number" and size >= 0 and size <= 2^53 and size % 1 == 0 then return size end
  error(("map_blocks: chunks: axis %d: expected a size of block %d, got %s"):format(axis, number,
    shown.value(size)), level + 1)
end

-- Sizes of the result's chunks along each axis: the input's, unless `chunks` says otherwise: a function
-- of a chunk's shape.
local function block_grid(g, shape_of, level)
  if shape_of == nil then return g end
  if type(shape_of) ~= "table" then
    error("map_blocks: chunks: expected the sizes of a block along each axis", level + 1)
  end
  local sizes = {}
  for axis = 1, #shape_of do
    local size = shape_of[axis]
    sizes[axis] = {}
    for i = 1, g.counts[axis] or 1 do
      sizes[axis][i] = block_size(axis, i, type(size) == "table" and size[i] or size, level + 1)
    end
  end
  for axis = #shape_of + 1, #g.counts do
    if g.counts[axis] ~= 1 then
      error(("map_blocks: chunks: axis %d has %d blocks and cannot go"):format(axis, g.counts[axis]),
        level + 1)
    end
  end
  return grid.of(sizes)
end

--- fn(block, ...) of each chunk; other arrays give the block at the same place.
---
---     local y = x:map_blocks(function(block) return tm.kernels.exp(block) end)
---@param fn function gets computed arrays, gives one
---@param ... any other arrays of the same shape; then options dtype (that of the array), chunks (sizes of a
--- resulting block along each axis), name, and those of a task
---@return tidemill.lazy
function methods:map_blocks(fn, ...)
  local e = lazy.array_operand("map_blocks", self, 2)
  fn = function_of("map_blocks", fn, 2)
  local inputs, given = { e }, {}
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if type(value) == "table" and not lazy.is(value) and i == select("#", ...) then
      given = value
    else
      inputs[#inputs + 1] = lazy.array_operand("map_blocks", value, 2)
    end
  end
  local own = task_options(given, { dtype = true, chunks = true }, "map_blocks", 2)
  local dtype = given.dtype == nil and e.dtype or given.dtype
  dtypes.check(dtype, "map_blocks", 2)
  for i = 2, #inputs do
    if not expr.same_dims(inputs[i].dims, e.dims) then
      error(("map_blocks: array %d has shape %s, array 1 has %s"):format(i, expr.shape_text(inputs[i].dims),
        expr.shape_text(e.dims)), 2)
    end
  end
  local out = block_grid(lazy.grid(e), given.chunks, 2)
  local dims = {}
  for axis, starts in ipairs(out.starts) do dims[axis] = starts[#starts] end
  local check = block.checked
  return lazy.of({ op = "blocks", name = own.name, dims = dims, dtype = dtype, inputs = inputs,
    own_grid = out, shaped = given.chunks ~= nil,
    facade = task.delayed(function(name, shape, kind, ...)
      return check(name, shape, kind, fn(...))
    end, own) })
end

plan.stages.blocks = function(planner, e)
  local g = planner:grid(e.inputs[1])
  local out = e.shaped and e.own_grid or g
  local stages = {}
  for i, input in ipairs(e.inputs) do stages[i] = planner:on_grid(input, g) end
  return { grid = out, chunk = function(number)
    local chunks = {}
    for i, stage in ipairs(stages) do chunks[i] = stage.chunk(number) end
    local _, shape = grid.box(out, grid.index(out, number))
    return planner:call(e.name, e.facade, e.name, shape, e.dtype, unpack(chunks))
  end, all = function() return g.chunks, stages end }
end

-- ---- map_overlap ------------------------------------------------------------------------------------

-- Depth before and after along each axis: a number, one an axis, or {before, after} an axis.
local function depths(depth, dims, level)
  if type(depth) ~= "number" and type(depth) ~= "table" then
    error(("map_overlap: depth: expected a number, or a table with one an axis, got %s"):format(
      shown.value(depth)), level + 1)
  end
  local list = {}
  for axis in ipairs(dims) do
    local own = type(depth) == "table" and (depth[axis] or 0) or depth
    local before, after = own, own
    if type(own) == "table" then before, after = own[1] or 0, own[2] or 0 end
    for _, value in ipairs({ before, after }) do
      if type(value) ~= "number" or value < 0 or value ~= math.floor(value) then
        error(("map_overlap: depth: axis %d: expected whole numbers >= 0, got %s"):format(axis,
          shown.value(value)), level + 1)
      end
    end
    list[axis] = { before, after }
  end
  return list
end

--- fn(block) of each chunk with `depth` more elements of its neighbours around it, which are cut off
--- the result again.  At the array's own ends there are none, and the block is smaller there, unless
--- `boundary` says what is beyond: "nearest" the last element, "periodic" those of the other end,
--- "reflect" the last ones in reverse, or a number; for all axes, or one an axis.
---@param fn function gives an array of the shape that it gets
---@param depth integer|table for all axes; one an axis; or {before, after} an axis
---@param given? table options dtype, boundary, and those of a task
---@return tidemill.lazy
function methods:map_overlap(fn, depth, given)
  local e = lazy.array_operand("map_overlap", self, 2)
  fn = function_of("map_overlap", fn, 2)
  local own = task_options(given, { dtype = true, boundary = true }, "map_overlap", 2)
  local dtype = given and given.dtype
  if dtype == nil then dtype = e.dtype end
  dtypes.check(dtype, "map_overlap", 2)
  local trim, reach = block.trimmed, depths(depth, e.dims, 2)
  local around, more = boundary.around(lazy.of(e), reach, given and given.boundary, 2)
  return lazy.of({ op = "overlap", name = own.name, dims = e.dims, dtype = dtype,
    inputs = { lazy.expr(around) }, cut = e, more = more, reach = reach,
    facade = task.delayed(function(name, dims, kind, before, shape, input)
      return trim(name, dims, kind, before, shape, fn(input))
    end, own) })
end

plan.stages.overlap = function(planner, e)
  local input = e.inputs[1]
  local stage = planner:stage(input)
  local g = e.cut and e.cut ~= input and planner:grid(e.cut) or stage.grid
  return { grid = g, chunk = function(number)
    local start, shape = grid.box(g, grid.index(g, number))
    local from, size, before = {}, {}, {}
    for axis, reach in ipairs(e.reach) do
      local first = start[axis] + (e.more and e.more[axis] or 0)
      from[axis] = math.max(first - reach[1], 0)
      before[axis] = first - from[axis]
      size[axis] = math.min(first + shape[axis] + reach[2], input.dims[axis]) - from[axis]
    end
    local pieces = assembly.new(size)
    pieces:add_box(stage, from, size, 0, assembly.row_major(size))
    local widened = planner:task("overlap", chunk.assemble, input.dtype, pieces:spec(),
      unpack(pieces.inputs))
    if e.roll then
      return planner:task(e.name, block.roll, e.roll, e.window, e.argument, before, shape, widened)
    end
    return planner:call(e.name, e.facade, e.name, size, e.dtype, before, shape, widened)
  end, all = function() return 2 * g.chunks, { stage } end }
end

return methods
