-- Shows the correlations of 200 symbols in every window of 30 days of a year: 223 matrices of 200 x 200.
local tm = require "tidemill"

local symbols, days, window = 200, 252, 30

-- Daily returns: a market that all follow, more and more in the second half, and what is their own.
local market = tm.random.normal({ 1, days }, { seed = 1, std = 0.01 })
local own = tm.random.normal({ symbols, days }, { seed = 2, std = 0.02 })
local pull = tm.where(tm.arange(days):lt(days / 2), 0.5, 3)
local returns = (market * pull + own):compute()

-- One matrix a window; its mean is without the diagonal, which is 1.  Tasks take some windows each, and no
-- more of the matrices is kept than they work on.
local all = returns:rolling(window, 2):corr()
print(all)
local means = (all:sum { 2, 3 } - symbols) / (symbols * (symbols - 1))

local values = means:compute()
print(("first window %.2f, last %.2f"):format(values[1], values[-1]))
print(("highest from day %d"):format(means:argmax():compute()))

-- One window by the lazy array's own correlation is the same.
local last = tm.concat { returns }:slice { true, { -window, -1 } }:corr()
print(("%.2f"):format(((last:sum() - symbols) / (symbols * (symbols - 1))):compute()))

-- Rolling windows run along an axis of any array: the volatility of 30 days.
local volatility = returns:rolling(window, 2):std() * math.sqrt(252)
print(volatility)
print(("%.2f"):format(volatility:slice { 1, -1 }:compute()))

-- Output:
-- lazy array 223 x 200 x 200 float64, 15 chunks of 15 x 200 x 200, 68.1 MiB, 15 tasks, not computed: a:compute()
-- first window 0.08, last 0.69
-- highest from day 130
-- 0.69
-- lazy array 200 x 252 float64, one chunk, 394 KiB, 4 tasks, not computed: a:compute()
-- 0.53
