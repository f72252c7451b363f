-- Whatever a public function is called with, a message speaks of the call: see wrong_arguments.lua.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"

local stubs = helper.lines("ls lua/meta/*.lua")

local function refused(message, fn) expect.contains(expect.problem(fn), message) end

describe("wrong arguments", function()
  it("that once had none, or never came to an end, get errors", function()
    local x = tm.array { { 1, 2 }, { 3, 4 } }
    refused("tensordot: axes: expected a whole number from 0 to 2, got 1e+300",
      function() x:tensordot(x, 1e300) end)
    refused("tensordot: axis 1 is named twice", function() x:tensordot(x, { { 1, 1 }, { 1, 2 } }) end)
    refused("lstsq: rcond must be a number from 0, got nan",
      function() tm.linalg.lstsq(x, { 1, 2 }, 0 / 0) end)
    refused("cov: ddof must be a whole number >= 0, got \"x\"", function() x:cov { ddof = "x" } end)
    refused("corr: expected no argument", function() x:corr(x) end)
    refused("histogram: bins: expected one axis of edges, got the shape (2,2)",
      function() tm.arange(0, 3):histogram(x) end)
    refused("histogram: low: expected a number, got a table", function() x:histogram(3, {}) end)
    expect.contains(expect.problem(function() tm.arange(0, 3):histogram({ "a" }) end),
      "arguments_spec.lua")
    refused("quantile: q: expected a number from 0 to 1 or a list of them, got a nil",
      function() x:quantile() end)
    refused("transpose: expected the 2 axes in some order, got (true)", function() x:transpose(true) end)
    refused("take: expected an array or a table of indexes, got a string", function() x:take("1") end)
    refused("concat: expected arrays with an axis", function() tm.concat { 1, 2 } end)
    refused("eye: k must be a whole number, got 0.5", function() tm.eye(2, 2, 0.5) end)
    refused("linspace: count must be a number, got nil", function() tm.linspace(0, 1) end)
    refused("index of axis 2: expected a number, got a string", function() return x:get(1, "2") end)
    refused("date_text: expected a day number", function() tm.date_text(0.5) end)
    refused("json.list: expected a table without a metatable, got a number", function() tm.json.list(1) end)
    refused("tm.random has no \"shuffle\"", function() return tm.random.shuffle end)
    refused("zeros: chunks: 1000000000 are too many", function() tm.zeros(1e9, { chunks = 1 }) end)
    local beyond = tm.arange(-5e15, 0)
    assert.is_truthy(tostring(beyond):find("too many chunks, 35.5 PiB, tasks not counted", 1, true))
    refused("compute: chunks: 4768371583 are too many", function() beyond:sum():compute() end)
  end)

  -- The message, with the place of the call in front and nothing before it.
  local function blamed(message, fn)
    local problem = expect.problem(fn)
    local line = debug.getinfo(fn, "S").linedefined
    assert.are.equal(("tests/spec/arguments_spec.lua:%d: %s"):format(line, message),
      (problem:gsub("^%./", "")))
  end

  it("are told by their kind, never by an address", function()
    local x = tm.array { { 1, 2 }, { 3, 4 } }
    blamed("sum: axis a function is outside 1..2", function() return (x:sum(print)) end)
    blamed("expand_dims: axis a coroutine is outside 1..3",
      function() return (x:expand_dims(coroutine.create(print))) end)
    local function given(value) return function() return (x:rolling(value)) end end
    local function shown(text, value)
      refused("rolling: window must be an integer >= 1, got " .. text, given(value))
    end
    shown("\"1\\n2\"", "1\n2")
    shown("a lazy node", tm.delayed(print)(1))
    shown("a future", tm.submit(tostring, 1))
    shown("a channel", tm.channel(1))
    shown("an array", x)
    shown("a lazy array", x:neg())
    shown("a delayed function", tm.delayed(print))
    shown("an empty table", {})
    shown("a table", { 1 })
    shown("a file", io.stdout)
    shown("-1LL", -1LL)
    shown("an FFI value", x:pointer())
    refused("no key \"a table\"", function() return tm.graph({ x = 1 }):get { { 1 } } end)
  end)

  it("far inside of a call are blamed on the call", function()
    local x, int = tm.array { { 1, 2 }, { 3, 4 } }, tm.array({ 1, 2 }, "int8")
    blamed("index: expected a number, got a table", function() return (int:get {}) end)
    blamed("compute: distribution: expected dynamic, round_robin, load_balanced or affinity, got true",
      function() return (tm.delayed(print)(1):compute { distribution = true }) end)
    blamed("submit: there is no arithmetic of int8; a:astype(\"int32\") first",
      function() return (int:submit()) end)
    blamed("svd_compressed: k must be an integer from 1 to 2, got 3",
      function() return (tm.linalg.svd_compressed(x, 3)) end)
    blamed("svd_compressed: k must be an integer from 1 to 2, got 3",
      function() return (tm.linalg.svd_compressed(x:neg(), 3)) end)
    blamed("matmul: an array of date has no products",
      function() return (x:matmul(x:astype("date"))) end)
    blamed("array: 9007199254740992 int64 is more than memory can hold",
      function() return (tm.kernels.permutation(1, 1, 2^53)) end)
    blamed("compute: chunks: 8589934592 are too many (at most 16777216); take larger ones",
      function() return (tm.arange(2^53):compute()) end)
    blamed("wait: expected a future or a table of futures, got a number",
      function() return (tm.wait({ 1 })) end)
    blamed("wait: expected seconds as a number, got a table", function() return (tm.wait({}, {})) end)
    blamed("array: row 1: expected numbers, got an array of text",
      function() return (tm.array { tm.array { "a" }, tm.array { 1 } }) end)
    blamed("retry: expected a table of options, got 5",
      function() return (tm.batch(error, { 1 }):retry(5)) end)
    blamed("unknown option \"tries\", did you mean \"retries\"?",
      function() return (tm.batch(print, {}):retry { tries = 3 }) end)
    blamed("cancel: expected a future or a table of futures, got a lazy node",
      function() return (tm.cancel(tm.delayed(print)(1))) end)
  end)

  it("of lists and sizes that there cannot be are refused at once", function()
    local length = "the list's n: expected a whole number from 0 to 2^27, got "
    blamed("sinh: x: " .. length .. "-inf",
      function() return (tm.kernels.sinh { n = -math.huge }) end)
    blamed("array: " .. length .. "2147483648", function() return (tm.array { n = 2^31 }) end)
    blamed("map: " .. length .. "1e+300", function() return (tm.map(print, { n = 1e300 })) end)
    blamed("as_completed: " .. length .. "-1LL", function() return (tm.as_completed { n = -1LL }) end)
    expect.contains(expect.problem(function() return tm.json.encode { n = 2^40 } end),
      "json: the value is a list of 1099511627776 elements, more than a text has room for")
    assert.are.equal("{\"n\":1.5}", tm.json.encode { n = 1.5 })
    blamed("from_buffer: size 2 of the shape is nil, expected a whole number from 0",
      function() return (tm.from_buffer("abcd", "int8", 2, nil, 2)) end)
    blamed("map_blocks: chunks: axis 1: expected a size of block 1, got an empty table",
      function() return (tm.zeros(4):map_blocks(print, { chunks = { { {} } } })) end)
    blamed("svd_compressed: iterations must be at most 1000, got 1000000",
      function() return (tm.linalg.svd_compressed(tm.zeros(3, 3), 1, { iterations = 1e6 })) end)
    assert.are.equal(0, #tm.random.choice(2^40, 0, { replace = false }):compute())
    assert.are.equal(0, tm.eye(2, 2, 2^64):sum():compute())
    assert.are.equal(0, tm.arange(0, 1, 2^64):sum():compute())
    assert.are.equal(2, tm.eye(2, 2, 0):sum():compute())
    assert.are.equal(0, tm.linalg.norm(tm.zeros(0, 3):compute(), 2))
  end)

  it("are not passed over in silence", function()
    local x = tm.array { { 1, 2 }, { 3, 4 } }
    blamed("sum: keepdims must be true or false, got 1", function() return (x:sum(1, { keepdims = 1 })) end)
    blamed("sum: expected the axes first or as the option `axis`, not both",
      function() return (x:sum(1, { axis = 2 })) end)
    blamed("var: ddof must be a whole number >= 0, got false", function() return (x:var { ddof = false }) end)
    blamed("sum: expected axes as numbers or a list of them, got a channel",
      function() return (x:sum { axis = tm.channel(1) }) end)
    blamed("sort: descending must be true or false, got \"yes\"",
      function() return (x:sort(1, { descending = "yes" })) end)
    blamed("solve_triangular: unit must be true or false, got 3",
      function() return (tm.linalg.solve_triangular(x, x, { unit = 3 })) end)
    blamed("zeros: an element type is a name such as \"float64\", not false",
      function() return (tm.zeros(2, { dtype = false })) end)
    blamed("rolling: mean: expected no argument, got 2", function() return (x:rolling(2):mean(2)) end)
    blamed("rolling: std: ddof must be a whole number >= 0, got \"1\"",
      function() return (x:rolling(2):std("1")) end)
    blamed("rolling: axis false is outside 1..2", function() return (x:rolling(2, false)) end)
    blamed("take: axis false is outside 1..2", function() return (x:take({ 1 }, false)) end)
    blamed("slice: expected a:slice{ entry, ... }", function() return (x:slice { rows = 1 }) end)
    blamed("slice: axis 1: expected a number, {first, last, step}, true or an array, got a table",
      function() return (x:slice { { last = 1 } }) end)
    blamed("histogram: bins: expected how many between low and high, or edges alone",
      function() return (x:histogram({ 1, 2 }, false)) end)
    blamed("eye: k must be a whole number, got inf", function() return (tm.eye(2, 2, math.huge)) end)
    blamed("literal: expected a string, got 5", function() return (tm.literal(5)) end)
    blamed("svd_compressed: seed must be a whole number from 0, got \"x\"",
      function() return (tm.linalg.svd_compressed(x, 1, { seed = "x" })) end)
    local path = "tests/data/market/mixed.csv"
    blamed("read_csv: date_format: expected a text such as \"%d.%m.%Y\", got 5",
      function() return (tm.read_csv(path, { date_format = 5 })) end)
    blamed("read_header: types: expected a table such as {close = \"float64\"}, got \"x\"",
      function() return (tm.read_header(path, { types = "x" })) end)
    blamed("read_csv: ignore_case: expected true or false, got 1",
      function() return (tm.read_csv(path, { ignore_case = 1 })) end)
    assert.are.equal("read_csv: columns: expected a list of strings, got 5",
      expect.problem(function() return tm.read_csv(path, { columns = function() return 5 end }) end))
  end)

  it("that are frames or what knows its own fields alone are no lists and no options", function()
    local frame = tm.read_csv("tests/data/market/mixed.csv")
    local columns = "the frame has Volume, TICKER, Close, Low, high, Open, Date, note"
    blamed("array: expected array(table, dtype), got a frame; its columns are arrays",
      function() return (tm.array(frame)) end)
    blamed("no column \"1\"; " .. columns, function() return (tm.zeros(2):map_overlap(print, frame)) end)
    refused("unknown option", function() return (tm.zeros(2):sum(frame)) end)
    assert.are.equal(0, tm.kernels.sum(tm)) -- no list that has elements
    assert.are.equal(3, tm.submit(function(graph) return graph:get("y") end,
      tm.graph { x = 3, y = { function(x) return x end, "x" } }):result())
  end)

  it("of any kind get errors that speak of the call", function()
    local seed = tonumber(os.getenv("TIDEMILL_TEST_SEED")) or 1 -- the same calls each time; see make fuzz
    local result = process.run { "--cache", "off", "--workers", "2", "tests/spec/wrong_arguments.lua",
      seed, 12, unpack(stubs) }
    assert.are.equal(0, result.status, ("seed %d: %s%s"):format(seed, result.out, result.err))
    assert.is_true(tonumber(result.out:match("(%d+) functions\n$")) > 380)
  end)
end)
