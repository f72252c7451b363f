-- product_stages: how products of lazy matrices run, block by block.
-- SPDX-License-Identifier: MIT

local assembly = require("tidemill.lazy.assembly")
local cuts = require("tidemill.lazy.product_cuts")
local grid = require("tidemill.lazy.grid")
local plan = require("tidemill.lazy.plan")
local task = require("tidemill.lazy.product_task")
local view = require("tidemill.lazy.view")

-- What an operand is a transposed view of, and whether it is one.
local function turned(planner, e)
  if e.op ~= "view" or planner:is_stage(e) then return e, false end
  local base, map = e.input, e.map
  if #base.dims == 2 and #e.dims == 2 and base.dims[1] == e.dims[2] and base.dims[2] == e.dims[1]
    and map[1].axis == 2 and map[2].axis == 1 and map[1].start == 0 and map[2].start == 0
    and map[1].step == 1 and map[2].step == 1 then
    return base, true
  end
  return e, false
end

-- One side of a product: where its blocks are.
local function side_of(planner, e)
  local base, turn = turned(planner, e)
  return { e = e, base = base, turn = turn, data = base.op == "data" and not planner:is_stage(base) }
end

-- Cuts of a side along one of its own axes.
local function cuts_of(planner, side, axis, sizes)
  local g = planner:grid(side.e)
  local places = {}
  for k = 1, #side.e.dims do places[k] = {} end
  view.cuts(view.identity(2), g, places)
  return grid.sizes_of_cuts(sizes, places[axis])
end

local function merged_sizes(size, a, b)
  local places = {}
  for _, list in ipairs({ a, b }) do
    local at = 0
    for _, length in ipairs(list) do
      at = at + length
      places[at] = true
    end
  end
  return grid.sizes_of_cuts(size, places)
end

-- Block (row, column) of a side: its array or node, the element where it begins, the distance of rows.
local function block_of(side, row, column)
  if side.turn then row, column = column, row end
  if side.data then
    local starts, columns = side.grid.starts, side.base.dims[2]
    return side.base.array, starts[1][row] * columns + starts[2][column], columns
  end
  return side.stage.chunk(grid.number(side.grid, { row, column })), 0, side.grid.sizes[2][column]
end

local function prepare_side(planner, side, rows, columns)
  side.grid = side.turn and grid.of({ columns, rows }) or grid.of({ rows, columns })
  if not side.data then side.stage = planner:on_grid(side.base, side.grid) end
end

