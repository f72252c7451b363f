-- lazy: arrays that are described and not yet computed: chunked, n-dimensional, possibly larger
-- than memory.  Arithmetic on arrays, lazy or computed, gives lazy ones; compute() gives the
-- elements.  What they are made of is lazy/expr.lua, how they run lazy/plan.lua.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local ops = require("tidemill.lazy.ops")
local shown = require("tidemill.shown")

local lazy = {}

-- A lazy array is a userdata, for of tables LuaJIT takes no __len; here is what it stands for.
local exprs = setmetatable({}, { __mode = "k" })
local blank = newproxy(true)

---@class tidemill.lazy
---@field shape integer[] sizes of the axes
---@field dtype string name of the element type
---@field ndim integer how many axes
---@field size integer elements in all
---@field nbytes integer bytes that the elements would take
---@field chunks integer[][] sizes of the chunks along each axis
local methods = {}
local fields = {}
local meta = getmetatable(blank)
meta.__name = "tidemill.lazy"

--- The lazy array of an expression.
function lazy.of(e)
  local made = newproxy(blank)
  exprs[made] = e
  return made
end

--- Whether `value` is a lazy array.
function lazy.is(value) return exprs[value] ~= nil end

--- The expression of a lazy array; nil for anything else.
function lazy.expr(value) return exprs[value] end
expr.use_lazy(lazy.expr)

--- The expression of a lazy or computed array, table of numbers or number; `what` is for messages.
function lazy.operand(what, value, level) return expr.operand(what, value, level + 1) end

--- As operand, but a number is an array of no axes.
function lazy.array_operand(what, value, level)
  local e = expr.operand(what, value, level + 1)
  if e.dtype then return e end
  return expr.constant(e.value, type(e.value) == "boolean" and "bool" or "float64")
end

-- ---- elementwise ------------------------------------------------------------------------------------

--- Applies the operation that is called `name` (lazy/ops.lua) to operands of any kind.
function lazy.apply(name, level, a, b, c)
  local op = ops[name] -- no loops here: LuaJIT compiles no short ones inside others
  a = expr.operand(name, a, level + 1)
  if op.operands > 1 then b = expr.operand(name, b, level + 1) end
  if op.operands > 2 then c = expr.operand(name, c, level + 1) end
  return lazy.of((ops.build(name, op, level + 1, a, b, c)))
end

local apply = lazy.apply

meta.__add = function(a, b) return (apply("add", 2, a, b)) end
meta.__sub = function(a, b) return (apply("sub", 2, a, b)) end
meta.__mul = function(a, b) return (apply("mul", 2, a, b)) end
meta.__div = function(a, b) return (apply("div", 2, a, b)) end
meta.__mod = function(a, b) return (apply("mod", 2, a, b)) end
meta.__pow = function(a, b) return (apply("pow", 2, a, b)) end
meta.__unm = function(a) return (apply("neg", 2, a)) end

local function no_order()
  error("< and <= of arrays give one boolean in Lua; write a:lt(b), a:le(b), a:gt(b), a:ge(b)", 2)
end
meta.__lt, meta.__le = no_order, no_order

for _, name in ipairs(ops.methods) do
  methods[name] = function(self, ...)
    local operands = ops[name].operands
    if self == nil or select("#", ...) > operands - 1 then
      error(("expected a:%s(%s)"):format(name, ops.arguments(name)), 2)
    end
    return (apply(name, 2, self, ...))
  end
end

local clip = methods.clip

--- Not below `low`, then not above `high`; nil is no limit.
---@param low any
---@param high any
---@return tidemill.lazy
function methods:clip(...)
  local low, high = ...
  local one_limit = (low == nil) ~= (high == nil)
  if self == nil or not one_limit or select("#", ...) > 2 then return clip(self, ...) end
  if high == nil then return (apply("maximum", 2, self, low)) end
  return (apply("minimum", 2, self, high))
end

-- ---- facts ------------------------------------------------------------------------------------------

local function copied(list)
  local copy = {}
  for i, value in ipairs(list) do copy[i] = value end
  return copy
end

function fields.shape(e) return copied(e.dims) end
function fields.dtype(e) return e.dtype end
function fields.ndim(e) return #e.dims end
function fields.size(e) return expr.length(e.dims) end
function fields.nbytes(e) return expr.length(e.dims) * dtypes.size(e.dtype) end
function fields.chunks(e)
  local chunks = {}
  for axis, sizes in ipairs(lazy.grid(e).sizes) do chunks[axis] = copied(sizes) end
  return chunks
