---@meta tidemill
-- Stubs of the public face for editors with LuaCATS (lua-language-server): completion and checks.
-- Nothing here runs; tests/spec/meta_spec.lua holds it against lua/tidemill.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill
---@field _VERSION string
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

-- Choosing sizes ------------------------------------------------------------------------------

---@alias tidemill.size integer|string bytes: 4096, "512MB" (10^6), "2GiB" (2^30)

---@class tidemill.recommend_options
---@field items integer how many there are
---@field bytes_per_item? tidemill.size memory that one takes while it is worked on
---@field kind? "cpu"|"io"|"mixed"|"parse"|"write" parse is cpu, write is io; default "cpu"
---@field seconds_per_item? number on one worker
---@field memory? tidemill.size for all items that are worked on at once; also "25%" of the memory;
---       default half of what is available
---@field partition_bytes? tidemill.size items a task by their bytes instead
---@field workers? integer instead of those of the kind
---@field cpus? integer instead of those that the process may use

---@class tidemill.recommendation prints as one line
---@field workers integer worker threads: --workers N
---@field chunk_size integer items a task
---@field chunks integer tasks
---@field memory integer bytes of the items that are worked on at once
---@field memory_limit? integer bytes that they may have; nil: not known
---@field speedup number expected, against one worker's plain loop
---@field reason string what decided

--- Workers and items a task for a number of items, from the machine as it is: the CPUs and the
--- memory that the process may use.
---     local r = tm.recommend{items = 1000, bytes_per_item = "2MB", kind = "mixed"}
---     print(r, r.reason)
---@param given tidemill.recommend_options
---@return tidemill.recommendation
function tm.recommend(given) end

---@class tidemill.candidate
---@field chunk_size integer items a task
---@field seconds number for the whole sample: the best of the repeats
---@field items_per_second number
---@field seconds_per_item number
---@field efficiency number share of the workers' time that one worker alone would have needed

---@class tidemill.tuning prints as a table
---@field best tidemill.candidate
---@field table tidemill.candidate[] by chunk size
---@field n integer items of the sample
---@field workers integer
---@field seconds_per_item number of one worker alone: what tm.recommend asks for
---@field deterministic boolean whether all candidates gave the same results
---@field complete boolean whether the budget allowed all measurements

--- Measures how many items a task should have: runs `fn` over the whole sample in tasks of several
--- sizes.  `budget` is seconds after which no other measurement begins.
---     local tuned = tm.autotune(parse, some_lines, {budget = 5})
---     print(tuned, tuned.best.chunk_size)
---@param fn function of one item
---@param sample table|tidemill.array items
---@param given? {chunk_sizes: integer[]?, repeats: integer?, budget: number?}
---@return tidemill.tuning
function tm.autotune(fn, sample, given) end

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

-- Columns -------------------------------------------------------------------------------------

---@alias tidemill.dtype "bool"|"int8"|"int16"|"int32"|"int64"|"uint8"|"uint16"|"uint32"|"uint64"|"float32"|"float64"|"utf8"|"dictionary"|"date"|"timestamp"

--- An array from a Lua table of numbers, booleans, strings or 64-bit integers; tables in it are rows, and
--- so are arrays of one shape.
---     tm.array({{1, 2}, {3, 4}}, "int32"):get(2, 1)      --> 3
---@param values table elements 1 to n, or 1 to values.n; up to eight tables deep
---@param dtype? tidemill.dtype|{dtype: tidemill.dtype} default "float64", "bool" for booleans, "utf8" for
---       strings, "int64" for 64-bit integers, what the arrays have; of "date" and "timestamp" strings are
---       read as ISO 8601
---@return tidemill.array
function tm.array(values, dtype) end

--- An array from a copy of raw memory, little-endian.
---     tm.from_buffer("\1\0\2\0", "int16")[2]             --> 2
---@param source string|ffi.cdata* bytes, an FFI array, or a pointer, which needs a shape
---@param dtype tidemill.dtype of fixed size
---@param ... integer|integer[] shape; without it one axis of what there is
---@return tidemill.array
function tm.from_buffer(source, dtype, ...) end

--- Typed and immutable; `a[i]` counts from 1, `a[-1]` is the last element, `#a` the length of the first
--- axis. Of an array of several axes a[i] is a row.
---@class tidemill.array: tidemill.lazy
---@field [integer] any
---@field length integer elements in all
---@field size integer elements in all
---@field dtype tidemill.dtype
---@field shape integer[] sizes of the axes
---@field ndim integer how many axes there are
---@field itemsize? integer bytes of an element; nil for text
---@field nbytes integer bytes of memory
---@field nulls integer elements that are missing
---@field dictionary? tidemill.array the strings of a dictionary array
---@field codes? tidemill.array int32 codes of a dictionary array, from 0
local array = {}

