-- bash: completion for bash, without the helpers of bash-completion.  SPDX-License-Identifier: MIT
local words = require("words")

local bash = {}

local template = [==[
# bash completion of tidemill, made of what the program says of itself.
_tidemill()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= named= i
    COMPREPLY=()
    # "--name=value" comes in three words.
    if [[ $word == = ]]; then
        word=
    elif [[ $before == = ]] && ((COMP_CWORD > 1)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            =) ;;
            @VALUED@)
                [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
                ((i++))
                ;;
            -e) command=-e named=1; ((i++)) ;;
            -*) ;;
            *)
                if [[ -z $command ]]; then
                    case ${COMP_WORDS[i]} in
                        @COMMANDS@) command=${COMP_WORDS[i]} ;;
                        *) command=run named=1 ;;
                    esac
                elif [[ -z $named ]]; then
                    named=${COMP_WORDS[i]}
                fi
                ;;
        esac
    done
    _tidemill_value "$before" "$word" && return
    if [[ $word == -* ]]; then
        local options="@OPTIONS@"
        case $command in
            cache) options+=" @CACHE_OPTIONS@" ;;
            examples) options+=" --copy" ;;
        esac
        COMPREPLY=($(compgen -W "$options" -- "$word"))
        return
    fi
    case $command:$named in
        :) COMPREPLY=($(compgen -W "@COMMAND_LIST@" -- "$word")); _tidemill_files "$word" '*.lua' ;;
        run: | explain:)
            COMPREPLY=($(compgen -W "@SCRIPTS@" -- "$word"))
            _tidemill_files "$word" '*.lua'
            ;;
        examples:) COMPREPLY=($(compgen -W "@EXAMPLES@" -- "$word")) ;;
        cache:) COMPREPLY=($(compgen -W "@CACHE@" -- "$word")) ;;
        help:) COMPREPLY=($(compgen -W "@PAGES@" -- "$word")) ;;
        config: | new:) _tidemill_files "$word" '*.lua' ;;
        doctor:* | examples:* | help:* | new:* | config:*) ;;
        *) _tidemill_files "$word" '*' ;;
    esac
}

# Adds files that match, and folders to go on in.
_tidemill_files()
{
    local file
    while IFS= read -r file; do
        if [[ -d $file ]]; then
            COMPREPLY+=("$file/")
            compopt -o nospace 2>/dev/null
        elif [[ $file == $2 ]]; then
            COMPREPLY+=("$file")
        fi
    done < <(compgen -f -- "$1")
    compopt -o filenames 2>/dev/null
}

# What can stand behind an option; fails when it takes no value.
_tidemill_value()
{
    case $1 in
@VALUES@
        *) return 1 ;;
    esac
    return 0
}

complete -F _tidemill tidemill
]==]

local function names_of(rows)
  local names = {}
  for i, row in ipairs(rows) do names[i] = row.name end
  return names
end

-- A row of the `case` over options that take a value.
local function value_of(option, known)
  local lead = "        " .. option.name .. ") "
  if option.name == "--set" then
    local row = "COMPREPLY=($(compgen -S = -W \"%s\" -- \"$2\")); compopt -o nospace 2>/dev/null ;;"
    return lead .. row:format(
      table.concat(names_of(known.settings), " "))
  end
  local commands = {}
  if #option.choices > 0 then
    commands[1] = ("COMPREPLY=($(compgen -W \"%s\" -- \"$2\"))"):format(table.concat(option.choices, " "))
  end
  if option.file then commands[#commands + 1] = "_tidemill_files \"$2\" '*'" end
  return lead .. table.concat(commands, "; ") .. (#commands > 0 and " " or "") .. ";;"
end

--- The text of the file.
function bash.completion(known)
  local valued, values, options = {}, {}, { "--help", "--version", "-e" }
  for _, option in ipairs(known.options) do
    options[#options + 1] = option.name
    if option.argument then
      valued[#valued + 1], values[#values + 1] = option.name, value_of(option, known)
    end
  end
  for _, option in ipairs(known.cache_options) do
    if option.argument then
      valued[#valued + 1], values[#values + 1] = option.name, "        " .. option.name .. ") ;;"
    end
  end
  values[#values + 1] = "        --copy) _tidemill_files \"$2\" '' ;;"
  local commands = names_of(words.commands(known))
  local parts = {
    VALUED = table.concat(valued, " | "), VALUES = table.concat(values, "\n"),
    COMMANDS = table.concat(commands, " | "), COMMAND_LIST = table.concat(commands, " "),
    OPTIONS = table.concat(options, " "), SCRIPTS = table.concat(names_of(known.scripts), " "),
    EXAMPLES = table.concat(names_of(known.examples), " "), CACHE = table.concat(names_of(known.cache), " "),
    CACHE_OPTIONS = table.concat(names_of(known.cache_options), " "),
    PAGES = table.concat(known.pages, " "),
  }
  return (template:gsub("@([%u_]+)@", parts))
end

return bash
