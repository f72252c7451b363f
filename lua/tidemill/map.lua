-- map: one function over many items, in parallel, results in order.
local task = require("tidemill.task")
local future = require("tidemill.future")
local compute = require("tidemill.compute")
local options = require("tidemill.options")

local map = {}

local function check(what, fn, list, given)
  if type(list) ~= "table" then
    error(("%s: expected %s(function, list, options), got a %s as the list"):format(what, what,
      type(list)), 3)
  end
  if type(fn) == "function" then return task.delayed(fn, options.task(given, 3)) end
  if not task.is(fn) then
    error(("%s: expected a function, got a %s"):format(what, type(fn)), 3)
  end
  return given and fn:with(given) or fn
end

local function build(fn, list)
  local nodes, count = {}, list.n or #list
  for i = 1, count do nodes[i] = fn(list[i]) end
  return nodes, count
end

--- Applies `fn` to each item in parallel and returns the results in order, with `n`.
---@param fn function|tidemill.delayed
---@param list table
---@param given? table options of the task
---@return table
function map.map(fn, list, given)
  fn = check("map", fn, list, given)
  local nodes, count = build(fn, list)
  local results = compute.all(nodes)
  results.n = count
  return results
end

--- Starts one task per item; a list of futures.
---@return tidemill.future[]
function map.submit_all(fn, list, given)
  fn = check("submit_all", fn, list, given)
  local nodes, count = build(fn, list)
  local futures = { n = count }
  for i = 1, count do futures[i] = future.start(nodes[i]) end
  return futures
end

return map
