-- traces: what LuaJIT has made of a function, for :jit. The compiler's own records do not say why
-- it gave up, so its events are taken down from the first input on.
-- SPDX-License-Identifier: MIT
local util = require("jit.util")

local traces = {}

local most = 2000 -- events kept
local made, given_up, count = {}, {}, 0

-- The prototype of a function is what traces belong to: closures of one text share them.
local function proto_of(fn) return util.funcinfo(fn).proto end

local function reason(code, detail)
  local fine, vmdef = pcall(require, "jit.vmdef")
  if type(code) ~= "number" then return tostring(code) end
  local text = fine and vmdef.traceerr[code]
  if not text then return "reason " .. code end
  if type(detail) == "function" then
    local info = util.funcinfo(detail)
    detail = info.loc or (info.ffid and fine and vmdef.ffnames[info.ffid]) or "a C function"
  end
  if text:find("bytecode", 1, true) and type(detail) == "number" then
    detail = vmdef.bcnames:sub(detail * 6 + 1, detail * 6 + 6):gsub("%s+$", "")
  end
  return (text:gsub("%%[ds]", (tostring(detail):gsub("%%", "%%%%"))))
end

local started -- where the trace that is being recorded began

local function on_event(what, number, fn, pc, code, detail)
  if what == "flush" then made, given_up, count = {}, {}, 0 end
  if what == "start" then started = { fn = fn, pc = pc } end
  if count >= most or not started then return end
  if what == "stop" then
    made[number] = { proto = proto_of(started.fn),
      line = util.funcinfo(started.fn, started.pc).currentline }
    count = count + 1
  elseif what == "abort" then
    count = count + 1
    given_up[#given_up + 1] = { proto = proto_of(started.fn), inside = proto_of(fn),
      line = util.funcinfo(fn, pc).currentline, loc = util.funcinfo(fn, pc).loc,
      why = { code, detail } }
  end
end

--- Begins to take down what the compiler does.
function traces.watch()
  jit.attach(on_event, "trace")
end

local function compiled_lines(proto)
  local lines, seen = {}, {}
  for number, one in pairs(made) do
    local info = one.proto == proto and util.traceinfo(number)
    if info and not seen[one.line] then
      seen[one.line] = true
      lines[#lines + 1] = one.line
    end
  end
  table.sort(lines)
  return lines
end

local function fallbacks(proto)
  local lines, seen = {}, {}
  for _, one in ipairs(given_up) do
    local text = (one.proto == proto or one.inside == proto)
      and ("  %s: %s"):format(one.loc or "?", reason(unpack(one.why, 1, 2)))
    if text and not seen[text] then
      seen[text] = true
      lines[#lines + 1] = text
    end
  end
  return lines
end

--- Says it of the function that an expression gives.
---@param rest string
function traces.tell(rest)
  local session = require("repl.session")
  local fn = session.values(rest, ":jit")
  local task = package.loaded["tidemill.task"]
  if task and task.is(fn) then fn = fn.record.fn end
  if type(fn) ~= "function" then
    error((":jit: %s is a %s, expected a function"):format(rest, type(fn)), 0)
  end
  local info = util.funcinfo(fn)
  if not info.proto then
    return session.say(("%s is built in: the compiler %s"):format(rest,
      "replaces calls of some built-in functions, and none has traces of its own"))
  end
  local compiled, lines = compiled_lines(info.proto), fallbacks(info.proto)
  if #compiled > 0 then
    session.say(("compiled: traces begin in line %s"):format(table.concat(compiled, ", ")))
  else
    session.say(jit.status() and "not compiled: it has not been hot here, or see below"
      or "not compiled: the compiler is off")
  end
  if #lines == 0 then return end
  session.say("fell back to the interpreter at")
  session.say(table.concat(lines, "\n"))
end

return traces
