-- Shows chunks that do not fit: 400 MB of arrays in a process that may have 256 MB.
local tm = require "tidemill"

-- Above 70 % of the limit the oldest results go to disk, and are read from there when a task wants
-- them; above 80 % nothing new is begun while something else can go on.
tm.config { workers = 2, memory = { limit = "256MB" } }

local chunk = 500000 -- float64: 4 MB
local make = tm.delayed(function(first, count)
  local values = {}
  for i = 1, count do values[i] = first + i end
  return tm.array(values)
end, { name = "make" })

local mean = tm.delayed(function(a) return tm.kernels.mean(a) end, { name = "mean" })
local spread = tm.delayed(function(a, centre)
  local most = 0
  for i = 1, #a do most = math.max(most, math.abs(a[i] - centre)) end
  return most
end, { name = "spread" })
local middle = tm.delayed(function(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return sum / #list
end, { name = "middle" })

-- The second pass needs the mean of all: no chunk can go before each has been made.
local chunks, means, spreads = {}, {}, {}
for i = 1, 100 do
  chunks[i] = make((i - 1) * chunk, chunk)
  means[i] = mean(chunks[i])
end
local centre = middle(means)
for i, each in ipairs(chunks) do spreads[i] = spread(each, centre) end

local result = tm.compute { centre = centre, spreads = spreads }
print(("mean %.1f, at most %.1f away"):format(result.centre, math.max(unpack(result.spreads))))

local memory = tm.stats().memory
print("limit " .. memory.limit / 1e6 .. " MB, spilled: " .. tostring(memory.spills > 0))

-- Output:
-- mean 25000000.5, at most 24999999.5 away
-- limit 256 MB, spilled: true
