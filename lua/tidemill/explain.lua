-- explain: why the tasks below a node would run where they run, and what becomes of their results.
local core = require("tidemill.core")
local compute = require("tidemill.compute")
local task = require("tidemill.task")
local view = require("tidemill.view")

local explain = {}

--- What is to be said of the tasks of one delayed function.
---@class tidemill.explanation.function
---@field name string
---@field tasks integer how many there are
---@field lane "thread"|"serial"|"loop"|"process"
---@field why string the option that has decided the lane; "" where none did
---@field cached boolean whether results are kept
---@field refusal? string why they are not although `cache` asks for it
---@field states table<string, integer> what came of the tasks in the last run: "pending", "finished", ..
---@field hits integer tasks whose results would come from the cache now
---@field misses integer tasks that would run although their results are kept
---@field unknown integer tasks of which nothing is known before others have run
---@field causes string[] why there are misses, and what the unknown ones wait for

--- Prints as text; a list, the node's own function last.
---@class tidemill.explanation
---@field [integer] tidemill.explanation.function

local meta = { __name = "tidemill.explanation" }

local function count_text(count, what)
  return ("%d %s%s"):format(count, what, count == 1 and "" or "s")
end

local function states_text(states)
  local names, parts = {}, {}
  for name in pairs(states) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = ("%d %s"):format(states[name], name) end
  return table.concat(parts, ", ")
end

local function lane_text(one)
  local text = one.lane .. " lane"
  if one.why ~= "" then text = ("%s, by %s"):format(text, one.why) end
  return text
end

-- ---- findings: what the engine says of tasks, see host/bind/lib_explain.c ---------------------------

-- "3 misses (argument 1 changed: 3 -> 4)"
local function misses_text(causes, total)
  if total == 0 then return nil end
  return ("%s (%s)"):format(total == 1 and "1 miss" or total .. " misses", table.concat(causes, "; "))
end

-- What one finding says of its tasks: of several with other values, those of the first and dots.
local function cause_text(finding)
  if finding.kind == "unknown" then return "until " .. finding.cause .. " has run" end
  local text = finding.detail or finding.cause
  return finding.varied and text .. ", .." or text
end

local function by_count(a, b)
  if a.count ~= b.count then return a.count > b.count end
  return a.cause < b.cause
end

-- Sums of the findings of one name.
local function sum(findings)
  local one = { hits = 0, misses = 0, unknown = 0, plain = 0, refused = 0, miss_list = {},
    unknown_list = {}, refusals = {} }
  for _, finding in ipairs(findings) do
    local count = finding.count
    if finding.kind == "hit" then
      one.hits = one.hits + count
    elseif finding.kind == "miss" then
      one.misses = one.misses + count
      table.insert(one.miss_list, finding)
    elseif finding.kind == "unknown" then
      one.unknown = one.unknown + count
      table.insert(one.unknown_list, finding)
    elseif finding.kind == "no key" then
      one.refused = one.refused + count
      table.insert(one.refusals, finding)
    else
      one.plain = one.plain + count
    end
  end
  for _, list in ipairs({ one.miss_list, one.unknown_list, one.refusals }) do table.sort(list, by_count) end
  return one
end

local function texts(list)
  local out = {}
  for i, finding in ipairs(list) do out[i] = cause_text(finding) end
  return out
end

