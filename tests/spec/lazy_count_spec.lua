-- How many tasks a lazy array says it takes, against how many compute() runs.
-- SPDX-License-Identifier: MIT

require "tests.spec.helper"
local tm = require "tidemill"

-- The number that an array's text tells: of tasks; whether it is exact.
local function told(array)
  local text = tostring(array)
  if text:find(", no task, ", 1, true) then return 0, true end
  local least, number = text:match(", (a?t? ?l?e?a?s?t? ?)(%d+) tasks?, ")
  return tonumber(number), least == ""
end

-- Computes, and gives how many tasks ran.
local function ran(array)
  local before = tm.stats().executed
  array:compute()
  return tm.stats().executed - before
end

local x = tm.random.uniform({ 600, 600 }, { seed = 1, chunks = 150 })
local y = tm.random.normal({ 600, 600 }, { seed = 2, chunks = { 200, 300 } })
local v = tm.random.uniform({ 200000 }, { seed = 3, chunks = 30000 })
local tall = tm.random.uniform({ 4000, 50 }, { seed = 4, chunks = { 300, 50 } })
local wide = tm.random.uniform({ 3000, 2000 }, { seed = 5, chunks = { 500, 1000 } })
local rows = tm.random.uniform({ 3000, 2000 }, { seed = 6, chunks = { 500, 2000 } })
local q, r = tm.linalg.qr(tall)
local u, s, vt = tm.linalg.svd(tall)
local best, places = v:topk(5)
local many = tm.random.uniform({ 102500 }, { seed = 7, chunks = 100 })
local here = tm.ones(400, 400):compute()
local function same(block) return block end

local kinds = {
  ["elements of one pass"] = (x + 1) * 2,
  ["two ways to cut"] = x + y,
  ["a transposed"] = x + x:T(),
  ["an array that is there"] = here * 2 + 1,
  ["a choice"] = tm.where(x:gt(0.5), x, y),
  ["a reversed"] = x:flip(1),
  ["a sum"] = x:sum(),
  ["means of a pass"] = ((x + y) * 2):mean(1),
  deviations = x:std(2),
  positions = x:argmax(),
  ["positions of rows"] = x:argmax(2),
  ["two answers"] = (x:sum() + x:max()) / 2,
  ["a level of joins"] = many:slice { { 1, 3300 } }:sum() + many:slice { { 1, 3200 } }:sum(),
  ["two levels of joins"] = many:sum() + many:max(),
  ["what is made of answers"] = (x - x:mean(1)) / x:std(1),
  ["nested answers"] = ((x - x:mean()):square():sum(1) / 599):sqrt():max(),
  ["a slice"] = (x * 2):slice { { 1, 300 }, { 1, 10 } },
  ["a slice of totals"] = x:cumsum(1):slice { { 1, 300 }, { 1, 10 } },
  neighbours = x:diff(),
  ["neighbours of totals"] = x:cumsum(1):diff(),
  ["a product"] = x:matmul(y),
  ["a symmetric product"] = x:matmul(x:T()),
  ["a diagonal"] = tm.linalg.trace(x:matmul(y)),
  ["products of vectors"] = v:dot(v),
  correlations = x:corr(),
  covariances = tall:T():cov(),
  windows = x:rolling(30):mean(),
  ["correlations of windows"] = tall:slice { { 1, 600 }, true }:rolling(30):corr(),
  totals = x:cumsum(2),
  sorted = x:sort(1),
  ["an order"] = x:argsort(),
  ranks = v:rank(),
  ["the greatest"] = best,
  ["their places"] = places,
  both = best + places,
  counts = (v:histogram(10, 0, 1)),
  ["a quantile"] = x:quantile(0.5),
  medians = x:median(1),
  q = q,
  r = r,
  ["q and r"] = q:sum() + r:sum(),
  u = u,
  ["singular values"] = s,
  v = vt,
  ["a solution"] = tm.linalg.solve(x:slice { { 1, 300 }, { 1, 300 } }, x:slice { { 1, 300 }, 1 }),
  ["side by side"] = tm.concat({ x, y }, 2),
  stacked = tm.stack { x, x + 1 },
  ["another shape"] = x:reshape(100, 3600),
  ["other chunks"] = x:rechunk(200),
  ["totals in other chunks"] = x:cumsum(1):rechunk(200),
  ["a picked few"] = x:take({ 1, 300, 599 }, 1),
  ["picked from everywhere"] = x:take(tm.arange(1, 601, 5), 1),
  ["what a mask marks"] = x:mask(x:gt(0.5)),
  ["a function of blocks"] = x:map_blocks(same),
  ["a function of blocks that overlap"] = x:map_overlap(same, 1),
  ["large chunks"] = wide * 2,
  ["large chunks of whole rows"] = rows + 1,
  ["little work"] = tm.arange(5) + 1,
  ["a little sum"] = (tm.arange(5) + 1):sum(),
  ["a chain of kernels"] = (here:slice { 1 } + 1) * 2 - 3,
}

describe("a lazy array says how many tasks compute() runs for", function()
  for name, array in tm.sorted(kinds) do
    it(name, function()
      local tasks, exact = told(array)
      assert.is_true(exact)
      assert.are.equal(ran(array), tasks)
      assert.are.equal(tasks, array:optimize().tasks)
    end)
  end

  it("chunks that are kept", function()
    local kept = wide:persist()
    kept:compute() -- what persist has started runs here, too
    assert.are.equal(ran(kept), (told(kept)))
    assert.are.equal(0, (told(x:slice { { 1, 10 } }:persist())))
  end)

  it("arrays of 80 GB and more, which are not planned for that", function()
    local big = tm.random.uniform({ 1e5, 1e5 }, { seed = 1, chunks = 1000 })
    assert.are.equal(1e4 + 313 + 10 + 1, (told(big:mean()))) -- 10,000 parts are 313, are 10
    assert.are.equal(2e4, (told(big * 2)))
    assert.are.equal(1e4 + 100 * 5, (told(big:sum(1)))) -- 100 parts are 4
    local tasks, exact = told(big:cumsum(1):slice { { 1, 50000 }, true })
    assert.is_false(exact)
    assert.is_true(tasks >= 100)
    local sum = big
    for i = 1, 300 do sum = sum + tm.random.uniform({ 1e5, 1e5 }, { seed = i, chunks = 1000 }) end
    assert.is_truthy(tostring(sum):find(", tasks not counted, not computed: ", 1, true))
  end)
end)
