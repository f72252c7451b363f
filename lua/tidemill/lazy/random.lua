-- random: lazy arrays of random numbers: tm.random.uniform({1000, 1000}), tm.random.normal(10).
-- Element i of a stream is the same whatever the chunks and the workers.  A stream comes from the
-- option `seed`; without it from the setting `seed` and the order in which the script makes its streams.
-- What is chosen by weights or without putting it back, and orders, are drawn at once.
-- SPDX-License-Identifier: MIT

local array = require("tidemill.array")
local core = require("tidemill.core")
local dtypes = require("tidemill.dtype")
local expr = require("tidemill.lazy.expr")
local kernels = require("tidemill.kernels")
local lazy = require("tidemill.lazy")
local make = require("tidemill.lazy.make")
local options = require("tidemill.options")
local shown = require("tidemill.shown")

local random = {}

local UNIFORM, NORMAL, LOGNORMAL, EXPONENTIAL, INTEGERS, BERNOULLI = 1, 2, 3, 4, 5, 6 -- kernels/random.h

local made = 0 -- streams without a seed of their own

-- Seed and stream of the next array.
local function stream_of(what, seed, level)
  if seed ~= nil then
    if type(seed) ~= "number" or seed < 0 or seed ~= math.floor(seed) or seed > 2^53 then
      error(("%s: seed must be an integer >= 0, got %s"):format(what, shown.value(seed)), level + 1)
    end
    return seed, 0
  end
  if core.worker then return math.random(0, 2^31 - 1), math.random(0, 2^31 - 1) end -- the task's own stream
  made = made + 1
  return core.seed(), made
end

local function array_of(what, distribution, dims, given, a, b, level)
  local dtype = given.dtype == nil and "float64" or given.dtype
  local seed, stream = stream_of(what, given.seed, level + 1)
  local e = { op = "random", dims = dims, dtype = dtype, distribution = distribution, seed = seed,
    stream = stream, a = a, b = b, name = what }
  return lazy.of(make.cut(e, given.chunks, what, level + 1))
end

local function parameter(what, given, name, default, level)
  local value = given[name]
  if value == nil then return default end
  if type(value) ~= "number" or value ~= value then
    error(("%s: %s must be a number, got %s"):format(what, name, shown.value(value)), level + 1)
  end
  return value
end

-- The same of what no distribution has below 0.
local function spread(what, given, name, level)
  local value = parameter(what, given, name, 1, level + 1)
  if value < 0 or value == math.huge then
    error(("%s: %s must be finite and >= 0, got %s"):format(what, name, value), level + 1)
  end
  return value
end

-- The element type of a distribution of reals; `both`: float32 too.
local function float(what, given, both, level)
  if given.dtype ~= nil and not both and given.dtype ~= "float64" then
    error(("%s: dtype must be float64, got %s"):format(what, shown.value(given.dtype)), level + 1)
  end
  if given.dtype ~= nil and not dtypes.is_float(dtypes.check(given.dtype, what, level + 1)) then
    error(("%s: dtype must be float64 or float32, got %s"):format(what, given.dtype), level + 1)
  end
end

--- Uniform numbers in [low, high).
---@param ... integer|integer[]|table shape; then options low (0), high (1), dtype, seed, chunks
---@return tidemill.lazy
function random.uniform(...)
  local dims, given = make.arguments("uniform", { "low", "high", "dtype", "seed", "chunks" }, 2, ...)
  float("uniform", given, true, 2)
  local low, high = parameter("uniform", given, "low", 0, 2), parameter("uniform", given, "high", 1, 2)
  if not (low <= high and high - low < math.huge) then
    error(("uniform: low must not be above high and both finite, got %s and %s"):format(low, high), 2)
  end
  return (array_of("uniform", UNIFORM, dims, given, low, high, 2))
end

--- Normal numbers.
---@param ... integer|integer[]|table shape; then options mean (0), std (1), dtype, seed, chunks
---@return tidemill.lazy
function random.normal(...)
  local dims, given = make.arguments("normal", { "mean", "std", "dtype", "seed", "chunks" }, 2, ...)
  float("normal", given, true, 2)
  return (array_of("normal", NORMAL, dims, given, parameter("normal", given, "mean", 0, 2),
    spread("normal", given, "std", 2), 2))
end

--- exp of normal numbers with this mean and deviation.
---@param ... integer|integer[]|table shape; then options mean (0), std (1), dtype, seed, chunks
---@return tidemill.lazy
function random.lognormal(...)
  local dims, given = make.arguments("lognormal", { "mean", "std", "dtype", "seed", "chunks" }, 2, ...)
  float("lognormal", given, false, 2)
  return (array_of("lognormal", LOGNORMAL, dims, given, parameter("lognormal", given, "mean", 0, 2),
    spread("lognormal", given, "std", 2), 2))
end

--- Exponential numbers.
---@param ... integer|integer[]|table shape; then options scale (1), dtype, seed, chunks
---@return tidemill.lazy
function random.exponential(...)
  local dims, given = make.arguments("exponential", { "scale", "dtype", "seed", "chunks" }, 2, ...)
  float("exponential", given, false, 2)
  return (array_of("exponential", EXPONENTIAL, dims, given, spread("exponential", given, "scale", 2), 0, 2))
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
  local dtype = given.dtype == nil and "int64" or given.dtype
  if dtype ~= "int64" and dtype ~= "int32" then
    error(("integers: dtype must be int64 or int32, got %s"):format(shown.value(dtype)), 2)
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

