-- series: running totals, order and counts of lazy arrays.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local C = require("tidemill.clib")
local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local options = require("tidemill.options")
local plan = require("tidemill.lazy.plan")
local shown = require("tidemill.shown")
local task = require("tidemill.lazy.series_task")

local methods = {}

local function operand(what, self, level) return (lazy.array_operand(what, self, level + 1)) end

-- One axis, from the end when negative.
local function one_axis(what, axis, count, default, level)
  if axis == nil then axis = default end
  local at = type(axis) == "number" and axis < 0 and count + axis + 1 or axis
  if type(at) ~= "number" or at < 1 or at > count or at ~= math.floor(at) then
    error(("%s: axis %s is outside 1..%d"):format(what, shown.value(axis), count), level + 1)
  end
  return at
end

-- ---- running totals ---------------------------------------------------------------------------------

local scans = { cumsum = 1, cumprod = 2, cummax = 3, cummin = 4 } -- enum tidemill_scan

for name, kind in pairs(scans) do
  methods[name] = function(self, axis)
    local e = operand(name, self, 2)
    axis = one_axis(name, axis, #e.dims, 1, 2)
    local type_out = C.tidemill_kernel_scan_type(kind, dtypes.number(e.dtype))
    if type_out == 0 then error(("%s: an array of %s has none"):format(name, e.dtype), 2) end
    return lazy.of({ op = "scan", name = name, dims = e.dims, dtype = dtypes.name(type_out), input = e,
      kind = kind, axis = axis, key = kind .. ":" .. axis })
  end
end

-- Each chunk starts from what the one before it along the axis has left, so that the bits are those of
-- one pass over all.
plan.stages.scan = function(planner, e)
  local stage = planner:stage(e.input)
  local g, made = stage.grid, {}
  local function results(number)
    if made[number] then return made[number] end
    local index = grid.index(g, number)
    local carry
    if index[e.axis] > 1 then
      index[e.axis] = index[e.axis] - 1
      carry = results(grid.number(g, index))[2]
    end
    made[number] = planner:tasks(e.name, 2, task.scan, e.kind, e.axis, e.dtype, stage.chunk(number), carry)
    return made[number]
  end
  return { grid = g, chunk = function(number)
    -- From the first chunk on: a long chain is not walked by recursion.
    local index = grid.index(g, number)
    local last = index[e.axis]
    for i = 1, last do
      index[e.axis] = i
      results(grid.number(g, index))
    end
    return made[number][1]
  end, all = function() -- each with its elements, and what it leaves to the next
    return 3 * g.chunks - g.chunks / math.max(g.counts[e.axis], 1), { stage }
  end }
end

--- Differences of neighbours along an axis (the first), one fewer than there are elements, none of none.
---@param axis? integer
---@return tidemill.lazy
function methods:diff(axis)
  local e = operand("diff", self, 2)
  axis = one_axis("diff", axis, #e.dims, 1, 2)
  if e.dtype == "bool" then
    error("diff: an array of bool has no differences; a:astype(\"int32\") first", 2)
  end
  local later, earlier = {}, {}
  for k in ipairs(e.dims) do later[k], earlier[k] = true, true end
  later[axis] = e.dims[axis] > 1 and { 2, -1 } or { 1, 0 }
  earlier[axis] = e.dims[axis] > 1 and { 1, -2 } or { 1, 0 }
  local x = lazy.of(e)
  return (lazy.apply("sub", 2, x:slice(later), x:slice(earlier)))
end

-- ---- order ------------------------------------------------------------------------------------------

-- With one axis turned to the end, and the order that turns it back (its own inverse).
local function axis_last(e, axis)
  local order = {}
  for k in ipairs(e.dims) do order[k] = k end
  order[axis], order[#order] = #order, axis
  return expr.transpose(e, order), order
end

-- A grid that leaves the last axis whole.
local function rows_whole(planner, e)
  local g, sizes = planner:grid(e), {}
  for axis in ipairs(e.dims) do sizes[axis] = g.sizes[axis] end
  sizes[#sizes] = { e.dims[#e.dims] }
  return grid.of(sizes)
end

local function by_rows(op, name, e, axis, dtype, arguments)
  local turned, order = axis_last(e, axis)
  local made = { op = op, name = name, dims = turned.dims, dtype = dtype, input = turned,
    key = name .. ":" .. tostring(arguments.descending) }
  for key, value in pairs(arguments) do made[key] = value end
  return expr.transpose(made, order)
end

local function sorting(what, self, axis, given, level)
  if type(axis) == "table" and given == nil then axis, given = nil, axis end
  given = options.only(given, { "descending" }, what, level + 1)
  options.switches(given, { "descending" }, what, level + 1)
  local e = operand(what, self, level + 1)
  if #e.dims == 0 then error(what .. ": an array of no axes", level + 1) end
  return e, one_axis(what, axis, #e.dims, #e.dims, level + 1), given.descending or false
end

--- Sorted along an axis (the last); NaN last.
---@param axis? integer
---@param given? table options descending
---@return tidemill.lazy
function methods:sort(axis, given)
  local e, at, descending = sorting("sort", self, axis, given, 2)
  return lazy.of(by_rows("sort", "sort", e, at, e.dtype, { descending = descending }))
end

--- Positions, from 1, of the elements in sorted order along an axis (the last); equal ones keep theirs.
---@param axis? integer
---@param given? table options descending
---@return tidemill.lazy int64
function methods:argsort(axis, given)
  local e, at, descending = sorting("argsort", self, axis, given, 2)
  return lazy.of(by_rows("row_task", "argsort", e, at, "int64", { fn = "argsort", descending = descending }))
end

local RUN = 2^20 -- elements that one task sorts

-- The chunks of a vector on a grid, and their stage; of an array in memory parts of it, and no stage.
local function runs_of(planner, e, g)
  local whole = e.op == "data" and planner:whole(e)
  if array.is(whole) then
    return function(run) return array.part(whole, g.starts[1][run], { g.sizes[1][run] }) end
  end
  local stage = planner:on_grid(e, g)
  return stage.chunk, stage
end

-- One long axis: runs are sorted, then any stretch of their merge is made by itself.
local function sort_by_runs(planner, e)
  local g, sorted = grid.new(e.dims, dtypes.size(e.dtype), RUN, "sort", 2), {}
  local run_of, stage = runs_of(planner, e.input, g)
  local function all_sorted()
    for run = #sorted + 1, g.chunks do
      sorted[run] = planner:task("sort", task.sort, false, run_of(run))
    end
    return unpack(sorted)
  end
  return { grid = g, chunk = function(number)
    return planner:task("merge", task.merge, g.starts[1][number], g.sizes[1][number], all_sorted())
  end, fill = function(number, part)
    return planner:fill("merge", task.merge_into, part, g.starts[1][number], all_sorted())
  end, all = function() return 2 * g.chunks, { stage } end }
end

plan.stages.sort = function(planner, e)
  if #e.dims == 1 and e.dims[1] > RUN and not e.descending then return sort_by_runs(planner, e) end
  local stage = planner:on_grid(e.input, rows_whole(planner, e.input))
  return { grid = stage.grid, chunk = function(number)
    return planner:task("sort", task.sort, e.descending, stage.chunk(number))
  end, all = function() return stage.grid.chunks, { stage } end }
end

-- A function of series_task on whole rows.
plan.stages.row_task = function(planner, e)
  local stage = planner:on_grid(e.input, rows_whole(planner, e.input))
  local sizes = {}
  for axis, list in ipairs(stage.grid.sizes) do sizes[axis] = list end
  sizes[#sizes] = { e.dims[#e.dims] }
  return { grid = grid.of(sizes), chunk = function(number)
    return planner:task(e.name, task[e.fn], e.descending or e.argument or false, stage.chunk(number))
  end, all = function() return stage.grid.chunks, { stage } end }
end

--- The place of each element among all of a vector, from 1: see tm.kernels.rank.
---@param method? "average"|"min"|"max"|"dense"|"ordinal"
---@return tidemill.lazy float64
function methods:rank(method)
  local e = operand("rank", self, 2)
  if #e.dims ~= 1 then error("rank: expected a vector, got the shape " .. expr.shape_text(e.dims), 2) end
  local number, problem = require("tidemill.kernels.sortable").rank_method(method)
  if not number then error("rank: method must be one of " .. problem, 2) end
  return lazy.of({ op = "row_task", name = "rank", dims = e.dims, dtype = "float64", input = e, fn = "rank",
    argument = method or "average", key = "rank" .. (method or "average") })
end

--- The distinct elements, ascending, and how many there are of each: computed at once, for how many
--- there are is not known before.
---@return tidemill.array values, tidemill.array counts
function methods:unique()
  local e = operand("unique", self, 2)
  local flat = lazy.of(expr.reshape(e, { expr.length(e.dims) }))
  return require("tidemill.kernels").unique(flat:sort():compute())
end

--- The k greatest of a vector, greatest first, and their positions; for k < 0 the -k least.  NaNs come
--- last in both, where fewer than k elements are none.
---@param k integer
---@return tidemill.lazy values, tidemill.lazy positions
function methods:topk(k)
  local e = operand("topk", self, 2)
  if #e.dims ~= 1 then error("topk: expected a vector, got the shape " .. expr.shape_text(e.dims), 2) end
  if type(k) ~= "number" or k ~= math.floor(k) or k == 0 or math.abs(k) > e.dims[1] then
    error(("topk: k must be a whole number from 1 to %d, or as much below 0, got %s"):format(e.dims[1],
      shown.value(k)), 2)
  end
  local shared, outputs = {}, {}
  for place, dtype in ipairs({ e.dtype, "int64" }) do
    outputs[place] = lazy.of({ op = "topk", name = "topk", dims = { math.abs(k) }, dtype = dtype, input = e,
      shared = shared, place = place, k = k })
  end
  return outputs[1], outputs[2]
end

plan.stages.topk = function(planner, e)
  local stage = planner:stage(e.input)
  return { grid = grid.whole(e.dims), all = function()
    local made, own, inputs = planner.shared[e.shared], 0, {}
    if not made then
      made, own, inputs = planner.stand_ins("topk", 2), 3 * stage.grid.chunks + 1, { stage }
      planner.shared[e.shared] = made
    end
    planner:use(made[e.place])
    return own, inputs
  end, chunk = function()
    local made, parts = planner.shared[e.shared], {}
    if not made then
      for number = 1, stage.grid.chunks do
        local start = grid.box(stage.grid, { number })
        local pair = planner:tasks("topk", 2, task.topk, e.k, start[1], stage.chunk(number))
        parts[2 * number - 1], parts[2 * number] = pair[1], pair[2]
      end
      made = planner:tasks("topk", 2, task.topk_of_parts, e.k, e.input.dtype, unpack(parts))
      planner.shared[e.shared] = made
    end
    return made[e.place]
  end }
end

-- ---- counts -----------------------------------------------------------------------------------------

local most_bins = 2^24

local function check_limit(name, value, level)
  if value ~= nil and type(value) ~= "number" then
    error(("histogram: %s: expected a number, got a %s"):format(name, type(value)), level + 1)
  end
end

-- Edges of a list, a computed array or a lazy one, which is computed at once; `limited`: low or high is
-- given.
local function edges_of(bins, limited, level)
  if limited then
    error("histogram: bins: expected how many between low and high, or edges alone", level + 1)
  end
  if lazy.is(bins) then bins = bins:compute() end
  if type(bins) ~= "table" and not array.is(bins) then
    error(("histogram: bins: expected how many, or a list of edges, got a %s"):format(type(bins)), level + 1)
  end
  local edges = array.as(bins, "float64", "histogram: bins", level + 2)
  if edges.ndim ~= 1 then
    error("histogram: bins: expected one axis of edges, got the shape " .. expr.shape_text(edges.shape),
      level + 1)
  end
  if edges.length < 2 then error("histogram: bins: expected at least two edges", level + 1) end
  for i = 2, edges.length do
    local before, edge = edges[i - 1], edges[i]
    local ascend = edge >= before -- not of a NaN
    if not ascend then
      error(("histogram: the edges must ascend, and %s stands before %s"):format(before, edge), level + 1)
    end
  end
  return edges
end

--- Counts of the elements by bins: so many of one width from low to high (default: the least and the
--- greatest element, which are computed at once), or between the edges of a list.  NaN is in none.
---@param bins integer|tidemill.numbers
---@param low? number
---@param high? number
---@param weights? nil none: tm.kernels.histogram takes them
---@return tidemill.lazy counts, tidemill.array edges
function methods:histogram(bins, low, high, weights)
  local e = operand("histogram", self, 2)
  if weights ~= nil then
    error("histogram: expected a:histogram(bins, low, high); by weights: tm.kernels.histogram", 2)
  end
  local edges
  if type(bins) == "number" then
    if not (bins >= 1 and bins <= most_bins and bins == math.floor(bins)) then
      error(("histogram: bins must be an integer from 1 to %d, got %s"):format(most_bins,
        shown.value(bins)), 2)
    end
    check_limit("low", low, 2)
    check_limit("high", high, 2)
    if expr.length(e.dims) == 0 then
      low, high = low or 0, high or 1
    elseif low == nil or high == nil then
      local x = lazy.of(expr.cast(e, "float64"))
      local least, most = require("tidemill.compute").all(x:nanmin(), x:nanmax())
      low, high = low or least, high or most
      if low == high then low, high = low - 0.5, high + 0.5 end
    end
    if not (high > low and high - low < math.huge) then
      error(("histogram: low must be below high and both finite, got %s and %s"):format(low, high), 2)
    end
    edges = task.edges(bins, low, high)
  else
    edges = edges_of(bins, low ~= nil or high ~= nil, 2)
  end
  local count = edges.length - 1
  local made = { op = "histogram", name = "histogram", dims = { count }, dtype = "int64",
    input = expr.cast(e, "float64"), edges = edges, low = low, high = high,
    bins = type(bins) == "number" and bins or nil }
  return lazy.of(made), edges
end

plan.stages.histogram = function(planner, e)
  local stage = planner:stage(e.input)
  return { grid = grid.whole(e.dims), all = function()
    local count, left = stage.grid.chunks, stage.grid.chunks
    while left > 1 do
      left = math.ceil(left / 32)
      count = count + left
    end
    return count, { stage }
  end, chunk = function()
    local parts = {}
    for number = 1, stage.grid.chunks do
      parts[number] = planner:task("histogram", task.histogram, e.bins or 0, e.low or 0, e.high or 0, e.edges,
        stage.chunk(number))
    end
    while #parts > 1 do
      local joined = {}
      for first = 1, #parts, 32 do
        joined[#joined + 1] = planner:task("histogram", task.add, unpack(parts, first,
          math.min(first + 31, #parts)))
      end
      parts = joined
    end
    return parts[1]
  end }
end

-- ---- quantiles --------------------------------------------------------------------------------------

--- Quantiles, linear between neighbours, along an axis, or of all: one for a number q, in place of the
--- axis a list of them for a list.
---@param q number|number[]
---@param axis? integer
---@return tidemill.lazy
function methods:quantile(q, axis)
  local e = expr.cast(operand("quantile", self, 2), "float64")
  if type(q) ~= "number" and (type(q) ~= "table" or getmetatable(q) ~= nil) then
    error("quantile: q: expected a number from 0 to 1 or a list of them, got a " .. type(q), 2)
  end
  local shares = type(q) == "table" and q or { q }
  for i, share in ipairs(shares) do
    if type(share) ~= "number" or not (share >= 0 and share <= 1) then
      error(("quantile: q: expected numbers from 0 to 1, got %s (number %d)"):format(
        shown.value(share), i), 2)
    end
  end
  if axis == nil then
    e, axis = expr.reshape(e, { expr.length(e.dims) }), 1
  else
    axis = one_axis("quantile", axis, #e.dims, 1, 2)
  end
  local turned = axis_last(e, axis)
  local dims = {}
  for k, size in ipairs(turned.dims) do dims[k] = size end
  dims[#dims] = #shares
  local made = { op = "row_task", name = "quantile", dims = dims, dtype = "float64", input = turned,
    fn = "quantile", argument = shares, key = "quantile" .. table.concat(shares, ",") }
  local _, order = axis_last({ dims = dims, dtype = "float64", op = "constant", value = 0 }, axis)
  local result = expr.transpose(made, order)
  if type(q) ~= "table" then result = expr.drop_axes(result, { [axis] = true }) end
  return lazy.of(result)
end

--- The middle element, or half way between the middle two, along an axis, or of all.
---@param axis? integer
---@return tidemill.lazy
function methods:median(axis) return methods.quantile(self, 0.5, axis) end

return methods
