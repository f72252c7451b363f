-- node: lazy nodes: 8-byte handles of the engine's graph.
-- A handle has no finalizer, which would cost more than a task does.  Instead weak tables have
-- one slot per node: after a collection an empty slot tells that the script has let go of it.
local bit, ffi = require("bit"), require("ffi")
local new_table = require("table.new")
local core = require("tidemill.core")
local C = require("tidemill.clib")
local shown = require("tidemill.shown")

local node = {}

local handle_type = ffi.typeof("struct tidemill__node")
local handle_bits = ffi.typeof("uint64_t *")
local scope = ffi.cast("void *", core.scope) -- a lightuserdata would not compile
local istype, cast = ffi.istype, ffi.cast
local set_argument = core.set_argument
local select, type, rawget = select, type, rawget

-- Handles by the index of their node, in pages of a fixed size: one table, most of whose slots a
-- collection has emptied, would be made smaller at its next growth, with a hash for what is beyond.
local held_pages = {}
local page_bits, page_mask, page_mode = 12, 4095, { __mode = "v" }
local rshift, band = bit.rshift, bit.band

local sweep_at, force_at = 16384, 4000000 -- nodes alive
local witness = setmetatable({ {} }, { __mode = "v" }) -- empty once a collection has ended
local sweep_records

---@class tidemill.node
local methods = {}

local function bits(handle) return cast(handle_bits, handle)[0] end

--- Whether `value` is a lazy node.
function node.is(value) return type(value) == "cdata" and istype(handle_type, value) end

function node.set_sweep(fn) sweep_records = fn end

local function set_held(index, handle)
  local number = rshift(index, page_bits) + 1
  local page = held_pages[number]
  if not page then
    page = setmetatable(new_table(page_mask, 0), page_mode)
    held_pages[number] = page
  end
  page[band(index, page_mask)] = handle
end

local function mark_live(page, live)
  for k = 0, page_mask do live[k] = rawget(page, k) ~= nil and 1 or 0 end
end

-- Slab by slab, which has a page's nodes: a call for each node would cost more than freeing it.
local function drop_dead()
  local live, slab = ffi.new("uint8_t[?]", page_mask + 1), 0
  repeat
    local page = held_pages[slab + 1]
    if page then mark_live(page, live) else ffi.fill(live, page_mask + 1) end
    local more = C.tidemill__node_sweep(scope, slab, live)
    slab = slab + 1
  until not more
end

-- Frees the nodes whose handles are gone, and the records that only they used.  It follows the
-- collections that come by themselves, and forces one only when nodes pile up between them.
local function sweep()
  local live = tonumber(C.tidemill__node_live(scope))
  if witness[1] then
    if live < force_at then
      sweep_at = live + 16384
      return
    end
    collectgarbage()
  end
  drop_dead()
  live = tonumber(C.tidemill__node_live(scope))
  sweep_records(core.functions_in_use())
  witness[1] = {}
  sweep_at, force_at = 2 * live + 16384, 2 * live + 4000000
end

--- Many functions have come since the last sweep: one is due once a collection has told which of them
--- are needed; `many`: now, at the price of a collection.
function node.sweep_functions(many)
  if witness[1] then
    if not many then return false end
    collectgarbage()
  end
  sweep()
  return true
end

-- Nodes that may be built until somebody looks whether a sweep is due.
local unlooked = 0

local function look()
  if C.tidemill__node_live(scope) > sweep_at then sweep() end
  unlooked = 1000
end

-- The handle of a new node, whose name is `name`.
local function new_handle(name, count)
  if name == 0 then
    error(count > 60000 and "a call takes at most 60000 arguments; pass a table" or
      "out of memory (node)", 3)
  end
  local handle = handle_type()
  cast(handle_bits, handle)[0] = name
  set_held(handle.index, handle)
  return handle
end

local function set(handle, name, i, value)
  if type(value) == "number" then
    C.tidemill__node_number(scope, name, i, value)
  elseif type(value) == "cdata" and istype(handle_type, value) then
    if not C.tidemill__node_node(scope, name, i, bits(value)) then
      error(("argument %d is a stale node"):format(i + 1), 4)
    end
  elseif value ~= nil then
    set_argument(handle, i, value)
  end
