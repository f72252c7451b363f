-- graphs: builds random graphs, runs them, and prints what they gave, as text that is the same on
-- any number of workers.  Usage: tidemill run tests/soak/graphs.lua SEED FIRST COUNT
-- tests/soak/soak.lua runs it with several numbers of workers and compares.
-- SPDX-License-Identifier: MIT

local bit = require "bit"
local tm = require "tidemill"

local seed, first, count = tonumber((...)), tonumber((select(2, ...))), tonumber((select(3, ...)))
assert(seed and first and count, "expected SEED FIRST COUNT")

-- ---- the dice of the script: what is built must not depend on how things went -------------------

local state = 1

local function roll(most)
  state = bit.bxor(state, bit.lshift(state, 13))
  state = bit.bxor(state, bit.rshift(state, 17))
  state = bit.bxor(state, bit.lshift(state, 5))
  return bit.band(state, 0x7fffffff) % most + 1
end

local function chance(percent) return roll(100) <= percent end
local function one_of(...) return (select(roll(select("#", ...)), ...)) end

local function start_dice(graph)
  state = bit.tobit(seed * 2654435 + graph * 40503 + 12345)
  if state == 0 then state = 1 end
  for _ = 1, 8 do roll(2) end
end

-- ---- values as text -------------------------------------------------------------------------------

