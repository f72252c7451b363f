-- reference: writes docs/reference/ from the stubs of lua/meta, tidemill.h and the tables of commands.
-- Usage: luajit scripts/dev/reference.lua         writes the pages
--        luajit scripts/dev/reference.lua --check prints what is stale, undocumented, or on no page
-- The pages are not in the program, which has the stubs themselves: `tidemill help tm.map`.
-- SPDX-License-Identifier: MIT

package.path = "./?.lua;" .. package.path
local pages = require "scripts.dev.reference.pages"
local shell = require "scripts.dev.shell"

local folder = "docs/reference/"

local function check()
  local complaints = 0
  local function complain(format, ...)
    complaints = complaints + 1
    print(format:format(...))
  end
  for _, entry in ipairs(pages.all()) do
    local path = folder .. entry.name .. ".md"
    local is_fresh = shell.read_if_there(path) == entry.text
    if not is_fresh then complain("%s is stale: make reference writes it", path) end
  end
  require("scripts.dev.reference.complete").check(complain)
  return complaints
end

local function write()
  os.execute("mkdir -p " .. folder)
  for _, entry in ipairs(pages.all()) do
    shell.write(folder .. entry.name .. ".md", entry.text)
  end
  return 0
end

os.exit((arg[1] == "--check" and check or write)() == 0 and 0 or 1)
