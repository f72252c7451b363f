-- random: random numbers of streams; part of tm.kernels.
-- Which words of a stream an element takes is said in kernels/random.h.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")
require("tidemill.kernels.declare")("random.h")

local fail, refuse, check_list = arguments.fail, arguments.refuse, arguments.check_list
local is_integer, check_integer = arguments.is_integer, arguments.check_integer
local check_number = arguments.check_number
local floats, hold, shown = arguments.floats, arguments.hold, arguments.shown

local kernels = {}

arguments.describe {
  uniform = "uniform(seed, stream, n, first)",
  normal = "normal(seed, stream, n, mean, sd, first)",
  lognormal = "lognormal(seed, stream, n, mean, sd, first)",
  exponential = "exponential(seed, stream, n, scale, first)",
  integers = "integers(seed, stream, n, low, high, first)",
  bernoulli = "bernoulli(seed, stream, n, probability, first)",
  choice = "choice(seed, stream, n, of, first)",
  sample = "sample(seed, stream, n, length)",
  permutation = "permutation(seed, stream, n)",
}

local function is_int64(v) return ffi.istype("int64_t", v) end

local function is_word(v)
  return ffi.istype("uint64_t", v) or is_int64(v) and v >= 0 or is_integer(v, 0, 2^53)
end

local function check_part(name, seed, stream, n, first)
  if not is_word(seed) then fail(name, "seed must be an integer >= 0, got %s", shown(seed)) end
  if not is_word(stream) then fail(name, "stream must be an integer >= 0, got %s", shown(stream)) end
  if not is_integer(n, 0, 2^53) then fail(name, "n must be an integer >= 0, got %s", shown(n)) end
  if not is_integer(first, 1, 2^53) then
    fail(name, "first must be an integer >= 1, got %s", shown(first))
  end
end

local function check_size(name, argument, v)
  if type(v) ~= "number" or v < 0 or v ~= v then
    fail(name, "%s must be a number >= 0, got %s", argument, shown(v))
  end
end

--- Numbers in [0, 1) of a stream: number i depends on (seed, stream, i) alone.
---     tm.kernels.uniform(42, 0, 3)                       -- numbers 1 to 3 of stream 0
---     tm.kernels.uniform(42, 0, 2, 1001)                 -- numbers 1001 and 1002
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param first? integer from 1
---@return tidemill.array
function kernels.uniform(seed, stream, n, first)
  if first == nil then first = 1 end
  check_part("uniform", seed, stream, n, first)
  local out = array.new("float64", n)
  C.tidemill_kernel_uniform(seed, stream, first - 1, n, out:pointer())
  return out
end

--- Normal numbers of a stream.
---     tm.kernels.normal(42, 0, 1000)                     -- mean 0, standard deviation 1
---     tm.kernels.normal(42, 0, 1000, 170, 10)
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param mean? number default 0
---@param sd? number standard deviation, default 1
---@param first? integer from 1
---@return tidemill.array
function kernels.normal(seed, stream, n, mean, sd, first)
  if first == nil then first = 1 end
  if mean == nil then mean = 0 end
  if sd == nil then sd = 1 end
  check_part("normal", seed, stream, n, first)
  check_number("normal", "mean", mean)
  check_size("normal", "sd", sd)
  local out = array.new("float64", n)
  C.tidemill_kernel_random_normal(seed, stream, first - 1, n, mean, sd, out:pointer())
  return out
end

--- Numbers whose logarithm is normal.
---     tm.kernels.lognormal(42, 0, 1000, 0, 0.2)
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param mean? number of the logarithm, default 0
---@param sd? number of the logarithm, default 1
---@param first? integer from 1
---@return tidemill.array
function kernels.lognormal(seed, stream, n, mean, sd, first)
  if first == nil then first = 1 end
  if mean == nil then mean = 0 end
  if sd == nil then sd = 1 end
  check_part("lognormal", seed, stream, n, first)
  check_number("lognormal", "mean", mean)
  check_size("lognormal", "sd", sd)
  local out = array.new("float64", n)
  C.tidemill_kernel_random_lognormal(seed, stream, first - 1, n, mean, sd, out:pointer())
  return out
end

