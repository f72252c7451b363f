/* reduce_wide: what folds a block or a few rows of columns, compiled once for each instruction
 * set; see kernels/wide.h.  Lanes that are left over are done by the plain bodies.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/reduce_bodies.h"

#undef REDUCE_FLOATS
#undef REDUCE_INTS
#undef REDUCE_BYTES
#undef REDUCE_LANES
#define REDUCE_FLOATS MILL_WIDE(mill_double_vector)
#define REDUCE_INTS   MILL_WIDE(mill_int64_t_vector)
#define REDUCE_BYTES  MILL_WIDE(mill_uint8_t_vector)
#define REDUCE_LANES  (MILL_WIDE_BYTES / 8)

/* Half a register of 4-byte elements: as many as there are lanes. */
typedef float MILL_WIDE(reduce_half_floats)
    __attribute__((vector_size(MILL_WIDE_BYTES / 2), aligned(4), may_alias));
typedef int32_t MILL_WIDE(reduce_half_ints)
    __attribute__((vector_size(MILL_WIDE_BYTES / 2), aligned(4), may_alias));

/* ---- vectors ----------------------------------------------------------------------------- */

MILL_TARGET static inline REDUCE_FLOATS MILL_WIDE(reduce_load)(const void *from)
{
    return *(const REDUCE_FLOATS *)from;
}

MILL_TARGET static inline REDUCE_INTS MILL_WIDE(reduce_load_ints)(const void *from)
{
    return *(const REDUCE_INTS *)from;
}

MILL_TARGET static inline void MILL_WIDE(reduce_store)(void *to, REDUCE_FLOATS values)
{
    *(REDUCE_FLOATS *)to = values;
}

MILL_TARGET static inline void MILL_WIDE(reduce_store_ints)(void *to, REDUCE_INTS values)
{
    *(REDUCE_INTS *)to = values;
}

/* Lanes of `yes` where the mask is all ones, of `no` where it is 0. */
MILL_TARGET static inline REDUCE_INTS
MILL_WIDE(reduce_pick_ints)(REDUCE_INTS mask, REDUCE_INTS yes, REDUCE_INTS no)
{
    return (yes & mask) | (no & ~mask);
}

MILL_TARGET static inline REDUCE_FLOATS
MILL_WIDE(reduce_pick)(REDUCE_INTS mask, REDUCE_FLOATS yes, REDUCE_FLOATS no)
{
    return (REDUCE_FLOATS)MILL_WIDE(reduce_pick_ints)(mask, (REDUCE_INTS)yes, (REDUCE_INTS)no);
}

MILL_TARGET static inline int64_t MILL_WIDE(reduce_total)(REDUCE_INTS values)
{
    uint64_t total = 0;
    for (int l = 0; l < REDUCE_LANES; l++) total += (uint64_t)values[l];
    return (int64_t)total;
}

/* ---- blocks: the least and the greatest -------------------------------------------------- */

/* Four chains; in which order values meet makes no difference.  Once per direction. */
#undef REDUCE_EXTREME
#define REDUCE_EXTREME(name, before, none, none_int)                                           \
    MILL_TARGET static double MILL_WIDE(reduce_##name)(const double *x, int64_t count)         \
    {                                                                                          \
        REDUCE_FLOATS start = (REDUCE_FLOATS){0} + (none);                                     \
        REDUCE_FLOATS found[4] = {start, start, start, start};                                 \
        REDUCE_INTS nan[2] = {{0}, {0}};                                                       \
        int64_t i = 0;                                                                         \
        for (; i + 4 * REDUCE_LANES <= count; i += 4 * REDUCE_LANES) {                         \
            _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)                                \
            {                                                                                  \
                REDUCE_FLOATS v = MILL_WIDE(reduce_load)(x + i + k * REDUCE_LANES);            \
                nan[k / 2] |= v != v;                                                          \
                found[k] = MILL_WIDE(reduce_pick)(v before found[k], v, found[k]);             \
            }                                                                                  \
        }                                                                                      \
        double all[4 * REDUCE_LANES];                                                          \
        for (int k = 0; k < 4; k++) MILL_WIDE(reduce_store)(all + k * REDUCE_LANES, found[k]); \
        double best = mill_##name##_plain(all, 4 * REDUCE_LANES);                              \
        double rest = mill_##name##_plain(x + i, count - i);                                   \
        if (rest != rest || MILL_WIDE(reduce_total)(nan[0] | nan[1])) return NAN;              \
        return rest before best ? rest : best;                                                 \
    }                                                                                          \
                                                                                               \
    MILL_TARGET static int64_t MILL_WIDE(reduce_##name##_int)(const int64_t *x, int64_t count) \
    {                                                                                          \
        REDUCE_INTS start = (REDUCE_INTS){0} + (none_int);                                     \
        REDUCE_INTS found[4] = {start, start, start, start};                                   \
        int64_t i = 0;                                                                         \
        for (; i + 4 * REDUCE_LANES <= count; i += 4 * REDUCE_LANES) {                         \
            _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)                                \
            {                                                                                  \
                REDUCE_INTS v = MILL_WIDE(reduce_load_ints)(x + i + k * REDUCE_LANES);         \
                found[k] = MILL_WIDE(reduce_pick_ints)(v before found[k], v, found[k]);        \
            }                                                                                  \
        }                                                                                      \
        int64_t all[4 * REDUCE_LANES];                                                         \
        for (int k = 0; k < 4; k++)                                                            \
            MILL_WIDE(reduce_store_ints)(all + k * REDUCE_LANES, found[k]);                    \
        int64_t best = mill_##name##_int_plain(all, 4 * REDUCE_LANES);                         \
        int64_t rest = mill_##name##_int_plain(x + i, count - i);                              \
        return rest before best ? rest : best;                                                 \
    }

