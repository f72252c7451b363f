-- runner: the loop of a worker's Lua state: pull a task, run its body, report.
-- Each task function gets a loop of its own (its own prototype), and a worker stays in it while
-- the next task has the same function: one body that LuaJIT cannot compile would otherwise spoil
-- a shared loop for all.
--
-- The loops run in coroutines, the runners.  A task that waits yields its runner, which is kept
-- until what it waits for is there, and the driver lets another runner go on pulling: no worker
-- is ever held by a wait.  Where a task cannot yield (in a callback of string.gsub or table.sort,
-- or in a coroutine of its own) the driver is called again on top of it.
local ffi = require("ffi")
local core = require("tidemill.core")
local C = require("tidemill.clib")
local compiled = require("tidemill.compiled")
local errors = require("tidemill.errors")
local holdings = require("tidemill.holdings")
local origin = require("tidemill.origin")

local worker = ffi.cast("void *", core.worker)
local call = ffi.cast("struct tidemill__call *", core.worker)

local resume = coroutine.resume -- the builtin: runners are not what a task nests
local sandbox = require("tidemill.sandbox")
sandbox.install(call)
-- What tidemill__next says, as enum mill_next; 2: a task that waited can go on.
local STOP, TASK, CALLED = 0, 1, 3

-- ---- errors ------------------------------------------------------------------------------------

local handler = errors.handler

local predicates = {} -- serial of the function -> retry_on, or false

local function is_worth_a_retry(fields)
  local serial = call.serial
  if predicates[serial] == nil then predicates[serial] = core.retry_on() or false end
  local predicate = predicates[serial]
  if not predicate then return true end
  local copy = {}
  for key, value in pairs(fields) do copy[key] = value end
  local fine, answer = pcall(predicate, errors.new(copy))
  if not fine then
    fields.message = ("%s (and retry_on failed: %s)"):format(fields.message, tostring(answer))
  end
  return fine and answer
end

local function fail(fields)
  if type(fields) ~= "table" then -- raised where no handler runs: out of stack, or of memory
    collectgarbage() -- LuaJIT does not when memory is short: the next task would find none, too
    fields = { message = tostring(fields) }
  end
  local attempt, seconds = core.attempt()
  -- The error of a task that this one has waited for stays that task's.
  if not fields.task then fields.task, fields.key = core.name(), core.key() end
  fields.worker, fields.lane = fields.worker or call.worker, fields.lane or core.lane
  fields.attempt = fields.attempt or attempt
  fields.failed, fields.skipped = nil, nil
  if #seconds > 0 then fields.attempts = seconds end
  if is_worth_a_retry(fields) and core.retry() then return end
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
      core.warn(("task \"%s\" returns several values; the first is its result; nout = 2 makes a "
        .. "call give two nodes, and a table carries more"):format(name))
    end
  end
  local fine, problem = pcall(core.finish, value)
  local group = not fine and package.loaded["tidemill.group"]
  if group and group.repair(value) then fine, problem = pcall(core.finish, value) end
  if not fine then fail({ message = errors.of_result(problem) }) end
end

-- The end of a task with several outputs.
local function finish_all(outputs, ok, ...)
  sandbox.end_task()
  if not ok then return fail((...)) end
  local given = select("#", ...)
  if given > outputs then
    return fail({ message = ("returned %d values, but nout is %d"):format(given, outputs) })
  end
  local fine, problem = pcall(core.finish_all, outputs, ...)
  if not fine then fail({ message = errors.of_result(problem) }) end
end

-- ---- loops --------------------------------------------------------------------------------------

local template = [[
local C, call, worker, argument, arguments, finish, body, handler, output, xpcall, type, outputs = ...
local serial, next_task, finish_number = call.serial, C.tidemill__next, C.tidemill__finish_number
local left = $TRIAL
return function()
  repeat
    $READ
    $RUN
    local got = next_task(worker)
    if got ~= 1 then return got end
    left = left - 1
  until left == 0 or call.serial ~= serial or call.count ~= $COUNT
  return 1
end, function() return left <= 0 end
]]

local run_one = [[
local ok, value, more = xpcall(body, handler$LIST)
    if ok and more == nil and type(value) == "number" and not output.unfinished then
      finish_number(worker, value)
    else
      finish(ok, value, more)
    end]]

local run_all = "finish(outputs, xpcall(body, handler$LIST))"

