-- future: tasks that have been started and whose results somebody may ask for.
local core = require("tidemill.core")
local node = require("tidemill.node")
local task = require("tidemill.task")
local compute = require("tidemill.compute")
local errors = require("tidemill.errors")

local future = {}

---@class tidemill.future
local methods = {}
local meta = { __index = methods, __name = "tidemill.future" }

-- Started and not yet asked for, so that the end of a script can report their errors.
local unasked = {}

--- Whether `value` is a future.
function future.is(value) return type(value) == "table" and getmetatable(value) == meta end

--- Starts a node.
---@return tidemill.future
function future.start(handle)
  local self = setmetatable({ node = handle, run = compute.start({ handle }) }, meta)
  unasked[self] = true
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
  return future.start(fn(...))
end

local function settle(self)
  if self.state or not core.ended(self.run) then return end
  local state, value, name = core.outcome(self.run, 1)
  if state == "lost" then
    self.run = compute.start({ self.node })
    return settle(self)
  end
  local _, _, failed, skipped = core.counts(self.run)
  if state == "finished" then
    self.state, self.value = "finished", value
  elseif state == "failed" then
    self.state, self.error = "error", compute.error(value, name, failed, skipped)
  elseif state == "skipped" then
    self.state, self.error = "skipped", compute.error(value, name, failed, skipped)
  else
    self.state, self.error = "cancelled", errors.new({ message = "the task was cancelled" })
  end
  core.release(self.run)
  self.run = nil
end

--- "pending", "running", "finished", "error", "cancelled" or "skipped".
---@return string
function methods:status()
  settle(self)
  if self.state then return self.state end
  local done = core.counts(self.run)
  return done > 0 and "running" or "pending"
end

--- Waits up to `seconds` (for ever without); whether the task has ended.
---@param seconds? number
---@return boolean
function methods:wait(seconds)
  settle(self)
  while not self.state do
    local what = core.wait(self.run, seconds or -1)
    if what == "interrupted" then error(errors.new({ message = "interrupted" }), 0) end
    settle(self)
    if not self.state and what == "waiting" then return false end
  end
  return true
end

--- The result; raises the task's error, or a time-out after `seconds`, which leaves it running.
---@param seconds? number
function methods:result(seconds)
  if not self:wait(seconds) then
    error(errors.new({ message = ("no result after %g s; the task goes on"):format(seconds) }), 0)
  end
  unasked[self] = nil
  if self.error then error(self.error, 0) end
  return self.value
end

--- Keeps the task from starting, if it has not begun.
function methods:cancel()
  unasked[self] = nil
  if self.run then core.cancel(self.run) end
end

function meta.__tostring(self)
  return ("future of \"%s\" (%s)"):format(self.node:name(), self:status())
end

--- Results of futures or nodes, in the shape they were given.
function future.gather(list)
  if future.is(list) then return list:result() end
  if node.is(list) then return compute.one(list) end
  if type(list) ~= "table" then error("gather: expected a table of futures, got a " .. type(list), 2) end
  local out = {}
  for key, member in pairs(list) do
    local lazy = type(member) == "table" and getmetatable(member) == nil
    if future.is(member) or node.is(member) or lazy then
      out[key] = future.gather(member)
    else
      out[key] = member
    end
  end
  return out
end

--- Waits for all; a boolean.
---@param list table
---@param seconds? number for each
function future.wait(list, seconds)
  local all = true
  for _, member in pairs(future.is(list) and { list } or list) do
    all = member:wait(seconds) and all
  end
  return all
end

--- The end of a script: waits for what runs, raises the first error that nobody has asked for.
function future.close()
  local list = {}
  for self in pairs(unasked) do list[#list + 1] = self end
  unasked = {}
  local first
  for _, self in ipairs(list) do
    self:wait()
    if self.error and self.state ~= "cancelled" then first = first or self.error end
  end
  if core.wait_all() == "interrupted" then error(errors.new({ message = "interrupted" }), 0) end
  if first then error(first, 0) end
end

return future
