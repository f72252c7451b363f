-- lint_names: no two C files give one name to different things, so that all of them can be
-- compiled as one (make amalgamation).  What macros make is left to the compiler of that one.
-- Usage: luajit scripts/dev/lint_names.lua FILE...; prints path:line: what is wrong.
-- SPDX-License-Identifier: MIT

local shell = dofile("scripts/dev/shell.lua")

-- ---- A file as nested tokens ----------------------------------------------------------------

local closing = { ["("] = ")", ["["] = "]", ["{"] = "}" }

-- "\1" stands for a line's end that does not end the preprocessor's line.
local function blank(text)
  return (text:gsub("[^\n\1]", " "):gsub("\1", "\n"))
end

-- Where a comment or a literal that begins at `at` ends; nil: none begins there.
local function stretch(text, at)
  local two = text:sub(at, at + 1)
  if two == "/*" then return select(2, text:find("*/", at + 2, true)) or #text end
  if two == "//" then return (text:find("\n", at, true) or #text + 1) - 1 end
  local quote = two:match("^[\"']")
  local stop = quote and at
  while stop do
    stop = text:find("[\\" .. quote .. "]", stop + 1)
    if not stop or text:sub(stop, stop) == quote then return stop or #text end
    stop = stop + 1
  end
end

-- The text without comments, literals and what belongs to the preprocessor; lines stay.
local function bare(text)
  text = text:gsub("\\\n", "\1")
  local pieces, from, at = {}, 1, text:find("[/\"']")
  while at do
    local last = stretch(text, at)
    if last then
      pieces[#pieces + 1] = text:sub(from, at - 1)
      pieces[#pieces + 1] = blank(text:sub(at, last))
      from = last + 1
    end
    at = text:find("[/\"']", (last or at) + 1)
  end
  pieces[#pieces + 1] = text:sub(from)
  text = "\n" .. table.concat(pieces)
  return (text:gsub("\n[ ]*#[^\n]*", blank):gsub("\n", "", 1))
end

-- A token is {word, line} or, of what stands in brackets, {open, line, items = {...}}.
local function nest(text)
  local stack, line, at = { { items = {} } }, 1, 1
  while at <= #text do
    local blanks = text:match("^%s+", at)
    local word = not blanks and (text:match("^[%w_]+", at) or text:sub(at, at))
    if blanks then
      line = line + select(2, blanks:gsub("\n", ""))
    else
      local top = stack[#stack]
      local token = { word, line = line }
      if closing[word] then
        token.items = {}
        stack[#stack + 1] = token
      end
      if top[1] and word == closing[top[1]] then
        stack[#stack] = nil
      else
        top.items[#top.items + 1] = token
      end
    end
    at = at + #(blanks or word)
  end
  return stack[1].items
end

local function is_name(token)
  return token and token[1]:match("^[%a_][%w_]*$") ~= nil
end

-- ---- What a file declares -------------------------------------------------------------------

-- #ifdef has taken both of its sides: what a file declares twice is one thing.
local function tags_and_enumerators(items, add)
  for i, token in ipairs(items) do
    local word, named = token[1], is_name(items[i + 1])
    local body = items[i + (named and 2 or 1)]
    if body and body[1] == "{" and (word == "struct" or word == "union" or word == "enum") then
      if named then add("tag", items[i + 1]) end
      local first = word == "enum"
      for _, inner in ipairs(first and body.items or {}) do
        if first then add("name", inner) end
        first = inner[1] == ","
      end
      tags_and_enumerators(body.items, add)
    end
  end
end

-- A macro's use at file scope needs no semicolon: it is no part of the declaration behind it.
local function without_macros(items)
  local first = 1
  while is_name(items[first]) and items[first][1]:match("^[%u%d_]+$") and items[first + 1]
    and items[first + 1][1] == "(" do
    first = first + 2
  end
  local kept = {}
  for i = first, #items do
    local word = items[i][1]
    local attribute = word == "__attribute__" or i > 1 and items[i - 1][1] == "__attribute__"
    if not attribute then kept[#kept + 1] = items[i] end
  end
  return kept
end

-- The name in `int name[2] = {..}`, `int name(..)`, `int (*name)(..)`; nil: a macro makes it.
local function declared(items)
  for i, token in ipairs(items) do
    local word, before = token[1], items[i - 1]
    if word == "(" and token.items[1] and token.items[1][1] == "*" then return token.items[2] end
    if word == "(" and before and before[1]:match("^[%u%d_]+$") then return nil end
    if word == "(" or word == "=" or word == "[" then return before end
  end
  return items[#items]
end

local function declarators(items, add)
  local part = {}
  for i = 1, #items + 1 do
    local token = items[i]
    if token and token[1] ~= "," then
      part[#part + 1] = token
    else
      local name = declared(part)
      -- A type alone, as in `struct name {..};`, declares no object.
      if #part > (#part == i - 1 and 1 or 0) and is_name(name) then add("name", name) end
      part = {}
    end
  end
end

local function is_type_alone(items)
  local last, before = items[#items], items[#items - 1]
  if last == nil then return true end
  local kinds = { struct = true, union = true, enum = true }
  return kinds[items[1][1]] and (last[1] == "{" or before and kinds[before[1]])
end

local function is_function(items)
  return #items > 1 and items[#items][1] == "{" and items[#items - 1][1] == "("
end

-- Calls add("name" or "tag", token) for what a file declares for all that follows it.
local function declarations(text, add)
  local statement = {}
  for _, token in ipairs(nest(bare(text))) do
    if token[1] ~= ";" then statement[#statement + 1] = token end
    if token[1] == ";" or is_function(statement) then
      local items = without_macros(statement)
      tags_and_enumerators(items, add)
      local aside = { extern = true, _Static_assert = true }
      if items[1] and not aside[items[1][1]] and not is_type_alone(items) then declarators(items, add) end
      statement = {}
    end
  end
end

-- ---- All files ------------------------------------------------------------------------------

local first, complaints = { name = {}, tag = {}, guard = {} }, 0

local function declare(kind, token, path)
  local other = first[kind][token[1]]
  if other == nil then
    first[kind][token[1]] = { path = path, line = token.line }
  elseif other.path ~= path then
    complaints = complaints + 1
    local place = ("%s:%d"):format(other.path, other.line)
    print(("%s:%d: the %s %s is also declared at %s"):format(path, token.line, kind, token[1], place))
  end
end

for _, path in ipairs(arg) do
  local text = shell.read(path)
  local guard = path:match("%.h$") and text:match("\n#ifndef ([%u%d_]+_H)\n")
  if guard then declare("guard", { guard, line = 1 }, path) end
  declarations(text, function(kind, token)
    -- Prototypes repeat names that are shared, and the linker knows them.
    local is_shared = kind == "name" and token[1]:lower():match("^t?i?d?e?mill_")
    if not is_shared then declare(kind, token, path) end
  end)
end
os.exit(complaints == 0 and 0 or 1)