-- The same for bodies with loops, or that call what has some.  LuaJIT compiles those loops and never
-- the one around the body: it is interpreted, where one call of core.turn costs less than the FFI and
-- its structures.  Bodies that are not known to have loops are given the one above, and this one if after
-- a trial LuaJIT has not compiled that.
local interpreted = [[
local turn, arguments, finish, body, handler, output, xpcall, type = ...
return function()
  $READ
  local got
  repeat
    local ok, value, more = xpcall(body, handler$LIST)
    if ok and more == nil and type(value) == "number" and not output.unfinished then
      got$LIST = turn(value)
    else
      finish(ok, value, more)
      got$LIST = turn()
    end
  until got ~= 4 -- SAME of host/bind/lib_task.c
  return got
end
]]

local trial = 1000 -- tasks after which a loop that LuaJIT compiles at all is compiled
local max_spread = 8 -- calls with more arguments go through one C function

local function text_of(count, run)
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
  local parts = { READ = table.concat(reads, "\n    "), LIST = table.concat(list), COUNT = count,
    TRIAL = trial, RUN = run }
  return (template:gsub("%$(RUN)", parts):gsub("%$(%u+)", parts))
end

local function loop_text(count) return text_of(count, run_one) end
local function outputs_text(count) return text_of(count, run_all) end

local function interpreted_text(count)
  local list = {}
  for i = 1, count do list[i] = "a" .. i end
  list = table.concat(list, ", ")
  return (interpreted:gsub("%$(%u+)", {
    READ = count > 0 and ("local %s = arguments()"):format(list) or "",
    LIST = count > 0 and ", " .. list or "",
  }))
end

-- Chunks that make loops, by the function that writes their text and what it is told.  Each loop has a
-- prototype of its own, for LuaJIT to compile or not: loading bytecode makes one in half a microsecond,
-- where parsing takes eighteen.
local chunks = {}
local load = loadstring -- the builtin: in a sandbox it takes no bytecode

local function chunk_of(text, count)
  local known = chunks[text] or {}
  chunks[text] = known
  known[count] = known[count] or string.dump(assert(load(text(count), "=(tidemill loop)")))
  return load(known[count])
end

local bodies, loops, loop_count = {}, {}, 0
local trials = {} -- of loops: whether the trial is over
local loop_strings = {} -- the metatable of strings that the body of a loop is to find
local max_loops = 4096

-- A metatable of strings that the script has changed comes in the environment of its functions.
local strings = getmetatable("")
local plain_strings = { __index = string }
local strings_in_force = plain_strings

local function strings_of(body)
  if core.confined then return plain_strings end -- a sandbox's script cannot change it
  local environment = getfenv(body)
  return environment and rawget(environment, "(string metatable)") or plain_strings
end

local function use_strings(wanted)
  strings_in_force = wanted
  for key in pairs(strings) do strings[key] = nil end
  for key, value in pairs(wanted) do strings[key] = value end
end

local function make_interpreted(body, count)
  return chunk_of(interpreted_text, count)(core.turn, core.arguments, finish, body, handler, sandbox.output,
    xpcall, type)
end

local function make_loop(body, count, outputs)
  local choice = outputs == 0 and count <= max_spread
  if choice and core.loops() then return make_interpreted(body, count) end
  local all = outputs > 0
  local loop, is_tried = chunk_of(all and outputs_text or loop_text, count)(C, call, worker, core.argument,
    core.arguments, all and finish_all or finish, body, handler, sandbox.output, xpcall, type, outputs)
  if choice then trials[loop] = is_tried end
  return loop
end

-- After its trial: the same loop, or the other one.
local function judge(loop, body, count)
  trials[loop] = nil
  if compiled(loop) then return loop end
  return make_interpreted(body, count)
end

-- Code -> the function that was decoded of it last.  A task that submits a function that it was given,
-- itself perhaps, makes a task function of the same code: the function itself runs, so that a recursion
-- comes back to what is loaded instead of loading a copy a level.
local decoded = setmetatable({}, { __mode = "v" })

local function body_of_current()
  local code, may_be_known = core.code()
  local body = code and may_be_known and decoded[code]
  if body then return body end
  body = core.body()
  if code then decoded[code] = body end
  return body
end

local function add_loop(key, serial, count)
  if loop_count >= max_loops then
    bodies, loops, trials, predicates, loop_strings, loop_count = {}, {}, {}, {}, {}, 0
  end
  local body = bodies[serial] or body_of_current()
  local loop = make_loop(body, count, core.outputs())
  bodies[serial], loops[key], loop_strings[key] = body, loop, strings_of(body)
  loop_count = loop_count + 1
  return loop
