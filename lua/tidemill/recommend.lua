-- recommend: how many workers, and how many items a task, from the machine as it is.
-- docs/sizes.md has the rules in words; the numbers are in this file's first lines.
local core = require("tidemill.core")
local options = require("tidemill.options")
local shown = require("tidemill.shown")
local sizes = require("tidemill.sizes")

local recommend = {}

-- Workers for each CPU: a task of this kind is on a CPU for 1/n of its time.
local per_cpu = { cpu = 1, parse = 1, mixed = 2, io = 4, write = 4 }
local most_waiting = 64 -- workers beyond the CPUs: each has a Lua state, and disks queue anyway

-- With few items one slow task decides when the last worker ends, so tasks are small; with many
-- such differences even out and fewer, larger tasks do.  `rounds`: tasks for each worker.
local tiers = {
  { below = 50, rounds = math.huge, least = 1, why = "fewer than 50 items: one a task" },
  { below = 200, rounds = 16, least = 2, why = "50 to 199 items: about 16 tasks a worker" },
  { below = 500, rounds = 8, least = 4, why = "200 to 499 items: about 8 tasks a worker" },
  { below = math.huge, rounds = 4, least = 8, why = "500 items and more: about 4 tasks a worker" },
}

local task_cost = 5e-6 -- seconds: to build, send and collect a task with a list of items
local shortest = 20 * task_cost -- a task of this length costs 5 % more than its items alone
local longest = 100 * shortest -- and one of this 0.05 %: larger ones gain nothing
local largest = 128 * 2 ^ 20 -- bytes a task, unless partition_bytes says otherwise
local serial_share = 0.02 -- of the work, when seconds_per_item is not known

local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min

-- ---- What is asked for ----------------------------------------------------------------------

local names = { "items", "bytes_per_item", "kind", "seconds_per_item", "memory", "partition_bytes",
  "workers", "cpus" }

-- No position: the caller's is added where the error is raised.
local function wrong(name, expected, value)
  return ("recommend: %s: expected %s, got %s"):format(name, expected, shown.value(value))
end

local function whole(given, name, least, most, expected)
  local value = given[name]
  if value == nil then return nil end
  if type(value) ~= "number" or value % 1 ~= 0 or value < least or value > most then
    error(wrong(name, expected, value), 0)
  end
  return value
end

local function size(given, name, hundred, least)
  local value = given[name]
  if value == nil then return nil end
  local bytes = sizes.parse(value, hundred)
  if not bytes or bytes < least then
    error(wrong(name, sizes.expected .. (hundred and " or \"50%\" of the memory" or "")
      .. (least > 0 and ", at least 1" or ""), value), 0)
  end
  return bytes
end

local function kind_of(given)
  local kind = given.kind == nil and "cpu" or given.kind
  if per_cpu[kind] == nil then
    error(wrong("kind", "\"cpu\", \"io\", \"mixed\", \"parse\" (cpu) or \"write\" (io)", kind), 0)
  end
  return kind
end

local function seconds_of(given)
  local value = given.seconds_per_item
  if value == nil then return nil end
  if type(value) ~= "number" or not (value > 0 and value < math.huge) then
    error(wrong("seconds_per_item", "a number of seconds above 0", value), 0)
  end
  return value
end

-- The question with all that was left open filled in from the machine.
local function question(given)
  local machine = core.machine()
  local asked = {
    items = whole(given, "items", 0, 2 ^ 53, "a whole number from 0"),
    bytes = size(given, "bytes_per_item", nil, 0),
    kind = kind_of(given),
    seconds = seconds_of(given),
    limit = size(given, "memory", machine.memory, 1),
    partition = size(given, "partition_bytes", nil, 1),
    workers = whole(given, "workers", 1, 1024, "a whole number from 1 to 1024"),
    cpus = whole(given, "cpus", 1, 1024, "a whole number from 1 to 1024") or machine.cpus,
  }
  if not asked.items then error(wrong("items", "how many there are, such as items = 1000"), 0) end
  if asked.partition and (asked.bytes or 0) == 0 then
    error("recommend: partition_bytes: expected bytes_per_item beside it", 0)
  end
  asked.bytes = asked.bytes or 0
  asked.limit = asked.limit or machine.available and floor(machine.available / 2)
  return asked
end

-- ---- Workers --------------------------------------------------------------------------------

-- A number that only falls, and why it last did.
local function lower(plan, name, bound, why)
  bound = max(1, bound)
  if plan[name] > bound then
    plan[name] = bound
    plan.why[name] = why
  end
end

local function plan_workers(plan, asked)
  local share = per_cpu[asked.kind]
  if asked.workers then
    plan.workers, plan.why.workers = asked.workers, "as given"
  else
    plan.workers = max(asked.cpus, min(share * asked.cpus, most_waiting))
    plan.why.workers = share == 1 and ("%s work: one a CPU"):format(asked.kind)
      or ("%s work: up to %d a CPU"):format(asked.kind, share)
  end
  lower(plan, "workers", asked.items, "no more than there are items")
  if asked.seconds then
    lower(plan, "workers", floor(asked.items * asked.seconds / shortest),
      ("%.3g ms of work are worth no more"):format(asked.items * asked.seconds * 1e3))
  end
  if asked.limit and asked.bytes > 0 then
    lower(plan, "workers", floor(asked.limit / asked.bytes), "no more items at once than fit in memory")
  end
end

-- ---- Items a task ---------------------------------------------------------------------------

local function tier_of(items)
  for _, tier in ipairs(tiers) do
    if items < tier.below then return tier end
  end
end

