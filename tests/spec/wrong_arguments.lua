-- wrong_arguments: calls public functions with arguments of all kinds and writes a line for each message
-- that speaks of the library's inside instead of the call: a position in its modules, or what LuaJIT
-- says where nothing was checked.  tidemill wrong_arguments.lua SEED ROUNDS STUB...; arguments_spec.lua
-- runs it.  SPDX-License-Identifier: MIT
local tm = require "tidemill"

math.randomseed(tonumber(arg[1]))
local rounds = tonumber(arg[2])

local function give(x) return x end -- as an iterator it ends at once
local lazy, matrix = tm.arange(0, 12):reshape(3, 4), tm.array { { 1, 2, 3 }, { 4, 5, 6 } }
local delayed = tm.delayed(give, { name = "give" })
local owners = {
  tm = tm, kernels = tm.kernels, linalg = tm.linalg, random = tm.random, json = tm.json, log = tm.log,
  lazy = lazy, array = matrix, node = delayed(1), future = tm.submit(give, 1), channel = tm.channel(2),
  delayed = delayed,
}

-- What would wait, speak to the world, change the engine or write where it is told to.
local left_out = {}
for name in ([[tm.exec tm.connect tm.listen tm.http_get tm.config tm.args tm.sleep tm.wait tm.write_text
    tm.write_npy tm.say tm.kernel_c tm.autotune tm.visualize log.debug log.info log.warn log.error
    lazy.write_npy lazy.visualize node.visualize tm.cache tm.share channel.get channel.put]]):gmatch("%S+") do
  left_out[name] = true
end

local makers = {
  function() return nil end, function() return -1 end, function() return 0 end, function() return 1 end,
  function() return 2 end, function() return 2.5 end, function() return 1e300 end,
  function() return 0 / 0 end,
  function() return -5e15 end, function() return 1 / 0 end, function() return 3LL end,
  function() return "x" end, function() return "" end, function() return "float64" end,
  function() return true end, function() return false end,
  function() return {} end, function() return { 1 } end, function() return { 1, 2, 3 } end,
  function() return { "a" } end, function() return { a = 1 } end, function() return { n = 2 } end,
  function() return { 1, { 2 } } end, function() return { { 1, 2 }, { 3, 4 } } end,
  function() return { { 1, 2 }, { 3 } } end, function() return { chunks = 2 } end,
  function() return { seed = "x" } end, function() return { axis = 1 } end,
  function() return { ddof = "x" } end,
  function() return give end, function() return print end, function() return io.stdout end,
  function() return coroutine.create(give) end, function() return matrix end, function() return lazy end,
  function() return tm.array { 3, 1, 2 } end, function() return tm.array { "a", "b" } end,
  function() return delayed end, function() return owners.node end, function() return owners.future end,
  function() return owners.channel end,
}

local function functions_of(stub)
  local found = {}
  for owner, mark, name in ("\n" .. stub):gmatch("\nfunction ([%w_]+)([.:])([%w_]+)%(") do
    if owners[owner] and not left_out[owner .. "." .. name] then
      found[#found + 1] = { owner = owner, mark = mark, name = name }
    end
  end
  return found
end

local function shown(value)
  local text = type(value) == "string" and ("%q"):format(value) or tostring(value)
  return (text:gsub("\n.*", " .."):gsub("0x%x+", "0x"))
end

-- Lazy results are computed: some arguments are looked at no earlier.
local function called(one, arguments, count)
  local owner = owners[one.owner]
  local result
  if one.mark == ":" then
    result = owner[one.name](owner, unpack(arguments, 1, count))
  else
    result = owner[one.name](unpack(arguments, 1, count))
  end
  if type(result) == "userdata" and io.type(result) == nil and result.compute then result:compute() end
end

local inside = { "%[tidemill%]", "attempt to ", "bad argument", "assertion failed", "has no '__",
  "cannot convert" }
local told = {}

local function judge(one, arguments, count, problem)
  local message = tostring(type(problem) == "table" and problem.message or problem)
  for _, pattern in ipairs(inside) do
    local key = one.owner .. one.name .. message:gsub("%d+", "")
    if message:find(pattern) and not told[key] then
      told[key] = true
      local texts = {}
      for i = 1, count do texts[i] = shown(arguments[i]) end
      print(("inside: %s%s%s(%s): %s"):format(one.owner, one.mark, one.name, table.concat(texts, ", "),
        message))
    end
  end
end

local all = {}
for i = 3, #arg do
  for _, one in ipairs(functions_of(tm.read_text(arg[i]))) do all[#all + 1] = one end
end
for _ = 1, rounds do
  for _, one in ipairs(all) do
    local arguments, count = {}, math.random(0, 4)
    for i = 1, count do arguments[i] = makers[math.random(#makers)]() end
    local fine, problem = pcall(called, one, arguments, count)
    if not fine then judge(one, arguments, count, problem) end
  end
end
print(("%d functions"):format(#all))
