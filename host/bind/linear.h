/* linear: BLAS and LAPACK for Lua's FFI: row-major matrices, one function a piece of work.
 * Declared again in lua/tidemill/blas.lua; none of them may call back into Lua.
 *
 * A row-major matrix is the transposed one to Fortran: products swap their factors, triangles
 * their sides, and factors their roles, so that hardly anything is copied.
 *
 * Each answers 0; or above 0 what LAPACK says, which is stated; or one of enum mill_linear, having
 * written nothing.  SPDX-License-Identifier: MIT */
#ifndef MILL_LINEAR_H
#define MILL_LINEAR_H

#include "bind/engine.h"

enum mill_linear {
    MILL_LINEAR_NO_BLAS = -1,
    MILL_LINEAR_MEMORY = -2,
    MILL_LINEAR_TOO_LARGE = -3, /* sizes beyond what the library counts in */
};

/* Opens the BLAS at the first call: an enum mill_blas_state. */
TIDEMILL_API int tidemill__blas_state(struct tidemill *engine);

/* Whether an open one takes one call at a time: work in parts is better done by kernels then. */
TIDEMILL_API bool tidemill__blas_alone(struct tidemill *engine);

/* Its version and kernels; or why there is none. */
TIDEMILL_API const char *tidemill__blas_text(struct tidemill *engine);

#define MILL_LINEAR(name, real)                                                                    \
    /* c, m x n, = alpha a b + beta c; turn_a: a is stored as k x m, turn_b: b as n x k */         \
    TIDEMILL_API int tidemill__blas_gemm_##name(                                                   \
        struct tidemill *engine, int64_t m, int64_t n, int64_t k, real alpha, const real *a,       \
        int64_t lda, bool turn_a, const real *b, int64_t ldb, bool turn_b, real beta, real *c,     \
        int64_t ldc);                                                                              \
    /* y = a x; a is m x n, or stored as n x m when turned */                                      \
    TIDEMILL_API int tidemill__blas_gemv_##name(struct tidemill *engine, int64_t m, int64_t n,     \
                                                const real *a, int64_t lda, bool turn,             \
                                                const real *x, real *y);                           \
    /* c, n x n, = a times a transposed; a is n x k.  Both triangles are written. */               \
    TIDEMILL_API int tidemill__blas_syrk_##name(struct tidemill *engine, int64_t n, int64_t k,     \
                                                const real *a, int64_t lda, real *c,               \
                                                int64_t ldc);                                      \
    /* t x = b, t being n x n or, when turned, the transposed one; b, n x m, becomes x */          \
    TIDEMILL_API int tidemill__blas_trsm_##name(struct tidemill *engine, int64_t n, int64_t m,     \
                                                const real *t, int64_t ldt, bool upper,            \
                                                bool turn, bool unit, real *b, int64_t ldb);       \
    /* a, n x n, becomes its lower factor with zeros above; only its lower triangle is read.   \
     * i: the part of the first i rows and columns is not positive definite. */   \
    TIDEMILL_API int tidemill__blas_cholesky_##name(struct tidemill *engine, int64_t n,            \
                                                    real *a);                                      \
    /* a x = b; b, n x m, becomes x.  i: pivot i, from 1, is 0. */                                 \
    TIDEMILL_API int tidemill__blas_solve_##name(struct tidemill *engine, int64_t n,               \
                                                 int64_t m, const real *a, real *b);               \
    /* a, n x n, becomes its inverse.  i: pivot i is 0. */                                         \
    TIDEMILL_API int tidemill__blas_inv_##name(struct tidemill *engine, int64_t n, real *a);       \
    /* a, n x n, becomes its triangles; pivots, n, count from 1.  i: pivot i is 0. */              \
    TIDEMILL_API int tidemill__blas_lu_##name(struct tidemill *engine, int64_t n, real *a,         \
                                              int32_t *pivots);                                    \
    /* q, m x k, and r, k x n, of a, m x n, which is lost; k is the lesser of m and n */           \
    TIDEMILL_API int tidemill__blas_qr_##name(struct tidemill *engine, int64_t m, int64_t n,       \
                                              real *a, real *q, real *r);                          \
    /* u, m x k, s, k, and vt, k x n, of a, which is lost; u and vt NULL: s alone.  Above 0: it \
     * does not converge. */  \
    TIDEMILL_API int tidemill__blas_svd_##name(struct tidemill *engine, int64_t m, int64_t n,      \
                                               real *a, real *u, real *s, real *vt);               \
    /* w, n ascending values; the rows of a, n x n, become the vectors.  Only the lower triangle \
     * is read.  Above 0: it does not converge. */ \
    TIDEMILL_API int tidemill__blas_eigh_##name(struct tidemill *engine, int64_t n, real *a,       \
                                                real *w);                                          \
    /* x, n x columns, the least of those with the least |a x - b|; a is m x n, b m x columns;  \
     * s, the lesser of m and n, singular values of a, of which those are 0 that are at most    \
     * rcond times the largest; rank.  Above 0: it does not converge. */  \
    TIDEMILL_API int tidemill__blas_lstsq_##name(                                                  \
        struct tidemill *engine, int64_t m, int64_t n, int64_t columns, const real *a,             \
        const real *b, real *x, real *s, real rcond, int32_t *rank)
MILL_LINEAR(f64, double);
MILL_LINEAR(f32, float);

#endif
