-- call: a function of a shared object as a Lua function that checks and converts what it is given.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")
local array = require("tidemill.array")
local types = require("tidemill.array.types")
local shapes = require("tidemill.array.shape")

local call = {}

local wide = { int64 = true, uint64 = true }
-- Types whose arrays have the same elements.
local alike = { int32 = "date", int64 = "timestamp" }

-- Blames the line that called the kernel: this function, the check, the generated function, the caller.
local function refuse(where, ...) error(where .. ": " .. (...):format(select(2, ...)), 4) end

local function shown(v)
  if array.is(v) then return ("an array of %s"):format(v.dtype) end
  if type(v) == "userdata" and require("tidemill.lazy").is(v) then
    return "a lazy array; a:compute() makes it one that is there"
  end
  return type(v) == "number" and tostring(v) or v == nil and "nil" or "a " .. type(v)
end

-- ---- arguments --------------------------------------------------------------------------------------

local function check_number(where, dtype)
  local range = types.ranges[dtype]
  return function(v)
    if type(v) == "number" and (not range or v == math.floor(v) and v >= range[1] and v <= range[2]) then
      return v
    end
    if wide[dtype] and type(v) == "cdata" and (ffi.istype("int64_t", v) or ffi.istype("uint64_t", v)) then
      return v
    end
    if not range then refuse(where, "expected a number, got %s", shown(v)) end
    refuse(where, "expected a whole number from %.0f to %.0f, got %s", range[1], range[2], shown(v))
  end
end

local function check_boolean(where)
  return function(v)
    if type(v) ~= "boolean" then refuse(where, "expected a boolean, got %s", shown(v)) end
    return v
  end
end

-- An array of exactly this type: itself, or made of a table.
local function as_array(where, v, dtype, level)
  if array.is(v) then
    if v.dtype ~= dtype and v.dtype ~= alike[dtype] then
      error(("%s: expected an array of %s, got one of %s; a:astype(\"%s\") converts"):format(where, dtype,
        v.dtype, dtype), level + 1)
    end
    if v.nulls == 0 then return v end
    local fine, whole = pcall(array.as, v, dtype, where)
    return fine and whole or error(whole, level + 1)
  end
  if type(v) ~= "table" or call.is_out(v) then
    error(("%s: expected an array or a table, got %s"):format(where, call.is_out(v) and
      "tm.kernel.out: the function does not write it" or shown(v)), level + 1)
  end
  local fine, made = pcall(array.from, v, dtype)
  return fine and made or error(where .. ": " .. tostring(made):gsub("^array: ", ""), level + 1)
end

local function check_input(where, t)
  local pointer = ffi.typeof("const " .. t.name .. " *")
  return function(v)
    if t.name == "char" and type(v) == "string" then return v, v end
    local a = as_array(where, v, t.dtype, 3)
    return ffi.cast(pointer, a:pointer()), a
  end
end

local function new_array(out, where, dtype)
  if not out.copy then
    local a = array.new(dtype, nil, out.shape)
    ffi.fill(a:pointer(), a.nbytes)
    return a
  end
  local source = as_array(where, out.copy, dtype, 4)
  local a = array.new(source.dtype, nil, source.shape)
  ffi.copy(a:pointer(), source:pointer(), a.nbytes)
  return a
end

local function check_output(where, t)
  local pointer = ffi.typeof(t.name .. " *")
  return function(v)
    if not call.is_out(v) then
      refuse(where,
        "is written by the function: expected tm.kernel.out(size) or tm.kernel.out(array), got %s",
        shown(v))
    end
    local a = new_array(v, where, t.dtype)
    return ffi.cast(pointer, a:pointer()), a
  end
end

local function checker(where, t)
  if t.pointer then return t.const and check_input(where, t) or check_output(where, t) end
  if t.dtype == "bool" then return check_boolean(where) end
  return check_number(where, t.dtype)
end

-- ---- results ----------------------------------------------------------------------------------------

-- A 64-bit integer is a Lua number where that is exact.
local function exact(v)
  local number = tonumber(v)
  return number >= -2 ^ 53 and number <= 2 ^ 53 and number or v
end

local function same(v) return v end

-- Arrays are alive until after the call: compiled code forgets a local after its last use.
local function hold() end

-- ---- the function -----------------------------------------------------------------------------------

-- Lua text of the function: checks f's arguments, calls it, and gives its result and what it wrote.
local function source_of(declared)
  local lines, names, given, kept, out = {}, {}, {}, {}, {}
  for i, t in ipairs(declared.parameters) do
    names[i], given[i] = "a" .. i, "p" .. i
    lines[#lines + 1] = ("local p%d, k%d = c[%d](a%d)"):format(i, i, i, i)
    if t.pointer then kept[#kept + 1] = "k" .. i end
    if t.pointer and not t.const then out[#out + 1] = "k" .. i end
  end
  local invoke = ("f(%s)"):format(table.concat(given, ", "))
  if declared.result.name ~= "void" then
    invoke = ("local r = give(%s)"):format(invoke)
    table.insert(out, 1, "r")
  end
  local count = #names
  return table.concat({
    "local f, c, give, hold, wrong = ...",
    "return function(...)",
    ("if select('#', ...) ~= %d then wrong(select('#', ...)) end"):format(count),
    count > 0 and ("local %s = ..."):format(table.concat(names, ", ")) or "",
    table.concat(lines, "\n"),
    invoke,
    ("hold(%s)"):format(table.concat(kept, ", ")),
    ("return %s"):format(table.concat(out, ", ")),
    "end",
  }, "\n")
end

--- A Lua function that calls the one at an address.
---@param declared tidemill.c_function
---@param address lightuserdata
---@return function
function call.new(declared, address)
  local parameters = {}
  for i, t in ipairs(declared.parameters) do
    parameters[i] = (t.const and "const " or "") .. t.name .. (t.pointer and " *" or "")
  end
  local signature = ("%s (*)(%s)"):format(declared.result.name,
    #parameters > 0 and table.concat(parameters, ", ") or "void")
  local checks = {}
  for i, t in ipairs(declared.parameters) do
    checks[i] = checker(("%s: argument %d"):format(declared.name, i), t)
  end
  local function wrong(count)
    error(("%s: expected %d argument%s, got %d: %s"):format(declared.name, #parameters,
      #parameters == 1 and "" or "s", count, declared.text), 3)
  end
  local give = wide[declared.result.dtype] and exact or same
  local build = assert(loadstring(source_of(declared), "=kernel " .. declared.name))
  return build(ffi.cast(ffi.typeof(signature), address), checks, give, hold, wrong)
end

-- ---- outputs ----------------------------------------------------------------------------------------

call.out_meta = { __name = "tidemill.kernel_out" }

function call.is_out(v) return type(v) == "table" and getmetatable(v) == call.out_meta end

--- Stands for an argument that a kernel writes: a new array of zeros, given back after the function's
--- own result; or a copy of an array, which the function changes.
---     local sum, running = f(x, #x, tm.kernel.out(#x))
---@param first integer|integer[]|tidemill.array shape, or what is copied
---@param ... integer
---@return table
function call.out(first, ...)
  if array.is(first) then return setmetatable({ copy = first }, call.out_meta) end
  local shape = shapes.given("kernel.out", 2, first, ...)
  shapes.measure(shape, "float64", 8, "kernel.out", 2)
  return setmetatable({ shape = shape }, call.out_meta)
end

return call
