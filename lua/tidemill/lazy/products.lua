-- products: products of lazy matrices and vectors, chunk by chunk: matmul, dot, tensordot, outer; and
-- what is made of them: covariances and correlations.
-- SPDX-License-Identifier: MIT

local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local options = require("tidemill.options")
local plan = require("tidemill.lazy.plan")
local task = require("tidemill.lazy.product_task")
local view = require("tidemill.lazy.view")

local methods = {}

-- ---- partition ------------------------------------------------------------------------------------

-- Elements of a product's block, by the shape alone.  A task has a 48th of the work, but 2^27 to 2^32
-- multiplications, and at most 2^20 elements.
local function block_area(m, k, n)
  return math.min(math.max(m * n / 48, 2^27 / k), 2^32 / k, 2^20)
end

local function how_many(size, side) return math.ceil(size / math.max(side, 1) - 1e-9) end

-- Into how many rows and columns of blocks a product is cut.  They are about square; an even number of
-- rows gives workers, of which there are mostly two or four, the same number of blocks: 8 x 6.
local function block_counts(m, k, n)
  local area = block_area(m, k, n)
  local wide = math.min(n, area / math.min(m, math.sqrt(area)))
  local rows = how_many(m, math.min(m, area / math.max(wide, 1)))
  if rows > 1 then rows = rows + rows % 2 end
  return rows, how_many(n, area * rows / math.max(m, 1))
end

-- An axis in `count` even pieces, in whole tiles of every kernel.
local function even_sizes(size, count)
  return grid.pieces(size, math.ceil(math.ceil(size / math.max(count, 1)) / 24) * 24)
end

-- The outer axis of a matrix times its transposed, of which half the blocks are computed.
local function square_sizes(m, k)
  return even_sizes(m, how_many(m, math.sqrt(block_area(m, k, m))))
end

-- ---- building ---------------------------------------------------------------------------------------

-- The element type of a product: float32 of float32 alone, else float64.
local function type_of(what, a, b, level)
  for _, e in ipairs({ a, b }) do
    if e.dtype == "date" or e.dtype == "timestamp" then
      error(("%s: an array of %s has no products"):format(what, e.dtype), level + 1)
    end
  end
  return a.dtype == "float32" and b.dtype == "float32" and "float32" or "float64"
end

local function mismatch(what, a, b, k, l, level)
  error(("%s: %s x %s: %d ~= %d"):format(what, expr.shape_text(a.dims), expr.shape_text(b.dims), k, l),
    level + 1)
end

-- a b of two matrices.
local function product(what, a, b, level)
  local dtype = type_of(what, a, b, level + 1)
  a, b = expr.cast(a, dtype), expr.cast(b, dtype)
  return { op = "matmul", name = "matmul", dims = { a.dims[1], b.dims[2] }, dtype = dtype,
    inputs = { a, b }, key = "" }
end

-- Sum of the products of two vectors' elements, in one pass.
local function inner(what, a, b, level)
  local multiplied = lazy.expr(lazy.apply("mul", level + 1, lazy.of(a), lazy.of(b)))
  local dtype = type_of(what, a, b, level + 1)
  return (require("tidemill.lazy.reduce").expr(expr.cast(multiplied, dtype), "sum", nil, nil, level + 1))
end

