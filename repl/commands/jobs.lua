-- jobs: work behind the prompt: :bg, :jobs, :fg, :cancel.  A job is a future with a number.
-- SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local scope = require("repl.scope")
local session = require("repl.session")

local jobs = {}

local list, newest = {}, 0

-- Whether a name of the text stands for something lazy: then the expression gives a node.
local function names_lazy(text)
  local names, node = require("repl.names"), require("tidemill.node")
  local future = require("tidemill.future")
  for _, token in ipairs(require("repl.source").tokens(text)) do
    local value = token.kind == "name" and names.resolve(token.text)
    if value and (node.is(value) or future.is(value) or require("tidemill.task").is(value)) then
      return true
    end
  end
  return false
end

-- The future of an expression: of the node it gives, or of a task that evaluates it.
local function start(text)
  local tm = require("tidemill")
  if names_lazy(text) then
    local value = session.values((text:gsub(":compute%(%s*%)$", "")), ":bg")
    if require("tidemill.node").is(value) then return value:submit() end
    if require("tidemill.future").is(value) then return value end
    error(":bg: the expression gives a " .. type(value) .. ", and has run; expected a node or a future", 0)
  end
  local maker, kind, message = scope.compile("function() return " .. text .. "\nend")
  if kind ~= "expression" then error(":bg: " .. (message or "expected an expression"), 0) end
  return tm.submit(maker())
end

local function run_bg(text)
  if text == "" then return "error", ":bg: no expression" end
  local future = start(text)
  newest = newest + 1
  list[newest] = { text = text, future = future, began = core.clock() }
  require("tidemill.future").ask(future) -- its error is told here
  session.say(("[%d] %s"):format(newest, text))
end

local function each()
  local numbers = {}
  for number in pairs(list) do numbers[#numbers + 1] = number end
  table.sort(numbers)
  return numbers
end

local function run_jobs()
  for _, number in ipairs(each()) do
    local job = list[number]
    local status = job.future:status()
    job.took = job.took or (status ~= "pending" and status ~= "running" and core.clock() - job.began)
    session.say(("[%d] %-9s %s  %s"):format(number, status,
      require("tidemill.view").duration(job.took or core.clock() - job.began), job.text))
  end
  if not next(list) then session.say("no jobs; :bg EXPR starts one") end
end

-- The job of a number, the newest without one.
local function find(rest, command)
  local numbers = each()
  local number = rest == "" and numbers[#numbers] or tonumber(rest)
  if not number then error(command .. ": no jobs", 0) end
  if not list[number] then
    error(("%s: no job %s; :jobs lists them"):format(command, rest), 0)
  end
  return list[number], number
end

local function run_fg(rest)
  local job, number = find(rest, ":fg")
  local value = job.future:result()
  list[number] = nil
  session.echo(1, value)
end

local function forget_failed(rest)
  local fine, what, message = pcall(run_fg, rest)
  if fine then return what, message end
  local job, number = find(rest, ":fg")
  if job.future:status() ~= "pending" and job.future:status() ~= "running" then list[number] = nil end
  error(what, 0)
end

local function run_cancel(rest)
  local job, number = find(rest, ":cancel")
  job.future:cancel()
  session.say(("[%d] cancelled  %s"):format(number, job.text))
  list[number] = nil
end

jobs[1] = { name = "bg", usage = "EXPR", run = run_bg, help = "run it behind the prompt" }
jobs[2] = { name = "jobs", usage = "", run = run_jobs, help = "what runs there, and what has ended" }
jobs[3] = { name = "fg", usage = "[N]", run = forget_failed, help = "wait for a job and print its value" }
jobs[4] = { name = "cancel", usage = "[N]", run = run_cancel, help = "cancel a job" }

return jobs
