---@meta _
-- What editors know of tm.kernels: random numbers.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill.kernels
local kernels = {}

-- Random numbers -------------------------------------------------------------------------------

--- Numbers in [0, 1) of a stream: number i depends on (seed, stream, i) alone.
---     tm.kernels.uniform(42, 0, 3)                       -- numbers 1 to 3 of stream 0
---     tm.kernels.uniform(42, 0, 2, 1001)                 -- numbers 1001 and 1002
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param first? integer from 1
---@return tidemill.array
function kernels.uniform(seed, stream, n, first) end

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
function kernels.normal(seed, stream, n, mean, sd, first) end

--- Numbers whose logarithm is normal.
---     tm.kernels.lognormal(42, 0, 1000, 0, 0.2)
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param mean? number of the logarithm, default 0
---@param sd? number of the logarithm, default 1
---@param first? integer from 1
---@return tidemill.array
function kernels.lognormal(seed, stream, n, mean, sd, first) end

--- Exponential numbers with mean `scale` (default 1).
---     tm.kernels.exponential(42, 0, 1000, 0.5)
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param scale? number
---@param first? integer from 1
---@return tidemill.array
function kernels.exponential(seed, stream, n, scale, first) end

--- Integers from low to high, both included, each as likely.
---     tm.kernels.integers(42, 0, 10, 1, 6)               -- ten throws of a die
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param low integer to 2^53 in size; or an int64_t
---@param high integer
---@param first? integer from 1
---@return tidemill.array int64
function kernels.integers(seed, stream, n, low, high, first) end

--- True with this probability, else false.
---     tm.kernels.bernoulli(42, 0, 10, 0.3)
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param probability number from 0 to 1
---@param first? integer from 1
---@return tidemill.array bool
function kernels.bernoulli(seed, stream, n, probability, first) end

--- Positions from 1, drawn with replacement: of a number, each as likely; of weights, by them.
---     tm.kernels.choice(42, 0, 10, 52)                   -- ten of 52 cards, each put back
---     tm.kernels.choice(42, 0, 10, {0.5, 0.3, 0.2})
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@param of integer|tidemill.numbers how many there are, or the weight of each
---@param first? integer from 1
---@return tidemill.array int64
function kernels.choice(seed, stream, n, of, first) end

--- n different positions of 1 to length: the first n of their permutation.
---     tm.kernels.sample(42, 0, 5, 52)                    -- five of 52 cards
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer at most length
---@param length integer
---@return tidemill.array int64
function kernels.sample(seed, stream, n, length) end

--- The positions 1 to n in a random order, all orders as likely.
---     tm.kernels.take(values, tm.kernels.permutation(42, 0, #values))   -- values, shuffled
---@param seed integer from 0; or a uint64_t or int64_t
---@param stream integer from 0; or a uint64_t or int64_t
---@param n integer
---@return tidemill.array int64
function kernels.permutation(seed, stream, n) end
