-- make: arrays from Lua tables, nested or not, and from raw memory.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")
local core = require("tidemill.core")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local fill = require("tidemill.array.fill")
local shapes = require("tidemill.array.shape")
local shown = require("tidemill.shown")
local types = require("tidemill.array.types")

local make = {}
local engine = ffi.cast("void *", core.engine)

local length_of = fill.length

-- "row 2, 1" of the tables on the way to a list; "the table" for the outermost.
local function row_name(path)
  return #path == 0 and "the table" or "row " .. table.concat(path, ", ")
end

local function element_name(path, i)
  return "element " .. (#path > 0 and table.concat(path, ", ") .. ", " or "") .. i
end

local function described(v)
  if array.is(v) then return "is an array of " .. shapes.text(v.shape) end
  if type(v) == "table" then
    local n = length_of(v)
    return n == 1 and "has 1 element" or ("has %d elements"):format(n)
  end
  return v == nil and "is nil" or "is a " .. type(v)
end

-- The shape that the first element of every table shows, how many axes of it are tables, and that first
-- element: nil, or an array when rows are arrays.
local function look(values)
  local shape, v = {}, values
  while type(v) == "table" do
    if #shape == shapes.most_axes then
      error(("array: tables are nested more than %d deep"):format(shapes.most_axes), 3)
    end
    local n = length_of(v)
    local problem = fill.length_problem(n, "array")
    if problem then error(problem, 3) end
    shape[#shape + 1] = n
    if n == 0 then return shape, #shape end
    v = v[1]
  end
  local tables = #shape
  if not array.is(v) then return shape, tables, v end
  for _, size in ipairs(v.shape) do shape[#shape + 1] = size end
  if #shape > shapes.most_axes then
    error(("array: rows of %d axes in a table of %d make more than %d"):format(v.ndim, tables,
      shapes.most_axes), 3)
  end
  return shape, tables, v
end

-- Calls visit(list, path) for each innermost table, or array that stands for one, in order; raises where
-- the tables are ragged.
local function each_list(values, shape, depth, tables, path, visit)
  if depth > tables or depth == tables and not array.is(values[1]) then return visit(values, path) end
  local wanted, first = shape[depth + 1], values[1]
  for i = 1, shape[depth] do
    local row = values[i]
    path[#path + 1] = i
    local fits = type(row) == type(first) and array.is(row) == array.is(first)
    if fits and type(row) == "table" then fits = length_of(row) == wanted end
    if fits and array.is(row) then fits = shapes.text(row.shape) == shapes.text(first.shape) end
    if not fits then
      local other = {}
      for axis = 1, #path - 1 do other[axis] = path[axis] end
      other[#path] = 1
      -- Of rows that have their length from elsewhere the first one in all is what they are held against.
      if type(first) == "table" and length_of(first) ~= wanted then
        for axis = 1, #path do other[axis] = 1 end
        first = { n = wanted }
      end
      error(("array: %s %s, %s %s"):format(row_name(path), described(row), row_name(other),
        (described(first):gsub(" elements?$", ""))), 0)
    end
    each_list(row, shape, depth + 1, tables, path, visit)
    path[#path] = nil
  end
end

-- The type that the first elements suggest.
local function guess(first)
  if array.is(first) then return first.dtype end
  local kind = type(first)
  if kind == "boolean" then return "bool" end
  if kind == "string" then return "utf8" end
  if kind == "cdata" and ffi.istype("int64_t", first) then return "int64" end
  if kind == "cdata" and ffi.istype("uint64_t", first) then return "uint64" end
  return "float64"
end

-- Rows that are arrays: what they have when all have it, else float64.
local function guess_rows(values, shape, tables, first)
  local dtype = first.dtype
  each_list(values, shape, 1, tables, {}, function(row)
    if row.dtype ~= dtype then dtype = "float64" end
  end)
  return dtype
end

local function text_array(list, shape)
  local bytes = 0
  for i = 1, #list do bytes = bytes + #list[i] end
  local pointer = C.tidemill__array_text(engine, #list, bytes)
  if pointer == nil then
    error(("array: no memory for %d strings of %.0f bytes; an array of text has less than 2 GiB")
      :format(#list, bytes), 0)
  end
  local offsets, at = ffi.cast("int32_t *", pointer.offsets), 0
  local to = ffi.cast("char *", pointer.values)
  for i = 1, #list do
    offsets[i - 1] = at
    ffi.copy(to + at, list[i], #list[i])
    at = at + #list[i]
  end
  offsets[#list] = at
  pointer.dimensions = #shape
  for i, size in ipairs(shape) do pointer.shape[i - 1] = size end
  return array.adopt(pointer)
end

local function texts(values, shape, tables)
  local list = {}
  each_list(values, shape, 1, tables, {}, function(row, path)
    for i = 1, array.is(row) and #row or length_of(row) do
      local value = row[i]
      if type(value) ~= "string" then
        error(("array: %s is %s, expected a string"):format(element_name(path, i),
          value == nil and "nil" or "a " .. type(value)), 0)
      end
      list[#list + 1] = value
    end
  end)
  return text_array(list, shape)
end

local function numbers(values, shape, tables, dtype)
  local out = array.new(dtype, nil, shape, 0)
  local pointer, itemsize = out:pointer(), out.itemsize
  each_list(values, shape, 1, tables, {}, function(row, path)
    if array.is(row) then
      row = array.as(row, dtype, "array: " .. row_name(path), 0)
      ffi.copy(pointer, row:pointer(), row.length * itemsize)
      pointer = pointer + row.length
      return
    end
    local length = length_of(row)
    local bad, what = fill.list(pointer, row, length, dtype)
    if bad then error(("array: %s is %s"):format(element_name(path, bad), what), 0) end
    pointer = pointer + length
  end)
  return out
end

-- The name of a type given as itself or in a table.
local function type_name(dtype)
  if type(dtype) ~= "table" then return dtype end
  for key in pairs(dtype) do
    if key ~= "dtype" then
      error(("array: unknown option \"%s\"%s"):format(shown.name(key),
        require("tidemill.suggest").phrase(key, { "dtype" })), 3)
    end
  end
  return dtype.dtype
end

-- A frame is a table, too, but of columns.
local function is_frame(values)
  local frames = package.loaded["tidemill.frame"]
  return frames ~= nil and frames.is(values)
end

local function build(values, shape, tables, dtype)
  if dtype == "utf8" then return texts(values, shape, tables) end
  return numbers(values, shape, tables, dtype)
end

function make.from(values, dtype)
  dtype = type_name(dtype)
  if array.is(values) then
    if dtype == nil then return values end
    local fine, out = pcall(values.astype, values, dtype)
    if not fine then error(out, 2) end
    return out
  end
  if type(values) ~= "table" then
    error("array: expected array(table, dtype), got a " .. type(values), 2)
  end
  if is_frame(values) then
    error("array: expected array(table, dtype), got a frame; its columns are arrays", 2)
  end
  if dtype ~= nil and dtype ~= "utf8" then types.fixed(dtype, "array", 2) end
  local shape, tables, first = look(values)
  local fine, out = pcall(function()
    local wanted = dtype or (array.is(first) and guess_rows(values, shape, tables, first)) or guess(first)
    return build(values, shape, tables, wanted)
  end)
  if not fine then error(out, type(out) == "string" and 2 or 0) end
  return out
end

-- ---- raw memory -------------------------------------------------------------------------------------

-- Bytes that a source is known to have: of a string and an FFI array; nil of a pointer.
local function known_bytes(source)
  if type(source) == "string" then return #source end
  if type(source) ~= "cdata" or array.is(source) or fill.is_wide(source) then
    error("from_buffer: expected a string, an FFI array or a pointer, got " ..
      (array.is(source) and "an array; a:astype converts" or "a " .. type(source)), 3)
  end
  if tostring(ffi.typeof(source)):find("%*>$") then
    if source == nil then error("from_buffer: the pointer is NULL", 3) end
    return nil
  end
  return ffi.sizeof(source)
end

function make.from_buffer(source, dtype, ...)
  local itemsize = types.sizes[types.fixed(dtype, "from_buffer", 2)]
  local bytes, shape = known_bytes(source), nil
  if select("#", ...) > 0 then
    shape = shapes.given("from_buffer", 2, ...)
  elseif bytes == nil then
    error("from_buffer: a pointer needs a shape: how many elements it points to", 2)
  elseif bytes % itemsize ~= 0 then
    error(("from_buffer: %d bytes are no whole number of %s"):format(bytes, dtype), 2)
  else
    shape = { bytes / itemsize }
  end
  local wanted = shapes.measure(shape, dtype, itemsize, "from_buffer", 2) * itemsize
  if bytes and bytes ~= wanted then
    error(("from_buffer: %s %s is %d bytes, the source has %d"):format(shapes.text(shape), dtype, wanted,
      bytes), 2)
  end
  local out = array.new(dtype, nil, shape)
  ffi.copy(out:pointer(), source, wanted)
  return out
end

return make
