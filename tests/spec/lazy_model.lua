-- lazy_model: what lazy arrays must do, done naively: arrays as lists of numbers in row-major order.
-- A model is { dims = {..}, [1..n] }; operations give new ones.  Elements are small whole numbers, so
-- that sums are exact and results can be compared to the bit.  SPDX-License-Identifier: MIT

local model = {}

function model.length(dims)
  local length = 1
  for _, size in ipairs(dims) do length = length * size end
  return length
end

--- A model whose element at each index (a list, from 1) is of(index).
function model.build(dims, of)
  local made, index = { dims = dims }, {}
  local function walk(axis)
    if axis > #dims then
      made[#made + 1] = of(index)
      return
    end
    for i = 1, dims[axis] do
      index[axis] = i
      walk(axis + 1)
    end
  end
  walk(1)
  return made
end

--- Element at an index.
function model.at(m, index)
  local place = 0
  for axis, size in ipairs(m.dims) do place = place * size + index[axis] - 1 end
  return m[place + 1]
end

function model.map(m, fn)
  local made = { dims = m.dims }
  for i = 1, #m do made[i] = fn(m[i]) end
  return made
end

--- fn of two models that broadcast.
function model.zip(a, b, fn)
  local axes, dims = math.max(#a.dims, #b.dims), {}
  for axis = 1, axes do
    local x, y = a.dims[axis - axes + #a.dims] or 1, b.dims[axis - axes + #b.dims] or 1
    dims[axis] = x == 1 and y or x
  end
  local function inner(m, index)
    local own = {}
    for axis, size in ipairs(m.dims) do own[axis] = size == 1 and 1 or index[axis - #m.dims + axes] end
    return model.at(m, own)
  end
  return model.build(dims, function(index) return fn(inner(a, index), inner(b, index)) end)
end

function model.transpose(m, order)
  local dims = {}
  for i, axis in ipairs(order) do dims[i] = m.dims[axis] end
  return model.build(dims, function(index)
    local own = {}
    for i, axis in ipairs(order) do own[axis] = index[i] end
    return model.at(m, own)
  end)
end

function model.reshape(m, dims)
  local made = { dims = dims }
  for i = 1, #m do made[i] = m[i] end
  return made
end

--- The places that a list names on each axis; a number in place of a list takes it and drops the axis.
function model.pick(m, lists)
  local dims, axis_of = {}, {}
  for axis, list in ipairs(lists) do
    if type(list) == "table" then
      dims[#dims + 1] = #list
      axis_of[axis] = #dims
    end
  end
  return model.build(dims, function(index)
    local own = {}
    for axis, list in ipairs(lists) do own[axis] = axis_of[axis] and list[index[axis_of[axis]]] or list end
    return model.at(m, own)
  end)
end

--- Each line along an axis through fn(list) -> list of any one length.
function model.lines(m, axis, fn)
  local dims, made = {}, {}
  for k, size in ipairs(m.dims) do dims[k] = size end
  local outer = {}
  for k, size in ipairs(m.dims) do outer[k] = k == axis and 1 or size end
  model.build(outer, function(index)
    local line, own = {}, { unpack(index) }
    for i = 1, m.dims[axis] do
      own[axis] = i
      line[i] = model.at(m, own)
    end
    local result = fn(line)
    dims[axis] = #result
    own[axis] = 1
    made[table.concat(own, ",")] = result
  end)
  return model.build(dims, function(index)
    local own = { unpack(index) }
    own[axis] = 1
    return made[table.concat(own, ",")][index[axis]]
  end)
end

--- fn(list) of the elements along some axes (a set), in row-major order.
function model.fold(m, goes, keep, fn)
  local dims, lists, order = {}, {}, {}
  for axis, size in ipairs(m.dims) do
    if not goes[axis] then dims[#dims + 1] = size elseif keep then dims[#dims + 1] = 1 end
  end
  local place = 0
  model.build(m.dims, function(index)
    local own = {}
    for axis in ipairs(m.dims) do own[axis] = goes[axis] and 1 or index[axis] end
    local key = table.concat(own, ",")
    if not lists[key] then
      lists[key] = {}
      order[#order + 1] = key
    end
    place = place + 1
    table.insert(lists[key], m[place])
  end)
  local made = { dims = dims }
  for i, key in ipairs(order) do made[i] = fn(lists[key]) end
  return made
end

function model.concat(list, axis)
  local dims, starts = { unpack(list[1].dims) }, {}
  dims[axis] = 0
  for i, m in ipairs(list) do
    starts[i] = dims[axis]
    dims[axis] = dims[axis] + m.dims[axis]
  end
  return model.build(dims, function(index)
    local own, i = { unpack(index) }, #list
    while index[axis] <= starts[i] do i = i - 1 end
    own[axis] = index[axis] - starts[i]
    return model.at(list[i], own)
  end)
end

--- Lua tables of tables, as tm.array takes them.
function model.nested(m)
  local at = 0
  local function walk(axis)
    if axis > #m.dims then
      at = at + 1
      return m[at]
    end
    local list = { n = m.dims[axis] }
    for i = 1, m.dims[axis] do list[i] = walk(axis + 1) end
    return list
  end
  return walk(1)
end

return model
