-- show: lazy arrays and their plans as text.
-- SPDX-License-Identifier: MIT
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")

local show = {}

function show.text(e)
  return ("lazy array %s %s, chunks %s"):format(expr.shape_text(e.dims), e.dtype, grid.text(lazy.grid(e)))
end

return show
