/* place: where the least and the greatest of a folded axis stand first.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/reduce_bodies.h"

/* ---- plain bodies: planes value and position, which is below 0 until there is one --------- */

/* Once per direction: `before` is < or >.  The first NaN comes before everything. */
#define PLACE_COLUMNS(name, before)                                                            \
    void mill_##name##_columns_plain(const struct mill_columns *c)                             \
    {                                                                                          \
        for (int64_t j = 0; j < c->width; j++) {                                               \
            const double *x = (const double *)c->x + j;                                        \
            union mill_cell *found = c->cells + j, *place = found + c->apart;                  \
            for (int64_t r = 0; r < c->rows; r++) {                                            \
                double value = x[r * c->stride];                                               \
                int is_nan = value != value && found->f == found->f;                           \
                if (!(value before found->f) && !is_nan && place->i >= 0) continue;            \
                found->f = value;                                                              \
                place->i = c->position + r;                                                    \
            }                                                                                  \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    void mill_##name##_int_columns_plain(const struct mill_columns *c)                         \
    {                                                                                          \
        for (int64_t j = 0; j < c->width; j++) {                                               \
            const int64_t *x = (const int64_t *)c->x + j;                                      \
            union mill_cell *found = c->cells + j, *place = found + c->apart;                  \
            for (int64_t r = 0; r < c->rows; r++) {                                            \
                int64_t value = x[r * c->stride];                                              \
                if (!(value before found->i) && place->i >= 0) continue;                       \
                found->i = value;                                                              \
                place->i = c->position + r;                                                    \
            }                                                                                  \
        }                                                                                      \
    }

PLACE_COLUMNS(argmin, <)
PLACE_COLUMNS(argmax, >)

/* ---- a block of a row -------------------------------------------------------------------- */

static int64_t index_among(const double *x, double value)
{
    int64_t i = 0;
    if (value != value)
        while (x[i] == x[i]) i++;
    else
        while (x[i] != value) i++;
    return i;
}

static int64_t place_of_int(const int64_t *x, int64_t value)
{
    int64_t i = 0;
    while (x[i] != value) i++;
    return i;
}

/* The value is found first, by the bodies of extremes; its place only when it comes before all
 * earlier ones. */
#define PLACE_KIND(name, body, before)                                                         \
    static void place_##name##_block(const void *x, int64_t count, int64_t position,           \
                                     union mill_cell *cells)                                   \
    {                                                                                          \
        if (cells->f != cells->f) return;                                                      \
        double value = mill_reduce_bodies()->body(x, count);                                   \
        if (!(value before cells->f) && value == value && cells[1].i >= 0) return;             \
        cells->f = value;                                                                      \
        cells[1].i = position + index_among(x, value);                                         \
    }                                                                                          \
                                                                                               \
    static void place_##name##_int_block(const void *x, int64_t count, int64_t position,       \
                                         union mill_cell *cells)                               \
    {                                                                                          \
        int64_t value = mill_reduce_bodies()->body##_int(x, count);                            \
        if (!(value before cells->i) && cells[1].i >= 0) return;                               \
        cells->i = value;                                                                      \
        cells[1].i = position + place_of_int(x, value);                                        \
    }                                                                                          \
                                                                                               \
    static void place_nan##name##_block(const void *x, int64_t count, int64_t position,        \
                                        union mill_cell *cells)                                \
    {                                                                                          \
        const double *values = x;                                                              \
        if (!mill_reduce_bodies()->count_nan(values, count)) {                                 \
            place_##name##_block(x, count, position, cells);                                   \
            return;                                                                            \
        }                                                                                      \
        for (int64_t i = 0; i < count; i++) {                                                  \
            int first = cells[1].i < 0 && values[i] == values[i];                              \
            if (!(values[i] before cells->f) && !first) continue;                              \
            cells->f = values[i];                                                              \
            cells[1].i = position + i;                                                         \
        }                                                                                      \
        cells->f += 0.0;                                                                       \
    }                                                                                          \
                                                                                               \
    static void place_nan##name##_columns(const struct mill_columns *c)                        \
    {                                                                                          \
        for (int64_t r = 0; r < c->rows; r++) {                                                \
            const double *x = (const double *)c->x + r * c->stride;                            \
            for (int64_t j = 0; j < c->width; j++) {                                           \
                union mill_cell *found = c->cells + j, *place = found + c->apart;              \
                int first = place->i < 0 && x[j] == x[j];                                      \
                if (!(x[j] before found->f) && !first) continue;                               \
                found->f = x[j];                                                               \
                place->i = c->position + r;                                                    \
            }                                                                                  \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    static void place_join_##name(union mill_cell *left, int64_t left_apart,                   \
                                  const union mill_cell *right, int64_t right_apart,           \
                                  int64_t m)                                                   \
    {                                                                                          \
        for (int64_t i = 0; i < m; i++) {                                                      \
            double value = right[i].f, found = left[i].f;                                      \
            union mill_cell *place = left + left_apart + i;                                    \
            int64_t other = right[right_apart + i].i;                                          \
            if (other < 0 || found != found) continue;                                         \
            if (!(value before found) && value == value && place->i >= 0) continue;            \
            left[i].f = value;                                                                 \
            place->i = other;                                                                  \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    static void place_join_##name##_int(union mill_cell *left, int64_t left_apart,             \
                                        const union mill_cell *right, int64_t right_apart,     \
                                        int64_t m)                                             \
    {                                                                                          \
        for (int64_t i = 0; i < m; i++) {                                                      \
            union mill_cell *place = left + left_apart + i;                                    \
            int64_t other = right[right_apart + i].i;                                          \
            if (other < 0 || (!(right[i].i before left[i].i) && place->i >= 0)) continue;      \
            left[i] = right[i];                                                                \
            place->i = other;                                                                  \
        }                                                                                      \
    }

MILL_EXTREME_COLUMNS(place, argmin)
MILL_EXTREME_COLUMNS(place, argmax)
PLACE_KIND(argmin, least, <)
PLACE_KIND(argmax, greatest, >)

static void place_seal(union mill_cell *cells, int64_t apart, int64_t width, int64_t rows)
{
    (void)apart, (void)rows;
    for (int64_t j = 0; j < width; j++) cells[j].f += 0.0;
}

/* ---- kinds: plain, NaNs passed over, integers --------------------------------------------- */

#define PLACE_KINDS(name, start, start_int)                                                    \
    static const struct mill_reduction place_##name##_kinds[3] = {                             \
        {MILL_EXTREME_FLOAT, .none = {{.f = start}, {.i = -1}}, .block = place_##name##_block, \
         .columns = place_##name##_columns, .seal = place_seal, .join = place_join_##name},    \
        {MILL_EXTREME_FLOAT, .none = {{.f = start}, {.i = -1}},                                \
         .block = place_nan##name##_block, .columns = place_nan##name##_columns,               \
         .seal = place_seal, .join = place_join_##name},                                       \
        {MILL_EXTREME_INT, .none = {{.i = start_int}, {.i = -1}},                              \
         .block = place_##name##_int_block, .columns = place_##name##_int_columns,             \
         .join = place_join_##name##_int},                                                     \
    }

PLACE_KINDS(argmin, INFINITY, INT64_MAX);
PLACE_KINDS(argmax, -INFINITY, INT64_MIN);

const struct mill_reduction *mill_reduction_place(int32_t kind, int is_float, int skip_nan)
{
    int form = is_float ? skip_nan : 2;
    switch (kind) {
    case TIDEMILL_REDUCE_ARGMIN:
        return &place_argmin_kinds[form];
    case TIDEMILL_REDUCE_ARGMAX:
        return &place_argmax_kinds[form];
    }
    return NULL;
}
