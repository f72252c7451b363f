-- label: task names as text of a picture: valid UTF-8, measured, cut short, escaped for XML.
local label = {}

local replacement = "\239\191\189" -- U+FFFD

-- First byte -> bytes of the character, and the least number that needs so many.
local function lead(byte)
  if byte < 0x80 then return 1, 0 end
  if byte >= 0xC2 and byte < 0xE0 then return 2, 0x80 end
  if byte >= 0xE0 and byte < 0xF0 then return 3, 0x800 end
  if byte >= 0xF0 and byte < 0xF5 then return 4, 0x10000 end
end

-- The character at `at` and its size; nil where there is no valid one.
local function decode(text, at)
  local size, least = lead(text:byte(at))
  if not size or at + size - 1 > #text then return nil end
  if size == 1 then return text:byte(at), 1 end
  local code = text:byte(at) % 2 ^ (7 - size)
  for i = at + 1, at + size - 1 do
    local byte = text:byte(i)
    if byte < 0x80 or byte > 0xBF then return nil end
    code = code * 64 + byte % 64
  end
  local surrogate = code >= 0xD800 and code <= 0xDFFF
  if code < least or code > 0x10FFFF or surrogate then return nil end
  return code, size
end

-- What XML 1.0 has no way to write.
local function unwritable(code)
  return (code < 0x20 and code ~= 0x0A) or code == 0x7F or code == 0xFFFE or code == 0xFFFF
end

--- for code, text in label.characters(text): what is no character stands as U+FFFD.
function label.characters(text)
  local at = 1
  return function()
    if at > #text then return nil end
    local code, size = decode(text, at)
    local from = at
    at = at + (size or 1)
    if not code or unwritable(code) then return 0xFFFD, replacement end
    return code, text:sub(from, at - 1)
  end
end

--- The text with its characters alone.
function label.clean(text)
  local parts = {}
  for _, character in label.characters(text) do parts[#parts + 1] = character end
  return table.concat(parts)
end

-- Ranges of characters that take two columns, and none.
local wide = { 0x1100, 0x115F, 0x2E80, 0xA4CF, 0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE6F,
  0xFF00, 0xFF60, 0xFFE0, 0xFFE6, 0x1F300, 0x1FAFF, 0x20000, 0x3FFFD }
local none = { 0x300, 0x36F, 0x1AB0, 0x1AFF, 0x200B, 0x200F, 0x20D0, 0x20FF, 0xFE00, 0xFE0F,
  0xFE20, 0xFE2F }

local function within(code, ranges)
  for i = 1, #ranges, 2 do
    if code >= ranges[i] and code <= ranges[i + 1] then return true end
  end
  return false
end

local function columns_of(code)
  if code < 0x300 then return 1 end
  return within(code, wide) and 2 or within(code, none) and 0 or 1
end

--- Columns that a text takes in a font of fixed width.
function label.columns(text)
  local columns = 0
  for code in label.characters(text) do columns = columns + columns_of(code) end
  return columns
end

--- One clean line of at most `most` columns; a longer one ends with an ellipsis.
function label.clip(text, most)
  local parts, columns, fitting = {}, 0, 0
  for code, character in label.characters((text:gsub("\n", " "))) do
    columns = columns + columns_of(code)
    parts[#parts + 1] = character
    if columns < most then fitting = #parts end
  end
  if columns <= most then return table.concat(parts) end
  return table.concat(parts, "", 1, fitting) .. "\226\128\166"
end

local entities = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ["\""] = "&quot;",
  ["\n"] = "&#10;" }

--- The clean text for XML, between tags or in quotes.
function label.xml(text) return (label.clean(text):gsub("[<>&\"\n]", entities)) end

return label
