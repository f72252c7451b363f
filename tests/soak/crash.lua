-- crash: runs that write to a cache are killed at random moments; after each a check finds nothing
-- wrong, and a whole run with the same cache now and then gives what one without gives.
-- Usage: luajit tests/soak/crash.lua PRODUCTS PROGRAMS N [SEED], from the root of the tree, or
-- `make crash N=1000 seed=1`.  SPDX-License-Identifier: MIT

local shell = dofile("scripts/dev/shell.lua")

local crash = {}

local quote, capture = shell.quote, shell.capture

-- Results of all sizes: rows, compressed ones, files; some in two processes at once.
local script = [[
local tm = require "tidemill"
local round, count = tonumber((...)), 120
local make = tm.delayed(function(round, i)
  local size = ({ 10, 3000, 40000, 300000 })[i % 4 + 1]
  local parts, state = {}, round * 1000 + i
  for k = 1, size / 8 do
    state = (state * 1103515245 + 12345) % 2147483648
    parts[k] = ("%08x"):format(i % 3 == 0 and i or state)
  end
  return table.concat(parts)
end, { cache = true, name = "make" })
local sum = tm.delayed(function(a, b) return #a + #b + a:byte(1) * 7 + b:byte(-1) end,
  { cache = true, name = "sum" })
for i = 1, 10 do -- values that every run replaces
  local found = tm.cache.get("k" .. i)
  assert(found == nil or found[2] == i and #found[3] == i * 500)
  tm.cache.put("k" .. i, { round, i, ("x"):rep(i * 500) }, { mode = i % 2 == 0 and "through" or "behind" })
end
local nodes = {}
for i = 1, count do nodes[i] = make(round, i) end
local sums = {}
for i = 1, count - 1 do sums[i] = sum(nodes[i], nodes[i + 1]) end
local total = 0
for i, value in ipairs(tm.compute(sums)) do total = total + i * value end
print(total)
]]

local function run(program, folder, cache, round, seconds)
  local command = ("%s --workers 2 --cache %s %s/main.lua %d 2>>%s/err"):format(quote(program),
    quote(cache), folder, round, folder)
  if not seconds then return capture(command) end
  -- Half of the times two at once, so that one dies while another writes.
  local line = ("timeout -s KILL %.3f %s >/dev/null"):format(seconds, command)
  os.execute(round % 2 == 0 and line or line .. " & " .. line .. "; wait")
end

--- Kills `count` runs; returns nil, or what was wrong.
function crash.kills(program, verify, count, seed, tell)
  local folder = capture("mktemp -d")
  shell.write(folder .. "/main.lua", script)
  math.randomseed(seed)
  local cache, problem = folder .. "/cache.db", nil
  for round = 1, count do
    run(program, folder, cache, round, 0.01 + 0.25 * math.random())
    local found = capture(("%s verify %s 2>&1"):format(quote(verify), quote(cache)))
    if not found:find("broken 0 lacking 0 damaged 0 warnings 0", 1, true) then
      problem = ("after kill %d: %s"):format(round, found)
      break
    end
    if round % 10 == 0 or round == count then
      local right, got = run(program, folder, "off", round), run(program, folder, cache, round)
      local again = run(program, folder, cache, round)
      if right == "" or got ~= right or again ~= right then
        problem = ("after kill %d: a run gave %q, then %q, without a cache %q"):format(round, got,
          again, right)
        break
      end
      tell(round, found)
    end
  end
  os.execute("rm -rf " .. quote(folder))
  return problem
end

if arg and arg[0] and arg[0]:match("crash%.lua$") then
  local products, programs, count = arg[1], arg[2], tonumber(arg[3])
  local seed = tonumber(arg[4]) or os.time() % 1000000
  print(("crash: %d kills, seed %d"):format(count, seed))
  local problem = crash.kills(products .. "/tidemill", programs .. "/test_manage", count, seed,
    function(round, found) io.write(("%d: %s\n"):format(round, found)) io.flush() end)
  if problem then
    print(problem)
    print(("repeat it with: make crash seed=%d N=%d"):format(seed, count))
    os.exit(1)
  end
end

return crash
