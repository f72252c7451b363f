-- future: tasks that have been started and whose results somebody may ask for.
local core = require("tidemill.core")
local node = require("tidemill.node")
local shown = require("tidemill.shown")
local task = require("tidemill.task")
local compute = require("tidemill.compute")
local errors = require("tidemill.errors")
local fill = require("tidemill.array.fill")
local receiver = require("tidemill.receiver")
local wait = require("tidemill.wait")

local future = {}

---@class tidemill.future
---@field key string? of a cached task, once its inputs are there: 32 hexadecimal digits
local methods = {}
local meta = { __name = "tidemill.future" }

-- What other engines call what is here :result(), :status() or tm.as_completed.  Any other unknown field
-- is nil: who is given a future among tables may look for a first element, or `n`.
local elsewhere = { get = true, compute = true, await = true, done = true, exception = true,
  add_done_callback = true }

function meta.__index(self, name)
  local method = methods[name]
  if method ~= nil then return method end
  if elsewhere[name] then
    error(("a future has no \"%s\": its value is what :result() gives"):format(shown.name(name)), 2)
  end
  if name ~= "key" or not rawget(self, "run") then return nil end
  self.key = core.run_key(self.run) -- it does not change any more
  return rawget(self, "key")
end

for operation in ("add sub mul div mod pow unm concat lt le call"):gmatch("%a+") do
  meta["__" .. operation] = function()
    error("a future is not its value: call :result(), or pass it to another task", 2)
  end
end

--- The node that stands for a future's result: how it becomes an input of other tasks.
---@return tidemill.node
function future.node(self)
  future.ask(self)
  if not self.input then self.input = task.join(self.run or self.ended) end
  return self.input
end
require("tidemill.convert").add(meta, future.node)

-- Started and not yet asked for, so that the end of a script can report their errors; each with
-- its number in the order of starting.
local unasked, started = {}, 0

--- Whether `value` is a future.
function future.is(value) return type(value) == "table" and getmetatable(value) == meta end

local check_self = receiver.check(future.is, "a future", "future")

-- Those that have ended well need no report: a script that starts many and asks for none does
-- not keep their results.
local unasked_count, prune_at = 0, 1000

local function prune()
  unasked_count = 0
  for self in pairs(unasked) do
    if self.run and core.ended(self.run) and core.failure(self.run) == nil then
      unasked[self] = nil
    else
      unasked_count = unasked_count + 1
    end
  end
  prune_at = 2 * unasked_count + 1000
end

--- Starts a node.
---@return tidemill.future
function future.start(handle, strategy, seed)
  wait.check_room()
  local self = setmetatable({ node = handle, run = compute.start({ handle }, strategy, seed) }, meta)
  if core.worker then return self end -- the engine looks after what tasks start
  started, unasked_count = started + 1, unasked_count + 1
  unasked[self] = started
  if unasked_count > prune_at then prune() end
  return self
end

-- Functions that were submitted as such keep their delayed form, so that workers know them again.
local plain, plain_count, plain_limit = {}, 0, 1000

local function delayed_of(fn)
  if plain[fn] then return plain[fn] end
  if plain_count == plain_limit then plain, plain_count = {}, 0 end
  plain[fn], plain_count = task.delayed(fn), plain_count + 1
  return plain[fn]
end

--- Starts a task now: tm.submit(fn, ...), a delayed function with arguments, or a node.
---@return tidemill.future
function future.submit(fn, ...)
  if node.is(fn) then
    if select("#", ...) > 0 then error("submit: a node takes no further arguments", 2) end
    return future.start(fn)
  end
  if type(fn) == "function" then
    fn = delayed_of(fn)
  elseif not task.is(fn) then
    error("submit: expected submit(function, ...), got a " .. type(fn), 2)
  end
  task.check_one(fn, "submit", 2)
  return future.start(fn(...))
end

-- What came of a run others may need, as an input: the run is kept for it.  Of one with many tasks, which
-- take more memory than most results, only its value is.
local large_run, given = 1000, nil

local function keep_for_others(self, state, value)
  local run = self.run
  self.run, self.ended = nil, run
  if self.input or state ~= "finished" or select(2, core.counts(run)) < large_run then return end
  given = given or task.delayed(function(x) return x end, { name = "result" })
  self.input, self.ended = given(value), nil
  core.release(run)
end

local function settle(self)
  if self.state then return end
  local state, value, name = core.outcome(self.run, 1, true)
  if state == "pending" then return end
  if state == "lost" and node.is(self.node) then
    self.run = compute.start({ self.node })
    return settle(self)
  end
  if state == "finished" then
    self.state, self.value = "finished", value
  elseif name then
    local _, _, failed, skipped = core.counts(self.run)
    self.state, self.error = state == "failed" and "error" or "skipped",
      compute.error(value, name, failed, skipped)
  else
    self.state, self.error = "cancelled", errors.new({ message = "the task was cancelled" })
  end
  if core.worker then core.asked(self.run) end -- what it raises is known here from now on
  self.key = core.run_key(self.run)
  keep_for_others(self, state, value)
end

--- "pending", "running", "finished", "error", "cancelled" or "skipped".
---@return string
function methods:status()
  check_self(self, "status")
  settle(self)
  return self.state or (core.begun(self.run) and "running" or "pending")
