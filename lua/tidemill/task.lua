-- task: delayed functions: calling one builds a lazy node.
-- A record (function, options) is numbered; nodes carry the number.  A record lives while somebody
-- holds its facade (what tm.delayed returns) or a node of it is alive.  Numbers are each state's
-- own: a facade that has come from another state gets one by its first call.
local core = require("tidemill.core")
local options = require("tidemill.options")
local receiver = require("tidemill.receiver")
local sizes = require("tidemill.sizes")
local node = require("tidemill.node")

local task = {}

local records = {} -- number -> record
local numbers = setmetatable({}, { __mode = "k" }) -- record -> number
local facades = setmetatable({}, { __mode = "v" }) -- number -> facade
local last = 0

-- Records that are there, and how many make a sweep worth its price: where each call has a function of
-- its own they would pile up long before nodes do.
local count, sweep_at = 0, 4096

-- Functions that were decoded in this worker, which nobody changes any more: their snapshot is
-- taken once.  In the script what they name may change, and is looked at for every run.
local frozen = core.worker and setmetatable({}, { __mode = "k" }) or {}
if core.worker then core.register("tidemill.frozen", frozen) end

---@class tidemill.delayed
---@operator call: tidemill.node
local methods = {}
local meta = { __index = methods, __name = "tidemill.delayed" }
task.meta = meta -- crosses by name, and with it the record: a task may call delayed functions, too