end

--- A node that calls function `number` with these arguments; nodes among them are inputs.
function node.build(number, ...)
  local count = select("#", ...)
  unlooked = unlooked - 1
  if unlooked < 0 then look() end
  local a, b = ...
  if count == 1 and type(a) == "number" then
    local handle = new_handle(C.tidemill__node_of_number(scope, number, a), count)
    return handle -- not a tail call: errors count the levels
  elseif count == 2 and type(a) == "cdata" and type(b) == "cdata" and istype(handle_type, a)
    and istype(handle_type, b) then
    local name = C.tidemill__node_of_nodes(scope, number, bits(a), bits(b))
    if name ~= 1 then -- else one is stale: which, is told below
      local handle = new_handle(name, count)
      return handle
    end
  end
  local name = C.tidemill__node_new(scope, number, count)
  local handle = new_handle(name, count)
  -- LuaJIT compiles these; a loop over `...` it does not.
  if count == 1 then
    set(handle, name, 0, a)
  elseif count == 2 then
    set(handle, name, 0, a)
    set(handle, name, 1, b)
  else
    for i = 0, count - 1 do set(handle, name, i, (select(i + 1, ...))) end
  end
  return handle
end

--- Lets go of a node that nobody will use again, and of its arguments, before a sweep finds it.
function node.drop(handle)
  set_held(handle.index, nil)
  C.tidemill__node_drop(scope, handle.index)
end

--- Sets the place by which the random stream of a node is told from others of its run.
function node.set_place(handle, place) C.tidemill__node_place(scope, bits(handle), place) end

--- Number of a node's function.
function node.number(handle) return C.tidemill__node_function(scope, bits(handle)) end

-- C code believes what it gets.
local check = require("tidemill.receiver").check(node.is, "a lazy node", "node")

--- Runs what the node needs and returns its value.
---@param given? table options of the run: distribution
function methods:compute(given)
  check(self, "compute")
  return require("tidemill.compute").one(self, given)
end

--- Starts now; returns a future.
---@return tidemill.future
function methods:submit()
  check(self, "submit")
  return require("tidemill.future").start(self)
end

--- Says of the tasks below the node, and of its own, where they would run and why, and whether their
--- results are kept: a table that prints as text.
---@return tidemill.explanation
function methods:explain()
  check(self, "explain")
  return require("tidemill.explain").node(self)
end

--- Starts what the node needs now and keeps the result: a node that stands for it, whose value is
--- computed once however often it is used.
---@return tidemill.node
function methods:persist()
  check(self, "persist")
  local future = require("tidemill.future").start(self)
  return require("tidemill.future").node(future)
end

--- How large the graph is: tasks, layers, depth, edges, bytes, names.
---@return tidemill.info
function methods:info()
  check(self, "info")
  return require("tidemill.view").info({ self })
end

--- Draws the graph: node:visualize("x.svg") or ("x.dot").
---@param file string
---@param given? table options: rankdir, color
function methods:visualize(file, given)
  check(self, "visualize")
  require("tidemill.visualize").draw({ self }, file, given, 3)
end

--- Name of the task.
function methods:name()
  check(self, "name")
  return require("tidemill.task").name(node.number(self))
end

local function no_value()
  error("a lazy node has no value yet: pass it to a delayed function, or call :compute()", 2)
end

ffi.metatype(handle_type, {
  __add = no_value, __sub = no_value, __mul = no_value, __div = no_value, __mod = no_value,
  __pow = no_value, __unm = no_value, __concat = no_value, __len = no_value, __lt = no_value,
  __le = no_value, __call = no_value,
  __index = function(_, key)
    local method = methods[key]
    if method then return method end
    error(("a lazy node has no value yet: call :compute() before using \"%s\""):format(
      shown.name(key)), 2)
  end,
  __newindex = function() error("a lazy node cannot be changed", 2) end,
  __tostring = function(self) return ("lazy node \"%s\""):format(methods.name(self)) end,
})

return node
