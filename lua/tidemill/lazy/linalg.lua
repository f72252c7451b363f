-- linalg: linear algebra of lazy matrices: what tm.linalg does when an argument is lazy.
-- Tall matrices are factored by blocks of rows (TSQR: Demmel, Grigori, Hoemmen, Langou 2012), wide ones
-- through their transposed, few singular values by random projections (Halko, Martinsson, Tropp 2011);
-- what needs all of a square matrix at once gathers it in one task.
-- SPDX-License-Identifier: MIT

local expr = require("tidemill.lazy.expr")
local grid = require("tidemill.lazy.grid")
local lazy = require("tidemill.lazy")
local operand = require("tidemill.operand")
local options = require("tidemill.options")
local plan = require("tidemill.lazy.plan")
local shown = require("tidemill.shown")
local task = require("tidemill.lazy.linalg_task")

local linalg = {}

-- ---- arguments --------------------------------------------------------------------------------------

local function floats(what, value, level)
  local e = lazy.array_operand(what, value, level + 1)
  if e.dtype == "date" or e.dtype == "timestamp" then
    error(("%s: an array of %s has no linear algebra"):format(what, e.dtype), level + 1)
  end
  return (expr.cast(e, e.dtype == "float32" and "float32" or "float64"))
end

local function matrix(what, value, level)
  local e = floats(what, value, level + 1)
  if #e.dims ~= 2 then
    error(("%s: expected a matrix, got the shape %s"):format(what, expr.shape_text(e.dims)), level + 1)
  end
  return e
end

local function square(what, value, level)
  local e = matrix(what, value, level + 1)
  if e.dims[1] ~= e.dims[2] then
    error(("%s: expected a square matrix, got the shape %s"):format(what, expr.shape_text(e.dims)), level + 1)
  end
  return e
end

-- ---- results of one task ----------------------------------------------------------------------------

-- Both as floats of one type, which the result has.
local function alike(a, b)
  if a.dtype == b.dtype then return a, b end
  return expr.cast(a, "float64"), expr.cast(b, "float64")
end

-- What b x = a of these shapes asks for.
local function check_sides(what, a, b, level)
  if b.dims[1] == a.dims[1] and #b.dims <= 2 then return end
  error(("%s: %s x = %s: %d ~= %s"):format(what, expr.shape_text(a.dims), expr.shape_text(b.dims), a.dims[1],
    tostring(b.dims[1])), level + 1)
end

-- Expressions of the results of one function of tm.linalg on whole arrays; `option` is its last argument.
local function gathered(name, inputs, results, option)
  local shared, outputs = { name = name, results = results, option = option }, {}
  for i, result in ipairs(results) do
    outputs[i] = lazy.of({ op = "gathered", name = name, dims = result.dims, dtype = result.dtype,
      inputs = inputs, shared = shared, place = i })
  end
  return unpack(outputs)
end

