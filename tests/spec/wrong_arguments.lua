-- wrong_arguments: calls public functions with arguments of the types that their stubs declare, one of which
-- is mostly wrong, and with some of any kind.  It writes a line for each message that speaks of the library's
-- inside instead of the call: a position in its modules, or what LuaJIT says where nothing was checked; for
-- each that blames another place than the call; and for each option of an unknown name that is taken.
-- tidemill wrong_arguments.lua SEED ROUNDS [slow] STUB...; with `slow` also for each call that takes long or
-- much memory.  arguments_spec.lua runs it.  SPDX-License-Identifier: MIT
local stubs = require "scripts.dev.reference.stubs"
local tm = require "tidemill"

math.randomseed(tonumber(arg[1]))
local rounds = tonumber(arg[2])
io.stdout:setvbuf("line")
local slow = arg[3] == "slow"

local typed = require "tests.spec.typed_values"

local owners = {
  tm = tm, kernels = tm.kernels, linalg = tm.linalg, random = tm.random, json = tm.json, log = tm.log,
  cache = tm.cache, frame = typed.frame,
}
for name, handle in pairs(typed.handles) do owners[name] = handle end

-- What would wait, speak to the world, change the engine or end what others use.
local left_out = {}
for name in ([[tm.listen tm.config tm.args tm.sleep tm.say tm.kernel_c tm.share tm.degraded tm.cancel
    log.debug log.info log.warn log.error channel.close pool.close future.cancel]]):gmatch("%S+") do
  left_out[name] = true
end

-- Arguments that stay as they are, whatever the others: they keep the world out.
local nowhere = "/nowhere/at/all"
local kept = {
  ["tm.write_text"] = { nowhere }, ["tm.write_npy"] = { nowhere }, ["tm.read_text"] = { nowhere },
  ["tm.visualize"] = { [2] = nowhere .. ".svg" }, ["lazy.visualize"] = { nowhere .. ".svg" },
  ["node.visualize"] = { nowhere .. ".svg" }, ["tm.exec"] = { { "true" } },
  ["tm.http_get"] = { "http://127.0.0.1:1/" }, ["tm.connect"] = { "127.0.0.1", 1 },
  ["tm.kernel"] = { nowhere }, ["tm.glob"] = { nowhere .. "/*" }, ["tm.read_npy"] = { "tests/data/npy/b1.npy" },
  ["tm.read_csv"] = { "tests/data/market/mixed.csv" }, ["tm.read_header"] = { "tests/data/market/mixed.csv" },
  ["tm.autotune"] = { [2] = { 1, 2 } },
  ["tm.full"] = {}, ["channel.put"] = { [2] = 0 }, ["channel.take"] = { 0 },
}

-- ---- Functions --------------------------------------------------------------------------------------

