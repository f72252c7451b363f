-- types: the element types of arrays, numbered as in host/data/array.h.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")
local shown = require("tidemill.shown")

local types = { "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
  "float32", "float64", "utf8", "dictionary", "date", "timestamp" }

local numbers = {}
for number, name in ipairs(types) do numbers[name] = number end

local elements = { "uint8_t", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t",
  "uint32_t", "uint64_t", "float", "double", "char", "int32_t", "int32_t", "int64_t" }
local pointers, sizes = {}, {}
for number, element in ipairs(elements) do
  pointers[number] = ffi.typeof(element .. " *")
  sizes[number] = ffi.sizeof(element)
end

-- What a number in an element type of 32 bits or less, or a whole one in others, lies between.
local ranges = { int8 = { -2 ^ 7, 2 ^ 7 - 1 }, int16 = { -2 ^ 15, 2 ^ 15 - 1 },
  int32 = { -2 ^ 31, 2 ^ 31 - 1 }, int64 = { -2 ^ 63, 2 ^ 63 - 1024 }, uint8 = { 0, 2 ^ 8 - 1 },
  uint16 = { 0, 2 ^ 16 - 1 }, uint32 = { 0, 2 ^ 32 - 1 }, uint64 = { 0, 2 ^ 64 - 2048 } }
ranges.date, ranges.timestamp = ranges.int32, ranges.int64

-- The number of a type whose elements have one size; raises, naming the nearest, at `level`.
local function fixed(dtype, where, level)
  local number = numbers[dtype]
  if number and dtype ~= "utf8" and dtype ~= "dictionary" then return number end
  local hint = type(dtype) == "string" and not number and
    require("tidemill.suggest").phrase(dtype, types) or ""
  error(("%s: expected an element type of fixed size such as \"float64\" or \"int32\", got %s%s")
    :format(where, shown.value(dtype), hint), level + 1)
end

return {
  names = types, -- number -> name
  numbers = numbers, -- name -> number
  sizes = sizes, -- number -> bytes of an element; 1 for utf8, 4 for the codes of a dictionary
  pointers = pointers, -- number -> the FFI's type of a pointer to elements
  ranges = ranges, -- name of an integer type -> least and greatest Lua number that it can hold
  fixed = fixed,
}
