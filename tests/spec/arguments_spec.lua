-- Whatever a public function is called with, a message speaks of the call: see wrong_arguments.lua.
-- SPDX-License-Identifier: MIT

local process = require "tests.spec.process"

local stubs = { "lua/meta/tidemill.lua", "lua/meta/kernels.lua", "lua/meta/linalg.lua", "lua/meta/array.lua" }

describe("wrong arguments", function()
  it("of any kind get errors that speak of the call", function()
    local seed = tonumber(os.getenv("TIDEMILL_TEST_SEED")) or os.time() % 1000000
    local result = process.run { "--cache", "off", "--workers", "2", "tests/spec/wrong_arguments.lua",
      seed, 12, unpack(stubs) }
    local count = result.out:match("(%d+) functions\n$")
    assert.is_nil(result.out:match("inside: [^\n]*"), ("seed %d: %s%s"):format(seed, result.out, result.err))
    assert.is_true(tonumber(count) > 300)
    assert.are.equal(0, result.status, result.err)
  end)
end)