-- What is declared as fun(self: .., ..) in a class.
local function add_fields(found, item)
  local owner = item.name:match("^tidemill%.(%w+)$")
  for _, field in ipairs(item.fields) do
    local more = field.type:match("^fun%(self: [%w_.]+(.-)%)")
    if more and owners[owner] then
      local params = {}
      for name, type in more:gmatch(", ([%w_]+)%??: ([%w_.]+)") do params[#params + 1] = { name = name, type = type } end
      found[#found + 1] = { owner = owner, mark = ":", name = field.name, params = params }
    end
  end
end

local function declared()
  local items, found = {}, {}
  for i = slow and 4 or 3, #arg do stubs.read(arg[i], items, {}) end
  typed.declare(items)
  for _, item in ipairs(items) do
    if item.kind == "class" then add_fields(found, item) end
    local known = owners[item.owner] or item.owner == "lazy" or item.owner == "array"
    if item.kind == "function" and known and not left_out[item.owner .. "." .. item.member] then
      found[#found + 1] = { owner = item.owner, mark = item.sign, name = item.member, params = item.params }
    end
  end
  return found
end

-- ---- Calls ------------------------------------------------------------------------------------------

local function one_of(list) return list[math.random(#list)] end

-- Whose method is called: of arrays and lazy arrays one of many.
local function owner_of(one)
  if one.owner == "lazy" and math.random() < 0.7 then return one_of(typed.lazies) end
  if one.owner ~= "lazy" and one.owner ~= "array" then return owners[one.owner] end
  return one_of(one_of { typed.vectors, typed.matrices, typed.odd })
end

local function is_options_place(param, last) return last and typed.options_among(param.type) end

-- Arguments of the declared types; how many; and where options may stand.
local function right(one)
  local arguments, count, place, options = {}, 0, nil, nil
  for i, param in ipairs(one.params) do
    for _ = 1, param.name == "..." and math.random(0, 3) or 1 do
      count = count + 1
      if not param.optional or math.random() < 0.4 then arguments[count] = typed.of(param.type, param.name) end
    end
    options = is_options_place(param, i == #one.params)
    if options then
      if param.name == "..." then count = count + 1 end
      place = count
    end
  end
  return arguments, count, place, options
end

-- Arguments of a call, how many, and whether a name is wrong among its options.
local function arguments_of(one)
  local arguments, count, place, options = right(one)
  local chance, misspelt, wrong = math.random(), nil, nil
  if chance < 0.1 then
    count = math.random(0, 4)
    for i = 1, count do arguments[i] = typed.any() end
  elseif place and chance < 0.6 then
    arguments[place], misspelt = typed.wrong_options(options)
  elseif chance < 0.9 and count > 0 then
    local at = math.random(count)
    arguments[at] = typed.any()
    local param = one.params[at]
    wrong = at
    local may_be_options = place and type(arguments[at]) == "table" -- in the place of what may be left out
    misspelt = param and param.name ~= "..." and not may_be_options and typed.is_other(param.type, arguments[at])
  elseif chance < 0.95 then
    count = count + 1
    arguments[count] = typed.any()
  end
  for i, value in pairs(kept[one.owner .. "." .. one.name] or {}) do
    if i == wrong then misspelt = false end
    arguments[i], count = value, math.max(i, count)
  end
  return arguments, count, misspelt
end

-- Lazy results are computed: some arguments are looked at no earlier.
local here -- the line of the call
local function called(one, owner, arguments, count)
  local result
  here = debug.getinfo(1, "l").currentline + 1
  if one.mark == ":" then result = owner[one.name](owner, unpack(arguments, 1, count)) else result = owner[one.name](unpack(arguments, 1, count)) end
  here = here + 2
  if type(result) == "userdata" and io.type(result) == nil and result.compute then result:compute() end
end

-- ---- Messages ---------------------------------------------------------------------------------------

local inside = { "%[tidemill%]", "attempt to ", "bad argument", "assertion failed", "has no '__",
  "cannot convert", "lua/tidemill", "stack overflow", "%[C%]", "%[builtin", "^0x", "table: 0x", "function: 0x",
  "userdata: 0x", "cdata<", "nil value", "misaligned" }
local told = {}

local function shown(value, depth)
  if type(value) == "string" then return ("%q"):format(value):gsub("\n.*", " ..") end
  if type(value) ~= "table" or getmetatable(value) or (depth or 0) > 2 then
    return (tostring(value):gsub("\n.*", " .."):gsub("0x%x+", "0x"))
  end
  local items = {}
  for key, item in tm.sorted(value) do
    items[#items + 1] = (type(key) == "number" and "" or tostring(key) .. " = ") .. shown(item, (depth or 0) + 1)
  end
  return "{ " .. table.concat(items, ", ") .. " }"
end

-- A line about a call, once for a function and a message.
local function tell(what, one, owner, arguments, count, message)
  local key = what .. one.owner .. one.name .. message:gsub("[%d.]+", "")
  if told[key] then return end
  told[key] = true
  local texts = {}
  for i = 1, count do texts[i] = shown(arguments[i]) end
  print(("%s: %s%s%s(%s): %s"):format(what, one.mark == ":" and shown(owner) or one.owner, one.mark, one.name,
    table.concat(texts, ", "), message))
end

-- What the world, the codec and the JSON writer say has no place: it is no matter of the call alone.
local placeless = { "No such file", "cannot connect", "^cannot send", "^json: ", "^out of memory", "^date_format ", "^tests/data/", "^/nowhere/", "out of memory", "^task \"", "^connect: ", "all elements are NaN",
  "does not fit a Lua number exactly", "which %w+ cannot hold" }

local place = "^" .. arg[0]:gsub("%p", "%%%0") .. ":(%d+): "

local function judge(tell_of, problem)
  local message = tostring(type(problem) == "table" and problem.message or problem)
  for _, pattern in ipairs(inside) do
    if message:find(pattern) then return tell_of("inside", message) end
  end
  local line = message:match(place)
  if type(problem) ~= "string" or tonumber(line) == here then return end
  for _, pattern in ipairs(placeless) do
    if message:find(pattern) then return end
  end
  tell_of("elsewhere", message)
end

local all = declared()
for _ = 1, rounds do
  for _, one in ipairs(all) do
    local owner = owner_of(one)
    local arguments, count, misspelt = arguments_of(one)
    local function tell_of(what, message) tell(what, one, owner, arguments, count, message) end
    if slow then io.stderr:write(one.owner, one.mark, one.name, " ") for i = 1, count do io.stderr:write(shown(arguments[i]), ", ") end io.stderr:write("\n") end
    local from, kilobytes = tm.clock(), tm.stats().peak_resident
    local fine, problem = pcall(called, one, owner, arguments, count)
    if not fine then
      judge(tell_of, problem)
    elseif misspelt then
      tell_of("accepted", "")
    end
    if slow and tm.clock() - from > 0.5 then tell_of("slow", ("%.1f s"):format(tm.clock() - from)) end
    if slow and tm.stats().peak_resident - kilobytes > 1e8 then
      tell_of("large", ("%.0f MB"):format((tm.stats().peak_resident - kilobytes) / 1e6))
    end
  end
end
print(("%d functions"):format(#all))
