-- reshape: the elements in row-major order in another shape.
-- A chunk of the result is a stretch of that order, and a stretch of the input is a few boxes of it:
-- a part of a row, whole rows, a part of a row, on each axis.
-- SPDX-License-Identifier: MIT

local dtypes = require("tidemill.dtype")
local assembly = require("tidemill.lazy.assembly")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local plan = require("tidemill.lazy.plan")

local TARGET = 2^23 -- bytes of a chunk

-- A grid whose chunks are stretches of row-major order: axes before the one that is cut have chunks of
-- one element, those after it are whole.
local function in_stretches(dims, element)
  local room, sizes, open = math.max(math.floor(TARGET / element), 1), {}, true
  for axis = #dims, 1, -1 do
    local size, list = dims[axis], {}
    if open and size <= room then
      list[1], room = size, math.floor(room / math.max(size, 1))
    else
      local piece = open and math.max(room, 1) or 1
      open = false
      for first = 0, size - 1, piece do list[#list + 1] = math.min(piece, size - first) end
    end
    sizes[axis] = list
  end
  return grid.of(sizes)
end

-- Calls visit(start, shape) for the boxes that make up places [from, to) of row-major order.
local function each_box(dims, from, to, visit)
  local pitch = assembly.row_major(dims)
  local function walk(axis, start, first, last) -- places below `start`, which fixes the axes before
    if first >= last then return end
    if axis > #dims then return visit(start, {}) end
    local low, high = math.floor(first / pitch[axis]), math.ceil(last / pitch[axis])
    local function go(at, count, a, b)
      local box = {}
      for k = 1, axis - 1 do box[k] = start[k] end
      box[axis] = at
      if a == 0 and b == pitch[axis] then -- whole rows
        local shape = {}
        for k = 1, axis - 1 do shape[k] = 1 end
        shape[axis] = count
        for k = axis + 1, #dims do box[k], shape[k] = 0, dims[k] end
        visit(box, shape)
      else
        walk(axis + 1, box, a, b)
      end
    end
    local head = first - low * pitch[axis]
    if head > 0 or high - low == 1 then
      go(low, 1, head, math.min(last - low * pitch[axis], pitch[axis]))
      low = low + 1
    end
    local tail = last - (high - 1) * pitch[axis]
    if low >= high then return end
    local whole = tail == pitch[axis] and high - low or high - 1 - low
    if whole > 0 then go(low, whole, 0, pitch[axis]) end
    if tail < pitch[axis] then go(high - 1, 1, 0, tail) end
  end
  if #dims == 0 then return visit({}, {}) end
  walk(1, {}, from, to)
end

plan.stages.reshape = function(planner, e)
  local g = in_stretches(e.dims, dtypes.size(e.dtype))
  local stage = planner:stage(e.input)
  local pitch = assembly.row_major(e.dims)
  return { grid = g, chunk = function(number)
    local start, shape = grid.box(g, grid.index(g, number))
    local from = 0
    for axis, at in ipairs(start) do from = from + at * pitch[axis] end
    local pieces, to = assembly.new(shape), 0
    each_box(e.input.dims, from, from + expr.length(shape), function(box, size)
      pieces:add_box(stage, box, size, to, assembly.row_major(size))
      to = to + expr.length(size)
    end)
    return planner:task("reshape", require("tidemill.lazy.chunk").assemble, e.dtype, pieces:spec(),
      unpack(pieces.inputs))
  end, all = function() return expr.length(e.dims) > 0 and g.chunks or nil, { stage } end }
end

return true
