---@meta _
-- What editors know of the face: files, the network, programs.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill
local tm = {}

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
