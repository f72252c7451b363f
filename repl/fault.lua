-- fault: what a session says of an error: the message, the line with a caret where the place is
-- known, the user's own frames, and what was probably meant.
-- SPDX-License-Identifier: MIT
local errors = require("tidemill.errors")
local names = require("repl.names")
local source = require("repl.source")
local suggest = require("tidemill.suggest")

local fault = {}

-- ---- The place ------------------------------------------------------------------------------

-- The line with a caret below the byte at `from` of the whole text; without `from`, the line alone.
local function pointed(text, number, from)
  local line, begins = source.line(text, number)
  if not line or not line:match("%S") then return nil end
  local shown = "    " .. line:gsub("\t", " ")
  if not from then return shown end
  local before = line:sub(1, from - begins):gsub("[\128-\191]", "")
  return shown .. "\n" .. (" "):rep(4 + #before) .. "^"
end

-- The token at which the compiler has stopped: the first one of that text which it complains of when
-- nothing comes behind.  `head` is what the text was compiled behind.
local function stopped_at(text, number, near, head)
  local _, begins = source.line(text, number)
  for _, token in ipairs(source.tokens(text)) do
    if token.from >= begins and token.text:sub(1, #near) == near then
      local _, message = source.compile(head .. text:sub(1, token.to), "=stdin")
      if message and message:find("near '" .. near, 1, true) then return token end
    end
  end
end

-- ---- What was meant -------------------------------------------------------------------------

local other_forms = {
  { "^!=", "`!=` is written `~=` in Lua" },
  { "^!", "`!x` is written `not x` in Lua" },
  { "^&&?", "`&&` is written `and` in Lua" },
  { "^||?", "`||` is written `or` in Lua" },
  { "^%+%+", "`x++` is written `x = x + 1` in Lua" },
  { "^%?", "`c ? a : b` is written `c and a or b` in Lua" },
}

local function assignment_hint(text, at)
  local before, sign = text:sub(1, at):match("([%a_][%w_.]*)%s*([+%-*/%%^])$")
  if not before then before, sign = text:sub(1, at):match("([%a_][%w_.]*)%s*(%.%.)$") end
  if not before or not text:find("^%s*=[^=]", at + 1) then return nil end
  local rest = text:match("^%s*=%s*([^\n;]*)", at + 1):gsub("%s+$", "")
  return ("`%s %s= %s` is written `%s = %s %s %s` in Lua"):format(before, sign, rest, before, before,
    sign, rest)
end

local function syntax_hint(text, token)
  for _, form in ipairs(other_forms) do
    if text:find(form[1], token.from) then return form[2] end
    if token.from > 1 and text:find(form[1], token.from - 1) then return form[2] end
  end
  return assignment_hint(text, token.to) or assignment_hint(text, token.from - 1)
end

-- "did you mean" for a name that is nil.
local function unknown_global(message)
  local name = message:match("global '([^']+)' %(a nil value%)")
  local meant = name and suggest.nearest(name, names.all())
  -- Of the few globals that there are some is near to many a word; a typo begins as what was meant.
  return meant and meant:sub(1, 1):lower() == name:sub(1, 1):lower() and meant or nil
end

local function unknown_field(message, line)
  local field = message:match("field '([^']+)' %(a nil value%)")
    or message:match("method '([^']+)' %(a nil value%)")
  if not field or not line then return nil end
  for path, sign in line:gmatch("([%a_][%w_.]*)([.:])" .. field:gsub("%p", "%%%0") .. "%f[^%w_]") do
    local value = names.resolve(path)
    local meant = value ~= nil and suggest.nearest(field, names.members(value, sign == ":"))
    if meant then return path .. sign .. meant end
  end
end

-- `a.mean()` where `a:mean()` is meant.
local function dotted_call(line)
  for path, name, space in line:gmatch("([%a_][%w_.]*)%.([%a_][%w_]*)(%s*)%(") do
    local value = names.resolve(path)
    local class = value ~= nil and names.class(value)
    if class and class ~= "frame" and type(names.resolve(path .. "." .. name)) == "function" then
      return ("a method is called with a colon: `%s:%s%s(..)`"):format(path, name, space)
    end
  end
end

local function run_hint(message, line)
  local meant = unknown_global(message) or unknown_field(message, line)
  if meant then return ("did you mean `%s`?"):format(meant) end
  if message:find("index 0 is outside", 1, true) then
    local path = line and line:match("([%a_][%w_.]*)%[%s*0%s*%]")
    return ("indexes start at 1: `%s[1]` is the first"):format(path or "x")
  end
  if message:find("is called with a colon", 1, true) then return nil end -- as handles say themselves
  return line and dotted_call(line)
end

-- The place of a name that the message complains of, when the line has it once.
local function complained(text, number, message)
  local name = message:match("[gfmlu][%l]+ '([%a_][%w_]*)' %(a nil value%)")
  local line, begins = source.line(text, number)
  if not name or not line then return nil end
  local at, again
  for _, token in ipairs(source.tokens(text)) do
    local here = token.from >= begins and token.from < begins + #line
    if here and token.text == name then at, again = at or token.from, at ~= nil end
  end
  return not again and at or nil
end

-- ---- The whole ------------------------------------------------------------------------------

local function joined(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) or nil end
  return table.concat(parts, "\n")
end

--- Text of an error of the compiler.
---@param message string
---@param text string the input
---@return string
function fault.syntax(message, text)
  local number, near = message:match("^stdin:(%d+):.* near '(.*)'$")
  local _, plain = source.compile(text .. "\n", "=stdin")
  local head = plain == message and "" or "return "
  local token = number and stopped_at(text, tonumber(number), near, head)
  if not token then return joined(message, number and pointed(text, tonumber(number))) end
  return joined(message, pointed(text, tonumber(number), token.from), syntax_hint(text, token))
end

-- The user's frames; that of the input alone says nothing.
local function frames_of(trace)
  local frames = errors.own_frames(trace)
  if not frames then return nil end
  frames = frames:gsub("\n%s*stdin:%d+: in function <stdin:%d+>%s*$", "")
  return frames:find("\n", 1, true) and frames or nil
end

--- What a message handler keeps of an error.
function fault.catch(value)
  return { value = value, trace = debug.traceback("", 2) }
end

-- The message of what was thrown.
local function message_of(value)
  if errors.is(value) then return errors.text(value) end
  if type(value) == "string" then return value end
  if type(value) == "table" and type(rawget(value, "message")) == "string" then return value.message end
  local meta = debug.getmetatable(value)
  local speaks = type(meta) == "table" and rawget(meta, "__tostring")
  local fine, said = pcall(tostring, value)
  if fine and (speaks or type(value) == "number") then return tostring(said) end
  return ("the input threw %s"):format(value == nil and "nil" or "a " .. type(value))
end

--- Text of an error of an input that ran.
---@param caught table what fault.catch has kept
---@param text string the input
---@return string
function fault.run(caught, text)
  local message = message_of(caught.value)
  local number = tonumber(message:match("^stdin:(%d+):"))
  local met = number or tonumber(caught.trace:match("stdin:(%d+):")) -- below functions of others
  local line = met and source.line(text, met)
  local at = number and complained(text, number, message)
  local hint = run_hint(message, line)
  if hint and met then message = message:gsub("^%[tidemill%] [^:]+:%d+: ", "stdin:" .. met .. ": ") end
  local many = text:gsub("^\n+", ""):find("\n", 1, true)
  local shown = number and (at or many) and pointed(text, number, at)
  return joined(message, shown, hint, frames_of(caught.trace))
end

return fault
