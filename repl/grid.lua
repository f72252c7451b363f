-- grid: arrays and frames as tables that fit the screen: the first and the last rows of many, as
-- many columns as there is room for.
-- SPDX-License-Identifier: MIT
local screen = require("repl.screen")
local show = require("repl.show")

local grid = {}

local most_rows, edge = 12, 5 -- with more rows than most_rows, so many at each end
local most_elements, tail_elements = 60, 6 -- of a vector; the last ones of many
local most_text = 24

-- ---- Cells ----------------------------------------------------------------------------------

local function timestamp(value)
  local seconds = math.floor(value / 1e6)
  local days = math.floor(seconds / 86400)
  local rest, micros = seconds - days * 86400, value - seconds * 1e6
  local text = ("%sT%02d:%02d:%02d"):format(require("tidemill.date").text(days),
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60)
  return micros == 0 and text or (text .. ("%.6f"):format(micros / 1e6):sub(2))
end

local function cut(text)
  text = text:gsub("%c", " ")
  if screen.columns(text) <= most_text then return text end
  return text:sub(1, most_text - 2):gsub("[\192-\255][\128-\191]*$", "") .. ".."
end

-- A number of a column of numbers: seven digits are enough to read by.
local function short(value)
  if value ~= value then return "nan" end
  if value == math.floor(value) and math.abs(value) < 1e15 then return show.number(value) end
  return show.number(tonumber(("%.7g"):format(value)))
end

local function cell(value, dtype)
  if value == nil then return "null" end
  if type(value) == "string" then return cut(value) end
  if type(value) == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  if type(value) ~= "number" then return tostring(value) end
  if dtype == "date" and value == value then return require("tidemill.date").text(value) end
  if dtype == "timestamp" and value == value then return timestamp(value) end
  return short(value)
end

-- Integers too large for a Lua number raise where they are read.
local function read(array, ...)
  local fine, value = pcall(array.get, array, ...)
  if fine then return value end
  return select("#", ...) == 1 and array:int64((...)) or "?"
end

-- ---- Rows -----------------------------------------------------------------------------------

-- Numbers of the rows to show; 0 stands for those that are left out.
local function picked(count)
  local rows = {}
  if count <= most_rows then
    for i = 1, count do rows[i] = i end
    return rows
  end
  for i = 1, edge do rows[i] = i end
  rows[edge + 1] = 0
  for i = count - edge + 1, count do rows[#rows + 1] = i end
  return rows
end

-- A column: its texts and how wide they are.
local function column(texts)
  local width = 0
  for _, text in ipairs(texts) do width = math.max(width, screen.columns(text)) end
  return { texts = texts, width = width }
end

local function row_numbers(rows, title)
  local texts = title and { "" } or {}
  for _, row in ipairs(rows) do texts[#texts + 1] = row == 0 and ".." or tostring(row) end
  return column(texts)
end

-- How many columns fit behind the first one.
local function fitting(columns, width)
  local used = 2
  for i, one in ipairs(columns) do
    used = used + one.width + (i > 1 and 2 or 0)
    if used > width and i > 2 then return i - 1 end
  end
  return #columns
end

local function lines_of(columns, count)
  local lines = {}
  for row = 1, #columns[1].texts do
    local parts = {}
    for i = 1, count do
      local text = columns[i].texts[row]
      parts[i] = (" "):rep(columns[i].width - screen.columns(text)) .. text
    end
    lines[row] = ("  " .. table.concat(parts, "  ")):gsub("%s+$", "")
  end
  return lines
end

-- ---- Arrays ---------------------------------------------------------------------------------

local function shape_text(shape) return table.concat(shape, " x ") end

-- Numbers and texts of the elements to show, and the place in the list behind which some are left out.
local function elements(array, count)
  local dtype, texts, gap = array.dtype, {}, nil
  local function take(from, to)
    for i = from, to do texts[#texts + 1] = { i, cell(read(array, i), dtype) } end
  end
  if count <= most_elements then
    take(1, count)
  else
    take(1, most_elements - tail_elements)
    gap = #texts
    take(count - tail_elements + 1, count)
  end
  return texts, gap
end

-- Elements in lines that begin with the number of their first one.
local function vector(array, width)
  local count = array.shape[1] or 1
  local texts, gap = elements(array, count)
  local index, widest = #tostring(count), 1
  for _, one in ipairs(texts) do widest = math.max(widest, screen.columns(one[2])) end
  local per = math.max(1, math.floor((width - index - 2) / (widest + 2)))
  local lines, held = {}, per
  for k, one in ipairs(texts) do
    if held == per or k - 1 == gap then
      if k - 1 == gap then lines[#lines + 1] = "  .." end
      lines[#lines + 1], held = ("  %" .. index .. "d"):format(one[1]), 0
    end
    lines[#lines] = lines[#lines] .. (" "):rep(2 + widest - screen.columns(one[2])) .. one[2]
    held = held + 1
  end
  return lines
end

local function matrix(array, width)
  local rows, across, dtype = picked(array.shape[1]), array.shape[2], array.dtype
  local columns = { row_numbers(rows, true) }
  for j = 1, math.min(across, math.floor(width / 3)) do
    local texts = { tostring(j) }
    for _, i in ipairs(rows) do
      texts[#texts + 1] = i == 0 and ".." or cell(read(array, i, j), dtype)
    end
    columns[j + 1] = column(texts)
  end
  local count = fitting(columns, width)
  local lines = lines_of(columns, count)
  if count - 1 < across then
    lines[#lines + 1] = "  and " .. show.plural(across - count + 1, "more column")
  end
  return lines
end

--- An array: its type and shape, and below them its elements.
---@param array tidemill.array
---@param view table
---@return string
function grid.array(array, view)
  local shape, head = array.shape, nil
  if #shape == 1 then head = ("array %s[%s]"):format(array.dtype, show.count(shape[1])) end
  head = head or ("array %s[%s]"):format(array.dtype, shape_text(shape))
  if (array.nulls or 0) > 0 then head = head .. ", " .. show.plural(array.nulls, "null") end
  if view.depth > 0 or array.length == 0 or #shape > 2 or #shape == 0 then return head end
  local lines = #shape == 2 and matrix(array, view.width) or vector(array, view.width)
  return head .. "\n" .. table.concat(lines, "\n")
end

-- ---- Frames ---------------------------------------------------------------------------------

local function frame_column(values, name, rows)
  local texts = { cut(name), values.dtype }
  for _, row in ipairs(rows) do
    texts[#texts + 1] = row == 0 and ".." or cell(read(values, row), values.dtype)
  end
  return column(texts)
end

--- A frame: its columns with their types, and the first and the last rows.
---@param frame tidemill.frame
---@param view table
---@return string
function grid.frame(frame, view)
  local names, rows = rawget(frame, "columns"), picked(rawget(frame, "rows"))
  local head = ("frame: %s, %s"):format(show.plural(rawget(frame, "rows"), "row"),
    show.plural(#names, "column"))
  if view.depth > 0 or #names == 0 then return head end
  local numbers = row_numbers(rows, true)
  table.insert(numbers.texts, 2, "")
  local columns = { numbers }
  for i, name in ipairs(names) do
    if i > view.width / 3 then break end
    columns[i + 1] = frame_column(frame:column(name), name, rows)
  end
  local count = fitting(columns, view.width)
  local lines = lines_of(columns, count)
  if count - 1 < #names then
    lines[#lines + 1] = "  and " .. table.concat(names, ", ", count, math.min(#names, count + 9))
      .. (#names > count + 9 and ", .." or "")
  end
  return head .. "\n" .. table.concat(lines, "\n")
end

return grid