-- Where block (row, column) of the result is made: by fn(dtype, ..), or in an array that is there.
local function multiply(planner, e, a, b, g, index, blocks, symmetric, part, pitch)
  local m, n = g.sizes[1][index[1]], g.sizes[2][index[2]]
  local numbers = { m, n, a.turn and 1 or 0, b.turn and 1 or 0, symmetric and 1 or 0, #blocks }
  local inputs, place = {}, {}
  local function add(input, from, distance)
    if not place[input] then
      inputs[#inputs + 1] = input
      place[input] = #inputs
    end
    numbers[#numbers + 1], numbers[#numbers + 2], numbers[#numbers + 3] = place[input], from, distance
  end
  for k, size in ipairs(blocks) do
    numbers[#numbers + 1] = size
    add(block_of(a, index[1], k))
    add(block_of(b, k, index[2]))
  end
  local spec = assembly.pack(numbers)
  if part then return planner:fill("matmul", task.multiply_into, part, pitch, spec, unpack(inputs)) end
  return planner:task("matmul", task.multiply, e.dtype, spec, unpack(inputs))
end

-- A stage of chunks of a grid that make(index, part, pitch) makes: the chunk, or, given a part of an
-- array, the task that fills it, rows `pitch` apart.  Of a symmetric matrix what is below the diagonal
-- is turned from what is above.
local function stage_of_blocks(planner, e, g, symmetric, make, all)
  local stage
  local filled = {}
  local function above(index)
    return symmetric and index[1] > index[2] and grid.number(g, { index[2], index[1] })
  end
  local function fill(number, part_of, pitch)
    if filled[number] then return filled[number] end
    local index = grid.index(g, number)
    local other = above(index)
    if other then
      filled[number] = planner:fill("mirror", task.mirror_into, part_of(number), pitch, part_of(other),
        g.sizes[1][index[2]], g.sizes[2][index[1]], fill(other, part_of, pitch))
    else
      filled[number] = make(index, part_of(number), pitch)
    end
    return filled[number]
  end
  stage = planner:remembered({ grid = g, chunk = function(number)
    local index = grid.index(g, number)
    local other = above(index)
    if other then return planner:task("mirror", task.mirror, e.dtype, stage.chunk(other)) end
    return make(index)
  end, fill_rows = fill, all = all })
  return stage
end

-- Cuts along the outer axes: where an operand is in memory, whatever the work asks for; of a matrix times
-- its transposed the same along both.
local function outer_sizes(planner, a, b, m, k, n, symmetric)
  if symmetric then
    local sizes = a.data and cuts.square_sizes(m, math.max(k, 1))
      or merged_sizes(m, cuts_of(planner, a, 1, m), cuts_of(planner, b, 2, m))
    return sizes, sizes
  end
  local rows, columns = cuts.block_counts(m, math.max(k, 1), n)
  return a.data and cuts.even_sizes(m, rows) or cuts_of(planner, a, 1, m),
    b.data and cuts.even_sizes(n, columns) or cuts_of(planner, b, 2, n)
end

plan.stages.matmul = function(planner, e)
  local a, b = side_of(planner, e.inputs[1]), side_of(planner, e.inputs[2])
  local k = a.e.dims[2]
  local symmetric = a.base == b.base and a.turn ~= b.turn
  local row_sizes, column_sizes = outer_sizes(planner, a, b, e.dims[1], k, e.dims[2], symmetric)
  -- What is in memory need not be cut to be read.
  local inner_sizes = merged_sizes(k, a.data and { k } or cuts_of(planner, a, 2, k),
    b.data and { k } or cuts_of(planner, b, 1, k))
  if k == 0 then inner_sizes = {} end
  prepare_side(planner, a, row_sizes, k == 0 and { 0 } or inner_sizes)
  prepare_side(planner, b, k == 0 and { 0 } or inner_sizes, column_sizes)
  local g, inputs = grid.of({ row_sizes, column_sizes }), {}
  for _, side in ipairs({ a, b }) do inputs[#inputs + 1] = side.stage end
  return stage_of_blocks(planner, e, g, symmetric, function(index, part, pitch)
    return multiply(planner, e, a, b, g, index, inner_sizes, symmetric and index[1] == index[2], part, pitch)
  end, function() return #inner_sizes > 0 and g.chunks or nil, inputs end)
end

plan.stages.related = function(planner, e)
  local length, x, rescaled = e.input.dims[2], e.input, {}
  local g, data = grid.of({ e.sizes, e.sizes }), x.op == "data" and not planner:is_stage(x)
  local stage = not data and planner:on_grid(x, grid.of({ e.sizes, { length } })) or nil
  local function rows(i)
    if not rescaled[i] then
      rescaled[i] = planner:task("rescale", task.rescale, e.what, e.sizes[i], length,
        data and x.array or stage.chunk(i), data and g.starts[1][i] * length or 0)
    end
    return rescaled[i]
  end
  return stage_of_blocks(planner, e, g, true, function(index, part, pitch)
    local a, b = rows(index[1]), index[1] ~= index[2] and rows(index[2]) or nil
    if part then return planner:fill(e.name, task.relate_into, part, pitch, e.what, e.divisor, a, b) end
    return planner:task(e.name, task.relate, e.what, e.divisor, a, b)
  end, function() return #e.sizes + g.chunks, { stage } end)
end

return true
