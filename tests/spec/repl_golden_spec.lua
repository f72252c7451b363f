-- Sessions from a pipe against what they are to print: tests/data/repl/*.txt, in which what is typed
-- stands behind "tm> " and "..> ", and below it what comes of it; "..." is any lines, <number> a number.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local examples = dofile("scripts/dev/examples.lua")

-- Text of a session file as what is typed and what is printed.
local function parts_of(text)
  local typed, shown = {}, {}
  for line in text:gmatch("([^\n]*)\n") do
    local input = line:match("^tm> ?(.*)$") or line:match("^%.%.> ?(.*)$")
    table.insert(input and typed or shown, input or line)
  end
  return table.concat(typed, "\n") .. "\n", shown
end

describe("a piped session", function()
  local status = { locals = 1, printing = 0, errors = 1, commands = 1 }

  for _, name in ipairs { "locals", "printing", "errors", "commands" } do
    it("prints what tests/data/repl/" .. name .. ".txt shows", function()
      local typed, shown = parts_of(helper.read("tests/data/repl/" .. name .. ".txt"))
      local folder = helper.folder()
      finally(function() helper.remove(folder) end)
      helper.write(folder .. "/in", typed)
      local out, err, code = helper.shell(("TMPDIR=%s XDG_CACHE_HOME=%s %s/tidemill <%s/in 2>&1"):format(
        folder, folder, helper.products, folder))
      assert.are.equal("", err)
      assert.is_nil(examples.differ(shown, out))
      assert.are.equal(status[name], code)
    end)
  end

  it("colours nothing", function()
    local out = helper.shell("echo '1, \"a\", nil' | TERM=xterm " .. helper.products .. "/tidemill")
    assert.are.equal("1  \"a\"  nil\n", out)
  end)
end)
