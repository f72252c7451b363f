-- wait: what a task does while it waits: its worker runs other tasks.  In the script the engine's
-- functions block by themselves and never ask to be parked.
local core = require("tidemill.core")
local shown = require("tidemill.shown")

local wait = {}

-- Set by tidemill.runner: lets other tasks run until the one with this number can go on.
local park, may_park, may_yield
local is_stacked -- whether waits lie below on the stack

local in_task = core.worker ~= nil
local before_wait -- in the script: called before each wait
local refusal -- who must not wait

local TOO_MANY = "too many waits inside string.gsub, table.sort, coroutines and other callbacks"

function wait.set_park(park_it, may, yields, stacked)
  park, may_park, may_yield, is_stacked = park_it, may, yields, stacked
end

--- Before a task starts another: raises where it could not wait for it.  Else endless recursion through
--- callbacks would never end: each task that fails would leave one behind that does the same.
function wait.check_room()
  if is_stacked and is_stacked() and not may_park() then error(TOO_MANY, 0) end
end

--- Whether a wait would keep the stack: what goes on meanwhile lies on top and has to end first.
function wait.is_stacked() return may_yield ~= nil and not may_yield() end

function wait.set_before(fn) before_wait = fn end

--- Calls fn(...), whose waits are errors that say that `who` must not wait.
---@return boolean fine, any problem
function wait.refused(who, fn, ...)
  local before = refusal
  refusal = who
  local fine, problem = pcall(fn, ...)
  refusal = before
  return fine, problem
end

local fine_ends = { ended = true, waiting = true, fired = true, done = true, closed = true }

-- Raises what the engine says of a wait that cannot go on.
local function check(what, give_up)
  if fine_ends[what] then return end
  if give_up then give_up() end -- else what it waited for goes on, and waits in its turn
  if what == "interrupted" then
    error(require("tidemill.errors").new({ message = "interrupted" }), 0)
  end
  error(what, 0)
end

--- Calls fn(a, b, deadline), one of the engine's functions that may have to wait, until it is done.
--- Gives what it gives: "ended", "fired", "done", "closed", or "waiting" when `seconds` have passed.
--- `give_up` is called when the wait ends by an error.
function wait.call(fn, a, b, seconds, give_up)
  if refusal then error(refusal .. " must not wait", 0) end
  if before_wait then before_wait() end
  if not in_task then require("tidemill.holdings").before_wait() end
  local deadline = seconds and core.clock() + seconds or nil
  while true do
    local ask = deadline
    if may_park and not may_park() then ask = 0 end
    local what, value = fn(a, b, ask)
    if what ~= "park" then
      if what == "waiting" and ask ~= deadline then
        what = TOO_MANY
      end
      check(what, give_up)
      return what, value
    end
    if give_up then
      local fine, problem = pcall(park, value)
      if not fine then
        give_up()
        error(problem, 0)
      end
    else
      park(value)
    end
  end
end

local function sleep(_, _, deadline) return core.sleep(deadline) end

--- Waits for some seconds; in a task others run meanwhile.
---@param seconds number
function wait.sleep(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    error("sleep: expected seconds, a number from 0, got " .. shown.value(seconds), 2)
  end
  wait.call(sleep, nil, nil, seconds)
end

return wait
