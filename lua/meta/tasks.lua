---@meta _
-- What editors know of the face: tasks, and how they fail.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill
local tm = {}

---@class tidemill.options
---@field name? string what messages call the task; in no key
---@field priority? -2|-1|0|1|2 of two ready tasks the higher one starts first
---@field kind? "cpu"|"io" what the task mostly waits for: "io" runs on the loop lane
---@field cache? boolean|"auto"|"refresh" keep the result; "auto": when that is worth it; "refresh" computes anew and keeps that
---@field ttl? number|string seconds that a kept result may be used, or "12h"; for ever without
---@field version? string|number part of the key: another one computes anew
---@field seed? number part of the key, and with it of the random numbers of a cached task
---@field files? string[] files whose content is part of the key
---@field pure? boolean the result depends on nothing but the arguments and what the engine sees read
---@field lane? "auto"|"thread"|"serial"|"loop"|"process" where it runs; "auto": as its other options say
---@field timeout? number|string seconds that an attempt may take, or "250ms", "5m"; on the process lane
---@field memory? number|string bytes that its process may take, or "512MB"; on the process lane
---@field isolate? boolean a process that runs nothing else
---@field retries? integer attempts after the first one, 0 to 1000; default 0
---@field retry_delay? number seconds before the second attempt; default 0.1
---@field backoff? number|tidemill.backoff how delays grow: a factor from 1, or a table; default 2
---@field retry_on? fun(error: tidemill.error): boolean which errors are worth another attempt
---@field affinity? string|number tasks with the same one run on the same worker
---@field cost? number seconds that it is thought to take, before the first was measured
---@field nout? integer a call returns so many nodes, 1 to 1000: one for each value of the function
---@field resources? table<string, number> what it needs of named resources while it runs

--- A list, one entry for each delayed function; prints as text.
---@class tidemill.explanation
---@field [integer] tidemill.explanation.function

--- What is to be said of the tasks of one delayed function.
---@class tidemill.explanation.function
---@field name string
---@field tasks integer how many there are
---@field lane "thread"|"serial"|"loop"|"process"
---@field why string the option that has decided the lane; "" where none did
---@field cached boolean whether results are kept
---@field refusal? string why they are not although `cache` asks for it
---@field states table<string, integer> what came of the tasks in the last run: "pending", "finished", ..
---@field hits integer tasks whose results would come from the cache now
---@field misses integer tasks that would run although their results are kept
---@field unknown integer tasks of which nothing is known before others have run
---@field causes string[] why there are misses, and what the unknown ones wait for

---@class tidemill.backoff
---@field factor? number by which each delay is longer than the one before, from 1; default 2
---@field max? number seconds that no delay exceeds; default 60
---@field jitter? number share of a delay that chance may take away, 0 to 1; default 0.25

---@class tidemill.run_options
---@field distribution? "dynamic"|"round_robin"|"load_balanced"|"affinity" which worker runs a ready task

-- Tasks ---------------------------------------------------------------------------------------

--- A function whose calls build lazy nodes instead of running.
---     local inc = tm.delayed(function(x) return x + 1 end, {name = "inc"})
---     print(inc(41):compute())                           --> 42
---@param fn function
---@param given? tidemill.options
---@return tidemill.delayed
function tm.delayed(fn, given) end

--- Calling it builds a node; with the option `nout`, one for each value.
---@class tidemill.delayed
---@overload fun(...): tidemill.node
local delayed = {}

--- The same function with other options: f:with{priority = 2}.
---@param given tidemill.options
---@return tidemill.delayed
function delayed:with(given) end

--- A value that is computed when it is asked for.
---@class tidemill.node
local node = {}

--- Runs what the node needs and returns its value.
---@param given? tidemill.run_options
---@return any
function node:compute(given) end

--- Starts what the node needs now and keeps the result: a node whose value is computed once, however
--- often it is used.
---@return tidemill.node
function node:persist() end

--- Starts what the node needs now.
---@return tidemill.future
function node:submit() end

--- How large the graph below the node is, the node included.
---     print(node:info().tasks, node:info().depth)
---@return tidemill.info
function node:info() end

--- Of the tasks below the node, its own last: where they would run and why, what of them the cache knows,
--- why it does not know the rest, and what came of them in the last run.  Nothing runs.
---     print(node:explain())
---@return tidemill.explanation
function node:explain() end

--- Draws the graph below the node: before a run its shape, after one states and times.
---     node:visualize("graph.svg", {rankdir = "LR"})
---@param file string ends in .svg or .dot
---@param given? tidemill.picture
function node:visualize(file, given) end

