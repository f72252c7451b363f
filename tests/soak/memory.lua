-- memory: graphs whose intermediate results are several times the limit, run by the engine under test
-- as a child process, whose memory is sampled from outside.
-- memory.run{ program =, kind = "array" | "table" | "string", limit = MB, times =, piece = MB } gives
-- { peak =, right =, spilled =, seconds =, error = }.  SPDX-License-Identifier: MIT

local memory = {}

local script = [[
local tm = require "tidemill"
local kind, count, size = %q, %d, %d
tm.config { workers = 2, memory = { limit = %q } }
local array = require "tidemill.array"

local make = {
  array = function(i, size)
    local a = require("tidemill.array").new("float64", size / 8)
    local p = a:pointer()
    for k = 0, size / 8 - 1 do p[k] = i + k end
    return a
  end,
  table = function(i, size)
    local t = {}
    for k = 1, size / 9 do t[k] = i + k end
    return t
  end,
  string = function(i, size) return string.char(65 + i %% 26):rep(size) end,
}

-- A number that every byte of a result is in.
local check = {
  array = function(a)
    local sum, p = 0, a:pointer()
    for k = 0, a.length - 1 do sum = sum + p[k] end
    return sum
  end,
  table = function(t)
    local sum = 0
    for k = 1, #t do sum = sum + t[k] end
    return sum
  end,
  string = function(s)
    return #s == #s:match(s:sub(1, 1) .. "*") and #s * s:byte() or 0
  end,
}

local function want(i)
  if kind == "string" then return size * (65 + i %% 26) end
  local n, first = math.floor(size / (kind == "array" and 8 or 9)), kind == "array" and 0 or 1
  return n * i + n * (n - 1) / 2 + n * first
end

local began = tm.clock()
local results, sum, expected = {}, 0, 0
make, check = tm.delayed(make[kind]), tm.delayed(check[kind])
for i = 1, count do results[i] = make(i, size) end
if kind == "array" then -- all of them are alive for the last task
  local total = tm.delayed(function(list)
    local all = 0
    for _, a in ipairs(list) do
      local p = a:pointer()
      for k = 0, a.length - 1 do all = all + p[k] end
    end
    return all
  end)
  sum = total(results):compute()
else -- one task could not hold them all as Lua values: they are kept, and read one by one, twice
  for i = 1, count do results[i] = results[i]:persist() end
  for _ = 1, 2 do
    local checks = {}
    sum = 0
    for i = 1, count do checks[i] = check(results[i]) end
    for _, each in ipairs(tm.compute(checks)) do sum = sum + each end
  end
end
for i = 1, count do expected = expected + want(i) end
local stats = tm.stats().memory
print(sum == expected, stats.spills, stats.spilled, tm.clock() - began)
]]

local function resident(pid)
  local file = io.open("/proc/" .. pid .. "/status")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  local anonymous, shared = text:match("RssAnon:%s*(%d+)"), text:match("RssShmem:%s*(%d+)")
  return anonymous and 1024 * (anonymous + shared)
end

function memory.script(options)
  local size = math.floor(options.piece * 1e6 / 72) * 72
  local count = math.ceil(options.times * options.limit * 1e6 / size)
  return script:format(options.kind, count, size, options.limit .. "MB")
end

function memory.run(options)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(memory.script(options))
  file:close()
  local pipe = assert(io.popen(("echo $$; exec %s --cache off %s 2>&1"):format(options.program, path)))
  local pid, peak = pipe:read("*l"), 0
  local ffi = require("ffi")
  pcall(ffi.cdef, "int poll(void *files, unsigned long count, int milliseconds);")
  local function state()
    local stat = io.open("/proc/" .. pid .. "/stat")
    local text = stat and stat:read("*a")
    if stat then stat:close() end
    return text and text:match("%) (%a)")
  end
  while true do
    local now = state()
    if not now or now == "Z" or now == "X" then break end
    peak = math.max(peak, resident(pid) or 0)
    ffi.C.poll(nil, 0, 2)
  end
  local text = pipe:read("*a")
  pipe:close()
  os.remove(path)
  local right, spills, spilled, seconds = text:match("(%a+)\t(%d+)\t(%d+)\t(%S+)")
  return { right = right == "true", spills = tonumber(spills), spilled = tonumber(spilled),
    seconds = tonumber(seconds), peak = peak, error = not right and text or nil }
end

return memory
