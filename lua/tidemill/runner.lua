-- runner: the loop of a worker's Lua state: pull a task, run its body, report.
-- Each task function gets a loop of its own (its own prototype), and a worker stays in it while
-- the next task has the same function: one body that LuaJIT cannot compile would otherwise spoil
-- a shared loop for all.
local ffi = require("ffi")
local core = require("tidemill.core")
local C = require("tidemill.clib")
local errors = require("tidemill.errors")

local worker = ffi.cast("void *", core.worker)
local call = ffi.cast("struct tidemill__call *", core.worker)

require("tidemill.sandbox").install(call)
local sandbox = require("tidemill.sandbox")

-- ---- errors ------------------------------------------------------------------------------------

local function describe(value)
  local fields
  if errors.is(value) then
    fields = {}
    for key, member in pairs(value) do fields[key] = member end
  elseif type(value) == "string" then
    fields = { message = value }
  else
    local meta = getmetatable(value)
    local speaks = type(meta) == "table" and meta.__tostring
    local message = type(value) == "table" and type(value.message) == "string" and value.message
    fields = { message = message or (speaks or type(value) ~= "table") and tostring(value)
      or "the task threw a table", cause = value }
  end
  fields.traceback = fields.traceback or debug.traceback("", 2)
  fields.worker = call.worker
  fields.lane = core.lane
  fields.attempt = 1
  return fields
end

-- An error inside the handler itself must not lose the task.
local function handler(value)
  local fine, fields = pcall(describe, value)
  return fine and fields or { message = "an error whose description failed" }
end

local function fail(fields)
  if type(fields) ~= "table" then -- raised where no handler runs, such as stack overflow
    fields = { message = tostring(fields) }
  end
  fields.task = core.name()
  fields.worker, fields.lane, fields.attempt = call.worker, core.lane, 1
  if not pcall(core.fail, fields) then
    fields.cause = nil -- what it threw cannot cross; its text can
    core.fail(fields)
  end
end

local warned = {}

-- The general end of a task; numbers end in the loop itself.
local function finish(ok, value, more)
  sandbox.end_task()
  if not ok then return fail(value) end
  if more ~= nil then
    local name = core.name()
    if not warned[name] then
      warned[name] = true
      core.warn(("task \"%s\" returns several values; the first is its result, return a table "
        .. "for more"):format(name))
    end
  end
  local fine, problem = pcall(core.finish, value)
  if not fine then fail({ message = tostring(problem) }) end
end

-- ---- loops --------------------------------------------------------------------------------------

local template = [[
local C, call, worker, argument, arguments, finish, body, handler, output, xpcall, type = ...
local serial, next_task, finish_number = call.serial, C.tidemill__next, C.tidemill__finish_number
return function()
  repeat
    $READ
    local ok, value, more = xpcall(body, handler$LIST)
    if ok and more == nil and type(value) == "number" and not output.unfinished then
      finish_number(worker, value)
    else
      finish(ok, value, more)
    end
    if not next_task(worker) then return false end
  until call.serial ~= serial or call.count ~= $COUNT
  return true
end
]]

local max_spread = 8 -- calls with more arguments go through one C function

local function loop_text(count)
  local reads, list = {}, {}
  if count > max_spread then
    list[1] = ", arguments()"
  elseif count > 0 then
    reads[1] = "local cells = call.arguments"
    for i = 0, count - 1 do
      reads[#reads + 1] = ("local a%d = cells[%d].tag == 3 and cells[%d].number or argument(%d)")
        :format(i, i, i, i)
      list[#list + 1] = ", a" .. i
    end
  end
  local parts = { READ = table.concat(reads, "\n    "), LIST = table.concat(list), COUNT = count }
  return (template:gsub("%$(%u+)", parts))
end

local bodies, loops, loop_count = {}, {}, 0
local max_loops = 4096

-- A metatable of strings that the script has changed comes in the environment of its functions.
local strings = getmetatable("")
local plain_strings = { __index = string }
local strings_in_force = plain_strings

local function use_strings(body)
  local environment = getfenv(body)
  local wanted = environment and rawget(environment, "(string metatable)") or plain_strings
  if wanted == strings_in_force then return end
  strings_in_force = wanted
  for key in pairs(strings) do strings[key] = nil end
  for key, value in pairs(wanted) do strings[key] = value end
end

local function loop_of_current()
  local serial, count = call.serial, call.count
  local key = serial .. ":" .. count
  local loop = loops[key]
  if loop then
    use_strings(bodies[serial])
    return loop
  end
  if loop_count >= max_loops then bodies, loops, loop_count = {}, {}, 0 end
  bodies[serial] = bodies[serial] or core.body()
  local make = assert(loadstring(loop_text(count), "=(tidemill loop)"))
  loop = make(C, call, worker, core.argument, core.arguments, finish, bodies[serial], handler,
    sandbox.output, xpcall, type)
  loops[key], loop_count = loop, loop_count + 1
  use_strings(bodies[serial])
  return loop
end

--- Runs the current task and all that follow; returns when there is none.
return function()
  while loop_of_current()() do end
end