local function multiplied(what, self, other, level)
  local a, b = lazy.array_operand(what, self, level + 1), lazy.array_operand(what, other, level + 1)
  for _, e in ipairs({ a, b }) do
    if #e.dims < 1 or #e.dims > 2 then
      error(("%s: expected vectors or matrices, got the shape %s"):format(what, expr.shape_text(e.dims)),
        level + 1)
    end
  end
  local k, l = a.dims[#a.dims], b.dims[1]
  if k ~= l then mismatch(what, a, b, k, l, level + 1) end
  if #a.dims == 1 and #b.dims == 1 then return inner(what, a, b, level + 1) end
  if #a.dims == 1 then
    return expr.drop_axes(product(what, expr.insert_axes(a, { 1 }), b, level + 1), { true })
  elseif #b.dims == 1 then
    return expr.drop_axes(product(what, a, expr.insert_axes(b, { 2 }), level + 1), { false, true })
  end
  return product(what, a, b, level + 1)
end

--- The product of matrices; a vector on the left is a row, on the right a column.
---@param other any
---@return tidemill.lazy
function methods:matmul(other) return lazy.of((multiplied("matmul", self, other, 2))) end

--- The same; of two vectors the sum of their products.
---@param other any
---@return tidemill.lazy
function methods:dot(other) return lazy.of((multiplied("dot", self, other, 2))) end

--- All products of an element of this vector with one of another: #a x #b.
---@param other any
---@return tidemill.lazy
function methods:outer(other)
  local a, b = lazy.array_operand("outer", self, 2), lazy.array_operand("outer", other, 2)
  if #a.dims ~= 1 or #b.dims ~= 1 then
    error(("outer: expected vectors, got the shapes %s and %s"):format(expr.shape_text(a.dims),
      expr.shape_text(b.dims)), 2)
  end
  return (lazy.apply("mul", 2, lazy.of(expr.insert_axes(a, { 2 })), lazy.of(expr.insert_axes(b, { 1 }))))
end

-- Axes of both sides that a tensordot sums over.
local function contracted(a, b, axes, level)
  if axes == nil then axes = 2 end
  local left, right, seen = {}, {}, { {}, {} }
  if type(axes) == "number" then
    if not (axes >= 0 and axes <= math.min(#a.dims, #b.dims) and axes == math.floor(axes)) then
      error(("tensordot: axes: expected a whole number from 0 to %d, got %s"):format(
        math.min(#a.dims, #b.dims), tostring(axes)), level + 1)
    end
    for i = 1, axes do
      left[i], right[i] = #a.dims - axes + i, i
    end
  elseif type(axes) == "table" and #axes == 2 then
    left = type(axes[1]) == "table" and axes[1] or { axes[1] }
    right = type(axes[2]) == "table" and axes[2] or { axes[2] }
  end
  if #left ~= #right or (#left == 0 and axes ~= 0) then
    error("tensordot: axes: expected how many, or two lists of axes of one length", level + 1)
  end
  for i, axis in ipairs(left) do
    local size, other = a.dims[axis], b.dims[right[i]]
    if seen[1][axis] or seen[2][right[i]] then
      error(("tensordot: axis %s is named twice"):format(tostring(seen[1][axis] and axis or right[i])),
        level + 1)
    end
    if size and other then seen[1][axis], seen[2][right[i]] = true, true end
    if not size or not other then
      error(("tensordot: axis %s is outside the shape"):format(tostring(size and right[i] or axis)),
        level + 1)
    elseif size ~= other then
      mismatch("tensordot", a, b, size, other, level + 1)
    end
  end
  return left, right
end

-- Axes of an array that are not in a list.
local function others(dims, list)
  local taken, rest = {}, {}
  for _, axis in ipairs(list) do taken[axis] = true end
  for axis in ipairs(dims) do
    if not taken[axis] then rest[#rest + 1] = axis end
  end
  return rest
end

local function joined(a, b)
  local list = {}
  for _, value in ipairs(a) do list[#list + 1] = value end
  for _, value in ipairs(b) do list[#list + 1] = value end
  return list
end

local function sizes_of(dims, axes)
  local sizes, length = {}, 1
  for i, axis in ipairs(axes) do
    sizes[i], length = dims[axis], length * dims[axis]
  end
  return sizes, length
end

--- Sums of products over some axes of both: axes = n are the last n of this array and the first n of
--- the other, {{..}, {..}} lists of axes.
---@param other any
---@param axes? integer|table 2
---@return tidemill.lazy
function methods:tensordot(other, axes)
  local a, b = lazy.array_operand("tensordot", self, 2), lazy.array_operand("tensordot", other, 2)
  local left, right = contracted(a, b, axes, 2)
  local free_a, free_b = others(a.dims, left), others(b.dims, right)
  local dims_a, rows = sizes_of(a.dims, free_a)
  local dims_b, columns = sizes_of(b.dims, free_b)
  local _, k = sizes_of(a.dims, left)
  local flat_a = expr.reshape(expr.transpose(a, joined(free_a, left)), { rows, k })
  local flat_b = expr.reshape(expr.transpose(b, joined(right, free_b)), { k, columns })
  return lazy.of(expr.reshape(product("tensordot", flat_a, flat_b, 2), joined(dims_a, dims_b)))
end

-- ---- covariances ------------------------------------------------------------------------------------

local function matrix(what, self, level)
  local e = lazy.array_operand(what, self, level + 1)
  if #e.dims ~= 2 then
    error(("%s: expected a matrix with a variable in each row, got the shape %s"):format(what,
      expr.shape_text(e.dims)), level + 1)
  end
  return lazy.of(expr.cast(e, e.dtype == "float32" and "float32" or "float64"))
end

local BLOCK = 2^26 -- bytes of a block of rows that one task rescales

-- Rows related in pairs by blocks: of rows rescaled once.  nil where a block of whole rows is too long.
local function related(what, x, ddof)
  local e = lazy.expr(x)
  local rows, length = e.dims[1], e.dims[2]
  if rows == 0 or length == 0 then return nil end
  local sizes = square_sizes(rows, length)
  if sizes[1] * length * 8 > BLOCK then return nil end
  local made = { op = "related", name = what, dims = { rows, rows }, dtype = "float64", sizes = sizes,
    input = expr.cast(e, "float64"), what = what, divisor = length - ddof,
    key = ("%s:%s"):format(what, tostring(ddof)) }
  return lazy.of(expr.cast(made, e.dtype))
end

--- Covariances of the rows: rows x rows, divided by n - ddof.
---@param given? table options ddof (1)
---@return tidemill.lazy
function methods:cov(given)
  options.only(given, { "ddof" }, "cov", 2)
  local x, ddof = matrix("cov", self, 2), given and given.ddof or 1
  if type(ddof) ~= "number" or ddof < 0 or ddof ~= math.floor(ddof) then
    error("cov: ddof must be a whole number >= 0, got " .. tostring(ddof), 2)
  end
  local made = related("cov", x, ddof)
  if made then return made end
  local centred = x - x:mean(2, { keepdims = true })
  return centred:matmul(centred:transpose()) / (lazy.expr(x).dims[2] - ddof)
end

--- Correlations of the rows (Pearson): rows x rows, from -1 to 1.  A constant row, or one with a NaN,
--- gives NaN.
---@param other? nil nothing: two series are two rows
---@return tidemill.lazy
function methods:corr(other)
  if other ~= nil then error("corr: expected no argument; of two series: tm.stack{x, y}:corr()", 2) end
  local x = matrix("corr", self, 2)
  local made = related("corr", x, 0)
  if made then return made end
  local centred = x - x:mean(2, { keepdims = true })
  local length = (centred * centred):sum(2, { keepdims = true }):sqrt()
  local unit = centred / length
  return unit:matmul(unit:transpose()):clip(-1, 1)
end

-- ---- running ----------------------------------------------------------------------------------------

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
  local cuts = {}
  for k = 1, #side.e.dims do cuts[k] = {} end
  view.cuts(view.identity(2), g, cuts)
  return grid.sizes_of_cuts(sizes, cuts[axis])
end

local function merged_sizes(size, a, b)
  local cuts = {}
  for _, list in ipairs({ a, b }) do
    local at = 0
    for _, length in ipairs(list) do
      at = at + length
      cuts[at] = true
    end
  end
  return grid.sizes_of_cuts(size, cuts)
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
  local spec = plan.pack(numbers)
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
    local sizes = a.data and square_sizes(m, math.max(k, 1))
      or merged_sizes(m, cuts_of(planner, a, 1, m), cuts_of(planner, b, 2, m))
    return sizes, sizes
  end
  local rows, columns = block_counts(m, math.max(k, 1), n)
  return a.data and even_sizes(m, rows) or cuts_of(planner, a, 1, m),
    b.data and even_sizes(n, columns) or cuts_of(planner, b, 2, n)
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

return methods
