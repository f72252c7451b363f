-- grid: how a lazy array is cut into chunks.
-- A grid has one list of chunk sizes an axis; chunk (i, j, ..) counts from 1 along each.  Grids are
-- immutable and may be shared.
-- SPDX-License-Identifier: MIT

local shown = require("tidemill.shown")

local grid = {}

local TARGET = 2^23 -- bytes of a chunk of "auto"
local MOST = 2^24 -- chunks of an array

-- Sizes -> a grid: starts[axis][i] is where chunk i begins, from 0; one more tells the end.
local function made(sizes)
  local starts, counts, chunks = {}, {}, 1
  for axis, list in ipairs(sizes) do
    local from, begin = { 0 }, 0
    for i = 1, #list do
      begin = begin + list[i]
      from[i + 1] = begin
    end
    starts[axis], counts[axis] = from, #list
    chunks = chunks * #list
  end
  return { sizes = sizes, starts = starts, counts = counts, chunks = chunks }
end

--- An axis of `size` in pieces of `piece`; an axis of none has one piece of none.
local function pieces(size, piece)
  local list = {}
  while size > piece do
    list[#list + 1] = piece
    size = size - piece
  end
  list[#list + 1] = size
  return list
end

-- Cuts the axes that are in `free` alike, so that a chunk has at most TARGET bytes: the longest side
-- that does it, found by halving, for powers and roots round differently from machine to machine.
local function cut(shape, element, piece, free)
  local function bytes_with(side)
    local bytes = element
    for axis in ipairs(shape) do
      bytes = bytes * (free[axis] and math.min(piece[axis], side) or piece[axis])
    end
    return bytes
  end
  local low, high = 1, 1
  for axis in ipairs(shape) do
    if free[axis] then high = math.max(high, piece[axis]) end
  end
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if bytes_with(middle) <= TARGET then low = middle else high = middle - 1 end
  end
  for axis, size in ipairs(shape) do
    if free[axis] and piece[axis] > low then piece[axis] = math.ceil(size / math.ceil(size / low)) end
  end
end

local function is_size(value)
  return type(value) == "number" and value >= 1 and value == math.floor(value)
end

local function refuse(what, level, message, ...)
  error(("%s: chunks: "):format(what) .. message:format(...), level + 1)
end

-- The sizes that a user lists for one axis.
local function listed(what, axis, size, list, level)
  local total = 0
  for _, piece in ipairs(list) do
    if not is_size(piece) and not (piece == 0 and size == 0) then -- an empty axis has one of none
      refuse(what, level + 1, "axis %d: expected sizes >= 1, got %s", axis, shown.value(piece))
    end
    total = total + piece
  end
  if total ~= size then
    refuse(what, level + 1, "axis %d: the sizes add up to %d, and the axis has %d", axis, total, size)
  end
  local copy = {}
  for i, piece in ipairs(list) do copy[i] = piece end
  return copy
end

--- The grid that the option `chunks` asks for: nil or "auto", a size for all axes, or one entry an
--- axis: a size, "auto", "all", or a list of sizes.  "auto" depends on shape and type alone.
---@param shape integer[]
---@param element integer bytes of an element
---@param chunks any
---@param what string whom messages name
---@param level integer
function grid.new(shape, element, chunks, what, level)
  if chunks ~= nil and chunks ~= "auto" and chunks ~= "all" and type(chunks) ~= "table"
    and not is_size(chunks) then
    refuse(what, level + 1, "expected \"auto\", a size or one entry an axis, got %s", shown.value(chunks))
  end
  if type(chunks) == "table" and #chunks ~= #shape then
    refuse(what, level + 1, "%d entries for an array of %d axes", #chunks, #shape)
  end
  local piece, free, explicit = {}, {}, {}
  for axis, size in ipairs(shape) do
    local entry = chunks
    if type(chunks) == "table" then entry = chunks[axis] end
    piece[axis] = math.max(size, 1)
    if entry == nil or entry == "auto" then
      free[axis] = true
    elseif is_size(entry) then
      piece[axis] = math.min(entry, piece[axis])
    elseif type(entry) == "table" then
      explicit[axis] = listed(what, axis, size, entry, level + 1)
      for _, length in ipairs(explicit[axis]) do piece[axis] = math.min(piece[axis], math.max(length, 1)) end
    elseif entry ~= "all" then
      refuse(what, level + 1, "axis %d: expected a size, \"auto\", \"all\" or a list of sizes, got %s",
        axis, shown.value(entry))
    end
  end
  cut(shape, element, piece, free)
  local count = 1
  for axis, size in ipairs(shape) do
    count = count * (explicit[axis] and #explicit[axis] or math.max(1, math.ceil(size / piece[axis])))
  end
  if count > MOST then
    refuse(what, level + 1, "%.0f are too many (at most %.0f); take larger ones", count, MOST)
  end
  local sizes = {}
  for axis, size in ipairs(shape) do sizes[axis] = explicit[axis] or pieces(size, piece[axis]) end
  return made(sizes)
end

--- A grid of these sizes, which it keeps.
grid.of, grid.pieces = made, pieces

--- One chunk that is everything.
function grid.whole(shape)
  local sizes = {}
  for axis, size in ipairs(shape) do sizes[axis] = { size } end
  return made(sizes)
end

--- Whether two grids cut alike.
function grid.same(a, b)
  if a == b then return true end
  for axis, list in ipairs(a.sizes) do
    local other = b.sizes[axis]
    if #list ~= #other then return false end
    for i = 1, #list do
      if list[i] ~= other[i] then return false end
    end
  end
  return true
end

--- Sizes from cuts: a set of the places (from 0) where an axis of `size` may be cut.
function grid.sizes_of_cuts(size, cuts)
  local places = {}
  for place in pairs(cuts) do
    if place > 0 and place < size then places[#places + 1] = place end
  end
  table.sort(places)
  local list, begin = {}, 0
  for i, place in ipairs(places) do
    list[i] = place - begin
    begin = place
  end
  list[#list + 1] = size - begin
  return list
end

--- Calls visit(index, number) for each chunk in row-major order; `index` is one table, reused.
function grid.each(g, visit)
  local axes, index = #g.counts, {}
  for axis = 1, axes do index[axis] = 1 end
  for number = 1, g.chunks do
    visit(index, number)
    for axis = axes, 1, -1 do
      index[axis] = index[axis] + 1
      if index[axis] <= g.counts[axis] then break end
      index[axis] = 1
    end
  end
end

--- Row-major number of a chunk, from 1.
function grid.number(g, index)
  local number = 0
  for axis = 1, #g.counts do number = number * g.counts[axis] + index[axis] - 1 end
  return number + 1
end

--- Index of chunk `number`.
function grid.index(g, number)
  local index, rest = {}, number - 1
  for axis = #g.counts, 1, -1 do
    index[axis] = rest % g.counts[axis] + 1
    rest = math.floor(rest / g.counts[axis])
  end
  return index
end

--- Where a chunk begins (from 0) and its shape.
function grid.box(g, index)
  local start, shape = {}, {}
  for axis = 1, #g.counts do
    start[axis] = g.starts[axis][index[axis]]
    shape[axis] = g.sizes[axis][index[axis]]
  end
  return start, shape
end

--- The chunk of an axis that has place `at` (from 0).
function grid.find(g, axis, at)
  local starts = g.starts[axis]
  local low, high = 1, g.counts[axis]
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if starts[middle] <= at then low = middle else high = middle - 1 end
  end
  return low
end

--- As text: "1000 x 500", or for uneven ones "(1000, 1000, 24) x 500".
function grid.text(g)
  local parts = {}
  for axis, list in ipairs(g.sizes) do
    local even = true
    for i = 2, #list - 1 do even = even and list[i] == list[1] end
    even = even and list[#list] <= list[1]
    parts[axis] = even and tostring(list[1]) or #list > 5
      and ("(%d, %d, .. %d of them)"):format(list[1], list[2], #list)
      or ("(%s)"):format(table.concat(list, ", "))
  end
  return table.concat(parts, " x ")
end

return grid
