-- commands: what the command line and the session take, from the tables that they read themselves.
-- SPDX-License-Identifier: MIT

local shell = require "scripts.dev.shell"

local commands = {}

-- Literals of C beside each other are one.
local function joined(text) return (text:gsub("\"%s*\n%s*\"", "")) end

-- Rows of a table of options.c, each a list of its literals (false for NULL and what is no literal).
local function rows_of(text, name)
  local rows = {}
  for row in text:match(name .. "%[%] = (%b{});"):sub(2):gmatch("%b{}") do
    local cells, rest = {}, row:sub(2, -2)
    while rest:match("%S") do
      local literal, behind = rest:match("^%s*\"([^\"]*)\"%s*,?(.*)$")
      if not literal then behind = rest:match("^[^,]*,?(.*)$") end
      cells[#cells + 1], rest = literal or false, behind
    end
    rows[#rows + 1] = cells
  end
  return rows
end

--- Options of the command line: {name, argument or nil, help}.
function commands.options()
  local found = {}
  for _, row in ipairs(rows_of(joined(shell.read("host/options.c")), "engine_options")) do
    found[#found + 1] = { name = row[1], argument = row[2] or nil, help = row[4] }
  end
  return found
end

--- Commands of the command line: {name or nil, usage, help}.
function commands.words()
  local found = {}
  for _, row in ipairs(rows_of(joined(shell.read("host/options.c")), "commands")) do
    found[#found + 1] = { name = row[1] or nil, usage = row[5], help = row[6] }
  end
  return found
end

--- Commands of the session, sorted by name: {name, usage, help}.
function commands.session()
  local found = {}
  for _, path in ipairs(shell.lines("ls repl/commands/*.lua")) do
    for entry in shell.read(path):gmatch("\n%l+%[%d+%] = (%b{})") do
      local name, usage = entry:match("name = \"(%l+)\", usage = \"([^\"]*)\"")
      found[#found + 1] = { name = name, usage = usage, help = entry:match("help = \"([^\"]*)\"") }
    end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

--- Settings in order: names.
function commands.settings()
  local found = {}
  for name in shell.read("host/bind/setting_rows.c"):gmatch("\n    {\"([%w_.]+)\", MILL_SETTING_") do
    found[#found + 1] = name
  end
  return found
end

return commands
