/* rolling_group_wide: correlations of windows that share a core of values, written once for every
 * width; see struct mill_window_group in rolling_bodies.h.  The end of rolling_wide.h, whose macros
 * it uses.  WINDOW_FUSED(x, y, z) is x y + z, rounded once, of a number and two vectors, in code for
 * WINDOW_FUSED_TARGET.
 * SPDX-License-Identifier: MIT */
#include <string.h>

/* Deviations' sum and sum of squares. */
struct MILL_WIDE(group_moments) {
    LANES sum, square;
};

#define GROUP_INLINE MILL_TARGET static inline __attribute__((always_inline))

GROUP_INLINE void MILL_WIDE(group_add)(struct MILL_WIDE(group_moments) * moments,
                                       const double *at)
{
    LANES off = AT(at);
    moments->sum += off;
    moments->square += off * off;
}

/* Values become deviations from the mean of the core, `all` of them. */
GROUP_INLINE void MILL_WIDE(group_center)(const struct mill_window_group *group, int64_t all,
                                          double *x)
{
    const double *core = x + group->before * MILL_GROUP_SIDE;
    LANES first = AT(core), sum = {0};
    for (int64_t t = 0; t < group->core; t++) sum += AT(core + t * MILL_GROUP_SIDE) - first;
    LANES mean = sum / (double)group->core;
    for (int64_t t = 0; t < all; t++)
        SET(x + t * MILL_GROUP_SIDE) = (AT(x + t * MILL_GROUP_SIDE) - first) - mean;
}

/* The moments of the core and what is before it, for each window. */
GROUP_INLINE void MILL_WIDE(group_older)(const struct mill_window_group *group, const double *x,
                                         double scale[][2][MILL_GROUP_SIDE], int64_t j)
{
    struct MILL_WIDE(group_moments) older = {0};
    for (int64_t t = 0; t < group->core; t++)
        MILL_WIDE(group_add)(&older, x + (group->before + t) * MILL_GROUP_SIDE);
    for (int64_t k = group->before; k >= 0; k--) {
        if (k < group->count) SET(scale[k][0] + j) = older.sum;
        if (k < group->count) SET(scale[k][1] + j) = older.square;
        if (k > 0) MILL_WIDE(group_add)(&older, x + (k - 1) * MILL_GROUP_SIDE);
    }
}

/* 1 / the root of a sum of squares; NaN where that is 0 or not finite, or so small that the product
 * of two such might overflow. */
GROUP_INLINE LANES MILL_WIDE(group_inverse)(LANES square)
{
    LANES one = (LANES){0} + 1;
    LANES inverse = MILL_WIDE(window_over)(one, MILL_WIDE(window_root)(square));
    return MILL_WIDE(window_known)(inverse * 0x1p512) * 0x1p-512;
}

MILL_TARGET void MILL_WIDE(mill_group_scales)(const struct mill_window_group *group, double *x,
                                              double scale[][2][MILL_GROUP_SIDE])
{
    int64_t skipped = group->skipped, newest = group->before + group->core;
    int64_t window = newest + skipped, all = window + group->count - 1;
    LANES root = MILL_WIDE(window_root)((LANES){0} + (double)window);
    for (int64_t j = 0; j < MILL_GROUP_SIDE; j += WIDTH) {
        MILL_WIDE(group_center)(group, all, x + j);
        MILL_WIDE(group_older)(group, x + j, scale, j);
        struct MILL_WIDE(group_moments) newer = {0};
        const double *next = x + newest * MILL_GROUP_SIDE + j;
        for (int64_t t = 0; t < skipped; t++, next += MILL_GROUP_SIDE)
            MILL_WIDE(group_add)(&newer, next);
        for (int64_t k = 0; k < group->count; k++, next += MILL_GROUP_SIDE) {
            LANES share = (AT(scale[k][0] + j) + newer.sum) / root;
            LANES square = (AT(scale[k][1] + j) + newer.square) - share * share;
            SET(scale[k][0] + j) = share;
            SET(scale[k][1] + j) = MILL_WIDE(group_inverse)(square);
            if (k + 1 < group->count) MILL_WIDE(group_add)(&newer, next);
        }
    }
}

/* ---- products of pairs ------------------------------------------------------------------- */

#define PAIRS_STEP   WINDOW_FUSED
#define PAIRS_TARGET WINDOW_FUSED_TARGET
#define PAIRS(name)  MILL_WIDE(name)
#include "kernels/rolling_pairs_wide.h"
#if MILL_WIDE_BYTES == 8
#define PAIRS_STEP(x, y, z) ((x) * (y) + (z))
#define PAIRS_TARGET
#define PAIRS(name) name##_apart
#include "kernels/rolling_pairs_wide.h"
#endif

