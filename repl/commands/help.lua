-- help: :help, :source.  SPDX-License-Identifier: MIT
local manual = require("repl.manual")
local names = require("repl.names")

local help = {}

local introduction = [[
An expression prints its values, and _ keeps the first; a statement runs; an unfinished one goes on
in the next line. `local` at the top level stays. tm is there already. Tab completes.
Ctrl-C drops the line or cancels the work.]]

local function list_commands()
  local lines = { introduction, "" }
  for _, command in ipairs(require("repl.commands").all()) do
    lines[#lines + 1] = ("  %-22s %s"):format(":" .. command.name .. " " .. command.usage, command.help)
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "Pages: " .. table.concat(manual.pages(), ", ")
  return table.concat(lines, "\n")
end

local function of_command(word)
  local command = require("repl.commands").find(word)
  return command and (":%s %s\n  %s"):format(command.name, command.usage, command.help)
end

-- A value of the session: what its class is said to be.
local function of_value(word)
  local value = word:match("^[%a_][%w_.:]*$") and names.resolve(word)
  local class = value ~= nil and value ~= false and (names.class(value) or manual.module(value))
  return class and manual.about(class)
end

--- The text about a word; "/word": where it occurs; "": the list of commands and pages; nil: none.
---@param word string
---@return string?
function help.text(word)
  if word == "" then return list_commands() end
  if word:sub(1, 1) == "/" then return manual.search(word:sub(2)) end
  if word:sub(1, 1) == ":" then return of_command(word:sub(2)) end
  return manual.about(word) or of_value(word) or of_command(word) or manual.search(word)
end

--- What is said when there is no text about a word.
---@param word string
---@return string
function help.missing(word)
  local meant = word:sub(1, 1) ~= "/" and manual.nearest(word)
  local hint = meant and (", did you mean \"%s\"?"):format(meant) or ""
  return ("nothing is said of \"%s\"%s"):format(word, hint)
end

local function run(rest)
  local text = help.text(rest)
  if not text then return "error", help.missing(rest) end
  require("repl.session").say((text:gsub("\n+$", "")))
end

-- ---- :source --------------------------------------------------------------------------------

-- Text of the file or module of a function; nil: it was typed.
local function text_of(info)
  local embedded = info.source:match("^=%[tidemill%] (.-)%.lua$")
  if embedded then return require("tidemill.core").embedded(embedded) end
  local path = info.source:match("^@(.*)$")
  local file = path and io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local function holds(proto, wanted)
  local util = require("jit.util")
  for i = 1, util.funcinfo(proto).gcconsts do
    local constant = util.funck(proto, -i)
    if type(constant) == "proto" and (util.funcinfo(constant).proto == wanted or constant == wanted
        or holds(constant, wanted)) then
      return true
    end
  end
  return false
end

-- The input that a function was typed in, and how many lines stood in front of it.
local function typed(fn)
  local inputs, wanted = require("repl.session").inputs, require("jit.util").funcinfo(fn).proto
  for i = #inputs, 1, -1 do
    if holds(inputs[i].proto, wanted) then return inputs[i].text, inputs[i].skipped end
  end
end

local function lines_between(text, first, last)
  local lines, number = {}, 0
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if number >= first and number <= last then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

-- The function that a name stands for; of a delayed one, what it calls.
local function function_of(rest)
  local fn = require("repl.session").values(rest, ":source")
  local task = package.loaded["tidemill.task"]
  if task and task.is(fn) then fn = fn.record.fn end
  if type(fn) ~= "function" then
    error((":source: %s is a %s, expected a function"):format(rest, type(fn)), 0)
  end
  return fn
end

local function show_source(rest)
  local fn = function_of(rest)
  local info, session = debug.getinfo(fn, "S"), require("repl.session")
  if info.what == "C" then error((":source: %s is built in and has no Lua text"):format(rest), 0) end
  local text, skipped = text_of(info), 0
  if not text then text, skipped = typed(fn) end
  if not text then error((":source: the text of %s is not known any more"):format(rest), 0) end
  if info.source ~= "=stdin" then session.say(("-- %s:%d"):format(info.short_src, info.linedefined)) end
  session.say(lines_between(text, info.linedefined - skipped, info.lastlinedefined - skipped))
end

help[1] = { name = "help", usage = "[NAME | /WORD]", run = run,
  help = "this list; what is said of a name or page; where a word occurs" }
help[2] = { name = "source", usage = "FUNCTION", run = show_source, help = "the text of a function" }

return help