local function text_of(value)
  if type(value) == "number" then return ("%.17g"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, member in require("tidemill").sorted(value) do
    parts[#parts + 1] = tostring(key) .. "=" .. text_of(member)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function sum_of(...)
  local sum = 5381
  for i = 1, select("#", ...) do
    local text = text_of((select(i, ...)))
    for k = 1, #text do sum = bit.tobit(sum * 33 + text:byte(k)) end
  end
  return sum
end

-- ---- bodies: fn(log, id, ...) ---------------------------------------------------------------------
-- `log` is a channel that takes down who ran; results depend on the inputs and on random numbers.

local function note(log, id) if log then log:put(id) end end

local bodies = {}

function bodies.number(log, id, ...)
  note(log, id)
  return sum_of(id, ...) + math.random()
end

function bodies.text(log, id, ...)
  note(log, id)
  return ("%d:%d "):format(id, sum_of(...)):rep(math.random(1, 40))
end

function bodies.list(log, id, ...)
  note(log, id)
  local n = select("#", ...)
  return { id, math.random(), { sum = sum_of(...), n = n }, n > 0 and (...) or nil }
end

function bodies.nothing(log, id, ...)
  note(log, id)
  if sum_of(...) % 2 == 0 then return nil end
  return false
end

function bodies.column(log, id, ...)
  note(log, id)
  local values = {}
  for i = 1, 50 do values[i] = (sum_of(...) + i) % 1000 + math.random() end
  local column = require("tidemill").array(values)
  return column[1] + column[-1] + column.length
end

function bodies.sleeper(log, id, ...)
  note(log, id)
  require("tidemill").sleep(math.random(0, 3) / 4000)
  return sum_of(id, ...) + math.random()
end

function bodies.busy(log, id, ...)
  note(log, id)
  local x = sum_of(...)
  for i = 1, 20000 do x = bit.tobit(x * 31 + i) end
  return x
end

-- Each kind of thing that a task can throw.
function bodies.thrower(log, id, ...)
  note(log, id)
  local kind = id % 7
  if kind == 0 then error("thrown by " .. id, 0) end
  if kind == 1 then error("thrown with its place") end
  if kind == 2 then error({ code = id, inner = { sum_of(...) } }) end
  if kind == 3 then error() end
  if kind == 4 then error(setmetatable({}, { __tostring = function() return "speaks" .. id end })) end
  if kind == 5 then return nil + id end
  error(setmetatable({}, { __tostring = function() error("is mute") end }))
end

-- Never ends where it can be stopped; elsewhere it fails as if it had been.
function bodies.hanger()
  while require("tidemill.core").lane == "process" do end
  error("the task took longer than its timeout of 0.05 s and was stopped", 0)
end

-- Fails as often as the counter says; `counter` is a channel with the number of attempts so far.
function bodies.trier(log, id, counter, failures, ...)
  note(log, id)
  local before = counter:take()
  counter:put(before + 1)
  if before < failures then error(("attempt %d of %d"):format(before + 1, id), 0) end
  return sum_of(id, before, ...) + math.random()
end

-- Tasks that start tasks: `depth` generations, and where they wait for them.

local leaf = tm.delayed(function(...) return sum_of(...) + math.random() end, { name = "leaf" })
local family

local waits = {}

function waits.submit(depth, id, x)
  local futures = {}
  for i = 1, 3 do futures[i] = family(depth - 1, id * 3 + i, x):submit() end
  local total = 0
  for i = 3, 1, -1 do total = total + futures[i]:result() end
  return total
end

function waits.compute(depth, id, x)
  local shared = leaf(id, x)
  local a, b = require("tidemill").compute(family(depth - 1, id * 2, shared),
    family(depth - 1, id * 2 + 1, shared))
  return a - b
end

function waits.gather(depth, id, x)
  local module = require("tidemill")
  local got = module.gather {
    one = module.submit(leaf, id, x), list = { family(depth - 1, id, x), leaf(id), "as it is" } }
  return sum_of(got)
end

function waits.map(depth, id, x)
  local got = require("tidemill").map(function(i)
    return family(depth - 1, i + id, x):compute() + i
  end, { 1, 2, 3 })
  return sum_of(got)
end

function waits.persist(depth, id, x)
  local kept = family(depth - 1, id, x):persist()
  return leaf(kept, kept):compute() + leaf(kept):compute()
end

function waits.future(depth, id, x)
  local future = family(depth - 1, id, x):submit()
  local sum = leaf({ future }, future):compute()
  return sum + future:result()
end

function waits.gsub(depth, id, x)
  return sum_of((("abc"):gsub(".", function(letter)
    return letter .. text_of(family(depth - 1, letter:byte() + id, x):compute())
  end)))
end

function waits.sort(depth, id, x)
  local list = { 5, 3, 9, 1 }
  table.sort(list, function(a, b) return leaf(a, id, depth):compute() < leaf(b, id, depth):compute() end)
  -- The random numbers of the comparisons differ, and with them the order: only the sum counts.
  return list[1] + list[2] + list[3] + list[4] + family(depth - 1, id, x):compute()
end

function waits.coroutine(depth, id, x)
  local total = 0
  local each = coroutine.wrap(function()
    for i = 1, 3 do coroutine.yield(family(depth - 1, id + i, x):compute()) end
  end)
  for _ = 1, 3 do total = total + each() end
  return total
end

-- What a cancel raises goes on: else the task would end well, with another value.
local function caught(fine, value)
  if not fine and tostring(value):find("was cancelled", 1, true) then error(value, 0) end
  return fine and value or value.message
end

function waits.pcall(depth, id, x)
  local value = caught(pcall(function()
    return family(depth - 1, id, x):compute() + leaf(id):submit():result()
  end))
  local problem = caught(pcall(function()
    return require("tidemill").delayed(function() error("expected " .. id, 0) end)():compute()
  end))
  return sum_of(value, problem)
end

function waits.metamethod(depth, id, x)
  local object = setmetatable({}, {
    __index = function(_, key) return family(depth - 1, key, x):compute() end,
    __add = function(_, other) return leaf(other, id):compute() end,
    __tostring = function() return "s" .. text_of(leaf(id):compute()) end,
  })
  return sum_of(object[id], object + 1, tostring(object))
end

local function wait_somehow(depth, how, id, x)
  if depth <= 0 then return sum_of(id, x) + math.random() end
  return waits[how](depth, id, x) + math.random()
end

function bodies.parent(log, id, depth, how, ...)
  note(log, id)
  return wait_somehow(depth, how, id, sum_of(...))
end

-- A child goes on in a way that its number decides.
local yieldable = { "submit", "compute", "gather", "map", "persist", "future", "pcall", "metamethod" }
family = tm.delayed(function(depth, id, x)
  return wait_somehow(depth, yieldable[math.floor(id) % #yieldable + 1], id, sum_of(x))
end, { name = "family" })

function bodies.producer(log, id, channel, values)
  note(log, id)
  for i = 1, values do channel:put(id * 1000 + i) end
  return values
end

function bodies.consumer(log, id, channel)
  note(log, id)
  local got, sum = 0, 0
  for value in channel:iter() do got, sum = got + 1, sum + value end
  return { got, sum }
end

function bodies.closer(log, id, channel, ...)
  note(log, id)
  channel:close()
  return sum_of(...)
end

-- ---- building ---------------------------------------------------------------------------------------

local ways = { "submit", "compute", "gather", "map", "persist", "future", "gsub", "sort", "coroutine",
  "pcall", "metamethod" }

-- Bodies that take down nothing, and need nothing of this process.
local apart = { number = true, text = true, list = true, nothing = true, column = true, busy = true,
  sleeper = true, thrower = true, several = true }

-- Where it runs changes nothing; a time-out and a limit that are never reached, too.
local function lane_of(graph, kind, given)
  if chance(8) then given.lane = one_of("loop", "thread", "serial") end
  if chance(5) then given.kind = "io" end
  if not graph.processes or not apart[kind] or given.lane or not chance(20) then return graph.log end
  local way = roll(4)
  if way == 1 then given.lane = "process" end
  if way == 2 then given.timeout = "5m" end
  if way == 3 then given.memory = "4GB" end
  if way == 4 then given.isolate = true end
  return nil
end

-- The options of a task, and the channel where it takes down that it has run.
local function options_of(graph, kind)
  local given = { name = kind }
  local log = lane_of(graph, kind, given)
  if chance(25) then given.priority = roll(5) - 3 end
  if chance(10) then given.affinity = one_of("here", "there", 7) end
  if chance(10) then given.cost = roll(10) / 1000 end
  if chance(5) then given.seed = roll(1000) end
  -- A task that holds something must not wait for one that needs it.
  if graph.limited and chance(30) and (kind == "sleeper" or kind == "busy" or kind == "number") then
    given.resources = chance(50) and { a = 1 } or { a = one_of(1, 2), b = one_of(0.5, 1, 3) }
  end
  return given, log
end

local function input_of(graph)
  local from = graph.nodes
  if #from == 0 or chance(15) then return one_of(roll(100), "text", true, nil) end
  local node = from[roll(#from)]
  if chance(10) then return { node, x = { node, roll(9) } } end
  if chance(5) then return graph.shared end
  return node
end

local function inputs_of(graph)
  local inputs, most = {}, one_of(0, 1, 1, 2, 2, 3, 4, 12)
  for i = 1, most do inputs[i] = input_of(graph) end
  return inputs, most
end

local function add(graph, node) graph.nodes[#graph.nodes + 1] = node end

-- Started already: the end of the graph waits for it.
local function add_kept(graph, node)
  add(graph, node)
  graph.kept[#graph.kept + 1] = node
end

local builders = {}

local function plain(kind)
  return function(graph, id)
    local inputs, most = inputs_of(graph)
    local given, log = options_of(graph, kind)
    add(graph, tm.delayed(bodies[kind], given)(log, id, unpack(inputs, 1, most)))
  end
end
for _, kind in ipairs { "number", "text", "list", "nothing", "column", "sleeper", "busy", "thrower" } do
  builders[kind] = plain(kind)
end

function builders.hanger(graph, id)
  local inputs, most = inputs_of(graph)
  add(graph, tm.delayed(bodies.hanger, { name = "hanger", timeout = 0.05 })(nil, id, unpack(inputs, 1, most)))
end

function builders.parent(graph, id)
  local depth = one_of(1, 1, 2, 3)
  local how = ways[roll(#ways)]
  local inputs, most = inputs_of(graph)
  add(graph, tm.delayed(bodies.parent, (options_of(graph, "parent")))(graph.log, id, depth, how,
    unpack(inputs, 1, most)))
end

-- What counts its attempts runs once: kept, in a graph whose futures would run it again.
function builders.trier(graph, id)
  local given, failures = options_of(graph, "trier"), roll(4) - 1
  given.retries = roll(3)
  given.retry_delay = one_of(0, 0.0005, 0.001)
  given.backoff = one_of(1, 2, { factor = 1.5, max = 0.002, jitter = 0.5 })
  if chance(30) then
    given.retry_on = one_of(function(e) return e.message:find("attempt") ~= nil end,
      function(e) return e.attempt < 2 end, function() error("cannot tell") end)
  end
  local counter = tm.channel(1)
  counter:put(0)
  local inputs, most = inputs_of(graph)
  local node = tm.delayed(bodies.trier, given)(graph.log, id, counter, failures, unpack(inputs, 1, most))
  if graph.kind == "run" then add(graph, node) else add_kept(graph, node:persist()) end
end

function builders.several(graph, id)
  local given, taken_down = options_of(graph, "several")
  given.nout = 3
  local inputs, most = inputs_of(graph)
  local a, b, c = tm.delayed(function(log, ...)
    note(log, id)
    return sum_of(...), { math.random() }
  end, given)(taken_down, unpack(inputs, 1, most))
  add(graph, a)
  add(graph, b)
  if chance(50) then add(graph, c) end
end

-- Producers, consumers and what closes the channel; all wanted, for each waits for the others.
function builders.channel(graph, id)
  if graph.kind ~= "run" or graph.channels == 2 then return builders.number(graph, id) end
  graph.channels = (graph.channels or 0) + 1
  local channel = tm.channel(one_of(1, 2, 5, 100))
  local producer, consumer = tm.delayed(bodies.producer, { name = "producer" }),
    tm.delayed(bodies.consumer, { name = "consumer" })
  local producers, consumers = {}, {}
  for i = 1, roll(3) do producers[i] = producer(graph.log, id * 10 + i, channel, roll(20)) end
  for i = 1, roll(3) do consumers[i] = consumer(graph.log, id * 10 + 5 + i, channel) end
  local closer = tm.delayed(bodies.closer, { name = "closer" })(graph.log, id * 10, channel,
    unpack(producers))
  local all = tm.delayed(function(_, ...)
    local got, sum = 0, 0
    for i = 1, select("#", ...) do
      local pair = select(i, ...)
      got, sum = got + pair[1], sum + pair[2]
    end
    return { got, sum }
  end, { name = "received" })(closer, unpack(consumers))
  graph.wanted[#graph.wanted + 1] = closer
  graph.wanted[#graph.wanted + 1] = all
end

function builders.future(graph, id)
  if #graph.nodes == 0 then return builders.number(graph, id) end
  local node = graph.nodes[roll(#graph.nodes)]
  if graph.kind == "run" and not chance(20) then return builders.list(graph, id) end
  if graph.kind == "run" then node = leaf(id, roll(100)) end -- nothing that is run twice
  add_kept(graph, chance(50) and node:persist() or node:submit():as_node())
end

local common = { "number", "number", "number", "text", "list", "nothing", "column", "sleeper", "sleeper",
  "busy", "parent", "parent", "several", "trier", "future", "channel" }

local function build(graph, size)
  for id = 1, size do
    local kind = common[roll(#common)]
    if graph.throws and chance(6) then kind = "thrower" end
    if graph.throws and graph.processes and chance(3) then kind = "hanger" end
    builders[kind](graph, id)
  end
  for _ = 1, roll(5) do graph.wanted[#graph.wanted + 1] = graph.nodes[roll(#graph.nodes)] end
  if chance(50) then graph.wanted[#graph.wanted + 1] = graph.nodes[#graph.nodes] end
end

-- ---- running --------------------------------------------------------------------------------------------

local function line_of_error(problem)
  if type(problem) ~= "table" then return "raised " .. tostring(problem) end
  return ("raised %s | task %s | attempt %s of %s | failed %s, skipped %s | %s"):format(
    tostring(problem.message), tostring(problem.task), tostring(problem.attempt),
    problem.attempts and #problem.attempts or 0, tostring(problem.failed), tostring(problem.skipped),
    type(problem.cause) == "table" and getmetatable(problem.cause) == nil and text_of(problem.cause)
      or type(problem.cause))
end

-- Who ran, how often, when all has ended.
local function drain(graph)
  local ran = {}
  for _, node in ipairs(graph.kept) do pcall(tm.compute, node) end
  while (graph.log:state()) > 0 do ran[#ran + 1] = graph.log:take() end
  table.sort(ran)
  return "ran " .. table.concat(ran, " ")
end

local function distribution()
  return chance(60) and {} or
    { distribution = one_of("dynamic", "round_robin", "load_balanced", "affinity") }
end

local runs = {}

-- All that is wanted, in one run: then each of it as a run of its own.
function runs.run(graph, out)
  local fine, values = pcall(tm.compute, graph.wanted, distribution())
  if fine then
    for i = 1, #graph.wanted do out[#out + 1] = text_of(values[i]) end
  else
    out[#out + 1] = line_of_error(values)
  end
  out[#out + 1] = drain(graph)
end

local function settle(future, out)
  local fine, value = pcall(future.result, future)
  out[#out + 1] = future:status() .. " " .. (fine and text_of(value) or line_of_error(value))
end

function runs.futures(graph, out)
  local futures = {}
  for i, node in ipairs(graph.wanted) do futures[i] = tm.submit(node) end
  if chance(30) then tm.wait(futures, chance(50) and 0.0005 or nil) end
  for _, future in ipairs(futures) do settle(future, out) end
  out[#out + 1] = drain(graph)
end

local ends = { finished = true, cancelled = true, error = true, skipped = true }

-- Some are cancelled at any moment.  Each ends; what has finished is what it is without a cancel.
function runs.cancelled(graph, out)
  local futures, cancelled = {}, {}
  for i, node in ipairs(graph.wanted) do futures[i] = tm.submit(node) end
  if chance(70) then tm.sleep(roll(30) / 10000) end
  for i, future in ipairs(futures) do
    if chance(70) then
      future:cancel()
      cancelled[i] = true
    end
    if chance(20) then tm.sleep(roll(10) / 10000) end
  end
  for i, future in ipairs(futures) do
    future:wait()
    local status = future:status()
    local fine, value = pcall(future.result, future)
    local right, expected = pcall(tm.compute, graph.wanted[i])
    assert(ends[status], status)
    assert(status ~= "cancelled" or cancelled[i], "nobody has cancelled it")
    assert(fine == (status == "finished"))
    if fine then
      assert(right and text_of(value) == text_of(expected), "finished with another value")
    elseif status ~= "cancelled" then
      assert(not right and value.message == expected.message, "failed otherwise")
    end
    out[#out + 1] = right and text_of(expected) or line_of_error(expected)
  end
  drain(graph)
end

local function run(number)
  start_dice(number)
  local kind = one_of("run", "run", "run", "futures", "futures", "cancelled")
  local graph = { kind = kind, nodes = {}, wanted = {}, kept = {}, throws = chance(40), limited = chance(40),
    processes = chance(30),
    shared = tm.share({ number, "shared", { 1, 2, 3 } }), log = tm.channel(2 ^ 16) }
  build(graph, one_of(3, 10, 20, 40, 60))
  local out = { ("graph %d, %s"):format(number, kind) }
  runs[kind](graph, out)
  print(table.concat(out, "\n  "))
  io.flush()
end

for number = first, first + count - 1 do run(number) end
