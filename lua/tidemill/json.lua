-- json: writes values as JSON: keys sorted, the shortest numbers that read back as the same,
-- NaN and infinities as null.
local array = require("tidemill.array")

local json = {}

local list_meta = { __name = "tidemill.list" }

--- Marks a table as a list, so that an empty one is written as [].
---@param values table
---@return table values
function json.list(values)
  local own = type(values) == "table" and getmetatable(values)
  if type(values) ~= "table" or own ~= nil and own ~= list_meta then
    error("json.list: expected a table without a metatable, got a " .. type(values) ..
      (own and " that has one" or ""), 2)
  end
  return setmetatable(values, list_meta)
end

local escapes = { ["\""] = "\\\"", ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quoted(text)
  return "\"" .. text:gsub("[%c\"\\\127]", function(c)
    return escapes[c] or ("\\u%04x"):format(c:byte())
  end) .. "\""
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  if value == 0 then return 1 / value < 0 and "-0" or "0" end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return ("%d"):format(value) end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then return text end
  end
end

-- Elements of the longest list: of more not even nulls fit into a string.
local MOST = 2 ^ 28

-- Whether it can be the length of a list: what only is called n is no such number.
local function is_length(n) return type(n) == "number" and n % 1 == 0 and n < math.huge end

-- A table is a list when it is marked, or has elements 1..n and no other key but `n`.
local function is_list(value)
  if getmetatable(value) == list_meta then return true end
  local count, length = 0, #value
  for key in pairs(value) do
    if type(key) == "number" then
      if key < 1 or key ~= math.floor(key) then return false end
    elseif key ~= "n" then
      return false
    end
    count = count + 1
  end
  return length > 0 or (is_length(value.n) and count <= value.n + 1)
end

local write

local function write_list(value, out, seen, path)
  local length = is_length(value.n) and value.n or #value
  if length > MOST then
    error(("json: %s is a list of %.0f elements, more than a text has room for"):format(
      path == "" and "the value" or path, length), 0)
  end
  out[#out + 1] = "["
  for i = 1, length do
    if i > 1 then out[#out + 1] = "," end
    write(value[i], out, seen, path .. "[" .. i .. "]")
  end
  out[#out + 1] = "]"
end

local function write_object(value, out, seen, path)
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "string" then
      error(("json: %s has a key that is a %s; expected names, or 1 to n without holes"):format(
        path == "" and "the value" or path, type(key)), 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    out[#out + 1] = (i > 1 and "," or "") .. quoted(key) .. ":"
    write(value[key], out, seen, path .. "." .. key)
  end
  out[#out + 1] = "}"
end

function write(value, out, seen, path)
  local kind = type(value)
  if kind == "nil" then
    out[#out + 1] = "null"
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif kind == "number" then
    out[#out + 1] = number(value)
  elseif kind == "string" then
    out[#out + 1] = quoted(value)
  elseif array.is(value) then
    write_list(value:totable(), out, seen, path)
  elseif kind == "table" then
    if seen[value] then error(("json: %s is a table that it is in itself"):format(path), 0) end
    seen[value] = true
    if is_list(value) then write_list(value, out, seen, path) else write_object(value, out, seen, path) end
    seen[value] = nil
  else
    error(("json: %s is a %s, which JSON does not have"):format(path == "" and "the value" or path, kind), 0)
  end
end

--- A value as JSON text.
---@param value any nil, boolean, number, string, table or array
---@return string
function json.encode(value)
  local out = {}
  write(value, out, {}, "")
  return table.concat(out)
end

-- ---- reading --------------------------------------------------------------------------------------

local plain = { ["\""] = "\"", ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local max_depth = 200

local function refuse(text, at, expected)
  local found = at > #text and "the end" or ("%q"):format(text:sub(at, at))
  error(("json: byte %d: expected %s, found %s"):format(at, expected, found), 0)
end

local function skip(text, at) return (text:find("[^ \t\r\n]", at)) or #text + 1 end

local function utf8(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

-- The character that an escape at `at`, a backslash, stands for, and where it ends.
local function read_escape(text, at)
  local letter = text:sub(at + 1, at + 1)
  if plain[letter] then return plain[letter], at + 2 end
  local code = letter == "u" and text:match("^%x%x%x%x", at + 2)
  if not code then refuse(text, at + 1, "an escape") end
  code = tonumber(code, 16)
  local low = code >= 0xD800 and code < 0xDC00 and text:match("^\\u([dD][c-fC-F]%x%x)", at + 6)
  if low then
    return utf8(0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00), at + 12
  end
  if code >= 0xD800 and code < 0xE000 then code = 0xFFFD end
  return utf8(code), at + 6
end

local function read_string(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = text:find("[\"\\%c]", at)
    if not stop or text:find("^%c", stop) then refuse(text, stop or #text + 1, "the end of a string") end
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == "\"" then return table.concat(parts), stop + 1 end
    parts[#parts + 1], at = read_escape(text, stop)
  end
end

local read_value

local function read_list(text, at, depth)
  local out, count = json.list({}), 0
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return out, at + 1 end
  while true do
    count = count + 1
    out[count], at = read_value(text, at, depth)
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == "]" then
      if #out ~= count then out.n = count end
      return out, at + 1
    end
    if mark ~= "," then refuse(text, at, "\",\" or \"]\"") end
    at = skip(text, at + 1)
  end
end

local function read_object(text, at, depth)
  local out = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return out, at + 1 end
  while true do
    if text:sub(at, at) ~= "\"" then refuse(text, at, "a name in quotes") end
    local key
    key, at = read_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then refuse(text, at, "\":\"") end
    out[key], at = read_value(text, skip(text, at + 1), depth)
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == "}" then return out, at + 1 end
    if mark ~= "," then refuse(text, at, "\",\" or \"}\"") end
    at = skip(text, at + 1)
  end
end

local words = { ["true"] = true, ["false"] = false }

local function read_plain(text, at)
  local word = text:match("^%l+", at)
  if word == "null" then return nil, at + 4 end
  if words[word] ~= nil then return words[word], at + #word end
  local digits = text:match("^%-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local legal = digits and (digits:find("^%-?0$") or digits:find("^%-?0[.eE]") or digits:find("^%-?[1-9]"))
    and not digits:find("%.[eE]") and not digits:find("%.$")
  local value = legal and tonumber(digits)
  if not value then refuse(text, at, "a value") end
  return value, at + #digits
end

function read_value(text, at, depth)
  if depth > max_depth then error(("json: nested deeper than %d levels"):format(max_depth), 0) end
  local mark = text:sub(at, at)
  if mark == "{" then return read_object(text, at, depth + 1) end
  if mark == "[" then return read_list(text, at, depth + 1) end
  if mark == "\"" then return read_string(text, at) end
  return read_plain(text, at)
end

--- The value of JSON text; null is nil.  Raises with the byte where it is none.
---@param text string
---@return any
function json.decode(text)
  if type(text) ~= "string" then error("json.decode: expected a string, got a " .. type(text), 2) end
  local value, at = read_value(text, skip(text, 1), 0)
  at = skip(text, at)
  if at <= #text then refuse(text, at, "the end") end
  return value
end

return json