-- ---- choice and order -------------------------------------------------------------------------------

-- What is chosen from: an array, or nil for the positions 1 to so many; and how many there are.
local function source(what, of, level)
  if type(of) ~= "number" then
    local e = lazy.array_operand(what, of, level + 1)
    if #e.dims == 0 then error(("%s: expected an array with an axis"):format(what), level + 1) end
    return lazy.of(e), e.dims[1]
  end
  if of < 0 or of ~= math.floor(of) or of > 2^53 then
    error(("%s: expected an array or a whole number >= 0, got %s"):format(what, shown.value(of)), level + 1)
  end
  return nil, of
end

-- What a kernel draws; its errors are those of the caller's call: memory may be short.
local function draw(what, level, kernel, ...)
  local fine, drawn = pcall(kernel, ...)
  if fine then return drawn end
  error(("%s: %s"):format(what, (tostring(drawn):gsub("^[^\n]-%.lua:%d+: ", ""))), level + 1)
end

-- The weights of so many elements.
local function weights_of(p, count, level)
  local e = lazy.array_operand("choice: p", p, level + 1)
  if #e.dims ~= 1 or e.dims[1] ~= count then
    error(("choice: p: expected %.0f weights, got the shape %s"):format(count, expr.shape_text(e.dims)),
      level + 1)
  end
  local weights, total = lazy.of(expr.cast(e, "float64")):compute(), 0
  for i = 1, count do
    if not (weights[i] >= 0 and weights[i] < math.huge) then
      error(("choice: p: weight %d: expected a number >= 0, got %s"):format(i, weights[i]), level + 1)
    end
    total = total + weights[i]
  end
  if total == 0 or total == math.huge then
    error(("choice: p: expected weights with a sum above 0, got %s"):format(total), level + 1)
  end
  return weights
end

-- Positions without putting any back, or by weights.
local function positions(given, count, n, level)
  local weights = given.p ~= nil and weights_of(given.p, count, level + 1)
  local seed, stream = stream_of("choice", given.seed, level + 1)
  if n == 0 then return array.new("int64", 0) end -- of however many: a permutation of them takes memory
  if weights then return draw("choice", level + 1, kernels.choice, seed, stream, n, weights) end
  if n > count then
    error(("choice: expected at most %.0f elements where none is put back, got %.0f"):format(count, n),
      level + 1)
  end
  return draw("choice", level + 1, kernels.sample, seed, stream, n, count)
end

--- Elements of an array (of several axes: along the first), or positions from 1 to a number, each as likely:
---     tm.random.choice(52, 5, { replace = false })       -- five of 52 cards
---     tm.random.choice(prices, { 10, 3 }, { seed = 1 })
---@param of any
---@param ... integer|integer[]|table shape; then options replace (true), p (weights), seed, chunks
---@return tidemill.lazy
function random.choice(of, ...)
  local values, count = source("choice", of, 2)
  local dims, given = make.arguments("choice", { "replace", "p", "seed", "chunks" }, 2, ...)
  local n = expr.length(dims)
  if given.replace ~= nil and type(given.replace) ~= "boolean" then
    error(("choice: replace must be true or false, got %s"):format(shown.value(given.replace)), 2)
  elseif given.replace == false and given.p ~= nil then
    error("choice: expected p or replace = false, got both", 2)
  elseif count == 0 and n > 0 then
    error("choice: expected something to choose from, got 0 elements", 2)
  end
  local e
  if given.p == nil and given.replace ~= false and n > 0 then
    local seed, stream = stream_of("choice", given.seed, 2)
    e = { op = "random", dims = values and { n } or dims, dtype = "int64", distribution = INTEGERS,
      seed = seed, stream = stream, a = 1, b = count, name = "choice" }
  else
    e = expr.data(positions(given, count, n, 2))
  end
  if values then
    local taken, shape = lazy.expr(values:take(lazy.of(e), 1)), {}
    for axis, size in ipairs(dims) do shape[axis] = size end
    for axis = 2, #taken.dims do shape[#shape + 1] = taken.dims[axis] end
    e, dims = taken, shape
  end
  return lazy.of(make.cut(expr.reshape(e, dims), given.chunks, "choice", 2))
end

--- The positions 1 to n, or the elements of an array (of several axes: along the first), in a random order.
---@param of any an array or how many
---@param given? {seed?: integer}
---@return tidemill.lazy
function random.permutation(of, given)
  local values, count = source("permutation", of, 2)
  options.only(given, { "seed" }, "permutation", 2)
  local seed, stream = stream_of("permutation", given and given.seed, 2)
  local order = draw("permutation", 2, kernels.permutation, seed, stream, count)
  return values and values:take(order, 1) or lazy.of(expr.data(order))
end

return setmetatable(random, {
  __index = function(_, key)
    local names = {}
    for name in pairs(random) do names[#names + 1] = name end
    error(("tm.random has no \"%s\"%s"):format(shown.name(key),
      require("tidemill.suggest").phrase(key, names)), 2)
  end,
})
