-- array: typed, immutable columns that cross between states by reference.
-- An array is an 8-byte cdata that owns a reference to a struct mill_array (host/data/array.h).
-- Making and converting arrays, and showing them, are in tidemill.array.*.
local ffi = require("ffi")
local blame = require("tidemill.blame")
local core = require("tidemill.core")
local C = require("tidemill.clib")
local holdings = require("tidemill.holdings")
local receiver = require("tidemill.receiver")
local shown = require("tidemill.shown")
local types = require("tidemill.array.types")
local shapes = require("tidemill.array.shape")

local array = {}
local engine = ffi.cast("void *", core.engine)

local names, numbers, sizes, pointers = types.names, types.numbers, types.sizes, types.pointers
local ref_type = ffi.typeof("struct tidemill__array_ref")
local array_pointer = ffi.typeof("struct tidemill__array *")
local istype, cast = ffi.istype, ffi.cast
local BOOL, INT64, UINT64, UTF8, DICTIONARY, TIMESTAMP =
  numbers.bool, numbers.int64, numbers.uint64, numbers.utf8, numbers.dictionary, numbers.timestamp

---@class tidemill.array
---@field length integer elements in all
---@field size integer elements in all
---@field dtype string name of the element type
---@field shape integer[] sizes of the axes
---@field ndim integer how many axes there are
---@field itemsize integer? bytes of an element; nil for text
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

local received = setmetatable({}, { __mode = "v" }) -- address -> handle
local address_type = ffi.typeof("uintptr_t")

--- The same of an array that has crossed to this state.  One that many tasks take, each anew, has one
--- handle as long as no collection has found it dead: else each would count as memory of its own, and
--- collections would come every few tasks.
function array.receive(pointer)
  local a = cast(array_pointer, pointer)
  if a.length < large then return adopt(pointer) end
  local address = tonumber(cast(address_type, a))
  local handle = received[address]
  if handle then
    C.tidemill__array_unref(a) -- the handle has one
  else
    handle = adopt(pointer)
    received[address] = handle
  end
  return handle
end

--- Gives up a handle that nothing uses any more, as a collection would much later: for tasks whose parts
--- of an array nobody else has, and which would make collections frequent.
function array.let_go(handle)
  local a = handle.array
  handle.array = nil
  if a.length >= large then
    received[tonumber(cast(address_type, a))] = nil
    holdings.drop(a)
  end
  C.tidemill__array_unref(a)
end

--- Whether `value` is an array.
function array.is(value)
  return type(value) == "cdata" and istype(ref_type, value)
end

--- A new array whose elements its maker fills through `pointer()` before anybody else has it.
---@param dtype string a fixed-size type, such as "float64"
---@param length integer? elements in all; the product of the shape's sizes when there is one
---@param shape? integer[] sizes of the axes
---@param level? integer whom to blame where there is no room: who called the library without, 0 no place
---@return tidemill.array
function array.new(dtype, length, shape, level)
  local number = types.fixed(dtype, "array", 2)
  local wanted = length
  if shape or not (type(length) == "number" and length >= 0 and length < 2^32 and length % 1 == 0) then
    local fine, measured = pcall(shapes.measure, shape or { length }, dtype, sizes[number], "array", -1)
    if not fine then error(measured, level or blame.caller()) end
    wanted = measured
  end
  if length and length ~= wanted then
    error(("array: %d elements do not fill %s"):format(length, shapes.text(shape)), 2)
  end
  local pointer = C.tidemill__array_new(engine, number, wanted)
  if pointer == nil then
    error("out of memory (array of " .. wanted .. " " .. dtype .. ")", level or blame.caller())
  end
  if shape then
    pointer.dimensions = #shape
    for i, size in ipairs(shape) do pointer.shape[i - 1] = size end
  end
  return adopt(pointer)
end

--- The same of one axis, for a length and a type's number that are known to be right.
function array.of(number, length)
  local pointer = C.tidemill__array_new(engine, number, length)
  if pointer == nil then error("out of memory (array)", 2) end
  return adopt(pointer)
end

-- What the FFI takes a shape from.
local shape_box = ffi.new("int64_t[?]", shapes.most_axes)

-- Elements from number `first` (from 0, in row-major order) on in another shape, without a copy.
local function view(a, first, dimensions, shape, from)
  for i = 0, dimensions - 1 do shape_box[i] = shape[i + from] end
  local pointer = C.tidemill__array_view(a, first, dimensions, shape_box)
  if pointer == nil then error("out of memory (a view of an array)", 3) end
  return adopt(pointer)
end

