-- fold: wide layers of a graph in several rows, so that a fan of a thousand tasks is a block to scroll
-- through and not a line; part of layout, whose knots and axes these are.
-- The tasks of such a layer keep their order, down each column, then the next.  Edges go to the rows
-- inside through the gaps between columns: away from a task in the half that is nearer to it.
local fold = {}

local most_across, wanted_across = 4000, 2400 -- of a layer as it is, of one in rows
local column_gap = 26
fold.row_gap = 24

local function sides_of(layer)
  local first, last = layer[1], layer[#layer]
  return first.across - first.size / 2, last.across + last.size / 2
end

local function tasks_of(layer)
  local tasks, size = {}, 0
  for _, knot in ipairs(layer) do
    if knot.task then
      tasks[#tasks + 1] = knot
      size = size + knot.size + column_gap
    end
  end
  return tasks, size
end

-- Columns of at most so many rows, as even as they can be: their knots and widths, and the width of all.
local function columns_of(tasks, rows)
  local count, columns, across = math.ceil(#tasks / rows), {}, -column_gap
  for c = 1, count do
    local column = { size = 0 }
    for i = math.floor((c - 1) * #tasks / count) + 1, math.floor(c * #tasks / count) do
      local knot = tasks[i]
      column[#column + 1], column.size = knot, math.max(column.size, knot.size)
      knot.row = #column
    end
    columns[c], across = column, across + column.size + column_gap
  end
  return columns, across
end

-- Places the columns around 0, and says how far from a task the lanes beside its column are; the middles
-- of the gaps, which the outer sides count to.
local function place_columns(columns, across, rows)
  local at, gaps = -across / 2, { -(across + column_gap) / 2 }
  for c, column in ipairs(columns) do
    for row, knot in ipairs(column) do
      local beside = column.size / 2 + 3 + (row - 0.5) / rows * (column_gap / 2 - 5)
      knot.across, knot.lane_in, knot.lane_out = at + column.size / 2, -beside, beside
    end
    at = at + column.size + column_gap
    gaps[c + 1] = at - column_gap / 2
  end
  return gaps
end

-- The width that it has in rows, how many, and the gaps between; its tasks then lie around 0.
local function fold_layer(layer)
  local tasks, size = tasks_of(layer)
  if #tasks == 0 then return 0, 1, {} end
  local columns, across = columns_of(tasks, math.min(#tasks, math.ceil(size / wanted_across)))
  local rows = math.ceil(#tasks / #columns)
  return across, rows, place_columns(columns, across, rows)
end

local function nearest(list, at)
  local best = at
  for i, value in ipairs(list) do
    if i == 1 or math.abs(value - at) < math.abs(best - at) then best = value end
  end
  return best
end

-- What is true of the layers before: ends of all, the middle of each, which are too wide, and the widest
-- of the others.
local function survey(net)
  local seen = { least = math.huge, most = -math.huge, widest = 0, wide = {}, middles = {} }
  for i, layer in ipairs(net.layers) do
    local left, right = sides_of(layer)
    seen.least, seen.most = math.min(seen.least, left), math.max(seen.most, right)
    seen.middles[i] = (left + right) / 2
    if right - left > most_across then
      seen.wide[i] = true
    else
      seen.widest = math.max(seen.widest, right - left)
    end
  end
  return seen
end

--- Folds the layers that are too wide, and moves the others towards them.  `net.rows`: how many rows a
--- layer has, where it has several; a knot's `row`, and its lanes, counted from `across`.
---@param net table of layout
function fold.layers(net)
  local seen = survey(net)
  net.rows = {}
  if not next(seen.wide) then return end
  local middle, widest, gaps, was = (seen.least + seen.most) / 2, seen.widest, {}, {}
  for i in pairs(seen.wide) do
    for _, knot in ipairs(net.layers[i]) do was[knot] = knot.across end
    local across
    across, net.rows[i], gaps[i] = fold_layer(net.layers[i])
    widest = math.max(widest, across)
  end
  local scale = math.min(1, widest / (seen.most - seen.least))
  for i, layer in ipairs(net.layers) do
    local to = (seen.middles[i] - middle) * scale
    for _, knot in ipairs(layer) do
      if not seen.wide[i] then
        knot.across = knot.across - seen.middles[i] + to
      elseif knot.task then
        knot.across = knot.across + to
      else
        knot.across = to + nearest(gaps[i], (was[knot] - middle) * scale - to)
      end
    end
  end
end

return fold
