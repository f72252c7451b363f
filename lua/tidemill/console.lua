-- console: what a script says, and how it ends.
local core = require("tidemill.core")
local origin = require("tidemill.origin")

local console = {}

--- A line of the script's summary: stdout, or stderr with --json -, nowhere with --quiet.
function console.say(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  core.note(table.concat(parts, "\t") .. "\n")
end

--- Counts what --strict minds: rows dropped, items failed.
---@param count integer
---@param what? string
function console.degraded(count, what)
  if type(count) ~= "number" then error("degraded: expected degraded(count, what)", 2) end
  core.degraded(count, what)
end

--- Whether the run of the task that asks was cancelled; false in the script.
function console.cancelled()
  return core.cancelled ~= nil and core.cancelled()
end

--- Counters so far: executed, failed, skipped, hits, misses, retries, waits, steals, sleeps, queued,
--- workers, active, bytes, and `per_worker`, a list of each one's own with its busy and idle share.
---@return table
function console.stats()
  local stats = core.stats()
  stats.tasks = stats.executed + stats.hits
  return stats
end

-- os.exit in the script closes the engine first, so that results are kept.
function console.install()
  local leave = os.exit
  if core.owned then
    origin.replace("os.execute", core.execute)
    require("tidemill.nesting").install()
  end
  origin.replace("os.exit", core.owned and function(status)
    if status == nil or status == true then status = 0 elseif status == false then status = 1 end
    core.exit(status)
    error(setmetatable({}, { __tostring = function() return "os.exit" end }), 0)
  end or function(status)
    local pool = package.loaded["tidemill.pool"]
    if pool then pool.finish() end
    core.close()
    leave(status)
  end)
end

return console
