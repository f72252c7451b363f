/* triangle: systems of equations whose matrix is triangular.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"
#include "kernels/matrix.h"

#define TRIANGLE(name, real)                                                                   \
    static int64_t first_zero_of_##name(int64_t n, const real *t, int64_t apart)               \
    {                                                                                          \
        for (int64_t i = 0; i < n; i++)                                                        \
            if (t[i * apart] == 0) return i;                                                   \
        return n;                                                                              \
    }                                                                                          \
    /* row -= factor * other */                                                                \
    static void take_row_##name(real *row, const real *other, real factor, int64_t m)          \
    {                                                                                          \
        for (int64_t j = 0; j < m; j++) row[j] -= factor * other[j];                           \
    }                                                                                          \
    static void end_row_##name(real *row, real divisor, int64_t m)                             \
    {                                                                                          \
        for (int64_t j = 0; j < m; j++) {                                                      \
            real value = row[j] / divisor;                                                     \
            row[j] = value == value ? value : (real)__builtin_nan("");                         \
        }                                                                                      \
    }                                                                                          \
    int64_t tidemill_kernel_solve_triangular_##name(                                           \
        int64_t n, int64_t m, const real *t, int64_t t_row, int64_t t_column, int64_t upper,   \
        int64_t unit, real *b, int64_t b_row)                                                  \
    {                                                                                          \
        if (n < 0 || m < 0 || b_row < m) return -1;                                            \
        int64_t zero = unit ? n : first_zero_of_##name(n, t, t_row + t_column);                \
        if (zero < n) return zero;                                                             \
        for (int64_t step = 0; step < n; step++) {                                             \
            int64_t i = upper ? n - 1 - step : step;                                           \
            for (int64_t done = 0; done < step; done++) {                                      \
                int64_t p = upper ? n - 1 - done : done;                                       \
                take_row_##name(b + i * b_row, b + p * b_row, t[i * t_row + p * t_column], m); \
            }                                                                                  \
            end_row_##name(b + i * b_row, unit ? 1 : t[i * t_row + i * t_column], m);          \
        }                                                                                      \
        return n;                                                                              \
    }                                                                                          \
    int64_t tidemill_kernel_first_not_finite_##name(const real *x, int64_t n)                  \
    {                                                                                          \
        for (int64_t i = 0; i < n; i++)                                                        \
            if (!(x[i] - x[i] == 0)) return i;                                                 \
        return n;                                                                              \
    }
TRIANGLE(f64, double)
TRIANGLE(f32, float)
#undef TRIANGLE
