/* tile_wide: the inner loop of matrix products, six rows by two vectors; see kernels/wide.h.
 * Twelve sums, two vectors of b and an element of a fill the registers of a set that has sixteen.
 * Of the set's vectors: MILL_ALL_f64(x) is all x, MILL_FUSED_f64(x, y, z) is x y + z, rounded
 * once; MILL_ALL_f32 and MILL_FUSED_f32 likewise.
 * SPDX-License-Identifier: MIT */
#include "kernels/tile_bodies.h"

/* Both sums and what was multiplied are in registers here.  Else compilers fetch elements of a ahead
 * of their turn, and sums have to leave for memory. */
#undef MILL_TILE_KEEP
#ifdef __aarch64__
#define MILL_TILE_KEEP(x, y, one) __asm__("" : "+w"(x), "+w"(y) : "w"(one))
#else
#define MILL_TILE_KEEP(x, y, one) __asm__("" : "+v"(x), "+v"(y) : "v"(one))
#endif

/* One row's sums of products of a[i] with a row of b. */
#undef MILL_TILE_STEP
#define MILL_TILE_STEP(name, i)                                                                \
    one = MILL_ALL_##name(a[i]);                                                               \
    left##i = MILL_FUSED_##name(left, one, left##i);                                           \
    right##i = MILL_FUSED_##name(right, one, right##i);                                        \
    MILL_TILE_KEEP(left##i, right##i, one)

/* A row of c. */
#undef MILL_TILE_ADD
#define MILL_TILE_ADD(name, i)                                                                 \
    MILL_WIDE(tile_add_##name)(left##i, alpha, from + i * from_row, c + i * c_row);            \
    MILL_WIDE(tile_add_##name)                                                                 \
    (right##i, alpha, from + i * from_row + MILL_WIDE_BYTES / sizeof *c,                       \
     c + i * c_row + MILL_WIDE_BYTES / sizeof *c)

#undef MILL_TILE_WIDE
#define MILL_TILE_WIDE(name, real, vector, bits)                                               \
    MILL_TARGET __attribute__((always_inline)) static inline void MILL_WIDE(tile_add_##name)(  \
        vector sum, real alpha, const real *from, real *c)                                     \
    {                                                                                          \
        vector nan = (vector){0} + (real)__builtin_nan(""),                                    \
               value = MILL_FUSED_##name(sum, MILL_ALL_##name(alpha), *(const vector *)from);  \
        bits fine = (bits)(value == value);                                                    \
        *(vector *)c = (vector)(((bits)value & fine) | ((bits)nan & ~fine));                   \
    }                                                                                          \
    MILL_TARGET static void MILL_WIDE(tile_sums_##name)(                                       \
        int64_t depth, real alpha, const real *a, const real *b, const real *from,             \
        int64_t from_row, real *c, int64_t c_row)                                              \
    {                                                                                          \
        vector left0 = {0}, left1 = {0}, left2 = {0}, left3 = {0}, left4 = {0}, left5 = {0};   \
        vector right0 = {0}, right1 = {0}, right2 = {0}, right3 = {0}, right4 = {0};           \
        vector right5 = {0};                                                                   \
        for (int i = 0; i < MILL_TILE_ROWS; i++) __builtin_prefetch(c + i * c_row, 1);         \
        _Pragma("GCC unroll 4") for (int64_t p = 0; p < depth; p++)                            \
        {                                                                                      \
            vector one, left = ((const vector *)b)[0], right = ((const vector *)b)[1];         \
            MILL_TILE_STEP(name, 0);                                                           \
            MILL_TILE_STEP(name, 1);                                                           \
            MILL_TILE_STEP(name, 2);                                                           \
            MILL_TILE_STEP(name, 3);                                                           \
            MILL_TILE_STEP(name, 4);                                                           \
            MILL_TILE_STEP(name, 5);                                                           \
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
