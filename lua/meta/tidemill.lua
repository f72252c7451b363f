---@meta tidemill
-- Stubs of the public face for editors with LuaCATS (lua-language-server): completion and checks.
-- Nothing here runs; tests/spec/meta_spec.lua holds it against lua/tidemill.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill
---@field _VERSION string
local tm = {}

-- The script ----------------------------------------------------------------------------------

--- Parses the script's options against a table of defaults, whose types they take; booleans are
--- switches. Unknown options end the script with status 2, --help with 0.
---     local options = tm.args({data = "", days = 30}, {help = {days = "how far back"}})
---@param defaults table<string, any>
---@param about? {usage: string?, help: table<string, string>?}
---@return table<string, any>
function tm.args(defaults, about) end

--- "2018-02-07" of a day number, as `date` columns hold it.
---@param days integer
---@return string
function tm.date_text(days) end

--- for key, value in tm.sorted(t) do: numbers first, then strings by bytes.
---@param t table
---@return fun(): any, any
function tm.sorted(t) end

--- A line of the script's summary: stdout; stderr with --json -, nowhere with --quiet.
---@param ... any
function tm.say(...) end

--- Counts what --strict minds: rows dropped, items failed.
---@param count integer
---@param what? string
function tm.degraded(count, what) end

--- Whether the run of the task that asks was cancelled; false in the script.
---@return boolean
function tm.cancelled() end

---@class tidemill.counters
---@field executed integer bodies that have run, each attempt
---@field failed integer tasks that failed, after their retries
---@field skipped integer tasks that did not run because one they needed failed, or was cancelled
---@field retries integer attempts that were followed by another
---@field hits integer results from the cache
---@field misses integer results that were looked for in the cache in vain
---@field waits integer waits inside tasks
---@field steals integer tasks taken from another worker
---@field sleeps integer times that a worker had nothing to do

---@class tidemill.worker_counters: tidemill.counters
---@field busy? number share of the time since the workers started; nil: they have not, or --serial
---@field idle? number

---@class tidemill.memory
---@field limit? integer bytes that the process may have; nil: as many as it likes
---@field used integer bytes that it has, without pages of files
---@field spilled integer bytes of results that are on disk now
---@field spills integer times that one went there
---@field pauses integer times that so much was used that nothing new was begun
---@field held integer bytes of the arrays that the script's handles hold
---@field state "fine"|"target"|"spill"|"pause"|"terminate"

---@class tidemill.lane
---@field state "not started"|"idle"|"busy"
---@field load integer tasks given to it that have not ended
---@field completed integer
---@field failed integer
---@field retries integer
---@field average number seconds of an attempt
---@field children? integer of the process lane: worker processes there are now
---@field started? integer worker processes started so far
---@field killed? integer of those, killed by the engine: time, memory, cancelled tasks
---@field timeouts? integer of those, for their time
---@field restarted? integer tasks begun again because their process was killed from outside

---@class tidemill.stats: tidemill.counters of all workers together
---@field memory tidemill.memory
---@field tasks integer executed and hits
---@field queued integer ready tasks that no worker has taken yet
---@field workers integer worker threads, 0 with --serial
---@field active integer workers that take tasks now
---@field bytes integer memory of results and arrays
---@field peak_bytes integer at most so far
---@field peak_resident integer most bytes that the process has had resident
---@field per_worker tidemill.worker_counters[]
---@field lanes table<string, tidemill.lane>

--- Counters since the engine started.
---     print(tm.stats().executed, tm.stats().per_worker[1].busy)
---@return tidemill.stats
function tm.stats() end

--- Seconds of a clock that never goes back.
---@return number
function tm.clock() end

--- Lines for people, from the script and from tasks; see also --log and --log-level.
---@class tidemill.log
local log = {}
tm.log = log

--- A line for who looks for an error.
---     tm.log.debug("read", {rows = 10})
---@param text string
---@param fields? table<string, string|number|boolean>
function log.debug(text, fields) end

--- A line for who wants to know how it goes.
---@param text string
---@param fields? table<string, string|number|boolean>
function log.info(text, fields) end

--- A line about what was got over.
---@param text string
---@param fields? table<string, string|number|boolean>
function log.warn(text, fields) end

--- A line about what went wrong.
---@param text string
---@param fields? table<string, string|number|boolean>
function log.error(text, fields) end

---@class tidemill.line
---@field time number seconds since 1970, UTC
---@field level "debug"|"info"|"warn"|"error"
---@field worker integer 0: the script
---@field task? string
---@field key? string of the task's result in the cache
---@field attempt? integer
---@field run? string
---@field text string
---@field fields table<string, string|number|boolean>

