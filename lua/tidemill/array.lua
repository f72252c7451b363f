-- array: typed, immutable columns that cross between states by reference.
-- An array is an 8-byte cdata that owns a reference to a struct mill_array (host/data/array.h).
local ffi = require("ffi")
local core = require("tidemill.core")
local C = require("tidemill.clib")
local holdings = require("tidemill.holdings")

local array = {}
local engine = ffi.cast("void *", core.engine)

local types = { "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
  "float32", "float64", "utf8", "dictionary", "date", "timestamp" }
local numbers = {}
for number, name in ipairs(types) do numbers[name] = number end

local sizes = { 1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1, 4, 4, 8 }
local elements = { "uint8_t", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t",
  "uint32_t", "uint64_t", "float", "double", "char", "int32_t", "int32_t", "int64_t" }
local pointers = {}
for number, element in ipairs(elements) do pointers[number] = ffi.typeof(element .. " *") end

local ref_type = ffi.typeof("struct tidemill__array_ref")
local array_pointer = ffi.typeof("struct tidemill__array *")
local istype, cast = ffi.istype, ffi.cast
local BOOL, INT64, UINT64, UTF8, DICTIONARY, TIMESTAMP =
  numbers.bool, numbers.int64, numbers.uint64, numbers.utf8, numbers.dictionary, numbers.timestamp

---@class tidemill.array
---@field length integer elements in all
---@field dtype string name of the element type
---@field shape integer[] sizes of the axes
---@field nbytes integer bytes of memory
---@field nulls integer elements that are missing
---@field dictionary tidemill.array? the strings of a dictionary array
---@field codes tidemill.array? int32 codes of a dictionary array, from 0

local large = 4096 -- elements: smaller arrays are not worth the counting

local function adopt(pointer)
  local ref = ref_type()
  ref.array = cast(array_pointer, pointer)
  if ref.array.length >= large then holdings.take_up(ref.array) end
  return ref
end

--- Takes over a counted reference.
array.adopt = adopt

--- Whether `value` is an array.
function array.is(value)
  return type(value) == "cdata" and istype(ref_type, value)
end

-- Number of a type whose elements have one size; raises at `level`.
local function fixed_size(dtype, level)
  local number = numbers[dtype]
  if number and number ~= UTF8 and number ~= DICTIONARY then return number end
  error(("array: expected an element type of fixed size such as \"float64\" or \"int32\", got %s")
    :format(type(dtype) == "string" and ("%q"):format(dtype) or tostring(dtype)), level + 1)
end

--- A new array whose elements its maker fills through `pointer()` before anybody else has it.
---@param dtype string a fixed-size type, such as "float64"
---@param length integer elements in all
---@param shape? integer[] sizes of the axes; their product is `length`
---@return tidemill.array
function array.new(dtype, length, shape)
  local number = fixed_size(dtype, 2)
  local pointer = C.tidemill__array_new(engine, number, length)
  if pointer == nil then error("out of memory (array of " .. length .. " " .. dtype .. ")", 2) end
  if shape then
    pointer.dimensions = #shape
    for i, size in ipairs(shape) do pointer.shape[i - 1] = size end
  end
  return adopt(pointer)
end

local function present(a, i)
  local validity = a.validity
  if validity == nil then return true end
  return bit.band(bit.rshift(validity[bit.rshift(i, 3)], bit.band(i, 7)), 1) == 1
end

local function text_at(a, i)
  local from, to = a.offsets[i], a.offsets[i + 1]
  return ffi.string(cast("const char *", a.values) + from, to - from)
end

local limit = 2 ^ 53

-- Element i, from 0: missing ones are NaN in float arrays, nil in others.
local function element(a, i)
  local number = a.type
  if not present(a, i) and number ~= numbers.float64 and number ~= numbers.float32 then return nil end
  if number == UTF8 then return text_at(a, i) end
  local values = cast(pointers[number], a.values)
  if number == DICTIONARY then return text_at(a.dictionary, values[i]) end
  local value = values[i]
  if number == BOOL then return value ~= 0 end
  if number == INT64 or number == UINT64 or number == TIMESTAMP then
    local exact = tonumber(value)
    if exact > limit or exact < -limit then
      error(("element %d does not fit a Lua number exactly; use a:int64(%d)"):format(i + 1, i + 1), 3)
    end
    return exact
  end
  return value
end

local function position(a, i, level)
  local length = tonumber(a.length)
  local at = i < 0 and length + i or i - 1
  if at < 0 or at >= length or at ~= math.floor(at) then
    error(("index %s is outside 1..%d"):format(tostring(i), length), level + 1)
  end
  return at
