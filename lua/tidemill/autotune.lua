-- autotune: measures how many items a task should have, on a sample of the work itself.
-- Every candidate runs the whole sample as real tasks, and all must give the same results.
local core = require("tidemill.core")
local shown = require("tidemill.shown")
local task = require("tidemill.task")
local compute = require("tidemill.compute")
local options = require("tidemill.options")
local array = require("tidemill.array")

local autotune = {}

-- Seconds: in less, waking a worker counts for more than what it then does.
local shortest = 1e-3

-- ---- One run of the sample --------------------------------------------------------------------

-- A delayed function that applies `fn` to each item of a list.
local function grouped(fn)
  return task.delayed(function(items)
    local results = { n = items.n }
    for i = 1, items.n do results[i] = fn(items[i]) end
    return results
  end, { name = "autotune" })
end

local function nodes_of(group, sample, n, chunk_size)
  local nodes, count = {}, 0
  for first = 1, n, chunk_size do
    local items = { n = math.min(chunk_size, n - first + 1) }
    for i = 1, items.n do items[i] = sample[first + i - 1] end
    count = count + 1
    nodes[count] = group(items)
  end
  return nodes
end

-- Seconds to build, run and collect it all; the results, one an item.
local function run(group, sample, n, chunk_size)
  local start = core.clock()
  local lists = compute.all(nodes_of(group, sample, n, chunk_size))
  local seconds = core.clock() - start
  local results, last = {}, 0
  for _, list in ipairs(lists) do
    for i = 1, list.n do results[last + i] = list[i] end
    last = last + list.n
  end
  return seconds, results
end

-- ---- Whether results are the same ---------------------------------------------------------------

local same

local wide = { int64 = true, uint64 = true, timestamp = true }

local function same_arrays(a, b)
  if a.dtype ~= b.dtype or a.length ~= b.length or #a.shape ~= #b.shape then return false end
  for axis, size in ipairs(a.shape) do
    if b.shape[axis] ~= size then return false end
  end
  local exact = wide[a.dtype]
  a, b = a:reshape(-1), b:reshape(-1)
  for i = 1, a.length do
    local there = a:present(i)
    if there ~= b:present(i) then return false end
    if there and exact and a:int64(i) ~= b:int64(i) then return false end
    if there and not exact and not same(a[i], b[i]) then return false end
  end
  return true
end

-- Keys that are objects have no equal in another copy: what stands behind them is not compared.
local comparable = { string = true, number = true, boolean = true }

local function same_tables(a, b, seen)
  if seen[a] then return true end -- being compared, further up
  seen[a] = true
  for key, value in next, a do
    if comparable[type(key)] and not same(value, rawget(b, key), seen) then return false end
  end
  for key in next, b do
    if comparable[type(key)] and rawget(a, key) == nil then return false end
  end
  return true
end

-- By value; NaN is itself. Functions and the like are not compared.
function same(a, b, seen)
  local kind = type(a)
  if kind ~= type(b) then return false end
  if kind == "number" then return a == b or (a ~= a and b ~= b) end
  if kind == "table" then return same_tables(a, b, seen or {}) end
  if kind == "string" or kind == "boolean" then return a == b end
  if kind ~= "cdata" then return true end
  if array.is(a) and array.is(b) then return same_arrays(a, b) end
  return a == b
end

-- The first item whose results differ, or nil.
local function difference(a, b, n)
  for i = 1, n do
    if not same(a[i], b[i]) then return i end
  end
end

-- ---- The candidates ---------------------------------------------------------------------------

