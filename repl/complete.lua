-- complete: how the last word of an input can go on: commands, names, members of real objects, the
-- options of a call, names of files.
-- A word ends where repl/line.c says so: its list of bytes and this one are the same.
-- SPDX-License-Identifier: MIT
local manual = require("repl.manual")
local names = require("repl.names")
local source = require("repl.source")

local complete = {}

local breaks = " \t\n\"'`@$><=;|&{}()%[%]+*%%^#,"

-- Those of a list that begin with `start`, each behind `lead`.
local function matching(list, start, lead)
  local found = {}
  for _, name in ipairs(list) do
    if name:sub(1, #start) == start then found[#found + 1] = lead .. name end
  end
  return found
end

local function files(word)
  local core = require("tidemill.core")
  local fine, paths = pcall(core.glob, word:gsub("[%[%]*?\\]", "\\%0") .. "*")
  if not fine then return {} end
  for i, path in ipairs(paths) do
    if core.path_kind(path) == "folder" then paths[i] = path .. "/" end
  end
  return paths
end

-- Whether the text ends inside a string.
local function in_string(tokens, text)
  local last = tokens[#tokens]
  if not last or last.kind ~= "string" or last.to < #text then return false end
  local quote = last.text:sub(1, 1)
  return quote ~= "[" and (#last.text == 1 or last.text:sub(-1) ~= quote)
end

-- The token that opens the innermost bracket which is not closed, before token `from`.
local function opener(tokens, from)
  local depth = 0
  for i = from, 1, -1 do
    local text = tokens[i].text
    if text == ")" or text == "}" or text == "]" then depth = depth + 1 end
    if text == "(" or text == "{" or text == "[" then
      if depth == 0 then return i, text end
      depth = depth - 1
    end
  end
end

-- The name that ends with token i, such as "tm.delayed".
local function called(tokens, i)
  local parts = {}
  while i > 0 and (tokens[i].kind == "name" or tokens[i].text == "." or tokens[i].text == ":") do
    table.insert(parts, 1, tokens[i].text)
    i = i - 1
  end
  return table.concat(parts)
end

-- The function whose options stand in the braces that are open; nil: none.
local function options_of(tokens, word)
  local last = #tokens - (word ~= "" and 1 or 0)
  local before = tokens[last]
  if not before or not (before.text == "{" or before.text == ",") then return nil end
  local brace, sign = opener(tokens, last)
  if sign ~= "{" or brace == 1 then return nil end
  if tokens[brace - 1].kind == "name" then return called(tokens, brace - 1) end
  local round, round_sign = opener(tokens, brace - 1)
  return round_sign == "(" and round > 1 and called(tokens, round - 1) or nil
end

local function words(text)
  local list = names.all()
  for keyword in ([[and break do else elseif end false for function goto if in local nil not or
      repeat return then true until while]]):gmatch("%a+") do
    list[#list + 1] = keyword
  end
  return matching(list, text:match("[%w_]*$"), text:match("^(.-)[%w_]*$"))
end

-- Members of what stands in front of the last dot or colon.
local function members(word)
  local lead, path, sign, start = word:match("^(.-)([%a_][%w_.:]*)([.:])([%w_]*)$")
  if not path then return nil end
  local value = names.resolve(path)
  if value == nil then return {} end
  return matching(names.members(value, sign == ":"), start, lead .. path .. sign)
end

-- Behind a command: what it takes.
local function of_command(command, word)
  if command == "load" or command == "save" or command == "edit" then return files(word) end
  local found = members(word) or words(word)
  if command == "help" then
    for _, name in ipairs(matching(manual.pages(), word, "")) do found[#found + 1] = name end
  end
  return found
end

--- Words with which the last word of a text can go on, sorted.
---@param before string the input up to the cursor
---@return string[]
function complete.list(before)
  local word = before:match("[^" .. breaks .. "]*$")
  local commands = require("repl.commands")
  if before:match("^%s*:[%w]*$") then return matching(commands.names(), word, "") end
  local command = before:match("^%s*:(%w+)%s")
  local tokens = source.tokens(before)
  local found
  if command and commands.find(command) then
    found = of_command(command, word)
  elseif in_string(tokens, before) then
    found = files(word)
  else
    local call = options_of(tokens, word)
    found = call and matching(manual.options(call), word, "") or {}
    if #found == 0 then found = members(word) or words(word) end
  end
  table.sort(found)
  return found
end

return complete
