-- compute: runs what nodes need and collects what they give.
local core = require("tidemill.core")
local node = require("tidemill.node")
local shown = require("tidemill.shown")
local task = require("tidemill.task")
local errors = require("tidemill.errors")
local options = require("tidemill.options")
local sorted = require("tidemill.sorted")
local wait = require("tidemill.wait")

local compute = {}

local max_attempts = 3 -- when the store loses results between a hit and its reading

--- Raises what a run's outcome says; `level` 0 adds no position.
local function raise(run, cause, name)
  local _, _, failed, skipped = core.counts(run)
  core.release(run)
  error(compute.error(cause, name, failed, skipped), 0)
end

--- The error object of a failed task.
function compute.error(cause, name, failed, skipped)
  local fields = type(cause) == "table" and cause or { message = tostring(cause) }
  fields.task = fields.task or name
  fields.failed, fields.skipped = failed, skipped
  return errors.new(fields)
end

local strategies = { dynamic = true, round_robin = true, load_balanced = true, affinity = true }
local run_options = { "distribution" }

--- Checks the options of a run.
function compute.check(given, what, level)
  options.only(given, run_options, what, level + 1)
  if given and given.distribution ~= nil and not strategies[given.distribution] then
    error(("%s: distribution: expected dynamic, round_robin, load_balanced or affinity, got %s"):format(
      what, shown.value(given.distribution)), level + 1)
  end
  return given
end

--- Starts what the nodes need; a handle for core.wait and core.outcome.
function compute.start(nodes, strategy, seed)
  return core.run(nodes, task.record, strategy, seed)
end

--- What would become of the nodes: no body runs.  A list of findings, see host/bind/lib_explain.c.
function compute.explore(nodes)
  local run = core.run(nodes, task.record, nil, nil, true)
  core.asked(run)
  wait.call(core.wait, run, nil, nil, function() core.cancel(run) end)
  local findings = core.findings(run)
  core.release(run)
  return findings
end

-- Values of nodes[first..], in order; those that were lost are computed again.
local function collect(nodes, given)
  local values, attempt = {}, 0
  local wanted, places = nodes, nil
  repeat
    attempt = attempt + 1
    local run = compute.start(wanted, given and given.distribution, given and given.seed)
    core.asked(run)
    wait.call(core.wait, run, nil, nil, function() core.cancel(run) end)
    local cause, name = core.failure(run)
    if name then raise(run, cause, name) end
    local all = attempt == 1 and core.results(run)
    if all then
      core.release(run)
      return all
    end
    local lost, lost_places = {}, {}
    for k = 1, #wanted do
      local state, value = core.outcome(run, k)
      local place = places and places[k] or k
      if state == "finished" then
        values[place] = value
      elseif state == "lost" and attempt < max_attempts then
        lost[#lost + 1] = wanted[k]
        lost_places[#lost] = place
      else
        error(errors.new({ message = state == "lost" and "a result could not be read back"
          or "the run was cancelled" }), 0)
      end
    end
    core.release(run) -- now: the collector does not know how much memory hangs on it
    wanted, places = lost, lost_places
  until #wanted == 0
  return values
end

--- The values of a list of nodes.
function compute.list(nodes, given) return collect(nodes, given) end

--- The value of one node.
function compute.one(handle, given)
  compute.check(given, "compute", 2)
  return collect({ handle }, given)[1]
end

-- ---- many nodes and futures, in any shape ---------------------------------------------------------

local futures -- tidemill.future, once it is loaded

function compute.use_futures(module) futures = module end

local function is_future(value) return futures ~= nil and futures.is(value) end

local lazies -- tidemill.lazy.run, once there are lazy arrays

--- The module that runs lazy arrays: it has values_with(list of arrays, nodes, options).
function compute.use_lazy(module) lazies = module end

local function is_lazy(value) return lazies ~= nil and lazies.is(value) end

-- The keys of a table that are not in 1..count, in an order that is the same everywhere.
local function other_keys(value, count)
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "number" or key < 1 or key > count or key % 1 ~= 0 then keys[#keys + 1] = key end
  end
  if #keys > 1 then table.sort(keys, sorted.before) end
  return keys
end

-- The shape of a value: its nodes are places in `nodes`, in order, which is the order they are built in.
local function gather_shape(value, nodes, seen)
  if is_lazy(value) then
    nodes.lazy[#nodes.lazy + 1] = value
    return { lazy = #nodes.lazy }
  end
  if node.is(value) then
    nodes[#nodes + 1] = value
    return { place = #nodes }
  end
  if is_future(value) then
    futures.ask(value)
    return { future = value }
  end
  if type(value) ~= "table" or getmetatable(value) ~= nil then return { value = value } end
  if seen[value] then return seen[value] end
  local shape = { fields = {} }
  seen[value] = shape
  local count = #value
  for i = 1, count do shape.fields[i] = gather_shape(value[i], nodes, seen) end
  for _, key in ipairs(other_keys(value, count)) do
    shape.fields[key] = gather_shape(value[key], nodes, seen)
  end
  return shape
end

local function fill_shape(shape, values, done)
  if shape.place then return values[shape.place] end
  if shape.lazy then return values.lazy[shape.lazy] end
  if shape.future then return shape.future:result() end
  if not shape.fields then return shape.value end
  if done[shape] then return done[shape] end
  local out = {}
  done[shape] = out
  for key, member in pairs(shape.fields) do out[key] = fill_shape(member, values, done) end
  return out
end

-- Whether a table is a list of nodes and nothing else.
local function is_plain_list(value)
  local count = #value
  for i = 1, count do
    if not node.is(value[i]) then return false end
  end
  return count > 0 and next(value, count) == nil
end

local function collect_shape(value, given)
  if is_plain_list(value) then return collect(value, given) end
  local nodes = { lazy = {} }
  local shape = gather_shape(value, nodes, {})
  local values
  if nodes.lazy[1] then
    values = lazies.values_with(nodes.lazy, nodes, given)
  else
    values = collect(nodes, given)
  end
  return fill_shape(shape, values, {})
end

--- What compute and gather do; `what` names them, `level` is that of their caller.
function compute.values(what, level, ...)
  local first, count = (...), select("#", ...)
  if type(first) == "table" and getmetatable(first) == nil then
    if count > 2 then
      error(("%s: expected %s(table, options) or %s(node, ...)"):format(what, what, what), level + 1)
    end
    return collect_shape(first, compute.check((select(2, ...)), what, level + 1))
  end
  for i = 1, count do
    local value = select(i, ...)
    if not node.is(value) and not is_future(value) and not is_lazy(value) then
      error(("%s: argument %d: expected a lazy node, a lazy array or a future, got a %s"):format(what, i,
        type(value)), level + 1)
    end
  end
  return unpack(collect_shape({ ... }), 1, count)
end

-- No tail calls: errors count the levels.
local function returned(...) return ... end

--- Runs what these nodes need, each once, and returns their values: tm.compute(a, b), or
--- tm.compute({a, b, ...}), which gives the same shape back.  Futures count as nodes that run.
function compute.all(...) return returned(compute.values("compute", 2, ...)) end

--- The same, by the name that fits futures.
function compute.gather(...) return returned(compute.values("gather", 2, ...)) end

return compute