-- 1, 4, 16 ... while there are more tasks than workers; a task for each worker; all in one.
local function usual_sizes(n, workers)
  local list, chunk_size, share = {}, 1, math.ceil(n / workers)
  while chunk_size * 2 <= share do
    list[#list + 1] = chunk_size
    chunk_size = chunk_size * 4
  end
  list[#list + 1] = share
  list[#list + 1] = n
  return list
end

-- Candidates in order, each once, none larger than the sample.
local function candidates_of(list, n)
  local known, candidates = {}, {}
  for _, chunk_size in ipairs(list) do
    chunk_size = math.min(chunk_size, n)
    if not known[chunk_size] then
      known[chunk_size] = true
      candidates[#candidates + 1] = { chunk_size = chunk_size, seconds = math.huge }
    end
  end
  table.sort(candidates, function(a, b) return a.chunk_size < b.chunk_size end)
  return candidates
end

-- ---- Measuring --------------------------------------------------------------------------------

local function warn_of(tuning, chunk_size, item)
  tuning.deterministic = false
  core.warn(("autotune: item %d has another result in tasks of %d items than before: the function "
    .. "depends on more than its item (chance, time, what ran before it)"):format(item, chunk_size))
end

local function measure(tuning, candidate, work)
  local seconds, results = run(work.group, work.sample, tuning.n, candidate.chunk_size)
  local first = candidate.seconds == math.huge
  candidate.seconds = math.min(candidate.seconds, seconds)
  if not first or not tuning.deterministic then return end
  local item = difference(work.reference, results, tuning.n)
  if item then warn_of(tuning, candidate.chunk_size, item) end
end

-- All candidates in turn, so that a change of the machine's mood meets them alike; stops when the
-- budget is spent, but not before one has been measured.
local function measure_all(tuning, candidates, work, given)
  local stop = core.clock() + (given.budget or math.huge)
  for _ = 1, given.repeats or 3 do
    for _, candidate in ipairs(candidates) do
      if core.clock() >= stop and candidates[1].seconds < math.huge then
        tuning.complete = false
        return
      end
      measure(tuning, candidate, work)
    end
  end
end

-- Against one task that holds all items: what one worker does alone.
local function fill_in(tuning, candidates, alone)
  tuning.seconds_per_item = alone / tuning.n
  for _, candidate in ipairs(candidates) do
    if candidate.seconds < math.huge then
      candidate.items_per_second = tuning.n / candidate.seconds
      candidate.seconds_per_item = candidate.seconds / tuning.n
      candidate.efficiency = alone / (tuning.workers * candidate.seconds)
      tuning.table[#tuning.table + 1] = candidate
      if not tuning.best or candidate.seconds < tuning.best.seconds then tuning.best = candidate end
    end
  end
end

-- ---- The face ---------------------------------------------------------------------------------

---@class tidemill.candidate
---@field chunk_size integer items a task
---@field seconds number for the whole sample: the best of the repeats
---@field items_per_second number
---@field seconds_per_item number
---@field efficiency number share of the workers' time that one worker alone would have needed

---@class tidemill.tuning
---@field best tidemill.candidate
---@field table tidemill.candidate[] by chunk size
---@field n integer items of the sample
---@field workers integer
---@field seconds_per_item number of one worker alone: what tm.recommend asks for
---@field deterministic boolean whether all candidates gave the same results
---@field complete boolean whether the budget allowed all measurements
local meta = { __name = "tidemill.tuning" }

function meta.__tostring(self)
  local lines = { ("%d item%s, %d worker%s"):format(self.n, self.n == 1 and "" or "s", self.workers,
    self.workers == 1 and "" or "s") }
  lines[2] = "items a task      seconds      items/s      us/item   efficiency"
  for _, row in ipairs(self.table) do
    lines[#lines + 1] = ("%12d %12.6f %12.0f %12.3f %12.2f%s"):format(row.chunk_size, row.seconds,
      row.items_per_second, row.seconds_per_item * 1e6, row.efficiency,
      row == self.best and "  best" or "")
  end
  if self.best.seconds < shortest then
    lines[#lines + 1] = "less than 1 ms in all: a longer sample tells more"
  end
  if not self.complete then lines[#lines + 1] = "the budget ended before all was measured" end
  if not self.deterministic then lines[#lines + 1] = "results differ between chunk sizes" end
  return table.concat(lines, "\n")
end

local function is_whole(value, most)
  return type(value) == "number" and value % 1 == 0 and value >= 1 and value <= most
end

-- Whether it is one; else what is wrong in it.
local function is_sizes(value)
  if type(value) ~= "table" then return false end
  for _, chunk_size in ipairs(value) do
    if not is_whole(chunk_size, 2 ^ 53) then return false, shown.value(chunk_size) .. " in it" end
  end
  return #value > 0, "an empty one"
end

local rules = {
  { "chunk_sizes", is_sizes, "a list of whole numbers from 1" },
  { "repeats", function(value) return is_whole(value, 1000) end, "a whole number from 1 to 1000" },
  { "budget", function(value) return type(value) == "number" and value > 0 end,
    "a number of seconds above 0" },
}

-- An array of one dimension is a list, too.
local function list_of(sample)
  return array.is(sample) and sample.ndim == 1 and sample:totable() or sample
end

-- Checks the arguments and returns how many items the sample has.
local function check(fn, sample, given, level)
  if type(fn) ~= "function" then
    error(("autotune: expected autotune(function, sample, options), got a %s as the function")
      :format(task.is(fn) and "delayed function (pass the plain one)" or type(fn)), level + 1)
  end
  local n = type(sample) == "table" and (rawget(sample, "n") or #sample)
  if not is_whole(n, 2 ^ 31) then
    error(("autotune: expected a list of at least one item as the sample, got %s"):format(
      n == 0 and "an empty one" or "a " .. type(sample)), level + 1)
  end
  options.only(given, { "chunk_sizes", "repeats", "budget" }, "autotune", level + 1)
  for _, rule in ipairs(rules) do
    local value = given and given[rule[1]]
    local fine, found = value == nil, nil
    if not fine then fine, found = rule[2](value) end
    if not fine then
      error(("autotune: %s: expected %s, got %s"):format(rule[1], rule[3], found or shown.value(value)),
        level + 1)
    end
  end
  return n
end

--- Measures how many items a task should have: runs `fn` over the whole sample in tasks of several
--- sizes and returns the best with the table of all, which prints.
---
---     local tuned = tm.autotune(parse, some_lines, {budget = 5})
---     print(tuned, tuned.best.chunk_size)
---@param fn function of one item
---@param sample table|tidemill.array items
---@param given? table chunk_sizes (a list), repeats (default 3), budget (seconds)
---@return tidemill.tuning
function autotune.autotune(fn, sample, given)
  sample = list_of(sample)
  local n = check(fn, sample, given, 2)
  given = given or {}
  local tuning = setmetatable({ table = {}, n = n, workers = math.max(1, core.stats().active),
    deterministic = true, complete = true }, meta)
  local work = { group = grouped(fn), sample = sample }
  -- Once unmeasured: workers load the function, the JIT compiles it; and results to compare with.
  local chunk_size = math.max(1, math.ceil(n / (4 * tuning.workers)))
  work.reference = select(2, run(work.group, sample, n, chunk_size))
  local alone = { chunk_size = n, seconds = math.huge }
  measure(tuning, alone, work)
  local candidates = candidates_of(given.chunk_sizes or usual_sizes(n, tuning.workers), n)
  if candidates[#candidates].chunk_size == n then candidates[#candidates] = alone end
  measure_all(tuning, candidates, work, given)
  fill_in(tuning, candidates, alone.seconds)
  return tuning
end

return autotune
