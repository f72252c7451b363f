-- rolling: windows of 5, 20, 30 and 252 over 10^6 values on one thread, and the correlation
-- matrices of 200 series in all 223 windows of 30 of their 252 days; all through tm.kernels, best
-- of 15 rounds, with the memory of the results, which is new each time.  Peers: pandas, best of 5
-- (2 where it is slow), and bottleneck, best of 15.
package.path = "tests/bench/lib/?.lua;" .. package.path
local bench, measure, peers = require("bench_table"), require("measure"), require("peers")
local tm = require("tidemill")
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
  bench.row { name = name .. ", per value", ours = ours, peer = peer, peer_value = value, goal = goal }
end

local kinds = {
  { "mean", kernels.rolling_mean, pandas = { ratio = 5 }, bottleneck = { ratio = 1 } },
  { "std", kernels.rolling_std, pandas = { ratio = 5 }, bottleneck = { ratio = 1 } },
  { "min", kernels.rolling_min },
  { "median", kernels.rolling_median, rounds = 3 },
}
for _, kind in ipairs(kinds) do
  local name, kernel = kind[1], kind[2]
  for _, window in ipairs { 5, 20, 30, 252 } do
    local ours = measure.best(kind.rounds or rounds, function() kernel(x, window) end) / count
    for _, peer in ipairs { "pandas", "bottleneck" } do
      row(("rolling %s, window %d"):format(name, window), ours, peer,
        theirs[("%s_%s_%d"):format(peer, name, window)], kind[peer])
    end
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
bench.row { name = "correlation matrices of 223 windows",
  ours = measure.best(rounds, function() kernels.rolling_correlation(list, window) end),
  peer = "pandas", peer_value = peers.python("rolling.py", "correlation", series, days, window).pandas,
  goal = { ratio = 1000 } }
