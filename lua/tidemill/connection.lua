-- connection: a TCP connection that is read and written piece by piece (host/lane/socket.c).  It
-- stays in the Lua state that has made it.
local core = require("tidemill.core")
local operation = require("tidemill.operation")
local origin = require("tidemill.origin")

local connection = {}

---@class tidemill.connection
local methods = {}
local meta = { __index = methods, __name = "tidemill.connection" }

origin.refuse(meta, "a connection", "it stays where it was made: connect inside the task, or share "
  .. "connections by tm.pool")

local default_seconds = 30

--- What the core has made: a handle and the address of the other side.
---@return tidemill.connection
function connection.wrap(handle, peer, seconds)
  return setmetatable({ handle = handle, peer = peer, seconds = seconds }, meta)
end

function connection.default_seconds() return default_seconds end

local connect_options = { "timeout" }

--- Connects to a TCP server.  `timeout` also holds for each read and write that names none.
---
---     local c = tm.connect("127.0.0.1", 7000, {timeout = 5})
---     c:write("hello\n")
---     print(c:read("line"))
---     c:close()
---@param host string a name or an address
---@param port integer
---@param given? {timeout: number|string|false?}
---@return tidemill.connection
function connection.connect(host, port, given)
  operation.text(host, "connect", "a host", 2)
  operation.port(port, 1, "connect", 2)
  if host == "" or host:find("%z") then error("connect: expected the name or address of a host", 2) end
  given = operation.options(given, connect_options, "connect", 2)
  local seconds = operation.seconds(given.timeout, default_seconds, "connect", 2)
  local fine, handle, peer = operation.run(core.connect(host, port), seconds)
  if fine == nil then
    error(("connect: %s:%d: timed out after %s"):format(host, port, operation.time(seconds)), 0)
  end
  if not fine then error("connect: " .. handle, 0) end
  return connection.wrap(handle, peer, seconds)
end

-- The results of an operation of the connection, after `true`; raises.
local function run(self, what, handle, seconds)
  local fine, value = operation.run(handle, seconds)
  if fine then return value end
  if fine == nil then value = "timed out after " .. operation.time(seconds) end
  error(("connection to %s: %s: %s"):format(self.peer, what, value), 0)
end

-- What nobody waits for any more leaves bytes behind that nobody can place: the connection ends with
-- the task that was cancelled.  Time-outs leave it open.
local function guarded(self, ...)
  local fine, value = pcall(run, self, ...)
  if fine then return value end
  local problem = tostring(value)
  if not problem:find("^connection to ") then core.close_socket(self.handle) end
  error(value, 0)
end

local function seconds_of(self, given, what)
  if given.timeout == nil then return self.seconds end
  return operation.seconds(given.timeout, nil, what, 4)
end

local read_options = { "timeout", "max_bytes" }

--- Reads `what`: a number of bytes (at the end fewer), a "line" without its end, or "all" there is
--- until the other side closes.  nil at the end of the stream; "all" gives "" there.
---@param what integer|"line"|"all"
---@param given? {timeout: number|string|false?, max_bytes: number|string?}
---@return string?
function methods:read(what, given)
  given = operation.options(given, read_options, "connection:read", 2)
  local seconds = seconds_of(self, given, "connection:read")
  local most = operation.bytes(given.max_bytes, "connection:read", 2)
  local count = type(what) == "number"
  if count and (what < 1 or what > 2 ^ 40 or what % 1 ~= 0) or not count and what ~= "line" and what ~= "all" then
    error("connection:read: expected a number of bytes from 1, \"line\" or \"all\", got " .. tostring(what), 2)
  end
  return guarded(self, "read", core.read(self.handle, count and "count" or what, count and what or most), seconds)
end

local write_options = { "timeout" }

--- Writes a text; goes on when all of it is on its way, not when the other side has read it.
---@param text string
---@param given? {timeout: number|string|false?}
function methods:write(text, given)
  operation.text(text, "connection:write", "text", 2)
  given = operation.options(given, write_options, "connection:write", 2)
  local seconds = seconds_of(self, given, "connection:write")
  guarded(self, "write", core.write(self.handle, text), seconds)
end

--- Closes it; again does nothing.
function methods:close()
  self.closed = true
  core.close_socket(self.handle)
end

function meta.__tostring(self)
  return ("connection to %s%s"):format(self.peer, self.closed and ", closed" or "")
end

return connection
