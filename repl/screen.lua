-- screen: what stdout is: how wide, and whether colours may go there.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")

ffi.cdef [[
int isatty(int fd);
int ioctl(int fd, unsigned long request, ...);
]]

local screen = {}

local get_size = 0x5413 -- TIOCGWINSZ

--- Whether stdout is a terminal.
function screen.is_terminal() return ffi.C.isatty(1) == 1 end

--- Columns and rows of the terminal; 80 and 24 where there is none, so that pipes do not differ.
---@return integer columns, integer rows
function screen.size()
  local size = ffi.new("unsigned short[4]")
  if screen.is_terminal() and ffi.C.ioctl(1, get_size, size) == 0 and size[1] > 0 then
    return size[1], size[0]
  end
  return 80, 24
end

--- Columns of the terminal.
---@return integer
function screen.width() return (screen.size()) end

--- Whether colours may be used: on a terminal that knows them, and never with NO_COLOR.
function screen.has_colour()
  local terminal, refused = os.getenv("TERM"), os.getenv("NO_COLOR")
  if refused and refused ~= "" then return false end
  return screen.is_terminal() and terminal ~= nil and terminal ~= "" and terminal ~= "dumb"
end

local codes = { string = "32", number = "36", word = "35", faint = "2", key = "1" }

--- Gives paint(kind, text), which colours a text; without colours it gives the text back.
---@return fun(kind: string, text: string): string
function screen.painter()
  if not screen.has_colour() then return function(_, text) return text end end
  return function(kind, text) return "\27[" .. codes[kind] .. "m" .. text .. "\27[0m" end
end

--- Columns that a text of UTF-8 takes, colours not counted.
---@param text string
---@return integer
function screen.columns(text)
  local plain = text:gsub("\27%[[%d;]*m", "")
  local _, behind = plain:gsub("[\128-\191]", "")
  return #plain - behind
end

return screen
