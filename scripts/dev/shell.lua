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

--- The bytes of a file; or nil, and why there are none.
function shell.read(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, problem = file:read("*a")
  file:close()
  return text, problem
end

function shell.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

return shell
