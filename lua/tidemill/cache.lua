-- cache: values that scripts and tasks put into the cache themselves, under keys of their own:
-- tm.cache.put("k", v), tm.cache.get("k"), tm.cache.fetch("k", fn).  Without a cache nothing is kept
-- and nothing fails.
local core = require("tidemill.core")
local options = require("tidemill.options")
local shown = require("tidemill.shown")
local sizes = require("tidemill.sizes")
local suggest = require("tidemill.suggest")
local wait = require("tidemill.wait")

local cache = {}

local modes = { "aside", "behind", "through" }

-- ---- arguments --------------------------------------------------------------------------------

-- The 16 bytes that name a key, and its name for people.
local function named(what, key, level)
  if key == nil then error(what .. ": expected a key, got nil", level + 1) end
  local fine, id, name = pcall(core.cache_key, key)
  if not fine then error(what .. ": " .. id, level + 1) end
  return id, name
end

local function seconds_of(what, name, value, least, level)
  local seconds = sizes.seconds(value)
  if seconds and seconds >= least and (seconds > 0 or least == 0) then return seconds end
  error(("%s: %s: expected %s, got %s"):format(what, name, sizes.expected_time, shown.value(value)),
    level + 1)
end

-- The mode and the seconds that a value lasts.
local function manner(what, given, usual, level)
  given = options.only(given, { "mode", "ttl" }, what, level + 1)
  local mode = given.mode == nil and usual or given.mode
  for i = 1, #modes do
    if mode == modes[i] then
      return mode, given.ttl ~= nil and seconds_of(what, "ttl", given.ttl, 1e-6, level + 1) or 0
    end
  end
  error(("%s: mode: expected \"aside\", \"through\" or \"behind\", got %s%s"):format(what,
    shown.value(mode), suggest.phrase(mode, modes)), level + 1)
end

-- ---- get and put --------------------------------------------------------------------------------

--- The value that was put under the key last; nil when there is none, or it is too old.
---@param key any a string, or any value that can go into the cache: equal values are one key
---@return any
function cache.get(key)
  local _, value = core.cache_get((named("cache.get", key, 2)))
  return value
end

-- Raises at `level` what does not go into the cache.
local function keep(what, level, ...)
  local fine, kept = pcall(core.cache_put, ...)
  if fine then return kept end
  error(what .. ": " .. kept, level + 1)
end

--- Puts a value under the key, in the place of the one that is there.  Whether it is kept.
---@param key any
---@param value any not nil, and no function, channel or the like
---@param given? {ttl: (number|string)?, mode: ("behind"|"through"|"aside")?} behind without
---@return boolean
function cache.put(key, value, given)
  local id, name = named("cache.put", key, 2)
  local mode, ttl = manner("cache.put", given, "behind", 2)
  if value == nil then
    error("cache.put: expected a value, got nil; tm.cache.invalidate{key = key} removes one", 2)
  end
  local kept = keep("cache.put", 2, id, name, value, mode, ttl)
  return kept
end

-- ---- fetch ------------------------------------------------------------------------------------------

-- Looks at a claim before it is passed over, which means that a value is computed twice: it may be held
-- by somebody who waits for this one.  The pauses between them grow to a twentieth of a second.
local patience = { others = 12000, mine = 3600, waiting = 1200 }

-- What this state computes: 16 bytes of a key -> {ticket, the thread}.
local computing = {}

-- Others that wait for what this thread computes learn that it waits in its turn, perhaps for them.
local function tell_waiting(thread, waits)
  for id, mine in pairs(computing) do
    if mine.thread == thread then core.cache_claim_waits(id, mine.ticket, waits) end
  end
end

local function pause(thread, looks)
  tell_waiting(thread, true)
  local fine, problem = pcall(wait.sleep, math.min(0.001 * 2 ^ looks, 0.05))
  tell_waiting(thread, false)
  if not fine then error(problem, 0) end
end

local function is_own(id, thread) return computing[id] and computing[id].thread == thread end

-- Waits while somebody else computes the value: whether it is there then, and what it is; else the ticket
-- of a claim, 0 for none, and the thread that has it.
local function await(id)
  for looks = 0, math.huge do
    local claim, ticket, thread = core.cache_claim(id)
    -- Who had it before may have put the value there since the last look.
    local found, value = core.cache_get(id)
    if found then
      if ticket > 0 then core.cache_unclaim(id, ticket) end
      return true, value
    end
    if looks >= (patience[claim] or 0) or is_own(id, thread) then return false, ticket, thread end
    pause(thread, looks)
  end
end

-- What fn() gives, and the seconds that it took; its error, after the claim was given back.
local function compute(id, ticket, thread, fn)
  local before = computing[id]
  if ticket > 0 then computing[id] = { ticket = ticket, thread = thread } end
  local began = core.clock()
  local fine, value = pcall(fn)
  computing[id] = before
  if fine then return value, core.clock() - began end
  core.cache_unclaim(id, ticket)
  error(value, 0)
end

--- The value under the key; when there is none, what fn() gives, which is put there.  Of several tasks and
--- processes that fetch a key at the same time one computes, and the others wait for it.
---@param key any
---@param fn fun(): any nil is given back and not put
---@param given? {ttl: (number|string)?, mode: ("aside"|"through"|"behind")?} aside without
---@return any
function cache.fetch(key, fn, given)
  local id, name = named("cache.fetch", key, 2)
  local mode, ttl = manner("cache.fetch", given, "aside", 2)
  if type(fn) ~= "function" then
    error("cache.fetch: expected a function that computes the value, got a " .. type(fn), 2)
  end
  local found, value = core.cache_get(id)
  if found then return value end
  local ticket, thread, took
  found, ticket, thread = await(id)
  if found then return ticket end
  value, took = compute(id, ticket, thread, fn)
  if value == nil then
    core.cache_unclaim(id, ticket)
    return nil
  end
  local fine, problem = pcall(core.cache_put, id, name, value, mode, ttl, took, ticket)
  if fine then return value end
  core.cache_unclaim(id, ticket)
  error("cache.fetch: " .. problem, 2)
end

-- ---- the whole cache -----------------------------------------------------------------------------------

--- Removes results of tasks and values: all that fit every one of the fields.  How many.
---@param which {name: string?, older_than: (number|string)?, key: any} name: a task's, or "value:KEY"
---@return integer
function cache.invalidate(which)
  which = options.only(which, { "key", "name", "older_than" }, "cache.invalidate", 2)
  if next(which) == nil then
    error("cache.invalidate: expected name, key or older_than; `tidemill cache clear` removes everything", 2)
  end
  if which.name ~= nil and type(which.name) ~= "string" then
    error("cache.invalidate: name: expected a string, got a " .. type(which.name), 2)
  end
  local id = which.key ~= nil and named("cache.invalidate", which.key, 2) or nil
  local age = which.older_than
  if age ~= nil then age = seconds_of("cache.invalidate", "older_than", age, 0, 2) end
  return core.cache_remove(which.name, id, age)
end

--- What is in the cache: the fields of `tidemill cache stats --json`.  nil when there is no cache.
---@return tidemill.cache_stats?
function cache.stats()
  local text = core.cache_stats()
  return text and require("tidemill.json").decode(text)
end

return setmetatable(cache, {
  __index = function(_, key)
    error(("tm.cache has no \"%s\"%s"):format(shown.name(key),
      suggest.phrase(key, { "fetch", "get", "invalidate", "put", "stats" })), 2)
  end,
})
