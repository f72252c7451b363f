-- products: products of lazy matrices and vectors: matmul, dot, tensordot, outer; and what is made of
-- them: covariances and correlations.
-- SPDX-License-Identifier: MIT

local cuts = require("tidemill.lazy.product_cuts")
local expr = require("tidemill.lazy.expr")
local lazy = require("tidemill.lazy")
local options = require("tidemill.options")
local shown = require("tidemill.shown")

local methods = {}

-- ---- building ---------------------------------------------------------------------------------------

-- The element type of a product: float32 of float32 alone, else float64.
local function type_of(what, a, b, level)
  for _, e in ipairs({ a, b }) do
    if e.dtype == "date" or e.dtype == "timestamp" then
      error(("%s: an array of %s has no products"):format(what, e.dtype), level + 1)
    end
  end
  return a.dtype == "float32" and b.dtype == "float32" and "float32" or "float64"
end

local function mismatch(what, a, b, k, l, level)
  error(("%s: %s x %s: %d ~= %d"):format(what, expr.shape_text(a.dims), expr.shape_text(b.dims), k, l),
    level + 1)
end

-- a b of two matrices.
local function product(what, a, b, level)
  local dtype = type_of(what, a, b, level + 1)
  a, b = expr.cast(a, dtype), expr.cast(b, dtype)
  return { op = "matmul", name = "matmul", dims = { a.dims[1], b.dims[2] }, dtype = dtype,
    inputs = { a, b }, key = "" }
end

-- Sum of the products of two vectors' elements, in one pass.
local function inner(what, a, b, level)
  local dtype = type_of(what, a, b, level + 1) -- the products are of it, too: integers would wrap around
  a, b = lazy.of(expr.cast(a, dtype)), lazy.of(expr.cast(b, dtype))
  local products = lazy.expr(lazy.apply("mul", level + 1, a, b))
  return (require("tidemill.lazy.reduce").expr(products, "sum", nil, nil, level + 1))
end

