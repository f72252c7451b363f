-- text: commands about the text of a session: :load, :edit, :save, :reset, :quit.
-- SPDX-License-Identifier: MIT
local scope = require("repl.scope")
local session = require("repl.session")

local text = {}

local function read(path, command)
  local file, problem = io.open(path, "rb")
  if not file then error(("%s: %s"):format(command, problem), 0) end
  local content, failure = file:read("*a")
  file:close()
  if not content then error(("%s: %s: %s"):format(command, path, failure), 0) end
  return content
end

-- Runs a text whose locals stay, as if it had been typed.
local function run(content, chunk)
  local what, message = session.run(content, chunk)
  if what == "more" then return "syntax", message end
  return what, message
end

local function load_file(path)
  if path == "" then return "error", ":load: no file" end
  return run(read(path, ":load"):gsub("^#[^\n]*", ""), "@" .. path)
end

-- ---- :edit ----------------------------------------------------------------------------------

local function quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local function last_input()
  local last = session.inputs[#session.inputs]
  return last and last.text .. "\n" or ""
end

local function edit_path(path)
  local editor = os.getenv("VISUAL") or os.getenv("EDITOR") or "vi"
  local status = os.execute(editor .. " " .. quote(path))
  if status ~= 0 and status ~= true then error((":edit: %s has failed"):format(editor), 0) end
  local content = read(path, ":edit")
  if not content:find("%S") then return nil end
  session.say((content:gsub("\n+$", "")))
  return run(content)
end

-- Edits a file, or the last input, and runs what comes of it.
local function edit(path)
  if path ~= "" then return edit_path(path) end
  local name = os.tmpname()
  require("tidemill.core").write_file(name, last_input())
  local fine, what, message = pcall(edit_path, name)
  os.remove(name)
  if not fine then error(what, 0) end
  return what, message
end

-- ---- :save, :reset, :quit -------------------------------------------------------------------

local function save(path)
  if path == "" then return "error", ":save: no file" end
  local lines = {}
  for i, input in ipairs(session.inputs) do lines[i] = input.text .. "\n" end
  require("tidemill.core").write_file(path, table.concat(lines))
  session.say(("%s saved to %s"):format(require("repl.show").plural(#lines, "input"), path))
end

local function reset()
  scope.reset()
  session.forget_values()
  session.inputs = {}
  for name in next, _G do
    if not session.first[name] then rawset(_G, name, nil) end
  end
  rawset(_G, "tm", require("tidemill"))
end

local function quit() require("tidemill.core").exit(0) end

text[1] = { name = "load", usage = "FILE", run = load_file, help = "run a file; its locals stay" }
text[2] = { name = "edit", usage = "[FILE]", run = edit, help = "edit the last input, or a file, and run it" }
text[3] = { name = "save", usage = "FILE", run = save, help = "write the inputs so far to a file" }
text[4] = { name = "reset", usage = "", run = reset, help = "forget locals, globals and values" }
text[5] = { name = "quit", usage = "", run = quit, help = "leave; Ctrl-D does too" }

return text
