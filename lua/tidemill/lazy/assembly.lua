-- assembly: chunks put together from boxes of other chunks: what tasks of chunk.assemble are told.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local grid = require("tidemill.lazy.grid")

local assembly = {}

-- The pieces of a box: calls piece(number of the chunk, its first place, the piece's first and size).
local function each_piece(g, start, shape, piece)
  local axes, low, high, index = #shape, {}, {}, {}
  for axis = 1, axes do
    low[axis] = grid.find(g, axis, start[axis])
    high[axis] = grid.find(g, axis, math.max(start[axis] + shape[axis] - 1, start[axis]))
    index[axis] = low[axis]
  end
  while true do
    local begin, first, size = {}, {}, {}
    for axis = 1, axes do
      begin[axis] = g.starts[axis][index[axis]]
      first[axis] = math.max(begin[axis], start[axis])
      size[axis] = math.min(g.starts[axis][index[axis] + 1], start[axis] + shape[axis]) - first[axis]
    end
    piece(grid.number(g, index), index, begin, first, size)
    local axis = axes
    while axis >= 1 do
      index[axis] = index[axis] + 1
      if index[axis] <= high[axis] then break end
      index[axis] = low[axis]
      axis = axis - 1
    end
    if axis < 1 then return end
  end
end

-- Strides of row-major memory of a shape.
local function row_major(shape)
  local strides, pitch = {}, 1
  for axis = #shape, 1, -1 do
    strides[axis] = pitch
    pitch = pitch * shape[axis]
  end
  return strides
end
assembly.row_major = row_major

local function offset_in(first, begin, strides)
  local offset = 0
  for axis, at in ipairs(first) do offset = offset + (at - begin[axis]) * strides[axis] end
  return offset
end

local int64s = ffi.typeof("int64_t[?]")

local function pack(numbers)
  local out = int64s(#numbers)
  for i, number in ipairs(numbers) do out[i - 1] = number end
  return ffi.string(out, 8 * #numbers)
end
assembly.pack = pack

-- What chunk.assemble is told, and its inputs.
local Pieces = {}
Pieces.__index = Pieces

--- Pieces of a chunk of this shape.
function assembly.new(shape)
  local numbers = { #shape }
  for _, size in ipairs(shape) do numbers[#numbers + 1] = size end
  return setmetatable({ numbers = numbers, inputs = {} }, Pieces)
end

--- One piece: a box of `size` at an element of `input` with strides there, to one of the chunk.
function Pieces:add(input, size, from, strides, to, to_strides)
  local numbers = self.numbers
  self.inputs[#self.inputs + 1] = input
  numbers[#numbers + 1] = #size
  for _, length in ipairs(size) do numbers[#numbers + 1] = length end
  numbers[#numbers + 1] = from
  for _, stride in ipairs(strides) do numbers[#numbers + 1] = stride end
  numbers[#numbers + 1] = to
  for _, stride in ipairs(to_strides) do numbers[#numbers + 1] = stride end
end

--- A box of a stage, from all the chunks that it crosses, to element `to` of the chunk and on with
--- these strides.
function Pieces:add_box(stage, start, shape, to, to_strides)
  each_piece(stage.grid, start, shape, function(number, index, begin, first, size)
    local inner = {}
    for axis = 1, #shape do inner[axis] = stage.grid.sizes[axis][index[axis]] end
    local strides = row_major(inner)
    self:add(stage.chunk(number), size, offset_in(first, begin, strides), strides,
      to + offset_in(first, start, to_strides), to_strides)
  end)
end

function Pieces:spec() return pack(self.numbers) end

return assembly
