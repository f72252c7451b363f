-- Shows how to see what the engine does: counters of all and of each worker, and the log.
local tm = require "tidemill"

-- Two workers, unless the command line says otherwise.
tm.config { workers = 2 }

local check = tm.delayed(function(sensor)
  local value = (sensor * 37) % 101
  if value > 90 then
    tm.log.warn("out of range", { sensor = sensor, value = value })
  end
  if value == 0 then error(("sensor %d is dead"):format(sensor), 0) end
  return value
end, { name = "check", retries = 1, retry_delay = 0.001 })

local sensors = {}
for sensor = 1, 101 do sensors[sensor] = sensor end
local report = tm.batch(check, sensors)
print(("%d sensors, %d failed: %s"):format(report.total, report.failed,
  report.errors[1].error.message))

-- Counters since the engine started: every attempt is an execution.
local stats = tm.stats()
print(("executed %d, retries %d, failed %d, skipped %d"):format(stats.executed, stats.retries,
  stats.failed, stats.skipped))

-- Each worker's own counters add up to them; busy and idle are shares of its time.
local executed = 0
for number, worker in ipairs(stats.per_worker) do
  executed = executed + worker.executed
  if worker.busy then
    print(("worker %d: busy %.0f %%, idle %.0f %%"):format(number, 100 * worker.busy,
      100 * worker.idle))
  end
end
print("together", executed == stats.executed)

-- The last 1,000 lines of each worker, as tables; --log FILE writes them all.
local lines = tm.logs { level = "warn", task = "check" }
table.sort(lines, function(a, b) return a.fields.sensor < b.fields.sensor end)
print(("%d warnings"):format(#lines))
for i = 1, 3 do
  local line = lines[i]
  print(("%s: %s, sensor %d says %d"):format(line.level, line.text, line.fields.sensor,
    line.fields.value))
end

print(("memory: %s"):format(stats.peak_resident > 0 and "known" or "unknown"))

-- Output:
-- 101 sensors, 1 failed: sensor 101 is dead
-- executed 102, retries 1, failed 1, skipped 0
-- worker 1: busy <number> %, idle <number> %
-- worker 2: busy <number> %, idle <number> %
-- together	true
-- 10 warnings
-- warn: out of range, sensor 8 says 94
-- warn: out of range, sensor 19 says 97
-- warn: out of range, sensor 30 says 100
-- memory: known
