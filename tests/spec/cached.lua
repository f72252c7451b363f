-- cached: scripts run as child processes that share a cache, and how many tasks were answered from it.
-- SPDX-License-Identifier: MIT

local assert = require "luassert"
local process = require "tests.spec.process"

local cached = {}

local epilogue = [[
local stats = tm.stats()
print(("hits %d misses %d executed %d"):format(stats.hits, stats.misses, stats.executed))
]]

--- Runs a script in a folder, as main.lua; what it prints goes to `out`, its counters to `hits`, `misses`,
--- `executed`.  Options: `workers`, `cache`, `env`, and further words of the command line.
function cached.run(folder, text, options)
  process.write(folder .. "/main.lua", "local tm = require \"tidemill\"\n" .. text .. "\n" .. epilogue)
  local words = { "--workers", tostring(options.workers or 1), "--cache", options.cache or "cache.db",
    cwd = folder, env = options.env }
  for _, word in ipairs(options) do words[#words + 1] = word end
  words[#words + 1] = "main.lua"
  local result = process.run(words)
  assert.are.equal(0, result.status, result.err)
  local out, hits, misses, executed = result.out:match("^(.-)hits (%d+) misses (%d+) executed (%d+)\n$")
  assert.is_truthy(out, result.out)
  return { out = out, hits = tonumber(hits), misses = tonumber(misses), executed = tonumber(executed),
    err = result.err }
end

return cached
