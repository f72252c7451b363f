-- reduce: reductions of lazy arrays over some axes, joined from partial results of chunks.
-- The answers that are asked of one input over the same axes are a group: one pass over each chunk
-- feeds them all, at the end of the chain that makes the chunk.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local dtypes = require("tidemill.dtype")
local assembly = require("tidemill.lazy.assembly")
local chunk = require("tidemill.lazy.chunk")
local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local groups = require("tidemill.lazy.groups")
local plan = require("tidemill.lazy.plan")
local shown = require("tidemill.shown")

local reduce = {}

local FAN_IN = 32 -- partial results that one task joins

local answers = { sum = 1, prod = 2, mean = 3, min = 5, max = 6, argmin = 7, argmax = 8, any = 9, all = 10,
  count = 11, var = 12, std = 13, nansum = 33, nanprod = 34, nanmean = 35, nanmin = 37, nanmax = 38,
  nanargmin = 39, nanargmax = 40, nancount = 43, nanvar = 44, nanstd = 45 }
reduce.answers = answers

local positions = { [7] = true, [8] = true, [39] = true, [40] = true }
local empty_is_error = { min = true, max = true, argmin = true, argmax = true, nanmin = true, nanmax = true,
  nanargmin = true, nanargmax = true }

-- ---- building ---------------------------------------------------------------------------------------

