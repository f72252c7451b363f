-- Lazy arrays against naive ones: random shapes, chunks, axes and chains of operations; what is
-- promised to the bit is held to the bit.  SPDX-License-Identifier: MIT

local helper = require "tests.spec.helper"
local tm = require "tidemill"
local model = require "tests.spec.lazy_model"

math.randomseed(helper.seed())
local random = math.random

local ROUNDS = 150

-- ---- random arrays ----------------------------------------------------------------------------------

local function random_dims(most, axes)
  local dims = {}
  for axis = 1, axes or random(1, 4) do
    dims[axis] = random(1, math.max(1, math.min(most, 7)))
    if random(6) == 1 then dims[axis] = 1 end
    most = math.floor(most / dims[axis])
  end
  return dims
end

-- Sizes of chunks that fill an axis.
local function random_chunks(dims)
  local chunks = {}
  for axis, size in ipairs(dims) do
    local kind = random(4)
    if kind == 1 or size == 0 then
      chunks[axis] = "all"
    elseif kind == 2 then
      chunks[axis] = random(size)
    else
      local list, left = {}, size
      while left > 0 do
        list[#list + 1] = random(left)
        left = left - list[#list]
      end
      chunks[axis] = list
    end
  end
  return chunks
end

local function lazy_of(m)
  local x = tm.array({ unpack(m) }):reshape(m.dims)
  return x:rechunk(random_chunks(m.dims))
end

local function random_pair(axes)
  local m = model.build(random_dims(200, axes), function() return random(-9, 9) end)
  return m, lazy_of(m)
end

local function shape_text(dims) return "(" .. table.concat(dims, ",") .. ")" end

local function elements(x)
  local value = x:compute()
  if type(value) == "number" or type(value) == "boolean" then return { value, dims = {} } end
  local flat = value:reshape(value.size):totable()
  flat.dims = value.shape
  return flat
end

local function number(value)
  if type(value) == "boolean" then return value and 1 or 0 end
  return value
end

-- Element by element; NaN is NaN, and -0 is not told from 0.
local function check(m, x, what)
  assert.are.equal(shape_text(m.dims), shape_text(x.shape), what)
  local got = elements(x)
  assert.are.equal(shape_text(m.dims), shape_text(got.dims), what)
  for i = 1, #m do
    local want, have = number(m[i]), number(got[i])
    if want ~= have and (want == want or have == have) then
      error(("%s: element %d is %s, expected %s; shape %s"):format(what, i, tostring(have), tostring(want),
        shape_text(m.dims)), 2)
    end
  end
end

-- ---- operations on both -----------------------------------------------------------------------------

local steps = {}

local function places_of(first, last, step)
  local list = {}
  for i = first, last, step do list[#list + 1] = i end
  return list
end

function steps.slice(m, x)
  local lists, entries = {}, {}
  for axis, size in ipairs(m.dims) do
    local kind = random(6)
    if kind == 1 and size > 0 then
      lists[axis] = random(size)
      entries[axis] = random(2) == 1 and lists[axis] or lists[axis] - size - 1
    elseif kind == 2 and size > 0 then
      local first = random(size)
      local last = random(first, size)
      lists[axis], entries[axis] = places_of(first, last, 1), { first, last }
    elseif kind == 3 and size > 0 then
      local first, last, step = random(size), random(size), random(3)
      if first > last then step = -step end
      lists[axis] = places_of(first, last, step)
      entries[axis] = { first, random(2) == 1 and last or last - size - 1, step }
    elseif kind == 4 then
      lists[axis], entries[axis] = places_of(size, 1, -1), { nil, nil, -1 }
    else
      lists[axis], entries[axis] = places_of(1, size, 1), true
    end
  end
  return model.pick(m, lists), x:slice(entries)
end

local function random_order(axes)
  local order = {}
  for axis = 1, axes do table.insert(order, random(axis), axis) end
  return order
end

function steps.transpose(m, x)
  local order = random_order(#m.dims)
  return model.transpose(m, order), x:transpose(order)
end

function steps.reshape(m, x)
  local left, dims = model.length(m.dims), {}
  if left == 0 then return m, x end
  for _ = 1, random(3) do
    local divisors = {}
    for d = 1, left do
      if left % d == 0 then divisors[#divisors + 1] = d end
    end
    dims[#dims + 1] = divisors[random(#divisors)]
    left = left / dims[#dims]
  end
  dims[#dims + 1] = left
  return model.reshape(m, dims), x:reshape(dims)
end

function steps.flip(m, x)
  if #m.dims == 0 then return m, x end
  local axis, lists = random(#m.dims), {}
  for k, size in ipairs(m.dims) do
    lists[k] = k == axis and places_of(size, 1, -1) or places_of(1, size, 1)
  end
  return model.pick(m, lists), x:flip(axis)
end

function steps.rechunk(m, x) return m, x:rechunk(random_chunks(m.dims)) end

function steps.expand_dims(m, x)
  if #m.dims >= 5 then return m, x end
  local axis, dims = random(#m.dims + 1), { unpack(m.dims) }
  table.insert(dims, axis, 1)
  return model.reshape(m, dims), x:expand_dims(axis)
end

function steps.squeeze(m, x)
  local dims = {}
  for _, size in ipairs(m.dims) do
    if size ~= 1 then dims[#dims + 1] = size end
  end
  return model.reshape(m, dims), x:squeeze()
end

function steps.concat(m, x)
  if #m.dims == 0 or #m > 300 then return m, x end
  local axis, dims = random(#m.dims), { unpack(m.dims) }
  dims[axis] = random(0, 3)
  local other = model.build(dims, function() return random(-9, 9) end)
  local part = model.length(dims) > 0 and lazy_of(other) or tm.zeros(dims)
  if random(2) == 1 then return model.concat({ m, other }, axis), tm.concat({ x, part }, axis) end
  return model.concat({ other, m }, axis), tm.concat({ part, x }, axis)
end

function steps.stack(m, x)
  if #m.dims >= 5 or #m > 300 then return m, x end
  local axis, dims = random(#m.dims + 1), { unpack(m.dims) }
  table.insert(dims, axis, 1)
  local one = model.reshape(m, dims)
  return model.concat({ one, model.map(one, function(v) return -v end) }, axis), tm.stack({ x, -x }, axis)
end

function steps.add(m, x)
  local dims = {}
  for axis, size in ipairs(m.dims) do dims[axis] = random(2) == 1 and 1 or size end
  if model.length(dims) == 0 or #dims == 0 then return m, x end
  while #dims > 1 and random(3) == 1 do table.remove(dims, 1) end
  local other = model.build(dims, function() return random(-9, 9) end)
  return model.zip(m, other, function(a, b) return a + b end), x + lazy_of(other)
end

function steps.add_turned(m, x)
  if #m.dims ~= 2 or m.dims[1] ~= m.dims[2] then return m, x end
  return model.zip(m, model.transpose(m, { 2, 1 }), function(a, b) return a + b end), x + x:T()
end

function steps.arithmetic(m, x)
  local k = random(5)
  local ways = {
    { function(v) return v * 2 - 1 end, function(y) return y * 2 - 1 end },
    { function(v) return 3 - v end, function(y) return 3 - y end },
    { math.abs, function(y) return y:abs() end },
    { function(v) return math.min(math.max(v, -4), 4) end, function(y) return y:clip(-4, 4) end },
    { function(v) return v > 0 and v or 7 end, function(y) return tm.where(y:gt(0), y, 7) end },
    { function(v) return v % 5 end, function(y) return y % 5 end },
  }
  local way = ways[k]
  return model.map(m, way[1]), way[2](x)
end

function steps.take(m, x)
  if #m.dims == 0 then return m, x end
  local axis = random(#m.dims)
  local size, lists, index, given = m.dims[axis], {}, {}, {}
  if size == 0 then return m, x end
  for i = 1, random(0, 6) do
    index[i] = random(size)
    given[i] = random(2) == 1 and index[i] or index[i] - size - 1
  end
  for k, own in ipairs(m.dims) do lists[k] = k == axis and index or places_of(1, own, 1) end
  return model.pick(m, lists), x:take(tm.array(given, "int64"), axis)
end

function steps.mask(m, x)
  if #m.dims == 0 then return m, x end
  local made = { dims = { 0 } }
  for i = 1, #m do
    if m[i] > -3 then made[#made + 1] = m[i] end
  end
  made.dims[1] = #made
  return made, x:slice(x:gt(-3))
end

function steps.mask_of_axis(m, x)
  if #m.dims == 0 then return m, x end
  local axis, lists, marks = random(#m.dims), {}, {}
  local places = {}
  for i = 1, m.dims[axis] do
    marks[i] = random(3) > 1
    if marks[i] then places[#places + 1] = i end
  end
  if #marks == 0 then return m, x end
  local entries = {}
  for k, own in ipairs(m.dims) do
    lists[k], entries[k] = places_of(1, own, 1), true
  end
  lists[axis], entries[axis] = places, tm.array(marks)
  return model.pick(m, lists), x:slice(entries)
end

local function running(fn)
  return function(line)
    local made, total = {}, nil
    for i, value in ipairs(line) do
      total = total == nil and value or fn(total, value)
      made[i] = total
    end
    return made
  end
end

function steps.scan(m, x)
  if #m.dims == 0 then return m, x end
  local axis = random(#m.dims)
  local ways = { cumsum = function(a, b) return a + b end, cummax = math.max, cummin = math.min }
  for name, fn in pairs(ways) do
    if random(2) == 1 then return model.lines(m, axis, running(fn)), x[name](x, axis) end
  end
  return m, x
end

function steps.sort(m, x)
  if #m.dims == 0 then return m, x end
  local axis, down = random(#m.dims), random(2) == 1
  local function before(a, b)
    if down then return a > b end
    return a < b
  end
  return model.lines(m, axis, function(line)
    table.sort(line, before)
    return line
  end), x:sort(axis, { descending = down })
end

function steps.argsort(m, x)
  if #m.dims == 0 then return m, x end
  local axis = random(#m.dims)
  return model.lines(m, axis, function(line)
    local order = {}
    for i = 1, #line do order[i] = i end
    table.sort(order, function(i, j)
      if line[i] ~= line[j] then return line[i] < line[j] end
      return i < j
    end)
    return order
  end), x:argsort(axis)
end

function steps.diff(m, x)
  local axis
  for k, size in ipairs(m.dims) do
    if size > 1 and #m > 0 then axis = k end
  end
  if not axis then return m, x end
  return model.lines(m, axis, function(line)
    local made = {}
    for i = 1, #line - 1 do made[i] = line[i + 1] - line[i] end
    return made
  end), x:diff(axis)
end

local windows = { sum = false, mean = false, min = math.min, max = math.max }

function steps.rolling(m, x)
  if #m.dims == 0 then return m, x end
  local axis, window = random(#m.dims), random(4)
  local name = ({ "sum", "mean", "min", "max" })[random(4)]
  local rolled = x:rolling(window, axis - (random(2) - 1) * (#m.dims + 1))
  -- NaN would spoil what follows: what comes before the first window becomes 0.
  local y = rolled[name](rolled)
  return model.lines(m, axis, function(line)
    local made = {}
    for i = 1, #line do
      local total = i >= window and line[i] or 0
      for k = i - 1, i >= window and i - window + 1 or i, -1 do
        total = windows[name] and windows[name](total, line[k]) or total + line[k]
      end
      made[i] = i >= window and name == "mean" and math.floor(total / window + 0.5) or total
    end
    return made
  end), tm.where(y:isnan(), 0, name == "mean" and (y + 0.5):floor() or y)
end

function steps.persist(m, x) return m, x:persist() end

local names = {}
for name in pairs(steps) do names[#names + 1] = name end
table.sort(names)

-- ---- reductions -------------------------------------------------------------------------------------

local function best(before)
  return function(list)
    local at = 1
    for i = 2, #list do
      if before(list[i], list[at]) then at = i end
    end
    return at
  end
end

local function sum(list)
  local total = 0
  for _, value in ipairs(list) do total = total + value end
  return total
end

local folds = {
  sum = sum,
  mean = function(list) return sum(list) / #list end,
  min = function(list) return math.min(unpack(list)) end,
  max = function(list) return math.max(unpack(list)) end,
  argmin = best(function(a, b) return a < b end),
  argmax = best(function(a, b) return a > b end),
  any = function(list)
    for _, value in ipairs(list) do
      if value ~= 0 then return true end
    end
    return false
  end,
  all = function(list)
    for _, value in ipairs(list) do
      if value == 0 then return false end
    end
    return true
  end,
  count = function(list)
    local count = 0
    for _, value in ipairs(list) do count = count + (value ~= 0 and 1 or 0) end
    return count
  end,
}

local function subset(axes)
  local goes, list = {}, {}
  for axis = 1, axes do
    if random(2) == 1 then
      goes[axis] = true
      list[#list + 1] = random(2) == 1 and axis or axis - axes - 1
    end
  end
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
  return goes, list
end

describe("lazy arrays of random shapes and chunks", function()
  it("do what naive ones do, whatever is done to them", function()
    for round = 1, ROUNDS do
      local m, x = random_pair()
      local trail = { shape_text(m.dims) }
      for _ = 1, random(1, 6) do
        local name = names[random(#names)]
        local ok, next_m, next_x = pcall(steps[name], m, x)
        assert(ok, ("round %d: %s, then %s: %s"):format(round, table.concat(trail, " "), name,
          tostring(next_m)))
        m, x = next_m, next_x
        trail[#trail + 1] = name
        if #m > 3000 then break end
      end
      local what = ("round %d: %s"):format(round, table.concat(trail, " "))
      local ok, why = pcall(check, m, x, what)
      if not ok then error(what .. ": " .. tostring(why), 0) end
    end
  end)

  it("fold over any axes as naive ones do", function()
    for round = 1, ROUNDS do
      local m, x = random_pair()
      if random(2) == 1 then m, x = steps.transpose(m, x) end
      for name, fold in pairs(folds) do
        local goes, axes = subset(#m.dims)
        local keep = random(2) == 1
        local got = x[name](x, axes, { keepdims = keep })
        check(model.fold(m, goes, keep, fold), got, ("round %d: %s over (%s) of %s"):format(round, name,
          table.concat(axes, ","), shape_text(m.dims)))
      end
    end
  end)

  it("have the variance that two passes give", function()
    for _ = 1, 40 do
      local m, x = random_pair()
      local goes, axes = subset(#m.dims)
      local ddof = random(0, 1)
      local want = model.fold(m, goes, false, function(list)
        if #list <= ddof then return 0 / 0 end
        local mean, squares = sum(list) / #list, 0
        for _, value in ipairs(list) do squares = squares + (value - mean) ^ 2 end
        return squares / (#list - ddof)
      end)
      local got = elements(x:var(axes, { ddof = ddof }))
      for i = 1, #want do
        local near = math.abs(got[i] - want[i]) <= 1e-12 * math.max(1, want[i])
        assert(near or (got[i] ~= got[i] and want[i] ~= want[i]),
          ("%s: %.17g, expected %.17g"):format(shape_text(m.dims), got[i], want[i]))
      end
    end
  end)

  it("give several results at once as they give them alone", function()
    for _ = 1, 30 do
      local _, x = random_pair()
      local y = x * 3 + 1
      local a, b, c = tm.compute(y:sum(), x:max(), y:var())
      assert.are.equal(y:sum():compute(), a)
      assert.are.equal(x:max():compute(), b)
      assert.are.equal(y:var():compute(), c)
    end
  end)
end)

-- ---- to the bit -------------------------------------------------------------------------------------

-- Bytes of the elements.
local function bits(x)
  local value = x:compute()
  if type(value) ~= "cdata" then return ("%.17g"):format(number(value)) end
  local ffi = require("ffi")
  return ffi.string(value:pointer(), value.nbytes)
end

local function same_bits(x, y, what)
  if bits(x) ~= bits(y) then error(what .. ": other bits in other chunks", 2) end
end

local elementwise = {
  function(x) return x:exp() - x:sin() * 3 end,
  function(x) return (x * x):sqrt():log1p() end,
  function(x) return tm.where(x:gt(0.5), x / 3, -x) end,
  function(x) return x:astype("float32") * 1.1 end,
  function(x) return (x * 1000):astype("int64") % 7 end,
  function(x) return x:T() + 1 end,
  function(x) return x:round():eq(x:floor()) end,
  function(x) return x:pow(x):atan2(x - 0.5) end,
  function(x) return x:cumsum(1) end,
  function(x) return x:cumprod(-1) end,
  function(x) return x:sort(1) end,
  function(x) return x:argsort(-1) end,
  function(x) return x:min(1) end,
  function(x) return x:max() end,
  function(x) return x:argmax() end,
  function(x) return x:argmin(-1) end,
  function(x) return x:gt(0.3):any(1) end,
  function(x) return x:gt(0.9):count() end,
  function(x) return x:quantile({ 0.1, 0.5, 0.9 }, 1) end,
  function(x) return x:median() end,
  function(x) return (x:flatten():topk(3)) end,
  function(x) return (x:histogram(5, 0, 1)) end,
  function(x) return x:slice(x:gt(0.5)) end,
  function(x) return x:take({ 1, -1 }, 1) end,
  function(x) return x:flatten():rank() end,
  function(x) return x:rolling(3):mean() end,
  function(x) return x:rolling(5, 2):std() end,
  function(x) return x:rolling(4, -1):median() end,
  function(x) return x:rolling(2):quantile(0.3) end,
  function(x) return x:rolling(3):zscore() end,
}

describe("the same elements in other chunks", function()
  it("have the same bits after anything but sums", function()
    for _ = 1, 12 do
      local dims = { random(2, 40), random(2, 40) }
      for i, fn in ipairs(elementwise) do
        local own = random(1000)
        local x = tm.random.uniform(dims, { seed = own, chunks = random_chunks(dims) })
        local y = tm.random.uniform(dims, { seed = own, chunks = "all" })
        same_bits(fn(x), fn(y), ("function %d of shape %s"):format(i, shape_text(dims)))
      end
    end
  end)

  it("are the same random numbers", function()
    for _ = 1, 10 do
      local dims = random_dims(2000)
      for _, name in ipairs({ "uniform", "normal", "lognormal", "exponential", "bernoulli", "integers" }) do
        local own = { seed = random(1000), chunks = random_chunks(dims) }
        if name == "integers" then own.high = 6 end
        local x = tm.random[name](dims, own)
        own.chunks = nil
        same_bits(x, tm.random[name](dims, own), name)
      end
    end
  end)

  it("have sums, means and deviations that differ by roundings", function()
    for _ = 1, 20 do
      local dims = random_dims(3000)
      local own = random(1000)
      local x = tm.random.normal(dims, { seed = own, chunks = random_chunks(dims), mean = 100 })
      local y = tm.random.normal(dims, { seed = own, mean = 100 })
      for _, name in ipairs({ "sum", "mean", "std" }) do
        local a, b = x[name](x):compute(), y[name](y):compute()
        assert(math.abs(a - b) <= 1e-12 * math.max(math.abs(b), 1), name)
      end
    end
  end)
end)
