-- pick: elements of lazy arrays by position and by mask.
-- What is picked must be known before chunks can be planned: an index that is lazy is computed when the
-- expression is built, and of a lazy mask the true elements are counted, chunk by chunk.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local dtypes = require("tidemill.dtype")
local assembly = require("tidemill.lazy.assembly")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local plan = require("tidemill.lazy.plan")
local shown = require("tidemill.shown")
local task = require("tidemill.lazy.pick_task")

local pick = {}

-- ---- by position ------------------------------------------------------------------------------------

local whole_numbers = { int8 = true, int16 = true, int32 = true, int64 = true, uint8 = true, uint16 = true,
  uint32 = true, uint64 = true, float64 = true, float32 = true }

-- Positions from 1 as an int64 array, from an index array or a mask of one axis.
local function positions(index, size, axis, level)
  if not array.is(index) then index = index:compute() end
  if not array.is(index) then
    error(("slice: axis %d: an index array has one axis, got an array of none"):format(axis), level + 1)
  end
  if #index.shape ~= 1 then
    error(("slice: axis %d: an index array has one axis, got the shape %s"):format(axis,
      expr.shape_text(index.shape)), level + 1)
  end
  local length, from = index.length, index:pointer()
  if index.dtype == "bool" then
    if length ~= size then
      error(("slice: axis %d: a mask of %d for an axis of %d"):format(axis, length, size), level + 1)
    end
    return require("tidemill.kernels").nonzero(index)
  end
  if not whole_numbers[index.dtype] then
    error(("slice: axis %d: expected positions, got an array of %s"):format(axis, index.dtype), level + 1)
  end
  local out = array.new("int64", length)
  local to = out:pointer()
  for i = 0, length - 1 do
    local at = tonumber(from[i])
    if at < 0 then at = size + at + 1 end
    if not (at >= 1 and at <= size and at % 1 == 0) then
      error(("slice: index %s is outside 1..%d (axis %d, element %d of the index)"):format(
        tostring(tonumber(from[i])), size, axis, i + 1), level + 1)
    end
    to[i] = at
  end
  return out
end

