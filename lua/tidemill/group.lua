-- group: several items of a map in one task, each with what it would have had in a task of its own:
-- its own random stream, its own error.  The worker's side of tidemill.feed.
local ffi = require("ffi")
local new_table = require("table.new")
local core = require("tidemill.core")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local compiled = require("tidemill.compiled")
local errors = require("tidemill.errors")
local numbers = require("tidemill.numbers")

local group = {}

local worker = core.worker and ffi.cast("void *", core.worker)
local call = core.worker and ffi.cast("struct tidemill__call *", core.worker)

-- An item has failed: what a task's error has, and how long it took.
local function failure(fields, began)
  if type(fields) ~= "table" then fields = { message = tostring(fields) } end
  fields.task = fields.task or core.name()
  fields.worker, fields.lane = fields.worker or call.worker, fields.lane or core.lane
  fields.attempt = 1
  return { error = fields, time = C.tidemill__clock() - began }
end

-- Each function gets a loop of its own, as in tidemill.runner: one that LuaJIT cannot compile would
-- spoil a common one for all.
local text = [[
local C, stream, worker, handler, failure, fn, xpcall, new_table = ...
return function(items, count, first, base)
  local values, failures = new_table(count, 0), nil
  local began = C.tidemill__clock()
  $START
  for i = 1, count do
    $STREAM
    local fine, value = xpcall(fn, handler, items[i])
    if fine then
      values[i] = value
    else
      failures = failures or {}
      failures[i] = failure(value, $FROM)
    end
    $NEXT
  end
  return { values = values, failures = failures, seconds = C.tidemill__clock() - began }
end
]]
local streams = { compiled = "C.tidemill__stream(worker, base, first + i - 1)",
  interpreted = "stream(base, first + i - 1)" }
-- The clock is read for each item only where somebody wants to know how long those took that fail.
local timed = { START = "local start = began", FROM = "start", NEXT = "start = C.tidemill__clock()" }
local plain = { START = "", FROM = "began", NEXT = "" }

local loops = { [true] = setmetatable({}, { __mode = "k" }), [false] = setmetatable({}, { __mode = "k" }) }
local trial = 1000 -- items after which a loop that LuaJIT compiles at all is compiled

local function make_loop(fn, is_timed, kind)
  local made = text:gsub("%$(%u+)", is_timed and timed or plain):gsub("%$(%u+)", { STREAM = streams[kind] })
  return assert(loadstring(made, "=(tidemill loop)"))(C, core.stream, worker, errors.handler, failure, fn,
    xpcall, new_table)
end

-- The loop for fn, which it is about to run `count` times.
local function loop_of(fn, is_timed, count)
  local entry = loops[is_timed][fn]
  if not entry then
    entry = { run = make_loop(fn, is_timed, "compiled"), left = trial }
    loops[is_timed][fn] = entry
  elseif entry.left and entry.left <= 0 then
    if not compiled(entry.run) then entry.run = make_loop(fn, is_timed, "interpreted") end
    entry.left = nil
  end
  if entry.left then entry.left = entry.left - count end
  return entry.run
end

local results = setmetatable({}, { __mode = "k" }) -- of groups -> number of items

--- The result of a group cannot leave the task: makes failures of the values that are to blame, so
-- that the other items keep theirs.  False: it is no group's.
function group.repair(result)
  local count = results[result]
  if not count then return false end
  result.failures = result.failures or {}
  for i = 1, count do
    local fine, problem = pcall(core.crosses, result.values[i])
    if not fine then
      result.values[i] = nil
      result.failures[i] = failure({ message = errors.of_result(problem) }, C.tidemill__clock())
    elseif result.failures[i] and not pcall(core.crosses, result.failures[i]) then
      result.failures[i].error.cause = nil -- what it threw cannot cross; its text can
    end
  end
  return true
end

--- Applies fn to items[1..count], which are items `first`.. of the map; gives their values, and the
--- failures by place (nil: none), and the seconds that it took.  Items and values may be what
--- tidemill.numbers has made of them.
function group.run(fn, items, count, first, base, is_timed)
  if array.is(items) then items = numbers.unpack(items, count) end
  local result = loop_of(fn, is_timed, count)(items, count, first, base)
  if not result.failures then result.values = numbers.pack(result.values, count) or result.values end
  results[result] = count
  return result
end

--- The body of the groups of a map of `fn`.
function group.body(fn, base, is_timed)
  return function(items, count, first)
    return require("tidemill.group").run(fn, items, count, first, base, is_timed)
  end
end

return group
