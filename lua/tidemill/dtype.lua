-- dtype: element types of arrays that kernels work on: their numbers and sizes, what two of them
-- become together, and which type an op computes in and gives.
-- Wherever a type is expected, a Lua number or boolean stands for one element without a type of
-- its own ("weak"): it takes the type of what it meets, if that can hold it.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local shown = require("tidemill.shown")
require("tidemill.kernels.declare")("elementwise.h")

local dtype = {}

-- Rank: of two numeric types the higher one can hold both, but float32 no 32-bit integer.
local facts = {
  bool = { number = C.TIDEMILL_BOOL, size = 1, rank = 1 },
  uint8 = { number = C.TIDEMILL_UINT8, size = 1, rank = 2, least = 0, most = 255 },
  int32 = { number = C.TIDEMILL_INT32, size = 4, rank = 3, least = -2^31, most = 2^31 - 1 },
  int64 = { number = C.TIDEMILL_INT64, size = 8, rank = 4, least = -2^63, most = 2^63 - 1024 },
  float32 = { number = C.TIDEMILL_FLOAT32, size = 4, rank = 5 },
  float64 = { number = C.TIDEMILL_FLOAT64, size = 8, rank = 6 },
  date = { number = C.TIDEMILL_DATE, size = 4, counts = "int32", least = -2^31, most = 2^31 - 1 },
  timestamp = { number = C.TIDEMILL_TIMESTAMP, size = 8, counts = "int64", least = -2^63,
    most = 2^63 - 1024 },
}