--- What an index array or a mask picks along an axis.
function pick.along(e, axis, index, level)
  local size = e.dims[axis]
  if not size then error(("take: axis %s is outside 1..%d"):format(shown.value(axis), #e.dims), level + 1) end
  local picked, dims = positions(index, size, axis, level + 1), {}
  for k, length in ipairs(e.dims) do dims[k] = length end
  dims[axis] = picked.length
  return { op = "take", name = "take", dims = dims, dtype = e.dtype, input = e, axis = axis, index = picked }
end

-- Stretch [first, last) of the positions: the chunks along the axis that have them, ascending, and the
-- positions in those chunks one after the other.
local function located(e, g, first, last)
  local from, pieces, is_needed = e.index:pointer(), {}, {}
  local out = array.new("int64", last - first)
  local to, piece_of = out:pointer(), {}
  for i = first, last - 1 do
    local piece = grid.find(g, e.axis, tonumber(from[i]) - 1)
    piece_of[i - first] = piece
    if not is_needed[piece] then
      is_needed[piece] = true
      pieces[#pieces + 1] = piece
    end
  end
  table.sort(pieces)
  local base, at = {}, 0
  for _, piece in ipairs(pieces) do
    base[piece] = at - g.starts[e.axis][piece]
    at = at + g.sizes[e.axis][piece]
  end
  for i = 0, last - first - 1 do to[i] = tonumber(from[first + i]) + base[piece_of[i]] end
  return pieces, out, at
end

-- Pieces of a stage along an axis, one after the other, as one chunk.
local function gathered(planner, e, stage, index, pieces, length)
  local g, at = stage.grid, {}
  for axis in ipairs(g.sizes) do at[axis] = index[axis] end
  local shape = {}
  for axis in ipairs(g.sizes) do shape[axis] = axis == e.axis and length or g.sizes[axis][index[axis]] end
  local together, to = assembly.new(shape), 0
  local strides = assembly.row_major(shape)
  for _, piece in ipairs(pieces) do
    at[e.axis] = piece
    local _, size = grid.box(g, at)
    together:add(stage.chunk(grid.number(g, at)), size, 0, assembly.row_major(size), to, strides)
    to = to + size[e.axis] * strides[e.axis]
  end
  return planner:task("take", require("tidemill.lazy.chunk").assemble, e.dtype, together:spec(),
    unpack(together.inputs))
end

local MANY = 2^13 -- positions that are looked at only to count tasks

-- How many tasks a stretch of positions takes; nil when some pieces of the axis are not read at all.
local function tasks_along(e, g, out, stretch)
  local is_read, count, pieces = {}, 0, 0
  for at = 1, out.counts[e.axis] do
    local found = stretch(at).pieces
    count = count + (#found > 1 and 2 or 1)
    for _, piece in ipairs(found) do
      if not is_read[piece] then
        is_read[piece], pieces = true, pieces + 1
      end
    end
  end
  return pieces == g.counts[e.axis] and count or nil
end

local EACH = 2^18 -- elements of a task

-- What is taken of an array in memory: tasks read where it is what their stretch of the positions says.
local function of_array(planner, e, x)
  local wanted, others = {}, expr.length(e.dims) / e.index.length
  for axis in ipairs(e.dims) do wanted[axis] = "all" end
  wanted[e.axis] = math.min(e.index.length, math.max(1, math.floor(EACH / math.max(others, 1))))
  local g = grid.new(e.dims, dtypes.size(e.dtype), wanted, "take", 2)
  local function stretch(number)
    return array.part(e.index, g.starts[e.axis][number], { g.sizes[e.axis][number] })
  end
  return { grid = g, chunk = function(number)
    return planner:task("take", task.take, e.axis, stretch(number), x)
  end, fill = e.axis == 1 and function(number, part)
    return planner:fill("take", task.take_into, part, stretch(number), x)
  end or nil, all = function() return g.chunks, {} end }
end

plan.stages.take = function(planner, e)
  local x = e.input.op == "data" and planner:whole(e.input)
  if array.is(x) and e.index.length > 0 then return of_array(planner, e, x) end
  local stage, wanted = planner:stage(e.input), {}
  local g = stage.grid
  for axis in ipairs(e.dims) do wanted[axis] = axis == e.axis and "auto" or g.sizes[axis] end
  local out, stretches = grid.new(e.dims, dtypes.size(e.dtype), wanted, "take", 2), {}
  local function stretch(at) -- what chunks at one place of the axis share
    local found = stretches[at]
    if not found then
      local first = out.starts[e.axis][at]
      local pieces, picked, length = located(e, g, first, first + out.sizes[e.axis][at])
      found = { pieces = pieces, picked = picked, length = length }
      stretches[at] = found
    end
    return found
  end
  return { grid = out, chunk = function(number)
    local index = grid.index(out, number)
    local here = stretch(index[e.axis])
    if #here.pieces == 0 then
      local _, shape = grid.box(out, index)
      return planner:task("take", task.empty, e.dtype, shape)
    end
    local input
    if #here.pieces == 1 then
      index[e.axis] = here.pieces[1]
      input = stage.chunk(grid.number(g, index))
    else
      input = gathered(planner, e, stage, index, here.pieces, here.length)
    end
    return planner:task("take", task.take, e.axis, here.picked, input)
  end, all = function()
    if e.index.length > MANY then planner:give_up() end
    local count = tasks_along(e, g, out, stretch)
    return count and count * out.chunks / out.counts[e.axis], { stage }
  end }
end

-- ---- by mask ----------------------------------------------------------------------------------------

-- Only the first axis is cut, so that chunks are stretches of row-major order.
local function by_rows(e)
  local chunks = {}
  for axis in ipairs(e.dims) do chunks[axis] = axis == 1 and "auto" or "all" end
  return grid.new(e.dims, dtypes.size(e.dtype), chunks, "mask", 2)
end

-- How many elements of each chunk of a mask are true.
local function counted(mask, g)
  return require("tidemill.lazy.run").values_on(mask, g, "count", task.count)
end

--- The elements that a mask of the same shape marks, in row-major order.
function pick.where(e, mask, level)
  if mask.dtype ~= "bool" then
    error(("mask: expected a bool array, got %s; compare first: a:gt(0)"):format(mask.dtype), level + 1)
  elseif not expr.same_dims(e.dims, mask.dims) then
    error(("mask: a mask of shape %s for an array of shape %s"):format(expr.shape_text(mask.dims),
      expr.shape_text(e.dims)), level + 1)
  elseif #e.dims == 0 then
    error("mask: an array of no axes has no elements to mark", level + 1)
  end
  local g, total = by_rows(e), 0
  local counts = counted(mask, g)
  for _, count in ipairs(counts) do total = total + count end
  return { op = "marked", name = "mask", dims = { total }, dtype = e.dtype, inputs = { e, mask },
    from = g, counts = counts }
end

plan.stages.marked = function(planner, e)
  local elements, mask = planner:on_grid(e.inputs[1], e.from), planner:on_grid(e.inputs[2], e.from)
  local sizes, home = {}, {}
  for number, count in ipairs(e.counts) do
    if count > 0 then
      sizes[#sizes + 1] = count
      home[#sizes] = number
    end
  end
  if #sizes == 0 then sizes, home = { 0 }, { 1 } end
  return { grid = grid.of({ sizes }), chunk = function(number)
    return planner:task("mask", task.compress, elements.chunk(home[number]), mask.chunk(home[number]))
  end, all = function()
    return #home == #e.counts and #home or nil, { elements, mask }
  end }
end

return pick
