-- feed: many items through one function, in parallel, a bounded number of them at a time: what map,
-- batch and submit_all share.
--
-- Items that need nothing of their own travel in groups, so that a task takes about ten
-- milliseconds: large enough that its cost does not count, small enough to spread.  Groups begin
-- with one item each and grow by what has been measured.
local new_table = require("table.new")
local core = require("tidemill.core")
local array = require("tidemill.array")
local errors = require("tidemill.errors")
local lists = require("tidemill.array.fill")
local holdings = require("tidemill.holdings")
local node = require("tidemill.node")
local numbers = require("tidemill.numbers")
local options = require("tidemill.options")
local shown = require("tidemill.shown")
local task = require("tidemill.task")
local wait = require("tidemill.wait")

local feed = {}

local group_seconds = 0.01
local seconds_per_worker = 0.001 -- a group takes the script about 0.1 ms: at most a tenth of its time
local largest_group = 4096
local most_waiting = 10000 -- items that wait hold no worker

-- ---- what is to be done --------------------------------------------------------------------------

local feed_options = { window = true, progress = true, distribution = true }

-- Options that belong to single items: then each item has a task of its own.
local own_task = { "cache", "retries", "resources", "affinity", "nout", "seed", "files", "version", "cost",
  "timeout", "memory", "isolate" }

local function part_options(what, given, level)
  local of_task, of_feed = {}, {}
  for name, value in pairs(given or {}) do
    (feed_options[name] and of_feed or of_task)[name] = value
  end
  local window, progress = of_feed.window, of_feed.progress
  if window ~= nil and (type(window) ~= "number" or window < 1 or window % 1 ~= 0) then
    error(("%s: window: expected a whole number from 1, got %s"):format(what,
      shown.value(window)), level + 1)
  end
  if progress ~= nil and type(progress) ~= "function" then
    error(("%s: progress: expected a function of (done, total), got a %s"):format(what, type(progress)),
      level + 1)
  end
  require("tidemill.compute").check({ distribution = of_feed.distribution }, what, level + 1)
  return of_task, of_feed
end

