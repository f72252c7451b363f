-- task: delayed functions: calling one builds a lazy node.
-- A record (function, options) is numbered; nodes carry the number.  A record lives while the
-- script holds its facade (what tm.delayed returns) or a node of it is alive.
local core = require("tidemill.core")
local origin = require("tidemill.origin")
local options = require("tidemill.options")
local node = require("tidemill.node")

local task = {}

local records = {} -- number -> record
local facades = setmetatable({}, { __mode = "v" }) -- number -> facade
local last = 0

---@class tidemill.delayed
---@operator call: tidemill.node
local methods = {}
local meta = { __index = methods, __name = "tidemill.delayed" }
origin.refuse(meta, "a delayed function", "call it in the script and pass what it gives, or call "
  .. "the plain function in the task")

local function name_of(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return "builtin" end
  return ("%s:%d"):format(info.short_src:match("([^/]*)$"), info.linedefined)
end

local function new_record(fn, given)
  last = last + 1
  local record = {
    fn = fn,
    options = given,
    name = given.name or name_of(fn),
    cache = given.cache or false,
    priority = given.priority or 0,
    version = given.version,
    seed = given.seed,
    files = given.files,
  }
  records[last] = record
  local facade = setmetatable({ number = last, record = record }, meta)
  facades[last] = facade
  return facade
end

--- A function whose calls build lazy nodes instead of running.
---
---     local inc = tm.delayed(function(x) return x + 1 end, {name = "inc"})
---     print(inc(41):compute())  --> 42
---@param fn function
---@param given? table options of the task: name, priority, kind, cache, pure, version, files, seed, lane
---@return tidemill.delayed
function task.delayed(fn, given)
  if type(fn) ~= "function" then
    error("delayed: expected delayed(function, options), got a " .. type(fn), 2)
  end
  return new_record(fn, options.task(given, 2))
end

--- Whether `value` is a delayed function.
function task.is(value) return type(value) == "table" and getmetatable(value) == meta end

--- The same function with other options: f:with{priority = 2}.
---@param given table
---@return tidemill.delayed
function methods:with(given)
  options.task(given, 2)
  local all = {}
  for name, value in pairs(self.record.options) do all[name] = value end
  for name, value in pairs(given) do all[name] = value end
  return new_record(self.record.fn, all)
end

function meta.__call(self, ...)
  return node.build(self.number, ...)
end

function meta.__tostring(self)
  return ("delayed function \"%s\""):format(self.record.name)
end

--- The record of a number: for core.run.
function task.record(number) return records[number] end

--- Name of the function of a node.
function task.name(number)
  local record = records[number]
  return record and record.name or "?"
end

-- Records that neither a facade nor a node needs any more.
function task.sweep(in_use)
  for number in pairs(records) do
    if facades[number] == nil and not in_use[number] then records[number] = nil end
  end
end

node.set_sweep(task.sweep)
core.register("tidemill.records", records)

return task