/* ---- where they go ----------------------------------------------------------------------- */

/* 4 by 4 where a register holds as many, else 2 by 2, which every machine has vectors for. */
#if MILL_WIDE_BYTES >= 32
#define TURNED 4
#else
#define TURNED 2
#endif
typedef double MILL_WIDE(group_row)
    __attribute__((vector_size(TURNED * 8), aligned(sizeof(double)), may_alias));
typedef int64_t MILL_WIDE(group_order) __attribute__((vector_size(TURNED * 8)));
#define ROW(place)       (*(MILL_WIDE(group_row) *)(place))
#define MIXED(a, b, ...) __builtin_shuffle(a, b, (MILL_WIDE(group_order)){__VA_ARGS__})

/* to[j][i] = from[i][j] of one such part. */
GROUP_INLINE void MILL_WIDE(group_turn_part)(double (*from)[MILL_GROUP_SIDE],
                                             double (*to)[MILL_GROUP_SIDE])
{
#if TURNED == 4
    MILL_WIDE(group_row) even = MIXED(ROW(from[0]), ROW(from[1]), 0, 4, 2, 6);
    MILL_WIDE(group_row) odd = MIXED(ROW(from[0]), ROW(from[1]), 1, 5, 3, 7);
    MILL_WIDE(group_row) below = MIXED(ROW(from[2]), ROW(from[3]), 0, 4, 2, 6);
    MILL_WIDE(group_row) last = MIXED(ROW(from[2]), ROW(from[3]), 1, 5, 3, 7);
    ROW(to[0]) = MIXED(even, below, 0, 1, 4, 5);
    ROW(to[1]) = MIXED(odd, last, 0, 1, 4, 5);
    ROW(to[2]) = MIXED(even, below, 2, 3, 6, 7);
    ROW(to[3]) = MIXED(odd, last, 2, 3, 6, 7);
#else
    MILL_WIDE(group_row) above = ROW(from[0]), below = ROW(from[1]);
    ROW(to[0]) = MIXED(above, below, 0, 2);
    ROW(to[1]) = MIXED(above, below, 1, 3);
#endif
}

GROUP_INLINE void MILL_WIDE(group_turn)(double (*from)[MILL_GROUP_SIDE],
                                        double (*to)[MILL_GROUP_SIDE])
{
    for (int i = 0; i < MILL_GROUP_SIDE; i += TURNED)
        for (int j = 0; j < MILL_GROUP_SIDE; j += TURNED)
            MILL_WIDE(group_turn_part)((void *)&from[i][j], (void *)&to[j][i]);
}

/* A tile's rows, `stride` apart; past the caches where they are lines of it. */
GROUP_INLINE void MILL_WIDE(group_put)(double (*tile)[MILL_GROUP_SIDE], int lines, double *to,
                                       int64_t stride)
{
    for (int a = 0; a < MILL_GROUP_SIDE; a++, to += stride) {
#ifdef WINDOW_PUT
        if (lines) {
            for (int b = 0; b < MILL_GROUP_SIDE; b += WINDOW_PUT)
                MILL_WIDE(window_put)(tile[a] + b, to + b);
            continue;
        }
#endif
        memcpy(to, tile[a], sizeof tile[a]);
    }
    (void)lines;
}

MILL_TARGET void MILL_WIDE(mill_group_put)(double tile[][MILL_GROUP_SIDE][MILL_GROUP_SIDE],
                                           int64_t count, int64_t i, int64_t j, int64_t rows,
                                           double *out)
{
    int lines = rows % MILL_GROUP_SIDE == 0 && (uintptr_t)out % sizeof tile[0][0] == 0;
    for (int64_t k = 0; k < count; k++, out += rows * rows) {
        MILL_WIDE(group_put)(tile[k], lines, out + i * rows + j, rows);
        if (i == j) continue;
        double turned[MILL_GROUP_SIDE][MILL_GROUP_SIDE];
        MILL_WIDE(group_turn)(tile[k], turned);
        MILL_WIDE(group_put)(turned, lines, out + j * rows + i, rows);
    }
}

#undef TURNED
#undef ROW
#undef MIXED
#undef GROUP_INLINE
#undef WINDOW_PUT
#undef WINDOW_FUSED
#undef WINDOW_FUSED_TARGET
