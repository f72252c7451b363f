-- show: arrays as text: a line for a few elements, else aligned columns, of large arrays the corners.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")
local types = require("tidemill.array.types")
local shapes = require("tidemill.array.shape")

local show = {}

local IN_LINE = 6 -- elements of one axis that stand in braces
local WHOLE = 1000 -- elements: of more only the edges are shown
local EDGE = 3
local WIDTH = 80
local DECIMALS = 8
local GAP = 0 -- stands for what is left out
local MISSING = {} -- for an element that is not there

-- ---- elements ---------------------------------------------------------------------------------------

local box = ffi.new("float[1]")

-- The shortest number that a float32 cannot tell from this one.
local function shortened(value)
  for digits = 6, 9 do
    local number = tonumber(("%." .. digits .. "g"):format(value))
    box[0] = number
    if box[0] == value then return number end
  end
  return value
end

local function special(value)
  if value ~= value then return "nan" end
  if value == math.huge or value == -math.huge then return value > 0 and "inf" or "-inf" end
end

-- Digits after the point, at most DECIMALS, that these numbers need in a format; "%.8f" or "%.8e".
local function digits_needed(values, letter)
  local most = 0
  for i = 1, #values do
    local digits = ("%." .. DECIMALS .. letter):format(values[i]):match("%.(%d*[1-9])0*[e%z]?")
      or ""
    if #digits > most then most = #digits end
  end
  return most
end

