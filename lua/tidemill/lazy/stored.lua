-- stored: chunks that are nodes already: what persist has started, what functions make of chunks.
-- SPDX-License-Identifier: MIT

local plan = require("tidemill.lazy.plan")

plan.stages.stored = function(_, e)
  return { grid = e.grid, chunk = function(number) return e.nodes[number] end,
    all = function() return 0, {} end }
end

return true
