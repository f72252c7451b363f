/* rolling_pairs_wide: the products of pairs of series in windows that share a core, for each kind of
 * multiply-add; a part of rolling_group_wide.h.  PAIRS_STEP(x, y, z) is x y + z of a number and two
 * vectors in code for PAIRS_TARGET; PAIRS(name) is what a function is called.
 * SPDX-License-Identifier: MIT */

/* Eight registers of sums. */
enum {
    PAIRS(PAIRS_VECTORS) = WIDTH < 8 ? 2 : 1,
    PAIRS(PAIRS_ROWS) = 8 / PAIRS(PAIRS_VECTORS),
};
#define ROWS         PAIRS(PAIRS_ROWS)
#define VECTORS      PAIRS(PAIRS_VECTORS)
#define EACH_ROW     _Pragma("GCC unroll 8") for (int a = 0; a < ROWS; a++)
#define EACH_SUM     EACH_ROW _Pragma("GCC unroll 2") for (int b = 0; b < VECTORS; b++)
#define PAIRS_INLINE PAIRS_TARGET static inline __attribute__((always_inline))

/* Rows from `at`, columns from `with`, and where a tile has the first of them. */
struct PAIRS(pairs_part) {
    const double *at, *with;
    int64_t i, j;
};

PAIRS_INLINE void PAIRS(pairs_add)(const double *at, const double *with,
                                   LANES sum[ROWS][VECTORS])
{
    EACH_SUM sum[a][b] = PAIRS_STEP(at[a], AT(with + b * WIDTH), sum[a][b]);
}

/* Sums of the core and what is before it, for each window. */
PAIRS_INLINE void PAIRS(pairs_older)(const struct mill_window_group *group,
                                     const struct PAIRS(pairs_part) * part,
                                     double tile[][MILL_GROUP_SIDE][MILL_GROUP_SIDE])
{
    LANES sum[ROWS][VECTORS] = {0};
    int64_t core = group->before * MILL_GROUP_SIDE;
    const double *at = part->at + core, *with = part->with + core;
    for (int64_t t = 0; t < group->core * MILL_GROUP_SIDE; t += MILL_GROUP_SIDE)
        PAIRS(pairs_add)(at + t, with + t, sum);
    for (int64_t k = group->before; k >= 0; k--) {
        if (k < group->count)
            EACH_SUM SET(&tile[k][part->i + a][part->j + b * WIDTH]) = sum[a][b];
        at -= MILL_GROUP_SIDE, with -= MILL_GROUP_SIDE;
        if (k > 0) PAIRS(pairs_add)(at, with, sum);
    }
}

/* Correlations of one window, whose older sums are in `place`. */
PAIRS_INLINE void PAIRS(pairs_scale)(const double at[2][MILL_GROUP_SIDE],
                                     const double with[2][MILL_GROUP_SIDE],
                                     LANES newer[ROWS][VECTORS],
                                     double place[][MILL_GROUP_SIDE])
{
    EACH_SUM
    {
        LANES sum = AT(place[a] + b * WIDTH) + newer[a][b];
        sum = PAIRS_STEP(-at[0][a], AT(with[0] + b * WIDTH), sum);
        sum *= AT(with[1] + b * WIDTH) * at[1][a];
        SET(place[a] + b * WIDTH) = MILL_WIDE(window_known)(MILL_WIDE(window_limited)(sum));
    }
}

PAIRS_INLINE void PAIRS(pairs_newer)(const struct mill_window_group *group,
                                     const struct PAIRS(pairs_part) * part,
                                     const struct mill_group_side *at,
                                     const struct mill_group_side *with,
                                     double tile[][MILL_GROUP_SIDE][MILL_GROUP_SIDE])
{
    LANES sum[ROWS][VECTORS] = {0};
    int64_t newest = (group->before + group->core) * MILL_GROUP_SIDE;
    const double *x = part->at + newest, *y = part->with + newest;
    for (int64_t t = 0; t < group->skipped; t++, x += MILL_GROUP_SIDE, y += MILL_GROUP_SIDE)
        PAIRS(pairs_add)(x, y, sum);
    for (int64_t k = 0; k < group->count; k++, x += MILL_GROUP_SIDE, y += MILL_GROUP_SIDE) {
        PAIRS(pairs_scale)
        ((void *)(at->scale[k][0] + part->i), (void *)(with->scale[k][0] + part->j), sum,
         (void *)&tile[k][part->i][part->j]);
        if (k + 1 < group->count) PAIRS(pairs_add)(x, y, sum);
    }
}

PAIRS_TARGET void PAIRS(mill_group_pairs)(const struct mill_window_group *group,
                                          const struct mill_group_side *at,
                                          const struct mill_group_side *with,
                                          double tile[][MILL_GROUP_SIDE][MILL_GROUP_SIDE])
{
    for (int64_t i = 0; i < MILL_GROUP_SIDE; i += ROWS)
        for (int64_t j = 0; j < MILL_GROUP_SIDE; j += VECTORS * WIDTH) {
            struct PAIRS(pairs_part) part = {at->x + i, with->x + j, i, j};
            PAIRS(pairs_older)(group, &part, tile);
            PAIRS(pairs_newer)(group, &part, at, with, tile);
        }
}

#undef ROWS
#undef VECTORS
#undef EACH_ROW
#undef EACH_SUM
#undef PAIRS_INLINE
#undef PAIRS_STEP
#undef PAIRS_TARGET
#undef PAIRS
