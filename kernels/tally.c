/* tally: any, all and counts of a folded axis.
 * SPDX-License-Identifier: MIT */
#include "kernels/reduce_bodies.h"

/* ---- plain bodies ------------------------------------------------------------------------ */

int64_t mill_count_plain(const double *x, int64_t count)
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) found += x[i] != 0;
    return found;
}

int64_t mill_count_int_plain(const int64_t *x, int64_t count)
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) found += x[i] != 0;
    return found;
}

int64_t mill_count_byte_plain(const uint8_t *x, int64_t count)
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) found += x[i] != 0;
    return found;
}

int64_t mill_count_nan_plain(const double *x, int64_t count)
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) found += x[i] != x[i];
    return found;
}

/* ---- a block of a row, and columns, for each form of value ------------------------------- */

/* counter: of elements that are not 0 in a block; is: of one element. */
#define TALLY(name, type, counter, is)                                                         \
    static void tally_count_##name(const void *x, int64_t count, int64_t position,             \
                                   union mill_cell *cells)                                     \
    {                                                                                          \
        (void)position;                                                                        \
        cells->i += counter;                                                                   \
    }                                                                                          \
                                                                                               \
    static void tally_any_##name(const void *x, int64_t count, int64_t position,               \
                                 union mill_cell *cells)                                       \
    {                                                                                          \
        (void)position;                                                                        \
        if (!cells->i) cells->i = (counter) > 0;                                               \
    }                                                                                          \
                                                                                               \
    static void tally_all_##name(const void *x, int64_t count, int64_t position,               \
                                 union mill_cell *cells)                                       \
    {                                                                                          \
        (void)position;                                                                        \
        if (cells->i) cells->i = (counter) == count;                                           \
    }                                                                                          \
                                                                                               \
    static void tally_count_##name##_columns(const struct mill_columns *c)                     \
    {                                                                                          \
        for (int64_t r = 0; r < c->rows; r++) {                                                \
            const type *x = (const type *)c->x + r * c->stride;                                \
            for (int64_t j = 0; j < c->width; j++) c->cells[j].i += is;                        \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    static void tally_any_##name##_columns(const struct mill_columns *c)                       \
    {                                                                                          \
        for (int64_t r = 0; r < c->rows; r++) {                                                \
            const type *x = (const type *)c->x + r * c->stride;                                \
            for (int64_t j = 0; j < c->width; j++) c->cells[j].i |= is;                        \
        }                                                                                      \
    }                                                                                          \
                                                                                               \
    static void tally_all_##name##_columns(const struct mill_columns *c)                       \
    {                                                                                          \
        for (int64_t r = 0; r < c->rows; r++) {                                                \
            const type *x = (const type *)c->x + r * c->stride;                                \
            for (int64_t j = 0; j < c->width; j++) c->cells[j].i &= is;                        \
        }                                                                                      \
    }

TALLY(float, double, mill_reduce_bodies()->count(x, count), x[j] != 0)
TALLY(int, int64_t, mill_reduce_bodies()->count_int(x, count), x[j] != 0)
TALLY(byte, uint8_t, mill_reduce_bodies()->count_byte(x, count), x[j] != 0)

static void tally_numbers(const void *x, int64_t count, int64_t position,
                          union mill_cell *cells)
{
    (void)position;
    cells->i += count - mill_reduce_bodies()->count_nan(x, count);
}

static void tally_numbers_columns(const struct mill_columns *c)
{
    for (int64_t r = 0; r < c->rows; r++) {
        const double *x = (const double *)c->x + r * c->stride;
        for (int64_t j = 0; j < c->width; j++) c->cells[j].i += x[j] == x[j];
    }
}

static void tally_elements(const void *x, int64_t count, int64_t position,
                           union mill_cell *cells)
{
    (void)x, (void)position;
    cells->i += count;
}

static void tally_elements_columns(const struct mill_columns *c)
{
    for (int64_t j = 0; j < c->width; j++) c->cells[j].i += c->rows;
}

/* ---- joins ------------------------------------------------------------------------------- */

static void tally_join_count(union mill_cell *left, int64_t left_apart,
                             const union mill_cell *right, int64_t right_apart, int64_t m)
{
    (void)left_apart, (void)right_apart;
    for (int64_t i = 0; i < m; i++) left[i].i += right[i].i;
}

static void tally_join_any(union mill_cell *left, int64_t left_apart,
                           const union mill_cell *right, int64_t right_apart, int64_t m)
{
    (void)left_apart, (void)right_apart;
    for (int64_t i = 0; i < m; i++) left[i].i |= right[i].i;
}

static void tally_join_all(union mill_cell *left, int64_t left_apart,
                           const union mill_cell *right, int64_t right_apart, int64_t m)
{
    (void)left_apart, (void)right_apart;
    for (int64_t i = 0; i < m; i++) left[i].i &= right[i].i;
}

/* ---- kinds ------------------------------------------------------------------------------- */

#define TALLY_KIND(form, start, body, joined)                                                  \
    {                                                                                          \
        .value = form, .planes = 1, .open = 1, .running = 1, .none = {{.i = start}},           \
        .block = body, .columns = body##_columns, .join = joined                               \
    }

static const struct mill_reduction tally_counts[3] = {
    TALLY_KIND(MILL_VALUE_FLOAT, 0, tally_count_float, tally_join_count),
    TALLY_KIND(MILL_VALUE_INT, 0, tally_count_int, tally_join_count),
    TALLY_KIND(MILL_VALUE_BYTE, 0, tally_count_byte, tally_join_count),
};

static const struct mill_reduction tally_anys[3] = {
    TALLY_KIND(MILL_VALUE_FLOAT, 0, tally_any_float, tally_join_any),
    TALLY_KIND(MILL_VALUE_INT, 0, tally_any_int, tally_join_any),
    TALLY_KIND(MILL_VALUE_BYTE, 0, tally_any_byte, tally_join_any),
};

static const struct mill_reduction tally_alls[3] = {
    TALLY_KIND(MILL_VALUE_FLOAT, 1, tally_all_float, tally_join_all),
    TALLY_KIND(MILL_VALUE_INT, 1, tally_all_int, tally_join_all),
    TALLY_KIND(MILL_VALUE_BYTE, 1, tally_all_byte, tally_join_all),
};

/* Elements that are not NaN: all of other than float types. */
static const struct mill_reduction tally_nancounts[3] = {
    TALLY_KIND(MILL_VALUE_FLOAT, 0, tally_numbers, tally_join_count),
    TALLY_KIND(MILL_VALUE_INT, 0, tally_elements, tally_join_count),
    TALLY_KIND(MILL_VALUE_BYTE, 0, tally_elements, tally_join_count),
};

const struct mill_reduction *mill_reduction_tally(int32_t kind, enum mill_reduced value,
                                                  int skip_nan)
{
    switch (kind) {
    case TIDEMILL_REDUCE_ANY:
        return &tally_anys[value];
    case TIDEMILL_REDUCE_ALL:
        return &tally_alls[value];
    case TIDEMILL_REDUCE_COUNT:
        return skip_nan ? &tally_nancounts[value] : &tally_counts[value];
    }
    return NULL;
}
