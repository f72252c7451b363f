/* reduce_answer: answers made of partial results.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/reduce_bodies.h"

static void answer_floats(const union mill_cell *cells, int64_t m, int32_t type, void *out)
{
    for (int64_t i = 0; i < m; i++)
        if (type == TIDEMILL_FLOAT32)
            ((float *)out)[i] = (float)mill_one_nan(cells[i].f);
        else
            ((double *)out)[i] = mill_one_nan(cells[i].f);
}

static void answer_ints(const union mill_cell *cells, int64_t m, int32_t type, void *out)
{
    int64_t size = mill_reduce_type_size(type);
    for (int64_t i = 0; i < m; i++)
        if (size == 8)
            ((int64_t *)out)[i] = cells[i].i;
        else if (size == 4)
            ((int32_t *)out)[i] = (int32_t)cells[i].i;
        else
            ((uint8_t *)out)[i] = (uint8_t)cells[i].i;
}

/* A mean, variance or deviation of element i. */
static double answer_statistic(int32_t kind, int32_t what, const union mill_cell *cells,
                               int64_t m, int64_t i, int64_t ddof)
{
    if (kind == TIDEMILL_REDUCE_MEAN) return cells[i].f / (double)cells[m + i].i;
    double count = cells[3 * m + i].f;
    if (what == TIDEMILL_REDUCE_MEAN) return count > 0 ? cells[i].f + cells[m + i].f : NAN;
    if (!(count > (double)ddof)) return NAN;
    double variance = cells[2 * m + i].f / (count - (double)ddof);
    return what == TIDEMILL_REDUCE_STD ? sqrt(variance) : variance;
}

static void answer_statistics(int32_t kind, int32_t what, int32_t type,
                              const union mill_cell *cells, int64_t m, int64_t ddof, void *out)
{
    for (int64_t i = 0; i < m; i++) {
        union mill_cell one = {.f = answer_statistic(kind, what, cells, m, i, ddof)};
        answer_floats(&one, 1, type, (char *)out + i * mill_reduce_type_size(type));
    }
}

/* Whether one of the results is of no elements. */
static int answer_is_of_none(int32_t plain, const union mill_cell *cells, int64_t m)
{
    int is_place = plain == TIDEMILL_REDUCE_ARGMIN || plain == TIDEMILL_REDUCE_ARGMAX;
    for (int64_t i = 0; i < m; i++)
        if (is_place ? cells[m + i].i < 0 : cells[m + i].i == 0) return 1;
    return 0;
}

/* The least or greatest of those that are not NaN; NaN of none. */
static void answer_nan_extremes(const union mill_cell *cells, int64_t m, int32_t type,
                                void *out)
{
    for (int64_t i = 0; i < m; i++) {
        union mill_cell one = {.f = cells[m + i].i ? cells[i].f : NAN};
        answer_floats(&one, 1, type, (char *)out + i * mill_reduce_type_size(type));
    }
}

static int answer_fits(int32_t kind, int32_t what)
{
    if (kind == what) return mill_plain_kind(kind) != TIDEMILL_REDUCE_MOMENTS;
    int32_t nan = kind & TIDEMILL_REDUCE_NAN;
    return kind == (TIDEMILL_REDUCE_MOMENTS | nan) &&
           (what == (TIDEMILL_REDUCE_MEAN | nan) || what == (TIDEMILL_REDUCE_VAR | nan) ||
            what == (TIDEMILL_REDUCE_STD | nan));
}

int64_t tidemill_kernel_reduce_finish(int32_t kind, int32_t what, int32_t type,
                                      const void *partial, int64_t m, int64_t ddof, void *out)
{
    const struct mill_reduction *how = mill_reduction_find(kind, type);
    if (!how || m < 0 || ddof < 0 || !answer_fits(kind, what)) return -1;
    const union mill_cell *cells = partial;
    int32_t plain = mill_plain_kind(kind), result = tidemill_kernel_reduce_type(what, type);
    int is_place = plain == TIDEMILL_REDUCE_ARGMIN || plain == TIDEMILL_REDUCE_ARGMAX;
    int is_nan_extreme = how->floats && how->skips && mill_is_extreme_kind(plain);
    if (mill_is_extreme_kind(plain) && !is_nan_extreme && answer_is_of_none(plain, cells, m))
        return -1;
    if (plain == TIDEMILL_REDUCE_MEAN || plain == TIDEMILL_REDUCE_MOMENTS)
        answer_statistics(plain, mill_plain_kind(what), result, cells, m, ddof, out);
    else if (is_nan_extreme)
        answer_nan_extremes(cells, m, result, out);
    else if (is_place)
        answer_ints(cells + m, m, result, out);
    else if (how->floats)
        answer_floats(cells, m, result, out);
    else
        answer_ints(cells, m, result, out);
    return 0;
}
