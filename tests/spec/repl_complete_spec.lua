-- What Tab offers: repl/complete.lua inside the built module.  SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local tm = require "tidemill"
local complete = require "repl.complete"
local scope = require "repl.scope"

local function offers(before) return complete.list(before) end

local function has(before, word)
  local list = offers(before)
  for _, one in ipairs(list) do
    if one == word then return end
  end
  error(("%q does not offer %q but %s"):format(before, word, table.concat(list, " ")), 2)
end

local function lacks(before, word)
  for _, one in ipairs(offers(before)) do assert.are_not.equal(word, one) end
end

-- Declares locals as an input does.
local function declare(text)
  local fn = assert(scope.compile(text))
  assert.is_true(scope.keep(text, fn()))
end

describe("completion", function()
  before_each(function()
    scope.reset()
    _G.tm = tm
  end)
  after_each(function() _G.tm = nil end)

  it("knows globals, keywords and the session's locals", function()
    _G.tidemill_test_global = 1
    finally(function() _G.tidemill_test_global = nil end)
    declare("local tidemill_test_local = 2")
    assert.are.same({ "tidemill_test_global", "tidemill_test_local" }, offers("x = tidemill_test_"))
    assert.are.same({ "function" }, offers("local functi"))
  end)

  it("knows members of modules and of real objects", function()
    has("string.f", "string.find")
    assert.are.same({ "tm.submit", "tm.submit_all" }, offers("print(tm.sub"))
    has("tm.kernels.sm", "tm.kernels.sma")
    has("tm.log.", "tm.log.warn")
    declare("local t = {alpha = {beta = 1}}")
    assert.are.same({ "t.alpha.beta" }, offers("t.alpha."))
    assert.are.same({ "t.alpha" }, offers("1+t.al"))
    assert.are.same({}, offers("nothing.at.al"))
  end)

  it("knows arrays, frames and nodes, methods alone behind a colon", function()
    _G.tidemill_test = { a = tm.array { 1, 2 }, n = tm.delayed(function() end)() }
    finally(function() _G.tidemill_test = nil end)
    has("tidemill_test.a:", "tidemill_test.a:slice")
    lacks("tidemill_test.a:", "tidemill_test.a:shape")
    has("tidemill_test.a.", "tidemill_test.a.shape")
    assert.are.same({ "tidemill_test.n:compute" }, offers("tidemill_test.n:comp"))
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    helper.write(folder .. "/f.csv", "close,Adj Close\n1,2\n")
    _G.tidemill_test.f = tm.read_csv(folder .. "/f.csv")
    assert.are.same({ "tidemill_test.f.close", "tidemill_test.f.column", "tidemill_test.f.columns" },
      offers("tidemill_test.f.c"))
    has("tidemill_test.f:", "tidemill_test.f:column")
    lacks("tidemill_test.f:", "tidemill_test.f:close")
  end)

  it("computes nothing to look", function()
    _G.tidemill_test = setmetatable({}, { __index = function() error("looked") end,
      __pairs = function() error("looked") end })
    finally(function() _G.tidemill_test = nil end)
    assert.are.same({}, offers("tidemill_test.field.x"))
    assert.are.same({}, offers("tidemill_test.x"))
  end)

  it("offers the options of a call inside its braces", function()
    assert.are.same({ "priority" }, offers("f = tm.delayed(g, {pri"))
    assert.are.same({ "retries", "retry_delay", "retry_on" }, offers("tm.map(f, {1, 2}, {priority = 1, retr"))
    has("f:with{", "timeout")
    assert.are.same({ "bytes_per_item" }, offers("tm.recommend{items = 3, by"))
    lacks("t = {", "timeout")
    lacks("tm.map(f, {pri", "priority = ")
  end)

  it("offers files inside strings, and folders with a slash", function()
    local folder = helper.folder()
    finally(function() helper.remove(folder) end)
    os.execute("mkdir " .. folder .. "/sub")
    helper.write(folder .. "/some.csv", "")
    assert.are.same({ folder .. "/some.csv", folder .. "/sub/" }, offers("tm.read_csv(\"" .. folder .. "/s"))
    assert.are.same({ folder .. "/some.csv" }, offers(":load " .. folder .. "/so"))
    has("x = \"closed\" .. tm.rea", "tm.read_csv")
  end)

  it("offers commands at the start, and pages behind :help", function()
    assert.are.same({ ":help" }, offers(":he"))
    has(":", ":quit")
    has(":help cac", "cache")
    has(":source tm.ma", "tm.map")
  end)
end)