local function name_of(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return "builtin" end
  return ("%s:%d"):format(info.short_src:match("([^/]*)$"), info.linedefined)
end

-- `kept`: what the engine reads, when that is not the record itself.
local function enter(record, facade, kept)
  count = count + 1
  if count > sweep_at then node.sweep_functions(count > 4 * sweep_at) end
  last = last + 1
  records[last], numbers[record], facades[last] = kept or record, last, facade
  return last
end

-- The fields that host/bind/options.c reads.
local function fill(record, given)
  record.options = given
  record.name = given.name
  record.cache = given.cache
  for _, key in ipairs({ "priority", "version", "seed", "files", "retries", "retry_delay", "retry_on",
    "affinity", "cost", "nout", "resources", "kind", "lane", "isolate",
    "pure" }) do
    record[key] = given[key]
  end
  record.timeout, record.memory = sizes.seconds(given.timeout), sizes.parse(given.memory)
  record.ttl = sizes.seconds(given.ttl)
  if (given.retries or 0) > 0 then
    local backoff = given.backoff == nil and 2 or given.backoff
    if type(backoff) ~= "table" then backoff = { factor = backoff } end
    record.retry_delay = given.retry_delay or 0.1
    record.backoff_factor = backoff.factor or 2
    record.backoff_max = backoff.max or 60
    record.backoff_jitter = backoff.jitter or 0.25
  end
  return record
end

-- In a sandbox the script can change a record, which C code believes: the engine reads one that was
-- made for it alone, of options that are checked once more.
local function own_copy(fn, given, is_frozen)
  if not core.confined then return nil end
  local checked = {}
  for name, value in next, type(given) == "table" and given or {} do
    if type(value) == "table" then
      local copy = {}
      for key, member in next, value do copy[key] = member end
      value = copy
    end
    checked[name] = value
  end
  if type(fn) ~= "function" then error("delayed: expected a function, got a " .. type(fn), 3) end
  return fill({ fn = fn, frozen = is_frozen }, options.task(checked, 3))
end

local function new_record(fn, given)
  local record = fill({ fn = fn, frozen = frozen[fn] }, given)
  local facade = setmetatable({ record = record }, meta)
  enter(record, facade, own_copy(fn, given, frozen[fn]))
  return facade
end

local function number_of(facade)
  local record = facade.record
  local number = numbers[record]
  if not number then
    record.frozen = true -- it has crossed
    number = enter(record, facade, own_copy(record.fn, record.options, true))
  end
  return number
end

-- A task that makes the same function delayed each time it runs gets the same delayed function, whose
-- code workers have loaded already: function -> what its options say -> facade.
local again = setmetatable({}, { __mode = "k" })

-- What options say; nil when they hold more than plain values.
local function signature_of(given)
  local parts = {}
  for name, value in pairs(given) do
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then return nil end
    parts[#parts + 1] = ("%s=%s:%s"):format(name, kind, tostring(value))
  end
  table.sort(parts)
  return table.concat(parts, "\0")
end

--- A kernel of the user's, which is a table that can be called, as a function; anything else as it is.
function task.callable(fn)
  local own = type(fn) == "table" and package.loaded["tidemill.own_kernel"]
  if not own or getmetatable(fn) ~= own.meta then return fn end
  return function(...) return fn(...) end
end

--- A function whose calls build lazy nodes instead of running.
---
---     local inc = tm.delayed(function(x) return x + 1 end, {name = "inc"})
---     print(inc(41):compute())  --> 42
---@param fn function
---@param given? table options of the task, see docs/tasks.md
---@return tidemill.delayed
function task.delayed(fn, given)
  fn = task.callable(fn)
  if type(fn) ~= "function" then
    error("delayed: expected delayed(function, options), got a " .. type(fn), 2)
  end
  given = options.task(given, 2)
  if not frozen[fn] then return new_record(fn, given) end
  local facades_of_fn, signature = again[fn], signature_of(given)
  if not facades_of_fn then
    facades_of_fn = setmetatable({}, { __mode = "v" })
    again[fn] = facades_of_fn
  end
  local facade = signature and facades_of_fn[signature]
  if not facade then
    facade = new_record(fn, given)
    if signature then facades_of_fn[signature] = facade end
  end
  return facade
end

--- Raises when calls of a delayed function give several nodes.
function task.check_one(facade, what, level)
  local nout = facade.record.nout
  if nout and nout > 1 then
    error(("%s: \"%s\" has %d outputs (nout); build its nodes and compute or submit those"):format(what,
      task.name_of(facade), nout), level + 1)
  end
end

--- Whether `value` is a delayed function.
function task.is(value) return type(value) == "table" and getmetatable(value) == meta end

local check_self = receiver.check(task.is, "a delayed function", "f")

--- The same function with other options: f:with{priority = 2}.
---@param given table
---@return tidemill.delayed
function methods:with(given)
  check_self(self, "with")
  if type(given) ~= "table" then
    error("with: expected options as a table, got a " .. type(given), 2)
  end
  options.task(given, 2)
  local all = {}
  for name, value in pairs(self.record.options) do all[name] = value end
  for name, value in pairs(given) do all[name] = value end
  return new_record(self.record.fn, all)
end

-- A record of the engine's own, which lives for ever.
local function built_in(fields)
  fields.frozen = true
  local facade = setmetatable({ record = fields }, meta)
  task.kept[#task.kept + 1] = facade
  return enter(fields, facade)
end
task.kept = {}

-- Record -> the delayed functions that take one of its outputs each.
local outputs = setmetatable({}, { __mode = "k" })

local function output_of(record, i)
  local list = outputs[record] or {}
  outputs[record] = list
  if not list[i] then
    local name = ("%s #%d"):format(task.name_of({ record = record }), i)
    list[i] = setmetatable({ record = { output = i, name = name,
      cache = record.cache, priority = record.priority, version = "output " .. i, frozen = true } }, meta)
    enter(list[i].record, list[i])
  end
  return numbers[list[i].record]
end

local function build_outputs(record, base)
  local nodes = {}
  for i = 1, record.nout do nodes[i] = node.build(output_of(record, i), base) end
  return unpack(nodes, 1, record.nout)
end

function meta.__call(self, ...)
  local number = numbers[self.record] or number_of(self)
  if self.record.nout then return build_outputs(self.record, node.build(number, ...)) end
  return node.build(number, ...)
end

local join_number

--- A node whose value is the k-th wanted one of a run.
---@return tidemill.node
function task.join(run, k, name)
  join_number = join_number or built_in({ joins = true, name = "result" })
  local handle = node.build(join_number, nil)
  core.join(handle, run, k or 1)
  return handle, name
end

function meta.__tostring(self)
  return ("delayed function \"%s\""):format(task.name_of(self))
end

-- A name that nobody gave is made of file and line; it is not in the record, which is part of the
-- key of a cached task that calls the function.
local made_up = setmetatable({}, { __mode = "k" })

local function name_of_record(record)
  if record.name then return record.name end
  made_up[record] = made_up[record] or name_of(record.fn)
  return made_up[record]
end

--- The record of a number, and its name: for core.run.
function task.record(number)
  local record = records[number]
  return record, name_of_record(record)
end

--- Name of the function of a node.
function task.name(number)
  local record = records[number]
  return record and name_of_record(record) or "?"
end

--- Name of a delayed function.
function task.name_of(facade) return name_of_record(facade.record) end

-- Records that neither a facade nor a node needs any more.
function task.sweep(in_use)
  count = 0
  for number in pairs(records) do
    if facades[number] == nil and not in_use[number] then
      records[number] = nil
    else
      count = count + 1
    end
  end
  sweep_at = math.max(4096, 2 * count)
end

node.set_sweep(task.sweep)
core.register("tidemill.records", records)

return task
