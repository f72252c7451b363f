-- Completion of the command line by the shells themselves, of the files that make install installs.
-- bash is everywhere; zsh and fish are asked where they are.  SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

local folder = helper.quote("build/" .. helper.config .. "/share")

local function has(program)
  local _, _, status = helper.shell("command -v " .. program)
  return status == 0
end

local function offers_of(command)
  local out, err, status = helper.shell(command)
  assert.are.equal(0, status, err)
  local offers = {}
  for offer in out:gmatch("[^\n]+") do
    offer = offer:match("^[^\t]*"):gsub(" $", "")
    offers[#offers + 1], offers[offer] = offer, true
  end
  return offers
end

-- Words of a line as readline parts them: "=" stands alone.
local function words_of(line)
  local words = {}
  for word in (line:gsub("=", " = ") .. "\1"):gmatch("%S+") do words[#words + 1] = word end
  words[#words] = words[#words]:gsub("\1", "")
  return words
end

local shells = {
  bash = function(line)
    local words = words_of(line)
    for i, word in ipairs(words) do words[i] = helper.quote(word) end
    return offers_of("bash --norc -c " .. helper.quote(([[
      . %s/tidemill.bash
      complete -p tidemill | grep -q -- '-F _tidemill tidemill' || exit 1
      COMP_WORDS=(%s) COMP_CWORD=%d
      _tidemill tidemill
      [ ${#COMPREPLY[@]} = 0 ] || printf '%%s\n' "${COMPREPLY[@]}"]]):format(folder,
        table.concat(words, " "), #words - 1)))
  end,
  zsh = function(line)
    local command = "d=$(mktemp -d) && cp %s/tidemill.zsh $d/_tidemill && "
      .. "zsh -f tests/spec/completion.zsh $d %s; s=$?; rm -r $d; exit $s"
    return offers_of(command:format(folder, helper.quote(line)))
  end,
  fish = function(line)
    return offers_of(("HOME=/nonexistent fish --no-config -c %s"):format(helper.quote(
      ("source %s/tidemill.fish; complete -C %s"):format(folder, helper.quote(line)))))
  end,
}

-- What the program itself lists, as the first words of lines.
local function listed(...)
  local out, names = helper.tidemill(...), {}
  for name in out:gmatch("([^%s]+)[^\n]*\n") do names[#names + 1] = name end
  return names
end

for shell, offers in pairs(shells) do
  describe("completion by " .. shell, function()
    local function offered(line, wanted)
      local found = offers(line)
      for _, word in ipairs(wanted) do
        assert.is_truthy(found[word], ("%q: no %q in %s"):format(line, word, table.concat(found, " ")))
      end
      return found
    end

    local reason = not has(shell) and shell .. " is not installed"
      or helper.sanitized and "built for a sanitizer"
    if reason then
      it("is as the program says", function() pending(reason) end)
      return
    end

    it("offers commands, and what each of them takes", function()
      offered("tidemill ", { "run", "new", "examples", "explain", "diff", "doctor", "config", "cache",
        "help" })
      offered("tidemill run ", listed("run"))
      offered("tidemill --quiet explain d", { "day_trade" })
      offered("tidemill examples ", listed("examples"))
      offered("tidemill cache ", { "stats", "ls", "show", "verify", "gc", "clear", "export", "import" })
      offered("tidemill help ", { "arrays", "cache", "tasks" })
      assert.is_nil(offers("tidemill examples 0").cache)
    end)

    it("offers options of all commands, and of one", function()
      local out, names = helper.tidemill("--help"), {}
      for name in out:gmatch("\n  (%-%-[%w-]+)") do names[#names + 1] = name end
      assert.is_true(#names > 10)
      offered("tidemill --", names)
      offered("tidemill cache clear --a", { "--all" })
      offered("tidemill examples --co", { "--copy" })
    end)

    it("offers the words and settings that an option takes", function()
      local lanes = { "auto", "serial", "thread", "loop", "process" }
      local found = offered("tidemill --lane ", lanes)
      assert.are.equal(#lanes, #found)
      offered("tidemill --log-level w", { "warn" })
      local settings = {}
      for _, name in ipairs(listed("config", "--cache", "off")) do
        settings[#settings + 1] = name .. (shell == "zsh" and "" or "=")
      end
      assert.is_true(#settings > 20)
      offered("tidemill --set ", settings)
    end)

    it("offers scripts and folders", function()
      local found = offers("tidemill examples/0")
      assert.is_true(found["examples/02_graph.lua"] or found["02_graph.lua"] or false)
    end)

    if shell == "bash" then
      it("takes --name=value apart, and passes over values", function()
        assert.are.same({ "process" }, { unpack(offers("tidemill --lane=pro")) })
        assert.are.same({ "day_trade" }, { unpack(offers("tidemill --workers 2 --cache=off run day")) })
        assert.are.equal(0, #offers("tidemill doctor "))
      end)
    end
  end)
end