--- Exponential numbers with mean `scale` (default 1).
---     tm.kernels.exponential(42, 0, 1000, 0.5)
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param scale? number
---@param first? integer from 1
---@return tidemill.array
function kernels.exponential(seed, stream, n, scale, first)
  if first == nil then first = 1 end
  if scale == nil then scale = 1 end
  check_part("exponential", seed, stream, n, first)
  check_size("exponential", "scale", scale)
  local out = array.new("float64", n)
  C.tidemill_kernel_random_exponential(seed, stream, first - 1, n, scale, out:pointer())
  return out
end

--- Integers from low to high, both included, each as likely.
---     tm.kernels.integers(42, 0, 10, 1, 6)               -- ten throws of a die
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param low integer to 2^53 in size; or an int64_t
---@param high integer
---@param first? integer from 1
---@return tidemill.array int64
function kernels.integers(seed, stream, n, low, high, first)
  if first == nil then first = 1 end
  check_part("integers", seed, stream, n, first)
  if not is_int64(low) then check_integer("integers", "low", low, -2^53, 2^53) end
  if not is_int64(high) then check_integer("integers", "high", high, -2^53, 2^53) end
  if high < low then
    refuse("integers", "high must not be below low, got %s and %s", shown(low), shown(high))
  end
  local out = array.new("int64", n)
  C.tidemill_kernel_random_integers_i64(seed, stream, first - 1, n, low, high, out:pointer())
  return out
end

--- True with this probability, else false.
---     tm.kernels.bernoulli(42, 0, 10, 0.3)
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param probability number from 0 to 1
---@param first? integer from 1
---@return tidemill.array bool
function kernels.bernoulli(seed, stream, n, probability, first)
  if first == nil then first = 1 end
  check_part("bernoulli", seed, stream, n, first)
  check_number("bernoulli", "probability", probability)
  if probability < 0 or probability > 1 or probability ~= probability then
    refuse("bernoulli", "probability must be from 0 to 1, got %s", shown(probability))
  end
  local out = array.new("bool", n)
  C.tidemill_kernel_random_bernoulli(seed, stream, first - 1, n, probability, out:pointer())
  return out
end

-- Positions by weight, or nothing where the weights are none.
local function weighted(seed, stream, n, weights, first)
  local length = #weights
  local sums = ffi.new("double[?]", length)
  if C.tidemill_kernel_choice_table(weights:pointer(), length, sums) < 0 then return end
  hold(weights)
  local out = array.new("int64", n)
  C.tidemill_kernel_random_choice(seed, stream, first - 1, n, sums, length, 1, out:pointer())
  return out
end

--- Positions from 1, drawn with replacement: of a number, each as likely; of weights, by them.
---     tm.kernels.choice(42, 0, 10, 52)                   -- ten of 52 cards, each put back
---     tm.kernels.choice(42, 0, 10, {0.5, 0.3, 0.2})
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param of integer|tidemill.numbers how many there are, or the weight of each
---@param first? integer from 1
---@return tidemill.array int64
function kernels.choice(seed, stream, n, of, first)
  if first == nil then first = 1 end
  check_part("choice", seed, stream, n, first)
  if type(of) ~= "number" then
    check_list("choice", "of", of)
    local out = weighted(seed, stream, n, floats("choice", "of", of), first)
    if not out then refuse("choice", "weights must be finite, >= 0 and not all 0") end
    return out
  end
  check_integer("choice", "of", of, 1)
  local out = array.new("int64", n)
  C.tidemill_kernel_random_integers_i64(seed, stream, first - 1, n, 1, of, out:pointer())
  return out
end

--- n different positions of 1 to length: the first n of their permutation.
---     tm.kernels.sample(42, 0, 5, 52)                    -- five of 52 cards
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer at most length
---@param length integer
---@return tidemill.array int64
function kernels.sample(seed, stream, n, length)
  check_part("sample", seed, stream, n, 1)
  check_integer("sample", "length", length, 0)
  if n > length then refuse("sample", "n must be at most length, got %d of %d", n, length) end
  local out, order = array.new("int64", n), array.new("int64", length)
  C.tidemill_kernel_random_sample(seed, stream, length, n, 1, order:pointer(), out:pointer())
  hold(order)
  return out
end

--- The positions 1 to n in a random order, all orders as likely.
---     tm.kernels.take(values, tm.kernels.permutation(42, 0, #values))   -- values, shuffled
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@return tidemill.array int64
function kernels.permutation(seed, stream, n)
  check_part("permutation", seed, stream, n, 1)
  local out = array.new("int64", n)
  C.tidemill_kernel_random_permutation(seed, stream, n, 1, out:pointer())
  return out
end

return kernels
