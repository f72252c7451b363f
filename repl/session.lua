-- session: what one input of an interactive session does: tidemill_eval hands each here.
-- An expression's values are echoed and kept as _, _1 .. _9; statements run; `:word` is a command.
-- SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local scope = require("repl.scope")

local session = { inputs = {} }

--- Globals that were there when the session began: name -> true.
session.first = {}
for name in next, _G do session.first[name] = true end

local kept = 9 -- earlier values

require("repl.traces").watch()

-- ---- Values ---------------------------------------------------------------------------------

-- _ is the last value, _1 the one before it, and so on.
local function remember(value)
  for i = kept, 2, -1 do rawset(_G, "_" .. i, rawget(_G, "_" .. i - 1)) end
  rawset(_G, "_1", rawget(_G, "_"))
  rawset(_G, "_", value)
end

--- Prints a line.
function session.say(text) core.print(text .. "\n") end

--- Prints values and keeps the first.
function session.echo(count, ...)
  if count == 0 then return end
  session.say(require("repl.show").list(count, ...))
  if (...) ~= nil then remember((...)) end
end

--- Forgets the values that were kept.
function session.forget_values()
  rawset(_G, "_", nil)
  for i = 1, kept do rawset(_G, "_" .. i, nil) end
end

-- ---- Inputs ---------------------------------------------------------------------------------

local function pack(...) return { n = select("#", ...), ... } end

--- Runs a function of an input; false and the error's text when it fails.
---@param fn function
---@param text string
---@return boolean fine, table|string results
function session.call(fn, text)
  local caught
  local results = pack(xpcall(fn, function(value)
    caught = require("repl.fault").catch(value)
    return value
  end))
  if results[1] then return true, results end
  return false, require("repl.fault").run(caught or { value = results[2], trace = "" }, text)
end

-- Inputs that have run: for :save their text, for :source the prototype in which their functions are,
-- and how many empty lines stood in front: in a pipe those of all inputs before.
local function note(text, fn)
  local lead, body = text:match("^(\n*)(.*)$")
  table.insert(session.inputs, { text = body, skipped = #lead,
    proto = require("jit.util").funcinfo(fn).proto })
end

--- Takes up the locals of statements that have run, or prints the values of an expression.
---@param kind "expression"|"statements" as scope.compile gives it
---@param text string
---@param results table as session.call gives them
function session.settle(kind, text, results)
  if kind == "statements" and scope.keep(text, results[2]) then return end
  session.echo(results.n - 1, unpack(results, 2, results.n))
end

-- `x[0]` of a list is no error in Lua, and hardly what was meant.
local function hint_at_first(text)
  local path = text:match("^%s*([%a_][%w_.]*)%[%s*0%s*%]%s*$")
  local list = path and require("repl.names").resolve(path)
  if type(list) ~= "table" or rawget(list, 1) == nil then return end
  session.say(("indexes start at 1: `%s[1]` is the first"):format(path))
end

--- Compiles and runs a text; what take gives.
---@param text string
---@param chunk? string
function session.run(text, chunk)
  local fn, kind, message = scope.compile(text, chunk)
  if kind == "more" then return "more", message end
  if not fn then return "syntax", require("repl.fault").syntax(message, text) end
  local fine, results = session.call(fn, text)
  if not fine then return "error", results end
  note(text, fn)
  session.settle(kind, text, results)
  if results.n == 2 and results[2] == nil then hint_at_first(text) end
end

--- The values of an expression that stands behind a command; raises text.
---@param text string
---@param command string as it is typed, for messages
---@return any ...
function session.values(text, command)
  if text == "" then error(command .. ": no expression", 0) end
  local fn, kind, message = scope.compile(text)
  if kind ~= "expression" then
    error(("%s: %s"):format(command, message or "expected an expression, got a statement"), 0)
  end
  local fine, results = session.call(fn, text)
  if not fine then error(results, 0) end
  return unpack(results, 2, results.n)
end

--- Does what an input asks for. Nothing: it is done; "more": it is not complete; "syntax" or "error":
--- it failed, and the text says why.
---@param text string
---@return nil|"more"|"syntax"|"error" what, string? message
function session.take(text)
  local first = text:find("%S")
  if not first then return nil end
  if text:find("^:[^:]", first) or text:find("^:%s*$", first) then
    return require("repl.commands").run(text:sub(first), text)
  end
  return session.run(text)
end

-- ---- What else is asked ---------------------------------------------------------------------

--- For tidemill_complete: words in lines.
---@param before string
---@return string
function session.complete(before)
  return table.concat(require("repl.complete").list(before), "\n")
end

--- For tidemill_help: the text about a word; nil: there is none.
---@param word string
---@return string? text, string? why
function session.help(word)
  local help = require("repl.commands.help")
  local text = help.text(word)
  if not text then return nil, help.missing(word) end
  return (text:gsub("\n*$", "\n"))
end

return session
