-- Sessions: statements from a pipe, and lines typed on a terminal.  SPDX-License-Identifier: MIT

local expect = require("tests.spec.expect")
local helper = require("tests.spec.helper")
local process = require("tests.spec.process")
local ends_with, contains = expect.ends_with, expect.contains

local function session(text, options)
  options = options or {}
  options.stdin = text
  return process.run(options)
end

describe("a session from a pipe", function()
  it("prints values, runs statements, and nothing else", function()
    local result = session("1 + 1\nx = 5\nprint(x, type(tm))\n\n'a', nil, true\n")
    ends_with(0, result)
    assert.are.equal("2\n5\ttable\n", result.out:sub(1, 10))
    assert.is_nil(result.out:find("tm>", 1, true))
    assert.are.equal("", result.err)
  end)

  it("is content with nothing", function()
    local result = session("")
    ends_with(0, result)
    assert.are.equal("", result.out .. result.err)
  end)

  it("reads on until a statement is complete", function()
    local result = session("for i = 1, 2 do\n  print(i)\n\nend\nprint('after')")
    ends_with(0, result)
    assert.are.equal("1\n2\nafter\n", result.out)
  end)

  it("goes on after an error, names its line, and ends with 1", function()
    local result = session("print('a')\nx = 1\nerror('boom')\nx = = 2\nprint('b')\n")
    ends_with(1, result)
    assert.are.equal("a\nb\n", result.out)
    contains(result.err, ":3: boom")
    contains(result.err, ":4:")
    assert.are.equal("tidemill: ", result.err:sub(1, 10))
  end)

  it("calls an input that the end of the file cuts short an error", function()
    local result = session("print('a')\nfor i = 1, 2 do\nprint(i)\n")
    ends_with(1, result)
    assert.are.equal("a\n", result.out)
    contains(result.err, "stdin:2: the input ends inside what begins here")
  end)

  it("keeps the locals of its inputs", function()
    local result = session("local a = 1\nlocal b = 2\nprint(a + b)\n")
    ends_with(0, result)
    assert.are.equal("3\n", result.out)
    assert.are.equal("", result.err)
  end)

  it("leaves by :quit and by os.exit", function()
    assert.are.equal("a\n", session("print('a')\n:quit\nprint('b')\n").out)
    ends_with(1, session("error('boom')\n:quit\n"))
    local result = session("print('a')\nos.exit(9)\nprint('b')\n")
    ends_with(9, result)
    assert.are.equal("a\n", result.out)
  end)

  it("suggests the nearest command", function()
    local result = session(":hlep\n")
    ends_with(1, result)
    assert.are.equal("tidemill: unknown command :hlep; did you mean :help?\n", result.err)
    contains(session(":help\n").out, ":quit")
  end)

  it("refuses zero bytes and goes on", function()
    local result = session("print(1)\nprint(2)\0\nprint(3)\n")
    ends_with(1, result)
    assert.are.equal("1\n3\n", result.out)
    contains(result.err, "stdin:2: a zero byte")
  end)

  it("is stopped by a signal in the middle of its work", function()
    local text = "io.open(os.getenv('READY'), 'w'):close() while true do end\nprint('after')\n"
    local result = session(text, { signal = "INT" })
    ends_with(130, result)
    assert.are.equal("", result.out)
  end)
end)