--- Name of the task.
---@return string
function node:name() end

---@class tidemill.info
---@field tasks integer
---@field layers integer distinct task names
---@field depth integer tasks on the longest path
---@field edges integer pairs of a task and one whose result it needs
---@field bytes integer memory of the nodes and their arguments
---@field names table<string, integer> tasks of each name

---@class tidemill.picture
---@field rankdir? "TB"|"LR" from top to bottom (default) or from left to right
---@field color? "state"|"time" what the fill of a box tells; default "state"

--- Draws the graph below several nodes.
---     tm.visualize({a, b}, "graph.dot")
---@param nodes tidemill.node|table a table of nodes, any nesting
---@param file string ends in .svg or .dot
---@param given? tidemill.picture
function tm.visualize(nodes, file, given) end

--- Runs what these nodes need, each once, and returns their values: tm.compute(a, b), or
--- tm.compute({a, b}, options), any nesting, which gives the same shape back.  Futures among them
--- are waited for.
---@param first tidemill.node|tidemill.future|table
---@param ... tidemill.node|tidemill.future|tidemill.run_options nodes; after a table its options
---@return any ...
function tm.compute(first, ...) end

--- A graph as plain data: key -> value or {function, argument, ...}; a string that equals a key
--- stands for its value.
---     tm.graph{x = 1, y = 2, z = {add, "x", "y"}}:get("z")
---@param definition table<string, any>
---@return tidemill.graph
function tm.graph(definition) end

---@class tidemill.graph
local graph = {}

--- The lazy node of a key.
---@param key string
---@return tidemill.node
function graph:node(key) end

--- The value of a key; of a list of keys, a list of values.
---@param key string|string[]
---@return any
function graph:get(key) end

--- A string that is itself in a graph, even when it equals a key.
---@param value string
---@return table
function tm.literal(value) end

--- Starts a task now: a function or a delayed function with arguments, or a node without.  Nodes and
--- futures among the arguments are inputs.
---@param fn function|tidemill.delayed|tidemill.node
---@param ... any
---@return tidemill.future
function tm.submit(fn, ...) end

--- A task that has been started.
---@class tidemill.future
---@field key? string of a cached task, once its inputs are there: 32 hexadecimal digits, as in errors and the log
local future = {}

--- "skipped": a task that it needed has failed.
---@return "pending"|"running"|"finished"|"error"|"cancelled"|"skipped"
function future:status() end

--- Waits up to `seconds` (for ever without); whether the task has ended.
---@param seconds? number
---@return boolean
function future:wait(seconds) end

--- The result; raises the task's error, or a time-out after `seconds`, which leaves it running.
---@param seconds? number
---@return any
function future:result(seconds) end

--- Keeps the task from starting; one that waits gets an error, one that computes sees tm.cancelled().
function future:cancel() end

--- A lazy node that stands for the result; the task does not run again.  As an argument of a call a
--- future is that by itself.
---@return tidemill.node
function future:as_node() end

--- Results of futures or nodes, in the shape they were given; raises the first error.
---@param list tidemill.future|tidemill.node|table
---@param ... tidemill.future|tidemill.node
---@return any ...
function tm.gather(list, ...) end

--- Waits for all futures of a table, nested as you like, up to `seconds` in all; whether all have
--- ended.
---@param list tidemill.future|table
---@param seconds? number
---@return boolean
function tm.wait(list, seconds) end

---@class tidemill.feed_options: tidemill.options
---@field window? integer most items that are in flight at once, from 1
---@field progress? fun(done: integer, total: integer?) called as items end; no total for an iterator
---@field distribution? "dynamic"|"round_robin"|"load_balanced"|"affinity"

--- Applies `fn` to each item of a list or an iterator in parallel; results in order, with `n`.  When
--- items fail, the first one's error is raised when all have ended.
--- `list`: items 1 to #list, or to list.n; or a function that gives the next item, nil at the end.
---@param fn function|tidemill.delayed
---@param list table|tidemill.array|fun(): any
---@param given? tidemill.feed_options
---@return table
function tm.map(fn, list, given) end

--- As map, but what fails is collected instead of raised.
---     local r = tm.batch(load, paths, {retries = 2})
---     print(r)                                           --> 98 of 100 items in 1.2 s ...
---@param fn function|tidemill.delayed
---@param items table|tidemill.array|fun(): any
---@param given? tidemill.feed_options
---@return tidemill.batch_result
function tm.batch(fn, items, given) end

---@class tidemill.failed_item
---@field index integer
---@field item any
---@field error tidemill.error
---@field attempts integer how often it was tried, retries of the batch included
---@field time number seconds that it took

