-- view: graphs looked at: their size, and their tasks and edges as plain tables.
local core = require("tidemill.core")
local node = require("tidemill.node")
local task = require("tidemill.task")
local sorted = require("tidemill.sorted")

local view = {}

--- What lies below a node, itself included.
---@class tidemill.info
---@field tasks integer
---@field layers integer distinct task names, as Dask counts high-level layers
---@field depth integer tasks on the longest path
---@field edges integer pairs of a task and one whose result it needs
---@field bytes integer memory of the nodes and their arguments
---@field names table<string, integer> tasks of each name

--- How large the graph below these nodes is.  Walks it once, without a table per task.
---@param nodes tidemill.node[]
---@return tidemill.info
function view.info(nodes)
  local tasks, edges, depth, bytes, counts = core.info(nodes)
  local names, layers = {}, 0
  for number, count in pairs(counts) do
    local name = task.name(number)
    if not names[name] then layers = layers + 1 end
    names[name] = (names[name] or 0) + count
  end
  return { tasks = tasks, layers = layers, depth = depth, edges = edges, bytes = bytes, names = names }
end

-- Nodes of any nesting of tables, in an order that is the same everywhere.
local function gather(value, nodes, seen)
  if node.is(value) then
    nodes[#nodes + 1] = value
  elseif type(value) == "table" and getmetatable(value) == nil and not seen[value] then
    seen[value] = true
    for _, member in sorted.pairs(value) do gather(member, nodes, seen) end
  end
  return nodes
end

--- The nodes of a node or of a table of them, any nesting.
---@return tidemill.node[]
function view.nodes(value) return gather(value, {}, {}) end

-- index -> {state, seconds, worker} of recent runs; empty where nothing has run.
local function states_of(nodes)
  local states = {}
  if not core.node_states then return states end
  for _, handle in ipairs(nodes) do
    for index, state in pairs(core.node_states(handle) or {}) do states[index] = state end
  end
  return states
end

--- A task of a picture.
---@class tidemill.view.task
---@field name string
---@field index integer of its node
---@field inputs integer[] numbers of the tasks whose results it needs, each once
---@field state string "pending", "finished", "failed", "skipped", "cancelled" or "hit"
---@field seconds? number
---@field worker? integer

--- The graph below these nodes: tasks in a list, inputs before what needs them.
---@param nodes tidemill.node[]
---@return tidemill.view.task[]
function view.tasks(nodes)
  local flat, states = core.view(nodes), states_of(nodes)
  local tasks, from = {}, 1
  for i = 1, flat.count do
    local index, inputs = flat.indexes[i], {}
    for k = from, flat.ends[i] do inputs[#inputs + 1] = flat.inputs[k] end
    from = flat.ends[i] + 1
    local known = states[index] or {}
    tasks[i] = { name = task.name(flat.functions[i]), index = index, inputs = inputs,
      state = known.state or "pending", seconds = known.seconds, worker = known.worker }
  end
  return tasks
end

--- How a task is called, such as `add(inc, 3)`: inputs stand as their names, long values cut short.
---@param one tidemill.view.task
---@param tasks tidemill.view.task[]
---@return string
function view.call(one, tasks)
  local names = {}
  for _, input in ipairs(one.inputs) do names[tostring(tasks[input].index)] = tasks[input].name end
  return ("%s(%s)"):format(one.name, (core.arguments(one.index):gsub("\1(%d+)\2", names)))
end

--- A number of seconds for people: 12.3 ms.
---@param seconds number
---@return string
function view.duration(seconds)
  if seconds >= 100 then return ("%.0f s"):format(seconds) end
  if seconds >= 1 then return ("%.3g s"):format(seconds) end
  if seconds >= 1e-3 then return ("%.3g ms"):format(seconds * 1e3) end
  return ("%.3g us"):format(seconds * 1e6)
end

return view
