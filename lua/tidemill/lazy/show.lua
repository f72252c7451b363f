-- show: lazy arrays and their plans as text.
-- SPDX-License-Identifier: MIT

local count = require("tidemill.lazy.count")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local run = require("tidemill.lazy.run")

local show = {}

local units = { { 2^50, "PiB" }, { 2^40, "TiB" }, { 2^30, "GiB" }, { 2^20, "MiB" }, { 2^10, "KiB" } }

local function bytes_text(bytes)
  for _, unit in ipairs(units) do
    if bytes >= unit[1] then return ("%.3g %s"):format(bytes / unit[1], unit[2]) end
  end
  return bytes .. " bytes"
end

local function shape_text(dims)
  return #dims == 0 and "one value" or table.concat(dims, " x ")
end

local function tasks_text(e)
  local tasks, more = count.tasks(e)
  if tasks == 0 then return more and "tasks not counted" or "no task" end
  return ("%s%d %s"):format(more and "at least " or "", tasks, tasks == 1 and "task" or "tasks")
end

-- Chunks and tasks; an array of too many chunks still prints.
local function work_text(e)
  local fine, g = pcall(lazy.grid, e)
  if not fine then
    if not tostring(g):find("too many", 1, true) then error(g, 0) end
    return "too many chunks", "tasks not counted"
  end
  local chunks = g.chunks == 1 and "one chunk" or ("%d chunks of %s"):format(g.chunks, grid.text(g))
  return chunks, tasks_text(e)
end

--- One line: shape, type, chunks, size, the tasks that compute() runs, and whether the chunks are kept
--- (persist) or not computed.
function show.text(e)
  local chunks, tasks = work_text(e)
  local bytes = expr.length(e.dims) * require("tidemill.dtype").size(e.dtype)
  local state = e.op == "stored" and "kept" or "not computed"
  return ("lazy array %s %s, %s, %s, %s, %s: a:compute()"):format(shape_text(e.dims), e.dtype, chunks,
    bytes_text(bytes), tasks, state)
end

---@class tidemill.plan
---@field tasks integer tasks that computing takes; 0 where the caller does the work itself
---@field stages {name: string, tasks: integer, fused: string[]}[] in the order in which they are first needed
local meta = {}

function meta.__tostring(self)
  local lines = { ("plan of %d %s"):format(self.tasks, self.tasks == 1 and "task" or "tasks") }
  for _, stage in ipairs(self.stages) do
    local line = ("  %6d  %s"):format(stage.tasks, stage.name)
    if stage.fused and #stage.fused > 0 then
      line = line .. " of " .. table.concat(stage.fused, ", ") .. (#stage.fused > 1 and ", in one pass" or "")
    end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n")
end

--- How an expression would run.
---@return tidemill.plan
function show.plan(e)
  if run.is_at_once(e) then return setmetatable({ tasks = 0, stages = {} }, meta) end
  local stages, by_name = {}, {}
  local function add(name, tasks)
    local stage = by_name[name]
    if not stage then
      stage = { name = name, tasks = 0 }
      by_name[name] = stage
      stages[#stages + 1] = stage
    end
    stage.tasks = stage.tasks + tasks
  end
  local planner = count.planner(function(name) add(name, 1) end, true)
  e = planner:prepare({ e })[1]
  local stage = planner:stage(e)
  planner:count(stage)
  local places = run.places(e, stage)
  if places > 0 then add("place", places) end
  for _, entry in ipairs(planner.log) do
    local found = by_name[entry.name:match("^[^,]+")]
    if found then found.fused = entry.fused end
  end
  return setmetatable({ tasks = planner.tasks_made + places, stages = stages }, meta)
end

return show