local function multiplied(what, self, other, level)
  local a, b = lazy.array_operand(what, self, level + 1), lazy.array_operand(what, other, level + 1)
  for _, e in ipairs({ a, b }) do
    if #e.dims < 1 or #e.dims > 2 then
      error(("%s: expected vectors or matrices, got the shape %s"):format(what, expr.shape_text(e.dims)),
        level + 1)
    end
  end
  local k, l = a.dims[#a.dims], b.dims[1]
  if k ~= l then mismatch(what, a, b, k, l, level + 1) end
  if #a.dims == 1 and #b.dims == 1 then
    return (inner(what, a, b, level + 1)) -- no tail call: levels
  end
  if #a.dims == 1 then
    return expr.drop_axes(product(what, expr.insert_axes(a, { 1 }), b, level + 1), { true })
  elseif #b.dims == 1 then
    return expr.drop_axes(product(what, a, expr.insert_axes(b, { 2 }), level + 1), { false, true })
  end
  return (product(what, a, b, level + 1))
end

--- The product of matrices; a vector on the left is a row, on the right a column.
---@param other any
---@return tidemill.lazy
function methods:matmul(other) return lazy.of((multiplied("matmul", self, other, 2))) end

--- The same; of two vectors the sum of their products.
---@param other any
---@return tidemill.lazy
function methods:dot(other) return lazy.of((multiplied("dot", self, other, 2))) end

--- All products of an element of this vector with one of another: #a x #b.
---@param other any
---@return tidemill.lazy
function methods:outer(other)
  local a, b = lazy.array_operand("outer", self, 2), lazy.array_operand("outer", other, 2)
  if #a.dims ~= 1 or #b.dims ~= 1 then
    error(("outer: expected vectors, got the shapes %s and %s"):format(expr.shape_text(a.dims),
      expr.shape_text(b.dims)), 2)
  end
  return (lazy.apply("mul", 2, lazy.of(expr.insert_axes(a, { 2 })), lazy.of(expr.insert_axes(b, { 1 }))))
end

-- Axes from the end, when negative, as those from the start; what is no axis stays.
local function from_start(dims, list)
  local axes = {}
  for i, axis in ipairs(list) do
    axes[i] = type(axis) == "number" and axis < 0 and #dims + axis + 1 or axis
  end
  return axes
end

-- Axes of both sides that a tensordot sums over.
local function contracted(a, b, axes, level)
  if axes == nil then axes = 2 end
  local left, right, seen = {}, {}, { {}, {} }
  if type(axes) == "number" then
    if not (axes >= 0 and axes <= math.min(#a.dims, #b.dims) and axes == math.floor(axes)) then
      error(("tensordot: axes: expected a whole number from 0 to %d, got %s"):format(
        math.min(#a.dims, #b.dims), shown.value(axes)), level + 1)
    end
    for i = 1, axes do
      left[i], right[i] = #a.dims - axes + i, i
    end
  elseif type(axes) == "table" and #axes == 2 then
    left = from_start(a.dims, type(axes[1]) == "table" and axes[1] or { axes[1] })
    right = from_start(b.dims, type(axes[2]) == "table" and axes[2] or { axes[2] })
  end
  if #left ~= #right or (#left == 0 and axes ~= 0) then
    error("tensordot: axes: expected how many, or two lists of axes of one length", level + 1)
  end
  for i, axis in ipairs(left) do
    local size, other = a.dims[axis], b.dims[right[i]]
    if seen[1][axis] or seen[2][right[i]] then
      error(("tensordot: axis %s is named twice"):format(shown.value(seen[1][axis] and axis or right[i])),
        level + 1)
    end
    if size and other then seen[1][axis], seen[2][right[i]] = true, true end
    if not size or not other then
      error(("tensordot: axis %s is outside the shape"):format(shown.value(size and right[i] or axis)),
        level + 1)
    elseif size ~= other then
      mismatch("tensordot", a, b, size, other, level + 1)
    end
  end
  return left, right
end

-- Axes of an array that are not in a list.
local function others(dims, list)
  local taken, rest = {}, {}
  for _, axis in ipairs(list) do taken[axis] = true end
  for axis in ipairs(dims) do
    if not taken[axis] then rest[#rest + 1] = axis end
  end
  return rest
end

local function joined(a, b)
  local list = {}
  for _, value in ipairs(a) do list[#list + 1] = value end
  for _, value in ipairs(b) do list[#list + 1] = value end
  return list
end

local function sizes_of(dims, axes)
  local sizes, length = {}, 1
  for i, axis in ipairs(axes) do
    sizes[i], length = dims[axis], length * dims[axis]
  end
  return sizes, length
end

--- Sums of products over some axes of both: axes = n are the last n of this array and the first n of
--- the other, {{..}, {..}} lists of axes.
---@param other any
---@param axes? integer|table 2
---@return tidemill.lazy
function methods:tensordot(other, axes)
  local a, b = lazy.array_operand("tensordot", self, 2), lazy.array_operand("tensordot", other, 2)
  local left, right = contracted(a, b, axes, 2)
  local free_a, free_b = others(a.dims, left), others(b.dims, right)
  local dims_a, rows = sizes_of(a.dims, free_a)
  local dims_b, columns = sizes_of(b.dims, free_b)
  local _, k = sizes_of(a.dims, left)
  local dims = expr.dims("tensordot", 2, joined(dims_a, dims_b))
  local flat_a = expr.reshape(expr.transpose(a, joined(free_a, left)), { rows, k })
  local flat_b = expr.reshape(expr.transpose(b, joined(right, free_b)), { k, columns })
  return lazy.of(expr.reshape(product("tensordot", flat_a, flat_b, 2), dims))
end

-- ---- covariances ------------------------------------------------------------------------------------

local function matrix(what, self, level)
  local e = lazy.array_operand(what, self, level + 1)
  if #e.dims ~= 2 then
    error(("%s: expected a matrix with a variable in each row, got the shape %s"):format(what,
      expr.shape_text(e.dims)), level + 1)
  end
  return lazy.of(expr.cast(e, e.dtype == "float32" and "float32" or "float64"))
end

-- What sums over n columns are divided by: of too few columns there is no covariance.
local function divisor(n, ddof) return n > ddof and n - ddof or 0 / 0 end

local BLOCK = 2^26 -- bytes of a block of rows that one task rescales

-- Rows related in pairs by blocks: of rows rescaled once.  nil where a block of whole rows is too long.
local function related(what, x, ddof)
  local e = lazy.expr(x)
  local rows, length = e.dims[1], e.dims[2]
  if rows == 0 or length == 0 then return nil end
  local sizes = cuts.square_sizes(rows, length)
  if sizes[1] * length * 8 > BLOCK then return nil end
  local made = { op = "related", name = what, dims = { rows, rows }, dtype = "float64", sizes = sizes,
    input = expr.cast(e, "float64"), what = what, divisor = divisor(length, ddof),
    key = ("%s:%s"):format(what, tostring(ddof)) }
  return lazy.of(expr.cast(made, e.dtype))
end

--- Covariances of the rows: rows x rows, divided by n - ddof; NaN where n is no more than ddof.
---@param given? table options ddof (1)
---@return tidemill.lazy
function methods:cov(given)
  options.only(given, { "ddof" }, "cov", 2)
  local x, ddof = matrix("cov", self, 2), given and given.ddof
  if ddof == nil then ddof = 1 end
  if type(ddof) ~= "number" or ddof < 0 or ddof ~= math.floor(ddof) then
    error("cov: ddof must be a whole number >= 0, got " .. shown.value(ddof), 2)
  end
  local made = related("cov", x, ddof)
  if made then return made end
  local centred = x - x:mean(2, { keepdims = true })
  return centred:matmul(centred:transpose()) / divisor(lazy.expr(x).dims[2], ddof)
end

--- Correlations of the rows (Pearson): rows x rows, from -1 to 1.  A constant row, or one with a NaN,
--- gives NaN.
---@param other? nil nothing: two series are two rows
---@return tidemill.lazy
function methods:corr(other)
  if other ~= nil then error("corr: expected no argument; of two series: tm.stack{x, y}:corr()", 2) end
  local x = matrix("corr", self, 2)
  local made = related("corr", x, 0)
  if made then return made end
  local centred = x - x:mean(2, { keepdims = true })
  local length = (centred * centred):sum(2, { keepdims = true }):sqrt()
  local unit = centred / length
  if lazy.expr(x).dims[2] == 0 then unit = unit:sum(2, { keepdims = true }) * (0 / 0) end
  return unit:matmul(unit:transpose()):clip(-1, 1)
end

return methods
