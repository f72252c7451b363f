-- operand: matrices and vectors as arguments of linear algebra: arrays of one or two axes, or tables.
-- Messages blame the line that called the function which asks.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local shown = require("tidemill.shown")
require("tidemill.kernels.declare")("matrix.h")
local C = require("tidemill.clib")

local operand = {}

local sizes = { float64 = 8, float32 = 4 }
local suffixes = { float64 = "_f64", float32 = "_f32" }

-- Raises for a function here that `name` has called, whose caller is to blame.
local function fail(name, ...) error(name .. ": " .. (...):format(select(2, ...)), 4) end

-- The same from a function further in.
local function fail_inside(name, ...) error(name .. ": " .. (...):format(select(2, ...)), 5) end

--- A shape as messages show it: "(3,4)", "(5,)".
---@param shape integer[]
---@return string
function operand.shape_text(shape)
  return #shape == 1 and ("(%d,)"):format(shape[1]) or "(" .. table.concat(shape, ",") .. ")"
end

-- As float64, or nil and why not.
local function as_floats(where, v)
  local fine, out = pcall(array.as, v, "float64", where)
  if fine then return out end
  return nil, (tostring(out):gsub("^[^\n]-:%d+: ", ""))
end

-- Rows of a table, each a table or an array, in one array; or nil and why not.
local function from_rows(where, rows)
  local wide, out, to
  for i = 1, #rows do
    local row, problem = as_floats(("%s[%d]"):format(where, i), rows[i])
    if not row then return nil, problem end
    local size = row.length
    if i == 1 then
      wide = size
      out = array.new("float64", #rows * wide, { #rows, wide })
      to = out:pointer()
    elseif size ~= wide then
      return nil, ("%s: row %d has %d elements, row 1 has %d"):format(where, i, size, wide)
    end
    ffi.copy(to + (i - 1) * wide, row:pointer(), 8 * wide)
  end
  return out
end

local function from_table(where, v)
  if type(v[1]) == "table" or array.is(v[1]) then return from_rows(where, v) end
  return as_floats(where, v)
end

-- An array of float64 or float32, its shape, and its type.
local function of_floats(name, argument, v)
  local where, problem = name .. ": " .. argument, nil
  if arguments.is_frame(v) then
    fail_inside(name, "%s must be an array or a table, got %s", argument, arguments.shown(v))
  elseif type(v) == "table" then
    v, problem = from_table(where, v)
  elseif not array.is(v) then
    fail_inside(name, "%s must be an array or a table, got %s", argument, shown.value(v))
  end
  local shape = v and v.shape
  if v and (v.dtype == "date" or v.dtype == "timestamp") then
    fail_inside(name, "an array of %s has no linear algebra", v.dtype)
  end
  if v and (v.nulls > 0 or not sizes[v.dtype]) then v, problem = as_floats(where, v) end
  if not v then error(problem, 4) end
  return v, shape, v.dtype
end

---@class tidemill.operand
---@field array tidemill.array of float64 or float32
---@field shape integer[]
---@field dtype string
---@field rows integer
---@field columns integer of a vector 1

local function wrapped(v, shape, dtype)
  return { array = v, shape = shape, dtype = dtype, rows = shape[1], columns = shape[2] or 1 }
end

--- `v` as a matrix.
---@param name string the function that asks
---@param argument string
---@param v any
---@return tidemill.operand
function operand.matrix(name, argument, v)
  local a, shape, dtype = of_floats(name, argument, v)
  if #shape ~= 2 then
    fail(name, "%s must be a matrix, got the shape %s", argument, operand.shape_text(shape))
  end
  return wrapped(a, shape, dtype)
end

--- `v` as a square matrix.
---@return tidemill.operand
function operand.square(name, argument, v)
  local a, shape, dtype = of_floats(name, argument, v)
  if #shape ~= 2 or shape[1] ~= shape[2] then
    fail(name, "%s must be a square matrix, got the shape %s", argument, operand.shape_text(shape))
  end
  return wrapped(a, shape, dtype)
end

--- `v` as a matrix or a vector.
---@return tidemill.operand
function operand.any(name, argument, v)
  local a, shape, dtype = of_floats(name, argument, v)
  if #shape < 1 or #shape > 2 then
    fail(name, "%s must be a matrix or a vector, got the shape %s", argument, operand.shape_text(shape))
  end
  return wrapped(a, shape, dtype)
end

--- `v` as a vector.
---@return tidemill.operand
function operand.vector(name, argument, v)
  local a, shape, dtype = of_floats(name, argument, v)
  if #shape ~= 1 then
    fail(name, "%s must be a vector, got the shape %s", argument, operand.shape_text(shape))
  end
  return wrapped(a, shape, dtype)
end

--- Makes both of one element type: float32 when both are, else float64.
---@param a tidemill.operand
---@param b tidemill.operand
---@return string dtype
function operand.promote(a, b)
  if a.dtype == b.dtype then return a.dtype end
  for _, v in ipairs { a, b } do
    v.array, v.dtype = array.as(v.array, "float64", "operand"), "float64"
  end
  return "float64"
end

--- The kernel of kernels/matrix.h for an element type: operand.kernel("dot", "float64").
---@param name string
---@param dtype string
---@return function
function operand.kernel(name, dtype) return C["tidemill_kernel_" .. name .. suffixes[dtype]] end

--- Work space of the kernel that multiplies m x k by k x n; in use until the next call.
---@param dtype string
---@param m integer
---@param n integer
---@param k integer
function operand.scratch(dtype, m, n, k)
  local doubles = tonumber(C.tidemill_kernel_matmul_scratch(m, n, k)) * sizes[dtype] / 8
  local space = arguments.scratch(math.ceil(doubles) + 8)
  local address = ffi.cast("uintptr_t", space) -- a vector that crosses no line is read faster
  local aligned = (address + 63ULL) / 64ULL * 64ULL
  return ffi.cast(dtype == "float64" and "double *" or "float *", aligned), space
end

--- The kernel that transposes matrices of an element type.
---@param dtype string
---@return function
function operand.transpose(dtype) return C["tidemill_kernel_transpose_" .. sizes[dtype]] end

--- A new array of the operand's values, for who overwrites them.
---@param v tidemill.operand
---@return tidemill.array
function operand.copy(v)
  local out = array.new(v.dtype, v.rows * v.columns, v.shape)
  ffi.copy(out:pointer(), v.array:pointer(), v.rows * v.columns * sizes[v.dtype])
  return out
end

--- Whether there are no elements: LAPACK takes no such matrix.
---@param v tidemill.operand
---@return boolean
function operand.is_empty(v) return v.rows * v.columns == 0 end

--- Raises unless all of it is finite.
---@param name string
---@param argument string
---@param v tidemill.operand
function operand.check_finite(name, argument, v)
  local size = v.rows * v.columns
  local at = tonumber(operand.kernel("first_not_finite", v.dtype)(v.array:pointer(), size))
  if at == size then return end
  local row, column = math.floor(at / v.columns) + 1, at % v.columns + 1
  fail(name, "%s must have finite numbers, element %s is %s", argument,
    #v.shape == 1 and tostring(row) or ("(%d,%d)"):format(row, column),
    tostring(array.number_at(v.array, at)))
end

--- Raises unless it is nil or a number from 0, for the caller's caller.
---@param name string
---@param argument string
---@param v any
function operand.check_tolerance(name, argument, v)
  if v ~= nil and not (type(v) == "number" and v >= 0) then
    error(("%s: %s must be a number from 0, got %s"):format(name, argument, shown.value(v)), 3)
  end
end

return operand
