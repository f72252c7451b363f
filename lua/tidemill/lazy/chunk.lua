-- chunk: what the tasks of lazy arrays do: each function makes one chunk from its inputs.
-- They run in any state; plans and specifications come as byte strings or plain numbers, chunks as
-- computed arrays.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local dtypes = require("tidemill.dtype")
local declare = require("tidemill.kernels.declare")
declare("elementwise.h")
declare("reduce.h")
declare("strided.h")
declare("fuse.h")

local chunk = {}

local header_size = ffi.sizeof("struct tidemill_fuse_program")
local header_pointer = ffi.typeof("const struct tidemill_fuse_program *")
local leaf_size = ffi.sizeof("struct tidemill_fuse_leaf")
local leaf_pointer = ffi.typeof("const struct tidemill_fuse_leaf *")
local MEMORY = 1 -- the kind of a leaf
local step_size = ffi.sizeof("struct tidemill_fuse_step")
local reduction_size = ffi.sizeof("struct tidemill_fuse_reduction")

-- Keeps its arguments alive: compiled code forgets a local after its last use.
local function hold() end

-- ---- what is announced ------------------------------------------------------------------------------

local function shape_text(shape) return "(" .. table.concat(shape, ",") .. ")" end

local function differs(name, value, dtype, dims)
  error(("%s: an unsound chunk: %s of %s, announced %s of %s"):format(name, shape_text(value.shape),
    value.dtype, shape_text(dims), dtype), 0)
end

--- A chunk, held against what was announced: kernels read its memory as that.  What has no axes is an array
--- of one element.
---@param name string the operation, for the message
---@param value tidemill.array
---@param dtype string
---@param dims integer[]
---@return tidemill.array
function chunk.announced(name, value, dtype, dims)
  if value.dtype ~= dtype then differs(name, value, dtype, dims) end
  local shape, count = value.shape, #dims
  local same = #shape == count or count == 0 and value.length == 1
  for axis = 1, count do same = same and shape[axis] == dims[axis] end
  if not same then differs(name, value, dtype, dims) end
  return value
end

-- The same of the type alone, of who knows a chunk's place and no shape.
local function check_type(value, dtype)
  if value.dtype ~= dtype then
    error(("an unsound chunk: of %s, announced as %s"):format(value.dtype, dtype), 0)
  end
end
chunk.check_type = check_type

-- Work space that the tasks of one state take turns in, aligned to 64; a large one is not kept.
local KEPT = 2^22
local space, space_size = nil, 0

local function scratch(bytes)
  local memory = space
  if bytes > space_size then
    memory = ffi.new("uint8_t[?]", bytes + 64)
    if bytes <= KEPT then space, space_size = memory, bytes end
  end
  local address = ffi.cast("uintptr_t", memory)
  return ffi.cast("void *", ffi.cast("uintptr_t", (address + 63ULL) / 64ULL * 64ULL)), memory
end

local pointers, outputs = ffi.new("const void *[256]"), ffi.new("void *[256]")
local lengths, types = ffi.new("int64_t[256]"), ffi.new("int32_t[256]")

-- Fills `pointers`, `lengths` and `types`.
local function take_inputs(count, ...)
  for i = 1, count do
    local input = select(i, ...)
    pointers[i - 1], lengths[i - 1], types[i - 1] = input.array.values, input.length, input.array.type
  end
end

-- A program knows its inputs by number, and their types by what reads them.
local function check_types(bytes, leaves, count)
  local list = ffi.cast(leaf_pointer, ffi.cast("const uint8_t *", bytes) + header_size)
  for i = 0, leaves - 1 do
    local leaf = list[i]
    local input = leaf.input
    if leaf.kind == MEMORY and input >= 0 and input < count and types[input] ~= leaf.type then
      error(("an unsound chunk: of %s, announced as %s"):format(dtypes.name(types[input]),
        dtypes.name(leaf.type)), 0)
    end
  end
end

local function shape_of(header)
  local shape, length = {}, 1
  for axis = 1, header.dimensions do
    shape[axis] = tonumber(header.shape[axis - 1])
    length = length * shape[axis]
  end
  return shape, length
end

-- Without what stands behind the program.
local function program_size(bytes)
  if #bytes < header_size then return #bytes end
  local header = ffi.cast(header_pointer, bytes)
  return math.min(#bytes, header_size + header.leaves * leaf_size + header.steps * step_size
    + header.reductions * reduction_size)
end

