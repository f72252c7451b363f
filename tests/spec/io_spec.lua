-- Connections, HTTP, programs and files, on every lane.  SPDX-License-Identifier: MIT

local shared = require "tests.spec.everywhere"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local run, everywhere = shared.run, shared.prints
local contains, lanes = require("tests.spec.expect").contains, shared.lanes

-- `serve(answer)` starts a task that listens, and gives its port: answer(connection, lines, i) is
-- called with what came of each request's head; as many as `count`.
local serving = [[
local tm = require "tidemill"
local function serve(answer, count)
  local ports = tm.channel(1)
  tm.submit(tm.delayed(function(body, many, channel)
    local tm = require "tidemill"
    local server = tm.listen("127.0.0.1", 0)
    channel:put(server.port)
    for i = 1, many do
      local connection, lines = server:accept(), {}
      while true do
        local line = connection:read("line")
        if line == "" or line == nil then break end
        lines[#lines + 1] = line
      end
      pcall(body, connection, lines, i)
      connection:close()
    end
    server:close()
  end, { kind = "io", name = "server" }), answer, count or 1, ports)
  return ports:take()
end
local function get(port, path, options)
  return tm.http_get("http://127.0.0.1:" .. port .. (path or "/"), options)
end
-- The message of an error, with ports and places as they are anywhere.
local function failure(...)
  local fine, problem = pcall(...)
  assert(not fine, "it did not fail")
  return (tostring(problem):gsub("127%.0%.0%.1:%d+", "HOST"):gsub("^[^:]*:%d+: ", ""))
end
]]

local function served(expected, text) everywhere(expected, serving .. text) end

-- Whether a program whose command line holds `word` runs.
local function is_running(word)
  return helper.capture("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"):find(word, 1, true) ~= nil
end

local function gone(word)
  for _ = 1, 200 do
    if not is_running(word) then return true end
    os.execute("sleep 0.05")
  end
  return false
end

describe("http_get", function()
  it("gives status, reason, headers by lower-case name, and body", function()
    served("200 OK abc text/plain a, b\n404 Not Found  nil\n", [[
      local port = serve(function(c, _, i)
        if i == 1 then
          c:write("HTTP/1.1 200 OK\r\nContent-Type:  text/plain \r\nX-Two: a\r\nx-two: b\r\n")
          c:write("Content-Length: 3\r\n\r\nabc")
        else
          c:write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        end
      end, 2)
      for _ = 1, 2 do
        local a = get(port)
        print(("%d %s %s %s"):format(a.status, a.reason, a.body, tostring(a.headers["content-type"]))
          .. (a.headers["x-two"] and " " .. a.headers["x-two"] or ""))
      end]])
  end)

  it("sends what it was told to, and its own headers", function()
    served("GET /a?b=c HTTP/1.1\naccept-encoding: identity\naccept: text/html\nconnection: close\n"
      .. "host: HOST\nuser-agent: me\nx-day: 3\n", [[
      local seen = tm.channel(1)
      local port = serve(function(c, lines)
        local first = table.remove(lines, 1)
        table.sort(lines)
        seen:put(first .. "\n" .. table.concat(lines, "\n"))
        c:write("HTTP/1.0 204 x\r\n\r\n")
      end)
      get(port, "/a?b=c#part", { headers = { ["User-Agent"] = "me", ["X-Day"] = 3, Accept = "text/html" } })
      print((seen:take():gsub("127%.0%.0%.1:%d+", "HOST")))]])
  end)

  it("reads bodies by length, in chunks, and to the end of the connection, however they arrive", function()
    served("hello world|hello world|hello world|\n", [[
      local answers = {
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          .. "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n",
        "HTTP/1.1 200 OK\n\nhello world",
      }
      local port = serve(function(c, lines)
        local number, step = lines[1]:match("/(%d)/(%d+)")
        local text = answers[tonumber(number)]
        for at = 1, #text, tonumber(step) do
          c:write(text:sub(at, at + step - 1))
          if at % 7 == 0 then require("tidemill").sleep(0.0001) end
        end
      end, 9)
      local parts = {}
      for number = 1, 3 do
        local seen
        for _, step in ipairs { 1, 5, 10000 } do
          local body = get(port, ("/%d/%d"):format(number, step)).body
          assert(not seen or seen == body)
          seen = body
        end
        parts[number] = seen
      end
      print(table.concat(parts, "|") .. "|")]])
  end)

  it("follows redirects, and shows no other server what was meant for this one", function()
    served("/next?q=1 yes\n/a/d nil\n302\nhttp_get: http://HOST/loop: more than 5 redirects\n"
      .. "http_get: http://HOST/s: redirects to https://HOST/: https is not supported, for want of TLS; "
      .. "tm.exec{\"curl\", ...} may do\n", [[
      local function answer(c, lines)
        local path = lines[1]:match("^GET (%S+)")
        local own
        for _, line in ipairs(lines) do own = own or line:match("^authorization: (.*)") end
        local to = ({ ["/start"] = "/next?q=1", ["/a/b/c"] = "../d", ["/one"] = "/two", ["/loop"] = "/loop",
          ["/s"] = "https://127.0.0.1:1/" })[path]
        local other = path:match("^/to/(%d+)$")
        if other then to = "http://127.0.0.1:" .. other .. "/a/b/c" end
        local body = path .. " " .. tostring(own)
        c:write(to and ("HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n"):format(to)
          or ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body))
      end
      local other = serve(answer, 2)
      local port = serve(answer, 11)
      print(get(port, "/start", { headers = { Authorization = "yes" } }).body)
      print(get(port, "/to/" .. other, { headers = { Authorization = "yes" } }).body)
      print(get(port, "/one", { redirects = 0 }).status)
      print(failure(get, port, "/loop"))
      print(failure(get, port, "/s"))]])
  end)

  it("says what is wrong with an answer, and with which", function()
    served([[
http_get: http://HOST/: the server closed the connection without an answer
http_get: http://HOST/: the server closed the connection before the end of its answer
http_get: http://HOST/: the answer is not HTTP/1.1
http_get: http://HOST/: a header field is not "name: value"
http_get: http://HOST/: the header has more than 65536 bytes
http_get: http://HOST/: the body has more than 10 bytes (max_bytes)
http_get: http://HOST/: the body has more than 10 bytes (max_bytes)
http_get: http://HOST/: the transfer encoding "gzip, chunked" is not known; chunked is
http_get: http://HOST/: the content length "4, 5" is no number of bytes
http_get: http://HOST/: the size of a chunk is not a hexadecimal number
http_get: http://HOST/: a chunk is longer than its size
http_get: http://HOST/: the server wants to switch protocols
]], [[
      local answers = { "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: " .. ("y"):rep(70000) .. "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", "HTTP/1.1 200 OK\r\n\r\nhello world",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n12345",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n" }
      local port = serve(function(c, _, i) c:write(answers[i]) end, #answers)
      for _ = 1, #answers do print(failure(get, port, "/", { max_bytes = 10 })) end]])
  end)

  it("says when there is no server, and when time is over", function()
    served([[
http_get: http://HOST/: cannot connect to HOST: connection refused
http_get: http://HOST/: timed out after 0.2 s
http_get: http://HOST/: timed out after 0.2 s
connect: cannot connect to HOST: connection refused
]], [[
      local server = tm.listen("127.0.0.1", 0)
      local port = server.port
      server:close()
      assert(select(2, server:accept()) == "closed")
      print(failure(get, port))
      local silent = tm.listen("127.0.0.1", 0)
      print(failure(get, silent.port, "/", { timeout = 0.2 }))
      local slow = serve(function(c)
        c:write("HTTP/1.1 200 OK\r\n\r\n")
        for _ = 1, 20 do
          c:write("drop ")
          require("tidemill").sleep(0.05)
        end
      end)
      print(failure(get, slow, "/", { timeout = "200ms" }))
      print(failure(tm.connect, "127.0.0.1", port))]])
  end)

  it("is tried again when the task has retries", function()
    served("hello 3\n", [[
      local port = serve(function(c, _, i)
        if i == 3 then c:write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") end
      end, 3)
      local attempts = tm.channel(10)
      local load = tm.delayed(function(p, channel)
        channel:put(1)
        return require("tidemill").http_get("http://127.0.0.1:" .. p .. "/").body
      end, { kind = "io", retries = 5, retry_delay = 0.01 })
      local body = load(port, attempts):compute()
      print(body .. " " .. (attempts:state()))]])
  end)

  it("refuses wrong input by its name", function()
    everywhere([[
http_get: expected a URL, a string, got a number
http_get: ftp://x/: only http:// is supported, not ftp://
http_get: example.org: expected a URL such as http://example.org/path
http_get: https://x/: https is not supported, for want of TLS; tm.exec{"curl", ...} may do
http_get: http://u:p@x/: a user name in a URL is not supported: use headers = {authorization = ...}
http_get: http:///x: it names no host
http_get: http://x:99999/: the port is not a number from 1 to 65535
http_get: http://x/a b: a blank, a control character or a byte beyond ASCII: write it as %XX
http_get: unknown option "time_out", did you mean "timeout"?
TIMEOUT, got 0
http_get: max_bytes: expected bytes as a number, or text such as "512MB" (10^6) or "2GiB" (2^30), got 0
http_get: redirects: expected a whole number from 0 to 100, got -1
http_get: headers: expected a table of names and values, got a number
http_get: headers: "a b" is not the name of a header
http_get: headers: x: expected a text of one line, got one with control characters
http_get: headers: Content-Length is not yours to set
]], [[
      local tm = require "tidemill"
      local function try(...)
        local fine, problem = pcall(tm.http_get, ...)
        assert(not fine)
        problem = problem:gsub("^http_get: timeout: .*, or false for none, ", "TIMEOUT, ")
        print((problem:gsub("^[^:]*:%d+: ", "")))
      end
      try(7) try("ftp://x/") try("example.org") try("https://x/") try("http://u:p@x/") try("http:///x")
      try("http://x:99999/") try("http://x/a b")
      local url = "http://x/"
      try(url, { time_out = 1 }) try(url, { timeout = 0 }) try(url, { max_bytes = 0 })
      try(url, { redirects = -1 }) try(url, { headers = 1 }) try(url, { headers = { ["a b"] = 1 } })
      try(url, { headers = { x = "1\r\ny: 2" } }) try(url, { headers = { ["Content-Length"] = 1 } })]])
  end)
end)

describe("a connection", function()
  it("reads so many bytes, lines, and all, and nil at the end", function()
    served("one|two|thr|ee|||4|abc\n|ab|nil|nil||\n|\n", [[
      local port = serve(function(c, lines)
        if lines[1] == "parts" then c:write("one\r\ntwo\nthree\n\n\n4\nabc\nab") end
      end, 2)
      local c = tm.connect("127.0.0.1", port)
      c:write("parts\n\n")
      local seen = {}
      for i, what in ipairs { "line", "line", 3, "line", "line", "line", "line", 4, 100, 1, "line", "all" } do
        seen[i] = tostring(c:read(what))
      end
      print(table.concat(seen, "|") .. "|")
      c:close()
      c:close()
      local empty = tm.connect("127.0.0.1", port)
      empty:write("nothing\n\n")
      print(empty:read("all") .. "|")]])
  end)

  it("carries more than the kernel holds, and holds back a writer whose reader sleeps", function()
    served("33554432 true\n", [[
      local size = 2 ^ 25
      local port = serve(function(c)
        local block = ("0123456789abcdef"):rep(2 ^ 16)
        for _ = 1, 32 do c:write(block) end
      end)
      local c = tm.connect("127.0.0.1", port)
      c:write("go\n\n")
      tm.sleep(0.05)
      local first = c:read(5)
      local rest = c:read("all")
      print(#first + #rest .. " " .. tostring(first == "01234" and rest:sub(1, 11) == "56789abcdef"))]])
  end)

  it("that reads in time goes on after a time-out, without losing a byte", function()
    served("connection to HOST: read: timed out after 0.05 s\nslowly it comes\n", [[
      local port = serve(function(c)
        for word in ("slow|ly| it |comes\n"):gmatch("[^|]+") do
          c:write(word)
          require("tidemill").sleep(0.1)
        end
      end)
      local c = tm.connect("127.0.0.1", port)
      c:write("go\n\n")
      local text, shown
      for _ = 1, 200 do
        local fine, line = pcall(c.read, c, "line", { timeout = 0.05 })
        if fine then
          text = line
          break
        end
        shown = line:gsub("127%.0%.0%.1:%d+", "HOST")
      end
      print(shown)
      print(text)]])
  end)

  it("says what went wrong, and refuses wrong input by its name", function()
    served([[
connection to HOST: read: the line is longer than 3 bytes (max_bytes)
connection to HOST: read: there are more bytes than max_bytes
connection to HOST: read: the connection is closed
connection to HOST: write: the connection is closed
connection:read: expected a number of bytes from 1, "line" or "all", got 0
connection:read: unknown option "time", did you mean "timeout"?
connection:write: expected text, a string, got a table
connect: expected a host, a string, got a nil
connect: expected a port, a whole number from 1 to 65535, got 0
listen: expected an address in numbers, "localhost" or "*", got "example.org"
listen: expected a port, a whole number from 0 to 65535, got 70000
server:accept: expected seconds, a number from 0, got -1
listen: HOST: address already in use
nil timeout
]], [[
      local port = serve(function(c) c:write("a long line\nand more") end)
      local c = tm.connect("127.0.0.1", port)
      c:write("go\n\n")
      print(failure(c.read, c, "line", { max_bytes = 3 }))
      print(failure(c.read, c, "all", { max_bytes = 3 }))
      c:close()
      assert(tostring(c):find("closed"))
      print(failure(function() return c:read("all") end))
      print(failure(c.write, c, "x"))
      print(failure(c.read, c, 0))
      print(failure(c.read, c, 1, { time = 1 }))
      print(failure(c.write, c, {}))
      print(failure(tm.connect))
      print(failure(tm.connect, "127.0.0.1", 0))
      print(failure(tm.listen, "example.org", 0))
      print(failure(tm.listen, "127.0.0.1", 70000))
      local server = tm.listen("localhost", 0)
      print(failure(server.accept, server, -1))
      print(failure(tm.listen, "127.0.0.1", server.port))
      local c, why = server:accept(0.05)
      print(tostring(c) .. " " .. why)]])
  end)

  it("stays where it was made", function()
    for _, workers in ipairs(lanes) do
      local result = run(workers, [[
        local server = tm.listen("127.0.0.1", 0)
        local c = tm.connect("127.0.0.1", server.port)
        print(pcall(tm.submit, function(x) return x end, c))
        print(pcall(function() return tm.submit(function() return server end):result() end))]])
      contains(result.out, "cannot send a connection to a task (argument 1); it stays where it was made: "
        .. "connect inside the task, or share connections by tm.pool")
      contains(result.out, "cannot send a server to a task")
    end
  end)

  it("waits in string.gsub, table.sort and coroutines of a task", function()
    served("a1a2 3 4\n", [[
      local port = serve(function(c) for i = 1, 4 do c:write(i .. "\n") end end)
      print(tm.submit(tm.delayed(function(p)
        local tm = require "tidemill"
        local c = tm.connect("127.0.0.1", p)
        c:write("go\n\n")
        local text = ("aa"):gsub("a", function(a) return a .. c:read("line") end)
        local third
        table.sort({ 1, 2 }, function(x, y)
          third = third or c:read("line")
          return x < y
        end)
        local fourth = coroutine.wrap(function() return c:read("line") end)()
        return text .. " " .. third .. " " .. fourth
      end, { kind = "io" }), port):result())]])
  end)
end)

describe("many requests", function()
  it("wait at once, more than there are descriptors", function()
    for _, workers in ipairs { 0, 2 } do
      local script = process.folder()
      process.write(script .. "/many.lua", serving .. [[
        local count = 400
        local port = serve(function(c, lines)
          local body = lines[1]:match("/(%d+)")
          c:write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body))
        end, count)
        local list = {}
        for i = 1, count do list[i] = i end
        local answers = tm.map(tm.delayed(function(i)
          return require("tidemill").http_get("http://127.0.0.1:" .. port .. "/" .. i).body
        end, { kind = "io" }), list)
        for i = 1, count do assert(answers[i] == tostring(i)) end
        print(#answers)]])
      local text = helper.capture(("ulimit -n 128; %s --cache off %s %s 2>&1"):format(
        process.quote(process.program), workers == 0 and "--serial" or "--workers " .. workers,
        process.quote(script .. "/many.lua")))
      process.remove(script)
      assert.are.equal("400", text)
    end
  end)
end)

describe("exec", function()
  it("gives the status or the signal, and what the program wrote", function()
    everywhere("0 nil 3 2 1\n5 nil oh no\nnil SIGTERM\n/tmp v nil\n", [[
      local tm = require "tidemill"
      local function line(text) return (text:gsub("\n", " "):gsub(" $", "")) end
      local r = tm.exec({ "sort", "-nr" }, { input = "1\n3\n2\n" })
      print(("%s %s %s"):format(tostring(r.status), tostring(r.signal), line(r.stdout)))
      r = tm.exec({ "sh", "-c", "printf 'oh no' >&2; exit 5" })
      print(("%s %s%s %s"):format(tostring(r.status), tostring(r.signal), r.stdout, r.stderr))
      r = tm.exec({ "sh", "-c", "kill -TERM $$" })
      print(("%s %s"):format(tostring(r.status), r.signal))
      r = tm.exec({ "sh", "-c", "pwd; echo $A; echo ${B-nil}" },
        { cwd = "/tmp", env = { A = "v", B = false } })
      print(line(r.stdout))]])
  end)

  it("passes more than pipes hold both ways, and arguments as they are", function()
    everywhere("true true\n*\na b\n$HOME\n\n", [[
      local tm = require "tidemill"
      local text = ("0123456789abcdef"):rep(2 ^ 17)
      local r = tm.exec({ "tee", "/dev/stderr" }, { input = text })
      print(tostring(r.stdout == text) .. " " .. tostring(r.stderr == text))
      print(tm.exec({ "printf", "%s\n", "*", "a b", "$HOME", "" }).stdout:sub(1, -2))]])
  end)

  it("does not mind a program that reads nothing of its input", function()
    everywhere("0\n", [[print(require("tidemill").exec({ "true" }, { input = ("x"):rep(2 ^ 20) }).status)]])
  end)

  it("kills the program and all of its group when its time is over", function()
    local word = "98765." .. os.time()
    everywhere("exec: sh: timed out after 0.2 s and was killed\n", ([[
      local _, problem = pcall(require("tidemill").exec, { "sh", "-c", "sleep WORD & sleep WORD; true" },
        { timeout = 0.2 })
      print(problem)]]):gsub("WORD", word))
    assert.is_true(gone(word))
  end)

  it("kills the program when its task is cancelled, and when it writes too much", function()
    local word = "87654." .. os.time()
    everywhere("cancelled\nexec: yes: stdout has more than max_bytes\n", ([[
      local tm = require "tidemill"
      local started = tm.channel(1)
      local future = tm.submit(tm.delayed(function(channel)
        channel:put(1)
        require("tidemill").exec({ "sleep", "WORD" })
      end, { kind = "io" }), started)
      started:take()
      tm.sleep(0.1)
      future:cancel()
      future:wait()
      print(future:status())
      print(select(2, pcall(tm.exec, { "yes" }, { max_bytes = 1000000 })))]]):gsub("WORD", word))
    assert.is_true(gone(word))
  end)

  it("refuses wrong input by its name", function()
    everywhere([[
exec: expected a list such as {"sort", "-n"}, got a string
exec: expected a list whose first item is a program
exec: argument 1: expected a string, got a table
exec: argument 0: a zero byte cannot be passed to a program
exec: input: expected a text, a string, got a number
exec: cwd: expected a string, got a table
exec: env: "a=b" is not the name of a variable
exec: env.A: expected a string, got a table
exec: unknown option "dir"
exec: nosuchprogram: cannot start "nosuchprogram": No such file or directory
exec: ls: cannot start in the folder /nosuch: No such file or directory
]], [[
      local tm = require "tidemill"
      local function try(...)
        local fine, problem = pcall(tm.exec, ...)
        assert(not fine)
        print((problem:gsub("^[^:]*:%d+: ", "")))
      end
      try("ls") try({}) try({ "ls", {} }) try({ "l\0s" })
      try({ "ls" }, { input = 1 }) try({ "ls" }, { cwd = {} }) try({ "ls" }, { env = { ["a=b"] = "" } })
      try({ "ls" }, { env = { A = {} } }) try({ "ls" }, { dir = "/" })
      try({ "nosuchprogram" }) try({ "ls" }, { cwd = "/nosuch" })]])
  end)
end)

describe("files", function()
  it("are written whole and read back, on the loop lane too", function()
    local folder = process.folder()
    everywhere("hello hello true\n", ([[
      local tm = require "tidemill"
      local path = "FOLDER/text"
      tm.write_text(path, "hello")
      local round = tm.delayed(function(p)
        local tm = require "tidemill"
        tm.write_text(p .. ".2", tm.read_text(p))
        return tm.read_text(p .. ".2")
      end, { kind = "io" })
      local fine, problem = pcall(function() return round("FOLDER/none"):compute() end)
      print(tm.read_text(path) .. " " .. round(path):compute() .. " "
        .. tostring(not fine and tostring(problem):find("FOLDER/none: No such file", 1, true) ~= nil))]])
      :gsub("FOLDER", folder))
    process.remove(folder)
  end)
end)

describe("the cache", function()
  it("keeps nothing that came from the network or another program, and says so once", function()
    local folder = process.folder()
    local script = serving .. [[
      local port = serve(function(c) c:write("HTTP/1.1 204 x\r\n\r\n") end, 9)
      local calls = tm.channel(100)
      local function body(p) return require("tidemill").http_get("http://127.0.0.1:" .. p .. "/").status end
      local load = tm.delayed(body, { cache = true, name = "load" })
      local trusted = tm.delayed(body, { cache = true, name = "trusted", pure = true })
      local run = tm.delayed(function() return require("tidemill").exec({ "true" }).status end,
        { cache = true, name = "run" })
      load(port):compute()
      load(port):compute()
      trusted(port):compute()
      trusted(port):compute()
      run():compute()
      run():compute()
      print(tm.stats().hits)
      for _ = 1, 6 do get(port) end]]
    for _, workers in ipairs { 0, 2 } do
      local result = process.run { "--cache", folder .. "/cache" .. workers, "--workers=" .. workers, "-e",
        script }
      assert.are.equal("1\n", result.out)
      assert.are.equal("tidemill: task \"load\": what it makes is not cached: it has used the network "
        .. "(tm.http_get); with pure = true it is\n"
        .. "tidemill: task \"run\": what it makes is not cached: it has "
        .. "used another program (tm.exec); with pure = true it is\n", result.err)
    end
    process.remove(folder)
  end)
end)

describe("what is in flight", function()
  -- By a program in the script, and by one that a worker process has started.
  for _, lane in ipairs { "thread", "process" } do
    it("ends with an engine that is killed: a program of the lane " .. lane, function()
      local folder = process.folder()
      local group = folder .. "/group"
      local result = process.run { "--cache", "off", signal = "KILL", env = { GROUP = group }, "-e", ([[
        tm.delayed(function()
          local program = "sleep 987 & echo $$ >$GROUP; touch $READY; sleep 987"
          return require("tidemill").exec { "sh", "-c", program }
        end, { lane = %q })():compute()]]):format(lane) }
      assert.are.equal(137, result.status, result.err)
      local leader = tonumber(process.read(group))
      assert.are.equal(0, os.execute(("for try in $(seq 500); do kill -0 -%d 2>/dev/null || exit 0; "
        .. "sleep 0.01; done; exit 1"):format(leader)))
      process.remove(folder)
    end)
  end

  it("ends with its task: the other side sees the connection close", function()
    served("cancelled nil\ncancelled \n", [[
      local server = tm.listen("127.0.0.1", 0)
      local reading = tm.submit(tm.delayed(function(p)
        local c = require("tidemill").connect("127.0.0.1", p)
        c:write("x")
        pcall(c.read, c, "line") -- what is caught does not keep it open
        require("tidemill").sleep(60)
      end, { kind = "io" }), server.port)
      local c = server:accept()
      c:read(1)
      tm.sleep(0.05)
      tm.cancel(reading)
      print(({ reading:wait(), reading:status() })[2] .. " " .. tostring(c:read(1, { timeout = 20 })))
      local getting = tm.submit(tm.delayed(function(p)
        require("tidemill").http_get("http://127.0.0.1:" .. p)
      end, { kind = "io" }), server.port)
      c = server:accept()
      repeat until c:read("line") == ""
      tm.cancel(getting)
      print(({ getting:wait(), getting:status() })[2] .. " " .. c:read("all", { timeout = 20 }))]])
  end)

  it("ends with Ctrl-C: requests, connections, programs", function()
    for _, workers in ipairs { 0, 2 } do
      local word = "76543." .. workers .. os.time()
      local result = process.run { signal = "INT", "--cache", "off", "--workers=" .. workers, "-e", ([[
        local tm = require "tidemill"
        local server = tm.listen("127.0.0.1", 0)
        local io_task = { kind = "io" }
        tm.submit(tm.delayed(function() require("tidemill").exec({ "sleep", "WORD" }) end, io_task))
        tm.submit(tm.delayed(function(p) require("tidemill").http_get("http://127.0.0.1:" .. p) end, io_task),
          server.port)
        tm.submit(tm.delayed(function(p) require("tidemill").connect("127.0.0.1", p):read(1) end, io_task),
          server.port)
        assert(server:accept() and server:accept())
        tm.sleep(0.1)
        io.open(os.getenv("READY"), "w"):close()
        server:accept()
        server:accept()]]):gsub("WORD", word) }
      assert.are.equal(130, result.status)
      assert.is_true(gone(word))
    end
  end)

  it("ends with the engine when the script leaves", function()
    for _, workers in ipairs(lanes) do
      local word = "65432." .. workers .. os.time()
      local result = run(workers, ([[
        local tm = require "tidemill"
        local server = tm.listen("127.0.0.1", 0)
        local started = tm.channel(2)
        tm.submit(tm.delayed(function(s)
          s:put(1)
          require("tidemill").exec({ "sleep", "WORD" })
        end, { kind = "io" }), started)
        tm.submit(tm.delayed(function(s, p)
          s:put(1)
          require("tidemill").connect("127.0.0.1", p):read("all")
        end, { kind = "io" }), started, server.port)
        started:take()
        started:take()
        tm.sleep(0.05)
        os.exit(7)]]):gsub("WORD", word))
      assert.are.equal("", result.err)
      assert.are.equal(7, result.status)
      assert.is_true(gone(word))
    end
  end)

  it("is no stuck wait, and holds no descriptor when it has ended", function()
    served("true\n", [[
      local function descriptors()
        collectgarbage()
        collectgarbage()
        tm.sleep(0.05)
        local count = 0
        for _ in tm.exec({ "ls", "/proc/" .. tm.read_text("/proc/self/stat"):match("%d+") .. "/fd" }).stdout
          :gmatch("%S+") do count = count + 1 end
        return count
      end
      local port = serve(function(c) c:write("HTTP/1.1 204 x\r\n\r\n") end, 20)
      get(port)
      local before = descriptors()
      for _ = 1, 19 do get(port) end
      for _ = 1, 5 do
        local server = tm.listen("127.0.0.1", 0)
        local c = tm.connect("127.0.0.1", server.port)
        local d = server:accept()
        pcall(c.read, c, 1, { timeout = 0.01 })
        pcall(tm.exec, { "sleep", "9" }, { timeout = 0.01 })
        if math.random() < 0.5 then d:close() end
      end
      local after
      for _ = 1, 40 do
        after = descriptors()
        if after <= before then break end
      end
      print(after <= before)]])
  end)
end)