--- Pointer to the elements, counted from 0 and typed as the array is; valid while the array
--- lives, and not to be written.
---@return ffi.cdata*
function array:pointer() end

--- The element at these indexes as a 64-bit integer cdata.
---@param i integer
---@param ... integer
---@return ffi.cdata*
function array:int64(i, ...) end

--- The element at these indexes, one an axis.
---@param i integer
---@param ... integer
---@return any
function array:get(i, ...) end

--- Row i of an array of several axes, without a copy: what a[i] is.
---@param i integer
---@return tidemill.array
function array:row(i) end

--- The only element of an array of one.
---@return any
function array:item() end

--- The same elements in another shape, without a copy; one size may be -1.
---     tm.array({1, 2, 3, 4}):reshape(2, -1)[2][1]        --> 3
---@param ... integer|integer[] sizes, or one table of them
---@return tidemill.array
function array:reshape(...) end

--- The elements in another type; what the type cannot hold is an error, fractions are cut.
---@param dtype tidemill.dtype
---@return tidemill.array
function array:astype(dtype) end

--- Elements first to last, both included, without a copy: a:slice{{1, 10}}.
---@param ranges integer[][]
---@return tidemill.array
function array:slice(ranges) end

--- The elements as a Lua table, with `n`, of tables where there are several axes; missing ones are
--- holes (NaN in float arrays).
---@return table
function array:totable() end

--- for i, value in a:iter() do; of an array of several axes each value is a row.
---@return fun(): integer?, any
function array:iter() end

--- Whether the element at these indexes is there.
---@param i integer
---@param ... integer
---@return boolean
function array:present(i, ...) end

-- Kernels of one's own ------------------------------------------------------------------------

--- Opens a shared object and gives the function that a C declaration names, or a table of them when it
--- names several.  What is called later checks its arguments.
---     local f = tm.kernel("./mine.so", "double f(const double *x, int64_t n);")
---     print(f({1, 2, 3}, 3))
---@class tidemill.kernel_opener
---@overload fun(path: string, cdef: string): tidemill.kernel|table<string, tidemill.kernel>
tm.kernel = {}

