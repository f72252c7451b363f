-- Graphs looked at: node:info() and node:visualize(), as numbers, DOT and SVG.
-- SPDX-License-Identifier: MIT

local ffi = require "ffi"
local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"
local core = require "tidemill.core"
local label = require "tidemill.label"
local palette = require "tidemill.palette"
local view = require "tidemill.view"
local contains, problem = expect.contains, expect.problem

ffi.cdef "int setenv(const char *name, const char *value, int replace);"

math.randomseed(helper.seed())

-- How SVGs are drawn from now on: "off" is our own way, anything else a program.
local function draw_with(program) ffi.C.setenv("TIDEMILL_DOT", program, 1) end

local folder = helper.folder()
local number = 0
local function path_of(ending)
  number = number + 1
  return ("%s/%d.%s"):format(folder, number, ending)
end

local has_dot = os.execute("command -v dot >/dev/null 2>&1") == 0
local has_xmllint = os.execute("command -v xmllint >/dev/null 2>&1") == 0

local function named(name) return tm.delayed(function(...) return ... end, { name = name }) end
local inc, add, sum = named "inc", named "add", named "sum"

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

-- ---- graphs -------------------------------------------------------------------------------------

local function chain(length)
  local node = inc(0)
  for _ = 2, length do node = inc(node) end
  return node
end

local function tree(leaves)
  local level = {}
  for i = 1, leaves do level[i] = inc(i) end
  while #level > 1 do
    local above = {}
    for i = 1, #level, 2 do above[#above + 1] = level[i + 1] and add(level[i], level[i + 1]) or level[i] end
    level = above
  end
  return level[1]
end

local function fan(width)
  local source, parts = inc(0), {}
  for i = 1, width do parts[i] = inc(source, i) end
  return sum(parts)
end

local function diamond()
  local a = inc(1)
  return add(add(a, 1), add(a, a))
end

-- Random nodes; each reads some of the `near` nodes before it.  With how many distinct pairs.
local function random_graph(size, most_inputs, near)
  local nodes, edges, depths, depth = {}, 0, {}, 0
  for i = 1, size do
    local inputs, seen = {}, {}
    depths[i] = 1
    for k = 1, i > 1 and math.random(0, most_inputs) or 0 do
      local j = math.random(math.max(1, i - near), i - 1)
      inputs[k] = nodes[j]
      if not seen[j] then edges = edges + 1 end
      seen[j], depths[i] = true, math.max(depths[i], depths[j] + 1)
    end
    depth = math.max(depth, depths[i])
    nodes[i] = math.random() < 0.5 and sum(inputs) or sum(unpack(inputs))
  end
  return nodes, edges, depth
end

-- ---- a picture read back ------------------------------------------------------------------------