end

local methods = {}

--- Pointer to the elements, counted from 0, typed as the array is; valid while the array lives.
--- Arrays that others hold are not to be written.
function methods:pointer()
  local a = self.array
  return cast(pointers[a.type], a.values)
end

--- Element i as a 64-bit integer cdata.
function methods:int64(i)
  local a = self.array
  if sizes[a.type] ~= 8 or a.type == numbers.float64 then error("int64: not a 64-bit integer array", 2) end
  return cast(pointers[a.type], a.values)[position(a, i, 2)]
end

--- The element at these indexes, one an axis: a:get(i, j). With one it is a[i], whatever the shape.
function methods:get(i, ...)
  local a, count = self.array, select("#", ...)
  if count == 0 then return element(a, position(a, i, 2)) end
  if count + 1 ~= a.dimensions then
    error(("get: %d indexes for an array of %d axes"):format(count + 1, a.dimensions), 2)
  end
  local at = 0
  for axis = 1, count + 1 do
    local index, size = axis == 1 and i or select(axis - 1, ...), tonumber(a.shape[axis - 1])
    local offset = index < 0 and size + index or index - 1
    if offset < 0 or offset >= size or offset ~= math.floor(offset) then
      error(("index %s is outside 1..%d (axis %d)"):format(tostring(index), size, axis), 2)
    end
    at = at * size + offset
  end
  return element(a, at)
end

--- Elements `range[1][1]` to `range[1][2]`, both included, without a copy: a:slice{{1, 10}}.
---@param ranges table
---@return tidemill.array
function methods:slice(ranges)
  local range = type(ranges) == "table" and ranges[1]
  if type(range) ~= "table" then error("slice: expected a:slice{{first, last}}", 2) end
  local a = self.array
  local length = tonumber(a.length)
  local first, last = range[1] or 1, range[2] or length
  if first < 0 then first = length + first + 1 end
  if last < 0 then last = length + last + 1 end
  if first < 1 or last > length or first > last + 1 then
    error(("slice: %d..%d is outside 1..%d"):format(first, last, length), 2)
  end
  local pointer = C.tidemill__array_slice(a, first - 1, last - first + 1)
  if pointer == nil then error("out of memory (slice)", 2) end
  return adopt(pointer)
end

--- The elements as a Lua table, with `n`; missing ones are holes (NaN in float arrays).
---@return table
function methods:totable()
  local a, list = self.array, { n = tonumber(self.array.length) }
  for i = 1, list.n do list[i] = element(a, i - 1) end
  return list
end

--- for i, value in a:iter() do
function methods:iter()
  local a, length, i = self.array, tonumber(self.array.length), 0
  local keep = self
  return function()
    i = i + 1
    if i <= length then return i, element(keep and a, i - 1) end
  end
end

--- Whether element i is there.
function methods:present(i)
  return present(self.array, position(self.array, i, 2))
end

-- ---- lazy arrays --------------------------------------------------------------------------------------

-- Arithmetic gives lazy arrays (tidemill.lazy); what that module has is loaded by the first use.
local lazy

--- The module of lazy arrays makes itself known.
function array.use_lazy(module) lazy = module end

local function lazily()
  return lazy or require("tidemill.lazy")
end

local function operator(name)
  return function(a, b) return (lazily().apply(name, 2, a, b)) end
end

local function no_order()
  error("< and <= of arrays give one boolean in Lua; write a:lt(b), a:le(b), a:gt(b), a:ge(b)", 2)
end

local fields = {}

function fields.length(self) return tonumber(self.array.length) end
function fields.dtype(self) return types[self.array.type] end
function fields.nulls(self) return tonumber(self.array.nulls) end
function fields.nbytes(self) return tonumber(C.tidemill__array_bytes(self.array)) end
function fields.shape(self)
  local shape = {}
  for i = 1, self.array.dimensions do shape[i] = tonumber(self.array.shape[i - 1]) end
  return shape
end
function fields.dictionary(self)
  if self.array.type ~= DICTIONARY then return nil end
  C.tidemill__array_ref(self.array.dictionary)
  return adopt(self.array.dictionary)
end
function fields.codes(self)
  if self.array.type ~= DICTIONARY then return nil end
  return adopt(C.tidemill__array_codes(self.array))
end

