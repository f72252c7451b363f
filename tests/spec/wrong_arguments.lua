-- wrong_arguments: calls public functions with arguments of the types that their stubs declare, one of which
-- is mostly wrong, and with some of any kind.  It writes a line for each message that speaks of the library's
-- inside instead of the call: a position in its modules, or what LuaJIT says where nothing was checked; for
-- each that blames another place than the call; and for each argument or option that is certainly wrong and
-- taken.
-- tidemill wrong_arguments.lua SEED ROUNDS [slow] STUB...; with `slow` also for each call that takes long or
-- much memory.  Ends with 1 where there was any.  arguments_spec.lua and `make fuzz` run it.
-- SPDX-License-Identifier: MIT
local stubs = require "scripts.dev.reference.stubs"
local tm = require "tidemill"

math.randomseed(tonumber(arg[1]))
local rounds = tonumber(arg[2])
io.stdout:setvbuf("line")
local slow = arg[3] == "slow"

local typed = require "tests.spec.typed_values"

local owners = {
  tm = tm, kernels = tm.kernels, linalg = tm.linalg, random = tm.random, json = tm.json, log = tm.log,
  cache = tm.cache, frame = typed.frame, kernel = tm.kernel,
}
for name, handle in pairs(typed.handles) do owners[name] = handle end

-- What would wait, speak to the world, change the engine or end what others use.
local left_out = {}
for name in ([[tm.listen tm.config tm.args tm.sleep tm.say tm.kernel_c tm.share tm.degraded tm.cancel
    log.debug log.info log.warn log.error channel.close pool.close future.cancel]]):gmatch("%S+") do
  left_out[name] = true
end

-- Arguments that stay as they are, whatever the others: they keep the world out.
local nowhere, table_file = "/nowhere/at/all", "tests/data/market/mixed.csv"
local kept = {
  ["tm.write_text"] = { nowhere }, ["tm.write_npy"] = { nowhere }, ["tm.read_text"] = { nowhere },
  ["tm.visualize"] = { [2] = nowhere .. ".svg" }, ["lazy.visualize"] = { nowhere .. ".svg" },
  ["node.visualize"] = { nowhere .. ".svg" }, ["tm.exec"] = { { "true" } },
  ["tm.http_get"] = { "http://127.0.0.1:1/" }, ["tm.connect"] = { "127.0.0.1", 1 },
  ["tm.kernel"] = { nowhere }, ["tm.glob"] = { nowhere .. "/*" },
  ["tm.read_npy"] = { "tests/data/npy/b1.npy" },
  ["tm.read_csv"] = { table_file }, ["tm.read_header"] = { table_file }, ["tm.autotune"] = { [2] = { 1, 2 } },
  ["channel.put"] = { [2] = 0 }, ["channel.take"] = { 0 },
}

-- ---- Functions --------------------------------------------------------------------------------------

