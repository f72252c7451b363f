-- Arrays and frames to pyarrow and from it, in one process: tests/spec/arrow.py has the checks.
-- PYTHON names a Python that has pyarrow.  SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"

local python = os.getenv("PYTHON") or "python3"

-- A stock Python knows nothing of sanitizers: it gets the run-time library preloaded.
local function preload()
  if helper.config ~= "asan" then return "" end
  local library = helper.shell((os.getenv("CC") or "cc") .. " -print-file-name=libasan.so")
  return "LD_PRELOAD=" .. library:gsub("%s+$", "") .. " ASAN_OPTIONS=detect_leaks=0 "
end

describe("pyarrow", function()
  it("and the engine hand each other arrays and frames", function()
    if helper.config == "tsan" then return pending("pyarrow's own threads are not for tsan") end
    local _, _, absent = helper.shell(helper.quote(python) .. " -c 'import pyarrow'")
    if absent ~= 0 then return pending("no pyarrow: PYTHON names a python3 that has it") end
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    local library = helper.quote(helper.products .. "/libtidemill.so")
    local out, err, status = helper.shell(preload() .. table.concat({ helper.quote(python),
      "tests/spec/arrow.py", library, folder, helper.seed() }, " "))
    assert.are.equal("", err)
    assert.are.equal("8 passed, 0 failed\n", out)
    assert.are.equal(0, status)
  end)
end)
