-- table: rows of a benchmark, printed alike: name, ours, peer, ratio, goal, met or not.
local bench = {}

--- One row.  `ratio` is how many times better we are than the peer; nil: the peer is absent.
function bench.row(name, ours, peer, ratio, goal, met)
  print(("%-44s %14s %16s %9s  %-22s %s"):format(name, ours, peer or "absent",
    ratio and ("%.1fx"):format(ratio) or "-", goal or "", met == nil and "" or met and "met" or "NOT MET"))
end

function bench.head()
  print(("%-44s %14s %16s %9s  %-22s %s"):format("what", "ours", "peer", "ratio", "goal", ""))
end

--- Seconds that a shell command takes, and the first line that it prints.
function bench.command(command)
  local tm = require("tidemill")
  local began = tm.clock()
  local pipe = io.popen(command)
  local line = pipe:read("*l")
  pipe:read("*a")
  pipe:close()
  return tm.clock() - began, line
end

--- The least of `count` measurements.
function bench.best(count, measure)
  local least = math.huge
  for _ = 1, count do least = math.min(least, (measure())) end
  return least
end

function bench.exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

return bench
