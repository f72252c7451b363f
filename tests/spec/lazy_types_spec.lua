-- Lazy arrays of every type: what they declare is what they hold, however they are cut and whoever does
-- the work.  SPDX-License-Identifier: MIT

local ffi = require "ffi"
local helper = require "tests.spec.helper"
local tm = require "tidemill"
local operations = require "tests.spec.lazy_operations"

math.randomseed(helper.seed())
local random = math.random

-- ---- odd elements -----------------------------------------------------------------------------------

local nan, inf = 0 / 0, math.huge
local floats = { nan, inf, -inf, -0.0, 0, 1, -1, 2, 0.5, 3.25, -2.5, 16777217, 9007199254740993, -7 }
local least, most = -9223372036854775807LL - 1, 9223372036854775807LL
local odd = { float64 = floats, float32 = floats,
  int64 = { 0, 1, -1, 2, 3, -7, most, least, 9007199254740993LL, 5, 5 },
  int32 = { 0, 1, -1, 2, 3, -7, 2147483647, -2147483648, 5, 5 },
  bool = { 0, 1 }, uint8 = { 0, 1, 2, 255, 128, 7, 7 },
  date = { 0, 1, -1, 17000, 2147483647, -2147483648, 365 },
  timestamp = { 0, 1, -1, 1000000, 86400000000, most, least } }
