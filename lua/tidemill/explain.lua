-- explain: why the tasks below a node would run where they run, and what becomes of their results.
local core = require("tidemill.core")
local task = require("tidemill.task")
local view = require("tidemill.view")

local explain = {}

--- What is to be said of the tasks of one delayed function.
---@class tidemill.explanation.function
---@field name string
---@field tasks integer how many there are
---@field lane "thread"|"serial"|"loop"|"process"
---@field why string the option that has decided the lane; "" where none did
---@field cached boolean whether results are kept
---@field refusal? string why they are not although `cache` asks for it
---@field states table<string, integer> what came of the tasks in the last run: "pending", "finished", ..

--- Prints as text; a list, the node's own function last.
---@class tidemill.explanation
---@field [integer] tidemill.explanation.function

local meta = { __name = "tidemill.explanation" }

local function count_text(count, what)
  return ("%d %s%s"):format(count, what, count == 1 and "" or "s")
end

local function states_text(states)
  local names, parts = {}, {}
  for name in pairs(states) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = ("%d %s"):format(states[name], name) end
  return table.concat(parts, ", ")
end

local function lane_text(one)
  local text = one.lane .. " lane"
  if one.why ~= "" then text = ("%s, by %s"):format(text, one.why) end
  return text
end

local function cache_text(one)
  if one.refusal then return "not cached: " .. one.refusal end
  return one.cached and "cached" or "not cached"
end

function meta.__tostring(self)
  local lines, widest = {}, 0
  for _, one in ipairs(self) do widest = math.max(widest, #one.name) end
  for i, one in ipairs(self) do
    lines[i] = ("%-" .. widest .. "s  %s; %s; %s (%s)"):format(one.name, lane_text(one), cache_text(one),
      count_text(one.tasks, "task"), states_text(one.states))
  end
  return table.concat(lines, "\n")
end

-- The delayed functions of a graph in the order in which their tasks come first.
local function functions_of(nodes)
  local flat, numbers = core.view(nodes), {}
  local tasks, by_number = view.tasks(nodes), {}
  for i = 1, flat.count do
    local number = flat.functions[i]
    local one = by_number[number]
    if not one then
      one = { name = tasks[i].name, number = number, tasks = 0, states = {} }
      by_number[number], numbers[#numbers + 1] = one, one
    end
    one.tasks = one.tasks + 1
    one.states[tasks[i].state] = (one.states[tasks[i].state] or 0) + 1
  end
  return numbers
end

--- What node:explain() gives.
---@param handle tidemill.node
---@return tidemill.explanation
function explain.node(handle)
  local list = functions_of({ handle })
  for _, one in ipairs(list) do
    one.lane, one.why, one.cached, one.refusal = core.describe(one.number, task.record)
    one.number = nil
  end
  return setmetatable(list, meta)
end

return explain
