-- A strategy to begin with: every pair of moving averages on every series of prices, in parallel.
-- It runs as it is, on made-up prices; what is yours to change is marked with CHANGE.
--
--     tidemill run THIS.lua                            made-up prices
--     tidemill run THIS.lua --data 'prices/*.csv'      files with a column "close", oldest row first
--     tidemill run THIS.lua --help                     the options below
--     tidemill run THIS.lua --json result.json         the result as a file
local tm = require "tidemill"
local kernels = tm.kernels

-- Options: a name, its default, and what --help says.  A wrong one ends the run with 2.
local options = tm.args({
  data = "", series = 8, days = 750, cost = 0.001, top = 5,
}, {
  help = {
    data = "CSV files, such as 'prices/*.csv'; made-up prices without it",
    series = "how many series are made up",
    days = "and how long they are",
    cost = "what a trade costs, as a share of its value",
    top = "how many lines are printed",
  },
})

-- CHANGE: the parameters to try.  Each combination is one call of `trade` below.
local parameters = {}
for _, fast in ipairs { 5, 10, 20, 30 } do
  for _, slow in ipairs { 20, 50, 100, 150 } do
    if fast < slow then parameters[#parameters + 1] = { fast = fast, slow = slow } end
  end
end

-- Closing prices of a file.  With `cache` a file is read again only when it has changed.
local load = tm.delayed(function(path)
  return tm.read_csv(path, { columns = { "close" } }).close
end, { name = "load", cache = true })

-- A random walk: stream `number` of a seeded generator, so every run has the same prices.
local make_up = tm.delayed(function(number, days)
  local price, prices = 100, {}
  for day, chance in kernels.uniform(1, number, days):iter() do
    price = price * (1 + 0.04 * (chance - 0.498))
    prices[day] = price
  end
  return tm.array(prices)
end, { name = "make_up", cache = true })

-- CHANGE: the strategy.  This one holds the share on days after the fast average was above the slow
-- one.  What it decides on a day may use prices up to that day alone, and counts from the next day on.
-- It is a task: it sees its arguments and the locals above, and gives back one value.
local trade = tm.delayed(function(close, parameter, cost)
  local fast, slow = kernels.sma(close, parameter.fast), kernels.sma(close, parameter.slow)
  local change = kernels.returns(close)
  local value, highest, drawdown, held, trades = 1, 1, 0, false, 0
  for day = 2, #close do
    local wanted = fast[day - 1] > slow[day - 1] -- false while an average has too few days (NaN)
    if wanted ~= held then
      held, trades = wanted, trades + 1
      value = value * (1 - cost)
    end
    if held then value = value * (1 + change[day]) end
    highest = math.max(highest, value)
    drawdown = math.min(drawdown, value / highest - 1)
  end
  return { gain = value - 1, drawdown = drawdown, trades = trades }
end, { name = "trade", cache = true })

-- CHANGE: what makes one outcome better than another.
local function is_better(a, b)
  if a.gain ~= b.gain then return a.gain > b.gain end
  return a.order < b.order -- the same order in every run
end

-- The graph.  Calls of delayed functions build nodes; nothing runs yet.
local names, prices = {}, {}
if options.data ~= "" then
  names = tm.glob(options.data)
  if #names == 0 then error("--data: no file is named " .. options.data, 0) end
  for i, path in ipairs(names) do prices[i] = load(path) end
else
  for i = 1, options.series do
    names[i], prices[i] = "series " .. i, make_up(i, options.days)
  end
end
local nodes = {}
for _, close in ipairs(prices) do
  for _, parameter in ipairs(parameters) do
    nodes[#nodes + 1] = trade(close, parameter, options.cost)
  end
end

-- Here it runs, on all cores; what is in the cache does not run again.  Change a comment and all comes
-- from the cache; change `trade` and prices still do: `tidemill explain THIS.lua` says what and why.
local outcomes = tm.compute(nodes)

for i, outcome in ipairs(outcomes) do
  local parameter = parameters[(i - 1) % #parameters + 1]
  outcome.order, outcome.name = i, names[math.ceil(i / #parameters)]
  outcome.fast, outcome.slow = parameter.fast, parameter.slow
end
table.sort(outcomes, is_better)

tm.say("series            fast  slow      gain  drawdown  trades")
for i = 1, math.min(options.top, #outcomes) do
  local o = outcomes[i]
  tm.say(("%-16s  %4d  %4d  %7.1f %%  %6.1f %%  %6d"):format(o.name, o.fast, o.slow, 100 * o.gain,
    100 * o.drawdown, o.trades))
end
local stats = tm.stats()
tm.say(("%d tasks computed, %d from the cache"):format(stats.misses, stats.hits))

-- What a script returns is what --json writes.
return { best = outcomes[1], outcomes = #outcomes }
