-- show: values as a person reads them. Nothing is computed: a lazy value shows what it would take.
-- SPDX-License-Identifier: MIT
local screen = require("repl.screen")

local show = {}

local max_items, max_depth, max_text = 40, 4, 2000

-- ---- Numbers and text -----------------------------------------------------------------------

--- The shortest text that reads back as the same number.
---@param value number
---@return string
function show.number(value)
  if value ~= value then return "nan" end
  if value == math.floor(value) and math.abs(value) < 1e15 then
    return value == 0 and 1 / value < 0 and "-0" or ("%d"):format(value)
  end
  for digits = 1, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then return text end
  end
  return tostring(value)
end

--- A count with commas between thousands.
---@param count integer
---@return string
function show.count(count)
  local text = ("%d"):format(count):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

--- "1 task", "1,200 tasks".
---@param count integer
---@param noun string
---@return string
function show.plural(count, noun)
  return ("%s %s%s"):format(show.count(count), noun, count == 1 and "" or "s")
end

local function quoted(text)
  local cut = #text > max_text
  local plain = ("%q"):format(cut and text:sub(1, max_text) or text):gsub("\\\n", "\\n")
  plain = plain:gsub("[%z\1-\31\127]", function(byte) return ("\\%d"):format(byte:byte()) end)
  return cut and ("%s.. (%s bytes)"):format(plain, show.count(#text)) or plain
end

-- ---- Tables ---------------------------------------------------------------------------------

local function order(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return ta < tb end
  if ta == "number" or ta == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local function is_name(key)
  return type(key) == "string" and key:match("^[%a_][%w_]*$") ~= nil
    and not require("repl.source").is_keyword(key)
end

-- Length of the list part, without metamethods, and the other keys in order.
local function members(value)
  local length, keys = 0, {}
  while rawget(value, length + 1) ~= nil do length = length + 1 end
  for key in next, value do
    local in_list = type(key) == "number" and key >= 1 and key <= length and key == math.floor(key)
    if not in_list then keys[#keys + 1] = key end
  end
  table.sort(keys, order)
  return length, keys
end

local shown

-- Texts of the members, and how many of them are of the list part.
local function parts_of(value, view)
  local parts, length, keys = {}, members(value)
  for i = 1, math.min(length, max_items) do parts[i] = shown(rawget(value, i), view) end
  for _, key in ipairs(keys) do
    if #parts >= max_items then break end
    local head = is_name(key) and key or "[" .. shown(key, view) .. "]"
    parts[#parts + 1] = head .. " = " .. shown(rawget(value, key), view)
  end
  local hidden = length + #keys - #parts
  if hidden > 0 then parts[#parts + 1] = ("... %s more"):format(show.count(hidden)) end
  return parts, math.min(length, max_items)
end

-- Members in lines: short ones of the list share them, each other has its own.
local function wrapped(parts, in_list, indent, room)
  local lines, used = {}, room
  for i, part in ipairs(parts) do
    local width = screen.columns(part) + 2
    if i <= in_list and used + width <= room and not part:find("\n", 1, true) then
      lines[#lines], used = lines[#lines] .. ", " .. part, used + width
    else
      lines[#lines + 1], used = part, width
    end
  end
  return "{\n" .. indent .. table.concat(lines, ",\n" .. indent) .. "\n" .. indent:sub(3) .. "}"
end

local function show_table(value, view)
  if view.seen[value] then return view.paint("faint", "<cycle>") end
  if next(value) == nil then return "{}" end
  if view.depth >= max_depth then return "{...}" end
  view.seen[value], view.depth = true, view.depth + 1
  local parts, in_list = parts_of(value, view)
  view.seen[value], view.depth = nil, view.depth - 1
  local line = "{" .. table.concat(parts, ", ") .. "}"
  local room = view.width - 4 - 2 * view.depth
  if not line:find("\n", 1, true) and screen.columns(line) <= room then return line end
  return wrapped(parts, in_list, ("  "):rep(view.depth + 1), room)
end

-- ---- The engine's own values ----------------------------------------------------------------

local function loaded(name) return package.loaded["tidemill." .. name] end

local function is_a(name, value)
  local module = loaded(name)
  return module and module.is(value)
end

local function show_node(value)
  local info, counts, parts = value:info(), {}, {}
  local states = require("tidemill.core").node_states
  for _, one in pairs(states and states(value) or {}) do
    counts[one.state] = (counts[one.state] or 0) + 1
  end
  for _, state in ipairs(require("tidemill.palette").states) do
    if counts[state] then parts[#parts + 1] = ("%s %s"):format(show.count(counts[state]), state) end
  end
  local state = #parts > 0 and table.concat(parts, ", ") or "not computed"
  return ("lazy node \"%s\": %s, %s"):format(value:name(), show.plural(info.tasks, "task"), state)
end

local function show_future(value)
  local text, core = tostring(value), require("tidemill.core")
  local run = rawget(value, "run")
  if not run then return text end
  local executed, total = core.counts(run)
  if type(executed) ~= "number" or type(total) ~= "number" or total < 2 then return text end
  return ("%s, %s of %s"):format(text, show.count(executed), show.plural(total, "task"))
end

-- Text of a value of the engine, or of one that knows how to print itself; nil: of another.
local function special(value, view)
  if is_a("array", value) then return require("repl.grid").array(value, view) end
  if is_a("node", value) then return show_node(value) end
  if is_a("future", value) then return show_future(value) end
  if is_a("frame", value) then return require("repl.grid").frame(value, view) end
  local meta = type(value) == "table" and debug.getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") then return tostring(value) end
end

local function show_function(value)
  local info = debug.getinfo(value, "S")
  if info.what == "C" then return "function: builtin" end
  return ("function: %s:%d"):format(info.short_src, info.linedefined)
end

function shown(value, view)
  local kind = type(value)
  if kind == "string" then return view.paint("string", quoted(value)) end
  if kind == "number" then return view.paint("number", show.number(value)) end
  if kind == "boolean" or kind == "nil" then return view.paint("word", tostring(value)) end
  if kind == "function" then return view.paint("faint", show_function(value)) end
  local text = special(value, view)
  if not text and kind == "table" then return show_table(value, view) end
  text = text or tostring(value)
  return view.depth > 0 and text:match("^[^\n]*") or text
end

--- How values are shown: width, colours, depth and the tables that are being shown.
---@return table
function show.view()
  return { width = screen.width(), paint = screen.painter(), depth = 0, seen = {} }
end

--- A value as text: keys sorted, cycles marked, bounded in size, as wide as the screen.
---@param value any
---@param view? table
---@return string
function show.text(value, view) return shown(value, view or show.view()) end

--- Some values as text: in one line, or each in its own where one takes several.
---@param count integer
---@return string
function show.list(count, ...)
  local parts, view, split = {}, show.view(), false
  for i = 1, count do
    parts[i] = show.text((select(i, ...)), view)
    split = split or parts[i]:find("\n", 1, true) ~= nil
  end
  return table.concat(parts, split and "\n" or "  ")
end

return show
