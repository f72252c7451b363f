-- Random graphs give the same bits on any number of workers: a slice of `make soak`.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local compare = require "tests.soak.compare"

-- Sanitizers are slow, tsan runs without the compiler.
local slow = helper.sanitized
local batches, batch, seconds = slow and 2 or 8, slow and 10 or 50, 240

describe("random graphs", function()
  it("end the same on the serial lane and with 1, 2 and 4 workers", function()
    local seed = os.time() % 1000000
    for i = 1, batches do
      local first = (i - 1) * batch + 1
      local problem = compare.graphs(helper.products .. "/tidemill", seed, first, batch, seconds)
      assert(not problem, ("%s\nrepeat it with: make soak seed=%d first=%d N=%d"):format(problem or "",
        seed, first, batch))
    end
  end)
end)
