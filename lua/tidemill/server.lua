-- server: a port on which TCP connections are accepted (host/lane/server.c).  It stays in the Lua
-- state that has made it.
local core = require("tidemill.core")
local connection = require("tidemill.connection")
local operation = require("tidemill.operation")
local receiver = require("tidemill.receiver")
local origin = require("tidemill.origin")
local shown = require("tidemill.shown")

local server = {}

---@class tidemill.server
local methods = {}
local meta = { __index = methods, __name = "tidemill.server" }

local function is_server(value) return type(value) == "table" and getmetatable(value) == meta end
local check_self = receiver.check(is_server, "a server", "server")

origin.refuse(meta, "a server", "it stays where it was made: listen inside the task that accepts")

--- Listens on a TCP port.
---
---     local server = tm.listen("127.0.0.1", 0)
---     print(server.port)
---     local c = server:accept()
---@param address string in numbers, "localhost", or "*" for all of this machine
---@param port integer 0: any that is free; `server.port` tells
---@return tidemill.server
function server.listen(address, port)
  operation.text(address, "listen", "an address", 2)
  operation.port(port, 0, "listen", 2)
  local handle = core.listen(address, port)
  if not handle then
    error(("listen: expected an address in numbers, \"localhost\" or \"*\", got %q"):format(address), 2)
  end
  local fine, made, actual = operation.run(handle)
  if not fine then error(("listen: %s:%d: %s"):format(address, port, made), 0) end
  return setmetatable({ handle = made, address = address, port = actual }, meta)
end

--- Waits for a connection.  nil and why when there is none: "timeout" after `seconds`, "closed" when the
--- server was closed.
---@param seconds? number for ever without
---@return tidemill.connection?, string? why
function methods:accept(seconds)
  check_self(self, "accept")
  if seconds ~= nil and (type(seconds) ~= "number" or seconds ~= seconds or seconds < 0) then
    error("server:accept: expected seconds, a number from 0, got " .. shown.value(seconds), 2)
  end
  local fine, handle, peer = operation.run(core.accept(self.handle), seconds)
  if fine == nil then return nil, "timeout" end
  if not fine then error("server:accept: " .. handle, 0) end
  if not handle then return nil, "closed" end
  return connection.wrap(handle, peer, connection.default_seconds())
end

--- Accepts no further connections; who waits in accept is told.
function methods:close()
  check_self(self, "close")
  self.closed = true
  core.close_server(self.handle)
end

function meta.__tostring(self)
  return ("server on %s:%d%s"):format(self.address, self.port, self.closed and ", closed" or "")
end

return server
