-- zsh: completion for zsh, by _arguments.  SPDX-License-Identifier: MIT
local words = require("words")

local zsh = {}

local template = [==[
#compdef tidemill
# zsh completion of tidemill, made of what the program says of itself.

_tidemill() {
  local curcontext=$curcontext context state state_descr line ret=1
  typeset -A opt_args
  local -a options commands
  options=(
@OPTIONS@
  )
  commands=(
@COMMANDS@
  )
  _arguments -C $options '-e[run Lua text]:Lua text:' '(- *)--help[say how it is used]' \
    '(- *)--version[say what it is]' '1: :->first' '*:: :->rest' && ret=0
  case $state in
    first)
      _alternative 'commands:command:{_describe -t commands command commands}' \
        'files:script:_files -g "*.lua"' && ret=0
      ;;
    rest)
      case $line[1] in
        run | explain)
          _arguments $options '1:script:_tidemill_scripts' '*:argument:_files' && ret=0 ;;
        examples)
          _arguments $options '--copy[copy it, or all of them]::folder:_files -/' \
            '1:example:(@EXAMPLES@)' && ret=0 ;;
        cache)
          _arguments $options @CACHE_OPTIONS@ '1:command:_tidemill_cache' '*:argument:_files' && ret=0 ;;
        help) _arguments '1:page:(@PAGES@)' && ret=0 ;;
        new | config) _arguments $options '1:script:_files -g "*.lua"' && ret=0 ;;
        doctor) _arguments $options && ret=0 ;;
        *) _arguments $options '*:argument:_files' && ret=0 ;;
      esac
      ;;
  esac
  return ret
}

_tidemill_scripts() {
  local -a scripts
  scripts=(
@SCRIPTS@
  )
  _alternative 'scripts:shipped script:{_describe -t scripts "shipped script" scripts}' \
    'files:script:_files -g "*.lua"'
}

_tidemill_cache() {
  local -a list
  list=(
@CACHE@
  )
  _describe -t commands command list
}

_tidemill_settings() {
  local -a settings
  settings=(@SETTINGS@)
  compadd -S = -a settings
}

_tidemill "$@"
]==]

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function plain(text) return (text:gsub("([%[%]:\\])", "\\%1")) end

local function described(rows, text)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = "    " .. quote(row.name:gsub(":", "\\:") .. ":" .. row[text]) end
  return table.concat(lines, "\n")
end

local function action(option)
  if option.name == "--set" then return "_tidemill_settings" end
  if option.file then return "_files" end
  return #option.choices > 0 and "(" .. table.concat(option.choices, " ") .. ")" or ""
end

local function specification(option)
  local repeats = option.name == "--set" and "*" or ""
  if not option.argument then return repeats .. option.name .. "[" .. plain(option.help) .. "]" end
  return ("%s%s=[%s]:%s:%s"):format(repeats, option.name, plain(option.help), plain(option.argument),
    action(option))
end

local function names_of(rows)
  local names = {}
  for i, row in ipairs(rows) do names[i] = row.name end
  return table.concat(names, " ")
end

--- The text of the file.
function zsh.completion(known)
  local options, cache = {}, {}
  for i, option in ipairs(known.options) do options[i] = "    " .. quote(specification(option)) end
  for i, option in ipairs(known.cache_options) do
    cache[i] = quote(option.name .. (option.argument and ":" .. option.argument .. ":" or ""))
  end
  local parts = {
    OPTIONS = table.concat(options, "\n"), COMMANDS = described(words.commands(known), "help"),
    SCRIPTS = described(known.scripts, "summary"), CACHE = described(known.cache, "help"),
    EXAMPLES = names_of(known.examples), SETTINGS = names_of(known.settings),
    PAGES = table.concat(known.pages, " "), CACHE_OPTIONS = table.concat(cache, " "),
  }
  return (template:gsub("@([%u_]+)@", parts))
end

return zsh
