-- Sessions: statements from a pipe, and lines typed on a terminal.  SPDX-License-Identifier: MIT

local helper = require("tests.spec.helper")
local process = require("tests.spec.process")

local function session(text, options)
  options = options or {}
  options.stdin = text
  return process.run(options)
end

local function ends_with(status, result)
  assert.are.equal(status, result.status, "stdout: " .. result.out .. "\nstderr: " .. result.err)
end

local function contains(text, part)
  assert.is_truthy(text:find(part, 1, true), ("%q does not contain %q"):format(text, part))
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

  it("leaves at the third Ctrl-C when a compiled function does not stop", function()
    local result = converse {
      { "tm> ", "function spin() while true do end end\n" },
      { "tm> ", "print('be' .. 'gun') spin()\n" }, { "begun", "\3" },
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
