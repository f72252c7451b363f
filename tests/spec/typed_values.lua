-- typed_values: values of the types that the stubs declare, and of all kinds, by math.random: what
-- wrong_arguments.lua calls with.  Arrays and handles are made once and shared; tables are new each time.
-- SPDX-License-Identifier: MIT

local tm = require "tidemill"

local typed = { misspelt = "optoin" }

local classes, aliases = {}, {} -- name -> the item of the stubs

local function one_of(list) return list[math.random(#list)] end

-- As an iterator it ends at once.  No field of the module: tasks would load it, and it makes tasks.
local function give(x) return x end

local function nothing() end

-- ---- Taking types apart ---------------------------------------------------------------------------

local closing = { ["("] = ")", ["{"] = "}", ["<"] = ">", ["["] = "]" }

-- Pieces of a text between marks that stand outside of all brackets and quotes.
local function split(text, mark)
  local pieces, from, at, open = {}, 1, 1, {}
  while at <= #text do
    local c = text:sub(at, at)
    if c == '"' then
      at = text:find('"', at + 1, true)
    elseif closing[c] then
      open[#open + 1] = closing[c]
    elseif c == open[#open] then
      open[#open] = nil
    elseif c == mark and #open == 0 then
      pieces[#pieces + 1], from = text:sub(from, at - 1), at + 1
    end
    at = at + 1
  end
  pieces[#pieces + 1] = text:sub(from)
  return pieces
end

-- The fields of "{a: T, b?: T, c: T?}".
local function fields_within(type)
  local found = {}
  for _, piece in ipairs(split(type:sub(2, -2), ",")) do
    local name, mark, of = piece:match("^%s*([%w_]+)(%??):%s*(.-)%s*$")
    local optional = mark == "?" or of:find("%?$") ~= nil
    found[#found + 1] = { name = name, optional = optional, type = (of:gsub("%?$", "")) }
  end
  return found
end

local function fields_of_class(name)
  local found, class = {}, classes[name]
  while class do
    for _, field in ipairs(class.fields) do found[#found + 1] = field end
    class = classes[class.parent]
  end
  return found
end

-- ---- Tables of options ----------------------------------------------------------------------------

-- Classes that are given as tables; others are what the library makes.
local function is_options(type)
  return type:find("^{") or (classes[type] and (type:find("options$") or type == "tidemill.backoff"
    or type == "tidemill.picture" or type == "tidemill.kernel_source"))
end

-- What is needed and some of the rest.
local function options_of(type)
  local fields = type:find("^{") and fields_within(type) or fields_of_class(type)
  local given, share = {}, math.random() * math.min(1, 3 / #fields)
  for _, field in ipairs(fields) do
    if not field.optional or math.random() < share then
      given[field.name] = typed.of(field.type, field.name)
    end
  end
  return given, fields
end

-- Whether a value is of a type that is told by Lua alone; nil where that cannot be said.
local function fits(wanted, value)
  local kind = type(value)
  if wanted == "boolean" or wanted == "string" then return kind == wanted end
  if wanted == "number" then return kind == wanted or kind == "cdata" end
  if wanted == "integer" then -- math.huge stands for as many as there are
    return kind == "cdata" or kind == "number" and (value % 1 == 0 or math.abs(value) == math.huge)
  end
  if wanted == "function" or wanted:find("^fun%(") then return kind == "function" end
  if wanted:find('^"') then return value == wanted:sub(2, -2) end
  if tonumber(wanted) then return value == tonumber(wanted) end
end

--- Whether a value is certainly not of a type.
---@param type string
function typed.is_other(type, value)
  if value == nil or _G.type(value) == "table" and next(value) == nil then return false end -- {}: no options
  for _, one in ipairs(split(type, "|")) do
    if fits(one, value) ~= false then return false end
  end
  return true
end

--- Options of which one has a wrong value, or a wrong name; and whether they must be refused.
---@param type string
function typed.wrong_options(type)
  local given, fields = options_of(type)
  if math.random() < 0.3 then
    given[typed.misspelt] = typed.any()
    if given[typed.misspelt] == nil then given[typed.misspelt] = 1 end
    return given, true
  end
  local field = one_of(fields)
  given[field.name] = typed.any()
  return given, typed.is_other(field.type, given[field.name])
end

--- The options among the types of a union; nil when there are none.
---@param type string
---@return string?
function typed.options_among(type)
  for _, one in ipairs(split(type, "|")) do
    if is_options(one) then return one end
  end
end

-- ---- Arrays ---------------------------------------------------------------------------------------

local dtypes = { "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
  "float64", "date", "timestamp" }

local path = os.tmpname()
tm.write_text(path, "when,name,size,share,moment\n2018-02-07,a,1,0.5,2018-02-07T01:02:03Z\n,,,,\n"
  .. "2018-02-09,b,3,1.5,2018-02-09T01:02:03Z\n")
local frame = tm.read_csv(path, { types = { size = "int64", name = "dictionary" } })
local texts = tm.read_csv(path, { types = { size = "utf8" } })
os.remove(path)

local vectors, matrices, odd, lazies, masks = {}, {}, {}, {}, {}

local function make_arrays()
  for _, dtype in ipairs(dtypes) do
    local cast = dtype == "bool" and { true, false, true, true, false, true } or { 3, 1, 2, 6, 5, 4 }
    local a = tm.array(cast, dtype)
    vectors[#vectors + 1], matrices[#matrices + 1] = a, a:reshape(2, 3)
    odd[#odd + 1], odd[#odd + 2] = a:slice { { 1, 0 } }, a:reshape(1, 2, 3)
  end
  for _, dtype in ipairs { "bool", "uint8", "int32", "int64", "float32", "date", "timestamp" } do
    lazies[#lazies + 1] = tm.arange(0, 12, 1, { chunks = 5 }):astype(dtype)
  end
  for _, name in ipairs(frame.columns) do odd[#odd + 1] = frame:column(name) end
  odd[#odd + 1], odd[#odd + 2] = texts.name, texts.size
  odd[#odd + 1], odd[#odd + 2] = tm.array { "b", "a", "c" }, tm.array { 0 / 0, 1 / 0, -1 / 0, 1 }
  odd[#odd + 1], odd[#odd + 2] = tm.zeros(0, 3):compute(), tm.zeros(3, 0):compute()
  for _ = 1, 4 do
    vectors[#vectors + 1] = tm.array { 1, 2, 3, 4, 5, 6 }
    matrices[#matrices + 1] = tm.array { { 4, 1 }, { 1, 3 } }
  end
  lazies[#lazies + 1] = tm.arange(0, 12, 1, { chunks = 5 })
  lazies[#lazies + 1] = tm.arange(0, 12):reshape(3, 4):rechunk { 2, 3 }
  lazies[#lazies + 1] = tm.random.normal(2, 3, 4, { seed = 1, chunks = 2 })
  lazies[#lazies + 1], lazies[#lazies + 2] = tm.zeros(0), tm.arange(0, 3):sum()
  masks[1], masks[2] = tm.array { true, false, true, false, true, true }, tm.arange(0, 6):gt(2)
  masks[3] = tm.array { { true, false, true }, { true, true, false } }
  masks[4] = tm.arange(0, 12):rechunk(5):lt(4)
end
make_arrays()
typed.vectors, typed.matrices, typed.odd, typed.lazies, typed.frame = vectors, matrices, odd, lazies, frame

-- ---- Handles --------------------------------------------------------------------------------------

local delayed = tm.delayed(give, { name = "give" })
local pool = tm.pool { name = "ones", create = function() return 1 end, max = 2 }
typed.handles = {
  delayed = delayed, node = delayed(1), future = tm.submit(give, 1), channel = tm.channel(2),
  pool = pool,
  graph = tm.graph { x = 1, y = { give, "x" } }, rolling = tm.arange(0, 12):rolling(3),
  batch = tm.batch(function(x) if x == 2 then error("two", 0) end return x end, { 1, 2, 3 }),
}
local handles = typed.handles
local names_of_handles = {}
for name in tm.sorted(handles) do names_of_handles[#names_of_handles + 1] = name end

-- ---- Values of a type -----------------------------------------------------------------------------

-- None that asks for gigabytes and gets them: what there cannot be is refused at once.
local edges = { 0, -1, -2, 0.5, 2 ^ 53, 2 ^ 53 + 2, 2 ^ 63, 2 ^ 64, -2 ^ 63, 1e300, -5e15, 1 / 0,
  -1 / 0, 0 / 0, 3LL, -1LL, 2ULL ^ 63, 1e-300 }

-- Names of parameters and options that ask for some values of their type.
local of_name = {
  axis = function() return math.random(2) end,
  dtype = function() return one_of(dtypes) end,
  seconds = function() return one_of { 0, 0.001 } end,
  timeout = function() return one_of { 1, "250ms" } end,
  memory = function() return one_of { 1e8, "200MB" } end,
  cost = function() return 0.5 end,
  retries = function() return 0 end,
  lane = function() return one_of { "auto", "thread" } end, -- no processes: they take long to start
  isolate = function() return false end,
  date_format = function() return "%d.%m.%Y" end,
  encoding = function() return "GBK" end,
  older_than = function() return "1d" end,
  ttl = function() return one_of { 60, "1d" } end,
  resources = function() return nil end, -- none are configured
}

local function list_of(maker)
  local list = {}
  for i = 1, math.random(0, 3) do list[i] = maker() end
  return list
end

local function a_vector() return one_of(vectors) end
local function a_matrix() return one_of(matrices) end
local function an_array() return one_of { a_vector, a_matrix, function() return one_of(odd) end } () end
local function numbers()
  if math.random() < 0.3 then return { 1, 2, 3, 4, 5, 6 } end
  return math.random() < 0.7 and a_vector() or an_array()
end

local makers = {
  integer = function() return math.random(0, 4) end,
  number = function() return one_of { 0, 0.25, 0.5, 1, 2, 3 } end,
  string = function() return one_of { "x", "y", "name" } end,
  boolean = function() return math.random() < 0.5 end,
  ["true"] = function() return true end, ["false"] = function() return false end,
  ["nil"] = function() return nil end,
  ["function"] = function() return give end,
  ["ffi.cdata*"] = function() return vectors[1]:pointer() end,
  any = function() return typed.any() end, T = function() return typed.any() end,
  table = function()
    return one_of { {}, { 1, 2, 3 }, { 2, 1 }, { a_vector(), a_vector() }, { { 1, 2 }, { 3, 4 } },
      { handles.node, handles.future } }
  end,
  ["tidemill.numbers"] = numbers,
  ["tidemill.array"] = an_array,
  ["tidemill.lazy"] = function() return math.random() < 0.3 and one_of(masks) or one_of(lazies) end,
  ["tidemill.matrix"] = function() return math.random() < 0.3 and { { 4, 1 }, { 1, 3 } } or a_matrix() end,
}
for name, handle in pairs(handles) do makers["tidemill." .. name] = function() return handle end end

local function of_one(type, name)
  if type:find("%?$") then return math.random() < 0.7 and typed.of(type:sub(1, -2), name) or nil end
  local items, inner = type:match("^(.*)%[%]$"), type:match("^%((.*)%)$")
  if items then return list_of(function() return typed.of(items, name) end) end
  if inner then return typed.of(inner, name) end
  if type:find('^"') then return type:sub(2, -2) end
  if tonumber(type) then return tonumber(type) end
  if type:find("^fun%(") then return give end
  if type:find("^table<") then return { x = typed.of(split(type:sub(7, -2), ",")[2]:match("%S.*")) } end
  if is_options(type) then return (options_of(type)) end
  if aliases[type] and not makers[type] then return typed.of(aliases[type], name) end
  return assert(makers[type], type)()
end

--- A value of a type, most often one that is accepted.
---@param type string
---@param name string of the parameter or field
function typed.of(type, name)
  if of_name[name] and math.random() < 0.8 then return of_name[name]() end
  return of_one(one_of(split(type, "|")), name)
end

local others = {
  function() return nil end, function() return one_of(edges) end, function() return one_of(edges) end,
  function() return math.random(4) end, function() return one_of { "x", "", "float64", "1d" } end,
  function() return math.random() < 0.5 end, function() return give end, function() return nothing end,
  function() return io.stdout end, function() return coroutine.create(give) end,
  function() return {} end, function() return { one_of(edges) } end, function() return { 1, 2, 3 } end,
  function() return { "a" } end, function() return { a = 1 } end, function() return { n = one_of(edges) } end,
  function() return { 1, { 2 } } end, function() return { { 1, 2 }, { 3, 4 } } end,
  function() return { { 1, 2 }, { 3 } } end, function() return { chunks = one_of(edges) } end,
  function() return { [typed.misspelt] = 1 } end, function() return setmetatable({}, {}) end,
  an_array, an_array, numbers, makers["tidemill.lazy"], function() return { an_array(), an_array() } end,
  function() return frame end, function() return handles[one_of(names_of_handles)] end,
  function() return handles.node end, function() return handles.future end,
  function() return handles.channel end,
  function() return handles.pool end, function() return tm end,
}

--- A value of any kind.
function typed.any() return others[math.random(#others)]() end

--- Takes over what the stubs declare.
---@param items reference.item[]
function typed.declare(items)
  for _, item in ipairs(items) do
    if item.kind == "class" then classes[item.name] = item end
    if item.kind == "alias" then aliases[item.name] = item.fields[1].type end
  end
end

return typed