--- The last 1,000 lines of the script and of each worker, the oldest first: those of a level and
--- above, of one worker (0: the script), of one task, the last `limit` of them.
---     for _, line in ipairs(tm.logs{level = "warn"}) do print(line.text) end
---@param given? {level: string?, worker: integer?, task: string?, limit: integer?}
---@return tidemill.line[]
function tm.logs(given) end

--- Values that scripts and tasks put into the cache themselves, under keys of their own.  A key is a
--- string, or any value that can go into the cache; equal values are one key.
---@class tidemill.cache
local cache = {}
tm.cache = cache

--- The value that was put under the key last; nil when there is none, or it is too old.
---@param key any
---@return any
function cache.get(key) end

--- Puts a value under the key, in the place of the one that is there.  mode: "behind" returns at once, and
--- the writer writes when it has some; "through" returns when the value is on disk; "aside" puts it only
--- where there is none.  Whether it is kept.
---     tm.cache.put("limits", {low = 1, high = 9}, {ttl = "1d", mode = "through"})
---@param key any
---@param value any not nil, and no function, channel or the like
---@param given? {ttl: (number|string)?, mode: ("behind"|"through"|"aside")?} behind without
---@return boolean
function cache.put(key, value, given) end

--- The value under the key; when there is none, what fn() gives, which is put there.  Of several tasks and
--- processes that fetch a key at the same time one computes, and the others wait for it.
---     local rates = tm.cache.fetch("rates", function() return tm.read_csv("rates.csv") end, {ttl = "1h"})
---@param key any
---@param fn fun(): any nil is given back and not put
---@param given? {ttl: (number|string)?, mode: ("aside"|"through"|"behind")?} aside without
---@return any
function cache.fetch(key, fn, given) end

--- Removes results of tasks and values: all that fit every one of the fields.  How many.
---     tm.cache.invalidate{name = "sharpe", older_than = "7d"}
---@param which {name: string?, older_than: (number|string)?, key: any} name: a task's, or "value:KEY"
---@return integer
function cache.invalidate(which) end

---@class tidemill.cache_stats
---@field cache string
---@field entries integer
---@field tasks integer names of tasks
---@field results integer different ones
---@field files integer of them in files of their own
---@field size integer bytes of the results
---@field bytes integer on disk
---@field hits integer of all processes, as far as they are on disk
---@field saved number seconds of computing that these have saved
---@field oldest? string
---@field newest? string
---@field limit_bytes? integer
---@field limit_entries? integer
---@field ttl? number

--- What is in the cache; nil when there is none.
---@return tidemill.cache_stats?
function cache.stats() end

--- Settings of the engine, before what they change has started: tm.config{workers = 2} sets,
--- tm.config.workers reads, tm.config() gives them all; memory = {limit = "1GB", pause = 0.9} stands for
--- the settings memory.limit and memory.pause.  What the command line or the environment
--- has set is stronger.
---@class tidemill.config
---@field adaptive string|table<string, number>
---@field blas "auto"|"none"|string
---@field cache string
---@field distribution "dynamic"|"round_robin"|"load_balanced"|"affinity"
---@field lane "auto"|"thread"|"loop"|"process"
---@field log string
---@field log_format "auto"|"text"|"json"
---@field log_level "debug"|"info"|"warn"|"error"
---@field ["cache.all"] "on"|"off" tasks that say nothing have cache = "auto"
---@field ["cache.entries"] "off"|integer results that the cache keeps at most
---@field ["cache.limit"] "auto"|"off"|string|integer bytes that it takes on disk at most, "512MB", "20GiB"
---@field ["cache.ttl"] "off"|string how long a result may be used, "12h"
---@field ["memory.limit"] "auto"|"off"|string|integer of the process: bytes, "512MB", "2GiB", "50%"
---@field ["memory.pause"] number share of the limit above which nothing new is begun
---@field ["memory.spill"] number share of it above which results go to disk
---@field ["memory.target"] number share of it above which tasks that free results go first
---@field ["memory.terminate"] number share of its limit above which a process worker is replaced
---@field ["memory.worker_limit"] "off"|string|integer of each process worker
---@field processes integer|"auto"
---@field resources string|table<string, integer>
---@field seed integer
---@field spill_folder "auto"|string
---@field trace string
---@field trace_events integer
---@field worker_path string
---@field workers integer
---@overload fun(given: table<string, any>?): table<string, any>?
local config = {}
tm.config = config

---@class tidemill.json
local json = {}
tm.json = json

--- A value as JSON: keys sorted, the shortest numbers that read back alike, NaN as null.
---@param value any nil, boolean, number, string, table or array
---@return string
function json.encode(value) end

--- The value of JSON text; null is nil, and a list that holds some carries `n`.
---@param text string
---@return any
function json.decode(text) end

--- Marks a table as a list, so that an empty one is written as [].
---@param values table
---@return table
function json.list(values) end

---@type tidemill.kernels
tm.kernels = {}

---@type tidemill.linalg
tm.linalg = {}

return tm