plan.stages.gathered = function(planner, e)
  return { grid = grid.whole(e.dims), chunk = function()
    local made = planner.shared[e.shared]
    if not made then
      local inputs = {}
      for i, input in ipairs(e.inputs) do inputs[i] = planner:whole(input) end
      inputs[#inputs + 1] = e.shared.option
      made = planner:tasks(e.name, #e.shared.results, task.gather, e.name, e.shared.results, unpack(inputs))
      planner.shared[e.shared] = made
    end
    return made[e.place]
  end }
end

--- x of a x = b.
function linalg.solve(a, b)
  a, b = alike(square("solve", a, 2), floats("solve", b, 2))
  check_sides("solve", a, b, 2)
  return (gathered("solve", { a, b }, { { dims = b.dims, dtype = a.dtype } }))
end

--- The inverse.
function linalg.inv(a)
  a = square("inv", a, 2)
  return (gathered("inv", { a }, { { dims = a.dims, dtype = a.dtype } }))
end

--- The lower triangular L of a = L times its transposed.
function linalg.cholesky(a)
  a = square("cholesky", a, 2)
  return (gathered("cholesky", { a }, { { dims = a.dims, dtype = a.dtype } }))
end

--- Ascending eigenvalues of a symmetric matrix, and its vectors in columns.
function linalg.eigh(a)
  a = square("eigh", a, 2)
  local values = { dims = { a.dims[1] }, dtype = a.dtype }
  return gathered("eigh", { a }, { values, { dims = a.dims, dtype = a.dtype } })
end

-- ---- tall matrices by blocks of rows ----------------------------------------------------------------

local FAN_IN = 8 -- triangles that one task stacks

-- q and r of a tall matrix as expressions that share their tasks.
local function tall_qr(e)
  local m, n = e.dims[1], e.dims[2]
  local shared = {}
  local q = { op = "tall_qr", name = "qr", dims = { m, n }, dtype = e.dtype, input = e, shared = shared,
    place = "q" }
  local r = { op = "tall_qr", name = "qr", dims = { n, n }, dtype = e.dtype, input = e, shared = shared,
    place = "r" }
  return q, r
end

-- Blocks of rows that are no shorter than they are wide.
local function row_sizes(sizes, n)
  local list, open = {}, 0
  for _, size in ipairs(sizes) do
    open = open + size
    if open >= n then
      list[#list + 1], open = open, 0
    end
  end
  if open > 0 then list[#list] = list[#list] + open end
  return list
end

-- A tree of factorisations: each level stacks some triangles.  Gives the last triangle, and for each
-- block the list of small matrices that its q is to be multiplied with, which small_of makes.
local function triangle(planner, triangles, n)
  local factors, members = {}, {}
  for i in ipairs(triangles) do
    factors[i], members[i] = {}, { i }
  end
  while #triangles > 1 do
    local next_triangles, next_members = {}, {}
    for first = 1, #triangles, FAN_IN do
      local last = math.min(first + FAN_IN - 1, #triangles)
      local group = {}
      for i = first, last do
        for _, block in ipairs(members[i]) do group[#group + 1] = block end
      end
      if last == first then
        next_triangles[#next_triangles + 1] = triangles[first]
      else
        local made = planner:tasks("qr", 2, task.qr_stacked, unpack(triangles, first, last))
        next_triangles[#next_triangles + 1] = made[1]
        for i = first, last do
          local part = { of = made[2], from = (i - first) * n }
          for _, block in ipairs(members[i]) do table.insert(factors[block], part) end
        end
      end
      next_members[#next_members + 1] = group
    end
    triangles, members = next_triangles, next_members
  end
  return triangles[1], factors
end

-- The task of a small matrix, made when a q first asks for it: who wants r alone does without.
local function small_of(planner, part, n)
  part.task = part.task or planner:task("qr", task.rows, part.of, part.from, n)
  return part.task
end

local function factor_tall(planner, e)
  local found = planner.shared[e.shared]
  if found then return found end
  local input, n = e.input, e.input.dims[2]
  local rows = grid.of({ row_sizes(planner:grid(input).sizes[1], n), { n } })
  local stage = planner:on_grid(input, rows)
  local own, triangles, before = {}, {}, 0
  for i = 1, rows.counts[1] do
    local made = planner:tasks("qr", 2, task.qr_rows, before, stage.chunk(i))
    own[i], triangles[i], before = made[1], made[2], before + rows.sizes[1][i]
  end
  local r, factors = triangle(planner, triangles, n)
  found = { grid = rows, own = own, factors = factors, r = r }
  planner.shared[e.shared] = found
  return found
end

plan.stages.tall_qr = function(planner, e)
  local rows = grid.of({ row_sizes(planner:grid(e.input).sizes[1], e.input.dims[2]), { e.input.dims[2] } })
  if e.place == "r" then
    return { grid = grid.whole(e.dims), chunk = function() return factor_tall(planner, e).r end }
  end
  return { grid = rows, chunk = function(number)
    local made = factor_tall(planner, e)
    local q, factors = made.own[number], made.factors[number]
    if #factors == 0 then return q end
    local n = e.dims[2]
    local small = small_of(planner, factors[#factors], n)
    for i = #factors - 1, 1, -1 do
      small = planner:task("qr", task.multiply, small_of(planner, factors[i], n), small)
    end
    return planner:task("qr", task.multiply, q, small)
  end }
end

local function qr_of(e)
  local m, n = e.dims[1], e.dims[2]
  if m >= n and n > 0 then return tall_qr(e) end
  local k = math.min(m, n)
  local q, r = gathered("qr", { e }, { { dims = { m, k }, dtype = e.dtype },
    { dims = { k, n }, dtype = e.dtype } })
  return lazy.expr(q), lazy.expr(r)
end

--- q with orthonormal columns and an upper triangular r of a = q r; the diagonal of r is not negative.
--- A tall matrix is factored by blocks of rows.
function linalg.qr(a)
  local q, r = qr_of(matrix("qr", a, 2))
  return lazy.of(q), lazy.of(r)
end

-- u, s, vt of a matrix that fits a task, or of r of a tall one.
local function svd_whole(e)
  local m, n = e.dims[1], e.dims[2]
  local k = math.min(m, n)
  return gathered("svd", { e }, { { dims = { m, k }, dtype = e.dtype }, { dims = { k }, dtype = e.dtype },
    { dims = { k, n }, dtype = e.dtype } })
end

--- u, singular values s in descending order, and vt of a = u diag(s) vt.  A matrix with twice as many rows
--- as columns, or the reverse, is done by blocks; others in one task.
function linalg.svd(a)
  local e = matrix("svd", a, 2)
  local m, n = e.dims[1], e.dims[2]
  if n > 0 and m >= 2 * n then
    local q, r = tall_qr(e)
    local u, s, vt = svd_whole(r)
    return lazy.of(q):matmul(u), s, vt
  elseif m > 0 and n >= 2 * m then
    local u, s, vt = linalg.svd(lazy.of(e):T())
    return vt:T(), s, u:T()
  end
  return svd_whole(e)
end

-- A whole number among options, from `least` on.
local function count_of(given, key, default, least, level)
  local value = given[key]
  if value == nil then return default end
  if type(value) ~= "number" or value ~= math.floor(value) or value < least or value > 2^53 then
    error(("svd_compressed: %s must be a whole number from %d, got %s"):format(key, least,
      shown.value(value)), level + 1)
  end
  return value
end

--- The k largest singular values and their vectors, nearly: of a projection on random directions.
---@param a any
---@param k integer
---@param given? table options iterations (2): times that the matrix is applied again, which makes it more
--- exact where singular values fall slowly; oversample (10): directions more than k; seed
function linalg.svd_compressed(a, k, given)
  local e = matrix("svd_compressed", a, 2)
  given = options.only(given, { "iterations", "oversample", "seed" }, "svd_compressed", 2)
  local iterations = count_of(given, "iterations", 2, 0, 2)
  if iterations > 1000 then -- each builds two products and two factorisations
    error(("svd_compressed: iterations must be at most 1000, got %s"):format(shown.value(iterations)), 2)
  end
  local oversample = count_of(given, "oversample", 10, 0, 2)
  local seed = count_of(given, "seed", 0, 0, 2)
  local least = math.min(e.dims[1], e.dims[2])
  if type(k) ~= "number" or k < 1 or k > least or k ~= math.floor(k) then
    error(("svd_compressed: k must be an integer from 1 to %d, got %s"):format(least, shown.value(k)), 2)
  end
  local x, width = lazy.of(e), math.min(k + oversample, least)
  local directions = require("tidemill.lazy.random").normal({ e.dims[2], width },
    { seed = seed, dtype = e.dtype })
  local q = linalg.qr(x:matmul(directions))
  for _ = 1, iterations do
    local back = linalg.qr(x:T():matmul(q))
    q = linalg.qr(x:matmul(back))
  end
  local u, s, vt = linalg.svd(q:T():matmul(x))
  return q:matmul(u:slice{ true, { 1, k } }), s:slice{ { 1, k } }, vt:slice{ { 1, k } }
end

--- x of the least |a x - b|, and of several such the least one; the rank of a; and its singular values.
--- Of a tall a those are r's, by blocks of rows.
---@param a any
---@param b any
---@param rcond? number singular values of at most rcond times the largest count as 0
function linalg.lstsq(a, b, rcond)
  local e, right = alike(matrix("lstsq", a, 2), floats("lstsq", b, 2))
  check_sides("lstsq", e, right, 2)
  operand.check_tolerance("lstsq", "rcond", rcond)
  local m, n, least = e.dims[1], e.dims[2], math.min(e.dims[1], e.dims[2])
  rcond = rcond or (e.dtype == "float32" and 2^-23 or 2^-52) * math.max(m, n)
  local results = { { dims = #right.dims == 1 and { n } or { n, right.dims[2] }, dtype = e.dtype },
    { dims = {}, dtype = "int64" }, { dims = { least }, dtype = e.dtype } }
  if n > 0 and m > n then
    local q, r = tall_qr(e)
    e, right = r, lazy.expr(lazy.of(q):T():matmul(lazy.of(right)))
  end
  return gathered("lstsq", { e, right }, results, rcond)
end

local norms = { fro = true, nuc = true, [1] = true, [2] = true, [math.huge] = true }

-- Root of the sum of squares, of float32 in float64: there squares neither overflow nor vanish.
local function length_of(e)
  local sum = lazy.of(expr.cast(e, "float64")):square():sum():sqrt()
  return e.dtype == "float32" and sum:astype("float32") or sum
end

--- The size of a vector or matrix: "fro" (default), 1, 2, math.huge, "nuc", as of computed ones, but that
--- squares beyond float64 are infinite.  Of no elements it is 0.
function linalg.norm(a, kind)
  local e = floats("norm", a, 2)
  local x = lazy.of(e)
  if #e.dims < 1 or #e.dims > 2 then
    error(("norm: expected a vector or a matrix, got the shape %s"):format(expr.shape_text(e.dims)), 2)
  end
  local vector = #e.dims == 1
  if expr.length(e.dims) == 0 and norms[kind or "fro"] and not (vector and kind == "nuc") then
    return x:abs():sum()
  end
  if kind == nil or kind == "fro" or (kind == 2 and vector) then return length_of(e) end
  if kind == 1 then return vector and x:abs():sum() or x:abs():sum(1):max() end
  if kind == math.huge then return vector and x:abs():max() or x:abs():sum(2):max() end
  if not vector and (kind == 2 or kind == "nuc") then
    local _, s = linalg.svd(x)
    if kind == 2 then return s:max() end
    return s:sum()
  end
  error(("norm: kind: expected \"fro\", 1, 2, math.huge or \"nuc\", got %s"):format(shown.value(kind)), 2)
end

--- The product of matrices.
function linalg.matmul(a, b) return lazy.of(lazy.array_operand("matmul", a, 2)):matmul(b) end

--- Sum of the products of two vectors.
function linalg.dot(a, b) return lazy.of(lazy.array_operand("dot", a, 2)):dot(b) end

--- Sum of the diagonal.
function linalg.trace(a)
  local e = square("trace", a, 2)
  return lazy.of(expr.view(e, { e.dims[1] }, { { axis = 1, start = 0, step = 1 },
    { axis = 1, start = 0, step = 1 } })):sum()
end

return linalg
