-- compressed: few singular values of a large matrix; part of tm.linalg.
-- SPDX-License-Identifier: MIT

local linalg = {}

--- The k largest singular values and their vectors, nearly, by random projections: u, s and vt, lazy
--- arrays, of a lazy or computed matrix.
---     local u, s, vt = tm.linalg.svd_compressed(tm.random.normal({5000, 5000}), 50)
---@param a tidemill.matrix|tidemill.lazy
---@param k integer
---@param given? {iterations: integer?, oversample: integer?, seed: integer?} iterations (2): times that the
---       matrix is applied again, for singular values that fall slowly; oversample (10): directions more
---       than k
---@return tidemill.lazy u, tidemill.lazy s, tidemill.lazy vt
function linalg.svd_compressed(a, k, given)
  return require("tidemill.lazy.linalg").svd_compressed(a, k, given) -- a tail call: levels
end

return linalg