describe("a session on a terminal", function()
  local function converse(steps, options)
    if not process.has_terminal() then
      pending("script(1) cannot give a terminal here")
      return nil
    end
    local result = process.converse(steps, options)
    assert.is_nil(result.missed, ("waited for %q in vain on %q"):format(
      tostring(result.missed), result.screen))
    return result
  end

  it("greets, prompts, goes on in the next line, and leaves by Ctrl-D", function()
    local result = converse {
      { "tm> ", "6 * 7\n" }, { "42", "" },
      { "tm> ", "for i = 1, 2 do\n" }, { "..> ", "print('n' .. i)\n" }, { "..> ", "end\n" },
      { "n2", "" }, { "tm> ", "\4" },
    }
    if not result then return end
    assert.are.equal(0, result.status, result.screen)
    contains(result.screen, "Tidemill")
    contains(result.screen, ":help")
    assert.are.equal("6 * 7\nfor i = 1, 2 do\nprint('n' .. i)\nend\n", result.history)
  end)

  it("drops what was typed at Ctrl-C", function()
    local result = converse {
      { "tm> ", "x = 'dropped'" }, { "dropped", "\3" }, { "tm> ", "do\n" }, { "..> ", "\3" },
      { "tm> ", "print('x is ' .. tostring(x))\n" }, { "x is nil", "" }, { "tm> ", ":quit\n" },
    }
    if not result then return end
    assert.are.equal(0, result.status, result.screen)
  end)

  it("cancels the work at Ctrl-C and stays", function()
    local result = converse {
      { "tm> ", "print('be' .. 'gun') tm.submit(function() while not tm.cancelled() do end end):result()\n" },
      { "begun", "\3" }, { "interrupted", "" }, { "tm> ", "1 + 1\n" }, { "2", "" }, { "tm> ", "\4" },
    }
    if not result then return end
    assert.are.equal(0, result.status, result.screen)
  end)

  it("stops a typed loop at Ctrl-C, and keeps what there was", function()
    if helper.config == "tsan" then pending("the handler runs at the next system call there") return end
    local result = converse {
      { "tm> ", "local kept = 41\n" }, { "tm> ", "print('be' .. 'gun') while true do kept = kept end\n" },
      { "begun", "\3" }, { "interrupted", "" }, { "tm> ", "kept + 1\n" }, { "42", "" }, { "tm> ", "\4" },
    }
    if not result then return end
    assert.are.equal(0, result.status, result.screen)
  end)

  it("stops a task of the serial lane at Ctrl-C, in code that is not compiled", function()
    if helper.config == "tsan" then pending("the handler runs at the next system call there") return end
    local result = converse({
      { "tm> ", "local add = tm.delayed(function(x) return x + 1 end)\n" },
      { "tm> ", "local spin = tm.delayed(function() print('be' .. 'gun')\n" },
      { "..> ", "while true do loadstring('') end end)\n" },
      { "tm> ", "spin():compute()\n" }, { "begun", "\3" }, { "interrupted", "" },
      { "tm> ", "add(41):compute()\n" }, { "42", "" }, { "tm> ", "\4" },
    }, { "--serial" })
    if not result then return end
    assert.are.equal(0, result.status, result.screen)
  end)

  it("leaves at the third Ctrl-C when a compiled function does not stop", function()
    local result = converse {
      { "tm> ", "function spin() while true do end end\n" },
      -- LuaJIT has compiled it when the task prints.
      { "tm> ", "tm.submit(function() tm.sleep(0.3) print('be' .. 'gun') end) spin()\n" }, { "begun", "\3" },
      { "the work goes on; Ctrl-C twice more leaves", "\3" },
      { "perhaps in a compiled function; Ctrl-C leaves", "\3" }, { "interrupted", "" },
    }
    if not result then return end
    assert.are.equal(130, result.status, result.screen)
    contains(result.history, "spin()")
  end)

  it("hints at :quit when Ctrl-C is pressed twice at the prompt", function()
    local result = converse {
      { "tm> ", "\3" }, { "tm> ", "\3" }, { "(:quit or Ctrl-D leaves)", "" }, { "tm> ", ":quit\n" },
    }
    if not result then return end
    assert.are.equal(0, result.status, result.screen)
  end)

  it("needs neither a home nor a clever terminal", function()
    for _, env in ipairs { { HOME = false, XDG_STATE_HOME = false }, { TERM = "xterm" }, { TERM = false } } do
      local result = converse({ { "tm> ", "6 * 7\n" }, { "42", "" }, { "tm> ", "\4" } }, { env = env })
      if not result then return end
      assert.are.equal(0, result.status, result.screen)
    end
  end)
end)

