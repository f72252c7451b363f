-- convert: arrays of one type become arrays of another.
-- SPDX-License-Identifier: MIT
local array = require("tidemill.array")
local fill = require("tidemill.array.fill")
local types = require("tidemill.array.types")

local convert = {}

local NAN = 0 / 0
local DAY = 86400000000LL -- microseconds

local function is_float(dtype) return dtype == "float64" or dtype == "float32" end

local function is_text(dtype) return dtype == "utf8" or dtype == "dictionary" end

local function fail(where, i, value, dtype)
  error(("%s: element %d is %s, which %s cannot hold"):format(where, i,
    (tostring(value):gsub("U?LL$", "")), dtype), 0)
end

-- What a number becomes in an integer type: without its fraction, and inside the type's range.
local function whole_of(value, range)
  value = value < 0 and math.ceil(value) or math.floor(value)
  if value >= range[1] and value <= range[2] then return value end -- not NaN either
end

local wide = { int64 = true, uint64 = true, timestamp = true }

-- Whether a 64-bit integer is outside another integer type.
local function is_outside(value, signed, dtype, range)
  if dtype == "int64" or dtype == "timestamp" then return not signed and value > 0x7fffffffffffffffULL end
  if dtype == "uint64" then return signed and value < 0LL end
  local number = tonumber(value)
  return number < range[1] or number > range[2]
end

local MOST_DAYS = 106751991 -- whose microseconds an int64 holds, as it does those of so many days before

-- Between days and microseconds, nil of days that are too many; nil: the types need no such thing.
local function rescaled(from, dtype)
  if from == "date" and dtype == "timestamp" then
    return function(days)
      if days <= MOST_DAYS and days >= -MOST_DAYS then return days * DAY end
    end
  end
  if from ~= "timestamp" or dtype ~= "date" then return nil end
  return function(time)
    local days = time / DAY -- rounds towards 0
    return days * DAY > time and days - 1LL or days
  end
end

-- The function that makes an element of `dtype` of one of `from`; nil and an error when there is none.
local function converter(from, dtype, where)
  local range, scale = types.ranges[dtype], rescaled(from, dtype)
  if scale then
    return function(value, i)
      local scaled = scale(value)
      if scaled == nil or is_outside(scaled, true, dtype, range) then fail(where, i, value, dtype) end
      return scaled
    end
  end
  if dtype == "bool" then return function(value) return value ~= 0 and 1 or 0 end end
  if not range then return function(value) return tonumber(value) end end
  if wide[from] then
    local signed = from ~= "uint64"
    return function(value, i)
      if is_outside(value, signed, dtype, range) then fail(where, i, value, dtype) end
      return value
    end
  end
  return function(value, i)
    local whole = whole_of(value, range)
    if not whole then fail(where, i, value, dtype) end
    return whole
  end
end

-- An array is alive while Lua can still reach it, and a pointer into it does not count: it is named once
-- more after the loop.
local function hold() end

-- A new array of the type; `exact` refuses fractions instead of cutting them.
local function converted(value, dtype, where, exact)
  local from, length = value.dtype, value.length
  local out = array.new(dtype, nil, value.shape)
  local source, target, complete = value:pointer(), out:pointer(), value.nulls == 0
  local flat = complete and value or value:reshape(-1)
  local convert_one = converter(from, dtype, where)
  for i = 0, length - 1 do
    if complete or flat:present(i + 1) then
      local number = source[i]
      if exact and number ~= math.floor(number) then
        error(("%s: element %d is %s, expected a whole number"):format(where, i + 1, tostring(number)), 0)
      end
      target[i] = convert_one(number, i + 1)
    elseif is_float(dtype) then
      target[i] = NAN
    else
      error(("%s: element %d is missing, which %s cannot hold"):format(where, i + 1, dtype), 0)
    end
  end
  hold(value)
  return out
end

-- Text becomes dates and times alone.
local function from_text(value, dtype)
  if dtype == "utf8" then return array.from(value:totable(), "utf8") end
  if dtype ~= "date" and dtype ~= "timestamp" then
    error(("astype: text becomes \"date\" or \"timestamp\", not %q; see tonumber"):format(dtype), 0)
  end
  local out = array.new(dtype, nil, value.shape)
  local flat = value:reshape(-1):totable()
  local bad, what = fill.list(out:pointer(), flat, flat.n, dtype)
  if bad then error(("astype: element %d is %s"):format(bad, what), 0) end
  return out
end

function convert.astype(value, dtype)
  if dtype == value.dtype then return value end
  if dtype ~= "utf8" then types.fixed(dtype, "astype", 2) end
  if dtype == "utf8" and value.dtype ~= "dictionary" then
    error("astype: numbers do not become text; see tostring", 2)
  end
  local fine, out
  if is_text(value.dtype) then
    fine, out = pcall(from_text, value, dtype)
  else
    fine, out = pcall(converted, value, dtype, "astype", false)
  end
  if not fine then error(out, 2) end
  return out
end

-- Errors blame the function `level` above: the caller's caller, unless something else is said.
function convert.as(value, dtype, where, level)
  level = level or 3
  if array.is(value) then
    local own = value.dtype
    if own == dtype and (value.nulls == 0 or dtype == "float64") then return value end
    if own == "utf8" then error(("%s: expected numbers, got an array of text"):format(where), level) end
    local exact = is_float(own) and not is_float(dtype)
    local fine, out = pcall(converted, value, dtype, where, exact)
    if not fine then error(out, level) end
    return out
  end
  if type(value) ~= "table" then
    error(("%s: expected an array or a table of numbers, got a %s"):format(where, type(value)), level)
  end
  local length = fill.length(value)
  local problem = fill.length_problem(length, where)
  if problem then error(problem, level) end
  local out = array.new(dtype, length)
  local bad, what = fill.list(out:pointer(), value, length, dtype)
  if bad then error(("%s: element %d is %s"):format(where, bad, what), level) end
  return out
end

return convert
