-- random: random numbers of streams; part of tm.kernels.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local array = require("tidemill.array")
local arguments = require("tidemill.kernels.arguments")

local is_integer, check_integer = arguments.is_integer, arguments.check_integer

local kernels = {}

arguments.describe {
  uniform = "uniform(seed, stream, n, first)",
}

local function is_word(v)
  return ffi.istype("uint64_t", v) or is_integer(v, 0, 2^53)
end

--- Numbers in [0, 1) of a stream: number i depends on (seed, stream, i) alone.
---     tm.kernels.uniform(42, 0, 3)                       -- numbers 1 to 3 of stream 0
---     tm.kernels.uniform(42, 0, 2, 1001)                 -- numbers 1001 and 1002
---@param seed integer from 0; or a uint64_t
---@param stream integer from 0; or a uint64_t
---@param n integer
---@param first? integer from 1
---@return tidemill.array
function kernels.uniform(seed, stream, n, first)
  if first == nil then first = 1 end
  if not is_word(seed) then check_integer("uniform", "seed", seed, 0) end
  if not is_word(stream) then check_integer("uniform", "stream", stream, 0) end
  check_integer("uniform", "n", n, 0)
  check_integer("uniform", "first", first, 1)
  local out = array.new("float64", n)
  C.tidemill_kernel_uniform(seed, stream, first - 1, n, out:pointer())
  return out
end

return kernels
