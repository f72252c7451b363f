-- rolling: windows of 5, 20, 30 and 252, per 1,000 values, best of 15 rounds: a:rolling(window):mean()
-- and :std() of an array of 10^7 values, on all workers, as a script calls them; then kernels over 10^6
-- values on one thread, as pandas and bottleneck are; and the correlation matrices of 200 series in all
-- 223 windows of 30 of their 252 days, best of 5, by the kernel and by tasks.  "One thread": the kernels
-- of means and deviations write to memory that is there, as NumPy's allocator gives it to bottleneck from
-- the second round on; "called" is the same by tm.kernels, whose results have new memory each time, as in
-- all other rows.  Peers: pandas, best of 5 (2 where it is slow), and bottleneck, best of 15, over 10^6
-- values on one thread.
package.path = "tests/bench/lib/?.lua;" .. package.path
local ffi = require("ffi")
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")
local C = require("tidemill.clib")
local kernels = tm.kernels

local count, rounds = 1000000, 15
local theirs = peers.python("rolling.py", "windows", count)

-- Prices that walk.
local function prices(seed)
  local steps, list, price = kernels.uniform(seed, 0, count), {}, 100
  for i = 1, count do
    price = price + (steps[i] - 0.5) * 0.35
    list[i] = price
  end
  return tm.array(list)
end
local x, y = prices(1), prices(2)

local function row(name, ours, peer, value, goal)
  bench.row { name = name .. ", per 1,000", ours = ours * 1000, peer = peer,
    peer_value = value and value * 1000, goal = goal }
end

local lengths = { 5, 20, 30, 252 }
local function rows(name, window, ours, goals)
  for _, peer in ipairs { "pandas", "bottleneck" } do
    row(("rolling %s, window %d"):format(name, window), ours, peer,
      theirs[("%s_%s_%d"):format(peer, name:match("%a+"), window)], goals[peer])
  end
end

-- On all workers.
do
  local ten = {}
  for i = 1, 10 do ten[i] = x end
  local large = tm.concat(ten):compute()
  for _, window in ipairs(lengths) do
    local mean, std = measure.best_of_each(rounds, {
      function() large:rolling(window):mean():compute() end,
      function() large:rolling(window):std():compute() end,
    })
    rows("mean", window, mean / #large, { pandas = { ratio = 5 }, bottleneck = { ratio = 1 } })
    rows("std", window, std / #large, { pandas = { ratio = 5 }, bottleneck = { ratio = 1 } })
  end
end

-- Means and deviations into memory that is there.
local out, from = kernels.rolling_mean(x, 5), x:pointer()
local to = out:pointer()
for _, window in ipairs(lengths) do
  local size = tonumber(C.tidemill_kernel_rolling_scratch(count, 1, window))
  local scratch = ffi.new("double[?]", size)
  local mean, std = measure.best_of_each(rounds, {
    function() C.tidemill_kernel_rolling_mean(from, count, 1, window, window, scratch, to) end,
    function() C.tidemill_kernel_rolling_std(from, count, 1, window, 1, window, scratch, to) end,
  })
  rows("mean, one thread", window, mean / count, {})
  rows("std, one thread", window, std / count, {})
end

for _, kind in ipairs {
  { "mean, called", kernels.rolling_mean }, { "std, called", kernels.rolling_std },
  { "min", kernels.rolling_min }, { "median", kernels.rolling_median, rounds = 3 },
} do
  for _, window in ipairs(lengths) do
    rows(kind[1], window,
      measure.best(kind.rounds or rounds, function() kind[2](x, window) end) / count, {})
  end
end
for _, window in ipairs { 20, 252 } do
  row(("rolling corr, window %d"):format(window),
    measure.best(5, function() kernels.rolling_corr(x, y, window) end) / count, "pandas",
    theirs["pandas_corr_" .. window])
end
row("ewm mean, span 20", measure.best(5, function() kernels.ewm_mean(x, { span = 20 }) end) / count,
  "pandas", theirs.pandas_ewm_mean)

local series, days, window = 200, 252, 30
local list = {}
for i = 1, series do list[i] = x:slice { { i * days, (i + 1) * days - 1 } } end
local pandas = peers.python("rolling.py", "correlation", series, days, window).pandas
bench.row { name = "correlation matrices of 223 windows, one thread",
  ours = measure.best(5, function() kernels.rolling_correlation(list, window) end),
  peer = "pandas", peer_value = pandas }
local matrix = tm.stack(list):T():compute()
bench.row { name = "  the same by tasks, all workers",
  ours = measure.best(5, function() matrix:rolling(window):corr():compute() end),
  peer = "pandas", peer_value = pandas, goal = { ratio = 1000 } }
