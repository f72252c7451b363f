-- blas: the BLAS of this machine, for tidemill.linalg: whether there is one, and its functions.
-- What the running task computes with it holds only for that BLAS: the cache is told.
-- SPDX-License-Identifier: MIT

local ffi = require("ffi")
local core = require("tidemill.core")
local C = require("tidemill.clib")

-- Of host/bind/linear.h, where each is described; once for double, once for float.
ffi.cdef [[
int tidemill__blas_state(void *engine);
bool tidemill__blas_alone(void *engine);
const char *tidemill__blas_text(void *engine);
]]

local declarations = [[
int tidemill__blas_gemm_NAME(void *engine, int64_t m, int64_t n, int64_t k, REAL alpha, const REAL *a,
  int64_t lda, bool turn_a, const REAL *b, int64_t ldb, bool turn_b, REAL beta, REAL *c, int64_t ldc);
int tidemill__blas_gemv_NAME(void *engine, int64_t m, int64_t n, const REAL *a, int64_t lda, bool turn,
  const REAL *x, REAL *y);
int tidemill__blas_syrk_NAME(void *engine, int64_t n, int64_t k, const REAL *a, int64_t lda, REAL *c,
  int64_t ldc);
int tidemill__blas_trsm_NAME(void *engine, int64_t n, int64_t m, const REAL *t, int64_t ldt, bool upper,
  bool turn, bool unit, REAL *b, int64_t ldb);
int tidemill__blas_cholesky_NAME(void *engine, int64_t n, REAL *a);
int tidemill__blas_solve_NAME(void *engine, int64_t n, int64_t m, const REAL *a, REAL *b);
int tidemill__blas_inv_NAME(void *engine, int64_t n, REAL *a);
int tidemill__blas_lu_NAME(void *engine, int64_t n, REAL *a, int32_t *pivots);
int tidemill__blas_qr_NAME(void *engine, int64_t m, int64_t n, REAL *a, REAL *q, REAL *r);
int tidemill__blas_svd_NAME(void *engine, int64_t m, int64_t n, REAL *a, REAL *u, REAL *s, REAL *vt);
int tidemill__blas_eigh_NAME(void *engine, int64_t n, REAL *a, REAL *w);
int tidemill__blas_lstsq_NAME(void *engine, int64_t m, int64_t n, int64_t columns, const REAL *a,
  const REAL *b, REAL *x, REAL *s, REAL rcond, int32_t *rank);
]]
ffi.cdef((declarations:gsub("NAME", "f64"):gsub("REAL", "double")))
ffi.cdef((declarations:gsub("NAME", "f32"):gsub("REAL", "float")))

local engine = ffi.cast("void *", core.engine)
local THERE, FAILED = 1, 3 -- of enum mill_blas_state
local suffixes = { float64 = "_f64", float32 = "_f32" }

local blas = {}

--- Why there is none, or what it calls itself.
---@return string
function blas.text() return ffi.string(C.tidemill__blas_text(engine)) end

--- Whether the function `name` can compute by a BLAS.  One that was named and cannot be opened is
--- an error at `level`; that there is none, or that none is wanted, is not.
---@param name string for messages
---@param level integer
---@return boolean
function blas.there(name, level)
  if core.worker and core.notes() then core.uses("BLAS") end
  local state = C.tidemill__blas_state(engine)
  if state == FAILED then error(("%s: no BLAS: %s"):format(name, blas.text()), level + 1) end
  return state == THERE
end

--- Whether products are better computed by it than by kernels: not by one that takes one call at a
--- time, since kernels, nearly as fast, run on all workers at once.
---@param name string for messages
---@param level integer
---@return boolean
function blas.multiplies(name, level)
  return not C.tidemill__blas_alone(engine) and blas.there(name, level + 1)
end

--- Raises at `level` unless there is one.
---@param name string
---@param level integer
function blas.need(name, level)
  if not blas.there(name, level + 1) then
    error(("%s: no BLAS: %s"):format(name, blas.text()), level + 1)
  end
end

local failures = {
  [-1] = "no BLAS",
  [-2] = "out of memory",
  [-3] = "too large: the BLAS counts rows and columns in 32 bits",
}

--- Calls a function of host/bind/linear.h and gives what it answers, 0 or above; what it refuses is
--- an error at `level`.  blas.call("inv", "float64", 2, n, pointer)
---@param name string
---@param dtype string
---@param level integer
---@return integer
function blas.call(name, dtype, level, ...)
  local answer = C["tidemill__blas_" .. name .. suffixes[dtype]](engine, ...)
  if answer < 0 then error(("%s: %s"):format(name, failures[answer]), level + 1) end
  return answer
end

return blas
