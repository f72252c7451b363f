-- json: writes values as JSON: keys sorted, the shortest numbers that read back as the same,
-- NaN and infinities as null.
local array = require("tidemill.array")

local json = {}

local list_meta = { __name = "tidemill.list" }

--- Marks a table as a list, so that an empty one is written as [].
function json.list(values) return setmetatable(values, list_meta) end

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
  return length > 0 or (value.n ~= nil and type(value.n) == "number" and count <= value.n + 1)
end

local write

local function write_list(value, out, seen, path)
  local length = type(value.n) == "number" and value.n or #value
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

return json
