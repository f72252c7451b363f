---@meta tidemill.linalg
-- What editors know of tm.linalg.
-- luacheck: ignore 241 631
-- SPDX-License-Identifier: MIT

---@class tidemill.linalg
local linalg = {}

--- a b, for matrices and vectors; or rows `first` to `last` of it, for one task of many.  The bits
--- of a row may depend on the rows it is computed with: split by the shape alone.
---     tm.linalg.matmul({{1, 2}, {3, 4}}, {5, 6})                      --> 17, 39
---@param a tidemill.matrix
---@param b tidemill.matrix
---@param first? integer
---@param last? integer
---@return tidemill.array|number
function linalg.matmul(a, b, first, last) end

--- Sum of the products of two vectors, with the same bits on every machine.
---     tm.linalg.dot({1, 2, 3}, {4, 5, 6})                             --> 32
---@param a tidemill.numbers
---@param b tidemill.numbers
---@return number
function linalg.dot(a, b) end

--- a times its transposed: all products of two rows.  With `first` and `last` those rows of it from
--- column `first` on, for one task of many: `symmetric` puts them together.
---     tm.linalg.syrk({{1, 2}, {3, 4}})                                --> 5, 11, 11, 25
---@param a tidemill.matrix
---@param first? integer
---@param last? integer
---@return tidemill.array
function linalg.syrk(a, first, last) end

--- The same for a matrix that is kept in blocks of rows: its rows of block `number`.
---     tm.linalg.syrk_block({{{1, 2}, {3, 4}}, {{5, 6}}}, 1)           --> 5, 11, 17, 11, 25, 39
---@param blocks tidemill.matrix[]
---@param number integer
---@return tidemill.array
function linalg.syrk_block(blocks, number) end

--- The whole symmetric matrix of its blocks of rows, each from its diagonal on, as `syrk` makes them.
---     tm.linalg.symmetric({tm.linalg.syrk(a, 1, 2), tm.linalg.syrk(a, 3, 3)})
---@param blocks tidemill.array[] of float64 or float32
---@return tidemill.array
function linalg.symmetric(blocks) end

--- x of a x = b, by LU with partial pivoting; b is a vector or a matrix of right sides in columns.
---     tm.linalg.solve({{2, 0}, {0, 4}}, {2, 2})                       --> 1, 0.5
---@param a tidemill.matrix square
---@param b tidemill.matrix
---@return tidemill.array x
function linalg.solve(a, b) end

--- x of t x = b for a lower triangular t; `upper = true`: an upper one; `unit = true`: its diagonal is 1;
--- `transposed = true`: of the transposed t.  The other triangle is not read.
---     tm.linalg.solve_triangular({{2, 0}, {1, 1}}, {2, 3})            --> 1, 2
---@param t tidemill.matrix square
---@param b tidemill.matrix
---@param opts? {upper: boolean?, unit: boolean?, transposed: boolean?}
---@return tidemill.array x
function linalg.solve_triangular(t, b, opts) end

--- The inverse; to solve equations, `solve` is faster and more exact.
---@param a tidemill.matrix square
---@return tidemill.array
function linalg.inv(a) end

--- The determinant; of no elements it is 1.
---     tm.linalg.det({{1, 2}, {3, 4}})                                 --> -2
---@param a tidemill.matrix square
---@return number
function linalg.det(a) end

--- x, n x columns, of the least |a x - b|, and of several such the least one; the rank of a; and its
--- singular values.  Those of at most `rcond` times the largest count as 0 (default: the
--- machine's precision times the larger of a's sizes).
--- Of no elements, x is 0.
---     local line = tm.linalg.lstsq({{1, 1}, {1, 2}, {1, 3}}, {1, 2, 2})
---@param a tidemill.matrix
---@param b tidemill.matrix
---@param rcond? number
---@return tidemill.array x, integer rank, tidemill.array s
function linalg.lstsq(a, b, rcond) end

--- The lower triangular L of a = L times its transposed, for a symmetric positive definite a, of
--- which the lower triangle is read.
---     tm.linalg.cholesky({{4, 2}, {2, 5}})                            --> 2, 0, 1, 2
---@param a tidemill.matrix square
---@return tidemill.array
function linalg.cholesky(a) end

--- q, m x k with orthonormal columns, and r, k x n upper triangular, of a = q r; k is the lesser of m
--- and n.  The diagonal of r is not negative.
---     local q, r = tm.linalg.qr({{0, 1}, {2, 3}})
---@param a tidemill.matrix
---@return tidemill.array q, tidemill.array r
function linalg.qr(a) end

--- u, m x k, s, k descending singular values, and vt, k x n, of a = u diag(s) vt; k is the lesser of m
--- and n.  In each column of u the element of the largest size, the first of several, is positive.
---     local u, s, vt = tm.linalg.svd({{3, 0}, {0, 4}})
---@param a tidemill.matrix
---@return tidemill.array u, tidemill.array s, tidemill.array vt
function linalg.svd(a) end

--- The singular values alone, descending.
---@param a tidemill.matrix
---@return tidemill.array
function linalg.singular_values(a) end

--- Ascending eigenvalues of a symmetric matrix, of which the lower triangle is read, and its vectors
--- in columns; of each the element of the largest size, the first of several, is positive.
---     local values, vectors = tm.linalg.eigh({{2, 1}, {1, 2}})        --> 1, 3
---@param a tidemill.matrix square
---@return tidemill.array values, tidemill.array vectors
function linalg.eigh(a) end

--- Sum of the diagonal.
---@param a tidemill.matrix square
---@return number
function linalg.trace(a) end

--- The size of a vector or a matrix.  `kind`: nil or "fro", the root of the sum of squares; 1, the
--- largest sum of sizes of a column; math.huge, of a row (of a vector: the sum and the largest); 2,
--- the largest singular value (of a vector: as "fro"); "nuc", the sum of those.
---     tm.linalg.norm({3, 4})                                          --> 5
---@param a tidemill.matrix
---@param kind? "fro"|"nuc"|1|2|number
---@return number
function linalg.norm(a, kind) end

--- The k largest singular values and their vectors, nearly, by random projections: u, s and vt, lazy
--- arrays, of a lazy or computed matrix.
---     local u, s, vt = tm.linalg.svd_compressed(tm.random.normal({5000, 5000}), 50)
---@param a tidemill.matrix|tidemill.lazy
---@param k integer
---@param given? {iterations: integer?, oversample: integer?, seed: integer?} iterations (2): times that the
---       matrix is applied again, for singular values that fall slowly; oversample (10): directions more than k
---@return tidemill.lazy u, tidemill.lazy s, tidemill.lazy vt
function linalg.svd_compressed(a, k, given) end

return linalg
