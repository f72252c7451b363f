-- Lazy arrays as their users meet them: making, types, messages, plans, tasks, random streams, the same
-- bits on any number of workers, and memory.  What their elements are is lazy_property_spec.lua.
-- SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local everywhere = require "tests.spec.everywhere"
local expect = require "tests.spec.expect"
local process = require "tests.spec.process"
local text = require "tests.spec.array_text"
local tm = require "tidemill"
local contains = expect.contains

local sanitized = helper.sanitized

local function is(expected, value) assert.are.equal(expected, text(value)) end

-- The message names the line of this file that made the mistake.
local function fails(message, fn)
  local why = expect.problem(fn)
  contains(why, message)
  contains(why, "lazy_spec.lua:")
end

describe("a lazy array is made", function()
  it("of zeros, ones, one value, a diagonal", function()
    is("{{0,0},{0,0}}", tm.zeros(2, 2))
    is("{1,1,1}", tm.ones({ 3 }, { dtype = "int32" }))
    is("{{7},{7}}", tm.full({ 2, 1 }, 7))
    is("{true,true}", tm.full(2, true))
    is("{{0,1,0},{0,0,1}}", tm.eye(2, 3, 1))
    is("{{0,0},{1,0}}", tm.eye(2, 2, -1))
  end)

  it("of numbers that count", function()
    is("{0,1,2}", tm.arange(3))
    is("{5,3,1}", tm.arange(5, 0, -2))
    is("{}", tm.arange(5, 0))
    is("{0,0.25,0.5,0.75,1}", tm.linspace(0, 1, 5))
    is("{3}", tm.linspace(3, 9, 1))
    assert.are.equal("int64", tm.arange(3).dtype)
    assert.are.equal("float64", tm.arange(0, 1, 0.5).dtype)
    is("{0,0,1,1,2,2}", tm.arange(0, 3, 0.5, { dtype = "int32" }))
    assert.are.equal(3458764513820540928LL, tm.arange(0, 2^62, 2^60):compute():int64(4))
    assert.has_error(function() tm.arange(0, -1, -2^63) end,
      "arange: int64 steps must stay within 2^62, got 0 to -1 by -9.2233720368548e+18; float64 goes on")
    assert.has_error(function() tm.arange(2^31 - 1, 2^31 + 1, { dtype = "int32" }):compute() end)
  end)

  it("whatever compiled code makes of the arguments", function()
    for _ = 1, 500 do
      local dims = { 5, 6 }
      assert.are.equal(2, tm.random.uniform(dims, { seed = 3, chunks = { 1, "all" } }).ndim)
      assert.are.equal(6, tm.zeros(5, 6, { chunks = 3 }).shape[2])
    end
  end)

  it("with facts that are fields", function()
    local x = tm.zeros(30, 20, { chunks = { 10, { 15, 5 } }, dtype = "float32" })
    assert.are.same({ { 30, 20 }, "float32", 2, 600, 2400, 30 },
      { x.shape, x.dtype, x.ndim, x.size, x.nbytes, #x })
    assert.are.same({ { 10, 10, 10 }, { 15, 5 } }, x.chunks)
  end)

  it("and prints what it is", function()
    assert.are.equal("lazy array 2000 x 3000 float64, 6 chunks of 1000 x 1000, 45.8 MiB, "
      .. "12 tasks, not computed: a:compute()", tostring(tm.zeros(2000, 3000)))
    assert.are.equal("lazy array 3 float64, one chunk, 24 bytes, no task, kept: a:compute()",
      tostring((tm.arange(3) * 1.5):persist()))
  end)
end)

describe("a constant", function()
  it("is converted as elements are", function()
    is("{2,2}", tm.full(2, 2.7, { dtype = "int32" }):astype("float64"))
    is("{-2}", tm.full(1, -2.7):astype("int64"))
    is("{" .. 13421773 / 2^27 .. "}", tm.full(1, 0.1, { dtype = "float32" }):astype("float64"))
    is("{86400000000}", tm.full(1, 1, { dtype = "date" }):astype("timestamp"):astype("int64"))
    is("{true,true}", tm.full(2, 0 / 0):astype("bool"))
  end)

  it("that does not fit is an error of the computation", function()
    for _, value in ipairs { 0 / 0, 2^40, -2^40, math.huge } do
      assert.has_error(function() tm.full(2, value, { dtype = "int32" }):compute() end)
    end
    local x = tm.array { { 1, 2 }, { 3, 5e9 } } * 1
    local function said(y) return tostring(select(2, pcall(y.compute, y))) end
    local whole = "cast: element (2, 2) is 5000000000, which int32 cannot hold"
    assert.are.equal(whole, said(x:astype("int32")))
    assert.are.equal(whole, said((x:astype("int32") + 1):sum()))
    assert.are.equal("cast: element (1, 1) is 1e+20, which int64 cannot hold",
      said((x:astype("int64"):astype("float64") * 1e20):astype("int64"):max(1)))
    for size = 1, 2 do -- wherever its chunk begins, and of a view in what was cast
      local cut = (x:rechunk(size) * 1):astype("int32")
      for _, y in ipairs { cut, cut + 1, cut:T() * 2, cut:flip(1, 2), cut:slice { 2, { 2, 2 } }, cut:sum(1),
          cut:argmax(), tm.stack { cut, cut } } do
        assert.are.equal(whole, said(y))
      end
    end
    assert.are.equal("cast: element (2) is 5000000000, which int32 cannot hold",
      said((tm.array { 1, 5e9, 1 } * 1):astype("int32"):flip(1)))
  end)

  it("keeps the sign of its zero", function()
    is("{" .. -math.pi .. "}", tm.full(1, -0.0):atan2(tm.array { -1 }))
    is("{-inf,-inf}", 1 / tm.full(2, -0.0))
  end)
end)

describe("types", function()
  it("become what both hold", function()
    local types = { "bool", "int32", "int64", "float32", "float64" }
    local want = {
      { "bool", "int32", "int64", "float32", "float64" },
      { "int32", "int32", "int64", "float64", "float64" },
      { "int64", "int64", "int64", "float64", "float64" },
      { "float32", "float64", "float64", "float32", "float64" },
      { "float64", "float64", "float64", "float64", "float64" },
    }
    for i, a in ipairs(types) do
      for j, b in ipairs(types) do
        local sum = tm.ones(2, { dtype = a }) + tm.ones(2, { dtype = b })
        assert.are.equal(want[i][j], sum.dtype, a .. " + " .. b)
        assert.are.equal(want[i][j], sum:compute().dtype)
      end
    end
  end)

  it("of numbers give way to those of arrays", function()
    assert.are.equal("int32", (tm.ones(2, { dtype = "int32" }) + 1).dtype)
    assert.are.equal("float32", (tm.ones(2, { dtype = "float32" }) * 0.5).dtype)
    assert.are.equal("float64", (tm.ones(2, { dtype = "int32" }) + 0.5).dtype)
    assert.are.equal("float64", (tm.arange(3) / 2).dtype)
    assert.are.equal("int64", tm.array { true, false }:sum():astype("int64").dtype)
  end)

  it("of comparisons and masks are bool", function()
    local x = tm.array { 1, 2, 3 }
    is("{false,true,true}", x:ge(2))
    is("{false,true,false}", x:ge(2):band(x:lt(3)))
    is("{true,true,false}", x:ge(2):bnot():bor(x:eq(2)))
    is("{0,2,3}", tm.where(x:gt(1), x, 0))
  end)

  it("of clipping are those of one limit or two", function()
    local x = tm.array({ 1, 2, 3 }, "int32")
    is("{2,2,3}", x:clip(2))
    is("{1,2,2}", x:clip(nil, 2))
    is("{2,2,2}", x:clip(2, 2))
    assert.are.equal("int32", x:clip(2).dtype)
    assert.are.equal("float64", x:clip(nil, 2.5).dtype)
  end)
end)

describe("what is wrong", function()
  local x = tm.zeros(3, 4)

  it("is said with shapes", function()
    fails("add: shapes (3,4) and (3) do not broadcast: 4 ~= 3 (axis 2)", function()
      local _ = x + tm.zeros(3)
    end)
    fails("matmul: (3,4) x (5,6): 4 ~= 5", function() local _ = x:matmul(tm.zeros(5, 6)) end)
    fails("reshape: (3,4) has 12 elements, (5,3) would have 15", function() local _ = x:reshape(5, 3) end)
    fails("reshape: (3,4) has 12 elements, which 5 does not divide", function()
      local _ = x:reshape(5, -1)
    end)
    fails("concat: array 2 has shape (3,3), array 1 has (3,4) (axis 2)",
      function() local _ = tm.concat { x, tm.zeros(3, 3) } end)
    fails("stack: array 2 has shape (4), array 1 has (3)", function()
      local _ = tm.stack { tm.zeros(3), tm.zeros(4) }
    end)
    fails("broadcast_to: (3,4) does not broadcast to (4)", function() local _ = x:broadcast_to(4) end)
    fails("mask: a mask of shape (4) for an array of shape (3,4)", function()
      local _ = x:slice(tm.zeros(4):gt(0))
    end)
    fails("max of no elements: the shape is (0,3)", function() local _ = tm.zeros(0, 3):max() end)
  end)

  it("is said with axes and places", function()
    fails("sum: axis 3 is outside 1..2", function() local _ = x:sum(3) end)
    fails("sum: axis 0 is outside 1..2", function() local _ = x:sum(0) end)
    fails("sum: axis 1 is named twice", function() local _ = x:sum { 1, -2 } end)
    fails("slice: index 0 is outside 1..3 (axis 1)", function() local _ = x:slice { 0 } end)
    fails("slice: index 5 is outside 1..4 (axis 2)", function() local _ = x:slice { 1, { 1, 5 } } end)
    fails("slice: 3 entries for an array of 2 axes", function() local _ = x:slice { 1, 1, 1 } end)
    fails("slice: axis 1: a step is a whole number and not 0, got 0", function()
      local _ = x:slice { { 1, 2, 0 } }
    end)
    fails("slice: index 7 is outside 1..3 (axis 1, element 2 of the index)", function()
      local _ = x:take { 1, 7 }
    end)
    fails("slice: index 1.5 is outside 1..3", function() local _ = x:take { 1.5 } end)
    fails("transpose: expected the 2 axes in some order, got (1, 1)", function()
      local _ = x:transpose(1, 1)
    end)
    fails("transpose: expected the 2 axes in some order, got (-1, 2)", function()
      local _ = x:transpose(-1, 2)
    end)
    assert.are.same({ 4, 3 }, x:transpose(-1, 1).shape)
    fails("squeeze: axis 1 has 3 elements", function() local _ = x:squeeze(1) end)
    fails("expand_dims: axis 4 is outside 1..3", function() local _ = x:expand_dims(4) end)
    local deep = tm.ones(1, 1, 1, 1, 1, 1, 1, 1)
    fails("expand_dims: at most 8 axes, got 9", function() local _ = deep:expand_dims(1) end)
    fails("tensordot: at most 8 axes, got 10", function() local _ = deep:tensordot(x, 0) end)
  end)

  it("is said of types", function()
    fails('zeros: unknown element type "float65", did you mean "float64"?', function()
      local _ = tm.zeros(2, { dtype = "float65" })
    end)
    fails("add: expected numbers, got an array of text", function() local _ = tm.array { "a" } + 1 end)
    fails('add: there is no arithmetic of int16; a:astype("int32") first', function()
      local _ = tm.array({ 1 }, "int16") + 1
    end)
    fails('rechunk: there is no arithmetic of uint32; a:astype("int64") first', function()
      local _ = -tm.array({ 1 }, "uint32"):rechunk(1)
    end)
    fails('mul: uint8 has no mul; a:astype("int32") first', function()
      local _ = tm.array({ 1 }, "uint8"):rechunk(1) * 2
    end)
    fails("where: the mask is of float64, expected bool", function() local _ = tm.where(x, 1, 2) end)
    fails("add: 1099511627776 does not fit int32", function()
      local _ = tm.ones(2, { dtype = "int32" }) + 2^40
    end)
    fails("add: expected an array, a table of numbers or a number, got a string", function()
      local _ = x + "one"
    end)
    fails("got the method T: write a:T()", function()
      local _ = x:matmul(x.T)
    end)
    fails("sub: expected an array, a table of numbers or a number, got the method mean: write a:mean()",
      function() local _ = tm.array { 1 } - tm.array { 1 }.mean end)
  end)

  it("is said of options", function()
    fails('sum: unknown option "keepdim", did you mean "keepdims"?', function()
      local _ = x:sum(1, { keepdim = true })
    end)
    fails("std: ddof must be a whole number >= 0, got 0.5", function() local _ = x:std { ddof = 0.5 } end)
    fails('mean: unknown option "ddof"', function() local _ = x:mean { ddof = 1 } end)
    fails("map_overlap: depth: expected a number, or a table with one an axis, got nil", function()
      local _ = x:map_overlap(function(block) return block end)
    end)
    fails('unknown option "dtyp", did you mean "dtype"?', function()
      local _ = x:map_blocks(function(block) return block end, { dtyp = "bool" })
    end)
    fails("zeros: chunks: 1 entries for an array of 2 axes", function()
      local _ = tm.zeros(3, 4, { chunks = { 2 } })
    end)
    fails("zeros: chunks: axis 1: the sizes add up to 2, and the axis has 3", function()
      local _ = tm.zeros(3, { chunks = { { 1, 1 } } })
    end)
    fails("zeros: axis 1: expected a size >= 0, got -1", function() local _ = tm.zeros(-1) end)
    fails("has more than 2^53 elements", function() local _ = tm.zeros(2^30, 2^30) end)
    fails("integers: low and high must be from -2147483648 to 2147483647 for int32", function()
      local _ = tm.random.integers(3, { high = 2^40, dtype = "int32" })
    end)
    fails("uniform: low must not be above high and both finite, got 1 and 0", function()
      local _ = tm.random.uniform(3, { low = 1, high = 0 })
    end)
    for _, name in ipairs { "normal", "lognormal" } do
      fails(name .. ": std must be finite and >= 0, got -1", function()
        local _ = tm.random[name](3, { std = -1 })
      end)
    end
    fails("exponential: scale must be finite and >= 0, got -2", function()
      local _ = tm.random.exponential(3, { scale = -2 })
    end)
    fails("uniform: seed must be an integer >= 0, got -1", function()
      local _ = tm.random.uniform(3, { seed = -1 })
    end)
  end)

  it("is said of words that are not there", function()
    fails('an array has no field "meen", did you mean "mean"?', function() local _ = x:meen() end)
    fails("a lazy array has no elements yet: a:compute()[1], or a:slice{ 1 }", function() local _ = x[1] end)
    fails("a lazy array has no elements yet: a:compute():totable(..)", function() local _ = x:totable() end)
    fails("expected a:sum(axes, options)", function() local _ = x.sum() end)
    fails("write a:lt(b), a:le(b), a:gt(b), a:ge(b)", function() local _ = x < x end)
    fails("arrays are joined by tm.concat{a, b}", function() local _ = x .. x end)
    fails("arrays are immutable; build a new one", function() x[1] = 2 end)
  end)
end)

describe("a plan", function()
  it("is one pass for a chain and the reduction on it", function()
    local x = tm.random.uniform({ 400, 400 }, { chunks = 200 })
    local y = tm.random.uniform({ 400, 400 }, { chunks = 200 })
    local plan = ((x + y) * 2 - 1):mean():optimize()
    assert.are.equal(4 + 1, plan.tasks)
    contains(tostring(plan), "add, mul, sub, in one pass")
  end)

  it("computes what two answers share once", function()
    local x = tm.random.normal({ 400, 400 }, { chunks = 200 })
    assert.are.equal(4 + 1, ((x - 1):sum()):optimize().tasks)
    -- One pass over the chunks, their join, an answer each, and what is made of them.
    assert.are.equal(4 + 1 + 2 + 1, ((x:sum() + x:max()) / 2):optimize().tasks)
  end)

  it("makes no chunk that nobody asks for", function()
    local x = tm.random.uniform({ 1000, 1000 }, { chunks = 100 })
    assert.are.equal(1, (x:rechunk(100):persist():slice { { 1, 50 }, { 1, 50 } } + 1):optimize().tasks)
    assert.are.equal(1, ((x * 2):slice { { 1, 50 }, { 1, 50 } }):optimize().tasks)
  end)
end)

describe("lazy arrays and tasks", function()
  local x = tm.random.uniform({ 100, 100 }, { seed = 5, chunks = 30 })

  it("meet as arguments, in tables too", function()
    local f = tm.delayed(function(t, n) return t.a.shape[1] + t.list[1] * 0 + n end)
    assert.are.equal(103, f({ a = x + 1, list = { x:sum() } }, 3):compute())
  end)

  it("are nodes and futures", function()
    assert.are.equal(x:sum():compute(), x:sum():submit():result())
    assert.is_true(rawequal(x:node(), x:node()))
    assert.are.equal(text(x:sum(1)), text((x:sum(1)):node():compute()))
  end)

  it("are computed inside of tasks", function()
    local got = tm.submit(function()
      local y = tm.random.uniform({ 100, 100 }, { seed = 5, chunks = 30 })
      return (y + 1):max():compute()
    end):result()
    assert.are.equal((x + 1):max():compute(), got)
  end)

  it("are computed once when they persist", function()
    local runs = tm.array { 0 }
    local y = x:map_blocks(function(block) return block end):persist()
    assert.are.equal(y:sum():compute(), x:sum():compute())
    assert.are.equal(0, y:optimize().tasks)
    assert.are.equal(1, #runs)
  end)

  it("meet functions of one's own, block by block", function()
    local function block(b) return tm.kernels.exp(b) end
    assert.are.equal(text(x:exp():sum(1)), text(x:map_blocks(block):sum(1)))
    assert.are.equal(text(x * 2), text(x:map_blocks(function(b) return b * 2 end))) -- lazy in the task
    assert.are.equal(x:sum():compute() + 1, x:sum():map_blocks(function(b) return b[1] + 1 end):compute())
    local function previous(b)
      local rows = {}
      for i = 1, #b do rows[i] = b[math.max(i - 1, 1)] end
      return tm.array(rows)
    end
    local v = tm.arange(10, { chunks = 3, dtype = "float64" })
    is("{0,0,1,2,3,4,5,6,7,8}", v:map_overlap(previous, { { 1, 0 } }))
    is("{0,1,1,1,1,1,1,1,1,1}", v - v:map_overlap(previous, 1)) -- and go on from there
  end)

  -- What numpy.pad has at a place beyond an axis of n elements; nil: a constant.
  local beyond = {
    nearest = function(i, n) return math.min(math.max(i, 1), n) end,
    periodic = function(i, n) return (i - 1) % n + 1 end,
    reflect = function(i, n) return i < 1 and 1 - i or i > n and 2 * n + 1 - i or i end,
    [7] = function(i, n) return i >= 1 and i <= n and i or nil end,
  }

  local function moved(down, right) -- each element is the one so many places away
    return function(block)
      local rows, m, n = {}, block.shape[1], block.shape[2]
      for i = 1, m do
        rows[i] = {}
        for j = 1, n do
          local from, at = i + down, j + right
          rows[i][j] = from >= 1 and from <= m and at >= 1 and at <= n and block:get(from, at) or -1
        end
      end
      return tm.array(rows)
    end
  end

  it("see beyond the ends of the array what the boundary says", function()
    local table_of = tm.arange(20, { dtype = "float64" }):reshape(4, 5)
    for kind, index in pairs(beyond) do
      for _, chunks in ipairs { { 4, 5 }, { 1, 2 }, { 3, { 1, 4 } } } do
        for _, by in ipairs { { -3, 2 }, { 2, -1 }, { 1, 3 } } do
          local y = table_of:rechunk(chunks):map_overlap(moved(by[1], by[2]), { 3, { 1, 3 } },
            { boundary = kind }):compute()
          for i = 1, 4 do
            for j = 1, 5 do
              local from, at = index(i + by[1], 4), index(j + by[2], 5)
              assert.are.equal(from and at and 5 * (from - 1) + at - 1 or 7, y:get(i, j), tostring(kind))
            end
          end
        end
      end
    end
    local one = table_of:rechunk(2):map_overlap(moved(1, 0), 1, { boundary = { "periodic" } }):compute()
    assert.are.equal(0, one:get(4, 1))
    local function refused(depth, kind)
      return function() tm.ones(2):map_overlap(moved, depth, { boundary = kind }) end
    end
    fails('map_overlap: boundary: "reflect" by 3 wants axis 1 to have 3 elements or more, it has 2',
      refused(3, "reflect"))
    fails('map_overlap: boundary: expected one entry an axis, of 1, got one for "axis"',
      refused(1, { axis = "nearest" }))
    fails('map_overlap: boundary: axis 1: expected "none", "nearest", "periodic", "reflect" or a number, '
      .. "got a function", refused(1, print))
    fails('map_overlap: boundary: axis 1: expected "none", "nearest", "periodic", "reflect" or a number, '
      .. "got \"mirror\"", refused(1, "mirror"))
  end)

  it("say which block had another shape", function()
    contains(expect.problem(function()
      x:map_blocks(function() return tm.kernels.exp(tm.array { 1 }) end):compute()
    end), "map_blocks")
  end)
end)

describe("random streams", function()
  it("follow the seed and the order in which they are made", function()
    local script = [[
      local tm = require "tidemill"
      tm.config { seed = 7 }
      local a, b = tm.random.uniform(3), tm.random.uniform(3, { chunks = 1 })
      print(a:compute()[1] ~= b:compute()[1], ("%.17g %.17g"):format(a:compute()[3], b:compute()[3]))]]
    local first = everywhere.run(2, script).out
    contains(first, "true")
    assert.are.equal(first, everywhere.run(0, script).out)
    assert.are_not.equal(first, everywhere.run(2, (script:gsub("seed = 7", "seed = 8"))).out)
  end)

  it("have what they are named for", function()
    local x = tm.random.normal(200000, { seed = 1, mean = 3, std = 2 })
    local mean, std = tm.compute(x:mean(), x:std())
    assert.is_true(math.abs(mean - 3) < 0.03 and math.abs(std - 2) < 0.03)
    local die = tm.random.integers(60000, { seed = 1, high = 6 })
    local least, most, average = tm.compute(die:min(), die:max(), die:mean())
    assert.is_true(least == 1 and most == 6 and math.abs(average - 3.5) < 0.05)
  end)
end)

-- ---- the same bits --------------------------------------------------------------------------------

-- Prints a sum of the bits of each answer.
local answers = [[
local tm = require "tidemill"
local ffi = require "ffi"
local function bits(x)
  local value = x:compute()
  if type(value) ~= "cdata" then return ("%.17g"):format(value) end
  local n, hash = math.floor(value.nbytes / 4), 17
  local words = ffi.cast("const uint32_t *", value:pointer())
  for i = 0, n - 1 do hash = (hash * 31 + words[i]) % 9007199254740881 end
  return ("%.17g"):format(hash)
end
local x = tm.random.normal({ 300, 210 }, { seed = 1, mean = 5, chunks = 64 })
local y = tm.random.uniform({ 210, 300 }, { seed = 2, chunks = { 100, { 200, 100 } } })
local v = tm.random.uniform(5000, { seed = 3, chunks = 700 })
local function show(name, z) print(name, bits(z)) end
show("sum", x:sum())
show("mean", (x + y:T()):mean(1))
show("var", x:var({ 2 }))
show("std", x:std(nil, { ddof = 1 }))
show("fused", ((x + y:T()) * 2 - 1):exp():log())
show("prod", (x / 5):prod(1))
show("cumsum", x:cumsum(1))
show("cumprod", (x / 5):cumprod(2))
show("sort", x:sort(1))
show("argsort", x:argsort())
show("quantile", x:quantile({ 0.1, 0.9 }, 1))
show("median", x:median())
show("topk", (v:topk(10)))
show("histogram", (v:histogram(9, 0, 1)))
show("mask", x:slice(x:gt(5)))
show("take", x:take(tm.array({ 1, 300, 7, -1 }, "int64")))
show("rank", v:rank())
show("reshape", x:reshape(210, 300))
show("cov", x:cov())
show("corr", x:corr())
show("matmul", x:matmul(y))
local wide = tm.random.normal({ 600, 2048 }, { seed = 4 }):compute() -- in memory: filled block by block
show("matmul in place", wide:matmul(wide:T()))
show("matmul in place, turned", wide:T():slice { true, { 1, 300 } }
        :matmul(wide:slice { { 1, 300 }, true }:compute()))
show("corr in place", wide:corr())
show("tensordot", x:tensordot(y, 1))
]]

describe("results", function()
  for _, blas in ipairs { false, "none" } do
    it("have the same bits on any number of workers" .. (blas and ", without a BLAS" or ""), function()
      local expected
      for _, workers in ipairs { 0, 1, 2, 7 } do
        local result = process.run { workers == 0 and "--serial" or "--workers=" .. workers, "--cache", "off",
          "-e", answers, env = { TIDEMILL_BLAS = blas } }
        assert.are.equal("", result.err)
        assert.are.equal(0, result.status)
        expected = expected or result.out
        assert.are.equal(expected, result.out, workers .. " workers")
      end
      contains(expected, "tensordot")
    end)
  end
end)

-- ---- memory ---------------------------------------------------------------------------------------

local peak = [[
local function peak()
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^VmHWM:%s+(%d+)")
    if kilobytes then return kilobytes / 1024 end
  end
end
]]

-- MiB that a script has at most, and what else it prints.
local function peak_of(script, ...)
  script = peak .. script .. "\nprint(peak())"
  local result = process.run { "--workers=2", "--cache", "off", "-e", script, ... }
  assert.are.equal("", result.err)
  local shown, most = result.out:match("^(.-)([%d.]+)\n$")
  return tonumber(most), shown
end

-- Chunks of these are at least 256 KiB on average: tasks put them into the result.
describe("a large result", function()
  local script = [[
    local tm = require "tidemill"
    local function digest(value)
      local flat = value:reshape(value.size):compute()
      local half = tm.kernels.cumsum(flat)
      return ("%.17g %.17g %.17g"):format(tm.kernels.sum(flat), tm.kernels.sum(half), flat[flat.size - 3])
    end
    local whole = tm.random.uniform({ 900, 1100 }, { seed = 3, chunks = "all" }):compute()
    for _, chunks in ipairs { { 200, "all" }, { 300, 500 }, { "all", 400 }, { 1, "all" } } do
      local x = tm.random.uniform({ 900, 1100 }, { seed = 3, chunks = chunks })
      assert(digest(x:compute()) == digest(whole))
      local doubled, plain = tm.compute(x * 2, x) -- both want the same chunks
      assert(digest(plain) == digest(whole) and digest(doubled / 2) == digest(whole))
    end
    print(digest(whole), digest((whole * 2 + 1):rechunk({ 250, "all" }):compute()))
    local far = tm.delayed(function()
      local near = require "tidemill"
      return near.random.uniform({ 900, 1100 }, { seed = 3, chunks = { 200, "all" } }):compute()
    end, { isolate = true })
    print(digest(far():compute()))
  ]]

  it("has the same bits in any chunks, on any lane", function()
    local expected = everywhere.run(2, script).out
    assert.are.equal(2, select(2, expected:gsub("\n", "\n")))
    assert.are.equal(expected, everywhere.run(0, script).out)
    for _, setting in ipairs { "lane=process", "lane=loop", "memory.limit=128MB" } do
      local result = everywhere.run(2, script, "--set", setting)
      assert.are.equal(expected, result.out, setting .. ": " .. result.err)
    end
  end)

  it("of which a chunk fails is an error, and the next one is whole", function()
    local result = everywhere.run(2, [[
      local tm = require "tidemill"
      local x = tm.random.uniform({ 900, 1100 }, { seed = 3, chunks = { 200, "all" } })
      local bad = x:map_blocks(function(block)
        if block:get(1, 1) ~= 0 then error("no such block", 0) end
        return block
      end)
      local ok, why = pcall(function() return bad:compute() end)
      print(ok, tostring(why):find("no such block", 1, true) ~= nil)
      print(tm.kernels.sum(x:compute():reshape(990000):compute()) == x:sum():compute())
    ]])
    assert.are.equal("false\ttrue\ntrue\n", result.out, result.err)
  end)
end)

describe("memory", function()
  it("holds no temporary of the array's size", function()
    if sanitized then return pending("a sanitizer's own memory counts, too") end
    -- Two arrays of 61 MiB: a temporary would be as large.
    local make = [[
      local tm = require "tidemill"
      local x = tm.random.uniform({ 4000, 2000 }, { seed = 1 }):compute()
      local y = tm.random.uniform({ 2000, 4000 }, { seed = 2 }):compute()
    ]]
    local without = peak_of(make)
    local with, shown = peak_of(make .. "print(((x + y:T()) * 2 - 1):mean():compute() > 0.99)\n")
    assert.are.equal("true\n", shown)
    assert.is_true(with - without < 20, ("%.0f MiB more"):format(with - without))
  end)

  it("of a large result, and of what it was made from, is free when both are dropped", function()
    if sanitized then return pending("a sanitizer's own memory counts, too") end
    -- 61 MiB each: all of them would be 1,200.
    local most, shown = peak_of([[
      local tm = require "tidemill"
      for i = 1, 10 do
        local x = tm.random.uniform({ 2000, 4000 }, { seed = i }):compute()
        local y = (x + 1):compute()
        assert(y:mean():compute() > 1.49)
        x, y = nil, nil
        collectgarbage()
        collectgarbage()
      end
      print("fine")
    ]])
    assert.are.equal("fine\n", shown)
    assert.is_true(most < 300, ("%.0f MiB at most"):format(most))
  end)

  it("of a mean of 2 GB of random numbers stays under a limit of 256 MB", function()
    if sanitized then return pending("a sanitizer's own memory counts, too") end
    local most, shown = peak_of([[
      local tm = require "tidemill"
      local mean = tm.random.uniform({ 500, 1000, 500 }, { seed = 1 }):mean():compute()
      print(math.abs(mean - 0.5) < 1e-3)
    ]], "--set", "memory.limit=256MB")
    assert.are.equal("true\n", shown)
    assert.is_true(most < 256, ("%.0f MiB at most"):format(most))
  end)
end)