--- Stands for an argument that a kernel writes: a new array of zeros, given back after the function's own
--- result; or a copy of an array, which the function changes.
---     local sum, running = f(x, #x, tm.kernel.out(#x))
---@param first integer|integer[]|tidemill.array shape, or what is copied
---@param ... integer
---@return table
function tm.kernel.out(first, ...) end

--- A C function: numbers for numbers, arrays or tables for `const T *`, tm.kernel.out for `T *`.  It
--- crosses to tasks.
---@class tidemill.kernel
---@field path string of the shared object
---@field hash string of its content
---@field declaration string
---@overload fun(...): any ...

--- Compiles C text with the machine's compiler, once, and gives its functions as tm.kernel does.
---     local twice = tm.kernel_c{source = "double twice(double x) { return 2 * x; }",
---                               cdef = "double twice(double x);"}
---@param given tidemill.kernel_source
---@return tidemill.kernel|table<string, tidemill.kernel>
function tm.kernel_c(given) end

---@class tidemill.kernel_source
---@field name? string letters, digits, _ and -: what the compiler's messages call the text; "kernel"
---@field source string C11
---@field cdef string the functions that are wanted, as in tm.kernel
---@field flags? string|string[] more flags for the compiler, such as "-march=native"

--- Named columns of one length: `t.close`, or t:column("Adj Close").
---@class tidemill.frame
---@field rows integer
---@field columns string[] names in order
---@field [string] tidemill.array
local frame = {}

--- A column by name, whatever its characters.
---@param name string
---@return tidemill.array
function frame:column(name) end

-- Reading -------------------------------------------------------------------------------------

---@class tidemill.npy_options
---@field mmap? boolean|"auto" whether the array is the file's own pages: "auto", the default, from 64 MiB
---       on; true: or it is an error; never with `rows`
---@field rows? integer[] {first, last}: these rows alone, both included; negative ones count from the end

--- Reads a .npy file, as NumPy writes them.
---     local x = tm.read_npy("x.npy", {rows = {1, 1000}})
---@param path string
---@param given? tidemill.npy_options
---@return tidemill.array
function tm.read_npy(path, given) end

--- Writes an array as a .npy file: beside its place first, so that others see the old file or the new one.
---@param path string
---@param a tidemill.array|tidemill.lazy|table what is lazy is computed
function tm.write_npy(path, a) end

---@class tidemill.csv_options
---@field types? table<string, tidemill.dtype> type of a column by its name; the others are inferred
---@field columns? string[]|fun(names: string[]): string[]?, table? the columns to read, or a
---       function that is given the file's names and returns them (and types)
---@field delimiter? string one character; comma, semicolon or tab are recognised
---@field missing? string[] cells that count as missing
---@field date_format? string such as "%d.%m.%Y"
---@field encoding? string such as "GBK"; UTF-8 otherwise
---@field ignore_case? boolean names of `columns` and `types` match in any case

--- Reads a delimited file, plain or gzip.
---     local t = tm.read_csv("prices.csv", {types = {close = "float64"}})
---     print(t.rows, t.close[1])
---@param path string
---@param given? tidemill.csv_options
---@return tidemill.frame
function tm.read_csv(path, given) end

--- Names of the columns of a delimited file.
---@param path string
---@param given? tidemill.csv_options
---@return string[]
function tm.read_header(path, given) end

--- The whole text of a file; gzip is unpacked.
---@param path string
---@return string
function tm.read_text(path) end

--- Writes a whole file: beside its place first, so that others see the old text or the new one.
---@param path string
---@param text string
function tm.write_text(path, text) end

--- Paths that match a pattern such as "prices/*.csv", sorted by bytes.
---@param pattern string
---@return string[]
function tm.glob(pattern) end

--- What a path is; nil and a reason when it is nothing.
---@param path string
---@return "file"|"folder"|"other"|nil kind, string? reason
function tm.path_kind(path) end

--- A variable of the environment.
---@param name string
---@return string?
function tm.env(name) end

-- Network and programs ------------------------------------------------------------------------

---@class tidemill.http_options
---@field headers? table<string, string|number>
---@field timeout? number|string|false seconds for all of it, or "250ms"; default 30, false for none
---@field max_bytes? number|string most that the body may have; default 64 MiB
---@field redirects? integer most that are followed; default 5

---@class tidemill.answer
---@field status integer
---@field reason string
---@field headers table<string, string> names in lower case
---@field body string

--- Gets a URL by plain HTTP (no TLS); a task that waits for the answer holds no worker.  Raises when
--- there is no answer; an answer with any status is returned.
---     local answer = tm.http_get("http://127.0.0.1:8080/prices?day=3", {timeout = 5})
---@param url string
---@param given? tidemill.http_options
---@return tidemill.answer
function tm.http_get(url, given) end

--- Connects to a TCP server.  `timeout` (default 30 s) also holds for each read and write that names
--- none.
---     local c = tm.connect("127.0.0.1", 7000, {timeout = 5})
---@param host string a name or an address
---@param port integer
---@param given? {timeout: number|string|false?}
---@return tidemill.connection
function tm.connect(host, port, given) end

---@class tidemill.connection
---@field peer string address and port of the other side
local connection = {}

--- Reads `what`: a number of bytes (at the end fewer), a "line" without its end, or "all" there is
--- until the other side closes.  nil at the end of the stream; "all" gives "" there.
---@param what integer|"line"|"all"
---@param given? {timeout: number|string|false?, max_bytes: number|string?}
---@return string?
function connection:read(what, given) end

--- Writes a text; goes on when all of it is on its way, not when the other side has read it.
---@param text string
---@param given? {timeout: number|string|false?}
function connection:write(text, given) end

--- Closes it; again does nothing.
function connection:close() end

--- Listens on a TCP port.
---     local server = tm.listen("127.0.0.1", 0)
---@param address string in numbers, "localhost", or "*" for all of this machine
---@param port integer 0: any that is free; `server.port` tells
---@return tidemill.server
function tm.listen(address, port) end

---@class tidemill.server
---@field port integer
local server = {}

--- Waits for a connection.  nil and why when there is none: "timeout" after `seconds`, "closed" when the
--- server was closed.
---@param seconds? number for ever without
---@return tidemill.connection?, string? why
function server:accept(seconds) end

--- Accepts no further connections; who waits in accept is told.
function server:close() end

---@class tidemill.exec_options
---@field input? string what the program reads on its stdin; without it nothing
---@field cwd? string folder in which it runs
---@field env? table<string, string|number|false> variables beside the process's own; false: it has none
---@field timeout? number|string|false then it is killed with its process group; default none
---@field max_bytes? number|string most that stdout, or stderr, may have; default 64 MiB

---@class tidemill.exit
---@field status integer? nil: a signal has ended it
---@field signal string? such as "SIGKILL"
---@field stdout string
---@field stderr string

--- Runs a program, found on PATH, and gives how it ended and what it wrote.  It is killed, with all that
--- it has started in its group, when its time is over or the task that waits is cancelled.
---     local r = tm.exec({"sort", "-n"}, {input = "3\n1\n2\n"})
---@param command string[]
---@param given? tidemill.exec_options
---@return tidemill.exit
function tm.exec(command, given) end

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
---@field skipped integer tasks that did not run because one they needed failed
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

-- Lazy arrays ---------------------------------------------------------------------------------

--- Zeros: tm.zeros(3, 4), tm.zeros({3, 4}, {dtype = "int32"}).
---@param ... integer|integer[]|table shape; then options dtype, chunks
---@return tidemill.lazy
function tm.zeros(...) end

--- Ones.
---@param ... integer|integer[]|table shape; then options dtype, chunks
---@return tidemill.lazy
function tm.ones(...) end

--- One value everywhere: tm.full({3, 4}, 7).
---@param shape integer|integer[]
---@param value number|boolean
---@param given? table options dtype, chunks
---@return tidemill.lazy
function tm.full(shape, value, given) end

--- Numbers from start, stop left out, step apart: arange(5) is 0 to 4, arange(1, 6), arange(0, 1, 0.1).
---@param start number
---@param stop? number
---@param step? number
---@param given? table options dtype (int64 of whole numbers, else float64), chunks
---@return tidemill.lazy
function tm.arange(start, stop, step, given) end

--- `count` numbers from start to stop, both included, evenly apart.
---@param start number
---@param stop number
---@param count integer
---@param given? table options dtype, chunks
---@return tidemill.lazy
function tm.linspace(start, stop, count, given) end

--- Ones on the diagonal, or on the k-th above it (below: k < 0): eye(3), eye(3, 4, 1).
---@param rows integer
---@param columns? integer rows
---@param k? integer
---@param given? table options dtype, chunks
---@return tidemill.lazy
function tm.eye(rows, columns, k, given) end

--- Arrays one after the other along an axis (the first): tm.concat({a, b}, 2).
---@param list table arrays whose other axes agree
---@param axis? integer
---@return tidemill.lazy
function tm.concat(list, axis) end

--- Arrays of one shape along a new axis (the first): tm.stack{a, b}.
---@param list table
---@param axis? integer place of the new axis
---@return tidemill.lazy
function tm.stack(list, axis) end

--- Elements of `a` where the mask is true, of `b` elsewhere: tm.where(x:gt(0), x, 0).
---@param mask tidemill.lazy|tidemill.array
---@param a any
---@param b any
---@return tidemill.lazy
function tm.where(mask, a, b) end

---@class tidemill.random
local random = {}
tm.random = random

--- Uniform numbers in [low, high).
---@param ... integer|integer[]|table shape; then options low (0), high (1), dtype, seed, chunks
---@return tidemill.lazy
function random.uniform(...) end

--- Normal numbers.
---@param ... integer|integer[]|table shape; then options mean (0), std (1), dtype, seed, chunks
---@return tidemill.lazy
function random.normal(...) end

--- exp of normal numbers with this mean and deviation.
---@param ... integer|integer[]|table shape; then options mean (0), std (1), dtype, seed, chunks
---@return tidemill.lazy
function random.lognormal(...) end

--- Exponential numbers.
---@param ... integer|integer[]|table shape; then options scale (1), dtype, seed, chunks
---@return tidemill.lazy
function random.exponential(...) end

--- True with probability p.
---@param ... integer|integer[]|table shape; then options p (0.5), seed, chunks
---@return tidemill.lazy
function random.bernoulli(...) end

--- Whole numbers from low to high, both included.
---@param ... integer|integer[]|table shape; then options low (1), high, dtype (int64), seed, chunks
---@return tidemill.lazy
function random.integers(...) end

--- Elements of an array (of several axes: along the first), or positions from 1 to a number, each as likely:
---     tm.random.choice(52, 5, { replace = false })       -- five of 52 cards
---     tm.random.choice(prices, { 10, 3 }, { seed = 1 })
---@param of any
---@param ... integer|integer[]|table shape; then options replace (true), p (weights), seed, chunks
---@return tidemill.lazy
function random.choice(of, ...) end

--- The positions 1 to n, or the elements of an array (of several axes: along the first), in a random order.
---@param of any an array or how many
---@param given? {seed?: integer}
---@return tidemill.lazy
function random.permutation(of, given) end

---@type tidemill.kernels
tm.kernels = {}

---@type tidemill.linalg
tm.linalg = {}

return tm
