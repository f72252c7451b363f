-- run: from lazy arrays to elements: tasks for their chunks, or, where there is little to do, the work
-- done at once by whoever asks.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local C = require("tidemill.clib")
local assembly = require("tidemill.lazy.assembly")
local chunk = require("tidemill.lazy.chunk")
local compute = require("tidemill.compute")
local direct = require("tidemill.lazy.direct")
local dtypes = require("tidemill.dtype")
local effort = require("tidemill.lazy.effort")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local node = require("tidemill.node")
local plan = require("tidemill.lazy.plan")
local task = require("tidemill.task")

local run = {}

-- ---- how work is done -------------------------------------------------------------------------------

local facades = {} -- name -> function -> delayed function

local function facade_of(name, fn, nout, lane)
  local by_fn = facades[name]
  if not by_fn then
    by_fn = {}
    facades[name] = by_fn
  end
  local facade = by_fn[fn]
  if not facade then
    facade = task.delayed(fn, { name = name, nout = nout, lane = lane })
    by_fn[fn] = facade
  end
  return facade
end

local function emit_task(name, fn, ...)
  if type(name) == "table" then return facade_of(name.name, fn, name.nout, name.lane)(...) end
  return facade_of(name, fn)(...)
end

local function emit_now(_, fn, ...) return fn(...) end

-- ---- elements ---------------------------------------------------------------------------------------

local PLACED = 2^18 -- bytes of a chunk, on average, from which on tasks put chunks at their places

-- Whether tasks put the chunks of a result at their places.
local function is_placed(e, g)
  return g.chunks > 1 and expr.length(e.dims) * dtypes.size(e.dtype) >= PLACED * g.chunks
end

-- Begins a result that tasks fill, chunk by chunk, while their chunks are still in a cache and on as many
-- cores as there are; nil where it is not worth it.  They run in the process that computes, which may be a
-- worker process itself: what it starts stays there.
local function begin_whole(e, g)
  if not is_placed(e, g) then return nil end
  local fine, whole = pcall(array.new, e.dtype, nil, e.dims)
  if not fine then
    error(("out of memory: a result of %s %s"):format(expr.shape_text(e.dims), e.dtype), 0)
  end
  C.tidemill__array_filling(whole.array, 1)
  return whole
end

-- Where a chunk begins in the whole, its shape, and whether its elements lie there one after the other.
local function place_of(e, g, number, strides)
  local start, shape = grid.box(g, grid.index(g, number))
  local from, together, cut = 0, true, false
  for axis, size in ipairs(shape) do
    from = from + start[axis] * strides[axis]
    together = together and (not cut or size == e.dims[axis])
    cut = cut or size > 1
  end
  return from, shape, together
end

-- From the first element of a chunk of a matrix to the last, those of the whole's rows between included.
local function part_of_rows(e, g, number, whole)
  local start, shape = grid.box(g, grid.index(g, number))
  return array.part(whole, start[1] * e.dims[2] + start[2], { (shape[1] - 1) * e.dims[2] + shape[2] })
end

-- The node that puts chunk `number` of a stage at its place in the whole; `alone`: nobody else wants it.
local function filled(planner, e, stage, number, whole, alone)
  local strides = assembly.row_major(e.dims)
  local from, shape, together = place_of(e, stage.grid, number, strides)
  if alone and stage.fill_rows then
    return stage.fill_rows(number, function(other)
      return part_of_rows(e, stage.grid, other, whole)
    end, strides[1])
  end
  if alone and together and stage.fill then return stage.fill(number, array.part(whole, from, shape)) end
  return planner:fill("place", chunk.place, whole, from, strides, plan.name_of(e), shape, stage.chunk(number))
end

