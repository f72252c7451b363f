-- start: an empty script from start to exit, a session to its first prompt, resident memory of a session
-- that idles with two workers, and the size of the program; beside a bare luajit, sqlite3 and python3.
-- Times are the best of 40 processes, 20 for prompts, measured in turns; each has an empty home.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure = require("bench_table"), require("measure")
local peers, spawn = require("peers"), require("spawn")
local tm = require("tidemill")

local home = os.tmpname()
os.remove(home)
os.execute("mkdir -p " .. home)
tm.write_text(home .. "/empty.lua", "")
local ours = tm.env("TIDEMILL_BIN") or "build/tidemill"
local script = home .. "/empty.lua"

-- The interpreter itself: what is found on the path may be a script that looks for it.
local function interpreter()
  local pipe = assert(io.popen(peers.interpreter() .. " -c 'import sys; print(sys.executable)' 2>/dev/null"))
  local path = pipe:read("*l")
  pipe:close()
  return path or "python3"
end

local python = interpreter()
local programs = {
  { name = "tidemill", run = { ours, "run", script }, talk = { ours, "--workers", "2" }, prompt = "tm> ",
    work = "tm.map(function(x) return x end, { 1, 2, 3, 4 })\n" },
  { name = "luajit", run = { "luajit", script }, talk = { "luajit" }, prompt = "> " },
  { name = "sqlite3", run = { "sqlite3", ":memory:", "" }, talk = { "sqlite3" }, prompt = "sqlite> " },
  { name = "python3", run = { python, "-c", "" }, talk = { python }, prompt = ">>> " },
}

-- ---- Starting and ending -------------------------------------------------------------------------

local function least(a, b) return a and b and math.min(a, b) or a or b end

for _ = 1, 40 do
  for _, program in ipairs(programs) do
    program.whole = least(program.whole, spawn.run(program.run, home))
  end
end

-- Seconds to the prompt, and what is resident there, after some work where it takes workers.
local function look(program)
  local began = tm.clock()
  local screen = spawn.screen(program.talk, home)
  if not screen then return end
  local found = screen:await(program.prompt)
  program.first = least(program.first, found and tm.clock() - began)
  if found and program.work then
    screen:say(program.work)
    screen:await("\n")
    screen:await(program.prompt)
    measure.sleep(0.2)
  end
  program.resident = least(program.resident, found and screen:resident())
  screen:stop()
end

for _ = 1, 20 do
  for _, program in ipairs(programs) do look(program) end
end

-- ---- Size ----------------------------------------------------------------------------------------

-- As it is installed: without what only debuggers need.
local function stripped(path)
  local copy = home .. "/stripped"
  if os.execute(("strip -o %s %s 2>/dev/null"):format(copy, path)) ~= 0 then return nil end
  local file = assert(io.open(copy, "rb"))
  local size = file:seek("end")
  file:close()
  return size
end

local size = stripped(ours)
os.execute("rm -rf " .. home)

-- ---- Rows ----------------------------------------------------------------------------------------

local function compare(name, field, unit, limit)
  for i = 2, #programs do
    bench.row { name = name, ours = programs[1][field], unit = unit, peer = programs[i].name,
      peer_value = programs[i][field], goal = { at_most = limit } }
  end
end

compare("empty script, start to exit", "whole", "s", 5e-3)
compare("session, start to first prompt", "first", "s", 15e-3)
compare("session, idle with 2 workers, resident", "resident", "bytes", 12e6)
bench.row { name = "program, stripped", ours = size, unit = "bytes", goal = { at_most = 3e6 } }
