-- count: how many tasks compute() runs for a lazy array, from what its stages know of themselves.
-- Nothing is planned or computed: the number is printed wherever a lazy array is, and an array of
-- 80 GB has thousands of chunks.
-- SPDX-License-Identifier: MIT

local plan = require("tidemill.lazy.plan")
local run = require("tidemill.lazy.run")

local count = {}

local MOST = 150 -- tasks that are met one by one before the rest is left uncounted
local LONG = 200 -- operations: a longer expression is not looked at

local enough = {} -- thrown when there are more

-- ---- a planner that counts --------------------------------------------------------------------------

-- What stands for the results of a task that gives several: each that is used is a task of its own.
local function stand_ins(name, results)
  local list = {}
  for i = 1, results do list[i] = { parts = {}, shape = {}, output = ("%s #%d"):format(name, i) } end
  return list
end

-- Something is made of what stands for a chunk.
local function use(planner, value)
  local output = type(value) == "table" and value.output
  if not output then return end
  planner.visit(output)
  value.output = nil
  planner.tasks_made = planner.tasks_made + 1
end

-- Counts the tasks of all chunks of a stage: in one step where it knows (all), however many they are, else
-- chunk by chunk.
local function count_stage(planner, stage)
  if stage.counted then return end
  local own, inputs
  if stage.all and not stage.begun and not planner.one_by_one then own, inputs = stage.all() end
  if not own then
    for number = 1, stage.grid.chunks do use(planner, stage.chunk(number)) end
    return
  end
  stage.counted = true
  planner.tasks_made = planner.tasks_made + own
  for _, input in ipairs(inputs) do count_stage(planner, input) end
end

--- A planner that makes no tasks: count(stage) adds up those of a stage in its field tasks_made, and
--- visit(name) is called for those that are met one by one; one_by_one: for all of them.
function count.planner(visit, one_by_one)
  local planner
  local function emit(name, _, ...)
    local results = 1
    if type(name) == "table" then name, results = name.name, name.nout or 1 end
    visit(name)
    for i = 1, select("#", ...) do use(planner, (select(i, ...))) end
    if results == 1 then return plan.stand_in end
    return unpack(stand_ins(name, results))
  end
  planner = plan.new(emit, emit)
  planner.counting, planner.one_by_one, planner.visit = true, one_by_one, visit
  planner.count, planner.use, planner.stand_ins = count_stage, use, stand_ins
  function planner.give_up() error(enough, 0) end
  return planner
end

-- ---- counting -----------------------------------------------------------------------------------------

local function planned(e)
  local met = 0
  local planner = count.planner(function()
    met = met + 1
    if met > MOST then error(enough, 0) end
  end)
  local fine, failure = pcall(function()
    local own = planner:prepare({ e })[1]
    if planner.canon.count > LONG then planner.give_up() end
    local stage = planner:stage(own)
    planner.tasks_made = planner.tasks_made + run.places(own, stage)
    planner:count(stage)
  end)
  if not fine and failure ~= enough then error(failure, 0) end
  return planner.tasks_made, not fine
end

--- How many tasks computing an expression takes; true: at least so many, 0: nobody knows.
---@return integer tasks, boolean more
function count.tasks(e)
  if e.own_tasks then return e.own_tasks, e.more_tasks end
  local tasks, more = 0, false
  if not run.is_at_once(e) then tasks, more = planned(e) end
  e.own_tasks, e.more_tasks = tasks, more
  return tasks, more
end

return count
