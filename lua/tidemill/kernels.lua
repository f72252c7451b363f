-- kernels: the C kernels, one Lua function each; tm.kernels.
-- Inputs are arrays or plain tables of numbers, outputs are new arrays; positions count from 1.
-- What each computes to the bit, and what a NaN does, is said in kernels/*.h.
-- The functions of a family are loaded when one of them is first used.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local C = require("tidemill.clib")
local shown = require("tidemill.shown")

local kernels = {}

-- Module of tidemill.kernels -> names of its functions.
local families = {
  indicator = [[returns sma ema rsi macd bbands atr stddev]],
  statistics = [[variance var std max_drawdown count_moves ohlcv_check]],
  reduce = [[sum prod mean min max argmin argmax any all count nansum nanprod nanmean nanvar nanstd
    nanmin nanmax nanargmin nanargmax nancount]],
  scan = [[cumsum cumprod cummax cummin]],
  quantile = [[median quantile nanquantile partition topk]],
  histogram = [[histogram bincount]],
  order = [[group intersect locate]],
  sort = [[sort argsort is_sorted rank unique searchsorted]],
  parts = [[splitters split sort_parts merge]],
  select = [[take put compress nonzero]],
  sweep = [[sma_cross best_pair]],
  correlation = [[standardise correlation]],
  elementwise = [[add sub mul div mod minimum maximum neg abs sign sqrt square reciprocal floor ceil
    round trunc clip cast]],
  comparison = [[eq ne lt le gt ge band bor bxor bnot isnan isfinite isinf where]],
  transcendental = [[pow atan2 exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan sinh
    cosh tanh]],
  matrix = [[matmul transpose outer covariance]],
  random = [[uniform normal lognormal exponential integers bernoulli choice sample permutation]],
  rolling = [[rolling_sum rolling_mean rolling_var rolling_std rolling_zscore rolling_min rolling_max
    rolling_median rolling_quantile rolling_cov rolling_corr]],
  pairwise = [[rolling_correlation]],
  decay = [[ewm_mean ewm_var ewm_std]],
}

local family_of = {}
for family, names in pairs(families) do
  for name in names:gmatch("%S+") do family_of[name] = family end
end

--- The instruction set in use: "plain", "avx2", "avx512" or "neon".  Results do not depend on it.
---     print(tm.kernels.isa())
---@return string
function kernels.isa()
  return ffi.string(C.tidemill_kernel_isa())
end

-- The names of all kernels, sorted.
local function names_of_all()
  local names = { "isa" }
  for name in pairs(family_of) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return setmetatable(kernels, {
  __index = function(_, key)
    local family = family_of[key]
    if not family then
      error(("tm.kernels has no \"%s\"%s"):format(shown.name(key),
        require("tidemill.suggest").phrase(key, names_of_all())), 2)
    end
    local kernel = require("tidemill.kernels." .. family)[key]
    rawset(kernels, key, kernel)
    return kernel
  end,
})
