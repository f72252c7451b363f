-- operation: something that the engine's thread for input and output does for this state: started
-- by a function of the core, waited for here, given up when its time is over or its task is cancelled.
local core = require("tidemill.core")
local shown = require("tidemill.shown")
local sizes = require("tidemill.sizes")
local wait = require("tidemill.wait")

local operation = {}

local function answer(fine, ...)
  if fine then return true, ... end
  return nil
end

--- Waits for it, at most `seconds` (nil: for ever).  Gives true and its results; false and the message
--- of its failure; or nil when the time is over: then it has been ended.
function operation.run(handle, seconds)
  local function give_up() core.operation_drop(handle) end
  if wait.call(core.operation_wait, handle, nil, seconds, give_up) ~= "waiting" then
    return core.operation_result(handle)
  end
  core.operation_cancel(handle)
  wait.call(core.operation_wait, handle, nil, nil, give_up) -- it ends at once
  return answer(core.operation_result(handle)) -- perhaps well, at the last moment
end

-- ---- options that several functions have ------------------------------------------------------------

--- Seconds, nil for none: of an option that is `default` when it is not there and none when it is false.
function operation.seconds(given, default, what, level)
  if given == nil then return default end
  if given == false or given == math.huge then return nil end
  local seconds = sizes.seconds(given)
  if not seconds or seconds == 0 then
    error(("%s: timeout: expected %s, or false for none, got %s"):format(what, sizes.expected_time,
      shown.value(given)), level + 1)
  end
  return seconds
end

local most = 2 ^ 40

--- Bytes: 64 MiB when the option is not there.
function operation.bytes(given, what, level)
  if given == nil then return 64 * 2 ^ 20 end
  local bytes = sizes.parse(given)
  if not bytes or bytes < 1 or bytes > most then
    error(("%s: max_bytes: expected %s, got %s"):format(what, sizes.expected, shown.value(given)), level + 1)
  end
  return bytes
end

--- Checks a text; raises at `level`.
function operation.text(given, what, name, level)
  if type(given) ~= "string" then
    error(("%s: expected %s, a string, got a %s"):format(what, name, type(given)), level + 1)
  end
  return given
end

--- Checks the number of a port.
function operation.port(given, least, what, level)
  if type(given) ~= "number" or given < least or given > 65535 or given % 1 ~= 0 then
    error(("%s: expected a port, a whole number from %d to 65535, got %s"):format(what, least,
      shown.value(given)), level + 1)
  end
  return given
end

--- "30 s", for messages.
function operation.time(seconds) return ("%g s"):format(seconds) end

return operation