-- The elements of an array; the rows of one of several axes.
local function items_of(a)
  if a.ndim == 1 then return a:totable() end
  local list = { n = #a }
  for i, row in a:iter() do list[i] = row end
  return list
end

-- An iterator over the items: a function that gives true and the next one, nil at the end; of a list
-- also how many there are, and the list.
local function reader(what, list, level)
  if type(list) == "function" then
    local ended = false
    return function()
      if ended then return nil end
      local item = list()
      ended = item == nil
      return not ended or nil, item
    end
  end
  if array.is(list) then list = items_of(list) end
  local lazy = node.is(list) and "lazy node" or require("tidemill.future").is(list) and "future"
  if require("tidemill.channel").is(list) then
    error(("%s: a channel is no list; pass channel:iter()"):format(what), level + 1)
  end
  if type(list) ~= "table" or lazy then
    error(("%s: expected %s(function, list, options), got a %s as the list"):format(what, what,
      lazy or type(list)), level + 1)
  end
  local at, count = 0, rawget(list, "n") or #list
  local problem = lists.length_problem(count, what)
  if problem then error(problem, level + 1) end
  return function()
    if at >= count then return nil end
    at = at + 1
    return true, list[at]
  end, count, list
end

--- Checks the arguments of map and its like; `places`: of items that are some of a longer list, which.
---@return table job
function feed.job(what, fn, list, given, level, places)
  if given ~= nil and type(given) ~= "table" then
    options.task(given, level + 1)
  end
  local of_task, of_feed = part_options(what, given, level + 1)
  fn = task.callable(fn)
  if type(fn) == "function" then
    fn = task.delayed(fn, options.task(of_task, level + 1, feed_options))
  elseif not task.is(fn) then
    error(("%s: expected a function, got a %s"):format(what, type(fn)), level + 1)
  elseif next(of_task) ~= nil then
    options.task(of_task, level + 1, feed_options)
    fn = fn:with(of_task)
  end
  task.check_one(fn, what, level + 1)
  local next_item, total, items = reader(what, list, level + 1)
  local record = fn.record
  local grouped = true
  for _, name in ipairs(own_task) do
    if record[name] and record[name] ~= 0 then grouped = false end
  end
  -- Items of these lanes wait, or die, each for itself.
  local lane = record.lane == nil and record.kind == "io" and "loop" or record.lane
  if lane == "loop" or lane == "process" then grouped = false end
  return { what = what, fn = fn, next = next_item, total = total, list = items, grouped = grouped,
    window = of_feed.window, progress = of_feed.progress, strategy = of_feed.distribution,
    base = core.stream_base(), waits = lane == "loop", places = places }
end

-- ---- feeding -------------------------------------------------------------------------------------

local function new_state(job, keep)
  local workers = math.max(1, core.stats().active)
  return {
    job = job, keep = keep, selector = core.selector(), flights = {}, last = 0,
    flying = 0, items = 0, -- in flight: tasks, items
    taken = 0, done = 0, ended = false,
    slots = 2 * workers + 2, size = 1, workers = workers,
    group_seconds = math.max(group_seconds, seconds_per_worker * workers),
  }
end

-- How many items the next task takes.
local function group_size(state)
  local job = state.job
  if not job.grouped then return 1 end
  local size = state.size
  if job.total then
    size = math.min(size, math.ceil((job.total - state.taken) / (2 * state.workers)))
  end
  if job.window then size = math.min(size, math.floor(job.window / state.slots)) end
  return math.max(1, math.min(size, largest_group))
end

local function take_from_list(list, taken, wanted)
  local items = new_table(wanted, 0)
  for i = 1, wanted do items[i] = list[taken + i] end
  return items
end

local function take_items(state)
  local job, wanted = state.job, group_size(state)
  if job.list then
    local count = math.min(wanted, job.total - state.taken)
    state.ended = state.taken + count == job.total
    return take_from_list(job.list, state.taken, count), count
  end
  local items, count = {}, 0
  while count < wanted do
    local present, item = job.next()
    if not present then
      state.ended = true
      break
    end
    count = count + 1
    items[count] = item
  end
  return items, count
end

local function grouped(job)
  if not job.group then
    local name, priority = task.name_of(job.fn), job.fn.record.priority
    job.group = task.delayed(require("tidemill.group").body(job.fn.record.fn, job.base, job.what == "batch"),
      { name = name, priority = priority })
  end
  return job.group
end

-- What cannot be sent stands, as the engine sees it, in the first argument of a task.  Which of its items
-- that is, and the same text with its place in the whole.
local function blame(job, problem, first)
  if type(problem) ~= "string" or not problem:find("^cannot send ") then return nil, problem end
  local i, lead, rest
  if job.grouped then
    lead, i, rest = problem:match("^(.-%()argument 1, field %[(%d+)%](.*)$")
    if i and rest:find("^[.[]") then rest = ", field " .. rest end
  else
    lead, rest = problem:match("^(.-%()argument 1(.*)$")
    i = 1
  end
  if not rest then return nil, problem end
  local place = first + tonumber(i) - 1
  return tonumber(i), ("%sitem %d%s"):format(lead, job.places and job.places[place] or place, rest)
end

-- The node of items `first`.. of the whole; else nil, which of them cannot cross, if one is to blame, and
-- why.
local function node_of(job, items, count, first)
  local fine, made
  if job.grouped then
    fine, made = pcall(grouped(job), numbers.pack(items, count) or items, count, first)
  else
    fine, made = pcall(job.fn, items[1])
  end
  if not fine then return nil, blame(job, made, first) end
  node.set_place(made, first)
  return made
end

--- The node of one item, number `i`, of a job whose items have tasks of their own.
function feed.node(job, item, i)
  local made, _, problem = node_of({ fn = job.fn }, { item }, 1, i)
  return made or error(problem, 0)
end

local refuse

local function start(state, items, count)
  local job, first = state.job, state.taken + 1
  local handle, culprit, problem = node_of(job, items, count, first)
  if not handle then return refuse(state, items, count, culprit, problem) end
  local run = core.run({ handle }, task.record, job.strategy, job.base)
  -- What the function names was taken down by the first run: one copy for all groups, whose record is
  -- nobody else's.  Tasks of single items are those of the function that was given, which others use too.
  if job.group then job.group.record.frozen = true end
  state.last = state.last + 1
  state.flights[state.last] = { run = run, node = handle, items = items, count = count, first = first,
    began = core.clock() }
  state.flying, state.items, state.taken = state.flying + 1, state.items + count, state.taken + count
  if core.select_add(state.selector, run, state.last) then
    state.at_once = state.at_once or {}
    table.insert(state.at_once, state.last)
  end
end

local function note_done(state, count)
  state.done = state.done + count
  if state.job.progress then state.job.progress(state.done, state.job.total) end
end

-- An item cannot cross: in a batch it fails alone, and its neighbours go without it.
function refuse(state, items, count, culprit, problem)
  local job = state.job
  if job.what ~= "batch" or not culprit then error(problem, 0) end
  local function part(from, to)
    if from <= to then start(state, { unpack(items, from, to) }, to - from + 1) end
  end
  part(1, culprit - 1)
  state.taken = state.taken + 1
  state.keep(state.taken, false, errors.new({ message = problem, task = task.name_of(job.fn), attempt = 0 }),
    0, items[culprit])
  note_done(state, 1)
  part(culprit + 1, count)
end

local function has_room(state)
  local window = state.job.window
  if state.ended or (window and state.items >= window) then return false end
  local job = state.job
  if job.waits then return state.flying < (window or most_waiting) end
  if not job.grouped then return state.flying < (window or 64 * state.slots) end
  if not state.measured then return state.flying < 4 * state.slots end
  -- Items that take long each are cheap to hold, and those that wait hold no worker: many of them.
  return state.flying < (state.size > 1 and state.slots or window or 64 * state.slots)
end

local function fill(state)
  while has_room(state) do
    local items, count = take_items(state)
    if count > 0 then start(state, items, count) end
  end
end

-- A failed or lost task of one item, or a group that failed as a whole.
local function failed_task(state, value, name)
  if state == "cancelled" then return errors.new({ message = "the run was cancelled" }) end
  if state == "lost" then return errors.new({ message = "a result could not be read back" }) end
  return require("tidemill.compute").error(value, name)
end

-- keep(i, true, value) or keep(i, false, error, seconds, item).
local function land(state, flight)
  local keep = state.keep
  local what, value, name = core.outcome(flight.run, 1)
  core.release(flight.run)
  local seconds = core.clock() - flight.began
  if what ~= "finished" then
    local problem = failed_task(what, value, name)
    for i = 1, flight.count do keep(flight.first + i - 1, false, problem, seconds, flight.items[i]) end
  elseif not state.job.grouped then
    keep(flight.first, true, value)
  else
    local failures, values = value.failures or {}, value.values
    if array.is(values) then values = numbers.unpack(values, flight.count) end
    for i = 1, flight.count do
      local failure = failures[i]
      if failure then
        keep(flight.first + i - 1, false, errors.new(failure.error), failure.time, flight.items[i])
      else
        keep(flight.first + i - 1, true, values[i])
      end
    end
    local wanted = state.group_seconds / math.max(value.seconds / flight.count, 1e-9)
    if holdings.is_short() then
      state.size = math.max(1, math.floor(state.size / 2))
    else
      state.size = math.max(1, math.min(math.floor(wanted), 16 * state.size))
    end
    state.measured = true
  end
  state.flying, state.items = state.flying - 1, state.items - flight.count
  note_done(state, flight.count)
end

local function next_landed(state)
  local at_once = state.at_once
  if at_once and at_once[1] then return table.remove(at_once) end
  local what, tag = wait.call(core.select_next, state.selector)
  return what == "fired" and tag or nil
end

local function cancel_flights(state)
  for _, flight in pairs(state.flights) do core.cancel(flight.run) end
end

local function run(state)
  fill(state)
  while state.flying > 0 do
    local tag = next_landed(state)
    local flight = state.flights[tag]
    state.flights[tag] = nil
    land(state, flight)
    fill(state)
  end
end

--- Runs a job to its end; every item is handed to keep(i, fine, value or error, seconds, item), in
--- the order in which they end.  Gives the number of items.
function feed.run(job, keep)
  local state = new_state(job, keep)
  local fine, problem = pcall(run, state)
  if not fine then -- interrupted, cancelled, or the iterator or progress has raised
    cancel_flights(state)
    -- What cannot cross was found in the function, not in what carries it.
    if type(problem) == "string" then problem = problem:gsub("(task \"[^\"]*\"), upvalue fn", "%1", 1) end
    error(problem, 0)
  end
  return state.taken
end

return feed
