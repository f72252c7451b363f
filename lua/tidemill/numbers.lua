-- numbers: lists that hold nothing but numbers, as arrays: those cross to a task without a look at each
-- element, and one is read in a few cycles.
-- SPDX-License-Identifier: MIT
local new_table = require("table.new")
local array = require("tidemill.array")

local numbers = {}

local fewest = 16 -- an array costs as much as some elements of a table

--- The array of list[1..count]; nil if something else than a number is there, or too few are.
---@param list table
---@param count integer
---@return tidemill.array?
function numbers.pack(list, count)
  if count < fewest then return nil end
  for i = 1, count do
    if type(list[i]) ~= "number" then return nil end
  end
  local packed = array.new("float64", count)
  local to = packed:pointer()
  for i = 1, count do to[i - 1] = list[i] end
  return packed
end

--- The list of the first `count` elements of what `pack` has made.
---@param packed tidemill.array
---@param count integer
---@return number[]
function numbers.unpack(packed, count)
  local list, from = new_table(count, 0), packed:pointer()
  for i = 1, count do list[i] = from[i - 1] end
  return list
end

return numbers