local names, by_number = {}, {}
for name, fact in pairs(facts) do
  names[#names + 1] = name
  by_number[fact.number] = name
end
table.sort(names)

--- Names of all element types, sorted.
dtype.names = names

--- Whether there is such a type.
---@return boolean
function dtype.is(name) return facts[name] ~= nil end

-- The type to compute in of the integers that have no arithmetic; uint64 may need float64.
local nearest = { int8 = "int32", int16 = "int32", uint8 = "int32", uint16 = "int32", uint32 = "int64",
  uint64 = "int64" }

--- How a message ends that refuses an array of some type: `; a:astype("int32") first`, or empty where no
--- conversion helps.
---     dtype.advice("uint16", "x")                        --> '; x:astype("int32") first'
---@param name string
---@param argument? string what the message calls the array: a
---@return string
function dtype.advice(name, argument)
  if not nearest[name] then return "" end
  local cast = (argument or "a") .. ":astype(%q)"
  local choice = name == "uint64" and " or " .. cast:format("float64") or ""
  return ("; %s%s first"):format(cast:format(nearest[name]), choice)
end

--- What is wrong with a name: `unknown element type "float65", did you mean "float64"?`.
---@return string
function dtype.complaint(name)
  if type(name) ~= "string" then
    return ("an element type is a name such as \"float64\", not %s"):format(shown.value(name))
  end
  local hint = require("tidemill.suggest").phrase(name, names)
  if hint == "" then hint = "; there are " .. table.concat(names, ", ") end
  return ("unknown element type %q%s"):format(name, hint)
end

local function fact_of(name, level)
  return facts[name] or error(dtype.complaint(name), level + 1)
end

--- The number of enum tidemill_type; an unknown name is an error.
---@param name string
---@return integer
function dtype.number(name) return (fact_of(name, 2).number) end

--- Bytes of an element.
---@param name string
---@return integer
function dtype.size(name) return (fact_of(name, 2).size) end

--- The name of a number of enum tidemill_type, or nil.
---@param number integer
---@return string?
function dtype.name(number) return by_number[tonumber(number)] end

--- Raises unless `name` is one of the types; gives it back.  `what` is whom the message names.
---@param name string
---@param what string
---@param level integer
---@return string
function dtype.check(name, what, level)
  if facts[name] then return name end
  error(("%s: %s"):format(what, dtype.complaint(name)), level + 1)
end

--- Whether a type has the fraction and the size of a number: floats have all, integers the whole ones
--- between their limits.  Of a date or timestamp: those of the integer that it is.
---@param value number
---@return boolean
function dtype.holds(name, value)
  local fact = fact_of(name, 2)
  return not fact.least or (value % 1 == 0 and value >= fact.least and value <= fact.most)
end

--- Whether a type is float64 or float32.
---@return boolean
function dtype.is_float(name) return name == "float64" or name == "float32" end

--- The type of a number that is a cdata: int64 of 64-bit integers, nil of others.
function dtype.of_scalar(value)
  if ffi.istype("int64_t", value) or ffi.istype("uint64_t", value) then return "int64" end
end

-- ---- Two types together ---------------------------------------------------------------------

--- The type that holds what either can hold, as NumPy has it: int64 of bool and int64, float64 of
--- int32 and float32.  Or nil, and why there is none.
---@param a string
---@param b string
---@return string?, string?
function dtype.promote(a, b)
  if a == b then return a end
  local low, high = fact_of(a, 2).rank, fact_of(b, 2).rank
  if not low and not high then return "timestamp" end
  if not low or not high then return nil, ("%s and %s have no common type"):format(a, b) end
  local lower, higher = a, b
  if low > high then lower, higher = b, a end
  if higher == "float32" and (lower == "int32" or lower == "int64") then return "float64" end
  return higher
end

local int64 = ffi.typeof("int64_t")

local function is_whole(value)
  return type(value) ~= "boolean" and (ffi.istype(int64, value) or value % 1 == 0)
end

--- The type of a scalar beside an array of type `name`: its own where that can hold the scalar.
--- Beside nothing (nil) a number is a float64.  Or nil, and why it does not go.
---@param value number|boolean
---@param name? string
---@return string?, string?
function dtype.weak(value, name)
  if type(value) == "boolean" and (not name or facts[name].rank) then return name or "bool" end
  if not name then return ffi.istype(int64, value) and "int64" or "float64" end
  if name == "float64" or name == "float32" then return name end
  if name == "bool" and is_whole(value) then return "int64" end
  local fact = facts[name]
  if not is_whole(value) then
    if fact.rank then return "float64" end
    return nil, ("a %s takes whole numbers, not %s"):format(name, shown.value(value))
  end
  if value < fact.least or value > fact.most then
    return nil, ("%s does not fit %s"):format(tostring(value), name)
  end
  return name
end

--- The type that the kernel of an op gives for operands of a type; nil where it gives none.
---@param op integer enum tidemill_op
---@param name string
---@return string?
function dtype.gives(op, name)
  return by_number[C.tidemill_kernel_result_type(op, facts[name].number)]
end

-- A type of two operands, either of which may be a scalar.
local function common(a, b)
  local a_named, b_named = type(a) == "string", type(b) == "string"
  if a_named and b_named then return dtype.promote(a, b) end
  if a_named then return dtype.weak(b, a) end
  if b_named then return dtype.weak(a, b) end
  return dtype.promote(dtype.weak(a), dtype.weak(b))
end

-- ---- What an op makes of types --------------------------------------------------------------

-- Ops whose name here is not that of enum tidemill_op in small letters.
local renamed = { minimum = "MIN", maximum = "MAX", band = "AND", bor = "OR", bxor = "XOR",
  bnot = "NOT" }

-- Ops of floats alone: integers go to float64 first.
local on_floats = {}
for name in ([[div pow atan2 sqrt reciprocal exp exp2 expm1 log log1p log2 log10 sin cos tan asin
    acos atan sinh cosh tanh]]):gmatch("%S+") do on_floats[name] = true end

local ops = {}

--- The number of enum tidemill_op: dtype.op("add"), "minimum", "band".
---@param name string
---@return integer
function dtype.op(name)
  local number = ops[name]
  if not number then
    number = tonumber(C["TIDEMILL_OP_" .. (renamed[name] or name:upper())])
    ops[name] = number
  end
  return number
end

local function is_time(a) return type(a) == "string" and not facts[a].rank end

-- Sums and differences with dates: what they compute in, and give.
local function of_times(name, a, b)
  if is_time(a) and is_time(b) then
    if name == "add" then return nil, ("a %s and a %s have no sum"):format(a, b) end
    local counts = facts[dtype.promote(a, b)].counts
    return a == b and counts or dtype.promote(a, b), counts
  end
  local time, other = a, b
  if is_time(b) then
    if name == "sub" then return nil, ("a %s cannot be taken from a number"):format(b) end
    time, other = b, a
  end
  if type(other) == "string" then
    local rank = facts[other].rank
    if rank <= facts.int64.rank and other ~= "bool" then return time, time end
    return nil, ("a %s takes whole numbers, not %s"):format(time, other)
  end
  local own, why = dtype.weak(other, time)
  return own, own or why
end

local function refused(name, compute)
  if compute == "bool" then
    return ("bool has no %s; cast it to int32 first%s"):format(name,
      name == "sub" and ", or use bxor" or "")
  end
  return ("%s has no %s%s"):format(compute, name, dtype.advice(compute))
end

--- The type that operands are cast to for an op, and the type of its result.  Operands are names
--- of types or scalars; of "where" they are the two to choose from.  Or nil, and why it does not
--- go.
---     dtype.result("add", "int32", 2)                    --> "int32", "int32"
---     dtype.result("div", "int32", "int64")              --> "float64", "float64"
---     dtype.result("lt", "date", "timestamp")            --> "timestamp", "bool"
---@param name string
---@param a string|number|boolean
---@param b? string|number|boolean
---@param c? string|number|boolean
---@return string?, string?
function dtype.result(name, a, b, c)
  if (name == "add" or name == "sub") and (is_time(a) or is_time(b)) then
    return of_times(name, a, b)
  end
  local compute, why = type(a) == "string" and a or dtype.weak(a), nil
  if b ~= nil then compute, why = common(a, b) end
  if compute and c ~= nil then compute, why = common(compute, c) end
  if not compute then return nil, why end
  if on_floats[name] and facts[compute].rank and compute ~= "float32" then compute = "float64" end
  local result = by_number[C.tidemill_kernel_result_type(dtype.op(name), facts[compute].number)]
  if not result then return nil, refused(name, compute) end
  return compute, result
end

return dtype