-- Workers that are busy on average: they take the tasks in rounds, of which the last may be short.
local function busy(chunks, workers) return chunks / ceil(chunks / workers) end

-- Of the two whole sizes around an exact one, that with the fuller last round.
local function rounded(exact, plan, items)
  local low, high = max(1, floor(exact)), max(1, ceil(exact))
  local fuller = busy(ceil(items / low), plan.workers) > busy(ceil(items / high), plan.workers)
  return fuller and low or high
end

local function plan_by_count(plan, asked)
  local tier = tier_of(asked.items)
  plan.chunk_size = max(tier.least,
    rounded(asked.items / (tier.rounds * plan.workers), plan, asked.items))
  plan.why.chunk_size = tier.why
  if not asked.seconds then return end
  lower(plan, "chunk_size", ceil(longest / asked.seconds), ("at most %g ms a task"):format(longest * 1e3))
  local enough = ceil(shortest / asked.seconds)
  if plan.chunk_size < enough then
    plan.chunk_size = enough
    plan.why.chunk_size = ("at least %g ms a task"):format(shortest * 1e3)
  end
end

local function plan_chunks(plan, asked)
  plan_by_count(plan, asked)
  lower(plan, "chunk_size", ceil(asked.items / plan.workers), "a task for every worker")
  if asked.bytes == 0 then return end
  lower(plan, "chunk_size", floor(largest / asked.bytes),
    (asked.bytes > largest and "each is more than %s" or "at most %s a task"):format(sizes.text(largest)))
  if asked.limit then
    lower(plan, "chunk_size", floor(asked.limit / (asked.bytes * plan.workers)),
      "no more than fits in memory at once")
  end
end

-- Partitions hold whole items and no more bytes than asked for; memory decides how many run.
local function plan_partitions(plan, asked)
  plan.chunk_size = max(1, floor(asked.partition / asked.bytes))
  local larger = asked.bytes > asked.partition and "each is more than a partition of "
  plan.why.chunk_size = (larger or "partitions of ") .. sizes.text(asked.partition)
  if asked.limit then
    lower(plan, "workers", floor(asked.limit / (plan.chunk_size * asked.bytes)),
      "no more partitions at once than fit in memory")
  end
end

-- As many tasks as the largest size makes, of equal size: no small one comes last.
local function even_out(plan, items)
  plan.chunks = ceil(items / plan.chunk_size)
  plan.chunk_size = plan.chunks > 0 and ceil(items / plan.chunks) or 1
  lower(plan, "workers", plan.chunks, "no more than there are tasks")
end

-- ---- What to expect -------------------------------------------------------------------------

-- Against one worker's plain loop: by Amdahl's law, or with the cost of each task when that of an
-- item is known.  No more workers count than the CPUs carry.
local function speedup(plan, asked)
  if plan.chunks == 0 then return 1 end
  local parallel = min(busy(plan.chunks, plan.workers), asked.cpus * per_cpu[asked.kind])
  if not asked.seconds then return 1 / (serial_share + (1 - serial_share) / parallel) end
  local work = asked.items * asked.seconds
  return work / (work / parallel + plan.chunks * task_cost)
end

local function count(number, what)
  return ("%d %s%s"):format(number, what, number == 1 and "" or "s")
end

local function reason(plan, asked, result)
  local text = ("%s (%s); %s a task (%s)"):format(count(plan.workers, "worker"), plan.why.workers,
    count(plan.chunk_size, "item"), plan.why.chunk_size)
  if asked.limit and result.memory > asked.limit then
    text = text .. "; " .. (asked.partition and "a partition" or "an item") .. " alone is more than "
      .. sizes.text(asked.limit) .. " of memory"
  end
  if result.speedup < 1 then text = text .. "; a plain loop is faster" end
  return text
end

-- ---- The face -------------------------------------------------------------------------------

---@class tidemill.recommendation
---@field workers integer worker threads: --workers N
---@field chunk_size integer items a task
---@field chunks integer tasks
---@field memory integer bytes of the items that are worked on at once
---@field memory_limit integer? bytes that they may have; nil: not known
---@field speedup number expected, against one worker's plain loop
---@field reason string
local meta = { __name = "tidemill.recommendation" }

function meta.__tostring(self)
  local memory = self.memory > 0 and (", %s in flight"):format(sizes.text(self.memory)) or ""
  return ("%s, %s of %s%s, about %.3g times as fast"):format(count(self.workers, "worker"),
    count(self.chunks, "task"), count(self.chunk_size, "item"), memory, self.speedup)
end

local function answer(given)
  local asked = question(given)
  local plan = { why = {} }
  plan_workers(plan, asked)
  if asked.partition then plan_partitions(plan, asked) else plan_chunks(plan, asked) end
  even_out(plan, asked.items)
  local result = {
    workers = plan.workers,
    chunk_size = plan.chunk_size,
    chunks = plan.chunks,
    memory = min(plan.workers * plan.chunk_size, asked.items) * asked.bytes,
    memory_limit = asked.limit,
    speedup = speedup(plan, asked),
  }
  result.reason = reason(plan, asked, result)
  return setmetatable(result, meta)
end

--- Workers and items a task for a number of items, from the machine as it is.
---
---     local r = tm.recommend{items = 1000, bytes_per_item = "2MB", kind = "mixed"}
---     print(r.workers, r.chunk_size)
---@param given table items, bytes_per_item, kind, seconds_per_item, memory, partition_bytes, workers, cpus
---@return tidemill.recommendation
function recommend.recommend(given)
  if given == nil then given = {} end
  options.only(given, names, "recommend", 2)
  local fine, result = pcall(answer, given)
  if not fine then error(result, 2) end
  return result
end

return recommend
