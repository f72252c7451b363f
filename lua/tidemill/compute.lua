-- compute: runs what nodes need and collects what they give.
local core = require("tidemill.core")
local node = require("tidemill.node")
local task = require("tidemill.task")
local errors = require("tidemill.errors")
local options = require("tidemill.options")

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

local function wait(run)
  if core.wait(run, -1) == "interrupted" then
    error(errors.new({ message = "interrupted" }), 0)
  end
end

--- Starts what the nodes need; a handle for core.wait and core.outcome.
function compute.start(nodes)
  return core.run(nodes, task.record)
end

-- Values of nodes[first..], in order; those that were lost are computed again.
local function collect(nodes)
  local values, attempt = {}, 0
  local wanted, places = nodes, nil
  repeat
    attempt = attempt + 1
    local run = compute.start(wanted)
    wait(run)
    local cause, name = core.failure(run)
    if name then raise(run, cause, name) end
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

--- The value of one node.
function compute.one(handle, given)
  options.only(given, {}, "compute", 3)
  return collect({ handle })[1]
end

-- ---- many nodes, in any shape ------------------------------------------------------------------

-- Replaces nodes in a table (any nesting) by places in `nodes`; returns the shape.
local function gather_shape(value, nodes, seen)
  if node.is(value) then
    nodes[#nodes + 1] = value
    return { place = #nodes }
  end
  if type(value) ~= "table" or getmetatable(value) ~= nil then return { value = value } end
  if seen[value] then return seen[value] end
  local shape = { fields = {} }
  seen[value] = shape
  for key, member in pairs(value) do shape.fields[key] = gather_shape(member, nodes, seen) end
  return shape
end

local function fill_shape(shape, values, done)
  if shape.place then return values[shape.place] end
  if not shape.fields then return shape.value end
  if done[shape] then return done[shape] end
  local out = {}
  done[shape] = out
  for key, member in pairs(shape.fields) do out[key] = fill_shape(member, values, done) end
  return out
end

--- Runs what these nodes need, each once, and returns their values: tm.compute(a, b), or
--- tm.compute({a, b, ...}), which gives the same shape back.
function compute.all(...)
  local first = ...
  if type(first) == "table" and not node.is(first) and getmetatable(first) == nil then
    local count = select("#", ...)
    if count > 2 then error("compute: expected compute(table, options) or compute(node, ...)", 2) end
    options.only((select(2, ...)), {}, "compute", 2)
    local nodes = {}
    local shape = gather_shape(first, nodes, {})
    return fill_shape(shape, collect(nodes), {})
  end
  local nodes, count = {}, select("#", ...)
  for i = 1, count do
    local value = select(i, ...)
    if not node.is(value) then
      error(("compute: argument %d: expected a lazy node, got a %s"):format(i, type(value)), 2)
    end
    nodes[i] = value
  end
  return unpack(collect(nodes), 1, count)
end

return compute
