-- check_docs: runs the code blocks of a page and compares what they print with what it shows.
-- Usage: luajit scripts/dev/check_docs.lua PRODUCTS PAGE.md; ends with the counts of its blocks.
--
--   ```lua      is run by `tidemill`, in one folder for the whole page; a ```text block that
--               follows is its output. A first line "-- name.lua" is the file it is kept as.
--               "```lua fails": it ends with status 1.
--   ```console  "$ command" and what it prints; the commands share one shell and the folder
--   ```repl     what is typed behind "tm> " and "..> ", and what is printed
--   ```c NAME   stands in examples/embed/NAME as it is here; without a name in smallest.c
--   ```ini, ```cron  a first line "# name" is the file it is kept as; tests/spec/cron_spec.lua
--               gives them to those who read such files
--   ```text     that follows no such block has the reason why nobody compares it:
--               "```text measured" is what one machine printed once
--
-- Indented lines are forms to read, not to run.  In shown output "..." is any lines; times, and
-- what depends on the machine, may differ.
-- SPDX-License-Identifier: MIT

local examples = dofile("scripts/dev/examples.lua")
local shell = dofile("scripts/dev/shell.lua")
local quote, write = shell.quote, shell.write

local products, page = arg[1], arg[2]

local folder = shell.capture("mktemp -d")
local program = shell.capture("pwd") .. "/" .. products

-- ---- The page -------------------------------------------------------------------------------

-- Blocks in order: {kind, info, text, line, output}; a text block is its predecessor's output.
local function blocks_of(path)
  local blocks, block, number = {}, nil, 0
  for line in (shell.read(path) .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local info = line:match("^```(.*)$")
    if not info then
      if block then block.lines[#block.lines + 1] = line end
    elseif not block then
      block = { kind = info:match("^%a*"), info = info, line = number, lines = {} }
    else
      block.text = table.concat(block.lines, "\n") .. "\n"
      local last = blocks[#blocks]
      if block.kind == "text" and last and last.kind == "lua" and not last.output then
        last.output = block.text
      else
        blocks[#blocks + 1] = block
      end
      block = nil
    end
  end
  if block then error(("%s:%d: a block without an end"):format(path, block.line), 0) end
  return blocks
end

-- ---- Running --------------------------------------------------------------------------------

-- Runs shell text in the page's folder; what it prints, its status. Lua blocks begin without
-- cached results, consoles and sessions share one cache.
local function run(text, cache)
  local out = folder .. "/.out"
  local status = os.execute(("cd %s && XDG_CACHE_HOME=%s PATH=%s:$PATH timeout -k 5 120 sh -c %s >%s "
    .. "2>&1 </dev/null; exit $?"):format(quote(folder), quote(folder .. "/" .. cache),
    quote(program), quote(text), quote(out)))
  return shell.read(out), status / 256
end

-- What another run or machine would print otherwise.
local function without_chance(text)
  return (text:gsub("%d+%.%d+ s%f[%W]", "1.000 s"):gsub("%d+ workers", "2 workers")
    :gsub("on worker %d+", "on worker 1"))
end

local function differ(expected, output)
  local lines = expected:match("%S") and examples.lines_of(without_chance(expected)) or {}
  return examples.differ(lines, without_chance(output))
end

local function check_lua(block)
  local name = block.text:match("^%-%- ([%w_]+%.lua)\n") or "block.lua"
  write(folder .. "/" .. name, block.text)
  local output, status = run("tidemill " .. name, ".cache" .. block.line)
  local wanted = block.info:match("fails") and 1 or 0
  if status ~= wanted then return ("exit status %d:\n%s"):format(status, output) end
  return block.output and differ(block.output, output)
end

-- Behind each command a line with a byte 1, which keeps `$?`.
local function check_console(block)
  local commands, shown = {}, {}
  for line in block.text:gmatch("([^\n]*)\n") do
    local command = line:match("^%$ (.*)$")
    if command then
      commands[#commands + 1], shown[#shown + 1] = command, {}
    elseif #shown > 0 then
      table.insert(shown[#shown], line)
    else
      return "it does not begin with a command ($ ...)"
    end
  end
  local text = table.concat(commands, "\ns=$?; printf '\\001\\n'; (exit $s)\n")
  local i, output = 0, run(text, ".cache")
  for part in (output .. "\1\n"):gmatch("(.-)\1\n") do
    i = i + 1
    local why = shown[i] and differ(table.concat(shown[i], "\n") .. "\n", part)
    if why then return ("$ %s: %s"):format(commands[i], why) end
  end
  return i < #commands and "it ended before " .. commands[i + 1] or nil
end

local function check_repl(block)
  local typed, shown = {}, {}
  for line in block.text:gmatch("([^\n]*)\n") do
    local input = line:match("^tm> ?(.*)$") or line:match("^%.%.> ?(.*)$")
    table.insert(input and typed or shown, input or line)
  end
  write(folder .. "/.typed", table.concat(typed, "\n") .. "\n")
  return differ(table.concat(shown, "\n") .. "\n", (run("tidemill <.typed", ".cache")))
end

local function check_c(block)
  local path = "examples/embed/" .. (block.info:match("^c%s+(%S+)$") or "smallest.c")
  if not shell.read(path):find(block.text, 1, true) then return path .. " differs" end
end

local function check_file(block)
  local name = block.text:match("^# ([%w_.]+)\n")
  if not name then return "its first line is not its name (# name)" end
  write(folder .. "/" .. name, block.text)
end

local function check_text(block)
  if block.info ~= "text measured" then return "it is no block's output, and does not say why" end
end

local checks = { lua = check_lua, console = check_console, repl = check_repl, c = check_c,
  ini = check_file, cron = check_file, text = check_text }

local passed, failed = 0, 0
for _, block in ipairs(blocks_of(page)) do
  local check = checks[block.kind]
  local why
  if check then why = check(block) else why = "nobody knows how to run it" end
  if why then
    failed = failed + 1
    print(("not ok %s:%d: the %s block: %s"):format(page, block.line, block.kind, why))
  else
    passed = passed + 1
  end
end
os.execute("rm -rf " .. quote(folder))
print(("%d passed, %d failed, 0 skipped"):format(passed, failed))
os.exit(failed == 0 and 0 or 1)
