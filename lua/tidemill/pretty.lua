-- pretty: values as a person reads them in the REPL.
local core = require("tidemill.core")

local pretty = {}

local max_items, max_depth = 40, 4

local function is_name(key)
  return type(key) == "string" and key:match("^[%a_][%w_]*$") ~= nil
end

local function number(value)
  if value == math.floor(value) and math.abs(value) < 1e15 then return ("%d"):format(value) end
  for digits = 14, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then return text end
  end
  return tostring(value)
end

local function order(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return ta < tb end
  if ta == "number" or ta == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local show

local function show_table(value, depth, seen)
  local meta = getmetatable(value)
  if type(meta) == "table" and meta.__tostring then return tostring(value) end
  if seen[value] then return "<cycle>" end
  if next(value) == nil then return "{}" end
  if depth >= max_depth then return "{...}" end
  seen[value] = true
  local parts, length, keys = {}, #value, {}
  for i = 1, math.min(length, max_items) do parts[i] = show(value[i], depth + 1, seen) end
  for key in pairs(value) do
    local in_list = type(key) == "number" and key >= 1 and key <= length and key == math.floor(key)
    if not in_list then keys[#keys + 1] = key end
  end
  table.sort(keys, order)
  for _, key in ipairs(keys) do
    if #parts >= max_items then break end
    local head = is_name(key) and key or "[" .. show(key, depth + 1, seen) .. "]"
    parts[#parts + 1] = head .. " = " .. show(value[key], depth + 1, seen)
  end
  seen[value] = nil
  local hidden = length + #keys - #parts
  if hidden > 0 then parts[#parts + 1] = ("... %d more"):format(hidden) end
  local line = "{" .. table.concat(parts, ", ") .. "}"
  if #line <= 72 then return line end
  local indent = ("  "):rep(depth + 1)
  return "{\n" .. indent .. table.concat(parts, ",\n" .. indent) .. "\n" .. ("  "):rep(depth) .. "}"
end

function show(value, depth, seen)
  local kind = type(value)
  if kind == "string" then
    return (("%q"):format(value):gsub("\\\n", "\\n")) -- %q writes \r and zero bytes as escapes
  end
  if kind == "number" then return number(value) end
  if kind == "table" then return show_table(value, depth, seen) end
  return tostring(value)
end

--- A value as text: keys sorted, cycles marked, bounded in size.
---@param value any
---@return string
function pretty.text(value) return show(value, 0, {}) end

--- Prints values as the REPL does.
function pretty.print(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = pretty.text((select(i, ...))) end
  core.print(table.concat(parts, "  ") .. "\n")
end

return pretty
