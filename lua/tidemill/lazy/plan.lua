-- plan: how lazy arrays run: which expressions fuse into one pass, in what chunks, by which tasks.
--
-- A stage is what tasks make chunk by chunk: a fused chain, a reduction, a product of matrices, ..
-- Fusable expressions have no stage of their own unless two stages want one that costs much; then it
-- is computed once and kept for both.  Chunks are asked for from the results down, so that what
-- nobody asks for is never planned: a slice reads the chunks it shows and no other.
-- SPDX-License-Identifier: MIT

local assembly = require("tidemill.lazy.assembly")
local blame = require("tidemill.blame")
local canonical = require("tidemill.lazy.canonical")
local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local groups = require("tidemill.lazy.groups")
local program = require("tidemill.lazy.program")
local sharing = require("tidemill.lazy.sharing")
local split = require("tidemill.lazy.split")
local view = require("tidemill.lazy.view")
local chunk = require("tidemill.lazy.chunk")

local plan = {}

local fusable = sharing.fusable

--- op -> function(planner, e): a stage {grid =, chunk = function(number)}.  Stages of their own
--- kind register here.
plan.stages = {}

--- op -> modules that register it, loaded when it is first met.
local homes = { reduce = "reduce", concat = "join", reshape = "reshape", stored = "stored", take = "pick",
  marked = "pick", blocks = "blocks", overlap = "blocks", windows = "rolling", rolling_corr = "rolling",
  matmul = "product_stages", related = "product_stages", gathered = "linalg", tall_qr = "linalg",
  scan = "series", sort = "series", row_task = "series", topk = "series", histogram = "series" }
plan.homes = homes

local Planner = {}
Planner.__index = Planner

--- A planner whose tasks are made by emit(name, fn, ...): a node or, where work is done in place, the
--- result; emit({name =, nout = n, lane =}, fn, ...) gives n of them.  call(name, facade, ...) makes those of
--- functions that a user gave.
function plan.new(emit, call)
  return setmetatable({ emit = emit, emit_call = call or function(_, facade, ...) return facade(...) end,
    canon = canonical.new(), kept = {}, made = {}, bound = {}, groups = {}, shared = {},
    tasks_made = 0, log = {} }, Planner)
end

-- What stands for a chunk when tasks are only counted (lazy/count.lua).
local stand_in = { parts = {}, shape = {} }
plan.stand_in = stand_in

-- ---- which expressions are stages -------------------------------------------------------------------

--- Whether an expression is computed by a stage of its own.
function Planner:is_stage(e)
  return self.kept[e] or not fusable[e.op] or (e.op == "rechunk" and self:is_bound(e.input))
end

-- Whether some stage dictates how an expression is cut.
function Planner:is_bound(e)
  local found = self.bound[e]
  if found ~= nil then return found end
  if not fusable[e.op] or self.kept[e] or e.op == "rechunk" then
    found = true
  else
    found = false
    for _, input in ipairs(expr.inputs(e)) do found = found or self:is_bound(input) end
  end
  self.bound[e] = found
  return found
end

-- ---- grids ------------------------------------------------------------------------------------------

