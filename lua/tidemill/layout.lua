-- layout: places for the tasks of a graph, in layers: every task lies behind all of its inputs.
--
-- 1 layers: the longest path before a task, then later where that shortens its edges;
-- 2 an edge that passes layers gets a knot in each (one for all edges of the same task);
-- 3 the order within layers: sweeps that put each knot at the mean of its neighbours, the best kept;
-- 4 places: sweeps that pull neighbours together, as far as the order and the gaps allow;
-- 5 layers that are too wide become several rows: fold.lua.
--
-- Two axes: `across` runs along a layer, `along` from layer to layer; what is drawn from top to
-- bottom or from left to right is up to the caller.
local fold = require("tidemill.fold")

local layout = {}

-- Beyond, edges run straight through the layers that they pass: nobody could follow them anyway.
local most_knots, most_passings = 20000, 60000
local order_sweeps, patience = 24, 6 -- sweeps without a better order
local swap_work = 600 -- pairs of links that a swap may look at
local place_work = 1e6 -- knots times sweeps
local most_sweeps = 300
local gap, knot_gap, port_gap = 22, 12, 12
local least_step, most_step = 34, 170 -- between two layers

-- ---- 1: layers --------------------------------------------------------------------------------

local function outputs_of(tasks)
  local outputs = {}
  for i = 1, #tasks do outputs[i] = {} end
  for i, task in ipairs(tasks) do
    for _, input in ipairs(task.inputs) do table.insert(outputs[input], i) end
  end
  return outputs
end

local function layers_of(tasks, outputs)
  local layers = {}
  for i, task in ipairs(tasks) do
    local layer = 1
    for _, input in ipairs(task.inputs) do layer = math.max(layer, layers[input] + 1) end
    layers[i] = layer
  end
  for i = #tasks, 1, -1 do
    if #outputs[i] > 0 and #outputs[i] >= #tasks[i].inputs then
      local layer = math.huge
      for _, output in ipairs(outputs[i]) do layer = math.min(layer, layers[output] - 1) end
      layers[i] = layer
    end
  end
  return layers
end

