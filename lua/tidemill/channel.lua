-- channel: a bounded queue of values between tasks, and between tasks and the script.
local core = require("tidemill.core")
local receiver = require("tidemill.receiver")
local shown = require("tidemill.shown")
local wait = require("tidemill.wait")

local channel = {}

---@class tidemill.channel
local methods = {}
local meta = { __index = methods, __name = "tidemill.channel" }
channel.meta = meta -- crosses by name, and the handle by reference

--- A queue of at most `capacity` values.  It crosses to tasks by reference, as an argument or as
--- an upvalue; put and take wait without holding a worker.
---@param capacity? integer 1 without
---@return tidemill.channel
function channel.new(capacity)
  capacity = capacity == nil and 1 or capacity
  if type(capacity) ~= "number" or capacity < 1 or capacity > 2 ^ 24 or capacity % 1 ~= 0 then
    error("channel: expected a capacity, a whole number from 1 to 2^24, got " .. shown.value(capacity), 2)
  end
  return setmetatable({ handle = core.channel(capacity) }, meta)
end

--- Whether `value` is a channel.
function channel.is(value) return type(value) == "table" and getmetatable(value) == meta end

local check_self = receiver.check(channel.is, "a channel", "channel")

local function seconds_or_none(what, seconds)
  if seconds ~= nil and (type(seconds) ~= "number" or seconds ~= seconds) then
    error(("channel:%s: expected seconds as a number, got %s"):format(what,
      type(seconds) == "number" and "nan" or "a " .. type(seconds)), 3)
  end
  return seconds
end

local function give_up(self)
  return function() core.channel_nudge(self.handle) end
end

--- Puts a value (not nil) in; waits while the channel is full.  False when `seconds` have passed;
--- raises when it is closed.
---@param value any
---@param seconds? number
---@return boolean
function methods:put(value, seconds)
  check_self(self, "put")
  if value == nil then error("channel:put: nil means that a channel is closed; put another value", 2) end
  local what = wait.call(core.channel_put, self.handle, value, seconds_or_none("put", seconds),
    give_up(self))
  if what == "waiting" then core.channel_nudge(self.handle) end
  if what == "closed" then error("channel:put: the channel is closed", 2) end
  return what == "done"
end

--- Takes the oldest value; waits while there is none.  nil when the channel is closed and empty, or
--- when `seconds` have passed: the second result is "closed" or "timeout".
---@param seconds? number
---@return any value, string? why
function methods:take(seconds)
  check_self(self, "take")
  local what, value = wait.call(core.channel_take, self.handle, nil, seconds_or_none("take", seconds),
    give_up(self))
  if what == "done" then return value end
  if what == "waiting" then core.channel_nudge(self.handle) end
  return nil, what == "closed" and "closed" or "timeout"
end

--- for value in channel:iter() do: until it is closed and empty.
function methods:iter()
  check_self(self, "iter")
  return function() return (self:take()) end
end

--- No more values; what is in it can still be taken.
function methods:close()
  check_self(self, "close")
  core.channel_close(self.handle)
end

--- Values in it, its capacity, whether it is closed.
---@return integer size, integer capacity, boolean closed
function methods:state()
  check_self(self, "state")
  return core.channel_state(self.handle)
end

function meta.__tostring(self)
  local size, capacity, closed = core.channel_state(self.handle)
  return ("channel of %d/%d values%s"):format(size, capacity, closed and ", closed" or "")
end

--- A value encoded once: passing it to tasks costs nothing more, and each worker decodes it once.
--- In a task it is the value itself.
---@param value any
---@return userdata
function channel.share(value) return core.share(value) end

return channel
