-- size: norms and other single numbers of a matrix; part of tm.linalg.
-- SPDX-License-Identifier: MIT

local blas = require("tidemill.blas")
local operand = require("tidemill.operand")
local arguments = require("tidemill.kernels.arguments")
local shown = require("tidemill.shown")

local number_at = require("tidemill.array").number_at
local hold, kernel = arguments.hold, operand.kernel

local function refuse(...) error((...):format(select(2, ...)), 3) end

local linalg = {}

--- Sum of the diagonal.
---@param a tidemill.matrix square
---@return number
function linalg.trace(a)
  a = operand.square("trace", "a", a)
  local sum = 0
  for i = 0, a.rows - 1 do sum = sum + number_at(a.array, i * a.rows + i) end
  hold(a)
  return sum
end

-- Root of the sum of squares, also where a square is beyond what a number holds.
local function length_of(a)
  local values, size = a.array:pointer(), a.rows * a.columns
  local sum = kernel("dot", a.dtype)(values, values, size)
  if sum ~= sum or (sum > 1e-290 and sum < math.huge) then return math.sqrt(sum) end
  local most = 0
  for i = 0, size - 1 do most = math.max(most, math.abs(values[i])) end
  if most == 0 or most == math.huge then return most end
  sum = 0
  for i = 0, size - 1 do sum = sum + (values[i] / most) ^ 2 end
  return most * math.sqrt(sum)
end

-- The largest sum of sizes along an axis; a NaN makes it NaN.
local function largest_sum(a, lines, length, apart, next)
  local most = 0
  for line = 0, lines - 1 do
    local sum = 0
    for i = 0, length - 1 do sum = sum + math.abs(number_at(a.array, line * apart + i * next)) end
    if sum ~= sum then return sum end
    if sum > most then most = sum end
  end
  return most
end

local kinds = "\"fro\", 1, 2, math.huge or \"nuc\""

--- The size of a vector or a matrix.  `kind`: nil or "fro", the root of the sum of squares; 1, the
--- largest sum of sizes of a column; math.huge, of a row (of a vector: the sum and the largest); 2,
--- the largest singular value (of a vector: as "fro"); "nuc", the sum of those.
---     tm.linalg.norm({3, 4})                                          --> 5
---@param a tidemill.matrix
---@param kind? "fro"|"nuc"|1|2|number
---@return number
function linalg.norm(a, kind)
  a = operand.any("norm", "a", a)
  local out
  if kind == nil or kind == "fro" or (kind == 2 and #a.shape == 1) then
    out = length_of(a)
  elseif kind == 1 then
    out = largest_sum(a, a.columns, a.rows, 1, a.columns)
  elseif kind == math.huge then
    out = largest_sum(a, a.rows, a.columns, a.columns, 1)
  elseif (kind == 2 or kind == "nuc") and #a.shape == 2 then
    if a.rows * a.columns == 0 then return 0 end
    blas.need("norm", 2)
    operand.check_finite("norm", "a", a)
    local s = require("tidemill.linalg.factor").singular_values(a.array)
    out = 0
    for i = 1, math.min(kind == 2 and 1 or s.length, s.length) do out = out + s[i] end
  else
    refuse("norm: kind must be %s, got %s%s", kinds, shown.value(kind),
      kind == "nuc" and " of a vector" or "")
  end
  hold(a)
  return out
end

return linalg
