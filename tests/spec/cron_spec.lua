-- The files of docs/cron.md mean to cron and systemd what the page says.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

local page = helper.read("docs/cron.md")

-- Text of the block that is kept as a file of this name.
local function block(name)
  for text in page:gmatch("\n```%a+\n(# .-)\n```") do
    if text:match("^# ([^\n]+)") == name then return text .. "\n" end
  end
  error(name .. " is not in docs/cron.md")
end

local function has(program) return select(3, helper.shell("command -v " .. program)) == 0 end

describe("the units", function()
  it("are such to systemd", function()
    if not has "systemd-analyze" then return pending("no systemd-analyze") end
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    -- It looks whether the program can be started.
    local program = helper.absolute(helper.products) .. "/tidemill"
    helper.write(folder .. "/nightly.service",
      (block "nightly.service":gsub("/usr/local/bin/tidemill", function() return program end)))
    helper.write(folder .. "/nightly.timer", block "nightly.timer")
    local out, err, status = helper.shell(("cd %s && systemd-analyze verify ./nightly.*"):format(folder))
    assert.are.equal("", out .. err)
    assert.are.equal(0, status)
  end)

  it("start on working days", function()
    if not has "systemd-analyze" then return pending("no systemd-analyze") end
    local when = block "nightly.timer":match("\nOnCalendar=([^\n]+)")
    local out, err, status = helper.shell("systemd-analyze calendar " .. helper.quote(when))
    assert.are.equal(0, status, err)
    assert.is_truthy(out:find("Mon..Fri *-*-* 02:30:00", 1, true), out)
  end)
end)

describe("the crontab", function()
  local line = block "crontab":match("\n(%d[^\n]+)\n")
  local fields, command = line:match("^(%S+ %S+ %S+ %S+ %S+)%s+(.*)$")

  it("has five fields and a command without a %", function()
    assert.are.equal("30 2 * * 1-5", fields)
    assert.is_nil(command:find("%", 1, true))
  end)

  it("runs the script, and not beside itself", function()
    if not has "flock" then return pending("no flock") end
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    helper.write(folder .. "/nightly.lua", page:match("\n```lua\n(%-%- nightly%.lua.-)\n```"))
    helper.shell(("mkdir %s/prices; printf 'close\\n1\\n3\\n' >%s/prices/a.csv"):format(folder, folder))
    local run = ("export PATH=%s:$PATH XDG_CACHE_HOME=%s; "):format(helper.absolute(helper.products), folder)
      .. command:gsub("/srv/prices", function() return folder end)
    local out, err, status = helper.shell(run)
    assert.are.equal("", out .. err)
    assert.are.equal(0, status)
    assert.are.equal('[{"file":"prices/a.csv","mean":2,"rows":2}]', (helper.read(folder .. "/nightly.json")
      :gsub("%s+$", "")))
    local _, _, held = helper.shell(("flock %s/nightly.lock sh -c %s"):format(folder, helper.quote(run)))
    assert.are.equal(75, held)
  end)
end)
