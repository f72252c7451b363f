-- Sessions on a terminal, their screens compared: keys, colours, completion, history, resizing, pasting.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local process = require "tests.spec.process"
local terminal = require "tests.spec.terminal"
local contains = expect.contains

describe("a session's screen", function()
  local one

  -- Starts one and waits for its prompt; nil without tmux.
  local function open(options)
    if not terminal.there() then
      pending("no tmux here")
      return nil
    end
    one = terminal.open(options or {})
    one:prompt()
    return one
  end

  after_each(function()
    if one then one:close() end
    one = nil
  end)

  -- What the screen shows below the three lines of the banner.
  local function below_banner(screen)
    return (screen:gsub("^[^\n]*\n[^\n]*\n[^\n]*\n", ""))
  end

  it("begins with three lines: version and workers, cache, help", function()
    if not open { columns = 120 } then return end
    local first, second, third, rest = one:screen():match("^([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$")
    assert.is_truthy(first:match("^Tidemill [%d.]+ %b(), workers: %d+$"), first)
    assert.is_truthy(second:match("^cache: .*cache%.db, 0 results, "), second)
    contains(third, ":help")
    assert.are.equal("tm>", rest)
  end)

  it("shows what was typed and what came of it", function()
    if not open() then return end
    one:line("local n = 6")
    one:type("for i = 1, 2 do\r")
    one:wait("\n..>", true)
    one:line("print(n * i) end")
    one:line("x = = 2")
    local shown = { "tm> local n = 6", "tm> for i = 1, 2 do", "..> print(n * i) end", "6", "12",
      "tm> x = = 2", "stdin:1: unexpected symbol near '='", "    x = = 2", "        ^", "tm>" }
    assert.are.equal(table.concat(shown, "\n"), below_banner(one:screen()))
  end)

  it("completes at Tab, and lists what there is at the second", function()
    if not open() then return end
    one:type("tm.kernels")
    one:press("Tab")
    one:wait("tm> tm.kernels", true)
    one:type(".sm")
    one:press("Tab")
    one:type("({1, 2, 3}, 2)\r")
    one:wait("nan  1.5  2.5")
    one:type("local frames = {alpha = 1, alpine = 2}\r")
    one:type("frames.al")
    one:press("Tab")
    one:wait("tm> frames.alp", true)
    one:press("Tab", "Tab")
    contains(one:wait("frames.alpine"), "frames.alpha")
    one:press("C-u")
    one:type(":he")
    one:press("Tab")
    one:wait("tm> :help", true)
    one:press("C-u")
    one:type("f = tm.delayed(g, {prio")
    one:press("Tab")
    one:wait("{priority", true)
  end)

  it("completes the names of files inside strings", function()
    if not open() then return end
    process.write(one.folder .. "/some_prices.csv", "a\n1\n")
    one:type("tm.read_csv(\"some_pr")
    one:press("Tab")
    one:type("\")\r")
    one:wait("frame: 1 row, 1 column")
  end)

  it("keeps its history for later sessions, where it can be searched", function()
    if not open() then return end
    one:line("first_one = 'needle'")
    one:line("second_one = 2")
    one:press("C-d")
    one:wait("status 0")
    local before = process.read(one.folder .. "/state/tidemill/history")
    assert.are.equal("first_one = 'needle'\nsecond_one = 2\n", before)
    local kept = process.folder()
    finally(function() process.remove(kept) end)
    os.execute("mkdir " .. kept .. "/tidemill")
    process.write(kept .. "/tidemill/history", before)
    one:close()
    if not open { env = { XDG_STATE_HOME = kept } } then return end
    one:press("C-r")
    one:type("need")
    one:wait("reverse-i-search")
    one:type("\r")
    one:prompt()
    one:line("first_one .. '!'")
    contains(one:screen(), "\"needle!\"")
  end)

  it("is coloured, but not with NO_COLOR and not on a dumb terminal", function()
    if not open() then return end
    one:line("1, 'a'")
    contains(one:screen(true), "\27[32m\"a\"")
    for _, env in ipairs { { NO_COLOR = "1" }, { TERM = "dumb" } } do
      one:close()
      if not open { env = env } then return end
      one:line("1, 'a'")
      local screen = one:screen(true)
      contains(screen, "1  \"a\"")
      assert.is_nil(screen:find("\27[32m", 1, true))
    end
  end)

  it("fits tables to the width, also after the window has changed", function()
    if not open { columns = 100 } then return end
    one:line("local v = {} for i = 1, 20 do v[i] = i * 1000 end")
    one:line("tm.array(v)")
    contains(one:screen(), "\n   1   1000   2000   3000   4000   5000   6000   7000   8000   9000  10000")
    one:resize(40, 24)
    os.execute("sleep 0.3")
    one:type("\r")
    one:press("C-l")
    one:line("tm.array(v)")
    contains(one:screen(), "\n   1   1000   2000   3000   4000   5000\n   6   6000")
  end)

  it("takes a paste of a thousand lines as if each had been typed", function()
    if not open() then return end
    local lines = { "sum = 0" }
    for i = 1, 333 do
      lines[#lines + 1] = "for k = 1, 2 do"
      lines[#lines + 1] = "  sum = sum + " .. i
      lines[#lines + 1] = "end"
    end
    one:paste(table.concat(lines, "\n") .. "\nprint('sum ' .. sum)\n")
    one:type("\r")
    one:wait("\nsum " .. 333 * 334)
    one:line("'after'")
    contains(one:screen(), "\"after\"")
  end)

  it("shows progress of long work, and gives the prompt back at Ctrl-C", function()
    if not open { columns = 100 } then return end
    one:line("local slow = tm.delayed(function(s) local t = os.clock() repeat until os.clock() > t + s end)")
    one:line("local all = {} for i = 1, 500 do all[i] = slow(0.1) end")
    one:type("tm.compute(all)\r")
    one:wait("/500 tasks")
    one:press("C-c")
    one:wait("interrupted")
    one:prompt()
    one:line("#all")
    contains(one:screen(), "\n500\n")
  end)

  it("edits the last input with $EDITOR", function()
    if not terminal.there() then pending("no tmux here") return end
    local editor = process.folder()
    finally(function() process.remove(editor) end)
    process.write(editor .. "/edit", "#!/bin/sh\nsed -i s/one/two/ \"$1\"\n")
    os.execute("chmod +x " .. editor .. "/edit")
    if not open { env = { EDITOR = editor .. "/edit", VISUAL = editor .. "/edit" } } then return end
    one:line("local word = 'one'")
    one:line(":edit")
    one:line("word")
    contains(one:screen(), "\"two\"")
  end)
end)
