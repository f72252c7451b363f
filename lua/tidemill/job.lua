-- job: calls of the script's functions that a host program submits (host/bind/api_job.c).
local future = require("tidemill.future")
local task = require("tidemill.task")

local job = {}

-- Function -> name -> its delayed form without options, so that workers know it again.
local plain = setmetatable({}, { __mode = "k" })

local function plain_of(fn, name)
  local forms = plain[fn]
  if not forms then
    forms = {}
    plain[fn] = forms
  end
  forms[name] = forms[name] or task.delayed(fn, { name = name })
  return forms[name]
end

-- With the options of the function, when it is a delayed one, and those that were given.
local function form_of(fn, name, given)
  if task.is(fn) then return given and fn:with(given) or fn end
  if not given then return plain_of(fn, name) end
  local named = { name = name }
  for option, value in pairs(given) do named[option] = value end
  return task.delayed(fn, named)
end

--- Starts fn(...), which is called `name`; its errors are the host's business.
---@return any run as core.run gives it
function job.start(fn, name, given, ...)
  if given ~= nil and type(given) ~= "table" then
    error("submit: expected options as a table, got a " .. type(given), 0)
  end
  local form = form_of(fn, name, given)
  task.check_one(form, "submit", 2)
  local started = future.start(form(...))
  future.ask(started)
  return started.run
end

return job
