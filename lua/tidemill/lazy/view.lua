-- view: which element of an array stands at a place of another that shows a part of it.
-- A view maps the places of an outer array to those of an inner one, axis by axis: inner axis k has
-- the place  start + step * (place of outer axis `axis`),  or just `start` where no outer axis moves
-- it.  Places count from 0.  Slices, transposes and broadcasts are views, and so are their chains.
-- SPDX-License-Identifier: MIT

local view = {}

--- The view that shows everything as it is.
function view.identity(axes)
  local map = {}
  for k = 1, axes do map[k] = { axis = k, start = 0, step = 1 } end
  return map
end

--- Whether a view of an array of `inner` shape shows it as it is.
function view.is_identity(map, outer, inner)
  if #outer ~= #inner then return false end
  for k, to in ipairs(map) do
    if outer[k] ~= inner[k] then return false end
    if inner[k] ~= 1 and (to.axis ~= k or to.start ~= 0 or to.step ~= 1) then return false end
  end
  return true
end

--- The view through `outer` of what `inner` shows: outer maps to the middle array, inner from it.
function view.compose(outer, inner)
  local map = {}
  for k, to in ipairs(inner) do
    local through = to.axis and outer[to.axis]
    if not through then
      map[k] = to
    else
      map[k] = { axis = through.axis, start = to.start + to.step * through.start,
        step = to.step * through.step }
    end
  end
  return map
end

--- Broadcasts an inner shape to an outer one: axes are aligned at the last.
function view.broadcast(inner, outer)
  local map, shift = {}, #outer - #inner
  for k, size in ipairs(inner) do
    if size == 1 and outer[k + shift] ~= 1 then
      map[k] = { start = 0, step = 0 }
    else
      map[k] = { axis = k + shift, start = 0, step = 1 }
    end
  end
  return map
end

--- Outer axis i shows inner axis order[i].
function view.transpose(order)
  local map = {}
  for outer, inner in ipairs(order) do map[inner] = { axis = outer, start = 0, step = 1 } end
  return map
end

--- Offset and strides (one an outer axis) in a row-major array of shape `inner`, for the box of the
--- outer array that begins at `start`.
function view.strides(map, inner, axes, start)
  local strides, offset, pitch = {}, 0, 1
  for axis = 1, axes do strides[axis] = 0 end
  for k = #inner, 1, -1 do
    local to = map[k]
    offset = offset + to.start * pitch
    if to.axis then
      strides[to.axis] = strides[to.axis] + to.step * pitch
      offset = offset + to.step * start[to.axis] * pitch
    end
    pitch = pitch * inner[k]
  end
  return offset, strides
end

--- The box of the inner array, {first}, {last} (from 0, both included), that a box of the outer one
--- shows.
function view.box(map, start, shape)
  local first, last = {}, {}
  for k, to in ipairs(map) do
    first[k], last[k] = to.start, to.start
    if to.axis then
      local a = to.start + to.step * start[to.axis]
      local b = to.start + to.step * (start[to.axis] + shape[to.axis] - 1)
      first[k], last[k] = math.min(a, b), math.max(a, b)
    end
  end
  return first, last
end

--- Whether two views of the same array are the same.
function view.same(map, other)
  for k, to in ipairs(map) do
    local as = other[k]
    if to.axis ~= as.axis or to.start ~= as.start or to.step ~= as.step then return false end
  end
  return true
end

--- What tells a view from others.
function view.key(map)
  local parts = {}
  for k, to in ipairs(map) do parts[k] = ("%s:%d:%d"):format(to.axis or "-", to.start, to.step) end
  return table.concat(parts, ",")
end

--- Adds to cuts[axis] the places where the outer array has to be cut so that no piece crosses one of
--- the inner array's cuts.
function view.cuts(map, inner, cuts)
  for k, to in ipairs(map) do
    if to.axis and to.step ~= 0 then
      local starts, set = inner.starts[k], cuts[to.axis]
      for i = 2, #starts - 1 do
        -- The first outer place whose inner place lies on the other side of the cut.
        local at = (starts[i] - to.start) / to.step
        set[to.step > 0 and math.ceil(at) or math.floor(at) + 1] = true
      end
    end
  end
end

return view
