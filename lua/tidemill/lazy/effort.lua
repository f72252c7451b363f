-- effort: whether an expression is so little work that a task would cost more than it.
-- SPDX-License-Identifier: MIT

local expr = require("tidemill.lazy.expr")

local effort = {}

local LITTLE = 2^16 -- elements of a chain

-- ---- what operations take, in elements of a chain ---------------------------------------------------

local function elements(e) return expr.length(e.dims) end

local function of_each(weight)
  return function(e) return weight * elements(e) end
end

local function of_each_input(weight)
  return function(e) return weight * elements(e.input) end
end

local function nothing() return 0 end

-- Multiply-adds: four of them are an element.
local function products(rows, columns, length) return rows * columns * length / 4 end

-- What LAPACK does with a small matrix costs more a number than a product.
local function factors(e)
  local m, n = e.inputs[1].dims[1], e.inputs[1].dims[2]
  return 64 * products(m, n, math.min(m, n))
end

-- Windows, of functions that are ours.
local function windows(e)
  if not e.roll then return math.huge end
  local sorts = e.roll == "median" or e.roll == "quantile"
  return (sorts and 128 + e.window or 8) * elements(e)
end

-- op -> its effort; an array in memory has none but for who reads it.  What is not here is never done at
-- once: functions of users, files, and what was cut into chunks by a user.
local own = {
  data = nothing, constant = elements, index = elements, random = elements, map = elements,
  cast = elements, view = elements, reduce = of_each_input(1), concat = of_each(2), reshape = of_each(2),
  take = of_each(4), scan = of_each(2), windows = windows, overlap = windows,
  sort = of_each(32), row_task = of_each_input(64), topk = of_each_input(8), histogram = of_each_input(8),
  gathered = factors,
  marked = function(e) return 4 * elements(e.inputs[1]) end,
  matmul = function(e) return products(e.dims[1], e.dims[2], e.inputs[1].dims[2]) end,
  related = function(e) return products(e.dims[1], e.dims[2], e.input.dims[2]) end,
}

-- ---- all of an expression ---------------------------------------------------------------------------

-- What is left of `left` without e and what is below it; negative: not enough.  What is in `met` was
-- counted before.
local function without(e, left, met)
  if met[e] then return left end
  met[e] = true
  local of = own[e.op]
  left = of and left - of(e) or -1
  if left < 0 then return -1 end
  if e.input then return without(e.input, left, met) end
  for _, input in ipairs(e.inputs or {}) do
    left = without(input, left, met)
    if left < 0 then return -1 end
  end
  return left
end

--- Whether all of a list of expressions is little work, and ours.
---@return boolean
function effort.is_little(exprs)
  local left, met = LITTLE, {}
  for _, e in ipairs(exprs) do
    left = without(e, left, met)
    if left < 0 then return false end
  end
  return true
end

return effort
