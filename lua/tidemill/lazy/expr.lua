-- expr: what a lazy array stands for, as plain immutable tables.
-- Each has op, dims (its shape), dtype, and what its op needs.  Whether it fuses with its neighbours,
-- and how it runs, is the planner's business (lazy/plan.lua):
--
--   data      array                       a computed array
--   constant  value                       the same everywhere
--   index     axis, start, step           start + step * place along an axis, from 0
--   random    distribution, seed, stream, a, b    elements 0.. of a stream, row-major
--   map       name, code, type, inputs    an elementwise operation; inputs have its dims
--   cast      input                       to another element type
--   view      input, map                  slices, transposes, broadcasts (lazy/view.lua)
--   rechunk   input, grid                 the same, cut otherwise
--   stored    grid, nodes                 chunks that are nodes already (persist, map_blocks, ..)
--   reduce, and those in lazy/stages/*.lua     run as tasks of their own
--
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local dtypes = require("tidemill.dtype")
local shown = require("tidemill.shown")
local view = require("tidemill.lazy.view")

local expr = {}

local DEEPEST = 1000 -- operations one upon the other; planning walks them by recursion
local LIMIT = 2^53 -- elements; positions are exact as Lua numbers below it

--- Elements in all.
function expr.length(dims)
  local length = 1
  for _, size in ipairs(dims) do length = length * size end
  return length
end

--- What an expression is made of: a list.
function expr.inputs(e)
  if e.input then return { e.input } end
  return e.inputs or {}
end

--- (3,4), as messages show a shape.
function expr.shape_text(dims) return "(" .. table.concat(dims, ",") .. ")" end

--- A shape from numbers or one table; sizes are whole numbers from 0.
function expr.dims(what, level, first, ...)
  local given = type(first) == "table" and first or { first, ... }
  if type(first) == "table" and select("#", ...) > 0 then
    error(("%s: a shape is numbers or one table"):format(what), level + 1)
  end
  local dims, count = {}, table.maxn(given)
  if count > 8 then error(("%s: at most 8 axes, got %d"):format(what, count), level + 1) end
  for axis = 1, count do
    local size = given[axis]
    if type(size) ~= "number" or size < 0 or size ~= math.floor(size) or size == math.huge then
      error(("%s: axis %d: expected a size >= 0, got %s"):format(what, axis, shown.value(size)), level + 1)
    end
    dims[axis] = size
  end
  local length = expr.length(dims)
  if length > LIMIT or length ~= length then -- an axis of 0 does not help one that is beyond all numbers
    error(("%s: a shape of %s has more than 2^53 elements"):format(what, expr.shape_text(dims)), level + 1)
  end
  return dims
end

--- A computed array.
function expr.data(value)
  return { op = "data", dims = value.shape, dtype = value.dtype, array = value }
end

--- One value everywhere.
function expr.constant(value, dtype, dims)
  return { op = "constant", dims = dims or {}, dtype = dtype, value = value }
end

--- start + step * place along an axis, places from 0.
function expr.index(dims, axis, dtype, start, step)
  return { op = "index", dims = dims, dtype = dtype, axis = axis, start = start, step = step }
end

-- ---- elementwise ------------------------------------------------------------------------------------

--- The shape that these broadcast to; raises when they do not.
function expr.broadcast(what, shapes, level)
  local axes = 0
  for _, dims in ipairs(shapes) do axes = math.max(axes, #dims) end
  local out = {}
  for axis = 1, axes do
    local size, from = 1, nil
    for i, dims in ipairs(shapes) do
      local own = dims[axis - axes + #dims]
      if own and own ~= 1 then
        if size ~= 1 and own ~= size then
          error(("%s: shapes %s and %s do not broadcast: %d ~= %d (axis %d)"):format(what,
            expr.shape_text(shapes[from]), expr.shape_text(dims), size, own, axis), level + 1)
        end
        size, from = own, i
      end
    end
    out[axis] = size
  end
  return out
end

local function same_dims(a, b)
  if #a ~= #b then return false end
  if #a == 1 then return a[1] == b[1] end -- LuaJIT compiles no short loops inside others
  if #a == 2 then return a[1] == b[1] and a[2] == b[2] end
  for axis, size in ipairs(a) do
    if size ~= b[axis] then return false end
  end
  return true
end
expr.same_dims = same_dims

--- `input` shown as a larger shape.
function expr.expand(input, dims)
  if same_dims(input.dims, dims) then return input end
  if input.op == "constant" then return expr.constant(input.value, input.dtype, dims) end
  return expr.view(input, dims, view.broadcast(input.dims, dims))
end

local is_time = { date = true, timestamp = true }

-- What a constant is in another type; nil where that takes the kernel of casts, or its error.
local function converted(value, from, dtype)
  if dtype == "bool" then return value ~= 0 and value ~= false end
  if is_time[from] and is_time[dtype] then return nil end
  if type(value) == "boolean" then return value and 1 or 0 end
  if type(value) == "cdata" then
    if dtype == "int64" or dtype == "timestamp" then return value end
    value = tonumber(value)
  end
  if dtype == "float32" then return tonumber(ffi.cast("float", value)) end
  if dtype == "float64" then return value end
  local cut = value < 0 and math.ceil(value) or math.floor(value)
  if dtypes.holds(dtype, cut) then return cut end
end

--- Converted to another type; itself when it has it.
function expr.cast(input, dtype)
  if input.dtype == dtype then return input end
  if input.op == "constant" then
    local value = converted(input.value, input.dtype, dtype)
    if value ~= nil then return expr.constant(value, dtype, input.dims) end
    if input.dtype == "?" then input = expr.constant(input.value, "float64", input.dims) end
  end
  return { op = "cast", dims = input.dims, dtype = dtype, input = input, depth = input.depth }
end

--- An elementwise operation: `code` of enum tidemill_op on inputs of `type`, giving `dtype`.
function expr.map(name, code, type_in, dtype, level, a, b, c)
  local dims, depth = a.dims, a.depth or 0
  if not ((b == nil or same_dims(dims, b.dims)) and (c == nil or same_dims(dims, c.dims))) then
    dims = expr.broadcast(name, { dims, b.dims, c and c.dims }, level + 1)
    a, b, c = expr.expand(a, dims), expr.expand(b, dims), c and expr.expand(c, dims)
  end
  local expanded
  if c ~= nil then
    depth, expanded = math.max(depth, b.depth or 0, c.depth or 0), { a, b, c }
  elseif b ~= nil then
    depth, expanded = math.max(depth, b.depth or 0), { a, b }
  else
    expanded = { a }
  end
  if depth >= DEEPEST then
    error(("%s: an array of more than %d operations one upon the other; call :persist() in between"):format(
      name, DEEPEST), level + 1)
  end
  return { op = "map", name = name, code = code, type = type_in, dims = dims, dtype = dtype,
    inputs = expanded, depth = depth + 1 }
end

-- ---- views ------------------------------------------------------------------------------------------

--- `input` through a view; chains of views become one.
function expr.view(input, dims, map)
  if input.op == "view" then
    map, input = view.compose(map, input.map), input.input
  end
  if view.is_identity(map, dims, input.dims) then return input end
  if input.op == "constant" then return expr.constant(input.value, input.dtype, dims) end
  return { op = "view", dims = dims, dtype = input.dtype, input = input, map = map, depth = input.depth }
end

--- With the axes in another order.
function expr.transpose(input, order)
  local dims = {}
  for outer, inner in ipairs(order) do dims[outer] = input.dims[inner] end
  return expr.view(input, dims, view.transpose(order))
end

--- With axes of one element put in where `at` says: the list of their places in the result.
function expr.insert_axes(input, at)
  local new, dims, map = {}, {}, {}
  for _, axis in ipairs(at) do new[axis] = true end
  local inner = 0
  for axis = 1, #input.dims + #at do
    if new[axis] then
      dims[axis] = 1
    else
      inner = inner + 1
      dims[axis] = input.dims[inner]
      map[inner] = { axis = axis, start = 0, step = 1 }
    end
  end
  return expr.view(input, dims, map)
end

--- Without these axes (a set), of which place `at[axis]`, from 0, is kept.
function expr.drop_axes(input, drop, at)
  local dims, map = {}, {}
  for inner, size in ipairs(input.dims) do
    if drop[inner] then
      map[inner] = { start = at and at[inner] or 0, step = 0 }
    else
      dims[#dims + 1] = size
      map[inner] = { axis = #dims, start = 0, step = 1 }
    end
  end
  return expr.view(input, dims, map)
end

--- The same elements in row-major order in another shape.
function expr.reshape(input, dims)
  if same_dims(input.dims, dims) then return input end
  if input.op == "constant" then return expr.constant(input.value, input.dtype, dims) end
  if input.op == "random" then
    local copy = {}
    for key, value in pairs(input) do copy[key] = value end
    copy.dims = dims
    return copy
  end
  if input.op == "data" then
    local e = expr.data(input.array)
    e.dims = dims
    return e
  end
  return { op = "reshape", dims = dims, dtype = input.dtype, input = input, key = "" }
end

-- ---- operands ---------------------------------------------------------------------------------------

--- Whether something is an expression: lazy arrays know.
local of_lazy

function expr.use_lazy(get) of_lazy = get end

--- The expression of an operand: a lazy or computed array, a table of numbers, a number or boolean.
--- Numbers have dtype nil: they take that of their partner.
function expr.operand(what, value, level)
  local kind = type(value)
  if kind == "number" or kind == "boolean" then
    return { op = "constant", dims = {}, value = value }
  end
  local found = of_lazy(value)
  if found then return found end
  if kind == "table" and getmetatable(value) == nil then value = array.given(value, what, level + 1) end
  if array.is(value) then
    if value.dtype == "utf8" or value.dtype == "dictionary" then
      error(("%s: expected numbers, got an array of text"):format(what), level + 1)
    elseif not dtypes.is(value.dtype) then
      error(("%s: there is no arithmetic of %s%s"):format(what, value.dtype, dtypes.advice(value.dtype)),
        level + 1)
    elseif value.nulls > 0 and not dtypes.is_float(value.dtype) then
      error(("%s: %d elements of an array of %s are missing; a:astype(\"float64\") makes them NaN"):format(
        what, value.nulls, value.dtype), level + 1)
    end
    return expr.data(value)
  end
  if kind == "cdata" and dtypes.of_scalar(value) then
    return { op = "constant", dims = {}, value = value, dtype = dtypes.of_scalar(value) }
  end
  local what_it_is = kind == "string" and "a string" or shown.value(value)
  local method = kind == "function" and require("tidemill.lazy").name_of(value)
  if method then what_it_is = ("the method %s: write a:%s()"):format(method, method) end
  error(("%s: expected an array, a table of numbers or a number, got %s"):format(what, what_it_is), level + 1)
end

return expr
