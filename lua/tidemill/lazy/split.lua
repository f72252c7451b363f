-- split: where a fused expression that reads too much for one pass is cut in two.
-- SPDX-License-Identifier: MIT

local expr = require("tidemill.lazy.expr")

local split = {}

-- How many values are read below e, what is read twice counted twice: but for that they are what a pass
-- has to hold.
local function reads(e, is_stage, counts)
  local found = counts[e]
  if found then return found end
  local inputs = expr.inputs(e)
  found = 0
  if is_stage(e) or #inputs == 0 then
    found = 1
  else
    for _, input in ipairs(inputs) do found = found + reads(input, is_stage, counts) end
  end
  counts[e] = found
  return found
end

--- The operation below e that is to be a stage of its own: on the way down to where most is read, the first
--- that reads no more than `most` values.
function split.below(e, is_stage, most)
  local counts, found = {}, nil
  while true do
    local heaviest
    for _, input in ipairs(expr.inputs(e)) do
      local count = reads(input, is_stage, counts)
      if not is_stage(input) and (not heaviest or count > counts[heaviest]) then heaviest = input end
    end
    if not heaviest then return found end
    e = heaviest
    if e.op == "map" then
      found = e
      if counts[e] <= most then return e end
    end
  end
end

return split
