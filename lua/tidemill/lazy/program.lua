-- program: fused chains of elementwise operations, as the bytes that kernels/fuse.h describes.
-- A recipe is what all chunks of a stage share: leaves with the views through which they are read,
-- steps, reductions.  A program is a recipe for one box.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local dtypes = require("tidemill.dtype")
local assembly = require("tidemill.lazy.assembly")
local view = require("tidemill.lazy.view")
require("tidemill.kernels.declare")("fuse.h")

local program = {}

local MEMORY, CONSTANT, INDEX, RANDOM = 1, 2, 3, 4
local CAST = 1000
local BLOCK_SLOTS = 256
program.most_values = BLOCK_SLOTS

local header_type = ffi.typeof("struct tidemill_fuse_program")
local step_type = ffi.typeof("struct tidemill_fuse_step[?]")
local reduction_type = ffi.typeof("struct tidemill_fuse_reduction[?]")
local header_size = ffi.sizeof(header_type)
local leaf_size = ffi.sizeof("struct tidemill_fuse_leaf")
local step_size = ffi.sizeof("struct tidemill_fuse_step")
local reduction_size = ffi.sizeof("struct tidemill_fuse_reduction")

-- ---- recipes ----------------------------------------------------------------------------------------

-- A recipe while it is built: values are numbered, leaves first by their places in the lists.
local Builder = {}
Builder.__index = Builder

