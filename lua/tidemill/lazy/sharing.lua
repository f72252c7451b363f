-- sharing: which expressions are computed once and kept, because more than one stage wants them.
-- SPDX-License-Identifier: MIT

local expr = require("tidemill.lazy.expr")
local groups = require("tidemill.lazy.groups")
local view = require("tidemill.lazy.view")

local sharing = {}

-- What has no stage of its own unless it is kept.
local fusable = { data = true, constant = true, index = true, random = true, map = true, cast = true,
  view = true, rechunk = true }
sharing.fusable = fusable

-- What one element costs, about, in additions: a chain that costs more than KEEP is not computed twice.
local KEEP = 8
local costs = { [4] = 3, [5] = 8, [6] = 24, [9] = 16, [23] = 4 } -- DIV, MOD, POW, ATAN2, SQRT

local function own_cost(e)
  if e.op == "random" then return 8 end
  if e.op == "cast" then return 1 end
  if e.op ~= "map" then return 0 end
  return costs[e.code] or (e.code >= 40 and e.code < 60 and 10) or 1
end

-- Inputs before those that use them; and what an element costs with all that is below it.
local function survey_order(roots)
  local order, cost = {}, {}
  local function visit(e)
    if cost[e] then return end
    local total = own_cost(e)
    for _, input in ipairs(expr.inputs(e)) do
      visit(input)
      total = total + cost[input]
    end
    cost[e] = fusable[e.op] and total or 0
    order[#order + 1] = e
  end
  for _, root in ipairs(roots) do visit(root) end
  return order, cost
end

-- Whether elements of a random stream would be made one by one.
local function is_strided(e, demand)
  local last = e.op == "random" and demand.map[#e.dims]
  return last and e.dims[#e.dims] > 1 and (last.axis ~= demand.axes or last.step ~= 1)
end

-- A stage wants an expression through a view of a box of so many axes.
local function add_demand(demands, e, stage, map, axes)
  local of = demands[e]
  if not of then
    of = { count = 0, by_key = {} }
    demands[e] = of
  end
  local key = stage .. "/" .. view.key(map)
  if not of.by_key[key] then
    of.by_key[key] = { stage = stage, map = map, axes = axes }
    of.count = of.count + 1
  end
end

-- What an expression wants of its inputs: a stage for itself, others for those that want them.
local function pass_on(planner, e, own, demands)
  if planner.kept[e] or not fusable[e.op] then
    local stage = planner.canon:number(e.op == "reduce" and groups.of(planner, e).list[1] or e)
    for _, input in ipairs(expr.inputs(e)) do
      add_demand(demands, input, stage, view.identity(#input.dims), #input.dims)
    end
    return
  end
  for _, input in ipairs(expr.inputs(e)) do
    for _, demand in pairs(own.by_key) do
      local map = e.op == "view" and view.compose(demand.map, e.map) or demand.map
      add_demand(demands, input, demand.stage, map, demand.axes)
    end
  end
end

--- Finds what two stages want, or one wants through two views, and costs much: the planner keeps it.
function sharing.survey(planner, roots)
  local order, cost = survey_order(roots)
  local demands = {}
  for _, root in ipairs(roots) do add_demand(demands, root, 0, view.identity(#root.dims), #root.dims) end
  for i = #order, 1, -1 do -- users first
    local e = order[i]
    local own = demands[e]
    if fusable[e.op] and e.op ~= "view" then
      local strided = false
      for _, demand in pairs(own.by_key) do strided = strided or is_strided(e, demand) end
      if (own.count > 1 and cost[e] >= KEEP) or strided then planner.kept[e] = true end
    end
    pass_on(planner, e, own, demands)
  end
end

return sharing
