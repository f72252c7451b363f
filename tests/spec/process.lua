-- process: runs the command line as a child process, with its own home folder.
-- `process.run{ "-e", "print(1)", stdin = "..." }` gives { status =, out =, err = }; a child that
-- hangs is killed and its status says so (124, or 137).  SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local shell = require "scripts.dev.shell"

local process = {}

local quote, read, write, capture = shell.quote, shell.read_if_there, shell.write, shell.capture

--- The program under test.
process.program = helper.absolute(os.getenv("TIDEMILL_BIN") or helper.products .. "/tidemill")

process.quote, process.read, process.write = quote, read, write
process.folder, process.remove = helper.folder, helper.remove

--- Whether a file or folder is there.
function process.exists(path) return capture("test -e " .. quote(path) .. " && echo yes") == "yes" end

-- The environment of a child.  READY names a file that a script makes to say that it runs.
local function environment(folder, extra)
  local words = { "env", "--default-signal=INT,TERM,HUP,PIPE" }
  local values = { HOME = folder, XDG_CACHE_HOME = folder .. "/cache",
    XDG_CONFIG_HOME = folder .. "/config",
    XDG_STATE_HOME = folder .. "/state", READY = folder .. "/ready", TERM = "dumb" }
  for name, value in pairs(extra or {}) do values[name] = value end
  for name, value in pairs(values) do
    if value == false then
      table.insert(words, 2, "-u " .. name)
    else
      words[#words + 1] = name .. "=" .. quote(value)
    end
  end
  return table.concat(words, " ")
end

-- The command line of a child, redirections included.
local function command_of(options, folder)
  local words = { environment(folder, options.env), quote(process.program) }
  for _, word in ipairs(options) do words[#words + 1] = quote(word) end
  write(folder .. "/in", options.stdin or "")
  words[#words + 1] = ("<%s/in >%s 2>%s/err"):format(folder,
    options.stdout and quote(options.stdout) or folder .. "/out", folder)
  return table.concat(words, " ")
end

-- Waits for the file READY, sends the signal, and kills what is still there 20 seconds later.
local interrupted = [[
%s & child=$!
tries=0
until [ -e %s/ready ] || [ $tries -ge 600 ]; do sleep 0.05; tries=$((tries + 1)); done
kill -%s $child
setsid sh -c "sleep 20; kill -KILL $child" >/dev/null 2>&1 & guard=$!
wait $child; status=$?
kill -- -$guard
]]

--- Runs the program.  Options: `stdin` (text), `stdout` (a file instead), `env`, `cwd`,
--- `signal` ("INT": sent once the script has made the file that $READY names).
function process.run(options)
  local folder = process.folder()
  local command = command_of(options, folder)
  local script
  if options.signal then
    script = interrupted:format(command, folder, options.signal)
  else
    script = "timeout -k 5 60 " .. command .. "; status=$?\n"
  end
  if options.cwd then script = "cd " .. quote(options.cwd) .. " || exit 1\n" .. script end
  write(folder .. "/script", script .. ("echo $status >%s/status\n"):format(folder))
  os.execute("sh " .. folder .. "/script 2>" .. folder .. "/shell")
  local result = {
    status = tonumber(read(folder .. "/status")),
    out = read(folder .. "/out") or "",
    err = read(folder .. "/err") or "",
  }
  process.remove(folder)
  return result
end

--- Whether sessions on a terminal can be had here.
function process.has_terminal()
  return capture("script -qec 'echo yes' /dev/null </dev/null 2>/dev/null"):find("yes", 1, true) ~= nil
end

--- A session on a terminal of its own: types each text of `steps` once what it expects has
--- appeared behind what was seen before.  A step is { expected, typed }.
function process.converse(steps, options)
  options = options or {}
  local folder = process.folder()
  local words = { environment(folder, options.env), quote(process.program) }
  for _, word in ipairs(options) do words[#words + 1] = quote(word) end
  os.execute("mkfifo " .. folder .. "/typed")
  -- exec: a shell in between would be interrupted together with the program.
  local session = "SHELL=/bin/sh timeout -k 5 60 script -qefc %s /dev/null"
    .. " <%s/typed >%s/screen 2>&1"
  local script = session:format(quote("exec " .. table.concat(words, " ")), folder, folder)
  write(folder .. "/script", script .. ("\necho $? >%s/status\n"):format(folder))
  os.execute("sh " .. folder .. "/script 2>/dev/null &")
  local typed = assert(io.open(folder .. "/typed", "wb"))
  local function wait(ready)
    for _ = 1, 600 do
      local found = ready()
      if found then return found end
      os.execute("sleep 0.05")
    end
  end
  local seen, missed = 1, nil
  for _, step in ipairs(steps) do
    local stop = wait(function()
      return select(2, (read(folder .. "/screen") or ""):find(step[1], seen, true))
    end)
    if not stop then
      missed = step[1]
      break
    end
    seen = stop + 1
    typed:write(step[2] or "")
    typed:flush()
  end
  local status = wait(function() return tonumber(read(folder .. "/status") or "") end)
  typed:close()
  local result = { status = status, missed = missed, screen = read(folder .. "/screen") or "",
    history = read(folder .. "/state/tidemill/history") }
  process.remove(folder)
  return result
end

return process
