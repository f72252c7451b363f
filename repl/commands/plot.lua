-- plot: numbers drawn in the terminal, to see before believing: :plot.
-- SPDX-License-Identifier: MIT
local screen = require("repl.screen")
local session = require("repl.session")
local show = require("repl.show")

local plot = {}

local rows = 12
local eighths = { [0] = " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local bars = { [0] = "", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" }

local function finite(value) return type(value) == "number" and value - value == 0 end

-- Numbers of a list or an array, which is computed; what is none is left out of the picture as a gap.
local function numbers_of(value)
  local lazy = package.loaded["tidemill.lazy"]
  if lazy and lazy.is(value) then value = value:compute() end
  local array = package.loaded["tidemill.array"]
  local is_array = array and array.is(value)
  if not is_array and type(value) ~= "table" then
    error((":plot: expected an array or a list of numbers, got a %s"):format(type(value)), 0)
  end
  if is_array and #value.shape ~= 1 then
    error((":plot: expected one row of numbers, got an array of %s; x:reshape(-1) is one"):format(
      table.concat(value.shape, " x ")), 0)
  end
  local list, count = {}, is_array and value.length or value.n or #value
  for i = 1, count do
    local number = value[i]
    list[i] = finite(number) and number or false
  end
  return list
end

local function range(list)
  local low, high
  for _, value in ipairs(list) do
    if value then low, high = math.min(low or value, value), math.max(high or value, value) end
  end
  if not low then error(":plot: there is no finite number to draw", 0) end
  return low, high
end

-- Means of groups of neighbours, at most `width` of them; false: no number among them.
local function squeezed(list, width)
  if #list <= width then return list end
  local means = {}
  for i = 1, width do
    local sum, count = 0, 0
    for k = math.floor((i - 1) * #list / width) + 1, math.floor(i * #list / width) do
      if list[k] then sum, count = sum + list[k], count + 1 end
    end
    means[i] = count > 0 and sum / count
  end
  return means
end

local function short(value) return show.number(tonumber(("%.4g"):format(value))) end

-- The height of a column in eighths of a row; every number has one at least.
local function height(value, low, high)
  if not value then return 0 end
  if high == low then return 4 * rows end
  return math.max(1, math.floor((value - low) / (high - low) * rows * 8 + 0.5))
end

local function line(list)
  local low, high = range(list)
  local top, bottom = short(high), short(low)
  local edge = math.max(#top, #bottom)
  local points = squeezed(list, screen.width() - edge - 4)
  local lines = {}
  for row = rows, 1, -1 do
    local cells, label = {}, row == rows and top or row == 1 and bottom or ""
    for i = 1, #points do
      cells[i] = eighths[math.max(0, math.min(8, height(points[i], low, high) - (row - 1) * 8))]
    end
    lines[#lines + 1] = (("%" .. edge .. "s ┤%s"):format(label, table.concat(cells)):gsub("%s+$", ""))
  end
  lines[#lines + 1] = (" "):rep(edge + 2) .. ("1 .. %s"):format(show.count(#list))
    .. (#points < #list and ", means of neighbours" or "")
  return table.concat(lines, "\n")
end

local function counts_of(list, low, high, bins)
  local counts = {}
  for i = 1, bins do counts[i] = 0 end
  for _, value in ipairs(list) do
    if value then
      local bin = high == low and 1 or math.min(bins, math.floor((value - low) / (high - low) * bins) + 1)
      counts[bin] = counts[bin] + 1
    end
  end
  return counts
end

local function histogram(list)
  local low, high = range(list)
  local bins = high == low and 1 or math.min(rows, math.max(2, math.ceil(math.sqrt(#list))))
  local counts, most, lines, labels, edge = counts_of(list, low, high, bins), 0, {}, {}, 0
  for i, count in ipairs(counts) do
    most = math.max(most, count)
    labels[i] = short(low + (i - 1) * (high - low) / bins)
    edge = math.max(edge, #labels[i])
  end
  local width = screen.width() - edge - 14
  for i, count in ipairs(counts) do
    local filled = math.floor(count / most * width * 8 + 0.5)
    lines[i] = ("%" .. edge .. "s ┤%s%s %s"):format(labels[i], ("█"):rep(math.floor(filled / 8)),
      bars[filled % 8], show.count(count))
  end
  return table.concat(lines, "\n")
end

local function run(rest)
  local text, kind = rest:match("^(.-)%s+(hist)$")
  local list = numbers_of(session.values(text or rest, ":plot"))
  session.say(kind and histogram(list) or line(list))
end

plot[1] = { name = "plot", usage = "ARRAY [hist]", run = run, help = "draw it as a line, or as a histogram" }

return plot
