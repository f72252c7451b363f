-- everywhere: what specs of waits and failures share: scripts run in processes of their own, on the
-- serial lane and with several numbers of workers.  SPDX-License-Identifier: MIT

local assert = require "luassert"
local process = require "tests.spec.process"

local everywhere = {}

--- Runs a script in a fresh process; without workers on the serial lane.
function everywhere.run(workers, text, ...)
  local options = { "--cache", "off", "-e", text, ... }
  table.insert(options, 1, workers == 0 and "--serial" or "--workers=" .. workers)
  local result = process.run(options)
  assert(result.status ~= 124 and result.status ~= 137, "it hangs: " .. result.out .. result.err)
  return result
end

--- Numbers of workers; 0: the serial lane.
everywhere.lanes = { 0, 1, 2, 8 }

--- What a script prints on each number of workers, which must be `expected`.
function everywhere.prints(expected, text, ...)
  for _, workers in ipairs(everywhere.lanes) do
    local result = everywhere.run(workers, text, ...)
    assert.are.equal(expected, result.out, workers .. " workers: " .. result.err)
    assert.are.equal("", result.err)
    assert.are.equal(0, result.status)
  end
end

return everywhere