-- How many chunks of a grid have elements that lie one after the other in the whole: place_of's `together`.
local function count_together(dims, g)
  local open, cut = 1, 0 -- of the axes so far: all pieces of one, or cut once and whole since
  for axis, sizes in ipairs(g.sizes) do
    local ones, whole = 0, 0
    for _, size in ipairs(sizes) do
      if size <= 1 then ones = ones + 1 end
      if size == dims[axis] then whole = whole + 1 end
    end
    open, cut = open * ones, open * (#sizes - ones) + cut * whole
  end
  return open + cut
end

--- How many tasks place chunks, and do nothing else, when a stage gives all of an expression to compute().
function run.places(e, stage)
  if stage.fill_rows or not is_placed(e, stage.grid) then return 0 end
  return stage.grid.chunks - (stage.fill and count_together(e.dims, stage.grid) or 0)
end

-- A lazy array's value: what is left of no axes is a number.
local function value_of(e, chunks, g)
  local name = plan.name_of(e)
  if #chunks == 1 then chunk.announced(name, chunks[1], e.dtype, e.dims) end
  if #e.dims == 0 then return array.item(chunks[1], name) end
  if #chunks == 1 then return chunks[1] end
  local pieces, strides = assembly.new(e.dims), assembly.row_major(e.dims)
  grid.each(g, function(index, number)
    local start, shape = grid.box(g, index)
    local at = 0
    for axis in ipairs(shape) do at = at + start[axis] * strides[axis] end
    chunk.announced(name, chunks[number], e.dtype, shape)
    pieces:add(chunks[number], shape, 0, assembly.row_major(shape), at, strides)
  end)
  return chunk.assembled(e.dtype, pieces:spec(), chunks)
end

local function evaluate_now(exprs)
  local planner = plan.new(emit_now)
  local values = {}
  for i, e in ipairs(planner:prepare(exprs)) do
    local stage = planner:stage(e)
    local chunks = {}
    for number = 1, stage.grid.chunks do chunks[number] = stage.chunk(number) end
    values[i] = value_of(e, chunks, stage.grid)
  end
  return values
end

local function keep(list, ...)
  for i = 1, select("#", ...) do list[#list + 1] = (select(i, ...)) end
  return ...
end

-- The values of nodes.  Then those that were made for them go: they hold whole arrays.
local function values_of(nodes, given, made)
  local fine, results = pcall(compute.list, nodes, given)
  for _, own in ipairs(made) do node.drop(own) end
  if not fine then error(results, 0) end
  return results
end

-- The values of expressions, and of other nodes in the same run.
local function evaluate_by_tasks(exprs, given, others)
  local made = {}
  local planner = plan.new(function(...) return keep(made, emit_task(...)) end)
  local nodes, spans = {}, {}
  local list = planner:prepare(exprs)
  for i, e in ipairs(list) do
    local stage = planner:stage(e)
    local whole = begin_whole(e, stage.grid)
    spans[i] = { first = #nodes + 1, grid = stage.grid, whole = whole }
    for number = 1, stage.grid.chunks do
      nodes[#nodes + 1] = whole and filled(planner, e, stage, number, whole, #list == 1)
        or stage.chunk(number)
    end
  end
  local count = #nodes
  for i, other in ipairs(others or {}) do nodes[count + i] = other end
  local results, values, rest = values_of(nodes, given, made), {}, {}
  for i, e in ipairs(list) do
    local span, chunks = spans[i], {}
    for number = 1, span.grid.chunks do
      local at = span.first + number - 1
      chunks[number], results[at] = results[at], nil
    end
    if span.whole then
      C.tidemill__array_filling(span.whole.array, 0)
      values[i] = span.whole
    else
      values[i] = value_of(e, chunks, span.grid)
    end
  end
  for i = 1, #(others or {}) do rest[i] = results[count + i] end
  return values, rest
end

--- The values of a list of expressions: computed arrays, numbers where no axis is left.
function run.values(exprs, given)
  if #exprs == 1 then
    local value = direct.value(exprs[1])
    if value ~= nil then return { value } end
  end
  if not effort.is_little(exprs) then return (evaluate_by_tasks(exprs, given)) end
  return evaluate_now(exprs)
end

--- Whether compute() does the work at once, by no task.
function run.is_at_once(e)
  if e.op == "data" and expr.same_dims(e.dims, e.array.shape) then return true end
  return direct.takes(e) or effort.is_little({ e })
end

run.is = lazy.is

--- The values of nodes; those of lazy arrays in their field `lazy`.
function run.values_with(arrays, nodes, given)
  local exprs = {}
  for i, value in ipairs(arrays) do exprs[i] = lazy.expr(value) end
  if #nodes == 0 then return { lazy = run.values(exprs, given) } end
  local values, rest = evaluate_by_tasks(exprs, given, nodes)
  rest.lazy = values
  return rest
end
compute.use_lazy(run)

--- The grid on which an expression is computed.
function run.grid(e)
  local planner = plan.new(emit_task)
  return planner:grid(planner:prepare({ e })[1])
end

--- The nodes of an expression's chunks, and their grid.
function run.chunks(e)
  local planner = plan.new(emit_task)
  e = planner:prepare({ e })[1]
  local stage, nodes = planner:stage(e), {}
  for number = 1, stage.grid.chunks do nodes[number] = stage.chunk(number) end
  return nodes, stage.grid
end

--- The values of fn(chunk) for the chunks of an expression on a grid.
function run.values_on(e, g, name, fn)
  local at_once = effort.is_little({ e })
  local planner, made = plan.new(at_once and emit_now or emit_task), {}
  local stage = planner:on_grid(planner:prepare({ e })[1], g)
  for number = 1, g.chunks do made[number] = planner:task(name, fn, stage.chunk(number)) end
  return at_once and made or compute.list(made)
end

local nodes = setmetatable({}, { __mode = "k" }) -- expression -> its node

--- One node that gives all of a lazy array, always the same: how it becomes an input of other tasks.
function run.node(self)
  local own = lazy.expr(self)
  if nodes[own] then return nodes[own] end
  local planner = plan.new(emit_task)
  local e = planner:prepare({ own })[1]
  local whole = planner:whole(e)
  if #e.dims == 0 then
    whole = facade_of("item", chunk.item)(whole)
  elseif not node.is(whole) then
    whole = facade_of("array", chunk.same)(whole) -- an array that is there
  end
  nodes[own] = whole
  return whole
end

return run