local function show(self)
  local a, parts = self.array, {}
  local length = tonumber(a.length)
  for i = 1, math.min(length, 6) do
    local value = element(a, i - 1)
    parts[i] = type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  if length > 6 then parts[#parts + 1] = "..." end
  return ("%s[%d]{%s}"):format(types[a.type], length, table.concat(parts, ", "))
end

ffi.metatype(ref_type, {
  __index = function(self, key)
    if type(key) == "number" then return element(self.array, position(self.array, key, 2)) end
    local method = methods[key]
    if method then return method end
    local field = fields[key]
    if field then return field(self) end
    local shared = type(key) == "string" and lazily().method(key)
    if shared then return shared end
    error(("an array has no field \"%s\"%s"):format(tostring(key),
      require("tidemill.suggest").phrase(key, array.names())), 2)
  end,
  __newindex = function()
    error("arrays are immutable; build a new one with tm.array", 2)
  end,
  __len = function(self) return tonumber(self.array.length) end,
  __tostring = show,
  __lt = no_order, __le = no_order,
  __add = operator("add"), __sub = operator("sub"), __mul = operator("mul"), __div = operator("div"),
  __mod = operator("mod"), __pow = operator("pow"),
  __unm = function(a) return (lazily().apply("neg", 2, a)) end,
  __gc = function(self)
    if self.array == nil then return end
    if self.array.length >= large then holdings.drop(self.array) end
    C.tidemill__array_unref(self.array)
  end,
})

--- Names of an array's fields and methods.
function array.names()
  local names = {}
  for name in pairs(methods) do names[#names + 1] = name end
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local NAN = 0 / 0

local function fill(out, values, length, dtype, where)
  local pointer = out:pointer()
  local float = dtype == "float64" or dtype == "float32"
  for i = 1, length do
    local value = values[i]
    if dtype == "bool" then
      pointer[i - 1] = value and 1 or 0
    elseif type(value) == "number" or type(value) == "cdata" then
      pointer[i - 1] = value
    elseif value == nil and float then
      pointer[i - 1] = NAN
    else
      error(("%s: element %d is %s, expected a number"):format(where, i,
        value == nil and "nil" or "a " .. type(value)), 3)
    end
  end
  return out
end

-- Refuses what an element type has silently changed; floats may be rounded.
local function check_kept(out, values, length, dtype)
  if dtype == "float64" or dtype == "float32" then return end
  local pointer, wanted = out:pointer(), dtype == "bool" and "boolean" or "number"
  for i = 1, length do
    local value, kind = values[i], type(values[i])
    if kind ~= "cdata" and (kind ~= wanted or kind == "number" and
        (value ~= math.floor(value) or tonumber(pointer[i - 1]) ~= value)) then
      error(("array: element %d is %s, which %s cannot hold"):format(i, tostring(value), dtype), 3)
    end
  end
end

--- An array from a Lua table of numbers or booleans.
---@param values table elements 1..n, or 1..values.n
---@param dtype? string default "float64", "bool" for booleans
---@return tidemill.array
function array.from(values, dtype)
  if type(values) ~= "table" then
    error("array: expected array(table, dtype), got a " .. type(values), 2)
  end
  dtype = dtype or (type(values[1]) == "boolean" and "bool" or "float64")
  fixed_size(dtype, 2)
  local length = values.n or #values
  local out = fill(array.new(dtype, length), values, length, dtype, "array")
  check_kept(out, values, length, dtype)
  return out
end

local function convert(value, dtype, where)
  local length = value.length
  local out = array.new(dtype, length)
  local from, to, a = value:pointer(), out:pointer(), value.array
  local floats = value.dtype:sub(1, 5) == "float"
  local whole = floats and dtype:sub(1, 5) ~= "float"
  for i = 0, length - 1 do
    if whole and from[i] ~= math.floor(from[i]) then
      error(("%s: element %d is %s, expected a whole number"):format(where, i + 1,
        tostring(from[i])), 3)
    end
    if present(a, i) then
      to[i] = from[i]
    elseif dtype == "float64" or dtype == "float32" then
      to[i] = NAN
    else
      error(("%s: element %d is missing, which %s cannot hold"):format(where, i + 1, dtype), 3)
    end
  end
  return out
end

--- `value` as an array of `dtype`: itself when it is one, else converted from a table or from an
--- array of another numeric type.
---@param value any
---@param dtype string
---@param where string what messages call it
---@return tidemill.array
function array.as(value, dtype, where)
  if array.is(value) then
    local own = value.array.type
    if own == UTF8 then error(("%s: expected numbers, got an array of text"):format(where), 3) end
    if types[own] == dtype and (value.array.nulls == 0 or dtype == "float64") then return value end
    return convert(value, dtype, where)
  end
  if type(value) ~= "table" then
    error(("%s: expected an array or a table of numbers, got a %s"):format(where, type(value)), 3)
  end
  local length = value.n or #value
  return fill(array.new(dtype, length), value, length, dtype, where)
end

return array
