-- visualize: draws the graph below some nodes into a file, .svg or .dot.
-- An .svg is drawn by Graphviz where its program `dot` is found, else by svg.lua, which is meant for
-- pictures that a person still reads: up to 5,000 tasks, wide layers in rows, which dot does not do.
local core = require("tidemill.core")
local label = require("tidemill.label")
local options = require("tidemill.options")
local palette = require("tidemill.palette")
local shown = require("tidemill.shown")
local view = require("tidemill.view")

local visualize = {}

local most_tasks = 5000 -- without Graphviz
local most_points = 6000 -- the longer side of a picture by Graphviz that nobody has asked for
local label_columns = 28

-- ---- the picture --------------------------------------------------------------------------------

local function plural(count, what) return ("%d %s%s"):format(count, what, count == 1 and "" or "s") end

local function title_of(task, tasks)
  local lines = { task.name, view.call(task, tasks) }
  local line = task.state
  if task.worker then line = line .. (" on worker %d"):format(task.worker) end
  if task.seconds then line = line .. " in " .. view.duration(task.seconds) end
  lines[3] = line
  return table.concat(lines, "\n")
end

local function slowest_of(tasks)
  local slowest
  for _, task in ipairs(tasks) do
    if task.seconds then slowest = math.max(slowest or 0, task.seconds) end
  end
  return slowest
end

-- Fills a task's look by its state, or by its share of the longest time.
local function dress(task, slowest)
  local look = palette.state(task.state)
  task.look = look
  if not (slowest and task.seconds) then return end
  task.share = slowest > 0 and task.seconds / slowest or 0
  task.detail = view.duration(task.seconds)
  task.look = { fill = palette.time(task.share), border = look.border, width = look.width,
    dash = look.dash }
end

-- The states there are, with their counts; where fill tells the time, their borders alone.
local function legend_of(tasks)
  local counts, timed, legend = {}, {}, {}
  for _, task in ipairs(tasks) do
    counts[task.state] = (counts[task.state] or 0) + 1
    timed[task.state] = timed[task.state] or task.share ~= nil
  end
  for _, state in ipairs(palette.states) do
    if counts[state] then
      local look = palette.state(state)
      legend[#legend + 1] = { text = ("%s %d"):format(state, counts[state]),
        look = { fill = timed[state] and palette.paper or look.fill, border = look.border,
          dash = look.dash } }
    end
  end
  return legend
end

local function picture_of(nodes, info, given)
  local tasks = view.tasks(nodes)
  local slowest = given.color == "time" and slowest_of(tasks) or nil
  for i, task in ipairs(tasks) do
    task.number, task.label = i, label.clip(task.name, label_columns)
    task.title = title_of(task, tasks)
    dress(task, slowest)
  end
  return { tasks = tasks, slowest = slowest, sideways = given.rankdir == "LR",
    legend = legend_of(tasks),
    heading = ("%s, %s, longest path %d"):format(plural(info.tasks, "task"), plural(info.edges, "edge"),
      info.depth) }
end

-- ---- Graphviz -----------------------------------------------------------------------------------

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- The program to draw with, or nil: TIDEMILL_DOT names it, or is "off"; whether it does.
local function program()
  local name = core.env("TIDEMILL_DOT") or ""
  if name == "off" then return nil end
  local wanted = quote(name == "" and "dot" or name)
  if core.execute(("command -v %s >/dev/null 2>&1"):format(wanted)) == 0 then return wanted, name ~= "" end
  if name ~= "" then
    error(("visualize: TIDEMILL_DOT: expected a program, or \"off\"; there is no %s"):format(
      shown.value(name)), 0)
  end
end

local function draw_in(files, dot, text)
  core.write_file(files.text, text)
  local status = core.execute(("exec %s -Tsvg <%s >%s 2>%s"):format(dot, quote(files.text),
    quote(files.picture), quote(files.complaints)))
  if status ~= 0 then
    local complaint = core.read_file(files.complaints):match("%S[^\n]*")
    error(("visualize: Graphviz failed: %s; TIDEMILL_DOT=off draws without it"):format(complaint
      or "status " .. status), 0)
  end
  return core.read_file(files.picture)
end

local function by_graphviz(dot, text)
  local files = { text = os.tmpname(), picture = os.tmpname(), complaints = os.tmpname() }
  local good, result = pcall(draw_in, files, dot, text)
  for _, path in pairs(files) do os.remove(path) end
  if not good then error(result, 0) end
  return result
end

-- ---- the file -----------------------------------------------------------------------------------

local function check_file(file, level)
  if type(file) ~= "string" then
    error(("visualize: expected a file name such as \"graph.svg\", got %s"):format(
      shown.value(file)), level + 1)
  end
  local ending = file:lower():match("[^/]%.(%a+)$")
  if ending ~= "svg" and ending ~= "dot" then
    error(("visualize: %s: expected a name that ends in .svg or .dot"):format(file), level + 1)
  end
  return ending
end

local function check_choice(given, name, first, second, level)
  local value = given[name]
  if value ~= nil and value ~= first and value ~= second then
    error(("visualize: option \"%s\": expected \"%s\" or \"%s\", got %s"):format(name, first, second,
      shown.value(value)), level + 1)
  end
end

local function is_long(text)
  local width, height = text:match("<svg width=\"(%d+)pt\" height=\"(%d+)pt\"")
  return width ~= nil and math.max(tonumber(width), tonumber(height)) > most_points
end

local function svg_text(nodes, info, file, given)
  local dot, named = program()
  if dot then
    local text = by_graphviz(dot, require("tidemill.dot").text(picture_of(nodes, info, given)))
    if named or info.tasks > most_tasks or not is_long(text) then return text end
  end
  if info.tasks > most_tasks then
    error(("visualize: %s: %d tasks, and without Graphviz at most %d are drawn; install graphviz, or "
      .. "write a .dot file"):format(file, info.tasks, most_tasks), 0)
  end
  return require("tidemill.svg").text(picture_of(nodes, info, given))
end

--- Draws the graph below `nodes`; wrong use is raised at `level`.
---@param nodes tidemill.node[]
---@param file string
---@param given? {rankdir?: "TB"|"LR", color?: "state"|"time"}
---@param level integer
function visualize.draw(nodes, file, given, level)
  local ending = check_file(file, level)
  given = options.only(given, { "rankdir", "color" }, "visualize", level)
  check_choice(given, "rankdir", "TB", "LR", level)
  check_choice(given, "color", "state", "time", level)
  local info = view.info(nodes)
  local text
  if ending == "dot" then
    text = require("tidemill.dot").text(picture_of(nodes, info, given))
  else
    text = svg_text(nodes, info, file, given)
  end
  core.write_file(file, text)
end

--- Draws the graph below several nodes: tm.visualize({a, b}, "x.svg").
---@param nodes tidemill.node|table
---@param file string
---@param given? {rankdir?: "TB"|"LR", color?: "state"|"time"}
function visualize.many(nodes, file, given)
  local list = view.nodes(nodes)
  if #list == 0 then
    error("visualize: expected visualize({node, ...}, file, options) with a lazy node or a table of them", 2)
  end
  visualize.draw(list, file, given, 3)
end

return visualize
