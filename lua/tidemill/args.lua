-- args: a script's own options: tm.args{data = "", symbols = 200} reads --data PATH and
-- --symbols N from the command line, refuses others, and writes the script's --help.
local core = require("tidemill.core")
local suggest = require("tidemill.suggest")

local args = {}

local function usage_error(text)
  io.stderr:write("tidemill: ", text, "\n")
  os.exit(2)
end

local function option_of(name) return "--" .. name:gsub("_", "-") end

local function names_of(defaults)
  local names = {}
  for name in pairs(defaults) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function help(defaults, about)
  local texts, width, rows = about.help or {}, 0, {}
  for _, name in ipairs(names_of(defaults)) do
    local value = defaults[name]
    local head = option_of(name)
    if type(value) ~= "boolean" then
      head = head .. (type(value) == "number" and " N" or " TEXT")
    end
    local text = texts[name] or ""
    if value ~= "" and type(value) ~= "boolean" then
      text = text .. (text == "" and "" or " ") .. ("(default %s)"):format(tostring(value))
    end
    rows[#rows + 1] = { head, text }
    width = math.max(width, #head)
  end
  local usage = about.usage or ("tidemill run %s [options]"):format(arg and arg[0] or "SCRIPT")
  local lines = { "usage: " .. usage }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("  %-" .. width .. "s  %s"):format(row[1], row[2]):gsub("%s+$", "")
  end
  lines[#lines + 1] = ("  %-" .. width .. "s  %s"):format("--help", "this text")
  core.print(table.concat(lines, "\n") .. "\n")
  os.exit(0)
end

local function convert(name, text, default)
  if type(default) == "number" then
    local value = tonumber(text)
    if not value or value ~= value then
      usage_error(("%s: \"%s\" is not a number"):format(option_of(name), text))
    end
    return value
  end
  return text
end

--- Parses the script's options against a table of defaults, whose types they take; booleans are
--- switches.
---@param defaults table name -> default
---@param about? {usage: string?, help: table<string, string>?}
---@return table name -> value
function args.parse(defaults, about)
  if type(defaults) ~= "table" then
    error("args: expected a table of defaults such as {data = \"\"}", 2)
  end
  local values, list, by_option = {}, arg or {}, {}
  for name, value in pairs(defaults) do
    values[name] = value
    by_option[option_of(name)] = name
  end
  local i = 1
  while list[i] do
    local word = list[i]
    local option, text = word:match("^(%-%-[^=]+)=(.*)$")
    option = option or word
    if option == "--help" or option == "-h" then help(defaults, about or {}) end
    local name = by_option[option]
    if not name then
      local options = {}
      for known in pairs(by_option) do options[#options + 1] = known end
      table.sort(options)
      usage_error(word:sub(1, 1) == "-" and
        ("unknown option %s%s"):format(option, suggest.phrase(option, options)) or
        ("unexpected argument \"%s\""):format(word))
    end
    if type(defaults[name]) == "boolean" then
      if text then usage_error(("%s takes no value"):format(option)) end
      values[name] = true
    else
      if not text then
        i = i + 1
        text = list[i]
      end
      if not text then usage_error(("%s needs a value"):format(option)) end
      values[name] = convert(name, text, defaults[name])
    end
    i = i + 1
  end
  return values
end

return args
