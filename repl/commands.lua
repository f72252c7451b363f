-- commands: what a line that begins with a colon does. Each command is a row of the module that has
-- its noun; all are loaded when the first is used.
-- SPDX-License-Identifier: MIT
local suggest = require("tidemill.suggest")

local commands = {}

--- A command.
---@class tidemill.repl.command
---@field name string without its colon
---@field usage string what stands behind the name
---@field help string one line
---@field run fun(rest: string, text: string): nil|string, string? what session.take gives

local modules = { "help", "time", "plot", "graph", "jobs", "engine", "text" }
local list, by_name

local function load_all()
  if list then return end
  list, by_name = {}, {}
  for _, module in ipairs(modules) do
    for _, command in ipairs(require("repl.commands." .. module)) do
      list[#list + 1], by_name[command.name] = command, command
    end
  end
end

--- All commands, in the order in which :help lists them.
---@return tidemill.repl.command[]
function commands.all()
  load_all()
  return list
end

--- A command by its name, without the colon.
---@return tidemill.repl.command?
function commands.find(name)
  load_all()
  return by_name[name]
end

-- Names with their colons, sorted.
function commands.names()
  local names = {}
  for i, command in ipairs(commands.all()) do names[i] = ":" .. command.name end
  table.sort(names)
  return names
end

local function unknown(word)
  local meant = suggest.nearest(word, commands.names())
  return "error", meant and ("unknown command %s; did you mean %s?"):format(word, meant)
    or ("unknown command %s; :help lists them all"):format(word)
end

--- Runs the command of a line.
---@param line string
---@param text string the whole input, with the lines before it
function commands.run(line, text)
  local word, rest = line:match("^(%S+)%s*(.-)%s*$")
  local command = commands.find(word:sub(2))
  if not command then return unknown(word) end
  local fine, what, message = pcall(command.run, rest, text)
  if fine then return what, message end
  if type(what) == "string" then return "error", what end
  return "error", require("repl.fault").run({ value = what, trace = "" }, text)
end

return commands
