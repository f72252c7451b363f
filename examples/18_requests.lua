-- Shows 10,000 requests that wait at once for a server that is in no hurry: on the loop lane a task that
-- waits holds no worker.
local tm = require "tidemill"
local count = 10000

-- A small server, a program of its own: it answers nobody while requests come, and then everybody at
-- once.  Its port is the first thing that it says.
local server_text = [[
local tm = require "tidemill"
local count, port = tonumber((...)), select(2, ...)
local server = tm.listen("127.0.0.1", 0)
tm.connect("127.0.0.1", tonumber(port)):write(server.port .. "\n")

local function answer(c)
  local line = c:read("line")
  local number = line and line:match("^GET /(%d+) ")
  if number then c:write("HTTP/1.1 200 OK\r\nContent-Length: " .. #number .. "\r\n\r\n" .. number) end
  c:close()
end

local waiting, answered = {}, 0
while answered < count do
  local c = server:accept(0.3)
  if c then waiting[#waiting + 1] = c end
  if not c or answered + #waiting == count then
    for i = 1, #waiting do answer(waiting[i]) end
    answered, waiting = answered + #waiting, {}
  end
end
server:close()
]]

local ready = tm.listen("127.0.0.1", 0)
local program = tm.submit(tm.delayed(function(text, port)
  local run = tm.exec({ os.getenv("TIDEMILL_BIN") or "/proc/self/exe", "-e", text, count, port })
  return run.status == 0 or error(run.stderr)
end, { name = "server", kind = "io" }), server_text, ready.port)
local port = tonumber(ready:accept():read("line"))

local items = {}
for i = 1, count do items[i] = i end
local start = tm.clock()
local answers = tm.map(function(i)
  return tonumber(tm.http_get("http://127.0.0.1:" .. port .. "/" .. i, { timeout = "5m" }).body)
end, items, { kind = "io" })

local right = 0
for i = 1, count do right = right + (answers[i] == i and 1 or 0) end
print(right, "of", count, "answers are right")
print(("%.1f s"):format(tm.clock() - start))
print("the server ended well:", program:result())

-- Output:
-- 10000	of	10000	answers are right
-- <number> s
-- the server ended well:	true
