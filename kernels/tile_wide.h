/* tile_wide: the inner loop of matrix products, six rows by two vectors; see kernels/wide.h.
 * Twelve sums, two vectors of b and a product fill the registers of a set that has sixteen.
 * SPDX-License-Identifier: MIT */
#include "kernels/tile_bodies.h"

/* One row's sums of products of a[i] with a row of b. */
#undef MILL_TILE_STEP
#define MILL_TILE_STEP(i)                                                                      \
    left##i += left * a[i];                                                                    \
    right##i += right * a[i]

/* Adds them to a row of c. */
#undef MILL_TILE_ADD
#define MILL_TILE_ADD(name, i)                                                                 \
    MILL_WIDE(tile_add_##name)(c + i * c_row, left##i, alpha);                                 \
    MILL_WIDE(tile_add_##name)(c + i * c_row + MILL_WIDE_BYTES / sizeof *c, right##i, alpha)

#undef MILL_TILE_WIDE
#define MILL_TILE_WIDE(name, real, vector, bits)                                               \
    MILL_TARGET __attribute__((always_inline)) static inline void MILL_WIDE(tile_add_##name)(  \
        real * c, vector sum, real alpha)                                                      \
    {                                                                                          \
        vector nan = (vector){0} + (real)__builtin_nan(""),                                    \
               value = *(vector *)c + sum * alpha;                                             \
        bits fine = (bits)(value == value);                                                    \
        *(vector *)c = (vector)(((bits)value & fine) | ((bits)nan & ~fine));                   \
    }                                                                                          \
    MILL_TARGET static void MILL_WIDE(tile_sums_##name)(                                       \
        int64_t depth, real alpha, const real *a, const real *b, real *c, int64_t c_row)       \
    {                                                                                          \
        vector left0 = {0}, left1 = {0}, left2 = {0}, left3 = {0}, left4 = {0}, left5 = {0};   \
        vector right0 = {0}, right1 = {0}, right2 = {0}, right3 = {0}, right4 = {0};           \
        vector right5 = {0};                                                                   \
        for (int i = 0; i < MILL_TILE_ROWS; i++) __builtin_prefetch(c + i * c_row, 1);         \
        _Pragma("GCC unroll 4") for (int64_t p = 0; p < depth; p++)                            \
        {                                                                                      \
            vector left = ((const vector *)b)[0], right = ((const vector *)b)[1];              \
            MILL_TILE_STEP(0);                                                                 \
            MILL_TILE_STEP(1);                                                                 \
            MILL_TILE_STEP(2);                                                                 \
            MILL_TILE_STEP(3);                                                                 \
            MILL_TILE_STEP(4);                                                                 \
            MILL_TILE_STEP(5);                                                                 \
            a += MILL_TILE_ROWS;                                                               \
            b += 2 * MILL_WIDE_BYTES / sizeof *b;                                              \
        }                                                                                      \
        MILL_TILE_ADD(name, 0);                                                                \
        MILL_TILE_ADD(name, 1);                                                                \
        MILL_TILE_ADD(name, 2);                                                                \
        MILL_TILE_ADD(name, 3);                                                                \
        MILL_TILE_ADD(name, 4);                                                                \
        MILL_TILE_ADD(name, 5);                                                                \
    }                                                                                          \
    const struct mill_tile_##name MILL_WIDE(mill_tile_##name) = {                              \
        2 * MILL_WIDE_BYTES / sizeof(real), MILL_WIDE(tile_sums_##name)};

MILL_TILE_WIDE(f64, double, MILL_WIDE(mill_double_vector), MILL_WIDE(mill_int64_t_vector))
MILL_TILE_WIDE(f32, float, MILL_WIDE(mill_float_vector), MILL_WIDE(mill_int32_t_vector))
