-- direct: small work done at once by whoever asks: kernels one after the other, no plan, no task.
-- What it takes are elementwise operations on computed arrays of one shape, and reductions of all of
-- them; the bits are those of the fused programs.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")

local direct = {}

local SMALL = 2^14 -- elements
local MOST = 12 -- operations: an expression that uses one twice would be walked twice

local one = ffi.new("uint8_t[3][8]") -- constants, one an operand
local partial = ffi.new("int64_t[8]")
local function hold() end

local fill = {
  float64 = function(to, value) ffi.cast("double *", to)[0] = value end,
  float32 = function(to, value) ffi.cast("float *", to)[0] = value end,
  int64 = function(to, value) ffi.cast("int64_t *", to)[0] = value end,
  int32 = function(to, value) ffi.cast("int32_t *", to)[0] = value end,
  bool = function(to, value) to[0] = value == true and 1 or value == false and 0 or value end,
}

local value_of

-- Pointer and step of an operand: an array's elements, or a constant in its own place.
local function pointer_to(e, value, place)
  if value then return value.array.values, 1 end
  local put = fill[e.dtype]
  if not put then return nil, 0 end
  put(one[place], e.value)
  return one[place], 0
end

-- The array of an operand that has elements of its own; false when it is not direct, nil of a constant.
local function elements(e, dims, budget)
  if e == nil or e.op == "constant" then return nil end
  if not expr.same_dims(e.dims, dims) then return false end
  return value_of(e, budget) or false
end

-- The array of a map.  Constants are put in place after the operands below have used theirs.
local function mapped(e, budget)
  local x, y, z, dims = e.inputs[1], e.inputs[2], e.inputs[3], e.dims
  local first = elements(x, dims, budget)
  local second = elements(y, dims, budget)
  local third = elements(z, dims, budget)
  if first == false or second == false or third == false then return nil end
  local a, a_step = pointer_to(x, first, 0)
  local b, b_step, c, c_step = nil, 0, nil, 0
  if y then b, b_step = pointer_to(y, second, 1) end
  if z then c, c_step = pointer_to(z, third, 2) end
  if a == nil or (y and b == nil) or (z and c == nil) then return nil end
  local out
  if #dims == 1 then
    out = array.of(dtypes.number(e.dtype), dims[1])
  else
    out = array.new(e.dtype, nil, dims)
  end
  C.tidemill_kernel_apply(e.code, dtypes.number(e.type), a, a_step, b, b_step, c, c_step,
    out.array.values, out.array.length)
  hold(first, second, third)
  return out
end

function value_of(e, budget)
  budget.left = budget.left - 1
  if budget.left < 0 then return nil end
  if e.op == "data" then return e.array end
  if e.op == "map" then return mapped(e, budget) end
  return nil
end

-- The answer of a reduction of everything.
local function reduced(e, budget)
  if #e.dims > 0 then return nil end
  local value = value_of(e.input, budget)
  if not value then return nil end
  local kind, type = C.tidemill_kernel_reduce_kind(e.what), dtypes.number(e.input.dtype)
  local length = value.length
  local bytes = C.tidemill_kernel_reduce_scratch(kind, type, 1, length, 1)
  if bytes < 0 or bytes > 2^16 then return nil end
  local scratch = direct.scratch or ffi.new("int64_t[?]", 2^13)
  direct.scratch = scratch
  C.tidemill_kernel_reduce(kind, type, value.array.values, 1, length, 1, 1, partial, scratch)
  local out = array.new(e.dtype, 1)
  local done = C.tidemill_kernel_reduce_finish(kind, e.what, type, partial, 1, e.ddof, out:pointer())
  hold(value)
  if done ~= 0 then return nil end
  return array.item(out, e.name)
end

-- ---- what is taken ----------------------------------------------------------------------------------

local takes_map

local function takes_value(e, spent)
  spent.left = spent.left - 1
  return spent.left >= 0 and (e.op == "data" or (e.op == "map" and takes_map(e, spent)))
end

function takes_map(e, spent)
  for _, operand in ipairs(e.inputs) do
    if operand.op == "constant" then
      if not fill[operand.dtype] then return false end
    elseif not expr.same_dims(operand.dims, e.dims) or not takes_value(operand, spent) then
      return false
    end
  end
  return true
end

--- Whether an expression has its value this way.
function direct.takes(e)
  local whole, spent = e.op == "reduce" and e.input or e, { left = MOST }
  if expr.length(whole.dims) > SMALL or (e.op == "map") == (#e.dims == 0) then return false end
  if e.op == "reduce" then return takes_value(whole, spent) end
  return e.op == "map" and takes_map(e, spent)
end

local budget = { left = 0 }

--- The value of an expression, or nil when it is not to be had this way.
function direct.value(e)
  local whole = e.op == "reduce" and e.input or e
  if (#whole.dims == 1 and whole.dims[1] or expr.length(whole.dims)) > SMALL then return nil end
  budget.left = MOST
  if e.op == "reduce" then return reduced(e, budget) end
  if e.op ~= "map" or #e.dims == 0 then return nil end
  return mapped(e, budget)
end

return direct