describe("commands of a session", function()
  -- Lines of what a session prints; with no error.
  local function lines(text, options)
    local result = session(text, options)
    ends_with(0, result)
    assert.are.equal("", result.err)
    return result.out
  end

  local function matches(text, pattern)
    assert.is_truthy(text:find(pattern), ("%q does not match %s"):format(text, pattern))
  end

  it(":time prints values, and how long they took", function()
    matches(lines(":time 40 + 2\n_ + 1\n"),
      "^42\ntook [%d.]+ %a+, [%d.]+ %a+ of CPU, %d+ KB of new Lua memory\n43\n$")
    matches(lines(":time for i = 1, 10 do end\n"), "^took ")
    matches(lines(":time local x = 5\nx\n"), "^took [^\n]*\n5\n$")
  end)

  it(":bench prints median and spread", function()
    local out = lines("count = 0\n:bench count + 1\n:bench local x = count\n")
    local number = "[%d.e+-]+ %a?s"
    local line = number .. " per call %(median%), spread " .. number .. " %.%. " .. number
      .. " %(quartiles%), %d+ samples? of [%d,]+ calls?\n"
    matches(out, "^" .. line .. line .. "$")
  end)

  it(":profile names the hot function", function()
    if helper.config ~= "release" then pending("sampling needs a fast build") return end
    local out = lines("function burn() local t = os.clock() repeat until os.clock() > t + 0.3 end\n"
      .. ":profile burn()\n")
    matches(out, "^%d+ samples? of the script's thread")
    matches(out, "%d+%.%d %%  burn %(stdin:1%)")
  end)

  it(":jit says what was compiled, and where it fell back", function()
    if helper.config == "tsan" then pending("the compiler is off") return end
    local out = lines("function hot(n) local s = 0 for i = 1, n do s = s + i end return s end hot(1e4)\n"
      .. ":jit hot\nfunction cold(n)\nlocal f for i = 1, n do\nf = function() return i end\nend\n"
      .. "return f end\n"
      .. "cold(1e4)\n:jit cold\nfunction idle() end\n:jit idle\n")
    matches(out, "^compiled: traces begin in line 1\n")
    matches(out, "fell back to the interpreter at\n  stdin:%d+: ")
    matches(out, "not compiled: it has not been hot here, or see below\n$")
  end)

  it(":load runs a file whose locals stay, :save writes what has run", function()
    local folder = process.folder()
    finally(function() process.remove(folder) end)
    process.write(folder .. "/lib.lua",
      "#!/usr/bin/env tidemill\nlocal base = 40\nfunction add(x) return base + x end\n")
    local out = lines((":load %s/lib.lua\nadd(2)\nbase = 50\nadd(2)\nlocal y = 1\n:save %s/out.lua\n")
      :format(folder, folder))
    matches(out, "^42\n52\n5 inputs saved to ")
    local saved = process.read(folder .. "/out.lua")
    contains(saved, "add(2)\nbase = 50\nadd(2)\nlocal y = 1\n")
    process.write(folder .. "/broken.lua", "x = 1\nfor\n")
    local result = session((":load %s/broken.lua\n"):format(folder))
    ends_with(1, result)
    contains(result.err, "broken.lua:3:")
  end)

  it(":cache says what tidemill cache says", function()
    local out = lines("local f = tm.delayed(function(x) return x end, {cache = true})\n"
      .. "f(1):compute()\n:cache\n")
    matches(out, "\nentries%s+1\n")
    contains(session(":cache nonsense\n").err, "nonsense")
  end)

  it(":workers sets them, before the first task and between others", function()
    matches(lines(":workers 3\n:workers\n"), "^workers: 3\nworkers: 3\n$")
    local out = lines(table.concat({
      "local double = tm.delayed(function(x) return 2 * x end)",
      "local node, future = double(4), tm.submit(function() return 'told' end)",
      "node:persist() future:wait()",
      ":workers 3",
      "double(node):compute(), #tm.stats().per_worker, future:result()",
      "local after = tm.delayed(function(x) return x + 1 end)",
      ":workers 0",
      "after(node):compute(), double(2):compute(), tm.config.workers",
      ":workers 1",
      "after(double(1)):compute(), future:result(), tm.stats().executed > 6",
    }, "\n") .. "\n")
    assert.are.equal('workers: 3\n16  3  "told"\nworkers: 0\n9  4  0\nworkers: 1\n3  "told"  true\n', out)
  end)

  it(":workers says why not while work runs", function()
    local result = session("local run = tm.submit(function() tm.sleep(60) end)\n:workers 3\n"
      .. "run:cancel()\n:workers 2000\n")
    ends_with(1, result)
    contains(result.err, ":workers: 1 run is under way; wait for the end, or cancel")
    contains(result.err, ":workers: \"2000\" is not auto, 0 (serial) or 1 to 1024")
  end)

  it(":graph writes pictures", function()
    local folder = process.folder()
    finally(function() process.remove(folder) end)
    lines(("local n = tm.delayed(function() end)()\n:graph n %s/g.svg\n"):format(folder))
    contains(process.read(folder .. "/g.svg"), "<svg")
  end)

  it(":graph, :explain and :plot take lazy arrays, and :help what arrays have of them", function()
    local out = lines("local x = tm.arange(1, 9, {chunks = 4})\n:graph (x + 1):sum()\n:explain x\n:plot x\n"
      .. ":help array:mean\n")
    matches(out, "^item%(sum%)\n└─ sum%([^\n]*\n   ├─ sum%(<bytes>%)\n")
    matches(out, "\nindex +thread lane; not cached; 2 tasks %(2 pending%)\n")
    matches(out, "8 ┤")
    matches(out, "\nlazy:mean%(")
    contains(session(":plot tm.zeros(2, 3)\n").err, "expected one row of numbers, got an array of 2 x 3")
  end)

  it(":bg, :jobs and :cancel work behind the prompt", function()
    local out = lines("local c = tm.channel(1)\n:bg c:take()\n:jobs\n:bg 1 + 1\n:fg 2\n:cancel 1\n:jobs\n")
    local job = "c:take%(%)\n"
    matches(out, "^%[1%] " .. job .. "%[1%] %a+ +[%d.]+ %a+  " .. job .. "%[2%] 1 %+ 1\n2\n%[1%] cancelled  "
      .. job)
    contains(out, "no jobs")
  end)

  it("tidemill help says the same", function()
    local function help(...) return process.run { "help", ... } end
    contains(help("tm.map").out, "tm.map(fn, list, given)")
    contains(help("/retries").out, "tasks, line ")
    contains(help(":bench").out, "median")
    contains(help("lanes").out, "# ")
    local result = help("tm.mpa")
    ends_with(2, result)
    contains(result.err, "nothing is said of \"tm.mpa\", did you mean \"tm.map\"?")
  end)
end)
