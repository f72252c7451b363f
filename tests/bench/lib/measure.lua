-- measure: repeated measurements, and bodies that take a known time.
-- SPDX-License-Identifier: MIT
local ffi = require("ffi")
local tm = require("tidemill")

local measure = {}

--- Seconds of one call.
function measure.time(fn)
  local began = tm.clock()
  fn()
  return tm.clock() - began
end

--- The least time of `rounds` calls: what the machine can do when others leave it alone.
function measure.best(rounds, fn)
  local least = math.huge
  for _ = 1, rounds do
    collectgarbage()
    least = math.min(least, measure.time(fn))
  end
  return least
end

--- The least times of several functions, measured in turns so that a slow moment meets all alike.
function measure.best_of_each(rounds, fns)
  local least = {}
  for _ = 1, rounds do
    for i, fn in ipairs(fns) do
      collectgarbage()
      least[i] = math.min(least[i] or math.huge, measure.time(fn))
    end
  end
  return unpack(least)
end

--- The middle one of some numbers, which are sorted by it.
function measure.median(values)
  table.sort(values)
  local half = #values / 2
  return half % 1 == 0 and (values[half] + values[half + 1]) / 2 or values[half + 0.5]
end

--- A copy of a function without upvalues, with traces of its own: a loop that has called nodes and
--- plain functions alike is compiled for neither.
function measure.copy(fn) return assert(loadstring(string.dump(fn))) end

-- Each step waits for the one before it, so that no compiler and no neighbour on the core makes
-- the loop much faster.
function measure.spin(steps)
  local x = 1
  for _ = 1, steps do x = x * 0.999999 + 0.000001 end
  return x
end

--- Steps of measure.spin that take `seconds` when nothing else runs.
function measure.steps(seconds)
  local steps, spin = 1000000, measure.spin
  local least = measure.best(20, function() spin(steps) end)
  return math.max(1, math.floor(steps * seconds / least + 0.5))
end

ffi.cdef "int poll(void *files, unsigned long count, int milliseconds);"

--- Sleeps in the calling thread alone; the engine hears nothing of it.
function measure.sleep(seconds) ffi.C.poll(nil, 0, math.ceil(seconds * 1000)) end

--- A number of /proc/self/status in bytes: "VmRSS", "VmHWM".
function measure.resident(name)
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^" .. name .. ":%s*(%d+) kB")
    if kilobytes then return tonumber(kilobytes) * 1024 end
  end
end

return measure
