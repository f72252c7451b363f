-- header: the manual page tidemill.h(3), of the comments in the header itself: each declaration as it
-- is, and below it what stands above it there.  SPDX-License-Identifier: MIT
local roff = require("roff")

local header = {}

-- "    code" inside a comment is an example, an empty line ends a paragraph.
local function comment(page, text)
  local lines, code = {}, {}
  local function end_text()
    if #lines > 0 then page.paragraph(roff.text(table.concat(lines, "\n"))) end
    lines = {}
  end
  local function end_code()
    if #code > 0 then page.example(table.concat(code, "\n")) end
    code = {}
  end
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    line = line:gsub("^ %* ?", ""):gsub("%s+$", "")
    if line:match("^    ") then
      end_text()
      code[#code + 1] = line:sub(5)
    else
      end_code()
      if line:match("^%u%l+: ") then end_text() end -- "Threads: .."
      if line == "" then end_text() else lines[#lines + 1] = (line:gsub("^%s+", "")) end
    end
  end
  end_text()
  end_code()
end

-- Behind the declaration that begins at this place: the semicolon that is in no comment and no braces.
local function end_of_code(text, at)
  local depth = 0
  while at <= #text do
    local skipped, byte = text:match("^/%*.-%*/()", at), text:sub(at, at)
    if byte == ";" and depth == 0 then return at end
    depth = depth + (byte == "{" and 1 or byte == "}" and -1 or 0)
    at = skipped or at + 1
  end
  return #text
end

-- The piece at a place: its kind, its text, and where the next one begins.
local function piece_at(text, at)
  local title, after = text:match("^/%* %-%-%-%- (.-) %-+ %*/()", at)
  if title then return "section", title, after end
  local note, behind = text:match("^/%*(.-)%*/()", at)
  if note then return "comment", note:gsub("^ ", ""):gsub("%s+$", ""), behind end
  if text:match("^#", at) then return "directive", text:match("^([^\n]*)()", at) end
  local last = end_of_code(text, at)
  return "code", text:sub(at, last), last + 1
end

-- The pieces of the header, each with whether an empty line stands above it.
local function pieces_of(text)
  local pieces, at = {}, 1
  while true do
    local blanks, from = text:match("^(%s*)()", at)
    if from > #text then return pieces end
    local kind, content, after = piece_at(text, from)
    pieces[#pieces + 1] = { kind = kind, text = content, apart = blanks:find("\n%s*\n") ~= nil }
    at = after
  end
end

-- Without what only the compiler needs.
local function declaration(text)
  local bare, found = text:gsub("^TIDEMILL_API%s+", "")
  if found == 0 then return text end
  return (bare:gsub("\n +", function(blanks) return "\n" .. (" "):rep(math.max(4, #blanks - 14)) end))
end

-- A comment belongs to the declarations below it, up to the next empty line.
local function body(page, pieces)
  for i, piece in ipairs(pieces) do
    if piece.kind == "section" then
      page.subsection(piece.text)
    elseif piece.kind == "comment" then
      local last = i
      while pieces[last + 1] and pieces[last + 1].kind == "code" and not pieces[last + 1].apart do
        last = last + 1
        page.example(declaration(pieces[last].text))
        pieces[last].told = true
      end
      if last > i then page.line(".RS") end
      comment(page, piece.text)
      if last > i then page.line(".RE") end
    elseif piece.kind == "code" and not piece.told then
      page.example(declaration(piece.text))
    end
  end
end

--- The text of the page of this header.
function header.page(text, version)
  local page = roff.page("TIDEMILL.H", "3", version, "Library Functions Manual")
  local opening, rest = text:match("^/%* [^\n]*\n(.-) %* SPDX[^\n]*\n(.*)$")
  page.section("NAME")
  page.line("tidemill.h \\- an engine for parallel Lua tasks inside another program")
  page.section("SYNOPSIS")
  page.example("#include <tidemill.h>\n\ncc program.c $(pkg-config --cflags --libs tidemill)")
  page.section("DESCRIPTION")
  comment(page, opening)
  rest = rest:gsub("\n#ifdef __cplusplus.-\n#endif\n", "\n")
  local first = rest:find("typedef", 1, true)
  page.section("DECLARATIONS")
  body(page, pieces_of(rest:sub(first)))
  page.section("SEE ALSO")
  page.line(".BR tidemill (1)")
  return page.done()
end

return header