-- Findings by name of the task.
local function by_name(findings)
  local names, list = {}, {}
  for _, finding in ipairs(findings) do
    if not names[finding.task] then
      names[finding.task] = {}
      list[#list + 1] = finding.task
    end
    table.insert(names[finding.task], finding)
  end
  table.sort(list)
  return names, list
end

local function cache_text(one)
  if one.refusal then return "not cached: " .. one.refusal end
  if not one.cached then return "not cached" end
  local parts = {}
  if one.hits > 0 then parts[1] = count_text(one.hits, "hit") end
  parts[#parts + 1] = misses_text(texts(one.miss_list), one.misses)
  if one.unknown > 0 then
    parts[#parts + 1] = ("%d unknown (%s)"):format(one.unknown, table.concat(texts(one.unknown_list), "; "))
  end
  return "cached" .. (#parts > 0 and ": " .. table.concat(parts, ", ") or "")
end

function meta.__tostring(self)
  local lines, widest = {}, 0
  for _, one in ipairs(self) do widest = math.max(widest, #one.name) end
  for i, one in ipairs(self) do
    lines[i] = ("%-" .. widest .. "s  %s; %s; %s (%s)"):format(one.name, lane_text(one), cache_text(one),
      count_text(one.tasks, "task"), states_text(one.states))
  end
  return table.concat(lines, "\n")
end

-- The delayed functions of a graph in the order in which their tasks come first.
local function functions_of(nodes)
  local flat, numbers = core.view(nodes), {}
  local tasks, by_number = view.tasks(nodes), {}
  for i = 1, flat.count do
    local number = flat.functions[i]
    local one = by_number[number]
    if not one then
      one = { name = tasks[i].name, number = number, tasks = 0, states = {} }
      by_number[number], numbers[#numbers + 1] = one, one
    end
    one.tasks = one.tasks + 1
    one.states[tasks[i].state] = (one.states[tasks[i].state] or 0) + 1
  end
  return numbers
end

--- What node:explain() gives.
---@param handle tidemill.node
---@return tidemill.explanation
function explain.node(handle)
  local list, looked = functions_of({ handle }), false
  for _, one in ipairs(list) do
    one.lane, one.why, one.cached, one.refusal = core.describe(one.number, task.record)
    one.number = nil
    looked = looked or one.cached
  end
  local names = by_name(looked and compute.explore({ handle }) or {})
  for _, one in ipairs(list) do
    local found = sum(one.cached and names[one.name] or {})
    for _, field in ipairs({ "hits", "misses", "unknown", "miss_list", "unknown_list" }) do
      one[field] = found[field]
    end
    one.causes = texts(one.miss_list)
    for _, text in ipairs(texts(one.unknown_list)) do table.insert(one.causes, text) end
  end
  return setmetatable(list, meta)
end

-- ---- of a whole program ---------------------------------------------------------------------------

-- The line of a name, and one for each cause.
local function report_name(out, name, width, findings)
  local one, parts = sum(findings), {}
  local function add(count, what)
    if count > 0 then parts[#parts + 1] = what end
  end
  add(one.hits, count_text(one.hits, "hit"))
  add(one.misses, one.misses == 1 and "1 miss" or one.misses .. " misses")
  add(one.unknown, one.unknown .. " unknown")
  add(one.refused, one.refused .. " without a key")
  add(one.plain, one.plain .. " not cached")
  out[#out + 1] = ("%-" .. width .. "s  %s"):format(name, table.concat(parts, ", "))
  for _, list in ipairs({ one.miss_list, one.unknown_list, one.refusals }) do
    for _, finding in ipairs(list) do
      out[#out + 1] = ("  %6d  %s"):format(finding.count, cause_text(finding))
    end
  end
end

--- What the inquiry into all runs has found, as text, "" of none; of one task name when `only` is given.
---@param only? string
---@return string
function explain.report(only)
  local names, list = by_name(core.findings() or {})
  local out, width = {}, 0
  for _, name in ipairs(list) do
    if not only or name == only then width = math.max(width, #name) end
  end
  for _, name in ipairs(list) do
    if not only or name == only then report_name(out, name, width, names[name]) end
  end
  if #out == 0 and only then
    local near = require("tidemill.suggest").phrase(only, list) or ""
    out[1] = ("no task \"%s\" was looked at%s"):format(only, near)
  end
  local stop = core.dry_stop()
  if stop then
    out[#out + 1] = "ends at " .. stop
      .. ", where a result is wanted that is not known before tasks have run"
  end
  return #out > 0 and table.concat(out, "\n") .. "\n" or ""
end

--- Hits and misses by cause, of the inquiry into all runs: for records.
function explain.counts()
  local counts = { hits = 0, misses = 0, not_cached = 0, without_key = 0, causes = {} }
  for _, finding in ipairs(core.findings() or {}) do
    if finding.kind == "hit" then
      counts.hits = counts.hits + finding.count
    elseif finding.kind == "miss" then
      counts.misses = counts.misses + finding.count
      counts.causes[finding.sort] = (counts.causes[finding.sort] or 0) + finding.count
    elseif finding.kind == "no key" then
      counts.without_key = counts.without_key + finding.count
    elseif finding.kind == "plain" then
      counts.not_cached = counts.not_cached + finding.count
    end
  end
  return counts
end

return explain