-- Task -> a number that tasks which hang together share: the more tasks, the lower.
local function components_of(tasks)
  local parents = {}
  local function root(i)
    while parents[i] ~= i do
      parents[i] = parents[parents[i]]
      i = parents[i]
    end
    return i
  end
  for i, task in ipairs(tasks) do
    parents[i] = i
    for _, input in ipairs(task.inputs) do
      local a, b = root(i), root(input)
      parents[math.max(a, b)] = math.min(a, b)
    end
  end
  local counts, roots, components = {}, {}, {}
  for i = 1, #tasks do
    if root(i) == i then roots[#roots + 1] = i end
    counts[root(i)] = (counts[root(i)] or 0) + 1
  end
  table.sort(roots, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  for number, i in ipairs(roots) do components[i] = number end
  for i = 1, #tasks do components[i] = components[root(i)] end
  return components
end

-- ---- 2: knots -----------------------------------------------------------------------------------

-- A knot is a task, or the place where edges of a task pass a layer.
local function new_knot(net, layer, size, task, component)
  local knot = { layer = layer, size = size, task = task, component = component, up = {}, down = {},
    across = 0, number = #net.knots + 1 }
  net.knots[knot.number] = knot
  net.layers[layer] = net.layers[layer] or {}
  return knot
end

local function link(upper, lower)
  local weight = (upper.task and 1 or 3) * (lower.task and 1 or 3)
  table.insert(upper.down, { knot = lower, weight = weight })
  table.insert(lower.up, { knot = upper, weight = weight })
end

-- The knot of a task's edges in a layer, made with those before it.
local function passing(net, source, layer)
  if layer == source.layer then return source end
  source.passing = source.passing or {}
  local knot = source.passing[layer]
  if not knot then
    local before = passing(net, source, layer - 1)
    knot = new_knot(net, layer, 0, nil, source.component)
    source.passing[layer] = knot
    link(before, knot)
  end
  return knot
end

-- Whether there are so few knots, and edges through them, that each edge may go around the boxes.
local function may_bend(tasks, outputs, layers)
  local knots, passings = 0, 0
  for i = 1, #tasks do
    local last = layers[i]
    for _, output in ipairs(outputs[i]) do
      last = math.max(last, layers[output] - 1)
      passings = passings + layers[output] - 1 - layers[i]
    end
    knots = knots + last - layers[i]
  end
  return knots <= most_knots and passings <= most_passings
end

local function net_of(tasks, sizes)
  local outputs = outputs_of(tasks)
  local layers, components = layers_of(tasks, outputs), components_of(tasks)
  local net = { knots = {}, layers = {} }
  net.straight = not may_bend(tasks, outputs, layers)
  for i = 1, #tasks do new_knot(net, layers[i], sizes[i].across, i, components[i]) end
  for i, task in ipairs(tasks) do
    for _, input in ipairs(task.inputs) do
      if not net.straight then
        link(passing(net, net.knots[input], layers[i] - 1), net.knots[i])
      elseif layers[input] == layers[i] - 1 then
        link(net.knots[input], net.knots[i])
      end
    end
  end
  return net
end

-- ---- 3: order -----------------------------------------------------------------------------------

local function number_places(layer)
  for place, knot in ipairs(layer) do knot.place = place end
end

-- Tasks by their numbers, which are those of a walk from the outputs: trees do not cross.
local function first_order(net)
  local function key(knot) return knot.task or knot.source end
  for _, knot in ipairs(net.knots) do
    for layer, other in pairs(knot.passing or {}) do
      other.source = knot.task
      table.insert(net.layers[layer], other)
    end
    if knot.task then table.insert(net.layers[knot.layer], knot) end
  end
  for _, layer in ipairs(net.layers) do
    table.sort(layer, function(a, b)
      if a.component ~= b.component then return a.component < b.component end
      if key(a) ~= key(b) then return key(a) < key(b) end
      return a.number < b.number
    end)
    number_places(layer)
  end
end

-- Pairs of links between a layer and the next that cross, by a tree of sums over places.
local function crossings_below(layer, next_layer)
  local size, sums, crossings, total = #next_layer, {}, 0, 0
  for i = 1, size do sums[i] = 0 end
  for _, knot in ipairs(layer) do
    local places = {}
    for i, other in ipairs(knot.down) do places[i] = other.knot.place end
    for _, place in ipairs(places) do
      local before, i = 0, place
      while i > 0 do
        before = before + sums[i]
        i = i - bit.band(i, -i)
      end
      crossings = crossings + total - before
    end
    for _, place in ipairs(places) do
      local i = place
      while i <= size do
        sums[i] = sums[i] + 1
        i = i + bit.band(i, -i)
      end
    end
    total = total + #places
  end
  return crossings
end

local function crossings_of(net)
  local crossings = 0
  for i = 1, #net.layers - 1 do
    crossings = crossings + crossings_below(net.layers[i], net.layers[i + 1])
  end
  return crossings
end

-- Sorts a layer by the mean place of each knot's neighbours on one side; those without stay.
local function sort_layer(layer, side)
  local moving, slots = {}, {}
  for place, knot in ipairs(layer) do
    local sum = 0
    for _, other in ipairs(knot[side]) do sum = sum + other.knot.place end
    if #knot[side] > 0 then
      knot.mean = sum / #knot[side]
      moving[#moving + 1], slots[#slots + 1] = knot, place
    end
  end
  table.sort(moving, function(a, b)
    if a.component ~= b.component then return a.component < b.component end
    if a.mean ~= b.mean then return a.mean < b.mean end
    return a.place < b.place
  end)
  for i, knot in ipairs(moving) do layer[slots[i]] = knot end
  number_places(layer)
end

-- How many of the links of `a`, which stands before `b`, cross those of `b`.
local function crossings_between(a, b, side)
  local count = 0
  for _, first in ipairs(a[side]) do
    for _, second in ipairs(b[side]) do
      if first.knot.place > second.knot.place then count = count + 1 end
    end
  end
  return count
end

-- Swaps neighbours where that leaves fewer crossings.
local function swap_neighbours(layer)
  for place = 1, #layer - 1 do
    local a, b = layer[place], layer[place + 1]
    local work = #a.up * #b.up + #a.down * #b.down
    if a.component == b.component and work <= swap_work then
      local now = crossings_between(a, b, "up") + crossings_between(a, b, "down")
      local swapped = crossings_between(b, a, "up") + crossings_between(b, a, "down")
      if swapped < now then
        layer[place], layer[place + 1] = b, a
        a.place, b.place = place + 1, place
      end
    end
  end
end

local function remember(net)
  local orders = {}
  for i, layer in ipairs(net.layers) do
    orders[i] = {}
    for place, knot in ipairs(layer) do orders[i][place] = knot end
  end
  return orders
end

local function order(net)
  first_order(net)
  local best, best_order, last_better = crossings_of(net), remember(net), 0
  for sweep = 1, order_sweeps do
    if best == 0 or sweep - last_better > patience then break end
    local down = sweep % 2 == 1
    local count = #net.layers
    for i = 2, count do
      sort_layer(net.layers[down and i or count + 1 - i], down and "up" or "down")
    end
    for i = 1, count do swap_neighbours(net.layers[i]) end
    local crossings = crossings_of(net)
    if crossings < best then best, best_order, last_better = crossings, remember(net), sweep end
  end
  net.layers, net.crossings = best_order, best
  for _, layer in ipairs(net.layers) do number_places(layer) end
end

-- ---- 4: places ----------------------------------------------------------------------------------

local function distance(a, b)
  local least = (a.task and b.task) and gap or knot_gap
  if a.component ~= b.component then least = 2 * gap end
  return (a.size + b.size) / 2 + least
end

local function pull_of(knot, ...)
  local sum, weight = 0, 0
  for i = 1, select("#", ...) do
    for _, other in ipairs(knot[select(i, ...)]) do
      sum = sum + other.knot.across * other.weight
      weight = weight + other.weight
    end
  end
  if weight == 0 then return knot.across, 0.01 end
  return sum / weight, weight
end

-- Where a knot wants to be, and how strongly.
local pulls = {}

function pulls.up(knot) return pull_of(knot, "up") end

function pulls.down(knot) return pull_of(knot, "down") end

function pulls.both(knot) return pull_of(knot, "up", "down") end

-- In the middle of the side where it has more neighbours, as a person would draw a tree.
function pulls.middle(knot)
  if not knot.task then return knot.across, 500 end
  if #knot.up > #knot.down then return pulls.up(knot) end
  if #knot.up < #knot.down then return pulls.down(knot) end
  return pulls.both(knot)
end

-- An edge that passes layers goes straight.
function pulls.straight(knot)
  return knot.mean or knot.across, knot.task and 1 or 500
end

-- The places nearest to where the knots are pulled (least squares) that keep order and distances:
-- knots that would come too near to each other move as one block.
local function place_layer(layer, pull)
  local blocks, offset = {}, 0
  for i, knot in ipairs(layer) do
    if i > 1 then offset = offset + distance(layer[i - 1], knot) end
    knot.offset = offset
    local wanted, weight = pull(knot)
    local block = { sum = (wanted - offset) * weight, weight = weight, last = i }
    while #blocks > 0 and blocks[#blocks].sum / blocks[#blocks].weight > block.sum / block.weight do
      local before = table.remove(blocks)
      block.sum, block.weight = block.sum + before.sum, block.weight + before.weight
    end
    blocks[#blocks + 1] = block
  end
  local i = 1
  for _, block in ipairs(blocks) do
    local start = block.sum / block.weight
    for k = i, block.last do layer[k].across = start + layer[k].offset end
    i = block.last + 1
  end
end

-- Sweeps over all layers, down first, then up, and so on.
local function sweep_places(net, times, ...)
  local count, kinds = #net.layers, { ... }
  for sweep = 1, times do
    local down = sweep % 2 == 1
    local pull = kinds[down and 1 or #kinds]
    for i = 1, count do place_layer(net.layers[down and i or count + 1 - i], pull) end
  end
end

-- The mean place of the knots of each edge that passes layers, tasks left out.
local function find_means(net)
  for _, source in ipairs(net.knots) do
    local sum, count = 0, 0
    for _, knot in pairs(source.passing or {}) do sum, count = sum + knot.across, count + 1 end
    for _, knot in pairs(source.passing or {}) do knot.mean = sum / count end
    source.mean = source.task and source.across or source.mean
  end
end

local function place(net)
  for _, layer in ipairs(net.layers) do
    local offset = 0
    for i, knot in ipairs(layer) do
      if i > 1 then offset = offset + distance(layer[i - 1], knot) end
      knot.across = offset
    end
    for _, knot in ipairs(layer) do knot.across = knot.across - offset / 2 end
  end
  sweep_places(net, 8, pulls.up, pulls.down)
  sweep_places(net, math.min(most_sweeps, place_work / #net.knots), pulls.both)
  for _ = 1, 3 do
    sweep_places(net, 6, pulls.middle)
    find_means(net)
    sweep_places(net, 2, pulls.straight)
  end
end

-- From layer to layer; steps are wider where edges go far to the side.
local function place_layers(net, sizes)
  local at = 0
  net.starts, net.ends, net.steps = {}, {}, {}
  for i, layer in ipairs(net.layers) do
    local thickness, farthest = 0, 0
    for _, knot in ipairs(layer) do
      if knot.task then thickness = math.max(thickness, sizes[knot.task].along) end
      for _, other in ipairs(knot.down) do
        farthest = math.max(farthest, math.abs(other.knot.across - knot.across))
      end
    end
    net.steps[i] = thickness + fold.row_gap
    local depth = thickness + ((net.rows[i] or 1) - 1) * net.steps[i]
    net.starts[i], net.ends[i] = at, at + depth
    at = at + depth + math.min(most_step, least_step + math.max(0, farthest - 60) / 12)
  end
end

-- ---- what is drawn ------------------------------------------------------------------------------

-- Where each input of a task arrives: spread along its side, in the order of where they come from.
local function ports_of(knot, from, size)
  local arriving, ports = {}, {}
  for i, source in ipairs(from) do arriving[i] = { source = source, i = i } end
  table.sort(arriving, function(a, b)
    if a.source.across ~= b.source.across then return a.source.across < b.source.across end
    return a.i < b.i
  end)
  local step = #from > 1 and math.min(port_gap, (size.across - 16) / (#from - 1)) or 0
  for i, port in ipairs(arriving) do
    ports[port.i] = knot.across + (i - (#from + 1) / 2) * step
  end
  return ports
end

-- Out of a row that others lie behind, and into one that lies behind others: beside the boxes.
local function leave_row(net, source, points)
  if (source.row or 1) == (net.rows[source.layer] or 1) then return source.across end
  local row_end = net.starts[source.layer] + source.row * net.steps[source.layer]
  local lane = source.across + source.lane_out
  points[#points + 1] = { source.across, row_end - fold.row_gap }
  points[#points + 1] = { lane, row_end }
  return lane
end

local function enter_row(net, target, port, points)
  local row_start = net.starts[target.layer] + (target.row - 1) * net.steps[target.layer]
  local lane = target.across + target.lane_in
  points[#points + 1] = { lane, net.starts[target.layer] }
  points[#points + 1] = { lane, row_start - fold.row_gap }
  points[#points + 1] = { port, row_start }
end

-- The points of an edge: straight within layers, to be bent between them.
local function points_of(net, source, target, port, boxes)
  local from, to = boxes[source.task], boxes[target.task]
  local points = { { source.across, from.along + from.size.along } }
  local lane = leave_row(net, source, points)
  points[#points + 1] = { lane, net.ends[source.layer] }
  for layer = source.layer + 1, net.straight and 0 or target.layer - 1 do
    local knot = source.passing[layer]
    points[#points + 1] = { knot.across, net.starts[layer] }
    points[#points + 1] = { knot.across, net.ends[layer] }
  end
  if (target.row or 1) > 1 then
    enter_row(net, target, port, points)
  else
    points[#points + 1] = { port, net.starts[target.layer] }
  end
  points[#points + 1] = { port, to.along }
  return points
end

local function edges_into(net, i, task, boxes)
  local target, from, edges = net.knots[i], {}, {}
  for k, input in ipairs(task.inputs) do
    local source = net.knots[input]
    local last = net.straight and source.layer or target.layer - 1
    from[k] = last > source.layer and source.passing[last] or source
  end
  local ports = ports_of(target, from, boxes[i].size)
  for k, input in ipairs(task.inputs) do
    edges[k] = { from = input, to = i,
      points = points_of(net, net.knots[input], target, ports[k], boxes) }
  end
  return edges
end

local function smallest_across(net)
  local least = math.huge
  for _, knot in ipairs(net.knots) do least = math.min(least, knot.across - knot.size / 2) end
  return least
end

--- Places the tasks: boxes[i] = {across, along, layer} is the middle of the side where box i begins,
--- edges = {from, to, points}; both axes begin at 0.  An edge is straight between its points 1 and
--- 2, bent between 2 and 3, straight between 3 and 4, and so on.
---@param tasks {inputs: integer[]}[] inputs before what needs them
---@param sizes {across: number, along: number}[]
---@return {boxes: table[], edges: table[], across: number, along: number, crossings: integer}
function layout.place(tasks, sizes)
  local net = net_of(tasks, sizes)
  order(net)
  place(net)
  fold.layers(net)
  local least, most = smallest_across(net), 0
  for _, knot in ipairs(net.knots) do
    knot.across = knot.across - least
    most = math.max(most, knot.across + knot.size / 2)
  end
  place_layers(net, sizes)
  local boxes, edges = {}, {}
  for i in ipairs(tasks) do
    local knot = net.knots[i]
    local row_start = net.starts[knot.layer] + ((knot.row or 1) - 1) * net.steps[knot.layer]
    local spare = net.steps[knot.layer] - fold.row_gap - sizes[i].along
    boxes[i] = { across = knot.across, along = row_start + spare / 2, layer = knot.layer,
      size = sizes[i] }
  end
  for i, task in ipairs(tasks) do
    for _, edge in ipairs(edges_into(net, i, task, boxes)) do edges[#edges + 1] = edge end
  end
  return { boxes = boxes, edges = edges, across = most, along = net.ends[#net.layers],
    crossings = net.crossings }
end

return layout
