-- sandbox: what is different for Lua code inside a task: whole lines of output, a random stream
-- of its own, and no change of what the whole process shares.
local ffi = require("ffi")
local core = require("tidemill.core")
local origin = require("tidemill.origin")

local sandbox = {}

local pending = {} -- parts of an unfinished line of io.write

-- Whether there is one.
local output = { unfinished = false }
sandbox.output = output

local function emit(text)
  local whole, rest = text:match("^(.*\n)([^\n]*)$")
  if not whole then
    pending[#pending + 1] = text
  else
    core.print(table.concat(pending) .. whole)
    pending = { rest ~= "" and rest or nil }
  end
  output.unfinished = #pending > 0
end

local function task_print(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  emit(table.concat(parts, "\t") .. "\n")
end

local function task_write(...)
  local parts = {}
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if type(value) ~= "string" and type(value) ~= "number" then
      error(("bad argument #%d to 'write' (string expected, got %s)"):format(i, type(value)), 2)
    end
    parts[i] = value
  end
  emit(table.concat(parts))
  return io.stdout
end

--- What a task leaves in an unfinished line goes out as a line.
function sandbox.end_task()
  if not output.unfinished then return end
  core.print(table.concat(pending) .. "\n")
  pending, output.unfinished = {}, false
end

-- ---- tasks that wait: what is kept of one while others run ------------------------------------------

local random

function sandbox.save()
  local kept = { pending = pending, unfinished = output.unfinished, random = random.save() }
  pending, output.unfinished = {}, false
  return kept
end

function sandbox.restore(kept)
  pending, output.unfinished = kept.pending, kept.unfinished
  random.restore(kept.random)
end

-- ---- random numbers: Philox4x32-10 counters on the task's own stream -----------------------------

local function install_random(call)
  local C = require("tidemill.clib")
  local size = 32
  local buffer = ffi.new("double[?]", size)
  local turn, seed, stream, drawn = -1, 0ULL, 0ULL, 0

  local function draw()
    if call.turn ~= turn then
      turn, seed, stream, drawn = call.turn, call.stream[0], call.stream[1], 0
    end
    local at = drawn % size
    if at == 0 then C.tidemill_kernel_uniform(seed, stream, drawn, size, buffer) end
    drawn = drawn + 1
    return buffer[at]
  end

  random = {}
  function random.save()
    local kept = { turn = turn, seed = seed, stream = stream, drawn = drawn, buffer = {} }
    for i = 0, size - 1 do kept.buffer[i] = buffer[i] end
    return kept
  end
  function random.restore(kept)
    turn, seed, stream, drawn = kept.turn, kept.seed, kept.stream, kept.drawn
    for i = 0, size - 1 do buffer[i] = kept.buffer[i] end
  end

  origin.replace("math.random", function(low, high)
    local u = draw()
    if low == nil then return u end
    if high == nil then low, high = 1, low end
    if low > high then error("bad argument to 'random' (interval is empty)", 2) end
    return low + math.floor(u * (high - low + 1))
  end)

  origin.replace("math.randomseed", function(value)
    turn, seed, drawn = call.turn, call.stream[0], 0
    stream = ffi.cast("uint64_t", ffi.cast("int64_t", value))
  end)
end

-- ---- what a cached task reads --------------------------------------------------------------------

-- Notes the file that the first argument names, then calls the builtin; `reads(mode)` is whether
-- the second one means reading.
local function note_file(name, builtin, reads)
  origin.replace(name, function(path, ...)
    if type(path) == "string" and (not reads or reads(...)) then core.depends(path) end
    return builtin(path, ...)
  end)
end

local function install_notes()
  note_file("io.open", io.open, function(mode)
    return mode == nil or (type(mode) == "string" and mode:find("^r") ~= nil)
  end)
  note_file("io.lines", io.lines)
  note_file("io.input", io.input)
  note_file("dofile", dofile)
  note_file("loadfile", loadfile)
  origin.replace("os.getenv", core.env)
  local modules = require("tidemill.modules")
  function modules.on_require(name)
    for path, hash in modules.sources(name) do core.depends(path, hash) end
  end
end

local function refuse(what, instead)
  return function()
    error(("%s is not allowed in a task%s"):format(what, instead or ""), 2)
  end
end

--- Changes this state's globals; once, before any task.
function sandbox.install(call)
  origin.replace("print", task_print)
  origin.replace("io.write", task_write)
  origin.replace("os.execute", core.execute)
  origin.replace("os.exit", refuse("os.exit", "; raise an error, or return a value"))
  origin.replace("os.setlocale", refuse("os.setlocale"))
  require("tidemill.nesting").install()
  install_notes()
  install_random(call)
end

return sandbox
