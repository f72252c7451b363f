-- block: what the tasks of map_blocks, map_overlap and rolling do with the functions they were given.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local chunk = require("tidemill.lazy.chunk")
local expr = require("tidemill.lazy.expr")
local lazy = require("tidemill.lazy")

local block = {}

--- What a user's function gave for a chunk, held against what was announced.  Lazy results are computed,
--- and of no axes is an array of one element, or a number.
function block.checked(name, dims, dtype, value)
  if type(value) == "userdata" and lazy.is(value) then value = value:compute() end
  if #dims == 0 then
    if type(value) == "number" or type(value) == "boolean" then value = array.from({ value }, dtype) end
    dims = { 1 }
  end
  if not array.is(value) and type(value) == "table" then value = array.from(value, dtype) end
  if not array.is(value) then
    error(("%s: the function gave a %s, expected an array"):format(name, type(value)), 0)
  end
  if value.dtype ~= dtype then
    error(("%s: the function gave an array of %s, expected %s; name it: {dtype = %q}"):format(name,
      value.dtype, dtype, value.dtype), 0)
  end
  local shape, same = value.shape, #value.shape == #dims
  for axis, size in ipairs(dims) do same = same and shape[axis] == size end
  if not same then
    error(("%s: the function gave a chunk of shape %s, expected %s"):format(name, expr.shape_text(shape),
      expr.shape_text(dims)), 0)
  end
  return value
end

--- The same of a block that was widened: `shape` of it from `before` (places from 0) is what counts.
function block.trimmed(name, dims, dtype, before, shape, value)
  return chunk.box(block.checked(name, dims, dtype, value), before, shape)
end

--- Windows along the first axis of a block that was widened at its beginning.
function block.roll(what, window, argument, before, shape, input)
  local kernel = require("tidemill.kernels")["rolling_" .. what]
  local value
  if argument == nil then value = kernel(input, window) else value = kernel(input, window, argument) end
  return chunk.box(value, before, shape)
end

return block
