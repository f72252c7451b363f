-- linalg: linear algebra of matrices and vectors that are in memory; tm.linalg.
-- Arguments are arrays of one or two axes, or tables of numbers or rows; results are new arrays,
-- float32 when all arguments are, else float64; a single number is a number.
-- Products work without a BLAS, by kernels; what LAPACK is for says that it is missing.
-- The functions of a part are loaded when one of them is first used.
-- SPDX-License-Identifier: MIT

local shown = require("tidemill.shown")

local linalg = {}

-- Module of tidemill.linalg -> names of its functions.
local families = {
  product = [[matmul dot syrk syrk_block symmetric]],
  equation = [[solve solve_triangular inv det lstsq]],
  factor = [[cholesky qr svd singular_values eigh]],
  size = [[trace norm]],
  compressed = [[svd_compressed]],
}

local family_of = {}
for family, names in pairs(families) do
  for name in names:gmatch("%S+") do family_of[name] = family end
end

local function names_of_all()
  local names = {}
  for name in pairs(family_of) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function is_lazy(value)
  if type(value) ~= "userdata" then return false end
  local lazy = package.loaded["tidemill.lazy"]
  return lazy ~= nil and lazy.is(value)
end

-- A lazy array among the arguments makes the result lazy (tidemill.lazy.linalg).
local function dispatched(name, member)
  return function(a, b, ...)
    if not is_lazy(a) and not is_lazy(b) then return member(a, b, ...) end
    local other = require("tidemill.lazy.linalg")[name]
    if not other then
      error(("%s: not of lazy arrays; compute them first: a:compute()"):format(name), 2)
    end
    return other(a, b, ...)
  end
end

return setmetatable(linalg, {
  __index = function(_, key)
    local family = family_of[key]
    if not family then
      error(("tm.linalg has no \"%s\"%s"):format(shown.name(key),
        require("tidemill.suggest").phrase(key, names_of_all())), 2)
    end
    local member = dispatched(key, require("tidemill.linalg." .. family)[key])
    rawset(linalg, key, member)
    return member
  end,
})
