/* orient: the signs of factors, which libraries leave open.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"
#include "kernels/matrix.h"

/* 0 - x: no zero becomes a negative one. */
#define ORIENT(name, real)                                                                     \
    static void turn_vector_##name(real *x, int64_t n, int64_t apart)                          \
    {                                                                                          \
        for (int64_t i = 0; i < n; i++) x[i * apart] = 0 - x[i * apart];                       \
    }                                                                                          \
    static int leans_back_##name(const real *x, int64_t n, int64_t apart)                      \
    {                                                                                          \
        real largest = 0;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                      \
            real value = x[i * apart];                                                         \
            real size = value < 0 ? -value : value, most = largest < 0 ? -largest : largest;   \
            if (size > most) largest = value;                                                  \
        }                                                                                      \
        return largest < 0;                                                                    \
    }                                                                                          \
    void tidemill_kernel_orient_##name(int64_t k, real *u, int64_t n, int64_t u_vector,        \
                                       int64_t u_next, real *v, int64_t v_n, int64_t v_vector, \
                                       int64_t v_next)                                         \
    {                                                                                          \
        for (int64_t i = 0; i < k; i++) {                                                      \
            if (!leans_back_##name(u + i * u_vector, n, u_next)) continue;                     \
            turn_vector_##name(u + i * u_vector, n, u_next);                                   \
            if (v) turn_vector_##name(v + i * v_vector, v_n, v_next);                          \
        }                                                                                      \
    }                                                                                          \
    void tidemill_kernel_orient_diagonal_##name(int64_t k, real *r, int64_t n, int64_t r_row,  \
                                                real *q, int64_t m, int64_t q_row)             \
    {                                                                                          \
        for (int64_t i = 0; i < k; i++) {                                                      \
            if (!(r[i * r_row + i] < 0)) continue;                                             \
            turn_vector_##name(r + i * r_row + i, n - i, 1);                                   \
            turn_vector_##name(q + i, m, q_row);                                               \
        }                                                                                      \
    }
ORIENT(f64, double)
ORIENT(f32, float)
#undef ORIENT
