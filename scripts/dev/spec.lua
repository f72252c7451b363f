-- spec: runs busted under the LuaJIT that runs this file, and ends as the C tests do, with
-- "N passed, N failed, N skipped".  Usage: luajit scripts/dev/spec.lua SPEC... [busted options]
-- SPDX-License-Identifier: MIT

-- A preloaded sanitizer is for this process: shells that it starts would not survive it.
local ffi = require "ffi"
ffi.cdef "int unsetenv(const char *name);"
ffi.C.unsetenv("LD_PRELOAD")

local function handler()
  local busted = require "busted"
  local base = require "busted.outputHandlers.base"()
  local passed, failed, skipped = 0, 0, 0

  local function report_failure(record)
    failed = failed + 1
    local where = record.trace or record.element.trace or {}
    local message = record.message
    if type(message) ~= "string" then message = require("pl.pretty").write(message) end
    io.write("not ok ", record.name, "\n", where.short_src or "?", ":", where.currentline or 0,
      ": ", message, "\n")
    if record.isError and where.traceback then io.write(where.traceback, "\n") end
    io.flush()
  end

  busted.subscribe({ "test", "end" }, function(_, _, status)
    if status == "success" then
      passed = passed + 1
    elseif status == "pending" then
      local record = base.pendings[#base.pendings]
      skipped = skipped + 1
      io.write("skipped ", record.name, ": ", tostring(record.message or "pending"), "\n")
    elseif status == "failure" then
      report_failure(base.failures[#base.failures])
    elseif status == "error" then
      report_failure(base.errors[#base.errors])
    end
    return nil, true
  end)

  -- A spec that does not load, or a failing setup or teardown.
  local function outside_a_test(element)
    if element.descriptor ~= "it" then report_failure(base.errors[#base.errors]) end
    return nil, true
  end
  busted.subscribe({ "error" }, outside_a_test)
  busted.subscribe({ "failure" }, outside_a_test)

  busted.subscribe({ "suite", "end" }, function()
    io.write(("%d passed, %d failed, %d skipped\n"):format(passed, failed, skipped))
    io.flush()
    return nil, true
  end)
  return base
end

package.preload["busted.outputHandlers.counting"] = function() return handler end
table.insert(arg, "--ignore-lua") -- this LuaJIT, not the one that .busted names
require "busted.runner" { standalone = false, output = "counting" }