---@class tidemill.batch_result prints as one line
---@field total integer
---@field successful integer
---@field failed integer
---@field success_rate number 0 to 1; 1 for no items
---@field elapsed number seconds, retries of the batch included
---@field throughput number items a second
---@field peak_memory integer bytes that the process has had resident at most
---@field results table in order, with `n`; a hole where an item failed
---@field errors tidemill.failed_item[] by index
local batch = {}

--- Runs the failed items again, with these options over the former ones, and merges what comes of
--- them.
---@param given? tidemill.feed_options
---@return tidemill.batch_result self
function batch:retry(given) end

--- Starts one task an item; futures in order, with `n`.  With `window` it waits where more of them
--- would be in flight.
---@param fn function|tidemill.delayed
---@param list table|tidemill.array|fun(): any
---@param given? tidemill.feed_options
---@return tidemill.future[]
function tm.submit_all(fn, list, given) end

--- for future in tm.as_completed(list) do: in the order in which they end.
---@param list tidemill.future[]
---@return fun(): tidemill.future?
function tm.as_completed(list) end

--- Cancels a future, all futures of a table, or, without an argument, everything that the script has
--- started.
---@param ... tidemill.future|table
function tm.cancel(...) end

--- Calls fn(...) once on each worker; results in the order of the workers, with `n`.
---@param fn function|tidemill.delayed
---@param ... any
---@return table
function tm.each_worker(fn, ...) end

--- Waits; in a task others run meanwhile.
---@param seconds number
function tm.sleep(seconds) end

--- A queue of at most `capacity` values between tasks, and between tasks and the script; crosses by
--- reference.
---     local jobs = tm.channel(10)
---@param capacity? integer 1 to 2^24; default 1
---@return tidemill.channel
function tm.channel(capacity) end

---@class tidemill.channel
local channel = {}

--- Waits while it is full; false when `seconds` have passed, an error when it is closed.
---@param value any not nil
---@param seconds? number
---@return boolean
function channel:put(value, seconds) end

--- Waits while it is empty; nil and "closed" or "timeout" when there is no value.
---@param seconds? number
---@return any value, string? why
function channel:take(seconds) end

--- for value in channel:iter() do: until it is closed and empty.
---@return fun(): any
function channel:iter() end

--- No more values; what is in it can still be taken.
function channel:close() end

--- Values in it, its capacity, whether it is closed.
---@return integer size, integer capacity, boolean closed
function channel:state() end

--- Encodes a value once: passing it to tasks costs nothing more.  In a task it is the value, decoded
--- once a worker: read it, do not write it.  In the script it is only a handle.
---@generic T
---@param value T
---@return T
function tm.share(value) end

---@class tidemill.pool_options
---@field create fun(): any makes a resource, in the Lua state that keeps it
---@field close? fun(resource: any) ends one; must not wait
---@field max integer so many at any time, over all states
---@field name? string what messages call the pool; else the file and line of `create`

--- Resources such as connections and files: made when needed, kept by the worker that made them,
--- never more than `max`; crosses by reference.
---     local files = tm.pool{create = open, close = shut, max = 2}
---@param given tidemill.pool_options
---@return tidemill.pool
function tm.pool(given) end

---@class tidemill.pool
---@field max integer
---@field name string
local pool = {}

--- Calls fn(resource, ...) and gives what it gives; the resource is given back after errors, too.
--- A task waits while all are in use, and its worker runs others meanwhile.
---@param fn fun(resource: any, ...): ...
---@param ... any
---@return any ...
function pool:with(fn, ...) end

--- Inside with(): the resource is of no use any more, and will be closed instead of kept.
---@param resource any
function pool:discard(resource) end

--- Closes what nobody uses, and the rest when it is given back; with() is an error from now on.
function pool:close() end

--- How many there may be, there are, nobody uses, and tasks wait for.
---@return {max: integer, made: integer, idle: integer, waiting: integer}
function pool:stats() end

-- Failures ------------------------------------------------------------------------------------

--- What a failed task raises; prints and concatenates as its message.
---@class tidemill.error
---@field message string
---@field traceback? string of the task's Lua state
---@field task? string name of the task
---@field key? string of a cached task: 32 hexadecimal digits
---@field worker? integer
---@field lane? string
---@field attempt? integer which attempt failed, from 1
---@field attempts? number[] seconds that each attempt took, of a task with retries
---@field cause? any what the task threw, when that was not a string
---@field failed? integer tasks of the run that failed
---@field skipped? integer tasks that did not run because of them
