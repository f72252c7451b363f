-- reference: writes docs/reference/ from the stubs of lua/meta, tidemill.h and the tables of commands.
-- Usage: luajit scripts/dev/reference.lua         writes the pages
--        luajit scripts/dev/reference.lua --check prints what is stale, undocumented, or on no page
-- The pages are not in the program, which has the stubs themselves: `tidemill help tm.map`.
-- SPDX-License-Identifier: MIT

package.path = "./?.lua;" .. package.path
local pages = require "scripts.dev.reference.pages"

local folder = "docs/reference/"

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

local function check()
  local complaints = 0
  local function complain(format, ...)
    complaints = complaints + 1
    print(format:format(...))
  end
  for _, entry in ipairs(pages.all()) do
    local path = folder .. entry.name .. ".md"
    if read(path) ~= entry.text then complain("%s is stale: make reference writes it", path) end
  end
  require("scripts.dev.reference.complete").check(complain)
  return complaints
end

local function write()
  os.execute("mkdir -p " .. folder)
  for _, entry in ipairs(pages.all()) do
    local file = assert(io.open(folder .. entry.name .. ".md", "wb"))
    assert(file:write(entry.text))
    assert(file:close())
  end
  return 0
end

os.exit((arg[1] == "--check" and check or write)() == 0 and 0 or 1)
