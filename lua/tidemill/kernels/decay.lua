-- decay: means and deviations whose weights decay; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
local transcendental = require("tidemill.kernels.transcendental")
require("tidemill.kernels.declare")("rolling.h")

local fail, shown, check_values = arguments.fail, arguments.shown, arguments.check_values
local is_integer, floats = arguments.is_integer, arguments.floats
local hold, scratch = arguments.hold, arguments.scratch

local kernels = {}

arguments.describe {
  ewm_mean = "ewm_mean(x, {alpha =, span = or halflife =})",
  ewm_var = "ewm_var(x, {alpha =, span = or halflife =})",
  ewm_std = "ewm_std(x, {alpha =, span = or halflife =})",
}

-- 1 - exp(-LN2 / v) loses its digits where v is large and is 0 from 1.3e16 on; and exp of the C library
-- differs from release to release.
local LN2 = 0.6931471805599453

local speeds = {
  alpha = { text = "above 0 and at most 1", holds = function(v) return v > 0 and v <= 1 end,
    alpha = function(v) return v end },
  span = { text = ">= 1", holds = function(v) return v >= 1 and v < math.huge end,
    alpha = function(v) return 2 / (v + 1) end },
  halflife = { text = "above 0", holds = function(v) return v > 0 and v < math.huge end,
    alpha = function(v) return -transcendental.expm1(-LN2 / v) end },
}

local known = { alpha = true, span = true, halflife = true, adjust = true, min_count = true }
local names_of_known = { "adjust", "alpha", "halflife", "min_count", "span" }

-- alpha of options that name one of the three speeds.
local function check_decay(name, options)
  if type(options) ~= "table" then fail(name, "options must be a table, got %s", shown(options)) end
  for key in pairs(options) do
    if not known[key] then
      local nearest = require("tidemill.suggest").phrase(key, names_of_known)
      fail(name, "there is no option %s%s", shown(key), nearest)
    end
  end
  local found, alpha
  for key, speed in pairs(speeds) do
    local value = options[key]
    if value ~= nil then
      if found then fail(name, "options must have one of alpha, span and halflife, got two") end
      if type(value) ~= "number" or not speed.holds(value) then
        fail(name, "%s must be a number %s, got %s", key, speed.text, shown(value))
      end
      found, alpha = key, speed.alpha(value)
    end
  end
  if not found then fail(name, "options must have alpha, span or halflife") end
  if options.adjust ~= nil and type(options.adjust) ~= "boolean" then
    fail(name, "adjust must be true or false, got %s", shown(options.adjust))
  end
  if options.min_count ~= nil and not is_integer(options.min_count, 1, 2 ^ 53) then
    fail(name, "min_count must be an integer >= 1, got %s", shown(options.min_count))
  end
  return alpha
end

local function decayed(kernel, x, shape, alpha, options)
  shape = shape or { x.length }
  local rows = shape[1]
  local columns = rows > 0 and x.length / rows or 0
  local out, work = array.new("float64", x.length, shape), scratch(5 * columns)
  kernel(x:pointer(), rows, columns, alpha, options.adjust == false and 0 or 1,
    options.min_count or 1, work, out:pointer())
  hold(x, work)
  return out
end

--- Mean with weights that fall by the factor 1 - alpha a row; alpha is 2 / (span + 1), or such
--- that a weight halves in `halflife` rows.  `adjust = false`: the recursion
--- mean = (1 - alpha) * mean + alpha * x.  A missing value repeats the mean before it.
---     tm.kernels.ewm_mean({1, 2, 3}, {alpha = 0.5})                  --> 1, 1.667, 2.429
---     tm.kernels.ewm_mean({1, 2, 3}, {span = 3, adjust = false})     --> 1, 1.5, 2.25
---@param x tidemill.numbers
---@param options {alpha: number?, span: number?, halflife: number?, adjust: boolean?, min_count: integer?}
---@return tidemill.array
function kernels.ewm_mean(x, options)
  check_values("ewm_mean", "x", x)
  local alpha = check_decay("ewm_mean", options)
  local shape = array.is(x) and x.shape or nil
  x = floats("ewm_mean", "x", x)
  return decayed(C.tidemill_kernel_ewm_mean, x, shape, alpha, options)
end

--- Variance with decaying weights, without bias; NaN for a single value.
---     tm.kernels.ewm_var({1, 2, 3}, {alpha = 0.5})                   --> nan, 0.5, 0.929
---@param x tidemill.numbers
---@param options {alpha: number?, span: number?, halflife: number?, adjust: boolean?, min_count: integer?}
---@return tidemill.array
function kernels.ewm_var(x, options)
  check_values("ewm_var", "x", x)
  local alpha = check_decay("ewm_var", options)
  local shape = array.is(x) and x.shape or nil
  x = floats("ewm_var", "x", x)
  return decayed(C.tidemill_kernel_ewm_var, x, shape, alpha, options)
end

--- Standard deviation with decaying weights, the root of ewm_var.
---     tm.kernels.ewm_std({1, 2, 3}, {alpha = 0.5})                   --> nan, 0.707, 0.964
---@param x tidemill.numbers
---@param options {alpha: number?, span: number?, halflife: number?, adjust: boolean?, min_count: integer?}
---@return tidemill.array
function kernels.ewm_std(x, options)
  check_values("ewm_std", "x", x)
  local alpha = check_decay("ewm_std", options)
  local shape = array.is(x) and x.shape or nil
  x = floats("ewm_std", "x", x)
  return decayed(C.tidemill_kernel_ewm_std, x, shape, alpha, options)
end

return kernels