-- Whether e was met through that view before: what is used twice at each of n steps has 2^n ways to it.
local function was_met(met, e, map)
  local maps = met[e]
  if not maps then
    met[e] = { map }
    return false
  end
  for _, other in ipairs(maps) do
    if view.same(map, other) then return true end
  end
  maps[#maps + 1] = map
  return false
end

-- Gathers the places where the stages and wishes below e cut the box, seen through `map`.
function Planner:gather_cuts(e, map, cuts, bound, met)
  if was_met(met, e, map) then return end
  local own = e.op == "rechunk" and not self.kept[e] and e.grid
  if self:is_stage(e) then own = self:stage(e).grid end
  if own then
    view.cuts(map, own, cuts)
    for _, to in ipairs(map) do
      if to.axis and to.step ~= 0 then bound[to.axis] = true end
    end
    return
  end
  if e.op == "view" then map = view.compose(map, e.map) end
  for _, input in ipairs(expr.inputs(e)) do self:gather_cuts(input, map, cuts, bound, met) end
end

--- The grid on which an expression is computed when nobody asks for another.
function Planner:grid(e)
  if self:is_stage(e) then return self:stage(e).grid end
  return self:natural_grid(e)
end

function Planner:natural_grid(e)
  local cuts, bound, wanted, met = {}, {}, {}, {}
  for axis in ipairs(e.dims) do cuts[axis] = {} end
  if e.op == "rechunk" then
    return e.grid
  elseif e.op == "view" then
    self:gather_cuts(e.input, e.map, cuts, bound, met)
  else
    for _, input in ipairs(expr.inputs(e)) do
      self:gather_cuts(input, view.identity(#e.dims), cuts, bound, met)
    end
  end
  for axis, size in ipairs(e.dims) do
    wanted[axis] = bound[axis] and grid.sizes_of_cuts(size, cuts[axis]) or "auto"
    if bound[axis] and size == 0 then wanted[axis] = "all" end
  end
  local fine, made = pcall(grid.new, e.dims, dtypes.size(e.dtype), wanted, "compute", -2)
  if not fine then error(made, blame.caller()) end -- too many chunks: whoever computes it meets it
  return made
end

-- ---- stages -----------------------------------------------------------------------------------------

--- The stage of an expression, made when it is first asked for.
function Planner:stage(e)
  local stage = self.made[e]
  if stage then return stage end
  if fusable[e.op] then
    if e.op == "rechunk" and self:is_bound(e.input) then
      stage = self:on_grid(e.input, e.grid)
    else
      stage = self:fused(e, self:natural_grid(e))
    end
  else
    if not plan.stages[e.op] then require("tidemill.lazy." .. homes[e.op]) end
    stage = plan.stages[e.op](self, e)
  end
  stage = self:remembered(stage)
  self.made[e] = stage
  return stage
end

--- A stage that makes each chunk once.  It may have fill(number, part), a task that makes the chunk in an
--- array that is there, for who wants it alone, or fill_rows(number, part_of, pitch), where the rows of
--- part_of(number) are `pitch` elements apart; and all(), for who only counts: how many tasks of its own
--- all chunks take, and the stages of which these tasks read every chunk; nil where that is not so plain.
function Planner.remembered(_, stage)
  local make, chunks = stage.chunk, {}
  local own = { grid = stage.grid, fill = stage.fill, fill_rows = stage.fill_rows, all = stage.all }
  function own.chunk(number)
    local found = chunks[number]
    if found == nil then
      if own.counted then return stand_in end
      found = make(number)
      chunks[number], own.begun = found, true
    end
    return found
  end
  return own
end

-- Whether a view shows some of every chunk of a grid to boxes that go over all of `dims`.
local function shows_all(map, dims, g)
  local used = {}
  for k, to in ipairs(map) do
    if g.counts[k] > 1 then
      local starts = g.starts[k]
      if not to.axis or used[to.axis] or math.abs(to.step) ~= 1
        or dims[to.axis] ~= starts[#starts] then
        return false
      end
      used[to.axis] = true
    end
  end
  return true
end

--- The stages that the chunks of a recipe read, if they read all of them; else nil.
function Planner:reads(recipe)
  local stages = {}
  for _, leaf in ipairs(program.inputs(recipe)) do
    local stage = self:stage(leaf.expr)
    if not shows_all(leaf.map, recipe.dims, stage.grid) then return nil end
    stages[#stages + 1] = stage
  end
  return stages
end

--- A task, counted.
function Planner:task(name, fn, ...)
  self.tasks_made = self.tasks_made + 1
  return self.emit(name, fn, ...)
end

--- A task that fills a part of an array, in the process that has the array; it lets the part go.
function Planner:fill(name, fn, part, ...)
  self.tasks_made = self.tasks_made + 1
  return self.emit({ name = name, lane = "thread" }, fn, part, ...)
end

--- A task that gives several results: a list of them.
function Planner:tasks(name, count, fn, ...)
  if count == 1 then return { self:task(name, fn, ...) } end
  self.tasks_made = self.tasks_made + 1
  return { self.emit({ name = name, nout = count }, fn, ...) }
end

--- A task of a delayed function that a user made.
function Planner:call(name, facade, ...)
  self.tasks_made = self.tasks_made + 1
  return self.emit_call(name, facade, ...)
end

-- For program.of: the chunk of a stage that has a box, its shape, and the view of it.
function Planner:chunk_of(e, map, start, shape)
  local stage = self:stage(e)
  local first = view.box(map, start, shape)
  local index, inner, shifted = {}, {}, {}
  for k in ipairs(map) do
    index[k] = grid.find(stage.grid, k, first[k])
    inner[k] = stage.grid.sizes[k][index[k]]
    shifted[k] = { axis = map[k].axis, step = map[k].step,
      start = map[k].start - stage.grid.starts[k][index[k]] }
  end
  return stage.chunk(grid.number(stage.grid, index)), inner, shifted
end

-- What a chain of operations is called: the last of them.
local function name_of(e)
  while e.op == "cast" or e.op == "view" or e.op == "rechunk" do e = e.input end
  return e.name or e.op
end
plan.name_of = name_of

-- The recipe of a fused expression; when it has too many values parts of it become stages.
function Planner:recipe(given)
  given.is_stage = given.is_stage or function(e) return self:is_stage(e) end
  given.number = function(e) return self.canon:number(e) end
  local recipe = program.recipe(given)
  while not recipe do
    local top = given.store or given.reduce.input
    self.kept[split.below(top, given.is_stage, program.most_values / 2)] = true
    recipe = program.recipe(given)
  end
  self.log[#self.log + 1] = { dims = given.dims, fused = recipe.names, name = given.name,
    kept = self.kept[given.store] }
  return recipe
end

--- Programs of a recipe, box by box.
function Planner:program(recipe, start, shape, geometry, base)
  if self.counting then
    local inputs = {}
    for i, leaf in ipairs(program.inputs(recipe)) do
      inputs[i] = self:chunk_of(leaf.expr, leaf.map, start, shape)
    end
    return "", inputs
  end
  return program.of(recipe, start, shape, function(...) return self:chunk_of(...) end, geometry, base)
end

--- Fused stage of an expression on a grid that crosses no cut of the stages below.
function Planner:fused(e, g)
  local made
  local function recipe()
    made = made or self:recipe({ dims = e.dims, store = e, name = name_of(e),
      is_stage = function(other) return other ~= e and self:is_stage(other) end })
    return made
  end
  local function program_of(number)
    local start, shape = grid.box(g, grid.index(g, number))
    return self:program(recipe(), start, shape)
  end
  return self:remembered({ grid = g, chunk = function(number)
    local bytes, inputs = program_of(number)
    return self:task(name_of(e), chunk.run, bytes, unpack(inputs))
  end, fill = function(number, part)
    local bytes, inputs = program_of(number)
    return self:fill(name_of(e), chunk.run_into, part, bytes, unpack(inputs))
  end, all = function()
    local stages = self:reads(recipe())
    return stages and g.chunks, stages
  end })
end

-- Whether no chunk of `fine` crosses a cut of `coarse`.
local function refines(fine, coarse)
  for axis, starts in ipairs(coarse.starts) do
    local have = {}
    for _, at in ipairs(fine.starts[axis]) do have[at] = true end
    for _, at in ipairs(starts) do
      if not have[at] then return false end
    end
  end
  return true
end

--- An expression cut as `g` says, whatever the stages below do.
function Planner:on_grid(e, g)
  if self:is_stage(e) then
    local stage = self:stage(e)
    if grid.same(stage.grid, g) then return stage end
    if not refines(g, stage.grid) then return self:assembled(e.dtype, stage, g) end
    local copied = { op = "view", dims = e.dims, dtype = e.dtype, input = e,
      map = view.identity(#e.dims) }
    self.canon:get(copied)
    return self:fused(copied, g)
  end
  local natural = self:natural_grid(e)
  if not self:is_bound(e) or grid.same(natural, g) or refines(g, natural) then
    return self:fused(e, g)
  end
  return self:assembled(e.dtype, self:fused(e, natural), g)
end

--- The chunks of a stage put together anew on another grid.
function Planner:assembled(dtype, stage, g)
  return self:remembered({ grid = g, chunk = function(number)
    local start, shape = grid.box(g, grid.index(g, number))
    local pieces = assembly.new(shape)
    pieces:add_box(stage, start, shape, 0, assembly.row_major(shape))
    return self:task("rechunk", chunk.assemble, dtype, pieces:spec(), unpack(pieces.inputs))
  end, all = function() return g.chunks, { stage } end })
end

--- All of an expression as one chunk: an array that is in memory is that itself.
function Planner:whole(e)
  if e.op == "data" and e.array.nulls == 0 and expr.same_dims(e.dims, e.array.shape) then return e.array end
  local stage = self:on_grid(e, grid.whole(e.dims))
  if self.counting then self:count(stage) end
  return stage.chunk(1)
end

-- ---- roots ------------------------------------------------------------------------------------------

--- Makes roots canonical, groups their reductions, and finds what is shared.
function Planner:prepare(roots)
  local list = {}
  for i, e in ipairs(roots) do list[i] = self.canon:get(e) end
  groups.find(self, list)
  sharing.survey(self, list)
  return list
end

return plan
