-- map: one function over many items, in parallel.
local new_table = require("table.new")
local core = require("tidemill.core")
local compute = require("tidemill.compute")
local feed = require("tidemill.feed")
local future = require("tidemill.future")
local task = require("tidemill.task")

local map = {}

local most_at_once = 1000000 -- places of results that are made before there are any

-- Items with options of their own, all there at once: one graph of nodes.
local function map_nodes(job)
  local nodes, count = {}, 0
  for _, item in job.next do
    count = count + 1
    nodes[count] = feed.node(job, item, count)
  end
  local results = compute.list(nodes, { distribution = job.strategy, seed = job.base })
  results.n = count
  return results
end

local function raise_first(first, failed)
  first.error.failed = failed
  error(first.error, 0)
end

--- Applies `fn` to each item of a list or an iterator in parallel and returns the results in order,
--- with `n`.  An item that fails raises its error when all have ended.
---@param fn function|tidemill.delayed
---@param list table|tidemill.array|fun(): any
---@param given? table options of the task, and window, progress, distribution
---@return table
function map.map(fn, list, given)
  local job = feed.job("map", fn, list, given, 2)
  if not job.grouped and job.total and not job.window and not job.progress then return map_nodes(job) end
  local results, first, failed = new_table(math.min(job.total or 0, most_at_once), 1), nil, 0
  results.n = feed.run(job, function(i, fine, value)
    if fine then
      results[i] = value
    else
      failed = failed + 1
      if not first or i < first.index then first = { index = i, error = value } end
    end
  end)
  if first then raise_first(first, failed) end
  return results
end

--- Starts one task an item; futures in order, with `n`.  With `window` it waits until so many of
--- them, at most, have not ended.
---@param fn function|tidemill.delayed
---@param list table|tidemill.array|fun(): any
---@param given? table options of the task, and window, progress, distribution
---@return tidemill.future[]
function map.submit_all(fn, list, given)
  local job = feed.job("submit_all", fn, list, given, 2)
  local futures, count, ended = {}, 0, 0
  local selector = job.window and core.selector()
  local function note_end()
    ended = ended + 1
    if job.progress then job.progress(ended, job.total) end
  end
  for _, item in job.next do
    while job.window and count - ended >= job.window do
      future.next_fired(selector)
      note_end()
    end
    count = count + 1
    local handle = feed.node(job, item, count)
    futures[count] = future.start(handle, job.strategy, job.base)
    if selector and core.select_add(selector, futures[count].run, count) then note_end() end
  end
  futures.n = count
  return futures
end

--- Calls fn(...) once on each worker; the results in the order of the workers.
---@param fn function|tidemill.delayed
---@param ... any
---@return table results, with `n`
function map.each_worker(fn, ...)
  if type(fn) == "function" then
    fn = task.delayed(fn)
  elseif not task.is(fn) then
    error("each_worker: expected each_worker(function, ...), got a " .. type(fn), 2)
  end
  task.check_one(fn, "each_worker", 2)
  local nodes, count = {}, math.max(1, core.stats().workers)
  for i = 1, count do nodes[i] = fn(...) end
  local results = compute.list(nodes, { distribution = "pinned" })
  results.n = count
  return results
end

return map
