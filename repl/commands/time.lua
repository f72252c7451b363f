-- time: how long things take: :time, :bench, :profile, :jit.  SPDX-License-Identifier: MIT
local core = require("tidemill.core")
local scope = require("repl.scope")
local session = require("repl.session")
local show = require("repl.show")

local time = {}

local function duration(seconds) return require("tidemill.view").duration(seconds) end

-- A function of what stands behind a command, an expression or statements; raises text.
local function compile(text, command)
  if text == "" then error(command .. ": no expression", 0) end
  local fn, kind, message = scope.compile(text)
  if not fn then error(("%s: %s"):format(command, message), 0) end
  return fn, kind
end

local function call(fn, text)
  local fine, results = session.call(fn, text)
  if not fine then error(results, 0) end
  return results
end

local function run_time(text)
  local fn, kind = compile(text, ":time")
  local memory, began, cpu = collectgarbage("count"), core.clock(), os.clock()
  local results = call(fn, text)
  local wall, used = core.clock() - began, os.clock() - cpu
  local grown = math.max(0, collectgarbage("count") - memory)
  session.settle(kind, text, results)
  session.say(("took %s, %s of CPU, %s KB of new Lua memory"):format(duration(wall), duration(used),
    show.number(math.floor(grown))))
end

-- ---- :bench ---------------------------------------------------------------------------------

local samples_wanted, sample_seconds, most_seconds = 21, 0.01, 3

-- The text as a function that runs it n times, which the compiler may compile.
local function repeated(text)
  compile(text, ":bench")
  local fn = scope.body(text)
  return function(n)
    for _ = 1, n do fn() end
  end
end

-- Calls a sample, so that one takes about sample_seconds.
local function calibrate(run)
  local n = 1
  while true do
    local began = core.clock()
    run(n)
    local took = core.clock() - began
    if took >= sample_seconds or n >= 1e8 then return n, took end
    n = math.min(n * 10, math.max(n + 1, math.ceil(n * sample_seconds / math.max(took, 1e-9))))
  end
end

local function run_bench(text)
  local run = repeated(text)
  call(function() run(1) end, text)
  local n, took = calibrate(run)
  local times, began = { took / n }, core.clock()
  while #times < samples_wanted and core.clock() - began < most_seconds do
    local from = core.clock()
    run(n)
    times[#times + 1] = (core.clock() - from) / n
  end
  table.sort(times)
  local function at(share) return times[math.max(1, math.ceil(share * #times))] end
  session.say(("%s per call (median), spread %s .. %s (quartiles), %s of %s"):format(
    duration(at(0.5)), duration(at(0.25)), duration(at(0.75)), show.plural(#times, "sample"),
    show.plural(n, "call")))
end

-- ---- :profile -------------------------------------------------------------------------------

local function hot_lines(counts, total)
  local names = {}
  for name in pairs(counts) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  local lines = {}
  for i = 1, math.min(#names, 12) do
    lines[i] = ("  %5.1f %%  %s"):format(100 * counts[names[i]] / total, names[i])
  end
  return table.concat(lines, "\n")
end

local function run_profile(text)
  local fn, kind = compile(text, ":profile")
  local profile = require("jit.profile")
  local counts, total = {}, 0
  profile.start("fi1", function(thread, samples)
    local name = profile.dumpstack(thread, "f (l)", 1):gsub("%s+$", "")
    if name == "" then name = "(C code)" end
    counts[name], total = (counts[name] or 0) + samples, total + samples
  end)
  local fine, results = session.call(fn, text)
  profile.stop()
  if not fine then error(results, 0) end
  session.settle(kind, text, results)
  if total == 0 then return session.say("too short for a sample") end
  session.say(("%s of the script's thread; tasks on workers are not in it"):format(
    show.plural(total, "sample")))
  session.say(hot_lines(counts, total))
end

time[1] = { name = "time", usage = "EXPR", run = run_time, help = "run it and say how long it took" }
time[2] = { name = "bench", usage = "EXPR", run = run_bench,
  help = "run it many times: median and spread per call" }
time[3] = { name = "profile", usage = "EXPR", run = run_profile,
  help = "run it; its hot functions, by sampling" }
time[4] = { name = "jit", usage = "FUNCTION", run = function(rest) require("repl.traces").tell(rest) end,
  help = "whether it was compiled, where it fell back and why" }

return time