-- What is declared as fun(self: .., ..) in a class.
local function add_fields(found, item)
  local owner = item.name:match("^tidemill%.(%w+)$")
  for _, field in ipairs(item.fields) do
    local more = field.type:match("^fun%(self: [%w_.]+(.-)%)")
    if more and owners[owner] then
      local params = {}
      for name, kind in more:gmatch(", ([%w_]+)%??: ([%w_.]+)") do
        params[#params + 1] = { name = name, type = kind }
      end
      found[#found + 1] = { owner = owner, mark = ":", name = field.name, params = params }
    end
  end
end

local function add_function(found, item)
  local owner, name = item.owner, item.member
  if name:find(".", 1, true) then owner, name = name:match("^(%w+)%.(%w+)$") end -- tm.kernel.out
  local known = owners[owner] or owner == "lazy" or owner == "array"
  if left_out[owner .. "." .. name] or not known then return end
  found[#found + 1] = { owner = owner, mark = item.sign, name = name, params = item.params }
end

local function declared()
  local items, found = {}, {}
  for i = slow and 4 or 3, #arg do stubs.read(arg[i], items, {}) end
  typed.declare(items)
  for _, item in ipairs(items) do
    if item.kind == "class" then add_fields(found, item) end
    if item.kind == "function" then add_function(found, item) end
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

-- Arguments of the declared types; how many; and where options may stand.
local function right(one)
  local arguments, count, place, options = {}, 0, nil, nil
  for i, param in ipairs(one.params) do
    for _ = 1, param.name == "..." and math.random(0, 3) or 1 do
      count = count + 1
      if not param.optional or math.random() < 0.4 then
        arguments[count] = typed.of(param.type, param.name)
      end
    end
    options = i == #one.params and typed.options_among(param.type)
    if options then
      if param.name == "..." then count = count + 1 end
      place = count
    end
  end
  return arguments, count, place, options
end

-- Puts something wrong among right arguments; how many there are then, and whether it must be refused.
local function spoil(one, arguments, count, place, options)
  local chance, must_fail = math.random(), false
  if place and chance < 0.55 then
    arguments[place], must_fail = typed.wrong_options(options)
  elseif chance < 0.9 and count > 0 then
    local at = math.random(count)
    local param, value = one.params[at], typed.any()
    local may_be_options = place and type(value) == "table" -- in the place of what may be left out
    if param and param.name ~= "..." and not may_be_options then
      must_fail = typed.is_other(param.type, value)
    end
    arguments[at] = value
  elseif chance < 0.95 then
    count = count + 1
    arguments[count] = typed.any()
  end
  return count, must_fail
end

-- Arguments of a call, how many, and whether it must be refused.
local function arguments_of(one)
  local arguments, count, place, options = right(one)
  local must_fail = false
  if math.random() < 0.1 then
    count = math.random(0, 4)
    for i = 1, count do arguments[i] = typed.any() end
  else
    count, must_fail = spoil(one, arguments, count, place, options)
  end
  for i, value in pairs(kept[one.owner .. "." .. one.name] or {}) do
    if arguments[i] ~= value then must_fail = false end
    arguments[i], count = value, math.max(i, count)
  end
  return arguments, count, must_fail
end

local here -- the line of the call

-- Lazy results are computed: some arguments are looked at no earlier.
local function called(one, owner, arguments, count)
  local fn, list = owner[one.name], arguments
  if one.mark == ":" then
    list, count = { owner, unpack(arguments, 1, count) }, count + 1
  end
  here = debug.getinfo(1, "l").currentline + 1
  local result = fn(unpack(list, 1, count))
  here = here + 3
  if type(result) ~= "userdata" or io.type(result) or not result.compute then return end
  local _ = result:compute()
end

-- ---- Messages ---------------------------------------------------------------------------------------

local inside = { "%[tidemill%]", "attempt to ", "bad argument", "assertion failed", "has no '__",
  "cannot convert", "lua/tidemill", "stack overflow", "%[C%]", "%[builtin", "^0x", "table: 0x",
  "function: 0x", "userdata: 0x", "cdata<", "nil value", "assigns upvalue" }

-- What files, the network, the codec, the JSON writer and tasks say has no place: it is not of the call
-- alone.
local placeless = { "^tests/data/", "^/nowhere/", "No such file", "^connect: ", "^http_get: ",
  "^cannot send", "^json: ", "timed out after",
  "out of memory", "^date_format ", "^task \"", "all elements are NaN", "does not fit a Lua number exactly",
  "which %w+ cannot hold", ": the matrix is " }

local told = {}

local function shown(value, depth)
  if type(value) == "string" then return (("%q"):format(value):gsub("\n.*", " ..")) end
  if type(value) ~= "table" or getmetatable(value) or (depth or 0) > 2 then
    return (tostring(value):gsub("\n.*", " .."):gsub("0x%x+", "0x"))
  end
  local items = {}
  for key, item in tm.sorted(value) do
    local name = type(key) == "number" and "" or tostring(key) .. " = "
    items[#items + 1] = name .. shown(item, (depth or 0) + 1)
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

local place_of = "^" .. arg[0]:gsub("%p", "%%%0") .. ":(%d+): "

-- What is wrong with an error; nil of one that speaks of the call.
local function fault(problem)
  local message = tostring(type(problem) == "table" and problem.message or problem)
  for _, pattern in ipairs(inside) do
    if message:find(pattern) then return "inside", message end
  end
  if type(problem) ~= "string" or tonumber(message:match(place_of)) == here then return nil end
  for _, pattern in ipairs(placeless) do
    if message:find(pattern) then return nil end
  end
  return "elsewhere", message
end

-- What a call has cost, where that is much.
local function cost(seconds, bytes)
  if seconds > 0.5 then return "slow", ("%.1f s"):format(seconds) end
  if bytes > 1e8 then return "large", ("%.0f MB"):format(bytes / 1e6) end
end

local function try(one)
  local owner = owner_of(one)
  local arguments, count, must_fail = arguments_of(one)
  local from, before = tm.clock(), tm.stats().peak_resident
  local fine, problem = pcall(called, one, owner, arguments, count)
  local what, message
  if not fine then what, message = fault(problem) elseif must_fail then what, message = "accepted", "" end
  if slow and not what then what, message = cost(tm.clock() - from, tm.stats().peak_resident - before) end
  if what then tell(what, one, owner, arguments, count, message) end
end

local all = declared()
for _ = 1, rounds do
  for _, one in ipairs(all) do try(one) end
end
print(("%d functions"):format(#all))
if next(told) then os.exit(1) end