end

local function check_seconds(what, seconds)
  if seconds ~= nil and (type(seconds) ~= "number" or seconds ~= seconds) then
    error(("%s: expected seconds as a number, got %s"):format(what,
      type(seconds) == "number" and "nan" or "a " .. type(seconds)), 3)
  end
end

--- Waits up to `seconds` (for ever without); whether the task has ended.
---@param seconds? number
---@return boolean
function methods:wait(seconds)
  check_self(self, "wait")
  check_seconds("wait", seconds)
  local until_when = seconds and core.clock() + seconds
  settle(self)
  while not self.state do
    local left = until_when and math.max(0, until_when - core.clock())
    local what = wait.call(core.wait, self.run, nil, left)
    settle(self)
    if not self.state and what == "waiting" then return false end
  end
  return true
end

--- The result; raises the task's error, or a time-out after `seconds`, which leaves it running.
---@param seconds? number
function methods:result(seconds)
  check_self(self, "result")
  check_seconds("result", seconds)
  if not self:wait(seconds) then
    error(errors.new({ message = ("no result after %g s; the task goes on"):format(seconds) }), 0)
  end
  future.ask(self)
  if self.error then error(self.error, 0) end
  return self.value
end

--- Keeps the task from starting, if it has not begun.
function methods:cancel()
  check_self(self, "cancel")
  future.ask(self)
  if self.run then core.cancel(self.run) end
end

-- ---- several at once ---------------------------------------------------------------------------

--- Tag of the next run of a selector that has ended; waits for it.
function future.next_fired(selector)
  local _, tag = wait.call(core.select_next, selector)
  return tag
end

--- for future in tm.as_completed(list) do: in the order in which they end.
---@param list tidemill.future[]
---@return fun(): tidemill.future?
function future.as_completed(list)
  if type(list) ~= "table" or future.is(list) then
    error("as_completed: expected a list of futures, got a "
      .. (future.is(list) and "future" or type(list)), 2)
  end
  local selector, ready, left = core.selector(), {}, 0
  local count = rawget(list, "n") or #list
  local problem = fill.length_problem(count, "as_completed")
  if problem then error(problem, 2) end
  for i = 1, count do
    local one = list[i]
    if not future.is(one) then
      error(("as_completed: item %d: expected a future, got a %s"):format(i, type(one)), 2)
    end
    left = left + 1
    if one.state or core.select_add(selector, one.run, i) then ready[#ready + 1] = one end
  end
  local at = 0
  return function()
    if left == 0 then return nil end
    left = left - 1
    at = at + 1
    if ready[at] then return ready[at] end
    return list[future.next_fired(selector)]
  end
end

local function cancel_all(value, seen, level)
  if future.is(value) then
    value:cancel()
  elseif type(value) == "table" and getmetatable(value) == nil and not seen[value] then
    seen[value] = true
    for key, member in pairs(value) do
      if key ~= "n" then cancel_all(member, seen, level + 1) end
    end
  else
    error("cancel: expected a future or a table of futures, got " .. shown.value(value), level + 1)
  end
end

--- Cancels a future, all futures of a table, or, without an argument, everything that was started.
---@param what? tidemill.future|table
function future.cancel(...)
  if select("#", ...) == 0 then return core.cancel_all() end
  cancel_all((...), {}, 2)
end

--- The same as a lazy node: the value is that of the started task, which does not run again.
function methods:as_node()
  check_self(self, "as_node")
  return future.node(self)
end

function meta.__tostring(self)
  return ("future of \"%s\" (%s)"):format(self.node:name(), self:status())
end

-- Somebody has asked for the result: its error is theirs.
function future.ask(self)
  unasked[self] = nil
  if self.run then core.asked(self.run) end
end

local function wait_for(value, deadline, seen, level)
  if future.is(value) then return value:wait(deadline and math.max(0, deadline - core.clock())) end
  if type(value) ~= "table" or getmetatable(value) ~= nil or seen[value] then
    error("wait: expected a future or a table of futures, got " ..
      (node.is(value) and "a lazy node, which has not started; submit it" or "a " .. type(value)), level + 1)
  end
  seen[value] = true
  local all = true
  for key, member in pairs(value) do
    if key ~= "n" then all = wait_for(member, deadline, seen, level + 1) and all end
  end
  return all
end

--- Waits for all, up to `seconds` in all; whether they have ended.
---@param list tidemill.future|table
---@param seconds? number
---@return boolean
function future.wait(list, seconds)
  check_seconds("wait", seconds)
  local all = wait_for(list, seconds and core.clock() + seconds, {}, 2)
  return all
end

--- The end of a script: waits for what runs, raises the first error that nobody has asked for.
function future.close()
  local list = {}
  local order = unasked
  for self in pairs(order) do list[#list + 1] = self end
  table.sort(list, function(a, b) return order[a] < order[b] end)
  unasked = {}
  local first
  for _, self in ipairs(list) do
    self:wait()
    if self.error and self.state ~= "cancelled" then first = first or self.error end
  end
  wait.call(core.wait_all)
  if first then error(first, 0) end
  local cause, name = core.unasked()
  if name then error(compute.error(cause, name), 0) end
end

compute.use_futures(future)

return future
