-- options: the options of a task, checked; and tables of named options in general.
local shown = require("tidemill.shown")
local sizes = require("tidemill.sizes")
local suggest = require("tidemill.suggest")

local options = {}

local function is_boolean(value) return type(value) == "boolean" end
local function is_text(value) return type(value) == "string" end
local function is_number(value) return type(value) == "number" and value == value end

local function one_of(...)
  local list = { ... }
  return function(value)
    for _, allowed in ipairs(list) do
      if value == allowed then return true end
    end
    return false
  end
end

local function is_list_of_text(value)
  if type(value) ~= "table" then return false end
  for _, item in ipairs(value) do
    if type(item) ~= "string" then return false end
  end
  return #value > 0
end

local function is_from(least, whole)
  return function(value)
    return is_number(value) and value >= least and value < math.huge and (not whole or value % 1 == 0)
  end
end

local parts_of_backoff = {
  factor = { function(v) return v >= 1 end, "a number from 1" },
  max = { function(v) return v >= 0 end, "seconds, a number from 0" },
  jitter = { function(v) return v >= 0 and v <= 1 end, "a share from 0 to 1" },
}

-- Whether it is one; of a table that is none also which key, what is expected there, and whether the key
-- itself is wrong.
local function is_backoff(value)
  if is_number(value) then return value >= 1 end
  if type(value) ~= "table" then return false end
  for name, part in pairs(value) do
    local rule = parts_of_backoff[name]
    if not rule then return false, name, "one of factor, max and jitter", true end
    if not is_number(part) or not rule[1](part) then return false, name, rule[2] end
  end
  return true
end

local function is_amounts(value)
  if type(value) ~= "table" then return false end
  for name, amount in pairs(value) do
    if type(name) ~= "string" then return false, name, "a name, as in {db = 1}", true end
    if not is_number(amount) or amount <= 0 or amount > 1e9 then
      return false, name, "an amount above 0, at most 1e9"
    end
  end
  return true
end

-- name -> {check, what was expected}
local task = {
  name = { is_text, "a string" },
  priority = { one_of(-2, -1, 0, 1, 2), "a whole number from -2 to 2" },
  kind = { one_of("cpu", "io"), "\"cpu\" or \"io\"" },
  cache = { one_of(true, false, "auto", "refresh"), "true, false, \"auto\" or \"refresh\"" },
  ttl = { function(v) return (sizes.seconds(v) or 0) > 0 end, sizes.expected_time },
  pure = { is_boolean, "true or false" },
  version = { function(v) return is_text(v) or is_number(v) end, "a string or a number" },
  files = { is_list_of_text, "a list of paths" },
  seed = { is_number, "a number" },
  lane = { one_of("auto", "thread", "serial", "loop", "process"),
    "\"auto\", \"thread\", \"serial\", \"loop\" or \"process\"" },
  timeout = { function(v) return (sizes.seconds(v) or 0) > 0 end, sizes.expected_time },
  memory = { function(v) return (sizes.parse(v) or 0) >= 1e6 end,
    "at least a megabyte, as " .. sizes.expected },
  isolate = { is_boolean, "true or false" },
  retries = { function(v) return is_from(0, true)(v) and v <= 1000 end, "a whole number from 0 to 1000" },
  retry_delay = { is_from(0), "seconds, a number from 0" },
  backoff = { is_backoff, "a factor from 1, or a table such as {factor = 2, max = 60, jitter = 0.25}" },
  retry_on = { function(v) return type(v) == "function" end, "a function of the error" },
  affinity = { function(v) return is_text(v) or is_number(v) end, "a string or a number" },
  cost = { is_from(0), "seconds, a number from 0" },
  nout = { function(v) return is_from(1, true)(v) and v <= 1000 end, "a whole number from 1 to 1000" },
  resources = { is_amounts, "a table of amounts above 0, such as {db = 1}" },
}

-- What only a process of its own can give.
local of_process = { "timeout", "memory", "isolate" }

local function check_lane(given, level)
  if given.lane == nil or given.lane == "auto" or given.lane == "process" then return end
  for _, name in ipairs(of_process) do
    if given[name] then
      error(("option \"%s\": only the process lane can keep it, and lane is \"%s\""):format(name, given.lane),
        level + 1)
    end
  end
end

local names = {}
for name in pairs(task) do names[#names + 1] = name end
table.sort(names)

-- The names of task options and of others that may stand beside them.
local function names_with(more)
  if not more then return names end
  local all = {}
  for _, name in ipairs(names) do all[#all + 1] = name end
  for name in pairs(more) do all[#all + 1] = name end
  table.sort(all)
  return all
end

-- An option has a wrong value; `why`: what was expected and, of a table, what its check has told.
local function refuse(name, value, why, level)
  local expected, key, of_key, is_unknown = unpack(why, 1, 4)
  local said = ("expected %s, got %s"):format(expected, shown.value(value))
  if is_unknown then
    said = ("expected %s, got the key %s"):format(of_key, shown.value(key))
  elseif key ~= nil then
    said = ("%s: expected %s, got %s"):format(key, of_key, shown.value(value[key]))
  end
  error(("option \"%s\": %s"):format(name, said), level + 1)
end

--- Checks the options of a task; raises at `level`.
---@param given table?
---@param level integer
---@param more? table<string, boolean> names of others that were allowed, for advice
---@return table given or an empty table
function options.task(given, level, more)
  if given == nil then return {} end
  if type(given) ~= "table" then
    error(("options: expected a table such as {name = \"load\", cache = true}, got %s"):format(
      shown.value(given)), level + 1)
  end
  for name, value in pairs(given) do
    local rule = task[name]
    if not rule then
      if type(name) == "number" then
        error("options: expected named options such as {name = \"load\"}", level + 1)
      end
      error(("unknown option \"%s\"%s"):format(shown.name(name), suggest.phrase(name, names_with(more))),
        level + 1)
    end
    if name == "cache" and type(value) == "number" then
      error("option \"cache\": expected true, false, \"auto\" or \"refresh\"; how long a result lasts is "
        .. "`ttl`", level + 1)
    end
    local fine, key, expected, is_unknown = rule[1](value)
    if not fine then refuse(name, value, { rule[2], key, expected, is_unknown }, level + 1) end
  end
  check_lane(given, level + 1)
  return given
end

--- Checks that a table of named options has only `allowed` names.
---@param given table?
---@param allowed string[]
---@param what string the function's name
---@param level integer
function options.only(given, allowed, what, level)
  if given == nil then return {} end
  if type(given) ~= "table" then
    error(("%s: expected a table of options, got %s"):format(what, shown.value(given)), level + 1)
  end
  for name in pairs(given) do
    local known = false
    for _, other in ipairs(allowed) do known = known or other == name end
    if not known then
      error(("%s: unknown option \"%s\"%s"):format(what, shown.name(name),
        suggest.phrase(name, allowed)), level + 1)
    end
  end
  return given
end

--- Checks that these options are true, false or left out.
---@param given table
---@param switches string[]
---@param what string the function's name
---@param level integer
function options.switches(given, switches, what, level)
  for _, name in ipairs(switches) do
    local value = given[name]
    if value ~= nil and type(value) ~= "boolean" then
      error(("%s: %s must be true or false, got %s"):format(what, name, shown.value(value)), level + 1)
    end
  end
end

return options