end

-- COST.  Tasks of two functions in turn come here each time: no string is made, and all of it compiles.
local function loop_of_current()
  local serial, count = call.serial, call.count
  local key = serial * 65536 + count -- of at most 60000 arguments
  local loop = loops[key]
  if not loop then
    loop = add_loop(key, serial, count)
  elseif trials[loop] and trials[loop]() then
    loop = judge(loop, bodies[serial], count)
    loops[key] = loop
  end
  if loop_strings[key] ~= strings_in_force then use_strings(loop_strings[key]) end
  return loop
end

-- ---- runners ------------------------------------------------------------------------------------

local next_task = C.tidemill__next
local running, yield = coroutine.running, coroutine.yield
local isyieldable, create = coroutine.isyieldable, coroutine.create

local spare, max_spare = {}, 1000 -- runners that wait for work
local waiting = {} -- number of a wait -> runner, or the frame of a wait on top of its task
local current -- the runner that is running
local nested, max_nested = 0, 1000 -- the C stack may end before
local frames = {} -- of the waits on top of their tasks, the newest last

-- A task's body runs in a coroutine of the engine's; to the task it is none.
origin.replace("coroutine.yield", function(...)
  if running() == current then error("attempt to yield from outside a coroutine", 2) end
  return yield(...)
end)
origin.replace("coroutine.running", function()
  local thread = running()
  if thread ~= current then return thread end
end)
origin.replace("coroutine.isyieldable", function() return running() ~= current and isyieldable() end)

-- The life of a runner: begins when a task is described.
local function pull()
  while true do
    local got
    repeat got = loop_of_current()() until got ~= TASK
    yield(got)
  end
end

-- Lets a runner go on until it has nothing to do, or waits; what the worker is to do next.
local function continue(runner)
  local before, depth = current, nested
  current = runner
  local fine, what, number = resume(runner)
  current = before
  if not fine then -- out of memory: the task's own protection was not enough
    C.tidemill__nest(worker, depth - nested)
    while nested > depth do frames[nested], nested = nil, nested - 1 end
    fail({ message = tostring(what) })
    return next_task(worker)
  end
  if number then -- it waits
    waiting[number] = runner
    return next_task(worker)
  end
  if #spare < max_spare then spare[#spare + 1] = runner end
  return what
end

-- Another state wants something of this one, between its tasks.
local function answer_call()
  local pool = package.loaded["tidemill.pool"]
  if pool then pcall(pool.answer) end
  pcall(holdings.answer)
  sandbox.end_task() -- what `close` has printed
end

-- Runs what there is until the pool stops, or until the wait of `frame` has ended.
local function drive(got, frame)
  while got ~= STOP do
    if got == TASK then
      local runner = spare[#spare]
      spare[#spare] = nil
      got = continue(runner or create(pull))
    elseif got == CALLED then
      answer_call()
      if frame and frame.ready then return end
      got = next_task(worker)
    else
      local number = core.resumed()
      local runner = waiting[number]
      waiting[number] = nil
      if type(runner) == "thread" then
        core.restore(number)
        got = continue(runner)
      else
        runner.ready = true
        if runner == frame then return end
        got = next_task(worker) -- it lies below on the stack, and must wait for what is on top
      end
    end
  end
end

local function may_yield() return running() == current and isyieldable() end

-- The running task waits; it is out of the engine's hands already.
local function park(number)
  local kept = sandbox.save()
  if may_yield() then
    yield("wait", number)
  else
    local frame = {}
    waiting[number] = frame
    nested = nested + 1
    frames[nested] = frame
    C.tidemill__nest(worker, 1)
    drive(next_task(worker), frame)
    C.tidemill__nest(worker, -1)
    frames[nested] = nil
    nested = nested - 1
    local below = frames[nested]
    if below and below.ready then core.call() end -- became so under this one, and can go on now
    if not frame.ready then error("the engine is closing", 0) end
    core.restore(number)
  end
  sandbox.restore(kept)
  local problem = core.woken(number)
  if problem then error(problem, 0) end
end

require("tidemill.wait").set_park(park, function()
  return may_yield() or (nested < max_nested and not core.stack_is_low())
end, may_yield, function() return nested > 0 end)

if core.confined then require("tidemill.confine").install() end

--- Goes on from what the worker was given; returns when there is nothing more.
return function(got) drive(got) end