-- Tags closed in the order they were opened, nothing but known entities, no bare characters.
local function check_balance(text)
  local open = {}
  local body = text:gsub("^<%?xml[^>]*%?>", "")
  for slash, name, attributes, closed in body:gmatch("<(/?)([%w:]+)([^<>]-)(/?)>") do
    if slash == "/" then
      if table.remove(open) ~= name then error("</" .. name .. "> closes another") end
    elseif closed == "" then
      open[#open + 1] = name
    end
    if count(attributes, "\"") % 2 == 1 then error("a quote is missing: " .. attributes) end
  end
  assert.are.equal(0, #open)
  assert.are.equal(count(body, "<"), count(body, ">"))
  for entity in body:gmatch("&([^;]*;?)") do
    if not (" lt; gt; amp; quot; #10; "):find(" " .. entity .. " ", 1, true) then error("&" .. entity) end
  end
  assert.is_nil(body:find("[%z\1-\9\11-\31\127]"))
end

local function check_xml(text, file)
  check_balance(text)
  if has_xmllint then
    local _, complaints, status = helper.shell("xmllint --nonet --noout " .. helper.quote(file))
    assert.are.equal(0, status, complaints)
  end
end

local function read_boxes(text)
  local boxes = {}
  for task, title, x, y, width, height in text:gmatch("<g data%-task=\"(%d+)\"><title>([^<]*)</title>"
    .. "<rect x=\"([%d.-]+)\" y=\"([%d.-]+)\" width=\"([%d.]+)\" height=\"([%d.]+)\"") do
    x, y, width, height = tonumber(x), tonumber(y), tonumber(width), tonumber(height)
    boxes[tonumber(task)] = { title = title, left = x, top = y, right = x + width, bottom = y + height }
  end
  return boxes
end

-- Points on a curve or a line from where the pen is.
local function points_along(x, y, numbers)
  local points, p = {}, numbers
  for i = 1, 20 do
    local t = i / 20
    local s = 1 - t
    if #p == 2 then
      points[i] = { s * x + t * p[1], s * y + t * p[2] }
    else
      local a, b, c, d = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
      points[i] = { a * x + b * p[1] + c * p[3] + d * p[5], a * y + b * p[2] + c * p[4] + d * p[6] }
    end
  end
  return points
end

local function read_edges(text)
  local edges = {}
  for from, to, path in text:gmatch("<path data%-from=\"(%d+)\" data%-to=\"(%d+)\" d=\"([^\"]*)\"") do
    local points = {}
    for command, rest in path:gmatch("([MLC])([^MLC]*)") do
      local numbers = {}
      for value in rest:gmatch("[%d.-]+") do numbers[#numbers + 1] = tonumber(value) end
      if #numbers ~= (command == "C" and 6 or 2) then error(command .. rest) end
      local last = points[#points]
      local more = last and points_along(last[1], last[2], numbers) or { numbers }
      for _, point in ipairs(more) do points[#points + 1] = point end
    end
    edges[#edges + 1] = { from = tonumber(from), to = tonumber(to), points = points }
  end
  return edges
end

local function overlap(a, b)
  return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
end

local function check_boxes(boxes, width, height)
  for i, a in ipairs(boxes) do
    assert.is_true(a.left >= 0 and a.top >= 0 and a.right <= width and a.bottom <= height)
    for k = i + 1, #boxes do
      if overlap(a, boxes[k]) then error(("boxes %d and %d overlap"):format(i, k)) end
    end
  end
end

-- An edge leaves the side of its input, arrives at the opposite side of its reader, and passes
-- through no box on its way.
local function check_edge(edge, boxes, sideways)
  local from, to = boxes[edge.from], boxes[edge.to]
  local first, last = edge.points[1], edge.points[#edge.points]
  local out = sideways and from.right or from.bottom
  local into = sideways and to.left or to.top
  assert.is_true(into > out, "a reader lies before its input")
  assert.is_true(math.abs(first[sideways and 1 or 2] - out) < 0.2)
  assert.is_true(math.abs(last[sideways and 1 or 2] - into) < 0.2)
  local across = last[sideways and 2 or 1]
  local near, far = to[sideways and "top" or "left"], to[sideways and "bottom" or "right"]
  assert.is_true(across >= near and across <= far)
  for _, point in ipairs(edge.points) do
    for i, box in ipairs(boxes) do
      if point[1] > box.left + 0.5 and point[1] < box.right - 0.5
        and point[2] > box.top + 0.5 and point[2] < box.bottom - 0.5 then
        error(("edge %d to %d passes through box %d"):format(edge.from, edge.to, i))
      end
    end
  end
end

-- Draws in our own way and reads back; gives text and boxes.
local function check_picture(nodes, given)
  local file, list = path_of "svg", view.nodes(nodes)
  local sideways = given and given.rankdir == "LR" or false
  draw_with "off"
  tm.visualize(nodes, file, given)
  local text, tasks, expected = helper.read(file), view.tasks(list), 0
  check_xml(text, file)
  local boxes, edges = read_boxes(text), read_edges(text)
  assert.are.equal(#tasks, #boxes)
  local wanted = {}
  for i, task in ipairs(tasks) do
    for _, input in ipairs(task.inputs) do
      wanted[input .. ">" .. i], expected = true, expected + 1
    end
  end
  assert.are.equal(expected, #edges)
  local width, height = text:match(" width=\"(%d+)\" height=\"(%d+)\"")
  check_boxes(boxes, tonumber(width), tonumber(height))
  for _, edge in ipairs(edges) do
    assert.is_true(wanted[edge.from .. ">" .. edge.to])
    wanted[edge.from .. ">" .. edge.to] = nil
    check_edge(edge, boxes, sideways)
  end
  return text, boxes, edges
end

-- ---- the size of graphs -------------------------------------------------------------------------

describe("node:info()", function()
  it("counts a diamond: a shared task once, an input once", function()
    local info = diamond():info()
    assert.are.equal(4, info.tasks)
    assert.are.equal(4, info.edges)
    assert.are.equal(3, info.depth)
    assert.are.equal(2, info.layers)
    assert.are.same({ inc = 1, add = 3 }, info.names)
  end)

  it("follows a chain of a million", function()
    local info = chain(1e6):info()
    assert.are.equal(1e6, info.tasks)
    assert.are.equal(1e6, info.depth)
    assert.are.equal(1e6 - 1, info.edges)
    assert.are.equal(1, info.layers)
    assert.are.same({ inc = 1e6 }, info.names)
    assert.is_true(info.bytes >= 1e6 * 16)
  end)

  it("takes functions of one name for one layer", function()
    assert.are.equal(1, named "a"(named "a"(1)):info().layers)
    assert.are.equal(2, named "a"(named "b"(1)):info().layers)
  end)

  it("counts the memory of arguments, and what they share once", function()
    local array, text = tm.array({ 1, 2, 3, 4 }, "float64"), ("x"):rep(100000)
    local plain, one = inc(1):info().bytes, inc(array):info().bytes
    assert.are.equal(array.nbytes, one - plain)
    assert.are.equal(2 * plain + array.nbytes, add(array, inc(array)):info().bytes)
    assert.are.equal(2 * plain + array.nbytes, inc(inc(array), array):info().bytes)
    assert.is_true(inc(text):info().bytes >= plain + #text)
    assert.is_true(inc({ text }):info().bytes >= plain + #text)
  end)

  it("agrees with random graphs that were counted while they were built", function()
    for _ = 1, 20 do
      local size = math.random(1, 300)
      local nodes, edges, depth = random_graph(size, math.random(0, 6), math.random(1, size))
      local info = sum(nodes):info()
      assert.are.equal(size + 1, info.tasks)
      assert.are.equal(edges + size, info.edges)
      assert.are.equal(depth + 1, info.depth)
    end
  end)

  it("leaves the graph as it was", function()
    local node = tree(64)
    local before = node:info()
    node:info()
    assert.are.same(before, node:info())
    assert.are.equal(before.tasks, 127)
    assert.are.equal(3, tm.compute(named "x"(3)))
  end)
end)

describe("the tasks of a picture", function()
  it("stand behind their inputs, and know them by number", function()
    for _ = 1, 20 do
      local size = math.random(1, 200)
      local nodes, edges = random_graph(size, 5, size)
      local tasks, found = view.tasks(nodes), 0
      assert.are.equal(size, #tasks)
      for i, task in ipairs(tasks) do
        local seen = {}
        for _, input in ipairs(task.inputs) do
          assert.is_true(input >= 1 and input < i and not seen[input])
          seen[input], found = true, found + 1
        end
      end
      assert.are.equal(edges, found)
    end
  end)

  it("show their calls, inputs by name and values in a few words", function()
    local tasks = view.tasks { add(inc(1), { inc(2), k = "v", [7] = true }, nil, ("y"):rep(50)) }
    assert.are.equal("inc(1)", view.call(tasks[1], tasks))
    assert.are.equal("add(inc, {inc, [7] = true, k = \"v\"}, nil, \"" .. ("y"):rep(40) .. "...\")",
      view.call(tasks[3], tasks))
  end)

  it("do not take a text for an input", function()
    local tasks = view.tasks { add(inc(1), "\0011\2", "%1") }
    assert.are.equal("add(inc, \"\\11\\2\", \"%1\")", view.call(tasks[2], tasks))
  end)

  it("are pending before anything has run", function()
    for _, task in ipairs(view.tasks { diamond() }) do assert.are.equal("pending", task.state) end
  end)
end)

-- ---- names --------------------------------------------------------------------------------------

describe("a label", function()
  it("is valid UTF-8 whatever the name is made of", function()
    local bad = "\239\191\189"
    assert.are.equal("Größe 数据 🚀", label.clean("Größe 数据 🚀"))
    assert.are.equal(bad .. "a" .. bad .. bad, label.clean("\255a\192\128"))
    assert.are.equal(bad .. bad .. bad, label.clean("\237\160\128")) -- a surrogate
    assert.are.equal(bad .. bad, label.clean("\0\127"))
    assert.are.equal("x" .. bad, label.clean("x\226"))
    assert.are.equal(bad, label.clean("\239\191\190")) -- U+FFFE
    assert.are.equal(bad:rep(4), label.clean("\244\144\128\128")) -- beyond U+10FFFF
  end)

  it("is cut between characters, by the columns they take", function()
    assert.are.equal("abc", label.clip("abc", 3))
    assert.are.equal("ab…", label.clip("abcd", 3))
    assert.are.equal("数…", label.clip("数据处", 4))
    assert.are.equal("数据", label.clip("数据", 4))
    assert.are.equal("e\204\129e\204\129", label.clip("e\204\129e\204\129", 2))
    for _ = 1, 200 do
      local bytes = {}
      for i = 1, math.random(1, 40) do bytes[i] = string.char(math.random(0, 255)) end
      local name, most = table.concat(bytes), math.random(2, 20)
      local clipped = label.clip(name, most)
      assert.is_true(label.columns(clipped) <= most)
      assert.are.equal(clipped, label.clean(clipped))
    end
  end)

  it("is escaped for XML", function()
    assert.are.equal("&lt;a&gt; &amp;amp; &quot;b&quot;&#10;", label.xml("<a> &amp; \"b\"\n"))
  end)
end)

describe("the palette", function()
  local function luminance(color)
    local parts = {}
    for hex in color:gmatch("%x%x") do
      local value = tonumber(hex, 16) / 255
      parts[#parts + 1] = value <= 0.03928 and value / 12.92 or ((value + 0.055) / 1.055) ^ 2.4
    end
    return 0.2126 * parts[1] + 0.7152 * parts[2] + 0.0722 * parts[3]
  end

  local function contrast(a, b)
    local x, y = luminance(a) + 0.05, luminance(b) + 0.05
    return math.max(x, y) / math.min(x, y)
  end

  it("lets dark text be read on every fill (WCAG: 4.5)", function()
    for _, state in ipairs(palette.states) do
      assert.is_true(contrast(palette.text, palette.state(state).fill) >= 4.5)
    end
    for i = 0, 10 do assert.is_true(contrast(palette.text, palette.time(i / 10)) >= 4.5) end
  end)

  it("has a border of its own for each state, and darker fills for longer times", function()
    local borders = {}
    for _, state in ipairs(palette.states) do
      local look = palette.state(state)
      assert.is_nil(borders[look.border])
      borders[look.border] = true
      assert.is_true(contrast(look.border, palette.paper) >= 3)
    end
    for i = 1, 10 do
      assert.is_true(luminance(palette.time(i / 10)) < luminance(palette.time((i - 1) / 10)))
    end
  end)
end)

-- ---- SVG ----------------------------------------------------------------------------------------

describe("an SVG drawn without Graphviz", function()
  local shapes = {
    { "one task", function() return inc(1) end },
    { "a diamond", diamond },
    { "a tree of 63", function() return tree(32) end },
    { "a fan of 100", function() return fan(100) end },
    { "a fan of 400, in rows, with edges that pass them", function()
      local first = inc(1)
      local list = { first }
      for i = 2, 400 do list[i] = add(first, i) end
      return sum(list)
    end },
    { "two rows of rows", function()
      local list = {}
      for i = 1, 130 do list[i] = inc(inc(i)) end
      return sum(list)
    end },
    { "a chain of 200", function() return chain(200) end },
    { "tasks that do not hang together", function()
      return { inc(1), { diamond() }, x = chain(3), y = inc(2) }
    end },
  }
  for _, shape in ipairs(shapes) do
    it("has every box and edge in its place: " .. shape[1], function()
      check_picture(shape[2]())
      check_picture(shape[2](), { rankdir = "LR" })
    end)
  end

  it("has every box and edge in its place: random graphs", function()
    for _ = 1, 8 do
      local size = math.random(1, 120)
      local nodes = random_graph(size, math.random(1, 4), math.random(1, size))
      check_picture(nodes, { rankdir = math.random() < 0.5 and "LR" or "TB" })
    end
    check_picture((random_graph(300, 3, 40)))
  end)

  it("draws a tree as one does: each task in the middle below its inputs, no crossing", function()
    local _, boxes, edges = check_picture(tree(32))
    local sums, counts = {}, {}
    for _, edge in ipairs(edges) do
      local box = boxes[edge.from]
      sums[edge.to] = (sums[edge.to] or 0) + (box.left + box.right) / 2
      counts[edge.to] = (counts[edge.to] or 0) + 1
    end
    for task, total in pairs(sums) do
      assert.is_true(math.abs(total / counts[task] - (boxes[task].left + boxes[task].right) / 2) < 1)
    end
    for i, a in ipairs(edges) do
      for k = i + 1, #edges do
        local b = edges[k]
        local start, stop = a.points[1], a.points[#a.points]
        local start2, stop2 = b.points[1], b.points[#b.points]
        if start[2] == start2[2] then
          assert.is_true((start[1] - start2[1]) * (stop[1] - stop2[1]) >= 0)
        end
      end
    end
  end)

  it("puts what would be too wide in rows", function()
    local text, boxes = check_picture(fan(400))
    local width, height = text:match(" width=\"(%d+)\" height=\"(%d+)\"")
    assert.is_true(tonumber(width) < 3000 and tonumber(height) < 3000, width .. " x " .. height)
    local tops = {}
    for _, box in ipairs(boxes) do tops[box.top] = (tops[box.top] or 0) + 1 end
    for _, tasks in pairs(tops) do assert.is_true(tasks < 60) end
  end)

  it("draws a chain straight", function()
    local _, boxes = check_picture(chain(200))
    for i = 2, 200 do assert.are.equal(boxes[1].left, boxes[i].left) end
  end)

  it("draws a graph of 1000 tasks with every edge there can be among near ones", function()
    local nodes = {}
    for i = 1, 1000 do
      local inputs = {}
      for k = math.max(1, i - 30), i - 1 do inputs[#inputs + 1] = nodes[k] end
      nodes[i] = sum(inputs)
    end
    local file = path_of "svg"
    draw_with "off"
    nodes[1000]:visualize(file)
    local text = helper.read(file)
    check_xml(text, file)
    assert.are.equal(1000, #read_boxes(text))
    assert.are.equal(nodes[1000]:info().edges, count(text, "<path data%-from"))
  end)

  it("keeps boxes apart and layers in order where there are too many edges to lead around", function()
    local nodes = {}
    for i = 1, 400 do
      local inputs = {}
      for k = 1, i - i % 8 - 1 do inputs[#inputs + 1] = math.random() < 0.7 and nodes[k] or nil end
      nodes[i] = sum(inputs)
    end
    local file = path_of "svg"
    draw_with "off"
    tm.visualize(nodes, file)
    local text = helper.read(file)
    local boxes, edges = read_boxes(text), read_edges(text)
    check_boxes(boxes, math.huge, math.huge)
    assert.are.equal(400, #boxes)
    assert.are.equal(sum(nodes):info().edges - 400, #edges)
    for _, edge in ipairs(edges) do
      if boxes[edge.to].top <= boxes[edge.from].bottom then error("a reader lies before its input") end
    end
  end)

  it("shows any name, clipped, and whole in its tooltip", function()
    local names = { "a < b & \"c\" > d", "Größe ändern", "数据处理任务", "]]>", "&lt;", "\\N \\n",
      "bad \255\1 bytes", "two\nlines", ("long "):rep(20), "" }
    local nodes = {}
    for i, name in ipairs(names) do nodes[i] = named(name)(i) end
    local text, boxes = check_picture(sum(nodes))
    for i, name in ipairs(names) do
      contains(boxes[i].title, label.xml(name))
      contains(text, ">" .. label.xml(label.clip(name, 28)) .. "</text>")
    end
  end)

  it("is the same text each time", function()
    local nodes = random_graph(60, 3, 20)
    assert.are.equal((check_picture(nodes)), (check_picture(nodes)))
  end)

  it("is refused beyond 5000 tasks, with the way out", function()
    local file = path_of "svg"
    draw_with "off"
    local message = problem(function() chain(5001):visualize(file) end)
    assert.are.equal(("visualize: %s: 5001 tasks, and without Graphviz at most 5000 are drawn; install "
      .. "graphviz, or write a .dot file"):format(file), message)
    assert.is_false(process.exists(file))
    chain(5000):visualize(file)
    assert.are.equal(5000, #read_boxes(helper.read(file)))
  end)
end)

-- ---- after a run --------------------------------------------------------------------------------

describe("a picture after a run", function()
  local before = core.node_states
  after_each(function() core.node_states = before end)

  -- Tasks of a chain, each with its state; seconds are 0.1 a place for those that ran.
  local function chain_with(states)
    local node = chain(#states)
    local told = {}
    for i, task in ipairs(view.tasks { node }) do
      local ran = states[i] == "finished" or states[i] == "failed"
      if states[i] ~= "pending" then
        told[task.index] = { state = states[i], seconds = ran and 0.1 * i or nil, worker = ran and 2 or nil }
      end
    end
    core.node_states = function() return told end
    return node
  end

  local all = { "finished", "hit", "failed", "skipped", "cancelled", "pending" }

  it("tells each task's state by fill, border, tooltip and legend", function()
    local text, boxes = check_picture(chain_with(all))
    for i, state in ipairs(all) do
      local look = palette.state(state)
      contains(boxes[i].title, "&#10;" .. state)
      assert.are.equal(2, count(text, "fill=\"" .. look.fill .. "\" stroke=\"" .. look.border .. "\""), state)
      contains(text, ">" .. state .. " 1</text>")
    end
    contains(boxes[1].title, "finished on worker 2 in 100 ms")
    contains(boxes[6].title, "pending")
  end)

  it("lists in its legend only the states that there are", function()
    local text = check_picture(chain_with { "finished", "finished" })
    contains(text, ">finished 2</text>")
    for _, state in ipairs { "hit", "failed", "skipped", "cancelled", "pending" } do
      assert.is_nil(text:find(">" .. state .. " %d"))
    end
  end)

  it("tells times by fill, by bars and in milliseconds", function()
    local text, boxes = check_picture(chain_with(all), { color = "time" })
    contains(text, ">100 ms</text>")
    contains(text, ">300 ms</text>")
    contains(text, ">0 to 300 ms</text>")
    contains(text, "fill=\"" .. palette.time(1) .. "\" stroke=\"" .. palette.state("failed").border)
    contains(text, "fill=\"" .. palette.time(1 / 3) .. "\" stroke=\"" .. palette.state("finished").border)
    local widths = {}
    for width in text:gmatch("width=\"([%d.]+)\" height=\"3\"") do widths[#widths + 1] = tonumber(width) end
    assert.are.equal(2, #widths)
    assert.is_true(math.abs(widths[2] - (boxes[3].right - boxes[3].left - 12)) < 0.2)
    assert.is_true(math.abs(widths[1] * 3 - widths[2]) < 0.4)
    check_picture(chain_with(all), { color = "time", rankdir = "LR" })
  end)

  it("gives no time to a task that has not run", function()
    core.node_states = before
    local bad = tm.delayed(function() error("bad") end, { name = "bad" })
    local node = inc(bad())
    assert.is_false((pcall(tm.compute, node)))
    local _, boxes = check_picture(node, { color = "time" })
    contains(boxes[1].title, "failed on worker")
    contains(boxes[1].title, " in ")
    assert.are.equal("skipped", boxes[2].title:match("[^;]+$"))
  end)

  it("is one of states where no times are known", function()
    core.node_states = nil
    local node = diamond()
    assert.are.equal((check_picture(node)), (check_picture(node, { color = "time" })))
  end)

  it("joins what several nodes know", function()
    local a, b = inc(1), inc(2)
    local told = { [view.tasks({ a })[1].index] = { state = "failed" },
      [view.tasks({ b })[1].index] = { state = "hit" } }
    core.node_states = function(handle) return { [handle.index] = told[handle.index] } end
    local text = check_picture { a, b }
    contains(text, ">failed 1</text>")
    contains(text, ">hit 1</text>")
  end)

  it("writes durations in the unit that fits", function()
    for seconds, text in pairs { [0] = "0 us", [1.5e-6] = "1.5 us", [0.0123] = "12.3 ms", [2] = "2 s",
      [99.96] = "100 s", [1234.4] = "1234 s" } do
      assert.are.equal(text, view.duration(seconds))
    end
  end)
end)

-- ---- DOT ----------------------------------------------------------------------------------------

local function check_dot(nodes, given)
  local file = path_of "dot"
  tm.visualize(nodes, file, given)
  local text, tasks, edges = helper.read(file), view.tasks(view.nodes(nodes)), 0
  for i, task in ipairs(tasks) do
    if not text:find("\n  n" .. i .. " [", 1, true) then error("no task " .. i) end
    for _, input in ipairs(task.inputs) do
      if not text:find(("\n  n%d -> n%d;"):format(input, i), 1, true) then error("no edge to " .. i) end
      edges = edges + 1
    end
  end
  assert.are.equal(#tasks, count(text, "\n  n%d+ %["))
  assert.are.equal(edges, count(text, "\n  n%d+ %-> n%d+;"))
  return text, file
end

describe("a .dot file", function()
  it("has each task and each edge once", function()
    for _, shape in ipairs { inc(1), diamond(), tree(32), fan(50), (random_graph(100, 4, 100)) } do
      check_dot(shape)
    end
  end)

  it("is written for graphs of any size", function()
    check_dot(chain(1001))
    local file = path_of "dot"
    chain(100000):visualize(file)
    assert.are.equal(99999, count(helper.read(file), "%->"))
  end)

  it("says which way it runs", function()
    contains(check_dot(diamond()), "rankdir=TB")
    contains(check_dot(diamond(), { rankdir = "LR" }), "rankdir=LR")
  end)

  it("is read by Graphviz as it was meant, whatever the names", function()
    if not has_dot then pending "no Graphviz here" end
    local names = { "plain", "a < b & \"c\" > d", "&lt;", "\\N \\n \\", "Größe 数据", "two\nlines",
      "bad \255 bytes", "}; n1 -> n2; {" }
    local nodes = {}
    for i, name in ipairs(names) do nodes[i] = named(name)(i) end
    local _, file = check_dot(sum(nodes))
    local out, err, status = helper.shell("dot -Tsvg " .. helper.quote(file))
    assert.are.equal(0, status, err)
    assert.are.equal(#names + 1, count(out, "class=\"node\""))
    assert.are.equal(#names, count(out, "class=\"edge\""))
    for i, name in ipairs(names) do
      local part = out:match("<title>n" .. i .. "</title>(.-)</g>\n</g>") or ""
      local shown = part:match("<text[^>]*>([^<]*)</text>") or ""
      shown = shown:gsub("&#45;", "-"):gsub("&#160;", " "):gsub("&quot;", "\""):gsub("&lt;", "<")
        :gsub("&gt;", ">"):gsub("&amp;", "&")
      assert.are.equal(label.clip(name, 28), shown)
    end
  end)
end)

-- ---- Graphviz -----------------------------------------------------------------------------------

describe("an SVG drawn by Graphviz", function()
  -- A program to stand for dot; its name needs quoting.
  local function program(text)
    local file = folder .. "/it's a $(dot)"
    helper.write(file, "#!/bin/sh\n" .. text)
    os.execute("chmod +x " .. helper.quote(file))
    draw_with(file)
    return file
  end

  it("is what the program makes of the .dot text", function()
    program "[ \"$*\" = -Tsvg ] || exit 9; echo '<svg>'; cat; echo '</svg>'"
    local file, dot = folder .. "/odd 'name' $x.svg", path_of "dot"
    local node = diamond()
    node:visualize(file)
    node:visualize(dot)
    assert.are.equal("<svg>\n" .. helper.read(dot) .. "</svg>\n", helper.read(file))
  end)

  it("leaves no temporary file behind", function()
    for _, ending in ipairs { "exit 0", "exit 3" } do
      local seen = path_of "txt"
      program(("all=$(for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done); echo \"$all\" >%s; %s"):format(
        helper.quote(seen), ending))
      pcall(tm.visualize, inc(1), path_of "svg")
      local files = 0
      for file in helper.read(seen):gmatch("[^\n]+") do
        assert.is_false(process.exists(file), file)
        files = files + 1
      end
      assert.are.equal(3, files)
    end
  end)

  it("has no limit of tasks", function()
    program "exec cat"
    local file = path_of "svg"
    chain(5001):visualize(file)
    assert.are.equal(5000, count(helper.read(file), "%->"))
  end)

  it("leaves an old file alone when the program fails, and says why", function()
    program "cat >/dev/null; echo half; echo; echo 'out of ink' >&2; exit 3"
    local file = path_of "svg"
    helper.write(file, "old")
    assert.are.equal("visualize: Graphviz failed: out of ink; TIDEMILL_DOT=off draws without it",
      problem(function() inc(1):visualize(file) end))
    assert.are.equal("old", helper.read(file))
    draw_with "/no/such/dot"
    assert.are.equal("visualize: TIDEMILL_DOT: expected a program, or \"off\"; there is no \"/no/such/dot\"",
      problem(function() inc(1):visualize(file) end))
    assert.are.equal("old", helper.read(file))
  end)

  it("is our own where that one would be long, and the program is not asked for", function()
    if not has_dot then pending "no Graphviz here" end
    local file = path_of "svg"
    draw_with ""
    fan(200):visualize(file)
    assert.is_truthy(helper.read(file):find("data-task", 1, true))
    draw_with "dot"
    fan(200):visualize(file)
    assert.is_nil(helper.read(file):find("data-task", 1, true))
  end)

  it("has every task and edge", function()
    if not has_dot then pending "no Graphviz here" end
    draw_with ""
    for _, shape in ipairs { diamond(), tree(16), (random_graph(50, 3, 50)) } do
      local file = path_of "svg"
      tm.visualize(shape, file)
      local text, info = helper.read(file), view.info(view.nodes(shape))
      assert.are.equal(info.tasks, count(text, "class=\"node\""))
      assert.are.equal(info.edges, count(text, "class=\"edge\""))
    end
  end)
end)

-- ---- wrong use ----------------------------------------------------------------------------------

describe("wrong use of visualize", function()
  local node = inc(1)
  local this = "^tests/spec/view_spec%.lua:%d+: "

  local function says(message, fn, ...)
    local text = problem(fn, ...)
    assert.is_truthy(text:match(this), text .. " blames somebody else")
    assert.are.equal(message, (text:gsub(this, "")))
  end

  it("names what was expected, and blames the caller", function()
    says("visualize: x.png: expected a name that ends in .svg or .dot",
      function() node:visualize("x.png") end)
    says("visualize: .svg: expected a name that ends in .svg or .dot",
      function() node:visualize(".svg") end)
    says("visualize: expected a file name such as \"graph.svg\", got nil", function() node:visualize() end)
    says("visualize: option \"rankdir\": expected \"TB\" or \"LR\", got \"BT\"",
      function() node:visualize("x.dot", { rankdir = "BT" }) end)
    says("visualize: option \"color\": expected \"state\" or \"time\", got 1",
      function() tm.visualize(node, "x.dot", { color = 1 }) end)
    says("visualize: unknown option \"colour\", did you mean \"color\"?",
      function() tm.visualize({ node }, "x.dot", { colour = "time" }) end)
    says("visualize: expected visualize({node, ...}, file, options) with a lazy node or a table of them",
      function() tm.visualize({}, "x.dot") end)
    says("visualize: expected visualize({node, ...}, file, options) with a lazy node or a table of them",
      function() tm.visualize("x.dot", node) end)
    assert.is_false(process.exists("x.dot"))
  end)

  it("takes endings in any case", function()
    local file = path_of "DOT"
    node:visualize(file)
    contains(helper.read(file), "digraph")
  end)

  it("leaves nothing behind where a file cannot be written", function()
    draw_with "off"
    local missing = folder .. "/missing/x.svg"
    contains(problem(function() node:visualize(missing) end), missing .. ": ")
    local taken = folder .. "/taken"
    os.execute("mkdir -p " .. taken .. "/x.svg")
    contains(problem(function() node:visualize(taken .. "/x.svg") end), taken .. "/x.svg: ")
    helper.write(folder .. "/file", "")
    contains(problem(function() node:visualize(folder .. "/file/x.dot") end), "/file/x.dot: ")
    assert.are.equal("x.svg\n", (helper.shell("ls -A " .. taken)))
    assert.is_false(process.exists(folder .. "/missing"))
  end)
end)

teardown(function()
  helper.remove(folder)
  draw_with "off"
end)

-- ---- explanations -------------------------------------------------------------------------------

describe("node:explain()", function()
  local waits = tm.delayed(function(x) return x end, { name = "waits", kind = "io" })
  local kept = tm.delayed(function(x) return x end, { name = "kept", cache = true })
  local pinned = tm.delayed(function(x) return x end, { name = "pinned", lane = "serial" })

  it("names the lane of each function's tasks, and what has decided it", function()
    local list = sum(kept(waits(1)), kept(waits(2)), pinned(3)):explain()
    assert.are.equal(4, #list)
    local function facts(one) return { one.name, one.tasks, one.lane, one.why, one.cached } end
    assert.are.same({ "waits", 2, "loop", "kind", false }, facts(list[1]))
    assert.are.same({ "kept", 2, "thread", "", true }, facts(list[2]))
    assert.are.same({ "pinned", 1, "serial", "lane", false }, facts(list[3]))
    assert.are.same({ "sum", 1, "thread", "", false }, facts(list[4]))
    assert.are.same({ pending = 2 }, list[1].states)
  end)

  it("tells what came of the last run, as text, too", function()
    local fails = tm.delayed(function() error("no") end, { name = "fails", lane = "thread" })
    local node = sum(fails(), waits(5))
    assert.is_false(pcall(node.compute, node))
    assert.are.equal("fails  thread lane, by lane; not cached; 1 task (1 failed)\n"
      .. "waits  loop lane, by kind; not cached; 1 task (1 finished)\n"
      .. "sum    thread lane; not cached; 1 task (1 skipped)", tostring(node:explain()))
  end)

  it("says why a result has no key, and raises where a task could not cross", function()
    local channel = tm.channel(1)
    local opaque = tm.delayed(function() return channel end, { cache = true })
    contains(opaque():explain()[1].refusal, "it names a channel or the like")
    local total = 0
    contains(problem(function() tm.delayed(function() total = total + 1 end)():explain() end),
      "assigns upvalue total")
  end)
end)
