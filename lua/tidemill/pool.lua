-- pool: real resources, such as connections and files, that tasks share: made when needed, kept by
-- the Lua state that made them, never more than a limit over all states.  Who may have one the
-- engine decides (host/sched/lease.h); the resources are here.
local core = require("tidemill.core")
local errors = require("tidemill.errors")
local options = require("tidemill.options")
local receiver = require("tidemill.receiver")
local shown = require("tidemill.shown")
local wait = require("tidemill.wait")

local pool = {}

---@class tidemill.pool
local methods = {}
local meta = { __index = methods, __name = "tidemill.pool" }
pool.meta = meta -- crosses by name; the functions by value, and the handle by reference

-- What this state has of each pool, by the address of its lease.  An entry is there while there is
-- something in it, and so is the lease:
--   idle, lent   lists of resources
--   making       so many are being made
--   closing      so many are being closed, and are in no list any more
local kept, last_number = {}, 0
local finished = false

local function entry_of(self)
  local address = core.lease_address(self.handle)
  local entry = kept[address]
  if not entry then
    last_number = last_number + 1
    entry = { address = address, number = last_number, name = self.name, close = self.close_with,
      idle = {}, lent = {}, making = 0, closing = 0 }
    kept[address] = entry
  end
  return entry
end

-- The entries, those of the oldest pools first: they come and go while resources are closed.
local function entries()
  local list = {}
  for _, entry in pairs(kept) do list[#list + 1] = entry end
  table.sort(list, function(a, b) return a.number < b.number end)
  return list
end

local function remove(list, resource)
  for i = #list, 1, -1 do
    if rawequal(list[i], resource) then return table.remove(list, i) end
  end
end

-- ---- closing ------------------------------------------------------------------------------------

-- One is no more: the last one's entry goes before the lease, whose address may be another's then.
local function gone(entry)
  if #entry.idle + #entry.lent + entry.making + entry.closing == 0 then kept[entry.address] = nil end
  core.lease_gone(entry.address)
end

local late = false -- the collector has taken C data already, finalizers and all

local function close_one(entry, resource)
  if entry.close and not (late and type(resource) == "cdata") then
    entry.closing = entry.closing + 1
    local fine, problem = wait.refused(("pool \"%s\": close"):format(entry.name), entry.close, resource)
    entry.closing = entry.closing - 1
    if not fine then
      core.warn(("pool \"%s\": close failed: %s"):format(entry.name, tostring(problem)))
    end
  end
  gone(entry)
end

-- Closes idle ones, those first that have not been used for longest, until only so many are left
-- that are to leave and are being closed already.
local function close_idle(entry, leaving)
  for _ = 1, leaving - entry.closing do
    if #entry.idle == 0 then return end
    close_one(entry, table.remove(entry.idle, 1))
  end
end

--- Another state wants what this one keeps, or the pool was closed.
function pool.answer()
  for _, entry in ipairs(entries()) do close_idle(entry, core.lease_look(entry.address)) end
end

-- The script cannot be called while it waits: it keeps nothing meanwhile.
local function withdraw()
  if next(kept) == nil then return end
  for _, entry in ipairs(entries()) do close_idle(entry, core.lease_withdraw(entry.address)) end
end

if not core.worker then wait.set_before(withdraw) end

local standing = {} -- set of places in the queues

--- The state is about to end.  What tasks have that will not go on is closed, too.
function pool.finish()
  finished = true
  for place in pairs(standing) do core.lease_leave(place) end
  for _, entry in ipairs(entries()) do
    close_idle(entry, core.lease_withdraw(entry.address))
    while #entry.lent > 0 do
      core.lease_release(entry.address, false)
      close_one(entry, table.remove(entry.lent))
    end
    while entry.making > 0 do
      entry.making = entry.making - 1
      core.lease_release(entry.address, false)
      gone(entry)
    end
  end
end

-- Somebody else's state ends without a word: its userdata are finalized, the newest first.  What is
-- newer than the newest resource closes them while they are whole.
local sentinel

local function watch_end()
  sentinel = newproxy(true)
  getmetatable(sentinel).__gc = function(self)
    if self ~= sentinel then return end
    late = true
    pool.finish()
  end
end

-- ---- having one ---------------------------------------------------------------------------------

-- Stands in a queue until there is an answer.
local function stand(self, place)
  standing[place] = true
  local fine, what, answer = pcall(wait.call, core.lease_wait, place)
  standing[place] = nil
  if fine then return answer end
  core.lease_leave(place)
  if type(what) == "string" and what:find("this wait could never end", 1, true) then
    what = ("pool \"%s\": this wait could never end: all %d are in use, by tasks that cannot go on "
      .. "either; raise max, or wait for nothing inside with(), also not for with() of the same pool")
      :format(self.name, self.max)
  end
  error(what, 0)
end

local function message_of(problem)
  if problem == nil then return "it gave nil" end
  return type(problem) == "table" and type(problem.message) == "string" and problem.message
    or tostring(problem)
end

-- What `create` has given, or raised.
local function made(self, entry, began, fine, resource, problem)
  if finished then error(("pool \"%s\": the engine is closing"):format(self.name), 0) end
  entry.making = entry.making - 1
  if fine and resource then
    entry.lent[#entry.lent + 1] = resource
    core.lease_made(entry.address, core.clock() - began)
    if not core.worker and not core.owned then watch_end() end
    return resource
  end
  core.lease_release(entry.address, false)
  gone(entry)
  if not fine then problem = resource end
  local message = ("pool \"%s\": create failed: %s"):format(self.name, message_of(problem))
  if type(problem) ~= "table" then error(message, 0) end
  error(errors.new({ message = message, cause = errors.is(problem) and problem.cause or problem }), 0)
end

local function obtain(self)
  if finished then error(("pool \"%s\": the engine is closing"):format(self.name), 3) end
  if not core.worker then pool.answer() end
  local what, place = core.lease_acquire(self.handle, wait.is_stacked())
  if what == "wait" then what = stand(self, place) end
  if what == "closed" then error(("pool \"%s\" is closed"):format(self.name), 3) end
  if what == "never" then
    error(("pool \"%s\": the script has all %d itself, inside with() of this pool; raise max, or do "
      .. "not call with() of a pool inside its own with()"):format(self.name, self.max), 3)
  end
  local entry = entry_of(self)
  if what == "own" then
    local resource = table.remove(entry.idle)
    entry.lent[#entry.lent + 1] = resource
    return entry, resource
  end
  entry.making = entry.making + 1
  return entry, made(self, entry, core.clock(), pcall(self.create))
end

local broken = {} -- list of resources that are not to be kept

local function give_back(entry, resource, fine, ...)
  if remove(entry.lent, resource) ~= nil then -- else it was closed with the state
    if remove(broken, resource) ~= nil then
      core.lease_release(entry.address, false)
      close_one(entry, resource)
    else
      entry.idle[#entry.idle + 1] = resource
      close_idle(entry, core.lease_release(entry.address, true))
    end
  end
  if not fine then error((...), 0) end
  return ...
end

-- ---- what others call -----------------------------------------------------------------------------

local names = { "create", "close", "max", "name" }

local function check(given)
  if type(given) ~= "table" then
    error("pool: expected pool{create = function, close = function, max = 4}, got a " .. type(given), 3)
  end
  options.only(given, names, "pool", 3)
  local max = given.max
  if type(given.create) ~= "function" then
    error("pool: create: expected a function that makes a resource, got a " .. type(given.create), 3)
  end
  if given.close ~= nil and type(given.close) ~= "function" then
    error("pool: close: expected a function that takes a resource, got a " .. type(given.close), 3)
  end
  if type(max) ~= "number" or max < 1 or max > 2 ^ 20 or max % 1 ~= 0 then
    error("pool: max: expected a whole number from 1 to 2^20, got " .. shown.value(max), 3)
  end
  if given.name ~= nil and type(given.name) ~= "string" then
    error("pool: name: expected a text, got a " .. type(given.name), 3)
  end
end

local function place_of(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return "builtin" end
  return ("%s:%d"):format(info.short_src:match("([^/]*)$"), info.linedefined)
end

--- A pool of resources: `create()` makes one, in the Lua state that needs it and keeps it, `close(r)`
--- ends it; there are at most `max` at any time.  It crosses to tasks as an argument or an upvalue.
---
---     local files = tm.pool{create = function() return io.open("log", "a") end, max = 2,
---       close = function(file) file:close() end}
---     tm.map(function(x) files:with(function(file) file:write(x, "\n") end) end, {1, 2, 3})
---@param given {create: (fun(): any), close: (fun(resource: any))?, max: integer, name: string?}
---@return tidemill.pool
function pool.new(given)
  check(given)
  return setmetatable({ handle = core.lease(given.max), create = given.create, close_with = given.close,
    max = given.max, name = given.name or place_of(given.create) }, meta)
end

--- Whether `value` is a pool.
function pool.is(value) return type(value) == "table" and getmetatable(value) == meta end

local check_self = receiver.check(pool.is, "a pool", "pool")

--- Calls fn(resource, ...) and gives what it gives; the resource is given back after errors, too.
--- A task waits while all are in use, and its worker runs others meanwhile.
---@param fn fun(resource: any, ...): ...
function methods:with(fn, ...)
  check_self(self, "with")
  if type(fn) ~= "function" then
    error(("pool \"%s\": expected with(function, ...), got a %s"):format(self.name, type(fn)), 2)
  end
  local entry, resource = obtain(self)
  return give_back(entry, resource, pcall(fn, resource, ...))
end

--- The resource that with() has given is of no use any more: it will be closed, not kept.
---@param resource any
function methods:discard(resource)
  check_self(self, "discard")
  local entry = kept[core.lease_address(self.handle)]
  for _, lent in ipairs(entry and entry.lent or {}) do
    if rawequal(lent, resource) then
      broken[#broken + 1] = resource
      return
    end
  end
  error(("pool \"%s\": discard: expected what with() has given"):format(self.name), 2)
end

--- Closes what nobody uses, and the rest when it is given back; with() is an error from now on.
function methods:close()
  check_self(self, "close")
  core.lease_close(self.handle)
  local entry = kept[core.lease_address(self.handle)]
  if entry then close_idle(entry, core.lease_look(entry.address)) end
  local what, place = core.lease_drain(self.handle)
  if what == "wait" then stand(self, place) end
end

--- How many there may be, there are, nobody uses, and how many wait for one.
---@return {max: integer, made: integer, idle: integer, waiting: integer}
function methods:stats()
  check_self(self, "stats")
  local count, idle, waiting = core.lease_counts(self.handle)
  return { max = self.max, made = count, idle = idle, waiting = waiting }
end

function meta.__tostring(self)
  local count, idle, _, closed = core.lease_counts(self.handle)
  return ("pool \"%s\" of %d/%d resources, %d idle%s"):format(self.name, count, self.max, idle,
    closed and ", closed" or "")
end

return pool
