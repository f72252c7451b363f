-- terminal: a session typed into a terminal of tmux, which tells what its screen shows.
-- local one = terminal.open{columns = 80, rows = 24}; one:type("1 + 1\r"); one:wait("2"); one:close().
-- SPDX-License-Identifier: MIT

local process = require "tests.spec.process"
local shell = require "scripts.dev.shell"

local terminal = {}
terminal.__index = terminal

local quote, capture = shell.quote, shell.capture

--- Whether tmux is there and can start a terminal.
function terminal.there()
  return capture("tmux -V 2>/dev/null"):find("tmux", 1, true) ~= nil
end

local defaults = { HOME = "", XDG_CACHE_HOME = "/cache", XDG_CONFIG_HOME = "/config",
  XDG_STATE_HOME = "/state" }

--- A session of the program.  Options: columns, rows, env, cwd.  Close it.
function terminal.open(options)
  local self = setmetatable({ folder = process.folder() }, terminal)
  local words = { "env", "--default-signal=INT,TERM,HUP,PIPE", "-u NO_COLOR", "TERM=screen-256color" }
  for name, place in pairs(defaults) do words[#words + 1] = name .. "=" .. quote(self.folder .. place) end
  for name, value in pairs(options.env or {}) do words[#words + 1] = name .. "=" .. quote(value) end
  words[#words + 1] = quote(process.program)
  -- Behind the program: its status stays on the screen.
  local command = table.concat(words, " ") .. "; echo status $?; sleep 600"
  self:tmux(("new-session -d -x %d -y %d -c %s %s"):format(options.columns or 80, options.rows or 24,
    quote(options.cwd or self.folder), quote(command)))
  return self
end

function terminal:tmux(command)
  return capture(("tmux -u -f /dev/null -S %s/socket %s 2>&1"):format(quote(self.folder), command))
end

--- Types a text as it is; "\r" is the key Enter.
function terminal:type(text)
  for part, enter in text:gmatch("([^\r]*)(\r?)") do
    if part ~= "" then self:tmux("send-keys -l -- " .. quote(part)) end
    if enter ~= "" then self:tmux("send-keys Enter") end
  end
end

--- Presses keys by tmux's names: "C-c", "Tab", "Up".
function terminal:press(...)
  self:tmux("send-keys " .. table.concat({ ... }, " "))
end

--- Pastes a text as a terminal does: between the marks that a program has asked for.
function terminal:paste(text)
  process.write(self.folder .. "/paste", text)
  self:tmux("load-buffer " .. quote(self.folder .. "/paste"))
  self:tmux("paste-buffer -p -r")
end

function terminal:resize(columns, rows)
  self:tmux(("resize-window -x %d -y %d"):format(columns, rows))
end

--- Lines of the screen, without blanks at their ends and empty lines below.
---@param colours? boolean with their escapes
function terminal:screen(colours)
  local text = self:tmux("capture-pane -p" .. (colours and " -e" or ""))
  return (text:gsub("[ \t]+\n", "\n"):gsub("%s+$", ""))
end

--- Waits until the screen ends with a text, or holds it; raises with what it shows instead.
function terminal:wait(text, ending)
  local screen
  for _ = 1, 400 do
    screen = self:screen()
    local found = ending and screen:sub(-#text) == text or not ending and screen:find(text, 1, true)
    if found then return screen end
    os.execute("sleep 0.05")
  end
  error(("waited for %q in vain on\n%s"):format(text, screen), 2)
end

--- Waits for a prompt at the end of the screen.
function terminal:prompt() return self:wait("\ntm>", true) end

--- Types a line and waits for the prompt behind what comes of it.
function terminal:line(text)
  self:type(text .. "\r")
  os.execute("sleep 0.1")
  return self:prompt()
end

function terminal:close()
  self:tmux("kill-server")
  process.remove(self.folder)
end

return terminal
