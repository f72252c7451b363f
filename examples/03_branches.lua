-- Shows two branches that run side by side and meet: load -> process -> merge.
local tm = require "tidemill"

local readings = {
  north = { 11.5, 12.0, 13.5, 15.0 },
  south = { 21.0, 22.5, 22.5, 26.0 },
}

local load = tm.delayed(function(name)
  return { name = name, values = readings[name] }
end, { name = "load" })

local process = tm.delayed(function(station)
  return { name = station.name, mean = tm.kernels.mean(station.values) }
end, { name = "process" })

local merge = tm.delayed(function(a, b)
  return ("%s %.2f, %s %.2f, apart %.2f"):format(a.name, a.mean, b.name, b.mean, b.mean - a.mean)
end, { name = "merge" })

local north = process(load("north"))
local south = process(load("south"))

print(merge(north, south):compute())

-- Output:
-- north 13.00, south 23.00, apart 10.00
