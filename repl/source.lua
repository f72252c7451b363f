-- source: Lua text as its tokens, and what a session must know of it before it runs.
-- Broken text gives tokens too: an unclosed string or comment is one token up to the end.
-- SPDX-License-Identifier: MIT

local source = {}

--- A token of Lua text.
---@class tidemill.repl.token
---@field kind "name"|"keyword"|"number"|"string"|"comment"|"symbol"
---@field text string
---@field from integer place of its first byte
---@field to integer place of its last byte

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
    return then true until while]]):gmatch("%a+") do
  keywords[word] = true
end

--- Whether a word is one of the language.
function source.is_keyword(word) return keywords[word] ~= nil end

local symbols = { "^%.%.%.", "^%.%.", "^[=~<>]=", "^::", "^[^%w%s]" }

-- The end of a long bracket whose opening begins at `at`; nil when none does.
local function long_end(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local _, stop = text:find("]" .. level .. "]", at, true)
  return stop or #text
end

local function quoted_end(text, at)
  local quote, i = text:sub(at, at), at + 1
  while i <= #text do
    local byte = text:sub(i, i)
    if byte == quote then return i end
    i = i + (byte == "\\" and 2 or 1)
  end
  return #text
end

-- Kind and last place of the token at `at`.
local function token_at(text, at)
  local byte = text:sub(at, at)
  if text:find("^%-%-", at) then
    return "comment", long_end(text, at + 2) or (text:find("[\r\n]", at) or #text + 1) - 1
  end
  if byte == "'" or byte == "\"" then return "string", quoted_end(text, at) end
  local long = byte == "[" and long_end(text, at)
  if long then return "string", long end
  local word = text:match("^[%a_\128-\255][%w_\128-\255]*", at)
  if word then return keywords[word] and "keyword" or "name", at + #word - 1 end
  local number = text:match("^0[xX][%x%.]+[%w]*", at) or text:match("^%d[%w%.]*[eE][+-]%d+", at)
    or text:match("^%.?%d[%w%.]*", at)
  if number then return "number", at + #number - 1 end
  for _, pattern in ipairs(symbols) do
    local _, stop = text:find(pattern, at)
    if stop then return "symbol", stop end
  end
  return "symbol", at
end

--- The tokens of a text, comments left out.
---@param text string
---@return tidemill.repl.token[]
function source.tokens(text)
  local tokens, at = {}, text:find("%S")
  while at do
    local kind, stop = token_at(text, at)
    if kind ~= "comment" then
      tokens[#tokens + 1] = { kind = kind, text = text:sub(at, stop), from = at, to = stop }
    end
    at = text:find("%S", stop + 1)
  end
  return tokens
end

local opens = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }

-- Adds the names that a `local`, token i, declares.
local function declared(tokens, i, add)
  local next_token = tokens[i + 1]
  if next_token and next_token.text == "function" then i = i + 1 end
  repeat
    i = i + 1
    if tokens[i] and tokens[i].kind == "name" then add(tokens[i].text) end
    i = i + 1
  until not (tokens[i] and tokens[i].text == ",") or (next_token and next_token.text == "function")
end

--- The locals that a text declares outside of every block, each once.
---@param tokens tidemill.repl.token[]
---@return string[]
function source.locals(tokens)
  local names, seen, depth = {}, {}, 0
  local function add(name)
    if not seen[name] then names[#names + 1], seen[name] = name, true end
  end
  for i, token in ipairs(tokens) do
    if token.kind == "keyword" then
      if opens[token.text] then depth = depth + 1 end
      if closes[token.text] then depth = depth - 1 end
      if token.text == "local" and depth == 0 then declared(tokens, i, add) end
    end
  end
  return names
end

--- As loadstring, which would leave out a first line that begins with "#".
---@param text string
---@param chunk string
---@return function?, string? message
function source.compile(text, chunk)
  return loadstring(text:find("^#") and " " .. text or text, chunk)
end

--- The line of a text, from 1, and where it begins.
---@param text string
---@param number integer
---@return string? line, integer from
function source.line(text, number)
  local from = 1
  for _ = 2, number do
    local newline = text:find("\n", from, true)
    if not newline then return nil, from end
    from = newline + 1
  end
  return text:match("[^\n]*", from), from
end

return source
