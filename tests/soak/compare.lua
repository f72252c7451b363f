-- compare: runs tests/soak/graphs.lua on the serial lane and with 1, 2 and 4 workers, each in a
-- process of its own, and says where what they print differs.  SPDX-License-Identifier: MIT

local shell = require "scripts.dev.shell"
local capture, read = shell.capture, shell.read

local compare = {}

local lanes = { 0, 1, 2, 4 } -- workers; 0 is the serial lane

-- With one worker as it is; with two the memory is always short; with four, worker processes die at any
-- moment.
local more = { [2] = "--set memory.limit=20MB" }

-- Kills one of the worker processes of the process $pid, every now and then, until it ends.
local killer = [[while kill -0 $pid 2>/dev/null; do
  sleep 0.$(($(od -An -N1 -tu1 /dev/urandom) % 30 + 10))
  for child in $(cat /proc/$pid/task/*/children 2>/dev/null); do kill -9 $child; break; done
done 2>/dev/null]]

-- Beside the process that $timer has started.
local killing = "sleep 0.2; pid=$(cat /proc/$timer/task/$timer/children)\n" .. killer

-- Leaks are looked for in the C tests; tsan must know of LuaJIT's stacks.
local environment = "env ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=suppressions=tests/tsan.supp"

local function lines_of(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line end
  return list
end

-- The first line that differs, and the graph that it belongs to.
local function difference(expected, got, workers)
  local a, b = lines_of(expected), lines_of(got)
  local graph
  for i = 1, math.max(#a, #b) do
    if a[i] and a[i]:find("^graph") then graph = a[i] end
    if a[i] ~= b[i] then
      return ("%s: line %d\n  serial:    %s\n  %d workers: %s"):format(graph or "before any graph", i,
        (a[i] or "nothing"):sub(1, 500), workers, (b[i] or "nothing"):sub(1, 500))
    end
  end
end

local function why_of(status, seconds)
  if status == 124 or status == 137 then return ("did not end within %d seconds"):format(seconds) end
  if status > 128 then return ("was killed by signal %d"):format(status - 128) end
  return ("ended with status %d"):format(status)
end

-- What a process that failed has said, and the graph before which it failed.
local function failure(folder, workers, status, seconds)
  local last
  for _, line in ipairs(lines_of(read(("%s/out%d"):format(folder, workers)))) do
    if line:find("^graph") then last = line end
  end
  local text = read(("%s/err%d"):format(folder, workers))
  return ("%s workers: the process %s after %s\n%s"):format(workers == 0 and "no" or workers,
    why_of(status, seconds), last or "no graph", #text > 6000 and text:sub(1, 6000) or text)
end

local function judge(folder, seconds)
  for _, workers in ipairs(lanes) do
    local status = tonumber(read(("%s/status%d"):format(folder, workers)))
    if status ~= 0 then return failure(folder, workers, status, seconds) end
  end
  local expected = read(folder .. "/out0")
  for _, workers in ipairs(lanes) do
    local problem = difference(expected, read(("%s/out%d"):format(folder, workers)), workers)
    if problem then return problem end
  end
end

--- Graphs number first to first + count - 1 of a seed; nil, or what went wrong.
---@param program string path of tidemill
---@param seed integer
---@param first integer
---@param count integer
---@param seconds integer after which a process hangs
---@return string?
function compare.graphs(program, seed, first, count, seconds)
  local folder = capture("mktemp -d")
  local parts = {}
  for i, workers in ipairs(lanes) do
    local command = ("timeout -k 5 %d %s %s run --cache off --workers %d --set resources=a=2,b=3 %s "
      .. "tests/soak/graphs.lua %d %d %d"):format(seconds, environment, program, workers, more[workers] or "",
      seed, first, count)
    parts[i] = ("{ %s >%s/out%d 2>%s/err%d & timer=$!\n%s\nwait $timer; echo $? >%s/status%d; } &"):format(
      command, folder, workers, folder, workers, workers == 4 and killing or "", folder, workers)
  end
  os.execute(table.concat(parts, "\n") .. "\nwait")
  local problem = judge(folder, seconds)
  os.execute("rm -rf " .. folder)
  return problem
end

return compare
