-- config: settings of the engine: tm.config{workers = 2} sets, tm.config.workers reads.
-- What the command line or the environment has set is stronger than the script.
local core = require("tidemill.core")
local shown = require("tidemill.shown")
local sorted = require("tidemill.sorted")
local suggest = require("tidemill.suggest")

local names, kinds = {}, {}
for number = 1, math.huge do
  local name, kind = core.setting(number)
  if not name then break end
  names[number], kinds[name] = name, kind
end

-- ---- values as text, and back ----------------------------------------------------------------

local function number_text(value)
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return ("%d"):format(value) end
  return ("%.17g"):format(value)
end

local function scalar_text(value)
  local kind = type(value)
  if kind == "number" then return number_text(value) end
  if kind == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  if kind == "string" then return value end
end

-- The text form of a value; nil: it has none.
local function text_of(value)
  if type(value) == "boolean" then return value and "on" or "off" end
  if type(value) ~= "table" then return scalar_text(value) end
  local parts = {}
  for name, member in sorted.pairs(value) do
    local text = type(name) == "string" and scalar_text(member)
    if not text then return nil end
    parts[#parts + 1] = name .. "=" .. text
  end
  return #parts > 0 and table.concat(parts, ",") or "off"
end

local function pairs_of(text)
  if not text:find("=", 1, true) then return text end
  local values = {}
  for name, value in text:gmatch("([^=,]+)=([^,]+)") do values[name] = tonumber(value) or value end
  return values
end

-- Numbers that a Lua number holds; others stay text.
local function value_of(kind, text)
  if kind == "pairs" then return pairs_of(text) end
  local number = kind == "number" and tonumber(text)
  return number and number_text(number) == text and number or text
end

-- ---- reading and setting ----------------------------------------------------------------------

local function read(name)
  local _, kind, text = core.setting(name)
  return value_of(kind, text)
end

local function set(name, value)
  if not kinds[name] then
    error(("config: unknown setting \"%s\"%s"):format(shown.name(name), suggest.phrase(name, names)), 3)
  end
  local text = text_of(value)
  if not text then
    error(("config: %s: expected a text, a number, a boolean or a table of them, got a %s"):format(
      name, type(value) == "table" and "table with something else in it" or type(value)), 3)
  end
  local problem = core.set(name, text)
  if problem then error("config: " .. problem, 3) end
end

-- Settings whose names begin alike may stand in one table: memory = {limit = "1GB"}.
local groups = { cache = true, memory = true }

local function set_group(group, values)
  for name, value in sorted.pairs(values) do set(group .. "." .. shown.name(name), value) end
end

local function read_group(group)
  local values = {}
  for _, name in ipairs(names) do
    local member = name:match("^" .. group .. "%.(.*)")
    if member then values[member] = read(name) end
  end
  return values
end

-- Without a table: all of them.  The callers are one level up: __call passes on by a tail call.
local function call(given)
  if given == nil then
    local all = {}
    for _, name in ipairs(names) do all[name] = read(name) end
    return all
  end
  if type(given) ~= "table" then
    error(("config: expected a table such as {workers = 2}, got a %s"):format(type(given)), 2)
  end
  if core.worker then error("config: a task cannot set what the script has started with", 2) end
  for name, value in sorted.pairs(given) do
    if groups[name] and type(value) == "table" then
      set_group(name, value)
    else
      set(name, value)
    end
  end
end

--- Sets settings by name, tm.config{workers = 2}, and reads them, tm.config.workers.
---@class tidemill.config
---@overload fun(given: table<string, any>?): table<string, any>?
local config = setmetatable({}, {
  __call = function(_, given) return call(given) end,
  __index = function(_, name)
    if kinds[name] then return read(name) end
    if groups[name] then return read_group(name) end
    error(("tm.config has no \"%s\"%s"):format(shown.name(name), suggest.phrase(name, names)), 2)
  end,
  __newindex = function(_, name)
    error(("tm.config.%s = value: expected tm.config{%s = value}"):format(shown.name(name),
      shown.name(name)), 2)
  end,
})

return config