--- Elements of an array from number `first` (from 0) on, in a shape of their own, over its memory.
---@param whole tidemill.array
---@param first integer
---@param shape integer[]
---@return tidemill.array
function array.part(whole, first, shape) return view(whole.array, first, #shape, shape, 1) end

local function present(a, i)
  local validity = a.validity
  if validity == nil then return true end
  return bit.band(bit.rshift(validity[bit.rshift(i, 3)], bit.band(i, 7)), 1) == 1
end

local function text_at(a, i)
  local from, to = a.offsets[i], a.offsets[i + 1]
  return ffi.string(cast("const char *", a.values) + from, to - from)
end

-- The one NaN.  LuaJIT takes some others, which data may well have, for values that are no numbers, so what
-- lies in memory is looked at by its bits before it becomes a number.
local nan = ffi.new("union { uint64_t bits; double number; }", { bits = 0x7ff8000000000000ULL }).number
local words = ffi.typeof("const int32_t *")
local band = bit.band

local function float64_at(values, i)
  local high = cast(words, values)[2 * i + 1]
  if band(high, 0x7ff00000) ~= 0x7ff00000 then return cast(pointers[numbers.float64], values)[i] end
  if band(high, 0xfffff) ~= 0 or cast(words, values)[2 * i] ~= 0 then return nan end
  return high < 0 and -math.huge or math.huge
end

local function float32_at(values, i)
  local bits = cast(words, values)[i]
  if band(bits, 0x7f800000) ~= 0x7f800000 then return cast(pointers[numbers.float32], values)[i] end
  if band(bits, 0x7fffff) ~= 0 then return nan end
  return bits < 0 and -math.huge or math.huge
end

--- The number at place i, from 0, of an array of numbers, whatever its bits are.
---@param whole tidemill.array
---@param i integer
---@return number
function array.number_at(whole, i)
  local a = whole.array
  if a.type == numbers.float64 then return float64_at(a.values, i) end
  if a.type == numbers.float32 then return float32_at(a.values, i) end
  return cast(pointers[a.type], a.values)[i]
end

local limit = 2 ^ 53

-- Element i, from 0: missing ones are NaN in float arrays, nil in others.
local function element(a, i)
  local number = a.type
  if number == numbers.float64 then return float64_at(a.values, i) end
  if number == numbers.float32 then return float32_at(a.values, i) end
  if not present(a, i) then return nil end
  if number == UTF8 then return text_at(a, i) end
  local values = cast(pointers[number], a.values)
  if number == DICTIONARY then return text_at(a.dictionary, values[i]) end
  local value = values[i]
  if number == BOOL then return value ~= 0 end
  if number == INT64 or number == UINT64 or number == TIMESTAMP then
    local exact = tonumber(value)
    if exact > limit or exact < -limit or value ~= exact then
      error(("element %d does not fit a Lua number exactly; use a:int64(%d)"):format(i + 1, i + 1), 3)
    end
    return exact
  end
  return value
end

--- The one element of what `what` has computed.
function array.item(a, what)
  local fine, value = pcall(element, a.array, 0)
  if fine then return value end
  error(("%s: %s does not fit a Lua number exactly; use {keepdims = true} and a:int64(1)"):format(what,
    (tostring(a:int64(1)):gsub("U?LL$", ""))), 0)
end

local function outside(i, size, axis, level)
  local where = axis and (" (axis %d)"):format(axis) or ""
  error(("index %s is outside 1..%d%s"):format(shown.value(i), size, where), level + 1)
end

local function not_a_number(i, axis, level)
  local where = axis and (" of axis %d"):format(axis) or ""
  error(("index%s: expected a number, got a %s"):format(where, type(i)), level + 1)
end

-- Where index i of the first axis is, from 0.
local function position(a, i, level)
  local length = tonumber(a.shape[0])
  if type(i) ~= "number" then not_a_number(i, nil, level + 1) end
  local at = i < 0 and length + i or i - 1
  if at < 0 or at >= length or at ~= math.floor(at) then outside(i, length, nil, level + 1) end
  return at
end

-- Row i, from 0, of an array of several axes.
local function row_at(a, i)
  local length = tonumber(a.shape[0])
  return view(a, i * tonumber(a.length) / length, a.dimensions - 1, a.shape, 1)
end

-- The place, from 0, of the element at these indexes, one an axis.
local function place(a, what, i, ...)
  local count = 1 + select("#", ...)
  if count ~= a.dimensions then
    error(("%s: %d index%s for an array of %d ax%ss"):format(what, count, count > 1 and "es" or "",
      a.dimensions, a.dimensions > 1 and "e" or "i"), 3)
  end
  local at = 0
  if count == 1 then
    at = position(a, i, 3) -- no tail call: levels
    return at
  end
  for axis = 1, count do
    local index, size = i, tonumber(a.shape[axis - 1])
    if axis > 1 then index = select(axis - 1, ...) end
    if type(index) ~= "number" then not_a_number(index, axis, 3) end
    local offset = index < 0 and size + index or index - 1
    if offset < 0 or offset >= size or offset ~= math.floor(offset) then outside(index, size, axis, 3) end
    at = at * size + offset
  end
  return at
end

local methods = {}

-- Costs nothing in compiled code, where the type of a cdata is known.
local check_self = receiver.check(array.is, "an array", "a")

--- Pointer to the elements, counted from 0, typed as the array is; valid while the array lives.
--- Arrays that others hold are not to be written.
function methods:pointer()
  local a = self.array
  return cast(pointers[a.type], a.values)
end

--- The element at these indexes as a 64-bit integer cdata.
function methods:int64(i, ...)
  check_self(self, "int64")
  local a = self.array
  if sizes[a.type] ~= 8 or a.type == numbers.float64 then error("int64: not a 64-bit integer array", 2) end
  return cast(pointers[a.type], a.values)[place(a, "int64", i, ...)]
end

--- The element at these indexes, one an axis: a:get(i, j).
function methods:get(i, ...)
  check_self(self, "get")
  local a = self.array
  return element(a, place(a, "get", i, ...))
end

--- Row i of an array of several axes, without a copy: what a[i] is.
---@param i integer
---@return tidemill.array
function methods:row(i)
  check_self(self, "row")
  local a = self.array
  if a.dimensions == 1 then error("row: an array of one axis has elements: a[i]", 2) end
  return row_at(a, position(a, i, 2))
end

--- The only element of an array of one.
function methods:item()
  check_self(self, "item")
  local a = self.array
  if a.length ~= 1 then
    error(("item: the array has %d elements, expected one"):format(tonumber(a.length)), 2)
  end
  return element(a, 0)
end

--- The same elements in another shape, without a copy; one size may be -1: a:reshape(2, -1).
---@param ... integer|integer[] sizes, or one table of them
---@return tidemill.array
function methods:reshape(...)
  check_self(self, "reshape")
  local a = self.array
  local shape = shapes.resolve(shapes.given("reshape", 2, ...), tonumber(a.length), "reshape", 2)
  return view(a, 0, #shape, shape, 1)
end

--- The elements in another type; itself when it has that already.  Numbers that become integers lose
--- their fraction; what the type cannot hold is an error.
---@param dtype string
---@return tidemill.array
function methods:astype(dtype)
  check_self(self, "astype")
  return require("tidemill.array.convert").astype(self, dtype)
end

-- First place, from 0, and length of a range {first, last} of a vector; nil for any other slice.
local function stretch(a, ranges)
  local range = type(ranges) == "table" and a.dimensions == 1 and ranges[2] == nil and ranges[1]
  if type(range) ~= "table" or range[3] ~= nil then return nil end
  local length = tonumber(a.length)
  local first, last = range[1] or 1, range[2] or length
  if type(first) ~= "number" or type(last) ~= "number" then return nil end
  if first < 0 then first = length + first + 1 end
  if last < 0 then last = length + last + 1 end
  if first < 1 or last > length or first > last + 1 then return nil end
  return first - 1, last - first + 1
end

--- A part: one entry an axis, as of a lazy array, computed at once: a:slice{ {1, 10}, 5 }.  A range of a
--- vector is no copy.
---@param ranges table|tidemill.array
---@return tidemill.array|number|boolean
function methods:slice(ranges)
  check_self(self, "slice")
  local a = self.array
  local first, length = stretch(a, ranges)
  if not first then
    local part = require("tidemill.lazy").sliced(self, ranges, 2)
    return part:compute()
  end
  local pointer = C.tidemill__array_slice(a, first, length)
  if pointer == nil then error("out of memory (slice)", 2) end
  return adopt(pointer)
end

local function list_of(a, axis, at, below)
  local size = tonumber(a.shape[axis])
  local list = { n = size }
  local last, step = axis == a.dimensions - 1, below / math.max(size, 1)
  for i = 1, size do
    if last then list[i] = element(a, at + i - 1) else list[i] = list_of(a, axis + 1, at, step) end
    if not last then at = at + step end
  end
  return list
end

--- The elements as a Lua table, with `n`, of tables where there are several axes; missing ones are
--- holes (NaN in float arrays).
---@return table
function methods:totable()
  check_self(self, "totable")
  return list_of(self.array, 0, 0, tonumber(self.array.length))
end

--- for i, value in a:iter() do; of an array of several axes each value is a row.
function methods:iter()
  check_self(self, "iter")
  local a, length, i = self.array, tonumber(self.array.shape[0]), 0
  local keep, rows = self, self.array.dimensions > 1
  return function()
    i = i + 1
    if i > length then return nil end
    if rows then return i, row_at(keep and a, i - 1) end
    return i, element(keep and a, i - 1)
  end
end

--- Whether the element at these indexes is there.
function methods:present(i, ...)
  check_self(self, "present")
  local a = self.array
  return present(a, place(a, "present", i, ...))
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
function fields.size(self) return tonumber(self.array.length) end
function fields.ndim(self) return self.array.dimensions end
function fields.itemsize(self) return self.array.type ~= UTF8 and sizes[self.array.type] or nil end
function fields.dtype(self) return names[self.array.type] end
function fields.nulls(self) return tonumber(self.array.nulls) end
function fields.nbytes(self) return tonumber(C.tidemill__array_bytes(self.array)) end
function fields.shape(self)
  local a = self.array
  if a.dimensions == 1 then return { tonumber(a.shape[0]) } end -- no short loop inside others
  if a.dimensions == 2 then return { tonumber(a.shape[0]), tonumber(a.shape[1]) } end
  local shape = {}
  for i = 1, a.dimensions do shape[i] = tonumber(a.shape[i - 1]) end
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

ffi.metatype(ref_type, {
  __index = function(self, key)
    if type(key) == "number" then
      local a = self.array
      if a.dimensions == 1 then return element(a, position(a, key, 2)) end
      return row_at(a, position(a, key, 2))
    end
    local method = methods[key]
    if method then return method end
    local field = fields[key]
    if field then return field(self) end
    local shared = type(key) == "string" and lazily().method(key)
    if shared then return shared end
    error(("an array has no field \"%s\"%s"):format(shown.name(key),
      require("tidemill.suggest").phrase(key, array.names())), 2)
  end,
  __newindex = function()
    error("arrays are immutable; build a new one with tm.array", 2)
  end,
  __len = function(self) return tonumber(self.array.shape[0]) end,
  __tostring = function(self) return require("tidemill.array.show").text(self, element) end,
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

--- Whether computed arrays have a method of that name.
function array.method(name) return methods[name] ~= nil end

--- Names of an array's fields and methods.
function array.names()
  local all = {}
  for name in pairs(methods) do all[#all + 1] = name end
  for name in pairs(fields) do all[#all + 1] = name end
  table.sort(all)
  return all
end

--- An array from a Lua table of numbers, booleans, strings or 64-bit integers, or of such tables, or of
--- arrays of one shape, which become rows.
---     tm.array({{1, 2}, {3, 4}}, "int32").shape[1]       --> 2
---@param values table elements 1..n, or 1..values.n; up to eight tables deep
---@param dtype? string|{dtype: string} default "float64", "bool" for booleans, "utf8" for strings,
---       "int64" for 64-bit integers, what the arrays have; of "date" and "timestamp" strings are read as
---       ISO 8601
---@return tidemill.array
function array.from(values, dtype)
  return require("tidemill.array.make").from(values, dtype)
end

--- An array from a copy of raw memory.
---     tm.from_buffer("\1\0\2\0", "int16")[2]               --> 2
---@param source string|ffi.cdata* bytes, an FFI array, or a pointer (then the shape says how many)
---@param dtype string a type of fixed size; little-endian
---@param ... integer|integer[] shape; one axis of what there is without it
---@return tidemill.array
function array.from_buffer(source, dtype, ...)
  return require("tidemill.array.make").from_buffer(source, dtype, ...)
end

--- `value` as an array of `dtype`: itself when it is one, else converted from a table or from an
--- array of another numeric type.
---@param value any
---@param dtype string
---@param where string what messages call it
---@param level? integer whom errors blame, as error() counts; default the caller's caller
---@return tidemill.array
function array.as(value, dtype, where, level)
  if array.is(value) and names[value.array.type] == dtype and value.array.nulls == 0 then return value end
  return require("tidemill.array.convert").as(value, dtype, where, level)
end

--- The array of a table that was given to `what`, which messages name; errors blame the function
--- `level` above the caller.
---@param values any
---@param what string
---@param level integer
---@return tidemill.array
function array.given(values, what, level)
  local fine, out = pcall(array.from, values)
  if fine then return out end
  error(type(out) == "string" and out:gsub("^array: ", what .. ": ", 1) or out, level + 1)
end

return array
