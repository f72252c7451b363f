-- peers: the programs beside which we are measured.  Each prints lines "name number" and ends
-- with 0, or with 3 when what it needs is not installed: then the peer is absent.
-- SPDX-License-Identifier: MIT
local peers = {}

local absent = 3

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- The Python that the peers are run by: TIDEMILL_BENCH_PYTHON, else what `make bench-peers` has
--- prepared, else python3.
function peers.interpreter()
  local prepared = "build/peers-venv/bin/python"
  return os.getenv("TIDEMILL_BENCH_PYTHON") or exists(prepared) and prepared or "python3"
end

--- How many workers everybody gets.
function peers.workers() return tonumber(os.getenv("TIDEMILL_BENCH_WORKERS") or 2) end

-- io.popen of Lua 5.1 does not tell the exit status: the shell prints it after the rest.
local function run(command)
  local pipe = assert(io.popen(command .. "; echo exit $?"))
  local numbers = {}
  for line in pipe:lines() do
    local name, value = line:match("^(%S+)%s+(%S+)$")
    if tonumber(value) then numbers[name] = tonumber(value) end
  end
  pipe:close()
  local status = numbers.exit
  numbers.exit = nil
  if status == 0 then return numbers end
  if status ~= absent and status ~= 127 then
    io.stderr:write(("bench: exit status %d of the peer: %s\n"):format(status, command))
  end
  return {}
end

--- Numbers that a program of tests/bench/peers printed, by name; none when the peer is absent.
--- It finds the number of workers in TIDEMILL_BENCH_WORKERS.
function peers.python(program, ...)
  return run(("env TIDEMILL_BENCH_WORKERS=%d timeout 120 %s tests/bench/peers/%s %s"):format(
    peers.workers(), peers.interpreter(), program, table.concat({ ... }, " ")))
end

--- The same of a oneTBB program, which make builds when oneTBB is there.
function peers.tbb(...)
  local program = "build/peers/tbb_graphs"
  if not exists(program) then return {} end
  return run(("timeout 120 %s %d %s"):format(program, peers.workers(), table.concat({ ... }, " ")))
end

--- The same of one of our own C programs; those are never absent.
function peers.own(program, ...)
  local folder = os.getenv("TIDEMILL_BENCH_PROGRAMS") or "build/release/tests/bench"
  local path = folder .. "/" .. program
  if not exists(path) then error(path .. ": not built; run make bench", 0) end
  return run(("timeout 120 %s %s"):format(path, table.concat({ ... }, " ")))
end

return peers
