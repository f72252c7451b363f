-- reduce: sums, extremes, moments, quantiles, running sums and a histogram of 10 million numbers,
-- each by one thread; columns and rows of a matrix of 100 columns.  Best of 5, in seconds.
-- Peers: the same in NumPy, and in bottleneck where it has it.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local ffi = require("ffi")
local tm = require("tidemill")
local C = require("tidemill.clib")
local kernels = tm.kernels

local count, columns = 10000000, 100
local x = kernels.uniform(1, 0, count)

-- The elements of x through `change`, in another type.
local function made(dtype, change)
  local values = {}
  for i = 1, count do values[i] = change(x[i]) end
  return tm.array(values, dtype)
end

local peer = peers.python("reductions.py")

local function row(name, call, against, goal, rounds)
  bench.row { name = name, ours = measure.best(rounds or 5, call), peer = against:match("^bottleneck")
    and "bottleneck" or "NumPy " .. against, peer_value = peer[against], goal = goal }
end

local as_fast = { ratio = 0.9 } -- of what memory gives: the peer reads at its speed

row("sum of 10 M float64", function() kernels.sum(x) end, "sum", as_fast)
row("mean", function() kernels.mean(x) end, "mean", as_fast)
row("min", function() kernels.min(x) end, "min", as_fast)
row("argmax", function() kernels.argmax(x) end, "argmax", as_fast)
row("variance", function() kernels.var(x) end, "var", { ratio = 1 })
row("nansum", function() kernels.nansum(x) end, "nansum", { ratio = 1 })
row("nansum", function() kernels.nansum(x) end, "bottleneck_nansum")
row("nanvar", function() kernels.nanvar(x) end, "nanvar", { ratio = 1 })
row("nanvar", function() kernels.nanvar(x) end, "bottleneck_nanvar")

-- A partial result of a matrix, by the C function itself.
local function fold(kind, outer, n, inner)
  local m = outer * inner
  local partial = ffi.new("int64_t[?]", 4 * m)
  local scratch = ffi.new("double[?]",
    C.tidemill_kernel_reduce_scratch(kind, C.TIDEMILL_FLOAT64, outer, n, inner) / 8 + 1)
  return function()
    C.tidemill_kernel_reduce(kind, C.TIDEMILL_FLOAT64, x:pointer(), outer, n, inner, 0, partial, scratch)
  end
end
local rows = count / columns
row("sum of 100 columns", fold(C.TIDEMILL_REDUCE_SUM, 1, rows, columns), "sum_columns", { ratio = 1 })
row("max of 100 columns", fold(C.TIDEMILL_REDUCE_MAX, 1, rows, columns), "max_columns", { ratio = 1 })
row("moments of 100 columns", fold(C.TIDEMILL_REDUCE_MOMENTS, 1, rows, columns), "var_columns", { ratio = 1 })
row("sum of 100,000 rows", fold(C.TIDEMILL_REDUCE_SUM, rows, columns, 1), "sum_rows", as_fast)

row("median", function() kernels.median(x) end, "partition", { ratio = 1 }, 3)
row("median", function() kernels.median(x) end, "median", { ratio = 1 }, 3)
row("median", function() kernels.median(x) end, "bottleneck_median", nil, 3)
row("quartiles", function() kernels.quantile(x, { 0.25, 0.5, 0.75 }) end, "quartiles", { ratio = 1 }, 3)
row("cumsum", function() kernels.cumsum(x) end, "cumsum", { ratio = 1 })
row("cummax", function() kernels.cummax(x) end, "cummax", { ratio = 1 })
row("histogram of 100 bins", function() kernels.histogram(x, 100, 0, 1) end, "histogram", { ratio = 1 }, 3)

local floats = made("float32", function(value) return value end)
row("sum of 10 M float32", function() kernels.sum(floats) end, "sum_float32")
local ints = made("int32", function(value) return math.floor(value * 1e6) end)
row("sum of 10 M int32", function() kernels.sum(ints) end, "sum_int32")
local mask = made("bool", function(value) return value > 0.5 end)
row("count of 10 M bool", function() kernels.count(mask) end, "count_bool")
