-- groups: reductions of one input over the same axes, whose answers share their passes.
-- SPDX-License-Identifier: MIT

local expr = require("tidemill.lazy.expr")

local groups = {}

--- Finds the groups below some roots.
function groups.find(planner, roots)
  local seen = {}
  local function visit(e)
    if seen[e] then return end
    seen[e] = true
    if e.op == "reduce" then
      local found = planner.groups[e.input] or { by_axes = {} }
      planner.groups[e.input] = found
      local axes = table.concat(e.axes, ",")
      local group = found.by_axes[axes]
      if not group then
        group = { input = e.input, axes = e.axes, list = {} }
        found.by_axes[axes] = group
      end
      group.list[#group.list + 1] = e
    end
    for _, input in ipairs(expr.inputs(e)) do visit(input) end
  end
  for _, root in ipairs(roots) do visit(root) end
end

--- The group of a reduction.
function groups.of(planner, e)
  return planner.groups[e.input].by_axes[table.concat(e.axes, ",")]
end

return groups