-- Runs a program up to step `number`, a cast, which it stores, or, negated, what the cast is of: the
-- array and the place that a cast refused, 0 for none.  nil: it is unsound.
local function run_up_to(number, negated, bytes, inputs)
  local steps = header_size + ffi.cast(header_pointer, bytes).leaves * leaf_size
  local copy = ffi.new("uint8_t[?]", #bytes)
  ffi.copy(copy, bytes, #bytes)
  local header = ffi.cast("struct tidemill_fuse_program *", copy)
  local step = ffi.cast("struct tidemill_fuse_step *", copy + steps) + number - 1
  local kind = negated and step.type or step.to
  if negated then step.op, step.to = C.TIDEMILL_OP_NEG, 0 end
  step.out = header.leaves + header.registers
  header.steps, header.outputs, header.reductions, header.output_type[0] = number, 1, 0, kind
  local program, _, length = ffi.string(copy, steps + number * step_size), shape_of(header)
  if C.tidemill_kernel_fuse_check(program, #program, lengths, inputs) ~= 0 then return nil end
  local out = array.new(dtypes.name(kind), length)
  outputs[0] = out:pointer()
  local memory, keep = scratch(tonumber(C.tidemill_kernel_fuse_scratch(program)))
  local refused = C.tidemill_kernel_fuse(program, pointers, outputs, memory)
  hold(keep, program)
  return out, tonumber(refused)
end

-- An element as it is: a Lua number does not have all of an int64.
local function element(values, place)
  return values.dtype == "int64" and values:int64(place) or values[place]
end

-- The cast of a program that refused a place: what it was of, the type that cannot hold it, and its number;
-- nil: unknown.
local function cast_value(bytes, place, inputs)
  local header = ffi.cast(header_pointer, bytes)
  local list = ffi.cast("const struct tidemill_fuse_step *", ffi.cast("const uint8_t *", bytes) + header_size
    + header.leaves * leaf_size)
  for number = 1, header.steps do
    local step = list[number - 1]
    local _, refused
    if step.op == C.TIDEMILL_FUSE_CAST then _, refused = run_up_to(number, false, bytes, inputs) end
    if refused == place then
      local values = run_up_to(number, true, bytes, inputs)
      return values and -element(values, place), dtypes.name(step.to), number
    end
  end
end

-- Where an element of the box is in what step `number` casts, as stands behind the program; nil: unknown.
local function place_of(where, number, box)
  local n, words, at = ffi.cast("const int64_t *", where), #where / 8, 0
  while at < words and n[at] ~= number do at = at + 2 + 3 * tonumber(n[at + 1]) end
  if at >= words then return nil end
  local index = {}
  for axis = 1, tonumber(n[at + 1]) do
    local through = n + at + 3 * axis - 1
    local from = tonumber(through[2])
    index[axis] = tonumber(through[0]) + (from > 0 and tonumber(through[1]) * box[from] or 0) + 1
  end
  return table.concat(index, ", ")
end

-- So many inputs are as take_inputs has left them.
local function refused_element(bytes, place, inputs)
  local shape, box, rest = shape_of(ffi.cast(header_pointer, bytes)), {}, tonumber(place) - 1
  for axis = #shape, 1, -1 do
    box[axis] = rest % shape[axis]
    rest = math.floor(rest / shape[axis])
  end
  local value, dtype, number = cast_value(bytes, tonumber(place), inputs)
  local whole = number and place_of(bytes:sub(program_size(bytes) + 1), number, box)
  if not whole then error("cast: an element does not fit the integer type", 0) end
  error(("cast: element (%s) is %s, which %s cannot hold"):format(whole,
    (tostring(value):gsub("LL$", "")), dtype), 0)
end

-- 8-byte elements of all partial results.
local function partial_length(header, list)
  local m, length = tonumber(header.outer * header.inner), 0
  for i = 0, header.reductions - 1 do
    length = length + m * tonumber(C.tidemill_kernel_reduce_planes(list[i].kind, list[i].type))
  end
  return length, m
end

local function aim_partials(header, list, out)
  local m, at = tonumber(header.outer * header.inner), ffi.cast("int64_t *", out:pointer())
  for i = 0, header.reductions - 1 do
    outputs[i] = at
    at = at + m * tonumber(C.tidemill_kernel_reduce_planes(list[i].kind, list[i].type))
  end
end

-- `into`: the array that a program which stores one fills; nil: a new one.
local function run(into, bytes, ...)
  local header = ffi.cast(header_pointer, bytes)
  take_inputs(select("#", ...), ...)
  if C.tidemill_kernel_fuse_check(bytes, program_size(bytes), lengths, select("#", ...)) ~= 0 then
    error("an unsound program of a lazy array", 0)
  end
  check_types(bytes, header.leaves, select("#", ...))
  local out
  if header.outputs == 1 then
    local shape, length = shape_of(header)
    out = into or array.new(dtypes.name(header.output_type[0]), length, #shape > 0 and shape or nil)
    if out.length ~= length then error("an unsound place of a chunk", 0) end
    outputs[0] = out:pointer()
  else
    local list = ffi.cast("const struct tidemill_fuse_reduction *", ffi.cast("const uint8_t *", bytes) +
      header_size + header.leaves * leaf_size + header.steps * step_size)
    out = array.new("int64", (partial_length(header, list)))
    aim_partials(header, list, out)
  end
  local memory, keep = scratch(tonumber(C.tidemill_kernel_fuse_scratch(bytes)))
  local refused = C.tidemill_kernel_fuse(bytes, pointers, outputs, memory)
  if refused ~= 0 then refused_element(bytes, refused, select("#", ...)) end
  hold(keep, out, bytes, ...)
  return out
end

--- Runs a program: gives the array that it stores, or the partial results of its reductions, one
--- after the other, as an int64 array.
---@param bytes string
---@param ... tidemill.array its inputs
function chunk.run(bytes, ...) return run(nil, bytes, ...) end

--- Stores into a part of an array that many tasks fill, each its own: all of them are in the process that
--- made the array.
---@param part tidemill.array
---@param bytes string
---@param ... tidemill.array its inputs
function chunk.run_into(part, bytes, ...)
  run(part, bytes, ...)
  array.let_go(part)
end

-- ---- partial results --------------------------------------------------------------------------------

-- Calls visit(kind, pointer to int64, i) for each of the partial results in a blob.
local function each_partial(kinds, type, m, blob, visit)
  local at = ffi.cast("int64_t *", blob:pointer())
  for i, kind in ipairs(kinds) do
    visit(kind, at, i)
    at = at + m * tonumber(C.tidemill_kernel_reduce_planes(kind, type))
  end
end

local positions = { [7] = true, [8] = true, [39] = true, [40] = true } -- kinds with a plane of them

-- Of equal values the one that stands first in the whole array counts, which over several axes need
-- not be the one of the earlier chunk.
local function prefer_first(type, m, left, right)
  local values = (type == 10 or type == 11) and "double *" or "int64_t *"
  local a, b = ffi.cast(values, left), ffi.cast(values, right)
  for i = 0, m - 1 do
    local same = a[i] == b[i] or (a[i] ~= a[i] and b[i] ~= b[i])
    if same and right[m + i] >= 0 and right[m + i] < left[m + i] then left[m + i] = right[m + i] end
  end
end

--- Runs a program whose reductions tell positions over several axes, and makes those of the chunk
--- ones of the whole, from 1.  The places are int64 numbers: the axes, the chunk's sizes along them,
--- where it begins, the whole's sizes.
function chunk.run_located(type, m, kinds, places, bytes, ...)
  local blob = chunk.run(bytes, ...)
  local n = ffi.cast("const int64_t *", places)
  local axes = tonumber(n[0])
  each_partial({ kinds:byte(1, -1) }, type, m, blob, function(kind, at)
    if not positions[kind] then return end
    for i = m, 2 * m - 1 do
      local rest, place, pitch = tonumber(at[i]), 1, 1
      if rest >= 0 then
        for axis = axes, 1, -1 do
          local size = tonumber(n[axis])
          place = place + (rest % size + tonumber(n[axes + axis])) * pitch
          rest, pitch = math.floor(rest / size), pitch * tonumber(n[2 * axes + axis])
        end
        at[i] = place
      end
    end
  end)
  return blob
end

local function copy_of(blob)
  local out = array.new("int64", blob.length)
  ffi.copy(out:pointer(), blob:pointer(), 8 * blob.length)
  return out
end

--- Joins partial results of neighbouring parts: pairs of neighbours, then pairs of those.
---@param type integer element type
---@param m integer results in each
---@param kinds string the kinds, one byte each
---@param ... tidemill.array
function chunk.join(type, m, kinds, ...)
  local parts, list = { ... }, { kinds:byte(1, -1) }
  local own = {} -- parts that are ours to write
  while #parts > 1 do
    local joined = {}
    for i = 1, #parts, 2 do
      local left, right = parts[i], parts[i + 1]
      if right then
        if not own[i] then left = copy_of(left) end
        local from = ffi.cast("int64_t *", right:pointer())
        each_partial(list, type, m, left, function(kind, at)
          if positions[kind] then prefer_first(type, m, at, from) end
          C.tidemill_kernel_reduce_join(kind, type, at, from, m)
          from = from + m * tonumber(C.tidemill_kernel_reduce_planes(kind, type))
        end)
        hold(right)
      end
      joined[#joined + 1] = left
    end
    local count = #parts
    parts, own = joined, {}
    for i = 1, math.floor(count / 2) do own[i] = true end
  end
  return parts[1]
end

--- The answer of one of the kinds in partial results, which it joins: an array of this shape.
---@param type integer element type of what was reduced
---@param m integer
---@param kinds string
---@param place integer which of the kinds
---@param name string of the answer, for messages
---@param what integer enum tidemill_reduction: the answer
---@param ddof number
---@param dims integer[]|nil shape
---@param ... tidemill.array
function chunk.finish(type, m, kinds, place, name, what, ddof, dims, ...)
  local blob = chunk.join(type, m, kinds, ...)
  local out = array.new(dtypes.name(C.tidemill_kernel_reduce_type(what, type)), m, dims)
  local done = -1
  each_partial({ kinds:byte(1, -1) }, type, m, blob, function(kind, at, i)
    if i == place then
      done = C.tidemill_kernel_reduce_finish(kind, what, type, at, m, ddof, out:pointer())
    end
  end)
  hold(blob)
  if done ~= 0 then error(name .. ": all elements are NaN", 0) end
  return out
end

-- ---- chunks from pieces of others -------------------------------------------------------------------

--- A chunk that is put together from boxes of others.  The specification is int64 numbers: the axes
--- and the shape; then for each piece, one an input: its axes and shape, the element of its input where
--- it begins and the strides there, the element of the chunk where it begins and the strides there.
---@param dtype string
---@param spec string
---@param inputs tidemill.array[]
function chunk.assembled(dtype, spec, inputs)
  local n = ffi.cast("const int64_t *", spec)
  local axes, shape, length = tonumber(n[0]), {}, 1
  for axis = 1, axes do
    shape[axis] = tonumber(n[axis])
    length = length * shape[axis]
  end
  local out = array.new(dtype, length, axes > 0 and shape or nil)
  local size = dtypes.size(dtype)
  local to = ffi.cast("uint8_t *", out:pointer())
  n = n + 1 + axes
  for _, input in ipairs(inputs) do
    check_type(input, dtype)
    local from = ffi.cast("const uint8_t *", input.array.values)
    axes, n = tonumber(n[0]), n + 1
    local done = C.tidemill_kernel_copy_view(size, axes, n, from + n[axes] * size, n + axes + 1,
      to + n[2 * axes + 1] * size, n + 2 * axes + 2)
    hold(input)
    if done ~= 0 then error("an unsound specification of a chunk", 0) end
    n = n + 3 * axes + 2
  end
  hold(out, spec)
  return out
end

--- Puts a chunk at its place in an array that many tasks fill, each its own part: all of them are in the
--- process that made the array.
---@param whole tidemill.array
---@param from integer the element where it begins
---@param strides integer[] of the whole
---@param name string of the operation
---@param shape integer[] of the chunk
---@param value tidemill.array
function chunk.place(whole, from, strides, name, shape, value)
  chunk.announced(name, value, whole.dtype, shape)
  local axes = #strides
  local size = dtypes.size(value.dtype)
  local to = ffi.cast("uint8_t *", whole.array.values) + from * size
  local done = C.tidemill_kernel_paste(size, axes, ffi.new("int64_t[8]", shape), value.array.values, to,
    ffi.new("int64_t[8]", strides))
  hold(whole, value)
  if done ~= 0 then error("an unsound place of a chunk", 0) end
end

--- The same of arguments.
function chunk.assemble(dtype, spec, ...) return chunk.assembled(dtype, spec, { ... }) end

--- A box of an array: `shape` of it from `start` (places from 0).
function chunk.box(value, start, shape)
  local whole, axes, same, length = value.shape, #shape, true, 1
  for axis = 1, axes do
    same = same and whole[axis] == shape[axis]
    length = length * shape[axis]
  end
  if same then return value end
  local out, size = array.new(value.dtype, length, shape), dtypes.size(value.dtype)
  local sizes, strides = ffi.new("int64_t[8]", shape), ffi.new("int64_t[8]")
  local pitch, offset = 1, 0
  for axis = axes, 1, -1 do
    strides[axis - 1], offset = pitch, offset + start[axis] * pitch
    pitch = pitch * whole[axis]
  end
  C.tidemill_kernel_copy_strided(size, axes, sizes, strides,
    ffi.cast("const uint8_t *", value.array.values) + offset * size, out:pointer())
  hold(value)
  return out
end

--- An array as it is.
function chunk.same(value) return value end

--- The one element of a chunk, as a Lua number or boolean.
function chunk.item(value) return array.item(value, "item") end

return chunk
