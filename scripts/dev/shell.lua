-- shell: files and commands, as scripts and tests need them: local shell = dofile("scripts/dev/shell.lua").
-- SPDX-License-Identifier: MIT

local shell = {}

--- One word of a command.
function shell.quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

--- What a command prints, without blanks at the end, as $(command) gives it.
function shell.capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return (text:gsub("%s+$", ""))
end

--- The lines that a command prints.
function shell.lines(command)
  local lines, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

function shell.read(path)
  local file = assert(io.open(path, "rb"))
  local text = assert(file:read("*a"))
  file:close()
  return text
end

--- The same, or nil where it cannot be read.
function shell.read_if_there(path)
  local is_read, text = pcall(shell.read, path)
  return is_read and text or nil
end

function shell.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

return shell
