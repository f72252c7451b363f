-- random: lazy arrays of random numbers: tm.random.uniform({1000, 1000}), tm.random.normal(10).
-- Element i of a stream is the same whatever the chunks and the workers.  A stream comes from the
-- option `seed`; without it from the setting `seed` and the order in which the script makes its streams.
-- SPDX-License-Identifier: MIT

local core = require("tidemill.core")
local dtypes = require("tidemill.dtype")
local lazy = require("tidemill.lazy")
local make = require("tidemill.lazy.make")

local random = {}

local UNIFORM, NORMAL, LOGNORMAL, EXPONENTIAL, INTEGERS, BERNOULLI = 1, 2, 3, 4, 5, 6 -- kernels/random.h

local made = 0 -- streams without a seed of their own

-- Seed and stream of the next array.
local function stream_of(what, seed, level)
  if seed ~= nil then
    if type(seed) ~= "number" or seed < 0 or seed ~= math.floor(seed) or seed > 2^53 then
      error(("%s: seed must be an integer >= 0, got %s"):format(what, tostring(seed)), level + 1)
    end
    return seed, 0
  end
  if core.worker then return math.random(0, 2^31 - 1), math.random(0, 2^31 - 1) end -- the task's own stream
  made = made + 1
  return core.seed(), made
end

local function array_of(what, distribution, dims, given, a, b, level)
  local dtype = given.dtype or "float64"
  local seed, stream = stream_of(what, given.seed, level + 1)
  local e = { op = "random", dims = dims, dtype = dtype, distribution = distribution, seed = seed,
    stream = stream, a = a, b = b, name = what }
  return lazy.of(make.cut(e, given.chunks, what, level + 1))
end

local function parameter(what, given, name, default, level)
  local value = given[name]
  if value == nil then return default end
  if type(value) ~= "number" or value ~= value then
    error(("%s: %s must be a number, got %s"):format(what, name, tostring(value)), level + 1)
  end
  return value
end

-- The element type of a distribution of reals; `both`: float32 too.
local function float(what, given, both, level)
  if given.dtype and not both and given.dtype ~= "float64" then
    error(("%s: dtype must be float64, got %s"):format(what, tostring(given.dtype)), level + 1)
  end
  if given.dtype and not dtypes.is_float(dtypes.check(given.dtype, what, level + 1)) then
    error(("%s: dtype must be float64 or float32, got %s"):format(what, given.dtype), level + 1)
  end
end

--- Uniform numbers in [low, high).
---@param ... integer|integer[]|table shape; then options low (0), high (1), dtype, seed, chunks
---@return tidemill.lazy
function random.uniform(...)
  local dims, given = make.arguments("uniform", { "low", "high", "dtype", "seed", "chunks" }, 2, ...)
  float("uniform", given, true, 2)
  return (array_of("uniform", UNIFORM, dims, given, parameter("uniform", given, "low", 0, 2),
    parameter("uniform", given, "high", 1, 2), 2))
end

--- Normal numbers.
---@param ... integer|integer[]|table shape; then options mean (0), std (1), dtype, seed, chunks
---@return tidemill.lazy
function random.normal(...)
  local dims, given = make.arguments("normal", { "mean", "std", "dtype", "seed", "chunks" }, 2, ...)
  float("normal", given, true, 2)
  return (array_of("normal", NORMAL, dims, given, parameter("normal", given, "mean", 0, 2),
    parameter("normal", given, "std", 1, 2), 2))
end

--- exp of normal numbers with this mean and deviation.
---@param ... integer|integer[]|table shape; then options mean (0), std (1), dtype, seed, chunks
---@return tidemill.lazy
function random.lognormal(...)
  local dims, given = make.arguments("lognormal", { "mean", "std", "dtype", "seed", "chunks" }, 2, ...)
  float("lognormal", given, false, 2)
  return (array_of("lognormal", LOGNORMAL, dims, given, parameter("lognormal", given, "mean", 0, 2),
    parameter("lognormal", given, "std", 1, 2), 2))
end

--- Exponential numbers.
---@param ... integer|integer[]|table shape; then options scale (1), dtype, seed, chunks
---@return tidemill.lazy
function random.exponential(...)
  local dims, given = make.arguments("exponential", { "scale", "dtype", "seed", "chunks" }, 2, ...)
  float("exponential", given, false, 2)
  return (array_of("exponential", EXPONENTIAL, dims, given,
    parameter("exponential", given, "scale", 1, 2), 0, 2))
end

--- True with probability p.
---@param ... integer|integer[]|table shape; then options p (0.5), seed, chunks
---@return tidemill.lazy
function random.bernoulli(...)
  local dims, given = make.arguments("bernoulli", { "p", "seed", "chunks" }, 2, ...)
  local p = parameter("bernoulli", given, "p", 0.5, 2)
  if p < 0 or p > 1 then error(("bernoulli: p must be from 0 to 1, got %s"):format(p), 2) end
  local own = { dtype = "bool", seed = given.seed, chunks = given.chunks }
  return (array_of("bernoulli", BERNOULLI, dims, own, p, 0, 2))
end

--- Whole numbers from low to high, both included.
---@param ... integer|integer[]|table shape; then options low (1), high, dtype (int64), seed, chunks
---@return tidemill.lazy
function random.integers(...)
  local dims, given = make.arguments("integers", { "low", "high", "dtype", "seed", "chunks" }, 2, ...)
  local dtype = given.dtype or "int64"
  if dtype ~= "int64" and dtype ~= "int32" then
    error(("integers: dtype must be int64 or int32, got %s"):format(tostring(dtype)), 2)
  end
  local low, high = parameter("integers", given, "low", 1, 2), parameter("integers", given, "high", nil, 2)
  if not high then error("integers: the option high is missing", 2) end
  if low ~= math.floor(low) or high ~= math.floor(high) or low > high then
    error(("integers: low and high must be whole numbers and low <= high, got %s and %s"):format(low,
      high), 2)
  end
  local limit = dtype == "int32" and 2^31 or 2^53
  if low < -limit or high > limit - 1 then
    error(("integers: low and high must be from %d to %d for %s, got %s and %s"):format(-limit, limit - 1,
      dtype, low, high), 2)
  end
  local own = { dtype = dtype, seed = given.seed, chunks = given.chunks }
  return (array_of("integers", INTEGERS, dims, own, low, high, 2))
end

-- What is drawn at once, and no stream of independent elements.
local of_kernels = { choice = true, permutation = true }

return setmetatable(random, {
  __index = function(_, key)
    local names = {}
    for name in pairs(random) do names[#names + 1] = name end
    error(("tm.random has no \"%s\"%s"):format(tostring(key), of_kernels[key] and
      ("; tm.kernels.%s has it"):format(key) or require("tidemill.suggest").phrase(key, names)), 2)
  end,
})
