-- Whatever a public function is called with, a message speaks of the call: see wrong_arguments.lua.
-- SPDX-License-Identifier: MIT

local expect = require "tests.spec.expect"
local helper = require "tests.spec.helper"
local process = require "tests.spec.process"
local tm = require "tidemill"

local stubs = helper.lines("ls lua/meta/*.lua")

describe("wrong arguments", function()
  it("that once had none, or never came to an end, get errors", function()
    local x = tm.array { { 1, 2 }, { 3, 4 } }
    local function refused(message, fn) expect.contains(expect.problem(fn), message) end
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

  it("of any kind get errors that speak of the call", function()
    local seed = tonumber(os.getenv("TIDEMILL_TEST_SEED")) or os.time() % 1000000
    local result = process.run { "--cache", "off", "--workers", "2", "tests/spec/wrong_arguments.lua",
      seed, 12, unpack(stubs) }
    local count = result.out:match("(%d+) functions\n$")
    assert.is_nil(result.out:match("inside: [^\n]*"), ("seed %d: %s%s"):format(seed, result.out, result.err))
    assert.is_true(tonumber(count) > 300)
    assert.are.equal(0, result.status, result.err)
  end)
end)
