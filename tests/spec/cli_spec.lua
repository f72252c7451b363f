-- The command line, run as a child process.  SPDX-License-Identifier: MIT

local expect = require("tests.spec.expect")
local helper = require("tests.spec.helper")
local process = require("tests.spec.process")
local run = process.run
local ends_with, contains, is_refused = expect.ends_with, expect.contains, expect.is_refused

describe("the command line", function()
  local folder

  before_each(function() folder = process.folder() end)
  after_each(function() process.remove(folder) end)

  local function script(name, text)
    local path = folder .. "/" .. name
    process.write(path, text)
    return path
  end

  describe("without a script", function()
    it("says its version", function()
      local result = run { "--version" }
      ends_with(0, result)
      assert.is_truthy(result.out:match("^tidemill %d+%.%d+%.%d+ %(LuaJIT [^\n]+%)\n$"))
    end)

    it("helps in the same words whether asked by option or by command", function()
      local result = run { "--help" }
      ends_with(0, result)
      contains(result.out, "--workers N|auto")
      assert.are.equal(result.out, run({ "help" }).out)
      assert.are.equal(result.out, run({ "run", "--help" }).out)
    end)

    it("lists the shipped scripts, one a line, each with a summary", function()
      local result = run { "run" }
      ends_with(0, result)
      assert.is_truthy(("\n" .. result.out):match("\nday_trade +%S"))
      for line in result.out:gmatch("[^\n]+") do assert.is_truthy(line:match("^%S+  +%S")) end
    end)

    it("lets the doctor answer in aligned lines", function()
      local result = run { "doctor", "--cache", "off" }
      ends_with(0, result)
      contains(result.out, "LuaJIT")
      local column
      for line in result.out:gmatch("[^\n]+") do
        local what, gap = line:match("^(.-)(   *)%S")
        assert.is_truthy(what, line)
        if not line:find("   ", 1, true) then column = #what + #gap end
      end
      if column then
        for line in result.out:gmatch("[^\n]+") do
          assert.is_truthy(line:sub(column - 1, column + 1):match("^  %S$"), line)
        end
      end
    end)
  end)

  describe("with wrong words", function()
    it("suggests the nearest option", function()
      is_refused("unknown option \"--wrokers\"; did you mean --workers?",
        run { "--wrokers", "2", "x.lua" })
      is_refused("unknown option \"--prog=x\"; did you mean --progress?", run { "--prog=x" })
      is_refused("unknown option \"--zzz\"; tidemill --help lists them all", run { "--zzz" })
    end)

    it("suggests the nearest command", function()
      is_refused("unknown command \"docter\"; did you mean doctor?", run { "docter" })
    end)

    it("suggests the nearest shipped script", function()
      is_refused("run: no shipped script \"day_trad\"; did you mean day_trade?",
        run { "run", "day_trad" })
    end)

    it("points at a file that has the name of no shipped script", function()
      script("mine", "print('mine')")
      is_refused("run: no shipped script \"mine\"; the file of that name is ./mine",
        run { "run", "mine", cwd = folder })
    end)

    it("names the option, the value and what was expected", function()
      local expected = "; expected auto, 0 (serial) or 1 to 1024"
      for _, value in ipairs { "abc", "-1", "1025", "2x", "", " 2" } do
        is_refused(("--workers: \"%s\" is not a number of workers"):format(value) .. expected,
          run { "--workers=" .. value, "-e", "" })
      end
      is_refused("--workers: no value" .. expected, run { "-e", "", "--workers" })
      is_refused("--workers: no value" .. expected, run { "--workers", "--quiet", "-e", "" })
      is_refused("--progress: \"loud\" is not a kind of progress; expected auto, plain or off",
        run { "--progress", "loud", "-e", "" })
      is_refused("--set: \"seed\" is not a setting; expected NAME=VALUE",
        run { "--set", "seed", "-e", "" })
      is_refused("--quiet takes no value, got \"1\"", run { "--quiet=1", "-e", "" })
      is_refused("-e: no value; expected Lua text", run { "-e" })
    end)

    it("refuses what the command cannot use", function()
      is_refused("doctor takes no arguments, got \"me\"", run { "doctor", "me" })
      is_refused("--json: no script whose value it could write", run { "--json", "x" })
    end)

    it("refuses a setting that the engine does not know", function()
      local result = run { "--set", "no_such_setting=1", "-e", "print(1)" }
      ends_with(2, result)
      contains(result.err, "no_such_setting")
      assert.are.equal("", result.out)
    end)
  end)

  describe("running a script", function()
    it("hands over what is not its own, in order", function()
      local path = script("args.lua", "print(...) print(arg[0], #arg, arg[1])")
      local result = run { "run", path, "--symbols", "3", "--quiet", "-x", "--workers=2", "last" }
      ends_with(0, result)
      assert.are.equal("--symbols\t3\t-x\tlast\n" .. path .. "\t4\t--symbols\n", result.out)
    end)

    it("takes its options before the name too", function()
      local path = script("args.lua", "print(select('#', ...), ...)")
      local result = run { "--workers", "1", "--cache", "off", path, "--serial", "a" }
      ends_with(0, result)
      assert.are.equal("1\ta\n", result.out)
    end)

    it("leaves everything after -- to the script", function()
      local path = script("args.lua", "print(...)")
      assert.are.equal("a\t--quiet\t--\t--workers\n",
        run({ path, "a", "--", "--quiet", "--", "--workers" }).out)
      assert.are.equal("--quiet\n", run({ "--", path, "--quiet" }).out)
    end)

    it("runs files by any name that says that they are files", function()
      script("plain", "#!/usr/bin/env tidemill\nprint('plain', ...)")
      assert.are.equal("plain\tx\n", run({ folder .. "/plain", "x" }).out)
      assert.are.equal("plain\tx\n", run({ "plain", "x", cwd = folder }).out)
      script("dotted.lua", "print('dotted')")
      assert.are.equal("dotted\n", run({ "run", "dotted.lua", cwd = folder }).out)
    end)

    it("reads a script from stdin", function()
      local result = run { "-", "a", "b", stdin = "print('from stdin', ...)\n" }
      ends_with(0, result)
      assert.are.equal("from stdin\ta\tb\n", result.out)
    end)

    it("runs text with tm at hand", function()
      local result = run { "-e", "print(type(tm), ...)", "a", "--b" }
      ends_with(0, result)
      assert.are.equal("table\ta\t--b\n", result.out)
    end)

    it("ends with 1 and the place of a syntax error", function()
      local path = script("wrong.lua", "local a = 1\nlocal b = = 2\n")
      local result = run { path }
      ends_with(1, result)
      assert.are.equal("tidemill: ", result.err:sub(1, 10))
      contains(result.err, "wrong.lua:2:")
    end)

    it("ends with 1 and the place where a script raised", function()
      local path = script("raise.lua", "local function f() error('boom') end\nf()\n")
      local result = run { path }
      ends_with(1, result)
      contains(result.err, "raise.lua:1: boom")
      contains(result.err, "raise.lua:2:")
    end)

    it("ends with 1 when there is no such file", function()
      local result = run { folder .. "/nothing.lua" }
      ends_with(1, result)
      contains(result.err, "nothing.lua")
    end)

    it("leaves with the status that the script gives to os.exit", function()
      local result = run { "-e", "io.write('said') os.exit(7)" }
      ends_with(7, result)
      assert.are.equal("said", result.out)
      ends_with(0, run { "-e", "os.exit(0)" })
    end)

    it("ends with 3 under --strict when something was dropped", function()
      local path = script("drops.lua", "local tm = require 'tidemill' tm.degraded(1, 'rows dropped')")
      ends_with(0, run { path })
      local result = run { path, "--strict" }
      ends_with(3, result)
      contains(result.err, "tidemill: --strict: 1 row dropped")
      ends_with(0, run { "--strict", "-e", "" })
    end)

    it("says that stdout could not be written", function()
      local result = run { "-e", "print(('x'):rep(100000))", stdout = "/dev/full" }
      ends_with(1, result)
      contains(result.err, "No space left on device")
    end)

    it("ends quietly when nobody reads its output", function()
      local command = ("%s -e %s 2>%s/err | head -n 1; cat %s/err"):format(
        process.quote(process.program), process.quote("while true do print('line') end"),
        folder, folder)
      assert.are.same({ "line" }, helper.lines("timeout -k 5 30 sh -c " .. process.quote(command)))
    end)
  end)

  describe("--json", function()
    it("writes the value that the script returns, whole", function()
      local path = folder .. "/out.json"
      local result = run { "-e", "print('text') return { b = 2, a = { 1, 2.5, 0 / 0 } }", "--json", path }
      ends_with(0, result)
      assert.are.equal("text\n", result.out)
      local text = process.read(path)
      assert.are.equal("\n", text:sub(-1))
      local plain = text:gsub("%s", "")
      contains(plain, "\"a\":[1,2.5,null]")
      contains(plain, "\"b\":2")
    end)

    it("leaves stdout to the value when that goes there", function()
      local path = script("note.lua", "local tm = require 'tidemill' tm.say('a note') return { x = 1 }")
      local result = run { path, "--json", "-" }
      ends_with(0, result)
      contains(result.out:gsub("%s", ""), "\"x\":1")
      assert.is_nil(result.out:find("a note", 1, true))
      contains(result.err, "a note")
    end)

    it("writes nothing when the script fails", function()
      local path = folder .. "/out.json"
      process.write(path, "old")
      ends_with(1, run { "-e", "error('boom')", "--json", path })
      assert.are.equal("old", process.read(path))
    end)

    it("finds out before the script runs that the file cannot be written", function()
      local missing = folder .. "/none/out.json"
      is_refused("--json: " .. missing .. ": its folder does not exist",
        run { "-e", "print('ran')", "--json", missing })
      is_refused("--json: " .. folder .. ": is a folder", run { "-e", "print('ran')", "--json", folder })
    end)

    it("keeps the mode and the link of the file that it replaces", function()
      process.write(folder .. "/real.json", "old")
      os.execute(("chmod 640 %s/real.json; ln -s real.json %s/link.json"):format(folder, folder))
      ends_with(0, run { "-e", "return { x = 1 }", "--json", folder .. "/link.json" })
      contains(process.read(folder .. "/real.json"), "\"x\"")
      assert.are.equal("640 regular file\n777 symbolic link\n2",
        helper.capture(("cd %s; stat -c '%%a %%F' real.json link.json; ls -A | wc -l"):format(folder)))
    end)

    it("writes into what is no plain file", function()
      ends_with(0, run { "-e", "return 1", "--json", "/dev/null" })
    end)
  end)

  describe("--quiet", function()
    it("leaves stdout to what the script prints", function()
      local path = script("note.lua", "local tm = require 'tidemill' tm.say('a note') print('text')")
      assert.are.equal("a note\ntext\n", run({ path }).out)
      local result = run { path, "--quiet" }
      ends_with(0, result)
      assert.are.equal("text\n", result.out)
      assert.are.equal("", result.err)
    end)
  end)

  describe("--cache", function()
    it("warns at the start and goes on when the file is no cache", function()
      local path = folder .. "/text.db"
      process.write(path, ("this is no database\n"):rep(100))
      local result = run { "--cache", path, "-e", "print('ran')" }
      ends_with(0, result)
      assert.are.equal("ran\n", result.out)
      contains(result.err, "text.db")
    end)
  end)

  describe("a signal", function()
    local ready = "io.open(os.getenv('READY'), 'w'):close() "
    local endless = ready .. "while true do end"

    it("stops a compiled loop", function()
      for name, status in pairs { INT = 130, TERM = 143, HUP = 129 } do
        ends_with(status, run { "-e", endless, signal = name })
      end
    end)

    it("stops a task in a compiled loop", function()
      local result = run { "-e", "tm.submit(function() " .. endless .. " end):result()", signal = "INT" }
      ends_with(130, result)
      contains(result.err, "tidemill: interrupted")
    end)

    it("stops a task that the serial lane runs", function()
      ends_with(130, run { "--serial", "-e",
        "tm.submit(function() " .. endless .. " end):result()", signal = "INT" })
    end)

    it("is heard by a task that asks whether it was cancelled, on every lane", function()
      for _, workers in ipairs { "0", "1" } do
        local result = run { "--workers", workers, "-e", "tm.submit(function() " .. ready ..
          "while not tm.cancelled() do end io.stdout:write('heard\\n') end):result()", signal = "INT" }
        ends_with(130, result)
        assert.are.equal("heard\n", result.out)
      end
    end)

    it("ends what is collected, fed or kept apart, on every lane", function()
      local feed = "local i = 0 local function feed() i = i + 1 if i == 500 then " .. ready ..
        "end return i end "
      local item = "local function item(i) return i end "
      for _, code in ipairs {
        item .. feed .. "for _ in tm.as_completed(tm.submit_all(item, feed, { window = 100 })) do end",
        item .. "local list = {} for i = 1, 1e6 do list[i] = tm.delayed(item)(i) end " .. ready ..
          "while true do tm.compute(list) end",
        item .. feed .. "tm.map(item, feed)", item .. feed .. "tm.batch(item, feed)",
      } do
        for _, workers in ipairs { "0", "2" } do
          local result = run { "--workers", workers, "-e", code, signal = "INT" }
          ends_with(130, result)
          contains(result.err, "tidemill: interrupted")
        end
      end
    end)

    it("keeps what was printed before", function()
      local result = run { "-e", "print('before') " .. endless, signal = "INT" }
      ends_with(130, result)
      assert.are.equal("before\n", result.out)
    end)

    it("writes no result", function()
      local path = folder .. "/out.json"
      ends_with(130, run { "--json", path, "-e", endless, signal = "INT" })
      assert.is_false(process.exists(path))
    end)
  end)
end)
