-- graph: lazy nodes looked at: :graph, :explain.  SPDX-License-Identifier: MIT
local session = require("repl.session")
local show = require("repl.show")

local graph = {}

local most_lines = 60

local function is_lazy(value)
  local lazy = package.loaded["tidemill.lazy"]
  return lazy and lazy.is(value)
end

local function node_of(text, command)
  local value = session.values(text, command)
  if require("tidemill.future").is(value) then value = value:as_node() end
  if is_lazy(value) then return value:node() end
  if type(value) == "table" and type(value.node) == "function" then value = value:node() end
  if not require("tidemill.node").is(value) then
    error(("%s: %s is a %s, expected a lazy node"):format(command, text, type(value)), 0)
  end
  return value
end

-- As view.call, but for packed numbers, which chunks of arrays are described by.
local function call_of(task, tasks)
  return (require("tidemill.view").call(task, tasks):gsub("\"[^\"]-\\%d[^\"]*\"", "<bytes>"))
end

-- The tree below task `number`, its inputs indented; a task that several need is drawn once.
local function branch(tasks, number, lead, tail, drawing)
  local view, task = require("tidemill.view"), tasks[number]
  local again = drawing.seen[number]
  if #drawing.lines >= most_lines then
    drawing.left = drawing.left + (again and 0 or 1)
    drawing.seen[number] = true
    if again then return end
  else
    local state = task.state ~= "pending" and " " .. task.state or ""
    local seconds = task.seconds and " in " .. view.duration(task.seconds) or ""
    table.insert(drawing.lines, lead .. (again and task.name .. " (above)"
      or call_of(task, tasks) .. state .. seconds))
    if again then return end
    drawing.seen[number] = true
  end
  for i, input in ipairs(task.inputs) do
    local last = i == #task.inputs
    branch(tasks, input, tail .. (last and "└─ " or "├─ "), tail .. (last and "   " or "│  "), drawing)
  end
end

local function draw(node)
  local info = node:info()
  if info.tasks > 10000 then
    error((":graph: %s are too many for a terminal; :graph NODE FILE.svg, or node:info()"):format(
      show.plural(info.tasks, "task")), 0)
  end
  local tasks = require("tidemill.view").tasks({ node })
  local drawing = { lines = {}, seen = {}, left = 0 }
  branch(tasks, #tasks, "", "", drawing)
  if drawing.left > 0 then
    table.insert(drawing.lines, ("... and %s"):format(show.plural(drawing.left, "more task")))
  end
  session.say(table.concat(drawing.lines, "\n"))
end

local function run_graph(rest)
  local text, path = rest:match("^(.-)%s+(%S+%.svg)$")
  if not text then text, path = rest:match("^(.-)%s+(%S+%.dot)$") end
  local node = node_of(text or rest, ":graph")
  if not path then return draw(node) end
  node:visualize(path)
  session.say("drawn to " .. path)
end

local function run_explain(rest)
  session.say((tostring(node_of(rest, ":explain"):explain()):gsub("\n+$", "")))
end

graph[1] = { name = "graph", usage = "NODE [FILE.svg]", run = run_graph,
  help = "draw its graph here, or to a file" }
graph[2] = { name = "explain", usage = "NODE", run = run_explain,
  help = "where its tasks run, what the cache knows, and why" }

return graph
