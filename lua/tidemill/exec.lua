-- exec: runs other programs (host/lane/exec.c).
local core = require("tidemill.core")
local operation = require("tidemill.operation")
local options = require("tidemill.options")
local shown = require("tidemill.shown")

local exec = {}

local function check_text(value, name, level)
  if type(value) == "number" then value = tostring(value) end
  if type(value) ~= "string" then
    error(("exec: %s: expected a string, got a %s"):format(name, type(value)), level)
  end
  if value:find("%z") then
    error(("exec: %s: a zero byte cannot be passed to a program"):format(name), level)
  end
  return value
end

local function check_command(command)
  if type(command) ~= "table" then
    error(("exec: expected a list such as {\"sort\", \"-n\"}, got a %s"):format(type(command)), 3)
  end
  local list = {}
  for i, word in ipairs(command) do list[i] = check_text(word, ("argument %d"):format(i - 1), 4) end
  if #list == 0 or list[1] == "" then error("exec: expected a list whose first item is a program", 3) end
  return list
end

-- "NAME=value", or "NAME" of one that the program is not to have; in order of the names.
local function check_environment(env)
  if env == nil then return {} end
  if type(env) ~= "table" then
    error("exec: env: expected a table of names and values, got a " .. type(env), 3)
  end
  local list = {}
  for name, value in pairs(env) do
    if type(name) ~= "string" or name == "" or name:find("[=%z]") then
      error(("exec: env: %q is not the name of a variable"):format(shown.name(name)), 3)
    end
    list[#list + 1] = value == false and name or name .. "=" .. check_text(value, "env." .. name, 4)
  end
  table.sort(list)
  return list
end

local allowed = { "input", "cwd", "env", "timeout", "max_bytes" }

--- Runs a program, found on PATH, and gives how it ended and what it wrote.  It is killed, with all that
--- it has started in its group, when its time is over or the task that waits is cancelled.
---
---     local r = tm.exec({"sort", "-n"}, {input = "3\n1\n2\n"})
---     print(r.status, r.stdout)
---@param command string[]
---@param given? tidemill.exec_options
---@return tidemill.exit
function exec.run(command, given)
  local list = check_command(command)
  given = options.only(given, allowed, "exec", 2)
  if given.input ~= nil then operation.text(given.input, "exec: input", "a text", 2) end
  local folder = given.cwd ~= nil and check_text(given.cwd, "cwd", 3) or nil
  local seconds = operation.seconds(given.timeout, nil, "exec", 2)
  local bytes = operation.bytes(given.max_bytes, "exec", 2)
  local handle = core.exec(list, check_environment(given.env), folder, given.input, bytes)
  local fine, status, signal, out, err = operation.run(handle, seconds)
  if fine == nil then
    error(("exec: %s: timed out after %s and was killed"):format(list[1], operation.time(seconds)), 0)
  end
  if not fine then error(("exec: %s: %s"):format(list[1], status), 0) end
  return { status = status, signal = signal, stdout = out, stderr = err }
end

return exec
