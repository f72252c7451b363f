-- words: what the command line knows, asked of the program itself: its commands, options, settings,
-- shipped scripts and examples.  Manual page and completions are made of it, so that none of them can
-- name what is not there.  SPDX-License-Identifier: MIT

local shell = dofile("scripts/dev/shell.lua")

local words = {}

local column = 31 -- where help begins behind a usage

-- Neither settings nor a home of whoever builds are seen.
local function ask(binary, command, tolerant)
  local call = "env -i HOME=/nonexistent ASAN_OPTIONS=detect_leaks=0 %s %s 2>&1; echo $?"
  local answer, status = shell.capture(call:format(shell.quote(binary), command)):match("^(.-)(%d+)$")
  if status ~= "0" and not tolerant then error(("%s %s: %s"):format(binary, command, answer), 0) end
  return answer
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
  return lines
end

-- "{ usage, help }" of each row of --help before the options; a long usage has its help below.
local function usages(lines)
  local rows, i = {}, 3
  while lines[i] ~= "" do
    local line, below = lines[i], (lines[i + 1] or ""):match("^" .. (" "):rep(column) .. "(%S.*)$")
    if below then
      rows[#rows + 1] = { usage = line:match("^  (.-)%s*$"), help = below }
      i = i + 2
    else
      rows[#rows + 1] = { usage = line:sub(3, column - 1):match("^(.-)%s*$"), help = line:sub(column + 1) }
      i = i + 1
    end
    local row = rows[#rows]
    row.word = row.usage:match("^tidemill (%l+)")
  end
  return rows
end

-- The words that a message says were expected: "auto, serial or loop".
local function expected(binary, name)
  local choices = {}
  local list = ask(binary, name .. "='?' -e ''", true):match("expected ([^\n]*)")
  for word in (list or ""):gmatch("[^,]+") do
    for choice in (" " .. word:gsub(" or ", "  ") .. " "):gmatch(" (%l+) ") do
      choices[#choices + 1] = choice
    end
  end
  return choices
end

local function choices_of(binary, name, argument)
  if argument == "LANE" or argument == "LEVEL" then return expected(binary, name) end
  local choices = {}
  for word in argument:gmatch("[^|]+") do
    if not word:match("%u") then choices[#choices + 1] = word end
  end
  return choices
end

local function options_of(binary, lines)
  local options = {}
  for _, line in ipairs(lines) do
    local name, argument, help = line:match("^  (%-%-[%w-]+) (%S*) *(.*)$")
    if name then
      options[#options + 1] = { name = name, argument = argument ~= "" and argument or nil, help = help,
        choices = choices_of(binary, name, argument), file = argument:match("FILE") ~= nil }
    end
  end
  return options
end

-- Rows "name  text" whose columns stand below each other.
local function pairs_of(text)
  local rows = {}
  for _, line in ipairs(lines_of(text)) do
    local name, summary = line:match("^(%S+)  +(.*)$")
    rows[#rows + 1] = { name = name, summary = summary }
  end
  return rows
end

local function cache_of(text)
  local commands, options = {}, {}
  for _, line in ipairs(lines_of(text)) do
    if line:match("^  %l") then
      local usage = line:sub(3, column - 1):match("^(.-)%s*$")
      commands[#commands + 1] = { name = usage:match("^%l+"), usage = usage, help = line:sub(column + 1) }
    end
  end
  for _, command in ipairs(commands) do
    for name, argument in command.usage:gmatch("%[(%-%-%l+) ?(%u*)%]") do
      if not options[name] then
        options[name] = true
        options[#options + 1] = { name = name, argument = argument ~= "" and argument or nil }
      end
    end
  end
  return commands, options
end

-- Settings with what the page says of them, which must be all that the program has.
local function settings_of(binary, page)
  local said, settings = {}, {}
  for name, usual, help in page:gmatch("\n| `([%l_.]+)` | ([^|]+) | ([^\n]*) |") do
    said[name] = { name = name, usual = usual, help = help }
  end
  for name in ask(binary, "config --cache off"):gmatch("([^\n]+)\n") do
    name = name:match("^%S+")
    settings[#settings + 1] = said[name]
      or error("docs/configuration.md does not say what " .. name .. " is", 0)
  end
  return settings
end

--- Everything that the program at this path knows.
function words.of(binary)
  local help = ask(binary, "--help")
  local lines = lines_of(help)
  local cache, cache_options = cache_of(ask(binary, "cache --help"))
  local pages = {}
  for page in ask(binary, "-e 'for _, name in ipairs(require([[tidemill.core]]).embedded_names()) do "
    .. "print(name:match([[^([^:]*)%.md$]]) or [[]]) end'"):gmatch("[^\n]+") do
    pages[#pages + 1] = page
  end
  return {
    version = ask(binary, "--version"):match("^tidemill (%S+)"),
    usages = usages(lines),
    options = options_of(binary, lines),
    cache = cache, cache_options = cache_options,
    settings = settings_of(binary, shell.read("docs/configuration.md")),
    scripts = pairs_of(ask(binary, "run")),
    examples = pairs_of(ask(binary, "examples")),
    pages = pages,
    exit = help:match("\nExit status: (.-)\nCtrl%-C"),
  }
end

--- The commands alone, each once.
function words.commands(known)
  local commands, seen = {}, {}
  for _, row in ipairs(known.usages) do
    if row.word and not seen[row.word] then
      seen[row.word] = true
      commands[#commands + 1] = { name = row.word, help = row.help }
    end
  end
  return commands
end

return words
