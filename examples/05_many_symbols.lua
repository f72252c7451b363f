-- Shows many items in parallel: made-up prices of 500 symbols, indicators by C kernels.
local tm = require "tidemill"
local kernels = tm.kernels

-- Stream `number` of a seeded generator: the same prices in every run, on every machine.
local function prices_of(number, days)
  local chances, price, prices = kernels.uniform(42, number, days), 100, {}
  for day, chance in chances:iter() do
    price = price * (1 + 0.04 * (chance - 0.5))
    prices[day] = price
  end
  return tm.array(prices)
end

local function study(number)
  local close = prices_of(number, 250)
  return {
    number = number,
    close = close[-1],
    above = close[-1] > kernels.sma(close, 50)[-1],
    rsi = kernels.rsi(close, 14)[-1],
  }
end

local numbers = {}
for number = 1, 500 do numbers[number] = number end
local studied = tm.map(study, numbers)

local above = 0
for _, symbol in ipairs(studied) do
  if symbol.above then above = above + 1 end
end
table.sort(studied, function(a, b) return a.rsi > b.rsi end)

print(("%d of %d above their 50-day average"):format(above, #studied))
for i = 1, 3 do
  print(("symbol %3d  close %6.2f  RSI %.1f"):format(studied[i].number, studied[i].close,
    studied[i].rsi))
end

-- Output:
-- 254 of 500 above their 50-day average
-- symbol 454  close  92.40  RSI 76.2
-- symbol 392  close 124.12  RSI 76.2
-- symbol 412  close 143.06  RSI 74.3
