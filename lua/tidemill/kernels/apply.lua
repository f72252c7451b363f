-- apply: runs one elementwise op over arrays, tables and scalars; what the functions of tm.kernels
-- for arithmetic, comparison and elementary functions share.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local dtype = require("tidemill.dtype")
local arguments = require("tidemill.kernels.arguments")

local complaint, shown, hold = arguments.complaint, arguments.shown, arguments.hold
local is_array, new_array = array.is, array.new
local type_number, type_name = dtype.number, dtype.name
local BOOL = tonumber(C.TIDEMILL_BOOL)

-- For the functions that `run` calls: it blames the line that called the kernel.
local function fail(name, ...)
  error(complaint(name, ...), 5)
end

-- ---- Operands -------------------------------------------------------------------------------

local int64 = ffi.typeof("int64_t")

local function is_scalar(v)
  return type(v) == "number" or type(v) == "boolean" or ffi.istype(int64, v)
end

local function check_table(name, argument, v)
  for i = 1, table.maxn(v) do
    if v[i] == nil then
      error(complaint(name, "%s[%d] is nil; NaN stands for a missing number", argument, i), 5)
    end
  end
end

-- A missing float is NaN; nothing else can be missing here.
local function check_nulls(name, argument, v)
  local flat = v:reshape(-1)
  for i = 1, #flat do
    if not flat:present(i) then
      error(complaint(name, "%s[%d] is missing, which %s cannot hold", argument, i, v.dtype), 5)
    end
  end
end

-- An array of a type that kernels know, or a scalar.
local function settled(name, argument, v)
  if is_scalar(v) then return v end
  if type(v) == "table" and not arguments.is_frame(v) then
    check_table(name, argument, v)
    local own = type(v[1]) == "boolean" and "bool" or "float64"
    return array.as(v, own, name .. ": " .. argument, 4)
  end
  if not is_array(v) then
    fail(name, "%s must be an array, a table of numbers or a number, got %s", argument, shown(v))
  end
  local own = type_name(v.array.type)
  if not own then
    fail(name, "%s must be numbers, got an array of %s%s", argument, v.dtype, dtype.advice(v.dtype, argument))
  end
  if v.array.nulls == 0 or own == "float64" then return v end
  if own ~= "float32" then check_nulls(name, argument, v) end
  return array.as(v, own, name, 4)
end

local function shape_text(a)
  return "(" .. table.concat(a.shape, ",") .. ")"
end

local function same_shape(x, y)
  if x.length ~= y.length or x.dimensions ~= y.dimensions then return false end
  for i = 0, x.dimensions - 1 do
    if x.shape[i] ~= y.shape[i] then return false end
  end
  return true
end

-- Of two operands the one whose shape counts: the first array, or nil.
local function leader(name, first, v)
  if not is_array(v) then return first end
  if first and not same_shape(first.array, v.array) then
    fail(name, "shapes must be equal, got %s and %s", shape_text(first), shape_text(v))
  end
  return first or v
end

-- ---- Types ----------------------------------------------------------------------------------

-- op -> numbers of the operands' types -> what it computes in and gives, as numbers.
local known = {}

local function kind(v)
  if is_array(v) then return type_name(v.array.type) end
  return v
end

-- Numbers of the types to compute in and to give.
local function types_of(name, a, b, c)
  local key
  if not (is_scalar(a) or is_scalar(b) or is_scalar(c)) then
    key = a.array.type + 16 * (b and b.array.type or 0) + 256 * (c and c.array.type or 0)
    local types = known[name] and known[name][key]
    if types then return types[1], types[2] end
  end
  local compute, result = dtype.result(name, kind(a), kind(b), kind(c))
  if not compute then fail(name, "%s", result) end
  local types = { type_number(compute), type_number(result) }
  if key then
    known[name] = known[name] or {}
    known[name][key] = types
  end
  return types[1], types[2]
end

-- ---- Memory ---------------------------------------------------------------------------------

local pointers = {}
for name, element in pairs { bool = "uint8_t", uint8 = "uint8_t", int32 = "int32_t",
    int64 = "int64_t", float32 = "float", float64 = "double", date = "int32_t",
    timestamp = "int64_t" } do
  pointers[type_number(name)] = ffi.typeof(element .. " *")
end

-- Scalars, and in the last place a scalar result; calls of one state take turns.
local slots = {}
for i = 1, 4 do slots[i] = ffi.new("int64_t[1]") end

local function slot(which, number, value)
  local at = ffi.cast(pointers[number], slots[which])
  if number == BOOL and type(value) ~= "boolean" then value = value ~= 0 end
  if type(value) == "boolean" then value = value and 1 or 0 end
  at[0] = value
  return at
end

local function result_slot(number)
  local value = ffi.cast(pointers[number], slots[4])[0]
  if number == BOOL then return value ~= 0 end
  return tonumber(value)
end

-- An operand of type `number`: where it is, its step, and what has to live as long.
local function placed(name, argument, which, v, number)
  if v == nil then return nil, 0 end
  if not is_array(v) then return slot(which, number, v), 0 end
  if v.array.type == number then return v.array.values, 1, v end
  local to = type_name(number)
  local out = new_array(to, v.length)
  local done = tonumber(C.tidemill_kernel_cast(v.array.type, number, v.array.values,
    out.array.values, v.length))
  if done < v.length then
    local value = v:reshape(-1)[done + 1]
    fail(name, "%s[%d] is %s, which %s cannot hold", argument, done + 1, tostring(value), to)
  end
  hold(v)
  return out.array.values, 1, out
end

-- ---- Running --------------------------------------------------------------------------------

--- The op `name` over its operands, whose names are `labels`: an array of their shape, or a scalar
--- of scalars.  Call it from the kernel's function itself, and not as a tail call: errors blame
--- the caller's caller.
---@param labels string[]
return function(name, labels, a, b, c)
  a = settled(name, labels[1], a)
  if labels[2] then b = settled(name, labels[2], b) end
  if labels[3] then c = settled(name, labels[3], c) end
  local first = leader(name, nil, a)
  if labels[2] then first = leader(name, first, b) end
  if labels[3] then first = leader(name, first, c) end

  local is_where = name == "where"
  local compute, result
  if is_where then compute, result = types_of(name, b, c) else compute, result = types_of(name, a, b, c) end
  local pa, a_step, keep_a = placed(name, labels[1], 1, a, is_where and BOOL or compute)
  local pb, b_step, keep_b = placed(name, labels[2], 2, b, compute)
  local pc, c_step, keep_c = placed(name, labels[3], 3, c, compute)

  local op = dtype.op(name)
  if not first then
    C.tidemill_kernel_apply(op, compute, pa, 0, pb, 0, pc, 0, slots[4], 1)
    return result_slot(result)
  end
  local shape = first.array.dimensions ~= 1 and first.shape or nil
  local out = new_array(type_name(result), first.length, shape)
  C.tidemill_kernel_apply(op, compute, pa, a_step, pb, b_step, pc, c_step, out.array.values,
    first.length)
  hold(keep_a, keep_b, keep_c)
  return out
end
