-- fish: completion for fish.  SPDX-License-Identifier: MIT
local words = require("words")

local fish = {}

local function quote(text) return "'" .. text:gsub("\\", "\\\\"):gsub("'", "\\'") .. "'" end

local helpers = [[
# fish completion of tidemill, made of what the program says of itself.
function __tidemill_at --description 'whether the word is the first behind this command'
    set -l bare
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word $__tidemill_valued
            set skip 1
        else if not string match -q -- '-*' $word
            set -a bare $word
        end
    end
    test (count $bare) = (count $argv) -a "$bare" = "$argv"
end

complete -c tidemill -f
]]

local function row(condition, argument, text)
  return ("complete -c tidemill -n %s -a %s%s"):format(quote(condition), quote(argument),
    text and " -d " .. quote(text) or "")
end

-- Files that are scripts, and folders.
local function scripts_at(condition)
  return ("complete -c tidemill -n %s -a '(__fish_complete_suffix .lua)'"):format(quote(condition))
end

local function option_row(option, known)
  local line = ("complete -c tidemill -l %s -d %s"):format(option.name:sub(3), quote(option.help))
  if not option.argument then return line end
  line = line .. (option.file and " -r -F" or " -x")
  if option.name == "--set" then
    local names = {}
    for i, setting in ipairs(known.settings) do names[i] = setting.name .. "=" end
    return line .. " -a " .. quote(table.concat(names, " "))
  end
  return #option.choices > 0 and line .. " -a " .. quote(table.concat(option.choices, " ")) or line
end

--- The text of the file.
function fish.completion(known)
  local lines, valued = {}, {}
  local function add(line) lines[#lines + 1] = line end
  for _, option in ipairs(known.options) do
    add(option_row(option, known))
    if option.argument then valued[#valued + 1] = option.name end
  end
  add("complete -c tidemill -s e -x -d 'run Lua text'")
  add("complete -c tidemill -l help -d 'say how it is used'")
  add("complete -c tidemill -l version -d 'say what it is'")
  for _, command in ipairs(words.commands(known)) do add(row("__tidemill_at", command.name, command.help)) end
  add(scripts_at("__tidemill_at"))
  for _, word in ipairs { "run", "explain" } do
    for _, script in ipairs(known.scripts) do
      add(row("__tidemill_at " .. word, script.name, script.summary))
    end
    add(scripts_at("__tidemill_at " .. word))
  end
  for _, word in ipairs { "config", "new" } do add(scripts_at("__tidemill_at " .. word)) end
  for _, example in ipairs(known.examples) do
    add(row("__tidemill_at examples", example.name, example.summary))
  end
  add("complete -c tidemill -n '__fish_seen_subcommand_from examples' -l copy -d 'copy it, or all of them'")
  for _, command in ipairs(known.cache) do add(row("__tidemill_at cache", command.name, command.help)) end
  for _, option in ipairs(known.cache_options) do
    add(("complete -c tidemill -n '__fish_seen_subcommand_from cache' -l %s%s"):format(option.name:sub(3),
      option.argument and " -x" or ""))
    if option.argument then valued[#valued + 1] = option.name end
  end
  add(row("__tidemill_at help", table.concat(known.pages, " ")))
  add("complete -c tidemill -n '__fish_seen_subcommand_from diff' -F")
  add("complete -c tidemill -n 'not __fish_seen_subcommand_from doctor config new examples help cache; "
    .. "and not __tidemill_at; and not __tidemill_at run; and not __tidemill_at explain' -F")
  return "set -g __tidemill_valued " .. table.concat(valued, " ") .. "\n" .. helpers
    .. table.concat(lines, "\n")
    .. "\n"
end

return fish
