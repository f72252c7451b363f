-- sandbox: what is different for Lua code inside a task: whole lines of output, a random stream
-- of its own, and no change of what the whole process shares.
local ffi = require("ffi")
local core = require("tidemill.core")
local origin = require("tidemill.origin")

local sandbox = {}

local call -- the running task's, as host/bind/ffi.h has it

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

local function install_random()
  local C = require("tidemill.clib")
  require("tidemill.kernels.declare")("random.h")
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

-- ---- what a cached task reads, and what no key can know -------------------------------------------

local told = -1 -- turn of the task that is known to be impure

-- The running task uses what is in no key.
local function impure(what)
  if call.turn == told then return end
  told = call.turn
  core.impure(what)
end

-- File -> turn of the task that has opened it.  What another task's file gives depends on what was read
-- before.
local turns = setmetatable({}, { __mode = "k" })

local function opened(file, ...)
  if file ~= nil then turns[file] = call.turn end
  return file, ...
end

local function check_file(file)
  if turns[file] == call.turn then return end
  impure(file == io.stdin and "standard input" or "a file that was opened before it")
end

local function watch_methods()
  local methods = getmetatable(io.stdin).__index
  for _, name in ipairs({ "read", "lines", "seek" }) do
    local method = methods[name]
    methods[name] = function(file, ...)
      if io.type(file) then check_file(file) end
      return method(file, ...)
    end
  end
end

local function watch_open()
  local open, tmpfile, popen = io.open, io.tmpfile, io.popen
  origin.replace("io.open", function(path, mode, ...)
    if type(path) == "string" then
      local reads = mode == nil or (type(mode) == "string" and mode:find("^r"))
      local both = type(mode) == "string" and mode:find("+", 1, true)
      if reads or (both and mode:find("^a")) then core.depends(path) end
      if not reads or both then core.writes(path) end
    end
    return opened(open(path, mode, ...))
  end)
  origin.replace("io.tmpfile", function() return opened(tmpfile()) end)
  origin.replace("io.popen", function(...)
    impure("io.popen")
    return opened(popen(...))
  end)
end

local function watch_streams()
  local input, read, lines, set_output = io.input, io.read, io.lines, io.output
  origin.replace("io.input", function(file, ...)
    if type(file) == "string" then
      core.depends(file)
      return opened(input(file, ...))
    end
    return input(file, ...)
  end)
  origin.replace("io.output", function(file, ...)
    if type(file) == "string" then core.writes(file) end
    return set_output(file, ...)
  end)
  origin.replace("io.read", function(...)
    check_file(input())
    return read(...)
  end)
  origin.replace("io.lines", function(path, ...)
    if type(path) == "string" then core.depends(path) else check_file(input()) end
    return lines(path, ...)
  end)
end

local function watch_chunks()
  for name, builtin in pairs({ dofile = dofile, loadfile = loadfile }) do
    origin.replace(name, function(path, ...)
      if type(path) == "string" then core.depends(path) else impure("standard input") end
      return builtin(path, ...)
    end)
  end
  local modules = require("tidemill.modules")
  local turn, noted = -1, {} -- what the running task has required
  function modules.on_require(name)
    if call.turn ~= turn then turn, noted = call.turn, {} end
    if noted[name] or not core.notes() then return end
    noted[name] = true
    core.uses("package.path")
    modules.each_source(name, core.depends)
  end
end

local function watch_system()
  local time, date, execute = os.time, os.date, core.execute
  origin.replace("os.time", function(fields)
    if fields == nil then impure("os.time") else core.env("TZ") end
    return time(fields)
  end)
  origin.replace("os.date", function(format, at)
    if at == nil then impure("os.date without a time") end
    if type(format) ~= "string" or format:sub(1, 1) ~= "!" then core.env("TZ") end
    return date(format, at)
  end)
  origin.replace("os.execute", function(command)
    if command ~= nil then impure("os.execute") end
    return execute(command)
  end)
  origin.replace("os.getenv", core.env)
end

local function refuse(what, instead)
  return function()
    error(("%s is not allowed in a task%s"):format(what, instead or ""), 2)
  end
end

--- Changes this state's globals; once, before any task.
function sandbox.install(of_worker)
  call = of_worker
  origin.replace("print", task_print)
  origin.replace("io.write", task_write)
  origin.replace("os.exit", refuse("os.exit", "; raise an error, or return a value"))
  origin.replace("os.setlocale", refuse("os.setlocale"))
  require("tidemill.nesting").install()
  watch_methods()
  watch_open()
  watch_streams()
  watch_chunks()
  watch_system()
  install_random()
end

return sandbox
