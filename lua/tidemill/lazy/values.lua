-- values: the methods of lazy arrays that run them, or show how they would run.
-- SPDX-License-Identifier: MIT

local compute = require("tidemill.compute")
local expr = require("tidemill.lazy.expr")
local lazy = require("tidemill.lazy")
local run = require("tidemill.lazy.run")
local task = require("tidemill.task")

local methods = {}

--- The elements: a computed array, or where no axis is left a number or boolean.
---@param given? table options of the run: distribution
---@return tidemill.array|number|boolean
function methods:compute(given)
  if given ~= nil then compute.check(given, "compute", 2) end
  local e = lazy.array_operand("compute", self, 2)
  if e.op == "data" and expr.same_dims(e.dims, e.array.shape) then return e.array end
  return run.values({ e }, given)[1]
end

--- Starts now and keeps the chunks: a lazy array whose elements are computed once.
---@return tidemill.lazy
function methods:persist()
  local e = lazy.array_operand("persist", self, 2)
  if e.op == "data" then return lazy.of(e) end
  local nodes, g = run.chunks(e)
  local started = compute.start(nodes) -- one run: what chunks share is computed once
  for number in ipairs(nodes) do nodes[number] = task.join(started, number) end
  return lazy.of({ op = "stored", dims = e.dims, dtype = e.dtype, grid = g, nodes = nodes })
end

--- One lazy node that gives the whole array, for the functions that take nodes.
---@return tidemill.node
function methods:node() return run.node(lazy.of(lazy.array_operand("node", self, 2))) end

--- Starts now; a future of the whole array.
---@return tidemill.future
function methods:submit()
  local handle = run.node(lazy.of(lazy.array_operand("submit", self, 2)))
  return handle:submit()
end

--- Draws the tasks: a:visualize("x.svg") or ("x.dot").
---@param file string
---@param given? table options: rankdir, color
function methods:visualize(file, given)
  local nodes = run.chunks(lazy.array_operand("visualize", self, 2))
  require("tidemill.visualize").draw(nodes, file, given, 3)
end

--- How the array would run: its stages, what each fuses, chunks and tasks; a table that prints as text.
---@return tidemill.plan
function methods:optimize()
  return require("tidemill.lazy.show").plan(lazy.array_operand("optimize", self, 2))
end

--- The same as optimize, by the word that nodes use.
---@return tidemill.plan
function methods:explain() return methods.optimize(self) end

return methods
