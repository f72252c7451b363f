-- batch: like map, but items that fail are collected instead of raised.
local core = require("tidemill.core")
local errors = require("tidemill.errors")
local feed = require("tidemill.feed")
local receiver = require("tidemill.receiver")
local shown = require("tidemill.shown")

local batch = {}

---@class tidemill.batch_result
---@field total integer
---@field successful integer
---@field failed integer
---@field success_rate number 0 to 1; 1 for no items
---@field elapsed number seconds
---@field throughput number items a second
---@field peak_memory integer most bytes that the process has had resident
---@field results table in order, with `n`; a hole where an item has failed
---@field errors table[] {index, item, error, attempts, time}, in order
local methods = {}
local meta = { __index = methods, __name = "tidemill.batch_result" }

local function is_result(value) return type(value) == "table" and getmetatable(value) == meta end

local check_self = receiver.check(is_result, "a result of batch", "r")

local function sum_up(self)
  self.failed = #self.errors
  self.successful = self.total - self.failed
  self.success_rate = self.total > 0 and self.successful / self.total or 1
  self.throughput = self.elapsed > 0 and self.total / self.elapsed or 0
  self.peak_memory = core.stats().peak_resident
end

-- How often an item was tried, and how long that took in all; 0: it could not be sent.
local function tries(problem, seconds)
  if not errors.is(problem) then return 1, seconds end
  if not problem.attempts then return problem.attempt or 1, seconds end
  local sum = 0
  for _, each in ipairs(problem.attempts) do sum = sum + each end
  return problem.attempt or 1, sum
end

local function run(fn, list, given, level, places)
  local job = feed.job("batch", fn, list, given, level + 1, places)
  local results, failures, began = {}, {}, core.clock()
  local total = feed.run(job, function(i, fine, value, seconds, item)
    if fine then
      results[i] = value
    else
      local attempts, time = tries(value, seconds)
      failures[#failures + 1] = { index = i, item = item, error = value, attempts = attempts, time = time }
    end
  end)
  table.sort(failures, function(a, b) return a.index < b.index end)
  results.n = total
  return results, failures, total, core.clock() - began
end

local function count_failures(self)
  if self.failed > 0 then core.degraded(self.failed) end
end

--- Applies `fn` to each item of a list or an iterator in parallel and collects what failed.
---@param fn function|tidemill.delayed
---@param items table|tidemill.array|fun(): any
---@param given? table options of the task, and window, progress, distribution
---@return tidemill.batch_result
function batch.batch(fn, items, given)
  local results, failures, total, elapsed = run(fn, items, given, 2)
  local self = setmetatable({ results = results, errors = failures, total = total, elapsed = elapsed },
    meta)
  rawset(self, "again", { fn = fn, given = given })
  sum_up(self)
  count_failures(self)
  return self
end

--- Runs the failed items again, with other options if given, and merges what comes of them.
---@param given? table options
---@return tidemill.batch_result self
function methods:retry(given)
  check_self(self, "retry")
  if given ~= nil and type(given) ~= "table" then
    error("retry: expected a table of options, got " .. shown.value(given), 2)
  end
  local before, items, places = self.errors, {}, {}
  for i, failure in ipairs(before) do items[i], places[i] = failure.item, failure.index end
  items.n = #before
  local merged = {}
  for name, value in pairs(self.again.given or {}) do merged[name] = value end
  for name, value in pairs(given or {}) do merged[name] = value end
  if #before == 0 then
    feed.job("batch", self.again.fn, {}, merged, 2) -- looks at the options
    return self
  end
  local results, failures, _, elapsed = run(self.again.fn, items, merged, 2, places)
  self.errors = {}
  local still = {}
  for _, failure in ipairs(failures) do still[failure.index] = failure end
  for i, failure in ipairs(before) do
    local again = still[i]
    if again then
      again.index = failure.index
      again.attempts, again.time = again.attempts + failure.attempts, again.time + failure.time
      self.errors[#self.errors + 1] = again
    else
      self.results[failure.index] = results[i]
    end
  end
  self.elapsed = self.elapsed + elapsed
  core.degraded(#self.errors - #before)
  sum_up(self)
  return self
end

function meta.__tostring(self)
  return ("%d of %d items in %.3g s (%.0f a second), %d failed"):format(self.successful, self.total,
    self.elapsed, self.throughput, self.failed)
end

return batch
