-- scope: the locals of a session: what `local` at the top level declares stays for later inputs.
-- A local is a true one. The function that an input becomes shares its upvalues with the functions
-- of inputs before it (debug.upvaluejoin), so that closures see later changes, as in one file.
-- SPDX-License-Identifier: MIT
local source = require("repl.source")

local scope = {}

-- name -> {a function, number of its upvalue}: where the local lives.
local cells = {}

--- Value of a session's local; whether there is one of that name.
---@param name string
---@return any value, boolean there
function scope.get(name)
  local cell = cells[name]
  if not cell then return nil, false end
  local _, value = debug.getupvalue(cell.holder, cell.number)
  return value, true
end

--- Names of the session's locals, sorted.
---@return string[]
function scope.names()
  local names = {}
  for name in pairs(cells) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Forgets every local.
function scope.reset() cells = {} end

-- The session's locals among the names of a text.
local function used_by(tokens)
  local names, seen = {}, {}
  for _, token in ipairs(tokens) do
    if token.kind == "name" and cells[token.text] and not seen[token.text] then
      names[#names + 1], seen[token.text] = token.text, true
    end
  end
  return names
end

local function join(fn)
  for i = 1, math.huge do
    local name = debug.getupvalue(fn, i)
    if not name then return end
    local cell = cells[name]
    if cell then debug.upvaluejoin(fn, i, cell.holder, cell.number) end
  end
end

-- The text as a function in which the session's locals are upvalues. It is all on the text's own
-- lines, so that messages name them.
local function build(tokens, body, tail, chunk)
  local used = used_by(tokens)
  local head = #used > 0 and "local " .. table.concat(used, ",") .. " " or ""
  local maker = loadstring(head .. "return function(...) " .. body .. "\n" .. tail .. " end", chunk)
  if not maker then return nil end
  local fn = maker()
  join(fn)
  -- Ctrl-C stops interpreted code alone. Functions inside keep their compiler.
  jit.off(fn)
  return fn
end

-- Behind statements: a function that holds the new locals, unless they end with a `return`. That it
-- could assign them tells the compiler not to take them for constants.
local function build_statements(tokens, text, chunk)
  local names = source.locals(tokens)
  local keep = #names > 0 and ("return function(...) %s = ... end"):format(table.concat(names, ",")) or ""
  return build(tokens, text, keep, chunk) or build(tokens, text, "", chunk)
end

-- The text as an expression's; nil: it is none.  It is passed through a function, because a call in
-- its place would be a tail call, and an error in one has no line.  The bracket stands in the next
-- line only behind a comment: what is computed last would be said to be there.
local function expression_of(text, chunk)
  local head = "return (function(...) return ... end)("
  if loadstring(head .. text .. ")", chunk) then return head .. text .. ")" end
  if loadstring(head .. text .. "\n)", chunk) then return head .. text .. "\n)" end
  return nil
end

local function is_incomplete(message) return message:find("'<eof>'", -7, true) ~= nil end

-- With the end of its last line, which a quoted string does not go beyond.
local function load_lines(text, chunk)
  return source.compile(text:find("\n$") and text or text .. "\n", chunk)
end

-- Why a text compiles neither as an expression nor as statements.  What no statement begins with was
-- meant as an expression.
local function refusal(text, chunk, tokens)
  local _, message = load_lines(text, chunk)
  if is_incomplete(message) then return "more", message end
  local _, other = load_lines("return " .. text, chunk)
  if other and is_incomplete(other) then return "more", other end
  local begins = tokens[1] and message:find("unexpected symbol near '" .. tokens[1].text, 1, true)
  return "syntax", begins and other or message
end

--- A function of an input: an expression, which gives its values, or statements.
---@param text string
---@param chunk? string name of the text in messages, as loadstring takes it
---@return function? fn nil: the text does not compile
---@return "expression"|"statements"|"more"|"syntax" kind "more": more lines could complete it
---@return string? message
function scope.compile(text, chunk)
  chunk = chunk or "=stdin"
  -- In front of an input of a pipe stand many empty lines, which only the last compilation is to see.
  local lead, body = text:match("^(\n*)(.*)$")
  local tokens = source.tokens(body)
  local expression = #tokens > 0 and expression_of(body, chunk)
  local fn = expression and build(tokens, lead .. expression, "", chunk)
  if fn then return fn, "expression" end
  if not load_lines(body, chunk) then return nil, refusal(text, chunk, tokens) end
  fn = build_statements(tokens, text, chunk)
  if fn then return fn, "statements" end
  return nil, "syntax", "too many locals at the top level of an input; use fewer, or globals"
end

--- A function of a text that compiles, which the compiler may compile and which keeps no locals.
---@param text string
---@return function
function scope.body(text)
  local tokens = source.tokens(text)
  local fn = build(tokens, "return " .. text, "", "=stdin") or build(tokens, text, "", "=stdin")
  jit.on(fn)
  return fn
end

--- Takes up the locals that statements have declared; false when `keeper`, what their function has
--- returned, is a value of a `return` of their own.
---@param text string
---@param keeper any
---@return boolean
function scope.keep(text, keeper)
  if type(keeper) ~= "function" then return false end
  local lead, body = text:match("^(\n*)(.*)$")
  local _, newlines = body:gsub("\n", "")
  if debug.getinfo(keeper, "S").linedefined ~= #lead + newlines + 2 then return false end
  for i = 1, math.huge do
    local name = debug.getupvalue(keeper, i)
    if not name then return true end
    cells[name] = { holder = keeper, number = i }
  end
end

return scope
