-- Shows a pool of resources: files that tasks write to, never more than two open at once.
local tm = require "tidemill"

local log, events = os.tmpname(), os.tmpname()

-- Writes a line to a file: one write at its end, so that those of several workers do not mix.
local function note(path, text)
  local file = assert(io.open(path, "a"))
  file:write(text .. "\n")
  file:close()
end

local files = tm.pool {
  name = "log",
  max = 2,
  create = function() -- in the worker that needs it, which keeps it for its next task
    note(events, "open")
    return assert(io.open(log, "a"))
  end,
  close = function(file)
    file:close()
    note(events, "close")
  end,
}

local function work(item)
  return files:with(function(file)
    file:write("item " .. item .. "\n")
    file:flush()
    if item % 10 == 0 then tm.sleep(0.001) end -- the worker runs other tasks meanwhile
    return item * item
  end)
end

local items = {}
for i = 1, 100 do items[i] = i end
local squares = tm.map(work, items)
print("the last square is " .. squares[100])

-- An error in a task gives its file back; the next one can have it.
local fine, problem = pcall(tm.map, function(item)
  return files:with(function() error("item " .. item .. " is no good", 0) end)
end, { 7 })
print(fine, problem)
print(tm.map(work, { 3 })[1])

files:close()
print(files)

-- What happened: how many were opened and closed, and how many were open at once, at most.
local open, opened, closed, most = 0, 0, 0, 0
for line in io.lines(events) do
  if line == "open" then
    open, opened = open + 1, opened + 1
  else
    open, closed = open - 1, closed + 1
  end
  most = math.max(most, open)
end
local lines = 0
for _ in io.lines(log) do lines = lines + 1 end
print(("%d lines; all that was opened is closed: %s; at most 2 at once: %s"):format(lines,
  tostring(opened == closed), tostring(most <= 2)))

os.remove(log)
os.remove(events)

-- Output:
-- the last square is 10000
-- false	item 7 is no good
-- 9
-- pool "log" of 0/2 resources, 0 idle, closed
-- 101 lines; all that was opened is closed: true; at most 2 at once: true