local tame = { 0, 1, 2, 3, 1, 4, 1 }
local names = {}
for name in pairs(odd) do names[#names + 1] = name end
table.sort(names)

local shapes = { { 7 }, { 0 }, { 1 }, { 4, 4 }, { 5, 3 }, { 3, 5 }, { 2, 3, 4 }, { 0, 3 }, { 3, 0 },
  { 1, 1 } }

local function array_of(dtype, dims)
  local counts = { date = "int32", timestamp = "int64" }
  local zeros = tm.zeros(dims, { dtype = counts[dtype] or dtype })
  local made = tm.concat({ zeros:astype(dtype), zeros:astype(dtype):slice { {} } }):slice { { 1, dims[1] } }
  local x = made:compute()
  local elements, to = random(2) == 1 and odd[dtype] or tame, x:pointer()
  for i = 0, x.size - 1 do
    to[i] = elements[random(#elements)]
    if dtype == "bool" then to[i] = to[i] ~= 0 and 1 or 0 end
  end
  return x
end

-- ---- ways of the work -------------------------------------------------------------------------------

local function cuts(dims)
  local chunks = {}
  for axis, size in ipairs(dims) do
    local list, left = {}, size
    while left > 0 do
      list[#list + 1] = random(math.min(left, 3))
      left = left - list[#list]
    end
    chunks[axis] = size > 0 and list or "all"
  end
  return chunks
end

-- Of two chunks that nobody cut: little work, done at once.
local function joined(x)
  local half = math.floor(x.shape[1] / 2)
  if half == 0 then return x:reshape(x.shape) end
  return tm.concat { x:slice { { 1, half } }, x:slice { { half + 1, -1 } } }
end

local ways = {
  { name = "in memory", of = function(x) return x end },
  { name = "at once", of = joined },
  { name = "in one chunk", of = function(x) return x:rechunk("all") end },
  { name = "cut", of = function(x) return x:rechunk(cuts(x.shape)) end },
}

-- ---- comparing --------------------------------------------------------------------------------------

-- The bits of elements, where every NaN is one.
local function bits(value)
  if type(value) ~= "cdata" or ffi.istype("int64_t", value) then
    return value ~= value and "nan" or value == 0 and 1 / value < 0 and "-0" or tostring(value)
  end
  if value.dtype ~= "float64" and value.dtype ~= "float32" then
    return ffi.string(value:pointer(), value.nbytes)
  end
  local list, from = {}, value:pointer()
  for i = 0, value.size - 1 do
    local v = from[i]
    list[i + 1] = v ~= v and "nan" or v == 0 and 1 / v < 0 and "-0" or ("%.17g"):format(v)
  end
  return table.concat(list, " ")
end

local function shape_text(shape) return "(" .. table.concat(shape, ",") .. ")" end

-- What an error says besides where.  Which of the elements that a type cannot hold is named depends on the
-- chunk that is done first.
local function said(problem)
  local text = tostring(problem):match("^[^\n]*"):gsub("^%S-%.lua:%d+: ", "")
  return (text:find("^cast: element") or text:find("^astype: element")) and "refused" or text
end

-- What an operation gave: its error, or what was declared and the bits.
local function outcome(operation, x, y)
  local fine, lazy = pcall(operation.fn, x, y)
  if not fine then return { error = said(lazy) } end
  local value
  fine, value = pcall(lazy.compute, lazy)
  if not fine then return { error = said(value) } end
  local declared = lazy.dtype .. shape_text(lazy.shape)
  if type(value) == "cdata" and not ffi.istype("int64_t", value) then
    assert.are.equal(declared, value.dtype .. shape_text(value.shape))
  else
    assert.are.equal("()", shape_text(lazy.shape))
    assert.are.equal(lazy.dtype == "bool", type(value) == "boolean")
  end
  return { declared = declared, bits = not operation.rounds and bits(value) or "" }
end

local crashes = { "unsound", "attempt to", "bad argument", "cannot convert", "; use a:int64" }

local function compare(operation, x, y, what)
  local first
  for _, way in ipairs(ways) do
    local text = what .. ", " .. way.name
    local fine, got = pcall(outcome, operation, way.of(x), way.of(y))
    assert(fine, text .. ": " .. tostring(got))
    first = first or got
    for _, word in ipairs(crashes) do
      assert(not (got.error and got.error:find(word, 1, true)), text .. ": " .. tostring(got.error))
    end
    assert.are.equal(first.error, got.error, text)
    assert.are.equal(first.declared, got.declared, text)
    assert(first.bits == got.bits, text .. ": other bits than in memory")
  end
end

describe("lazy arrays of every type", function()
  for _, operation in ipairs(operations) do
    it("are what they declare, in any chunks: " .. operation.name, function()
      for _, dtype in ipairs(names) do
        for _ = 1, 2 do
          local dims = shapes[random(#shapes)]
          local other = random(3) == 1 and dtype or names[random(#names)]
          compare(operation, array_of(dtype, dims), array_of(other, dims),
            ("%s of %s%s and %s"):format(operation.name, dtype, shape_text(dims), other))
        end
      end
    end)
  end
end)

-- ---- chunks that are not what was announced ----------------------------------------------------------

local grid = require "tidemill.lazy.grid"
local lazy = require "tidemill.lazy"
local plan = require "tidemill.lazy.plan"

local function give(chunk) return chunk end

plan.stages.liar = function(planner, e)
  return { grid = e.grid, chunk = function(number)
    return planner:task("liar", give, number == e.grid.chunks and e.chunk or e.honest)
  end }
end

-- An array of so many rows of `columns` in two chunks, or in one; the last is another than announced.
local function liar(rows, columns, chunks, dtype, shape)
  local each = rows / chunks
  local sizes = { {}, { columns } }
  for i = 1, chunks do sizes[1][i] = each end
  return lazy.of { op = "liar", name = "liar", dims = { rows, columns }, dtype = "float32",
    grid = grid.of(sizes), honest = tm.zeros({ each, columns }, { dtype = "float32" }):compute(),
    chunk = tm.zeros(shape or { each, columns }, { dtype = dtype }):compute() }
end

describe("a chunk that is not what was announced", function()
  local function refused(words, x)
    local fine, problem = pcall(x.compute, x)
    assert(not fine and tostring(problem):find(words, 1, true), tostring(problem))
  end

  it("is refused by its operation where it is gathered", function()
    refused("liar: an unsound chunk: (4,3) of float64, announced (4,3) of float32", liar(4, 3, 1, "float64"))
    refused("liar: an unsound chunk: (2,3) of float64, announced (2,3) of float32", liar(4, 3, 2, "float64"))
    refused("liar: an unsound chunk: (1,3) of float32, announced (2,3)", liar(4, 3, 2, "float32", { 1, 3 }))
    refused("liar: an unsound chunk: (3,4) of float32, announced (4,3)", liar(4, 3, 1, "float32", { 3, 4 }))
  end)

  it("is refused where tasks put it at its place", function()
    refused("liar: an unsound chunk: (512,256) of int32, announced", liar(1024, 256, 2, "int32"))
    refused("liar: an unsound chunk: (511,256) of float32", liar(1024, 256, 2, "float32", { 511, 256 }))
  end)

  it("is refused by what reads it", function()
    local x = liar(4, 3, 2, "int32") -- as wide as float32: no length tells
    refused("an unsound chunk: of int32, announced as float32", x + 1)
    refused("an unsound chunk: of int32, announced as float32", x:sum())
    refused("an unsound chunk: of int32, announced as float32", x:rechunk { 3, 1 })
    local other = tm.ones(3, 2, { dtype = "float32" })
    refused("an unsound chunk: of int32, announced as float32", x:matmul(other))
    refused("an unsound chunk: of float64, announced as float32", liar(4, 3, 2, "float64"):T() * 2)
  end)

  it("is refused where it is a result of linear algebra", function()
    local task = require "tidemill.lazy.linalg_task"
    local a, announced = tm.eye(2):compute(), { { dims = { 2, 2 }, dtype = "float32" } }
    local fine, problem = pcall(task.gather, "matmul", announced, a, a)
    assert.is_false(fine)
    assert.are.equal("matmul: an unsound chunk: (2,2) of float64, announced (2,2) of float32", problem)
  end)
end)

describe("an integer beside an array", function()
  it("is any that 64 bits hold, in any chunks", function()
    local x = tm.array({ 0, 1, 2 }, "int64")
    for _, value in ipairs { most, least, 4611686018427387904LL, -4611686018427387904LL } do
      for _, way in ipairs(ways) do
        local sum = (way.of(x) + value):compute()
        for i = 1, 3 do assert.is_true(sum:int64(i) == value + (i - 1), way.name) end
        assert.are.equal(0, way.of(x):eq(value):count():compute())
      end
    end
  end)
end)

describe("a cast that is refused", function()
  it("says an int64 that no Lua number is", function()
    local x = tm.array({ 1, 1 }, "int64"):rechunk(1)
    x = x * 4611686018427387905LL
    local fine, problem = pcall(function() return x:astype("date"):compute() end)
    assert.is_false(fine)
    local words = "is 4611686018427387905, which date cannot hold"
    assert.is_truthy(tostring(problem):find(words, 1, true))
  end)
end)

describe("linear algebra", function()
  it("takes no dates, in memory or lazy", function()
    local days = tm.array({ 1, 2 }, "int32"):astype("date"):compute()
    for _, x in ipairs { days, days:rechunk(1) } do
      local fine, problem = pcall(tm.linalg.norm, x)
      assert.is_false(fine)
      assert.is_truthy(tostring(problem):find("norm: an array of date has no linear algebra", 1, true))
    end
  end)
end)