end

--- The grid on which an expression is computed when nobody asks for another.
function lazy.grid(e)
  if not e.own_grid then e.own_grid = require("tidemill.lazy.run").grid(e) end
  return e.own_grid
end

local function names_of_all()
  local names = {}
  for name in pairs(methods) do names[#names + 1] = name end
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  return names
end
lazy.names = names_of_all

-- Families of methods that are loaded when one of them is first used.
local families = {
  reductions = [[sum prod mean var std min max argmin argmax any all count nansum nanprod nanmean nanmin
    nanmax nanargmin nanargmax nancount nanvar nanstd]],
  shapes = [[slice T transpose reshape flatten squeeze expand_dims broadcast_to rechunk take mask
    flip]],
  values = [[compute persist node submit optimize explain visualize]],
  blocks = [[map_blocks map_overlap]],
  rolling = [[rolling]],
  products = [[matmul dot tensordot outer corr cov]],
  series = [[cumsum cumprod cummax cummin diff sort argsort rank unique topk histogram quantile median]],
}
local family_of = {}
for family, names in pairs(families) do
  for name in names:gmatch("%S+") do family_of[name] = family end
end

--- The method of that name, its family loaded; nil when there is none.
function lazy.method(name)
  local method = methods[name]
  if method == nil and family_of[name] then
    for key, value in pairs(require("tidemill.lazy." .. family_of[name])) do
      if family_of[key] then methods[key] = value end
    end
    method = methods[name]
  end
  return method
end

--- Whether arrays have a method of that name; loads nothing.
function lazy.has_method(name) return methods[name] ~= nil or family_of[name] ~= nil end

--- The name of the method that a function is: of x + x.T, which forgets to call it.  Else nil.
function lazy.name_of(method)
  for name, value in pairs(methods) do
    if value == method then return name end
  end
end

meta.__index = function(self, key)
  local e = exprs[self]
  local field = fields[key]
  if field then return field(e) end
  local method = lazy.method(key)
  if method then return method end
  if type(key) == "number" then
    error(("a lazy array has no elements yet: a:compute()[%s], or a:slice{ %s }"):format(key, key), 2)
  end
  if array.method(key) then
    error(("a lazy array has no elements yet: a:compute():%s(..)"):format(key), 2)
  end
  local names = names_of_all()
  for name in pairs(family_of) do names[#names + 1] = name end
  error(("an array has no field \"%s\"%s"):format(shown.name(key),
    require("tidemill.suggest").phrase(key, names)), 2)
end

meta.__newindex = function() error("arrays are immutable; build a new one", 2) end
meta.__len = function(self) return exprs[self].dims[1] or 1 end
meta.__tostring = function(self) return require("tidemill.lazy.show").text(exprs[self]) end
meta.__call = function() error("an array is no function; for elements: a:compute()[i]", 2) end
meta.__concat = function() error("arrays are joined by tm.concat{a, b}", 2) end

--- Conversion to another element type; floats are cut toward zero, and what does not fit is an error
--- of the computation.
---@param dtype string
---@return tidemill.lazy
function methods:astype(dtype)
  local e = lazy.array_operand("astype", self, 2)
  dtypes.check(dtype, "astype", 2)
  return lazy.of(expr.cast(e, dtype))
end

--- Elements of `a` where this mask is true, of `b` elsewhere.
---@param a any
---@param b any
---@return tidemill.lazy
function methods:where(a, b)
  return (apply("where", 2, self, a, b))
end

--- Elements of `a` where the mask is true, of `b` elsewhere: tm.where(x:gt(0), x, 0).
---@param mask tidemill.lazy|tidemill.array
---@param a any
---@param b any
---@return tidemill.lazy
function lazy.where(mask, a, b)
  return (apply("where", 2, mask, a, b))
end

--- A slice of a lazy or computed array, lazy.
function lazy.sliced(value, ranges, level)
  return (require("tidemill.lazy.shapes").sliced(value, ranges, level + 1))
end

lazy.methods, lazy.meta = methods, meta
require("tidemill.convert").add(meta, function(self) return require("tidemill.lazy.run").node(self) end)

-- Computed arrays take part: their arithmetic, and those methods that they lack themselves.
array.use_lazy(lazy)
package.loaded["tidemill.lazy"] = lazy -- what follows wants it
require("tidemill.lazy.run")

return lazy
