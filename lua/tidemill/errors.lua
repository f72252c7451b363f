-- errors: what went wrong, as a table that prints and concatenates as text.
local errors = {}

---@class tidemill.error
---@field message string
---@field traceback string? of the task's Lua state
---@field task string? name of the task
---@field key string? of its result in the cache
---@field worker integer?
---@field lane string?
---@field attempt integer?
---@field cause any what the task threw, when that was not a string
---@field failed integer? tasks of the run that failed
---@field skipped integer? tasks that did not run because of them
local methods = {}
local meta = { __index = methods, __name = "tidemill.error" }

local function text_of(value)
  return type(value) == "table" and getmetatable(value) == meta and value.message or tostring(value)
end

function meta.__tostring(self) return self.message end
function meta.__concat(a, b) return text_of(a) .. text_of(b) end
meta.__metatable = nil

--- An error object from its fields.
---@param fields table
---@return tidemill.error
function errors.new(fields) return setmetatable(fields, meta) end

--- Whether `value` is an error object.
function errors.is(value) return type(value) == "table" and getmetatable(value) == meta end

-- ---- tracebacks ------------------------------------------------------------------------------

local function is_engines_own(line)
  return line:find("[tidemill]", 1, true) or line:find("[C]: ", 1, true)
    or line:find("[builtin#", 1, true) or line:find("(tidemill loop)", 1, true)
end

--- A traceback without the engine's own frames and those of C functions, which name no line; nil
--- when nothing is left.
---@param text string
---@return string?
function errors.own_frames(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    if line:find("^%s") and not is_engines_own(line) then lines[#lines + 1] = line end
  end
  if #lines == 0 then return nil end
  return "stack traceback:\n" .. table.concat(lines, "\n")
end

-- ---- what a task throws -----------------------------------------------------------------------------

-- What a task has thrown, as the fields of an error.
local function fields_of(value)
  local fields
  if errors.is(value) then
    fields = {}
    for key, member in pairs(value) do fields[key] = member end
  elseif type(value) == "string" then
    fields = { message = value }
  else
    local meta_of = getmetatable(value)
    local speaks = type(meta_of) == "table" and meta_of.__tostring
    local message = type(value) == "table" and value.message
    if type(message) ~= "string" then
      message = (speaks or type(value) ~= "table") and tostring(value)
    end
    if type(message) ~= "string" then message = "the task threw a table" end -- __tostring may give none
    fields = { message = message, cause = value }
  end
  fields.traceback = fields.traceback or debug.traceback("", 2):sub(2)
  return fields
end

--- The message handler of tasks.  An error inside the handler itself must not lose the task.
---@param value any
---@return table fields
function errors.handler(value)
  local fine, fields = pcall(fields_of, value)
  return fine and fields or { message = "an error whose description failed" }
end

-- What stands for a value that is not there yet, and what gives the value.
local unfinished = {
  ["a lazy node"] = "its value, node:compute()",
  ["a lazy array"] = "its elements, a:compute()",
  ["a future"] = "its :result()",
}

--- Why a result cannot leave its task: the text of what encoding it has raised.
---@param problem any
---@return string
function errors.of_result(problem)
  problem = tostring(problem)
  for what, advice in pairs(unfinished) do
    if problem:sub(1, 12 + #what) == "cannot send " .. what then
      return ("the task returned %s; return %s"):format(what, advice)
    end
  end
  return problem
end

-- ---- what an uncaught error prints -------------------------------------------------------------

local function plural(count, what)
  return ("%d %s%s"):format(count, what, count == 1 and "" or "s")
end

--- The whole text of an error: message, where it happened, what was skipped.
---@param value any
---@return string
function errors.text(value)
  if not errors.is(value) then return tostring(value) end
  local lines = { value.message }
  if value.task then
    lines[#lines + 1] = ("in task \"%s\"%s"):format(value.task,
      value.worker and (" on worker " .. value.worker) or "")
  end
  local frames = value.traceback and errors.own_frames(value.traceback)
  if frames then lines[#lines + 1] = frames end
  if (value.failed or 0) > 1 then
    lines[#lines + 1] = plural(value.failed - 1, "other task") .. " failed as well"
  end
  if (value.skipped or 0) > 0 then
    lines[#lines + 1] = plural(value.skipped, "task") .. " that needed a result skipped"
  end
  return table.concat(lines, "\n")
end

-- What was tried in a session or with -e finds `tm` there; a file has to ask for it.  Of x.T + 1 Lua tells
-- that T is a function, but not that arrays want x:T().
local function with_advice(text)
  if text:find("attempt to index global 'tm' (a nil value)", 1, true) then
    return text .. "; a script begins with local tm = require \"tidemill\""
  end
  local field = text:match("attempt to [%a ]+ field '([%w_]+)' %(a function value%)$")
  local lazy = field and package.loaded["tidemill.lazy"] -- else there are no arrays
  if not (lazy and lazy.has_method(field)) then return text end
  return ("%s; of an array it is a method: a:%s()"):format(text, field)
end

--- The message handler of scripts: an error's text and the script's own frames.
---@param value any
---@return string
function errors.describe(value)
  if errors.is(value) then return errors.text(value) end
  local text = type(value) == "string" and value or nil
  if not text then
    local meta_of = getmetatable(value)
    local speaks = type(meta_of) == "table" and meta_of.__tostring
    text = speaks and tostring(value) or ("the script threw %s"):format(
      value == nil and "nil" or "a " .. type(value))
    if type(value) == "table" and type(value.message) == "string" then text = value.message end
  end
  text = with_advice(text)
  local frames = errors.own_frames(debug.traceback("", 2))
  return frames and text .. "\n" .. frames or text
end

return errors