-- How to write floats that stand together: with equally many decimals, or powers of ten.
local function float_format(values)
  local finite, largest, smallest = {}, 0, math.huge
  for i = 1, #values do
    local value = values[i]
    if not special(value) then
      local size = math.abs(value)
      finite[#finite + 1] = value
      largest = math.max(largest, size)
      if size > 0 then smallest = math.min(smallest, size) end
    end
  end
  local needed = digits_needed(finite, "f")
  if largest < 1e15 and needed == 0 and smallest >= 1 then return "%.0f" end
  if largest >= 1e9 or smallest < 1e-4 then return "%." .. digits_needed(finite, "e") .. "e" end
  return "%." .. needed .. "f"
end

local function quoted(text)
  return (("%q"):format(text):gsub("\\\n", "\\n"))
end

local function integer_text(value) return (tostring(value):gsub("U?LL$", "")) end

-- A function from an element's number, from 0, to the element; nil when it is missing.
local function reader(self, element)
  local a, dtype = self.array, self.dtype
  if types.sizes[a.type] ~= 8 or dtype == "float64" then
    return function(i) return element(a, i) end
  end
  local values, flat = self:pointer(), a.nulls > 0 and self:reshape(-1)
  return function(i)
    if not flat or flat:present(i + 1) then return values[i] end
  end
end

-- A function that writes an element, given all that are to be written.
local function writer(dtype, values)
  if dtype == "float64" or dtype == "float32" then
    if dtype == "float32" then
      for i = 1, #values do values[i] = shortened(values[i]) end
    end
    local format = float_format(values)
    return function(value)
      if dtype == "float32" then value = shortened(value) end
      return special(value) or format:format(value)
    end
  end
  if dtype == "date" then return require("tidemill.date").text end
  if dtype == "timestamp" then return require("tidemill.date").time_text end
  if dtype == "utf8" or dtype == "dictionary" then return quoted end
  return integer_text
end

-- ---- one line ---------------------------------------------------------------------------------------

local function in_line(self, read)
  local dtype, parts = self.dtype, {}
  local write = writer(dtype, {})
  if dtype == "float64" or dtype == "float32" then write = tostring end
  for i = 1, self.length do
    local value = read(i - 1)
    parts[i] = value == nil and "nil" or type(value) == "number" and special(value) or write(value)
  end
  return ("%s[%d]{%s}"):format(dtype, self.length, table.concat(parts, ", "))
end

-- ---- columns ----------------------------------------------------------------------------------------

-- Which of n are shown: all, or the edges with GAP between them.
local function picks(n, edge)
  local list = {}
  if n <= 2 * edge then
    for i = 1, n do list[i] = i end
    return list
  end
  for i = 1, edge do list[i] = i end
  list[edge + 1] = GAP
  for i = n - edge + 1, n do list[#list + 1] = i end
  return list
end

-- The shown elements by their numbers, from 0.
local function collect(shape, shown, read)
  local values = {}
  local function walk(axis, at)
    for _, i in ipairs(shown[axis]) do
      if i ~= GAP then
        local here = at * shape[axis] + i - 1
        if axis == #shape then
          local value = read(here)
          values[here] = value == nil and MISSING or value
        else
          walk(axis + 1, here)
        end
      end
    end
  end
  walk(1, 0)
  return values
end

local function text_width(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function padded(text, width, left)
  local blanks = (" "):rep(width - text_width(text))
  return left and text .. blanks or blanks .. text
end

-- As many columns as the width has room for, from both ends.
local function fitting(columns, width_of)
  local total, gap = 0, columns[EDGE + 1] == GAP
  for _, i in ipairs(columns) do total = total + (i == GAP and 3 or width_of[i]) + 2 end
  if total <= WIDTH or #columns < 3 then return columns end
  local first, last, used = 0, #columns + 1, 3 + 2
  repeat
    local from_front = first < #columns + 1 - last + 1
    local i = from_front and columns[first + 1] or columns[last - 1]
    local width = i == GAP and WIDTH or width_of[i] + 2
    local fits = used + width <= WIDTH or first == 0 or last == #columns + 1
    if fits then
      used = used + width
      if from_front then first = first + 1 else last = last - 1 end
    end
  until not fits or first + 1 >= last
  local list = {}
  for i = 1, first do list[i] = columns[i] end
  if gap or first + 1 < last then list[#list + 1] = GAP end
  for i = last, #columns do list[#list + 1] = columns[i] end
  return list
end

-- Texts of the shown elements by their number, and the width of each column.
local function write_all(values, dtype, size)
  local list, texts, widths = {}, {}, {}
  for _, value in pairs(values) do
    if value ~= MISSING then list[#list + 1] = value end
  end
  local write = writer(dtype, list)
  for at, value in pairs(values) do
    texts[at] = value == MISSING and "nil" or write(value)
    local column = at % size + 1
    widths[column] = math.max(widths[column] or 1, text_width(texts[at]))
  end
  return texts, widths
end

-- Lines of an array of one axis, as many elements in each as fit.
local function wrapped(texts, columns, widths, left)
  local width, lines, line = 0, {}, ""
  for _, other in pairs(widths) do width = math.max(width, other) end
  for _, i in ipairs(columns) do
    local cell = "  " .. padded(i == GAP and "..." or texts[i - 1], width, left)
    if #line > 0 and text_width(line) + width + 2 > WIDTH then
      lines[#lines + 1], line = line, ""
    end
    line = line .. cell
  end
  lines[#lines + 1] = line
  return lines
end

local function table_lines(shape, shown, texts, widths, left)
  local lines, axes = {}, #shape
  local columns = fitting(shown[axes], widths)
  local function row(at)
    local cells = {}
    for k, i in ipairs(columns) do
      cells[k] = i == GAP and "..." or padded(texts[at * shape[axes] + i - 1], widths[i], left)
    end
    lines[#lines + 1] = "  " .. table.concat(cells, "  ")
  end
  local function walk(axis, at, label)
    for _, i in ipairs(shown[axis]) do
      local here = at * shape[axis] + i - 1
      if i == GAP then
        lines[#lines + 1] = axis == axes - 1 and "  ..." or "..."
      elseif axis == axes - 1 then
        row(here)
      else
        local name = label .. i
        if axis == axes - 2 then lines[#lines + 1] = "[" .. name .. "]" end
        walk(axis + 1, here, name .. ", ")
      end
    end
  end
  walk(1, 0, "")
  return lines
end

--- The array as text; `element(a, i)` reads one element.
---@param self tidemill.array
---@return string
function show.text(self, element)
  local shape, size, dtype = self.shape, self.length, self.dtype
  local read = reader(self, element)
  if #shape == 1 and size <= IN_LINE then return in_line(self, read) end
  local header = ("array %s %s"):format(shapes.text(shape), dtype)
  if size == 0 then return header end
  local shown = {}
  for axis, n in ipairs(shape) do shown[axis] = picks(n, size > WHOLE and EDGE or n) end
  local texts, widths = write_all(collect(shape, shown, read), dtype, shape[#shape])
  local left = dtype == "utf8" or dtype == "dictionary"
  local lines = #shape == 1 and wrapped(texts, shown[1], widths, left) or
    table_lines(shape, shown, texts, widths, left)
  for i, line in ipairs(lines) do lines[i] = line:gsub(" +$", "") end
  return header .. "\n" .. table.concat(lines, "\n")
end

return show
