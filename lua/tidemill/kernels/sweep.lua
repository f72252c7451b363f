-- sweep: sweeps of parameters; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

local refuse, check_list, floats = arguments.refuse, arguments.check_list, arguments.floats
local ints, hold, scratch = arguments.ints, arguments.hold, arguments.scratch

local kernels = {}

arguments.describe {
  sma_cross = "sma_cross(close, fasts, slows)",
  best_pair = "best_pair(totals, fasts, slows)",
}

-- The larger total, then the smaller fast window, then the smaller slow one.
local function is_better(total, fast, slow, best)
  if total ~= best.total then return total > best.total end
  if fast ~= best.fast then return fast < best.fast end
  return slow < best.slow
end

local function find_best(totals, fasts, slows)
  local total, fast, slow = totals:pointer(), fasts:pointer(), slows:pointer()
  local best
  for f = 0, #fasts - 1 do
    for s = 0, #slows - 1 do
      local t = total[f * #slows + s]
      if t == t and (not best or is_better(t, fast[f], slow[s], best)) then
        best = { fast = fast[f], slow = slow[s], total = t }
      end
    end
  end
  hold(totals, fasts, slows)
  return best
end

--- Total return of every pair of a moving-average crossing (hold while the fast average is above
--- the slow one, from two bars later on), NaN where fast >= slow; and the best pair.
---     local totals, best = tm.kernels.sma_cross(close, {5, 10}, {20, 50})
---     print(totals:get(1, 2), best.fast, best.slow, best.total)
---@param close tidemill.numbers
---@param fasts tidemill.numbers windows >= 1
---@param slows tidemill.numbers windows >= 1
---@return tidemill.array totals #fasts x #slows
---@return {fast: integer, slow: integer, total: number}? best nil when no total is a number
function kernels.sma_cross(close, fasts, slows)
  check_list("sma_cross", "close", close)
  check_list("sma_cross", "fasts", fasts)
  check_list("sma_cross", "slows", slows)
  close = floats("sma_cross", "close", close)
  fasts, slows = ints("sma_cross", "fasts", fasts), ints("sma_cross", "slows", slows)
  local n, nf, ns = #close, #fasts, #slows
  local totals = array.new("float64", nf * ns, { nf, ns })
  local work = scratch(tonumber(C.tidemill_kernel_sma_cross_scratch(n, nf, ns)))
  local done = C.tidemill_kernel_sma_cross(close:pointer(), n, fasts:pointer(), nf,
    slows:pointer(), ns, work, totals:pointer())
  hold(close, work)
  if done < 0 then refuse("sma_cross", "every window must be >= 1") end
  return totals, find_best(totals, fasts, slows)
end

--- The best pair of a sweep: the largest total, of equal ones the smaller fast window, then the
--- smaller slow one.
---     local best = tm.kernels.best_pair(totals, {5, 10}, {20, 50})
---@param totals tidemill.numbers row-major, #fasts x #slows
---@param fasts tidemill.numbers
---@param slows tidemill.numbers
---@return {fast: integer, slow: integer, total: number}? best
function kernels.best_pair(totals, fasts, slows)
  if array.is(totals) then totals = totals:reshape(-1) end
  check_list("best_pair", "totals", totals)
  check_list("best_pair", "fasts", fasts)
  check_list("best_pair", "slows", slows)
  totals = floats("best_pair", "totals", totals)
  fasts, slows = ints("best_pair", "fasts", fasts), ints("best_pair", "slows", slows)
  local count = #totals
  if count ~= #fasts * #slows then
    refuse("best_pair", "totals must have %d x %d values, got %d", #fasts, #slows, count)
  end
  return (find_best(totals, fasts, slows))
end

return kernels