local function leaf(self, key, made)
  local found = self.seen[key]
  if found then return found end
  self.leaves[#self.leaves + 1] = made
  local value = { leaf = #self.leaves, dtype = made.dtype }
  self.seen[key] = value
  return value
end

local function step(self, made)
  self.steps[#self.steps + 1] = made
  made.value = { step = #self.steps, dtype = made.dtype }
  return made.value
end

-- The value of an expression that is read through a view of the box.
function Builder:value(e, map)
  local op = e.op
  if op == "view" and not self.is_stage(e) then return self:value(e.input, view.compose(map, e.map)) end
  local key = ("%d/%s"):format(self.number(e), view.key(map))
  local found = self.seen[key]
  if found then return found end
  if self.is_stage(e) or op == "data" then
    return leaf(self, key, { kind = MEMORY, expr = e, map = map, dtype = e.dtype })
  elseif op == "constant" then
    return leaf(self, ("%d"):format(self.number(e)), { kind = CONSTANT, expr = e, dtype = e.dtype })
  elseif op == "index" then
    return leaf(self, key, { kind = INDEX, expr = e, map = map, dtype = e.dtype })
  elseif op == "random" then
    return leaf(self, key, { kind = RANDOM, expr = e, map = map, dtype = e.dtype })
  elseif op == "rechunk" then
    return self:value(e.input, map)
  elseif op == "cast" then
    local from = self:value(e.input, map)
    found = step(self, { op = CAST, type = e.input.dtype, to = e.dtype, inputs = { from }, dtype = e.dtype,
      name = "cast", map = map })
  else
    local inputs = {}
    for i, input in ipairs(e.inputs) do inputs[i] = self:value(input, map) end
    found = step(self, { op = e.code, type = e.type, inputs = inputs, dtype = e.dtype, name = e.name })
  end
  self.seen[key] = found
  return found
end

-- Registers: each step's value gets one that is free; operands that nobody reads later give
-- theirs back first, so that a step may work in place.
local function allot(self, kept)
  local last = {} -- value -> the last step that reads it
  for number, made in ipairs(self.steps) do
    for _, input in ipairs(made.inputs) do last[input] = number end
  end
  for value in pairs(kept) do last[value] = math.huge end
  local free, registers = {}, 0
  local width = {} -- register -> bytes of its element: in place only where sizes agree
  for number, made in ipairs(self.steps) do
    local size = dtypes.size(made.dtype)
    local given = {}
    for _, input in ipairs(made.inputs) do
      if input.register and last[input] == number and not given[input] then
        given[input] = true
        if width[input.register] == size then free[#free + 1] = input.register end
      end
    end
    if made.value.output == nil then
      local register = table.remove(free)
      if not register then
        registers = registers + 1
        register = registers
      end
      made.value.register, width[register] = register, size
    end
    for input in pairs(given) do
      if width[input.register] ~= size and input.register ~= made.value.register then
        free[#free + 1] = input.register
      end
    end
  end
  return registers
end

local function slot_of(value, leaves, registers)
  if value.leaf then return value.leaf - 1 end
  if value.output then return leaves + registers + value.output - 1 end
  return leaves + value.register - 1
end

local function steps_bytes(self, registers)
  local steps = step_type(math.max(#self.steps, 1))
  for i, made in ipairs(self.steps) do
    local to = steps[i - 1]
    to.op, to.type = made.op, dtypes.number(made.type)
    to.to = made.to and dtypes.number(made.to) or 0
    to.out = slot_of(made.value, #self.leaves, registers)
    for k = 0, 2 do
      local input = made.inputs[k + 1]
      to["in"][k] = input and slot_of(input, #self.leaves, registers) or -1
    end
  end
  return ffi.string(steps, #self.steps * step_size)
end

local function reductions_bytes(self, reductions, registers)
  local list = reduction_type(math.max(#reductions, 1))
  for i, reduction in ipairs(reductions) do
    local to = list[i - 1]
    to.kind, to.type = reduction.kind, dtypes.number(reduction.value.dtype)
    to.slot = slot_of(reduction.value, #self.leaves, registers)
  end
  return list, ffi.sizeof(list)
end

-- Types that do not take every number.
local refuses = { uint8 = true, int32 = true, int64 = true, date = true, timestamp = true }

--- A recipe; nil: it has more values than program.most_values.
--- given.dims: shape of the whole; given.store: an expression whose elements are the output;
--- or given.reduce = { input =, kinds = {..} }: numbers of enum tidemill_reduction.
--- given.is_stage(e): whether e is computed by another stage; given.number(e): one number an expression.
function program.recipe(given)
  local self = setmetatable({ leaves = {}, steps = {}, seen = {}, is_stage = given.is_stage,
    number = given.number }, Builder)
  local identity, kept, reductions, output = view.identity(#given.dims), {}, {}, nil
  if given.store then
    local value = self:value(given.store, identity)
    if value.leaf or given.store_is_read then
      value = step(self, { op = 31, type = value.dtype, inputs = { value }, dtype = value.dtype }) -- COPY
    end
    value.output, output = 1, given.store.dtype
  else
    local value = self:value(given.reduce.input, identity)
    kept[value] = true
    for i, kind in ipairs(given.reduce.kinds) do reductions[i] = { kind = kind, value = value } end
  end
  local registers = allot(self, kept)
  if #self.leaves + registers + 1 > BLOCK_SLOTS then return nil end
  local list, names = reductions_bytes(self, reductions, registers), {}
  for _, made in ipairs(self.leaves) do
    if made.kind == RANDOM then names[#names + 1] = made.expr.name end
  end
  local casts = {}
  for number, made in ipairs(self.steps) do
    names[#names + 1] = made.name
    if made.map and refuses[made.to] then casts[#casts + 1] = { number = number, map = made.map } end
  end
  return { names = names, casts = casts, leaves = self.leaves, steps = steps_bytes(self, registers),
    step_count = #self.steps,
    registers = registers, output = output, axes = #given.dims, reductions = list,
    reduction_count = #reductions, dims = given.dims }
end

-- ---- programs ---------------------------------------------------------------------------------------

local room, room_size = nil, 0

local function buffer(size)
  if size > room_size then room, room_size = ffi.new("uint8_t[?]", 2 * size), 2 * size end
  return room
end

local function fill_constant(to, e)
  local value = e.value
  if type(value) == "boolean" then value = value and 1 or 0 end
  if e.dtype == "float64" or e.dtype == "float32" then
    to.a = tonumber(value)
  else
    to.offset = value
  end
end

-- Where a leaf's elements are for the box at `start`; `inner` and `map`: the shape of the memory that
-- has them, and the view of that.
local function fill_leaf(to, made, axes, start, inner, map)
  local e = made.expr
  to.kind, to.type = made.kind, dtypes.number(made.dtype)
  if made.kind == CONSTANT then return fill_constant(to, e) end
  if made.kind == INDEX then
    local at = made.map[e.axis]
    to.a, to.b, to.offset = e.start, e.step, at.start
    if at.axis then
      to.offset = at.start + at.step * start[at.axis]
      to.stride[at.axis - 1] = at.step
    end
    return
  end
  if made.kind == RANDOM then
    to.distribution, to.seed, to.stream, to.a, to.b = e.distribution, e.seed, e.stream, e.a, e.b
  end
  local offset, strides = view.strides(map, inner, axes, start)
  to.offset = offset
  for axis = 1, axes do to.stride[axis - 1] = strides[axis] end
end

-- The inputs of a box, each once; for each leaf its place among them, the shape of its memory, and the
-- view of that.
local function find_inputs(recipe, start, shape, chunk_of)
  local inputs, place_of, found = {}, {}, {}
  for i, made in ipairs(recipe.leaves) do
    local e, inner, map = made.expr, made.expr.dims, made.map
    if made.kind == MEMORY then
      local input
      if e.op == "data" then
        input = e.array
      else
        input, inner, map = chunk_of(e, made.map, start, shape)
      end
      local key = e.op == "data" and e or input
      if not place_of[key] then
        inputs[#inputs + 1] = input
        place_of[key] = #inputs
      end
      found[i] = { place = place_of[key], inner = inner, map = map }
    else
      found[i] = { inner = inner, map = map }
    end
  end
  return inputs, found
end

-- For messages of casts that refuse an element: where the elements of the box at `start` are in what each
-- casts.  int64 numbers: of each step the number, the axes, and for each of these the place of the box's
-- first element, the step, and the axis of the box or 0.  "": it has no such casts.
local function where(recipe, start)
  if #recipe.casts == 0 then return "" end
  local numbers = {}
  local function add(value) numbers[#numbers + 1] = value end
  for _, made in ipairs(recipe.casts) do
    add(made.number)
    add(#made.map)
    for _, at in ipairs(made.map) do
      add(at.start + (at.axis and at.step * start[at.axis] or 0))
      add(at.step)
      add(at.axis or 0)
    end
  end
  return assembly.pack(numbers)
end

--- The leaves of a recipe that are chunks of other stages.
function program.inputs(recipe)
  if recipe.inputs then return recipe.inputs end
  local list = {}
  for _, made in ipairs(recipe.leaves) do
    if made.kind == MEMORY and made.expr.op ~= "data" then list[#list + 1] = made end
  end
  recipe.inputs = list
  return list
end

--- The program of a recipe for a box, with where its casts are behind it, and the list of its inputs.
--- chunk_of(e, map, start, shape): of a stage's chunk that has the box: its node or array, its shape,
--- and the view of the chunk.  geometry: {outer, n, inner} of the reductions; base: of positions.
function program.of(recipe, start, shape, chunk_of, geometry, base)
  -- First: the chunks of other stages may be made of programs, too, and those use the same room.
  local inputs, found = find_inputs(recipe, start, shape, chunk_of)
  local leaves, axes = #recipe.leaves, recipe.axes
  local size = header_size + leaves * leaf_size + #recipe.steps + recipe.reduction_count * reduction_size
  local bytes = buffer(size)
  ffi.fill(bytes, size)
  local header = ffi.cast("struct tidemill_fuse_program *", bytes)
  header.dimensions, header.leaves, header.steps = axes, leaves, recipe.step_count
  header.registers, header.outputs = recipe.registers, recipe.output and 1 or 0
  header.reductions = recipe.reduction_count
  local places = 1
  for axis = 1, axes do
    header.shape[axis - 1] = shape[axis]
    places = places * shape[axis]
  end
  header.outer, header.n, header.inner = 1, places, 1
  if geometry then header.outer, header.n, header.inner = geometry[1], geometry[2], geometry[3] end
  if recipe.output then header.output_type[0] = dtypes.number(recipe.output) end
  local at = ffi.cast("struct tidemill_fuse_leaf *", bytes + header_size)
  for i, made in ipairs(recipe.leaves) do
    fill_leaf(at[i - 1], made, axes, start, found[i].inner, found[i].map)
    at[i - 1].input = (found[i].place or 1) - 1
  end
  local tail = bytes + header_size + leaves * leaf_size
  ffi.copy(tail, recipe.steps, #recipe.steps)
  for i = 0, recipe.reduction_count - 1 do recipe.reductions[i].base = base or 0 end
  ffi.copy(tail + #recipe.steps, recipe.reductions, recipe.reduction_count * reduction_size)
  return ffi.string(bytes, size) .. where(recipe, start), inputs
end

return program
