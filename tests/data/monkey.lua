-- monkey: everything that a sandboxed script can reach, called with everything else, and its fields changed:
-- all that may come of it are errors.  Its argument is the seed.
-- SPDX-License-Identifier: MIT
local tm = require("tidemill")
local random = math.random
math.randomseed(tonumber((...)))

local first = { 0, 1, -1, 0 / 0, 1 / 0, 2 ^ 53, 1e300, "", "x", "a.b", 1LL, -1LL, 5ULL, true, false, {},
  { 1, 2, 3 }, { n = 1e9 }, function() return 1 end, function(x) return x end, tostring, tm, tm.json,
  coroutine.create(function() end) }
local pool = {}
for i, value in ipairs(first) do pool[i] = value end

local functions = { "as_completed", "batch", "cancel", "cancelled", "channel", "compute", "date_text",
  "degraded", "delayed", "each_worker", "gather", "graph", "literal", "map", "share", "sorted", "stats",
  "submit", "submit_all", "wait" }
local methods = { "cancel", "close", "compute", "explain", "get", "info", "iter", "name", "node", "persist",
  "put", "result", "retry", "state", "status", "submit", "take", "visualize", "wait", "with" }
local fields = { "again", "definition", "errors", "fn", "generation", "handle", "index", "input", "key",
  "node", "nodes", "options", "record", "results", "run", "state" }

local function pick(list) return list[random(#list)] end

local function keep(fine, ...)
  for i = 1, fine and select("#", ...) or 0 do
    local value = select(i, ...)
    if value ~= nil then pool[#pool < 400 and #pool + 1 or random(#first + 1, 400)] = value end
  end
end

keep(true, tm.delayed(function(x) return x end), tm.channel(3), tm.share({ 1 }),
  tm.submit(function() return 2 end), tm.delayed(function() return 1 end)())

-- Those that wait do so for a moment.
local function call_method()
  local owner, name = pick(pool), pick(methods)
  local fine, method = pcall(function() return owner[name] end)
  if not fine or method == nil then return end
  local self = random(4) == 1 and pick(pool) or owner
  if name == "result" or name == "wait" or name == "take" then
    keep(pcall(method, self, 0.01))
  elseif name == "put" then
    keep(pcall(method, self, pick(pool), 0.01))
  else
    keep(pcall(method, self, pick(pool), pick(pool)))
  end
end

local function change_field()
  local owner, name = pick(pool), pick(fields)
  if type(owner) == "function" then return end
  pcall(function() owner[name] = pick(pool) end)
  pcall(function() owner.record[name] = pick(pool) end)
end

for _ = 1, 400 do
  local kind = random(10)
  if kind <= 4 then
    keep(pcall(tm[pick(functions)], pick(pool), pick(pool), pick(pool)))
  elseif kind <= 8 then
    call_method()
  elseif kind == 9 then
    change_field()
  else
    keep(pcall(function() return pick(pool)[pick(fields)] end))
  end
end