REDUCE_EXTREME(least, <, INFINITY, INT64_MAX)
REDUCE_EXTREME(greatest, >, -INFINITY, INT64_MIN)

/* ---- blocks: counts and integer sums ----------------------------------------------------- */

MILL_TARGET static int64_t MILL_WIDE(reduce_sum_int)(const int64_t *x, int64_t count)
{
    MILL_WIDE(mill_uint64_t_vector) a = {0}, b = {0};
    int64_t i = 0;
    for (; i + 2 * REDUCE_LANES <= count; i += 2 * REDUCE_LANES) {
        a += *(const MILL_WIDE(mill_uint64_t_vector) *)(x + i);
        b += *(const MILL_WIDE(mill_uint64_t_vector) *)(x + i + REDUCE_LANES);
    }
    uint64_t sum = (uint64_t)MILL_WIDE(reduce_total)((REDUCE_INTS)(a + b));
    return (int64_t)(sum + (uint64_t)mill_sum_int_plain(x + i, count - i));
}

/* A mask of all ones is -1. */
#undef REDUCE_COUNT
#define REDUCE_COUNT(name, type, load, is)                                                     \
    MILL_TARGET static int64_t MILL_WIDE(reduce_##name)(const type *x, int64_t count)          \
    {                                                                                          \
        REDUCE_INTS found = {0};                                                               \
        int64_t i = 0;                                                                         \
        for (; i + REDUCE_LANES <= count; i += REDUCE_LANES) {                                 \
            __auto_type v = MILL_WIDE(load)(x + i);                                            \
            found -= is;                                                                       \
        }                                                                                      \
        return MILL_WIDE(reduce_total)(found) + mill_##name##_plain(x + i, count - i);         \
    }

REDUCE_COUNT(count, double, reduce_load, v != 0)
REDUCE_COUNT(count_nan, double, reduce_load, v != v)
REDUCE_COUNT(count_int, int64_t, reduce_load_ints, v != 0)

/* A block is too short for a byte to overflow. */
MILL_TARGET static int64_t MILL_WIDE(reduce_count_byte)(const uint8_t *x, int64_t count)
{
    REDUCE_BYTES found = {0};
    int64_t i = 0, total = 0;
    for (; i + MILL_WIDE_BYTES <= count; i += MILL_WIDE_BYTES)
        found -= (REDUCE_BYTES)(*(const REDUCE_BYTES *)(x + i) != 0);
    for (int l = 0; l < MILL_WIDE_BYTES; l++) total += found[l];
    return total + mill_count_byte_plain(x + i, count - i);
}

/* ---- widening ---------------------------------------------------------------------------- */

#undef REDUCE_WIDEN
#define REDUCE_WIDEN(name, from, half, to, whole)                                              \
    MILL_TARGET static void MILL_WIDE(reduce_##name)(const from *x, int64_t count, to *out)    \
    {                                                                                          \
        int64_t i = 0;                                                                         \
        for (; i + REDUCE_LANES <= count; i += REDUCE_LANES)                                   \
            *(whole *)(out + i) =                                                              \
                __builtin_convertvector(*(const MILL_WIDE(half) *)(x + i), whole);             \
        mill_##name##_plain(x + i, count - i, out + i);                                        \
    }

REDUCE_WIDEN(widen_float, float, reduce_half_floats, double, REDUCE_FLOATS)
REDUCE_WIDEN(widen_int, int32_t, reduce_half_ints, int64_t, REDUCE_INTS)
REDUCE_WIDEN(float_int, int32_t, reduce_half_ints, double, REDUCE_FLOATS)

/* ---- columns ----------------------------------------------------------------------------- */

/* The columns from `first` on, by the plain body. */
static inline void MILL_WIDE(reduce_rest)(const struct mill_columns *columns, int64_t first,
                                          int64_t size, mill_reduce_columns *plain)
{
    struct mill_columns rest = *columns;
    rest.x = (const char *)rest.x + first * size;
    rest.cells += first;
    rest.width -= first;
    if (rest.width) plain(&rest);
}

/* Columns of `count` registers at a time; p[] are the planes of one, x its elements of row r. */
#undef REDUCE_STRIPE
#define REDUCE_STRIPE(type, vector, count, planes, step)                                       \
    for (; j + count * REDUCE_LANES <= c->width; j += count * REDUCE_LANES) {                  \
        const type *from = (const type *)c->x + j;                                             \
        union mill_cell *cells = c->cells + j;                                                 \
        vector all[count][planes];                                                             \
        _Pragma("GCC unroll 2") for (int u = 0; u < count; u++)                                \
            _Pragma("GCC unroll 4") for (int k = 0; k < planes; k++) all[u][k] =               \
                *(const vector *)(cells + k * c->apart + u * REDUCE_LANES);                    \
        for (int64_t r = 0; r < c->rows; r++)                                                  \
            _Pragma("GCC unroll 2") for (int u = 0; u < count; u++)                            \
            {                                                                                  \
                vector *p = all[u];                                                            \
                vector x = *(const vector *)(from + r * c->stride + u * REDUCE_LANES);         \
                step;                                                                          \
            }                                                                                  \
        _Pragma("GCC unroll 2") for (int u = 0; u < count; u++)                                \
                _Pragma("GCC unroll 4") for (int k = 0; k < planes; k++) *                     \
            (vector *)(cells + k * c->apart + u * REDUCE_LANES) = all[u][k];                   \
    }
#undef REDUCE_COLUMNS
#define REDUCE_COLUMNS(name, type, vector, planes, step)                                       \
    MILL_TARGET static void MILL_WIDE(reduce_##name)(const struct mill_columns *c)             \
    {                                                                                          \
        int64_t j = 0;                                                                         \
        REDUCE_STRIPE(type, vector, 2, planes, step)                                           \
        REDUCE_STRIPE(type, vector, 1, planes, step)                                           \
        MILL_WIDE(reduce_rest)(c, j, sizeof(type), mill_##name##_plain);                       \
    }
#undef REDUCE_FLOAT_COLUMNS
#define REDUCE_FLOAT_COLUMNS(name, planes, step)                                               \
    REDUCE_COLUMNS(name, double, REDUCE_FLOATS, planes, step)
#undef REDUCE_INT_COLUMNS
#define REDUCE_INT_COLUMNS(name, planes, step)                                                 \
    REDUCE_COLUMNS(name, int64_t, REDUCE_INTS, planes, step)

REDUCE_FLOAT_COLUMNS(sum_columns, 1, p[0] += x)
REDUCE_COLUMNS(sum_int_columns, int64_t, MILL_WIDE(mill_uint64_t_vector), 1, p[0] += x)

MILL_TARGET static inline void MILL_WIDE(reduce_add_number)(REDUCE_FLOATS *p, REDUCE_FLOATS x)
{
    REDUCE_INTS is_number = x == x;
    p[0] += (REDUCE_FLOATS)((REDUCE_INTS)x & is_number);
    p[1] = (REDUCE_FLOATS)((REDUCE_INTS)p[1] - is_number);
}
REDUCE_FLOAT_COLUMNS(nansum_columns, 2, MILL_WIDE(reduce_add_number)(p, x))

MILL_TARGET static inline void MILL_WIDE(reduce_add_moments)(REDUCE_FLOATS *p, REDUCE_FLOATS x)
{
    REDUCE_FLOATS deviation = x - p[0];
    p[1] += deviation;
    p[2] += deviation * deviation + (x - x);
}
REDUCE_FLOAT_COLUMNS(moments_columns, 3, if (c->row + r == 0) p[0] = x;
                     MILL_WIDE(reduce_add_moments)(p, x))

MILL_TARGET static inline void MILL_WIDE(reduce_add_nanmoments)(REDUCE_FLOATS *p,
                                                                REDUCE_FLOATS x)
{
    REDUCE_INTS is_number = x == x, is_first = is_number & (p[3] == 0);
    p[0] = MILL_WIDE(reduce_pick)(is_first, x, p[0]);
    REDUCE_FLOATS deviation = (REDUCE_FLOATS)((REDUCE_INTS)(x - p[0]) & is_number);
    REDUCE_FLOATS nothing = (REDUCE_FLOATS)((REDUCE_INTS)(x - x) & is_number);
    p[1] += deviation;
    p[2] += deviation * deviation + nothing;
    p[3] -= __builtin_convertvector(is_number, REDUCE_FLOATS);
}
REDUCE_FLOAT_COLUMNS(nanmoments_columns, 4, MILL_WIDE(reduce_add_nanmoments)(p, x))

/* ---- columns: the least and the greatest, and their places ------------------------------- */

#undef REDUCE_EXTREME_COLUMNS
#define REDUCE_EXTREME_COLUMNS(name, before)                                                   \
    REDUCE_FLOAT_COLUMNS(name##_columns, 1,                                                    \
                         p[0] = MILL_WIDE(reduce_pick)((x before p[0]) | (x != x), x, p[0]))   \
    REDUCE_INT_COLUMNS(name##_int_columns, 1,                                                  \
                       p[0] = MILL_WIDE(reduce_pick_ints)(x before p[0], x, p[0]))             \
    REDUCE_FLOAT_COLUMNS(nan##name##_columns, 2,                                               \
                         p[0] = MILL_WIDE(reduce_pick)(x before p[0], x, p[0]);                \
                         p[1] = (REDUCE_FLOATS)((REDUCE_INTS)p[1] - (x == x)))                 \
                                                                                               \
    MILL_TARGET static inline void MILL_WIDE(reduce_place_##name)(                             \
        REDUCE_FLOATS * p, REDUCE_FLOATS x, int64_t position)                                  \
    {                                                                                          \
        REDUCE_INTS place = (REDUCE_INTS)p[1], here = (REDUCE_INTS){0} + position;             \
        REDUCE_INTS first = (x before p[0]) | ((x != x) & (p[0] == p[0])) | (place < 0);       \
        p[0] = MILL_WIDE(reduce_pick)(first, x, p[0]);                                         \
        p[1] = (REDUCE_FLOATS)MILL_WIDE(reduce_pick_ints)(first, here, place);                 \
    }                                                                                          \
    REDUCE_FLOAT_COLUMNS(arg##name##_columns, 2,                                               \
                         MILL_WIDE(reduce_place_##name)(p, x, c->position + r))                \
                                                                                               \
    MILL_TARGET static inline void MILL_WIDE(reduce_place_##name##_int)(                       \
        REDUCE_INTS * p, REDUCE_INTS x, int64_t position)                                      \
    {                                                                                          \
        REDUCE_INTS first = (x before p[0]) | (p[1] < 0);                                      \
        p[0] = MILL_WIDE(reduce_pick_ints)(first, x, p[0]);                                    \
        p[1] = MILL_WIDE(reduce_pick_ints)(first, (REDUCE_INTS){0} + position, p[1]);          \
    }                                                                                          \
    REDUCE_INT_COLUMNS(arg##name##_int_columns, 2,                                             \
                       MILL_WIDE(reduce_place_##name##_int)(p, x, c->position + r))

REDUCE_EXTREME_COLUMNS(min, <)
REDUCE_EXTREME_COLUMNS(max, >)

/* ---- the table --------------------------------------------------------------------------- */

const struct mill_reduce_bodies MILL_WIDE(mill_reduce_bodies) = {
    .least = MILL_WIDE(reduce_least),
    .greatest = MILL_WIDE(reduce_greatest),
    .least_int = MILL_WIDE(reduce_least_int),
    .greatest_int = MILL_WIDE(reduce_greatest_int),
    .sum_int = MILL_WIDE(reduce_sum_int),
    .count = MILL_WIDE(reduce_count),
    .count_int = MILL_WIDE(reduce_count_int),
    .count_byte = MILL_WIDE(reduce_count_byte),
    .count_nan = MILL_WIDE(reduce_count_nan),
    .widen_float = MILL_WIDE(reduce_widen_float),
    .widen_int = MILL_WIDE(reduce_widen_int),
    .float_int = MILL_WIDE(reduce_float_int),
    .sum_columns = MILL_WIDE(reduce_sum_columns),
    .sum_int_columns = MILL_WIDE(reduce_sum_int_columns),
    .nansum_columns = MILL_WIDE(reduce_nansum_columns),
    .moments_columns = MILL_WIDE(reduce_moments_columns),
    .nanmoments_columns = MILL_WIDE(reduce_nanmoments_columns),
    .min_columns = MILL_WIDE(reduce_min_columns),
    .max_columns = MILL_WIDE(reduce_max_columns),
    .nanmin_columns = MILL_WIDE(reduce_nanmin_columns),
    .nanmax_columns = MILL_WIDE(reduce_nanmax_columns),
    .min_int_columns = MILL_WIDE(reduce_min_int_columns),
    .max_int_columns = MILL_WIDE(reduce_max_int_columns),
    .argmin_columns = MILL_WIDE(reduce_argmin_columns),
    .argmax_columns = MILL_WIDE(reduce_argmax_columns),
    .argmin_int_columns = MILL_WIDE(reduce_argmin_int_columns),
    .argmax_int_columns = MILL_WIDE(reduce_argmax_int_columns),
};
