-- engine: :cache, :workers.  SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local session = require("repl.session")

local engine = {}

local function run_cache(rest)
  local command, word = rest:match("^(%S*)%s*(.*)$")
  session.say((core.look_after(command == "" and "stats" or command, word ~= "" and word or nil)
    :gsub("\n+$", "")))
end

local function run_workers(rest)
  local tm = require("tidemill")
  if rest == "" then
    local stats = tm.stats()
    return session.say(("workers: %s"):format(tostring(tm.config.workers or stats.workers)))
  end
  local count = tonumber(rest)
  if not count or count < 0 or count ~= math.floor(count) then
    error((":workers: \"%s\" is not a number; expected 0, 1, 2, .."):format(rest), 0)
  end
  local problem = core.set_workers(rest)
  if problem then error(":" .. problem, 0) end
  session.say(("workers: %d"):format(count))
end

engine[1] = { name = "cache", usage = "[COMMAND]", run = run_cache,
  help = "what the cache holds; as tidemill cache COMMAND" }
engine[2] = { name = "workers", usage = "[N]", run = run_workers,
  help = "how many there are; sets it, while nothing runs" }

return engine
