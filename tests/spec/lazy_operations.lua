-- lazy_operations: every operation of lazy arrays, for tests that hold its results against each other:
-- a list of { name, fn(x, y), rounds }, where `rounds` says that sums of floats are in it, whose bits differ
-- from one cut to another.  SPDX-License-Identifier: MIT

local tm = require "tidemill"

local operations = {}

local function add(name, fn, rounds)
  operations[#operations + 1] = { name = name, fn = fn, rounds = rounds or false }
end

-- ---- elementwise ------------------------------------------------------------------------------------

for name in ([[neg abs sign sqrt square reciprocal floor ceil round trunc bnot isnan isfinite isinf exp exp2
    expm1 log log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh]]):gmatch("%S+") do
  add(name, function(x) return x[name](x) end)
end
for name in ("add sub mul div mod pow minimum maximum atan2 eq ne lt le gt ge band bor bxor"):gmatch("%S+") do
  add(name, function(x, y) return x[name](x, y) end)
  add(name .. " 2", function(x) return x[name](x, 2) end)
  add(name .. " 0.5", function(x) return x[name](x, 0.5) end)
  add(name .. " true", function(x) return x[name](x, true) end)
end
add("clip", function(x, y) return x:clip(y, 3) end)
add("clip below", function(x) return x:clip(1) end)
add("where", function(x, y) return tm.where(x:ne(x), x, y) end)
add("where 1", function(x, y) return tm.where(x:ne(y), x, 1) end)
for dtype in ("float64 float32 int64 int32 uint8 bool date timestamp"):gmatch("%S+") do
  add("astype " .. dtype, function(x) return x:astype(dtype) end)
end

-- ---- shapes and places ------------------------------------------------------------------------------

add("T", function(x) return x:T() end)
add("flatten", function(x) return x:flatten() end)
add("squeeze", function(x) return x:squeeze() end)
add("expand_dims", function(x) return x:expand_dims(1) end)
add("flip", function(x) return x:flip(1) end)
add("broadcast_to", function(x) return x:broadcast_to { 2, unpack(x.shape) } end)
add("slice", function(x) return x:slice { { nil, nil, -2 } } end)
add("take", function(x) return x:take({ -1, 1, -1 }, -1) end)
add("mask", function(x, y) return x:slice(x:ne(y)) end)
add("concat", function(x, y) return tm.concat { x, y } end)
add("concat -1", function(x, y) return tm.concat({ x, y, x }, -1) end)
add("stack", function(x, y) return tm.stack({ x, y }, -1) end)
add("map_blocks", function(x) return x:map_blocks(function(block) return block end) end)
add("map_overlap", function(x) return x:map_overlap(function(block) return block end, 1) end)

-- ---- reductions -------------------------------------------------------------------------------------

local function reductions(names, rounds)
  for name in names:gmatch("%S+") do
    add(name, function(x) return x[name](x) end, rounds)
    add(name .. " 1", function(x) return x[name](x, 1) end, rounds)
    add(name .. " -1", function(x) return x[name](x, -1, { keepdims = true }) end, rounds)
  end
end
reductions("min max argmin argmax any all count nanmin nanmax nanargmin nanargmax nancount")
reductions("sum prod mean var std nansum nanprod nanmean nanvar nanstd", true)

-- ---- series -----------------------------------------------------------------------------------------

for name in ("cumsum cumprod cummax cummin"):gmatch("%S+") do
  add(name, function(x) return x[name](x) end)
  add(name .. " -1", function(x) return x[name](x, -1) end)
end
add("diff", function(x) return x:diff() end)
add("sort", function(x) return x:sort() end)
add("sort descending", function(x) return x:sort(1, { descending = true }) end)
add("argsort", function(x) return x:argsort() end)
add("rank", function(x) return x:flatten():rank() end)
add("topk", function(x) return (x:flatten():topk(3)) end)
add("topk -2", function(x) return (select(2, x:flatten():topk(-2))) end)
add("histogram", function(x) return (x:histogram(4, -2, 3)) end)
add("histogram of edges", function(x) return (x:histogram { -10, 0, 1, 5 }) end)
add("quantile", function(x) return x:quantile({ 0.25, 0.9 }, 1) end)
add("median", function(x) return x:median() end)
for name in ("mean sum var std min max median zscore"):gmatch("%S+") do
  add("rolling " .. name, function(x)
    local windows = x:rolling(2, -1)
    return windows[name](windows)
  end)
end
add("rolling quantile", function(x) return x:rolling(3):quantile(0.3) end)
add("rolling corr", function(x) return x:rolling(2, 2):corr() end)

-- ---- products ---------------------------------------------------------------------------------------

for name in ("matmul dot"):gmatch("%S+") do add(name, function(x, y) return x[name](x, y) end, true) end
add("matmul T", function(x) return x:matmul(x:T()) end, true)
add("outer", function(x, y) return x:flatten():outer(y:flatten()) end)
add("tensordot 0", function(x, y) return x:tensordot(y, 0) end, true)
add("tensordot 1, 1", function(x, y) return x:tensordot(y, { 1, 1 }) end, true)
add("cov", function(x) return x:cov() end, true)
add("corr", function(x) return x:corr() end, true)

return operations
