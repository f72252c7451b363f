-- files: what scripts read every day.  What a cached task reads here is known to the cache.
local core = require("tidemill.core")

local files = {}

local function check(what, value)
  if type(value) ~= "string" then
    error(("%s: expected a string, got a %s"):format(what, type(value)), 3)
  end
end

-- The lane of tasks that wait goes on while a file is read or written.
local function run(handle)
  local fine, text = require("tidemill.operation").run(handle)
  if not fine then error(text, 0) end
  return text
end

--- The whole text of a file; gzip is unpacked.
---@param path string
---@return string
function files.read(path)
  check("read_text", path)
  if core.lane ~= "loop" then return core.read_file(path, true) end
  return run(core.start_read(path))
end

--- Writes a whole file: beside its place first, so that others see the old text or the new one.
---@param path string
---@param text string
function files.write(path, text)
  check("write_text", path)
  check("write_text: text", text)
  if core.lane ~= "loop" then return core.write_file(path, text) end
  run(core.start_write(path, text))
end

--- Paths that match a pattern, sorted by bytes.
---@param pattern string such as "prices/*.csv"
---@return string[]
function files.glob(pattern)
  check("glob", pattern)
  return core.glob(pattern)
end

--- "file", "folder", "other", or nil and a reason.
---@param path string
function files.kind(path)
  check("path_kind", path)
  return core.path_kind(path)
end

--- A variable of the environment, or nil.
---@param name string
---@return string?
function files.env(name)
  check("env", name)
  return core.env(name)
end

return files