-- The axes that a call names, sorted: none is all.
local function axes_of(what, dims, given, level)
  local list, seen = {}, {}
  if given == nil then
    for axis in ipairs(dims) do list[axis] = axis end
    return list
  end
  if type(given) == "table" and #given == 0 and next(given) ~= nil then
    error(("%s: expected axes as numbers or a list of them, got %s"):format(what,
      shown.value(given)), level + 1)
  end
  for _, axis in ipairs(type(given) == "table" and given or { given }) do
    local at = type(axis) == "number" and axis < 0 and #dims + axis + 1 or axis
    if type(at) ~= "number" or at < 1 or at > #dims or at ~= math.floor(at) then
      error(("%s: axis %s is outside 1..%d"):format(what, shown.value(axis), #dims), level + 1)
    end
    if seen[at] then error(("%s: axis %d is named twice"):format(what, at), level + 1) end
    seen[at] = true
    list[#list + 1] = at
  end
  table.sort(list)
  return list
end
reduce.axes_of = axes_of

local function is_run(axes)
  return #axes == 0 or axes[#axes] - axes[1] == #axes - 1
end

-- The axes that stay first, those that go last: so that what goes is one run of axes.
local function gathered(input, axes)
  local goes, order = {}, {}
  for _, axis in ipairs(axes) do goes[axis] = true end
  for axis in ipairs(input.dims) do
    if not goes[axis] then order[#order + 1] = axis end
  end
  local kept = #order
  for _, axis in ipairs(axes) do order[#order + 1] = axis end
  local last = {}
  for i = 1, #axes do last[i] = kept + i end
  return expr.transpose(input, order), last
end

--- The expression of an answer: what is a key of reduce.answers.
---@param input table expression
---@param what string
---@param given integer|integer[]|nil axes
---@param options table keepdims, ddof
---@param level integer
function reduce.expr(input, what, given, options, level)
  local number = answers[what]
  local axes = axes_of(what, input.dims, given, level + 1)
  local type_out = C.tidemill_kernel_reduce_type(number, dtypes.number(input.dtype))
  if type_out == 0 then
    error(("%s: an array of %s has none"):format(what, input.dtype), level + 1)
  end
  local goes, dims, length = {}, {}, 1
  for _, axis in ipairs(axes) do
    goes[axis] = true
    length = length * input.dims[axis]
  end
  for axis, size in ipairs(input.dims) do
    if not goes[axis] then dims[#dims + 1] = size end
  end
  if length == 0 and empty_is_error[what] then
    error(("%s of no elements: the shape is %s"):format(what, expr.shape_text(input.dims)), level + 1)
  end
  local from, run = input, axes
  if not is_run(axes) then from, run = gathered(input, axes) end
  local ddof = options and options.ddof
  if ddof == nil then ddof = 0 end
  if type(ddof) ~= "number" or ddof < 0 or ddof ~= math.floor(ddof) then
    error(("%s: ddof must be a whole number >= 0, got %s"):format(what, shown.value(ddof)), level + 1)
  end
  local e = { op = "reduce", name = what, what = number, dims = dims, dtype = dtypes.name(type_out),
    input = from, axes = run, ddof = ddof,
    key = ("%d:%s:%g"):format(number, table.concat(run, ","), ddof) }
  if options and options.keepdims then e = expr.insert_axes(e, axes) end
  return e
end

-- ---- running ----------------------------------------------------------------------------------------

local function product(list, first, last)
  local result = 1
  for i = first, last do result = result * list[i] end
  return result
end

-- Kinds of partial results that a group needs, each once; e -> the place of its own.
local function kinds_of(group)
  local kinds, place, of = {}, {}, {}
  for _, e in ipairs(group.list) do
    local kind = tonumber(C.tidemill_kernel_reduce_kind(e.what))
    if not place[kind] then
      kinds[#kinds + 1] = kind
      place[kind] = #kinds
    end
    of[e] = place[kind]
  end
  return kinds, of
end

local function names_of(group)
  local names = {}
  for i, e in ipairs(group.list) do names[i] = e.name end
  return table.concat(names, ", ")
end

-- Places of a chunk's elements along the axes that go, as numbers of the whole: for chunk.locate.
local function places(axes, start, shape, dims)
  local numbers = { #axes }
  for _, axis in ipairs(axes) do numbers[#numbers + 1] = shape[axis] end
  for _, axis in ipairs(axes) do numbers[#numbers + 1] = start[axis] end
  for _, axis in ipairs(axes) do numbers[#numbers + 1] = dims[axis] end
  return assembly.pack(numbers)
end

-- Partial results of the chunks of a group's input: part(number); and their recipe().
local function parts_of(planner, group, g, kinds)
  local input, axes = group.input, group.axes
  local first, last = axes[1] or #input.dims + 1, axes[#axes] or #input.dims
  local locates = false
  for _, kind in ipairs(kinds) do locates = locates or (positions[kind] and #axes > 1) end
  local bytes_of_kinds = string.char(unpack(kinds))
  local type_in = dtypes.number(input.dtype)
  local made
  local function recipe()
    made = made or planner:recipe({ dims = input.dims, reduce = { input = input, kinds = kinds },
      name = names_of(group) })
    return made
  end
  return function(number)
    local start, shape = grid.box(g, grid.index(g, number))
    local geometry = { product(shape, 1, first - 1), product(shape, first, last),
      product(shape, last + 1, #shape) }
    local base = locates and 0 or (start[first] or 0) + 1
    local bytes, inputs = planner:program(recipe(), start, shape, geometry, base)
    local name = group.list[1].name
    if not locates then return planner:task(name, chunk.run, bytes, unpack(inputs)) end
    return planner:task(name, chunk.run_located, type_in, geometry[1] * geometry[3], bytes_of_kinds,
      places(axes, start, shape, input.dims), bytes, unpack(inputs))
  end, recipe
end

-- One partial result of many, a tree of joins.
local function joined(planner, parts, type_in, m, kinds)
  while #parts > FAN_IN do
    local level = {}
    for i = 1, #parts, FAN_IN do
      local few = { unpack(parts, i, math.min(i + FAN_IN - 1, #parts)) }
      level[#level + 1] = #few == 1 and few[1] or planner:task("join", chunk.join, type_in, m, kinds,
        unpack(few))
    end
    parts = level
  end
  return parts
end

-- How many joins there are on the way from so many partial results to few.
local function joins_of(parts)
  local count = 0
  while parts > FAN_IN do
    local few = math.ceil(parts / FAN_IN)
    count = count + few - (parts % FAN_IN == 1 and 1 or 0)
    parts = few
  end
  return count, parts
end

-- The stage of a whole group: joined partial results of the chunks of what stays.
local function group_stage(planner, group)
  if group.stage then return group.stage end
  local input, goes = group.input, {}
  for _, axis in ipairs(group.axes) do goes[axis] = true end
  local g = planner:grid(input)
  local sizes, stays = {}, {}
  for axis, list in ipairs(g.sizes) do
    if not goes[axis] then
      sizes[#sizes + 1] = list
      stays[#stays + 1] = axis
    end
  end
  local out = grid.of(sizes)
  local kinds, place = kinds_of(group)
  local part, recipe = parts_of(planner, group, g, kinds)
  local type_in, bytes = dtypes.number(input.dtype), string.char(unpack(kinds))

  local function parts_for(index)
    local going, list = {}, {}
    for k, axis in ipairs(group.axes) do going[k] = g.sizes[axis] end
    local at = {}
    for k, axis in ipairs(stays) do at[axis] = index[k] end
    grid.each(grid.of(going), function(inner)
      for k, axis in ipairs(group.axes) do at[axis] = inner[k] end
      list[#list + 1] = part(grid.number(g, at))
    end)
    return list
  end

  local stage = planner:remembered({ grid = out, chunk = function(number)
    local index = grid.index(out, number)
    local _, shape = grid.box(out, index)
    local m = expr.length(shape)
    local list = joined(planner, parts_for(index), type_in, m, bytes)
    if #list > 1 and #group.list > 1 then
      list = { planner:task("join", chunk.join, type_in, m, bytes, unpack(list)) }
    end
    return { parts = list, m = m, shape = shape }
  end, all = function()
    local joins, left = joins_of(g.chunks / out.chunks)
    if left > 1 and #group.list > 1 then joins = joins + 1 end
    local inputs = planner:reads(recipe())
    return inputs and g.chunks + joins * out.chunks, inputs
  end })
  stage.place, stage.kinds, stage.type = place, bytes, type_in
  group.stage = stage
  return stage
end

plan.stages.reduce = function(planner, e)
  local stage = group_stage(planner, groups.of(planner, e))
  return { grid = stage.grid, chunk = function(number)
    local found = stage.chunk(number)
    return planner:task(e.name, chunk.finish, stage.type, found.m, stage.kinds, stage.place[e], e.name,
      e.what, e.ddof, #found.shape > 0 and found.shape or nil, unpack(found.parts))
  end, all = function() return stage.grid.chunks, { stage } end }
end

return reduce
