-- requests: 10,000 HTTP requests that wait at once on the loop lane, of a server in another process that
-- answers one after the other (ours, too, so that half of the time is its); and 10,000 tasks that sleep
-- for one second.  Best of 3.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure = require("bench_table"), require("measure")
local tm = require("tidemill")

local count, rounds = 10000, 3

local server = [[
local tm = require "tidemill"
local server = tm.listen("127.0.0.1", 0)
local count, port = tonumber((...)), tonumber((select(2, ...)))
tm.connect("127.0.0.1", port):write(server.port .. "\n")
for _ = 1, count do
  local c = server:accept()
  repeat local line = c:read("line") until line == "" or line == nil
  c:write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
  c:close()
end
]]

local ready = tm.listen("127.0.0.1", 0)
local program = tm.submit(tm.delayed(function(text, many, port)
  assert(tm.exec({ os.getenv("TIDEMILL_BIN"), "-e", text, many, port }).status == 0)
end, { kind = "io" }), server, count * rounds, ready.port)
local port = tonumber(ready:accept():read("line"))

local items = {}
for i = 1, count do items[i] = i end

local requests = measure.best(rounds, function()
  local bodies = tm.map(function(i)
    return tm.http_get(("http://127.0.0.1:%d/%d"):format(port, i)).body
  end, items, { kind = "io" })
  for i = 1, count do assert(bodies[i] == "hello") end
end)
program:result()

local function sleep_on(options)
  return measure.best(rounds, function()
    tm.map(function() tm.sleep(1) end, items, options)
  end)
end
local loop, thread = sleep_on({ kind = "io" }), sleep_on({ seed = 1, window = count })

bench.row { name = "HTTP request of 10,000 at once", ours = requests / count }
bench.row { name = "10,000 tasks sleep 1 s, loop lane", ours = loop, goal = { at_most = 2 } }
bench.row { name = "10,000 tasks sleep 1 s, thread lane", ours = thread, goal = { at_most = 2 } }
