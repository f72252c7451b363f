-- shape: sizes of axes: how they are given, checked and written.
-- SPDX-License-Identifier: MIT
local shown = require("tidemill.shown")

local shape = {}

local MOST = 2 ^ 47 -- bytes: what a process can address

shape.most_axes = 8

--- "3 x 4".
---@param sizes integer[]
function shape.text(sizes) return table.concat(sizes, " x ") end

--- A shape given as numbers or as one table.
---@return integer[]
function shape.given(where, level, first, ...)
  if type(first) ~= "table" then
    local count = 1 + select("#", ...)
    local list = { first, ... }
    for axis = 1, count do
      if list[axis] == nil then
        error(("%s: size %d of the shape is nil, expected a whole number from 0"):format(where, axis),
          level + 1)
      end
    end
    return list
  end
  if select("#", ...) > 0 then
    error(("%s: expected a shape as numbers or as one table"):format(where), level + 1)
  end
  local sizes = {}
  for i = 1, #first do sizes[i] = first[i] end
  return sizes
end

--- The number of elements; raises for what is no shape, or one that no memory has room for.
---@param sizes integer[]
---@param dtype string
---@param itemsize integer
---@return integer
function shape.measure(sizes, dtype, itemsize, where, level)
  if #sizes == 0 or #sizes > shape.most_axes then
    error(("%s: a shape has 1 to %d axes, got %d"):format(where, shape.most_axes, #sizes), level + 1)
  end
  local length, bytes = 1, itemsize
  for axis, size in ipairs(sizes) do
    if type(size) ~= "number" or size < 0 or size ~= math.floor(size) then
      error(("%s: size %d of the shape is %s, expected a whole number from 0"):format(where, axis,
        shown.value(size)), level + 1)
    end
    length, bytes = length * size, bytes * math.max(size, 1)
  end
  if bytes > MOST then
    local texts = {}
    for i, size in ipairs(sizes) do texts[i] = ("%.0f"):format(size) end
    error(("%s: %s %s is more than memory can hold"):format(where, shape.text(texts), dtype), level + 1)
  end
  return length
end

--- `sizes` with a -1 replaced by what `length` elements leave for it; raises when they do not fit.
---@return integer[]
function shape.resolve(sizes, length, where, level)
  local open, known = nil, 1
  for axis, size in ipairs(sizes) do
    if size == -1 and not open then
      open = axis
    elseif size == -1 then
      error(("%s: only one size may be -1"):format(where), level + 1)
    elseif type(size) == "number" then
      known = known * size
    end
  end
  local text = {}
  for i, size in ipairs(sizes) do text[i] = tostring(size) end
  if open then
    sizes[open] = known == 0 and 0 or length / known
    if known < 0 or sizes[open] ~= math.floor(sizes[open]) then sizes[open] = 0 end
  end
  if shape.measure(sizes, "", 1, where, level + 1) ~= length then
    error(("%s: %d elements do not fill %s"):format(where, length, shape.text(text)), level + 1)
  end
  return sizes
end

return shape
