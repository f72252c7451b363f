-- make: lazy arrays from nothing: zeros, ones, full, arange, linspace, eye.
-- SPDX-License-Identifier: MIT

local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local options = require("tidemill.options")
local ops = require("tidemill.lazy.ops")
local shown = require("tidemill.shown")

local make = {}

--- A shape and options from the arguments of a call: f(3, 4, {dtype = ..}), f({3, 4}, {..}).
---@param what string
---@param known string[] names of options
---@param level integer
function make.arguments(what, known, level, ...)
  -- All are taken at once: compiled code may lose what of `...` is asked for later.
  local count, sizes, given = select("#", ...), { ... }, nil
  local last = sizes[count]
  if type(last) == "table" and (count > 1 or (#last == 0 and next(last) ~= nil)) then
    given, sizes[count], count = last, nil, count - 1
  end
  options.only(given, known, what, level + 1)
  if count == 0 then error(("%s: expected a shape: numbers or one table"):format(what), level + 1) end
  local dims = expr.dims(what, level + 1, count == 1 and sizes[1] or sizes)
  return dims, given or {}
end

--- An expression cut as the option `chunks` says.
function make.cut(e, chunks, what, level)
  if chunks == nil then return e end
  local g = grid.new(e.dims, dtypes.size(e.dtype), chunks, what, level + 1)
  return { op = "rechunk", dims = e.dims, dtype = e.dtype, input = e, grid = g }
end

local shaped = { "dtype", "chunks" }

local function filled(what, value, level, ...)
  local dims, given = make.arguments(what, shaped, level + 1, ...)
  local dtype = given.dtype == nil and "float64" or given.dtype
  dtypes.check(dtype, what, level + 1)
  local e = expr.cast(expr.constant(value, "?", dims), dtype)
  return lazy.of(make.cut(e, given.chunks, what, level + 1))
end

--- Zeros: tm.zeros(3, 4), tm.zeros({3, 4}, {dtype = "int32"}).
---@param ... integer|integer[]|table shape; then options dtype, chunks
---@return tidemill.lazy
function make.zeros(...) return (filled("zeros", 0, 2, ...)) end

--- Ones.
---@param ... integer|integer[]|table shape; then options dtype, chunks
---@return tidemill.lazy
function make.ones(...) return (filled("ones", 1, 2, ...)) end

--- One value everywhere: tm.full({3, 4}, 7).
---@param shape integer|integer[]
---@param value number|boolean
---@param given? table options dtype, chunks
---@return tidemill.lazy
function make.full(shape, value, given)
  if type(value) ~= "number" and type(value) ~= "boolean" then
    error("full: expected full(shape, value, options), the value is a " .. type(value), 2)
  end
  options.only(given, shaped, "full", 2)
  local own = { dtype = type(value) == "boolean" and "bool" or nil }
  for key, option in pairs(given or {}) do own[key] = option end
  return (filled("full", value, 2, shape, own))
end

local function number(what, name, value, level)
  if type(value) ~= "number" or value ~= value then
    error(("%s: %s must be a number, got %s"):format(what, name, shown.value(value)), level + 1)
  end
  return value
end

local function whole_number(what, name, value, level)
  if number(what, name, value, level + 1) % 1 ~= 0 then
    error(("%s: %s must be a whole number, got %s"):format(what, name, shown.value(value)), level + 1)
  end
end

--- Numbers from start, stop left out, step apart: arange(5) is 0 to 4, arange(1, 6), arange(0, 1, 0.1).
---@param start number
---@param stop? number
---@param step? number
---@param given? table options dtype (int64 of whole numbers, else float64), chunks
---@return tidemill.lazy
function make.arange(start, stop, step, given)
  if type(stop) == "table" and step == nil and given == nil then stop, given = nil, stop end
  if type(step) == "table" and given == nil then step, given = nil, step end
  if stop == nil then start, stop = 0, start end
  step = step == nil and 1 or step
  options.only(given, shaped, "arange", 2)
  number("arange", "start", start, 2)
  number("arange", "stop", stop, 2)
  number("arange", "step", step, 2)
  if step == 0 then error("arange: step must not be 0", 2) end
  local count = math.max(math.ceil((stop - start) / step), 0)
  local whole = start == math.floor(start) and step == math.floor(step)
  local dtype = given and given.dtype
  if dtype == nil then dtype = whole and "int64" or "float64" end
  dtypes.check(dtype, "arange", 2)
  local dims = expr.dims("arange", 2, count)
  local counted = (dtype == "int64" or dtype == "int32" or dtype == "float32") and dtype or "float64"
  local last = start + step * math.max(count - 1, 0)
  for _, number_of in ipairs { start, step, last } do
    if not whole or not dtypes.holds(counted, number_of) then counted = "float64" end
  end
  -- Positions times steps are int64, also on the way to an element.
  if counted == "int64" and math.abs(start) + math.abs(step) * math.max(count - 1, 1) >= 2^62 then
    error(("arange: int64 steps must stay within 2^62, got %s to %s by %s; float64 goes on"):format(
      start, stop, step), 2)
  end
  local e = expr.cast(expr.index(dims, 1, counted, start, step), dtype)
  return lazy.of(make.cut(e, given and given.chunks, "arange", 2))
end

--- `count` numbers from start to stop, both included, evenly apart.
---@param start number
---@param stop number
---@param count integer
---@param given? table options dtype, chunks
---@return tidemill.lazy
function make.linspace(start, stop, count, given)
  options.only(given, shaped, "linspace", 2)
  number("linspace", "start", start, 2)
  number("linspace", "stop", stop, 2)
  number("linspace", "count", count, 2)
  local dims = expr.dims("linspace", 2, count)
  given = given or {}
  local dtype = given.dtype == nil and "float64" or given.dtype
  dtypes.check(dtype, "linspace", 2)
  local step = count > 1 and (stop - start) / (count - 1) or 0
  local e = expr.index(dims, 1, "float64", start, step)
  if count > 1 then -- the last is stop itself
    local is_last = ops.build("eq", ops.eq, 2, expr.index(dims, 1, "int64", 0, 1),
      expr.constant(count - 1))
    e = ops.build("where", ops.where, 2, is_last, expr.constant(stop, "float64"), e)
  end
  return lazy.of(make.cut(expr.cast(e, dtype), given and given.chunks, "linspace", 2))
end

--- Ones on the diagonal, or on the k-th above it (below: k < 0): eye(3), eye(3, 4, 1).
---@param rows integer
---@param columns? integer rows
---@param k? integer
---@param given? table options dtype, chunks
---@return tidemill.lazy
function make.eye(rows, columns, k, given)
  if type(columns) == "table" and k == nil and given == nil then columns, given = nil, columns end
  if type(k) == "table" and given == nil then k, given = nil, k end
  options.only(given, shaped, "eye", 2)
  number("eye", "rows", rows, 2)
  if k == nil then k = 0 end
  if columns == nil then columns = rows end
  whole_number("eye", "k", k, 2)
  local dims = expr.dims("eye", 2, { rows, columns })
  k = math.max(-dims[1], math.min(k, dims[2])) -- none is further off, and an index has 64 bits
  given = given or {}
  local dtype = given.dtype == nil and "float64" or given.dtype
  dtypes.check(dtype, "eye", 2)
  local on = ops.build("eq", ops.eq, 2, expr.index(dims, 1, "int64", k, 1),
    expr.index(dims, 2, "int64", 0, 1))
  return lazy.of(make.cut(expr.cast(on, dtype), given and given.chunks, "eye", 2))
end

return make
