/* extreme: the least and the greatest of a folded axis.
 * A 0 among results is never -0: x + 0.0 sees to it.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/reduce_bodies.h"

/* ---- plain bodies ------------------------------------------------------------------------ */

/* Once per direction: `before` is < or >, `none` what comes after everything. */
#define EXTREME_BLOCKS(name, before, none, none_int)                                           \
    double mill_##name##_plain(const double *x, int64_t count)                                 \
    {                                                                                          \
        double found = none;                                                                   \
        int nan = 0;                                                                           \
        for (int64_t i = 0; i < count; i++) {                                                  \
            nan |= x[i] != x[i];                                                               \
            found = x[i] before found ? x[i] : found;                                          \
        }                                                                                      \
        return nan ? NAN : found + 0.0;                                                        \
    }                                                                                          \
                                                                                               \
    int64_t mill_##name##_int_plain(const int64_t *x, int64_t count)                           \
    {                                                                                          \
        int64_t found = none_int;                                                              \
        for (int64_t i = 0; i < count; i++) found = x[i] before found ? x[i] : found;          \
        return found;                                                                          \
    }

EXTREME_BLOCKS(least, <, INFINITY, INT64_MAX)
EXTREME_BLOCKS(greatest, >, -INFINITY, INT64_MIN)

/* NaNs propagate; those of the nan forms are passed over, and the others counted. */
#define EXTREME_COLUMNS(name, before)                                                          \
    void mill_##name##_columns_plain(const struct mill_columns *c)                             \
    {                                                                                          \
        for (int64_t j = 0; j < c->width; j++) {                                               \
            const double *x = (const double *)c->x + j;                                        \
            double found = c->cells[j].f;                                                      \
            for (int64_t r = 0; r < c->rows; r++) {                                            \
                double value = x[r * c->stride];                                               \
                found = value before found || value != value ? value : found;                  \
            }                                                                                  \
            c->cells[j].f = found;                                                             \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    void mill_nan##name##_columns_plain(const struct mill_columns *c)                          \
    {                                                                                          \
        for (int64_t j = 0; j < c->width; j++) {                                               \
            const double *x = (const double *)c->x + j;                                        \
            union mill_cell *found = c->cells + j, *count = found + c->apart;                  \
            for (int64_t r = 0; r < c->rows; r++) {                                            \
                double value = x[r * c->stride];                                               \
                found->f = value before found->f ? value : found->f;                           \
                count->i += value == value;                                                    \
            }                                                                                  \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    void mill_##name##_int_columns_plain(const struct mill_columns *c)                         \
    {                                                                                          \
        for (int64_t j = 0; j < c->width; j++) {                                               \
            const int64_t *x = (const int64_t *)c->x + j;                                      \
            int64_t found = c->cells[j].i;                                                     \
            for (int64_t r = 0; r < c->rows; r++) {                                            \
                int64_t value = x[r * c->stride];                                              \
                found = value before found ? value : found;                                    \
            }                                                                                  \
            c->cells[j].i = found;                                                             \
        }                                                                                      \
    }

EXTREME_COLUMNS(min, <)
EXTREME_COLUMNS(max, >)

/* ---- the kinds' functions ---------------------------------------------------------------- */

#define EXTREME_KIND(name, body, before)                                                       \
    static void extreme_##name##_block(const void *x, int64_t count, int64_t position,         \
                                       union mill_cell *cells)                                 \
    {                                                                                          \
        (void)position;                                                                        \
        double value = mill_reduce_bodies()->body(x, count);                                   \
        if (value before cells->f || value != value) cells->f = value;                         \
        cells[1].i += count;                                                                   \
    }                                                                                          \
                                                                                               \
    static void extreme_##name##_int_block(const void *x, int64_t count, int64_t position,     \
                                           union mill_cell *cells)                             \
    {                                                                                          \
        (void)position;                                                                        \
        int64_t value = mill_reduce_bodies()->body##_int(x, count);                            \
        if (value before cells->i) cells->i = value;                                           \
        cells[1].i += count;                                                                   \
    }                                                                                          \
                                                                                               \
    static void extreme_nan##name##_columns(const struct mill_columns *columns)                \
    {                                                                                          \
        mill_reduce_bodies()->nan##name##_columns(columns);                                    \
    }                                                                                          \
                                                                                               \
    static void extreme_join_##name(union mill_cell *left, int64_t left_apart,                 \
                                    const union mill_cell *right, int64_t right_apart,         \
                                    int64_t m)                                                 \
    {                                                                                          \
        for (int64_t i = 0; i < m; i++) {                                                      \
            double value = right[i].f;                                                         \
            if (value before left[i].f || value != value) left[i].f = value;                   \
            left[left_apart + i].i += right[right_apart + i].i;                                \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    static void extreme_join_##name##_int(union mill_cell *left, int64_t left_apart,           \
                                          const union mill_cell *right, int64_t right_apart,   \
                                          int64_t m)                                           \
    {                                                                                          \
        for (int64_t i = 0; i < m; i++) {                                                      \
            if (right[i].i before left[i].i) left[i].i = right[i].i;                           \
            left[left_apart + i].i += right[right_apart + i].i;                                \
        }                                                                                      \
    }

MILL_EXTREME_COLUMNS(extreme, min)
MILL_EXTREME_COLUMNS(extreme, max)
EXTREME_KIND(min, least, <)
EXTREME_KIND(max, greatest, >)

static void extreme_seal_nan(union mill_cell *cells, int64_t apart, int64_t width, int64_t rows)
{
    (void)apart, (void)rows;
    for (int64_t j = 0; j < width; j++) cells[j].f += 0.0;
}

static void extreme_seal_int(union mill_cell *cells, int64_t apart, int64_t width, int64_t rows)
{
    for (int64_t j = 0; j < width; j++) cells[apart + j].i = rows;
}

static void extreme_seal(union mill_cell *cells, int64_t apart, int64_t width, int64_t rows)
{
    extreme_seal_nan(cells, apart, width, rows);
    extreme_seal_int(cells, apart, width, rows);
}

/* ---- kinds ------------------------------------------------------------------------------- */

/* Plain, NaNs passed over, integers. */
#define EXTREME_KINDS(name, start, start_int)                                                  \
    static const struct mill_reduction extreme_##name##_kinds[3] = {                           \
        {MILL_EXTREME_FLOAT, .none = {{.f = start}, {.i = 0}},                                 \
         .block = extreme_##name##_block, .columns = extreme_##name##_columns,                 \
         .seal = extreme_seal, .join = extreme_join_##name},                                   \
        {MILL_EXTREME_FLOAT, .skips = 1, .none = {{.f = start}, {.i = 0}},                     \
         .block = extreme_##name##_block, .columns = extreme_nan##name##_columns,              \
         .seal = extreme_seal_nan, .join = extreme_join_##name},                               \
        {MILL_EXTREME_INT, .none = {{.i = start_int}, {.i = 0}},                               \
         .block = extreme_##name##_int_block, .columns = extreme_##name##_int_columns,         \
         .seal = extreme_seal_int, .join = extreme_join_##name##_int},                         \
    }

EXTREME_KINDS(min, INFINITY, INT64_MAX);
EXTREME_KINDS(max, -INFINITY, INT64_MIN);

const struct mill_reduction *mill_reduction_extreme(int32_t kind, int is_float, int skip_nan)
{
    int form = is_float ? skip_nan : 2;
    switch (kind) {
    case TIDEMILL_REDUCE_MIN:
        return &extreme_min_kinds[form];
    case TIDEMILL_REDUCE_MAX:
        return &extreme_max_kinds[form];
    }
    return NULL;
}
