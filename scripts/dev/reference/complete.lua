-- complete: what of the public names has no text in the reference, or is on no page of docs/.
-- SPDX-License-Identifier: MIT

local commands = require "scripts.dev.reference.commands"
local pages = require "scripts.dev.reference.pages"
local shell = require "scripts.dev.shell"

local complete = {}

local complain -- how the check that runs says what is missing

-- Text of all pages that people read in order, and the words in it.
local function pages_of_docs()
  local text, words = shell.capture("cat README.md docs/*.md"), {}
  for word in text:gmatch("[%a_][%w_]*") do words[word] = true end
  return text, words
end

local function check_function(item, words)
  local where = ("%s:%d: %s"):format(item.path, item.line, item.name)
  if #item.text == 0 then complain("%s: no text says what it does", where) end
  if not words[item.member:match("[%w_]+$")] then complain("%s: no page of docs/ names it", where) end
  local declared = {}
  for _, param in ipairs(item.params) do declared[param.name] = true end
  for name in item.parameters:gmatch("[%w_.]+") do
    if not declared[name] and #item.overloads == 0 then complain("%s: %s has no @param", where, name) end
  end
end

local function check_fields(item, words)
  for _, field in ipairs(item.kind == "class" and item.fields or {}) do
    local word = field.name:match("([%w_]+)$")
    if word and not field.name:match("^_") and not words[word] then
      complain("%s:%d: no page of docs/ names %s.%s", item.path, item.line, item.name, field.name)
    end
  end
end

local function check_lua(words)
  for _, entry in ipairs(pages.lua) do
    for _, item in ipairs(entry.items) do
      if item.kind == "function" then check_function(item, words) end
      if item.fields then check_fields(item, words) end
    end
  end
end

-- Each file of stubs is on a page.
local function check_files()
  local read = {}
  for _, entry in ipairs(pages.lua) do
    for name in entry.files:gmatch("%S+") do read[name] = true end
  end
  for name in shell.capture("ls lua/meta"):gmatch("([^\n]+)%.lua") do
    if not read[name] then complain("lua/meta/%s.lua: reference/pages.lua has it on no page", name) end
  end
end

-- Rows of the face are in the stubs, or are a table that has stubs of its own.
local function check_face()
  local named = {}
  for _, entry in ipairs(pages.lua) do
    for _, item in ipairs(entry.items) do
      if item.name then named[item.name:match("^tm%.[%w_]+") or item.name] = true end
    end
    for _, name in ipairs(entry.tables) do named[name] = true end
  end
  local face = shell.read("lua/tidemill/init.lua"):match("\nlocal face = (%b{})")
  for name in face:gmatch("\n  ([%w_]+) = {") do
    if not named["tm." .. name] and not pages.homes["tidemill." .. name] then
      complain("lua/tidemill/init.lua: tm.%s has no entry in lua/meta", name)
    end
  end
end

local function check_header(words)
  local section_says = false
  for _, item in ipairs(pages.declarations) do
    if item.kind == "section" then section_says = false end
    section_says = section_says or item.kind == "type" and #item.text > 0
    for _, name in ipairs(item.kind == "function" and item.names or {}) do
      if #item.text == 0 and not section_says then complain("tidemill.h: %s has no comment", name) end
      if not words[name] then complain("tidemill.h: no page of docs/ names %s", name) end
    end
  end
end

local function check_names(text)
  for _, row in ipairs(commands.options()) do
    if not text:find(row.name, 1, true) then complain("no page of docs/ names the option %s", row.name) end
  end
  for _, row in ipairs(commands.words()) do
    if row.name and not text:find("tidemill " .. row.name, 1, true) then
      complain("no page of docs/ names the command %s", row.name)
    end
  end
  for _, row in ipairs(commands.session()) do
    if not text:find("`:" .. row.name, 1, true) then complain("no page of docs/ names :%s", row.name) end
  end
  for _, name in ipairs(commands.settings()) do
    local named = text:find("`" .. name .. "`", 1, true)
    if not named then complain("no page of docs/ names the setting %s", name) end
  end
end

--- Calls say(format, ...) for each name that is missing somewhere.
function complete.check(say)
  complain = say
  local text, words = pages_of_docs()
  check_lua(words)
  check_files()
  check_face()
  check_header(words)
  check_names(text)
end

return complete
