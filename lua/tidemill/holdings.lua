-- holdings: the buffers that this Lua state holds.  LuaJIT's collector sees a handle of 16 bytes where
-- there is an array of megabytes: so each state keeps count, and collects when dead handles may hold
-- so much that it is worth it; also when memory is short, and when its worker has nothing to do.
local ffi = require("ffi")
local core = require("tidemill.core")
local C = require("tidemill.clib")

local holdings = {}

local mine = ffi.cast("struct tidemill__holdings *", core.holdings)
local pressure = ffi.cast("int *", core.pressure)
local TARGET, PAUSE = 1, 3 -- of enum mill_pressure

mine.heap = 1024 * collectgarbage("count")

--- Collects all garbage of the state.
function holdings.collect()
  mine.debt, mine.due = 0, 0 -- before: a finalizer may raise
  collectgarbage()
  mine.heap = 1024 * collectgarbage("count")
end

--- The state has got a handle of an array.
function holdings.take_up(a)
  local room = pressure[0] >= TARGET and mine.room / 8 or mine.room
  -- What a collection costs grows with the heap, and not with what is held.
  if mine.debt > room and mine.debt > mine.heap then holdings.collect() end
  local bytes = tonumber(C.tidemill__array_bytes(a))
  mine.held, mine.debt = mine.held + bytes, mine.debt + bytes
end

--- The handle is gone: collected, by whomever, or given up.  Had it come before the last collection, the debt
--- is less than what has come since; but a collection that finds it finds what else is dead, too.
function holdings.drop(a)
  local bytes = tonumber(C.tidemill__array_bytes(a))
  mine.held, mine.debt = mine.held - bytes, math.max(0, mine.debt - bytes)
end

local function may_hold_garbage()
  return mine.debt > 0 or 1024 * collectgarbage("count") > 1.25 * mine.heap + 4e6
end

--- Between tasks: collects when the worker is idle or memory is short.
function holdings.answer()
  if mine.due > 0 or (pressure[0] >= TARGET and may_hold_garbage()) then holdings.collect() end
end

--- Before the script waits: what it holds in vain others may need.
function holdings.before_wait()
  if pressure[0] >= TARGET and may_hold_garbage() then holdings.collect() end
end

--- Whether memory is so short that nothing new is to be begun.
function holdings.is_short() return pressure[0] >= PAUSE end

return holdings
