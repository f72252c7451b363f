-- log: lines for people, from the script and from tasks: tm.log.info("read", {rows = 10}).
-- The last 1,000 of each worker are kept (tm.logs); --log FILE writes all of them to a file.
local ffi = require("ffi")
local core = require("tidemill.core")
local options = require("tidemill.options")
local shown = require("tidemill.shown")
local suggest = require("tidemill.suggest")

local log = {}

-- The least level that is logged: read before a line is built.
local least = ffi.cast("const int32_t *", core.log_level)

local numbers = { debug = 0, info = 1, warn = 2, error = 3 }
local names = { "debug", "error", "info", "warn" }

-- Fields as a list, name after name, in order.
local function list_of(fields, level)
  if type(fields) ~= "table" then
    error(("log: expected a table of fields such as {rows = 10}, got a %s"):format(type(fields)),
      level + 1)
  end
  local keys, list = {}, {}
  for name, value in pairs(fields) do
    local kind = type(value)
    if type(name) ~= "string" then
      error(("log: expected fields with names such as {rows = 10}, got the key %s"):format(
        shown.name(name)), level + 1)
    end
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" and kind ~= "cdata" then
      error(("log: field \"%s\": expected a string, a number or a boolean, got a %s"):format(name,
        kind), level + 1)
    end
    keys[#keys + 1] = name
  end
  table.sort(keys)
  for _, name in ipairs(keys) do
    local value = fields[name]
    list[#list + 1] = name
    list[#list + 1] = type(value) == "cdata" and tostring(value) or value
  end
  return list
end

local none = {}

local function add(number, text, fields)
  if number < least[0] then return end
  if type(text) ~= "string" then
    error(("log: expected a text, got a %s"):format(type(text)), 3)
  end
  local list = fields == nil and none or list_of(fields, 3)
  if not core.worker then return core.log(number, text, list) end
  core.log(number, text, list, core.name(), (core.attempt()), core.key())
end

--- A line for who looks for an error.
---@param text string
---@param fields? table<string, string|number|boolean>
function log.debug(text, fields) add(0, text, fields) end

--- A line for who wants to know how it goes.
---@param text string
---@param fields? table<string, string|number|boolean>
function log.info(text, fields) add(1, text, fields) end

--- A line about what was got over.
---@param text string
---@param fields? table<string, string|number|boolean>
function log.warn(text, fields) add(2, text, fields) end

--- A line about what went wrong.
---@param text string
---@param fields? table<string, string|number|boolean>
function log.error(text, fields) add(3, text, fields) end

setmetatable(log, {
  __call = function()
    error("log: expected a level, such as tm.log.info(text, fields), got tm.log(text)", 2)
  end,
  __index = function(_, key)
    error(("tm.log has no \"%s\"%s"):format(shown.name(key), suggest.phrase(key, names)), 2)
  end,
})

local function whole(value, least_value)
  return type(value) == "number" and value >= least_value and value == math.floor(value)
end

-- The lines that are kept, in order of time.
local function list(given)
  given = options.only(given, { "level", "worker", "task", "limit" }, "logs", 3)
  local level, worker, task, limit = given.level, given.worker, given.task, given.limit
  if level ~= nil and not numbers[level] then
    error(("logs: level: expected \"debug\", \"info\", \"warn\" or \"error\", got %s"):format(
      shown.value(level)), 3)
  end
  if worker ~= nil and not whole(worker, 0) then
    error("logs: worker: expected a worker's number, or 0 for the script", 3)
  end
  if task ~= nil and type(task) ~= "string" then error("logs: task: expected a task's name", 3) end
  if limit ~= nil and not whole(limit, 1) then
    error("logs: limit: expected a whole number from 1", 3)
  end
  return core.logs(numbers[level or "debug"], worker or -1, task, limit or 0)
end

--- Lines of the log, the oldest first: {time, level, worker, task, key, attempt, run, text, fields}.
---@param given? {level: string?, worker: integer?, task: string?, limit: integer?}
---@return table[]
local function logs(given) return (list(given)) end

rawset(log, "logs", logs)

return log
