-- connection: a TCP connection that is read and written piece by piece (host/lane/socket.c).  It
-- stays in the Lua state that has made it.
local core = require("tidemill.core")
local operation = require("tidemill.operation")
local options = require("tidemill.options")
local receiver = require("tidemill.receiver")
local origin = require("tidemill.origin")
local shown = require("tidemill.shown")

local connection = {}

---@class tidemill.connection
local methods = {}
local meta = { __index = methods, __name = "tidemill.connection" }

local function is_connection(value) return type(value) == "table" and getmetatable(value) == meta end
local check_self = receiver.check(is_connection, "a connection", "connection")

origin.refuse(meta, "a connection", "it stays where it was made: connect inside the task, or share "
  .. "connections by tm.pool")

local default_seconds = 30

--- What the core has made: a handle and the address of the other side.
---@return tidemill.connection
function connection.wrap(handle, peer, seconds)
  return setmetatable({ handle = handle, peer = peer, seconds = seconds, rest = "" }, meta)
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
  given = options.only(given, connect_options, "connect", 2)
  local seconds = operation.seconds(given.timeout, default_seconds, "connect", 2)
  local fine, handle, peer = operation.run(core.connect(host, port), seconds)
  if fine == nil then
    error(("connect: %s:%d: timed out after %s"):format(host, port, operation.time(seconds)), 0)
  end
  if not fine then error("connect: " .. handle, 0) end
  return connection.wrap(handle, peer, seconds)
end

local function fail(self, what, problem)
  error(("connection to %s: %s: %s"):format(self.peer, what, problem), 0)
end

-- The result of an operation.  When its task is cancelled the connection is closed: what came, or
-- went, until then nobody can tell any more.  A time-out leaves it open for reads.
local function run(self, handle, deadline)
  local left = deadline and math.max(0, deadline.at - core.clock())
  local fine, done, value = pcall(operation.run, handle, left)
  if fine and done then return value end
  if not fine then
    core.close_socket(self.handle)
    error(done, 0)
  end
  if done == nil then return nil, "timed out after " .. operation.time(deadline.seconds) end
  return nil, value
end

local function deadline_of(self, given, what)
  local seconds = self.seconds
  if given.timeout ~= nil then seconds = operation.seconds(given.timeout, nil, what, 3) end
  return seconds and { seconds = seconds, at = core.clock() + seconds }
end

-- ---- reading --------------------------------------------------------------------------------------
-- What came behind a line's end is kept in `rest`, "" for nothing.

local function read_line(self, most, deadline)
  local parts, size, rest = {}, 0, self.rest
  local function put_back() self.rest = table.concat(parts) .. rest end
  while true do
    local stop = rest:find("\n", 1, true)
    if size + (stop and stop - 1 or #rest) > most then
      put_back()
      fail(self, "read", ("the line is longer than %d bytes (max_bytes)"):format(most))
    end
    if stop then
      parts[#parts + 1] = rest:sub(1, stop - 1)
      self.rest = rest:sub(stop + 1)
      return (table.concat(parts):gsub("\r$", ""))
    end
    parts[#parts + 1], size, rest = rest, size + #rest, ""
    local more, problem = run(self, core.read(self.handle, "some", 1), deadline)
    if problem then
      put_back()
      fail(self, "read", problem)
    end
    if not more then
      self.rest = ""
      return size > 0 and table.concat(parts) or nil
    end
    rest = more
  end
end

local function read_count(self, count, deadline)
  local rest = self.rest
  if #rest >= count then
    self.rest = rest:sub(count + 1)
    return rest:sub(1, count)
  end
  local more, problem = run(self, core.read(self.handle, "count", count - #rest), deadline)
  if problem then fail(self, "read", problem) end
  self.rest = ""
  if more then return rest .. more end
  return rest ~= "" and rest or nil
end

local function read_all(self, most, deadline)
  local rest = self.rest
  local problem = #rest > most and "there are more bytes than max_bytes" or nil
  local more
  if not problem then
    more, problem = run(self, core.read(self.handle, "all", most - #rest), deadline)
  end
  if problem then fail(self, "read", problem) end
  self.rest = ""
  return rest .. (more or "")
end

local read_options = { "timeout", "max_bytes" }

--- Reads `what`: a number of bytes (at the end fewer), a "line" without its end, or "all" there is
--- until the other side closes.  nil at the end of the stream; "all" gives "" there.
---@param what integer|"line"|"all"
---@param given? {timeout: number|string|false?, max_bytes: number|string?}
---@return string?
function methods:read(what, given)
  check_self(self, "read")
  given = options.only(given, read_options, "connection:read", 2)
  local deadline = deadline_of(self, given, "connection:read")
  local most = operation.bytes(given.max_bytes, "connection:read", 2)
  if what == "line" then return read_line(self, most, deadline) end
  if what == "all" then return read_all(self, most, deadline) end
  if type(what) ~= "number" or what < 1 or what > 2 ^ 40 or what % 1 ~= 0 then
    error("connection:read: expected a number of bytes from 1, \"line\" or \"all\", got "
      .. shown.value(what), 2)
  end
  return read_count(self, what, deadline)
end

local write_options = { "timeout" }

--- Writes a text; goes on when all of it is on its way, not when the other side has read it.
---@param text string
---@param given? {timeout: number|string|false?}
function methods:write(text, given)
  check_self(self, "write")
  operation.text(text, "connection:write", "text", 2)
  given = options.only(given, write_options, "connection:write", 2)
  local deadline = deadline_of(self, given, "connection:write")
  local _, problem = run(self, core.write(self.handle, text), deadline)
  if problem then fail(self, "write", problem) end
end

--- Closes it; again does nothing.
function methods:close()
  check_self(self, "close")
  self.closed = true
  core.close_socket(self.handle)
end

function meta.__tostring(self)
  return ("connection to %s%s"):format(self.peer, self.closed and ", closed" or "")
end

return connection
