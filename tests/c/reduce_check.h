/* reduce_check: what the tests of reductions share: arrays of every type, and a plain oracle for
 * one line of elements.
 * SPDX-License-Identifier: MIT */
#ifndef REDUCE_CHECK_H
#define REDUCE_CHECK_H

#include "kernel_check.h"
#include "kernels/reduce_bodies.h"

static const int32_t kinds[] = {
    TIDEMILL_REDUCE_SUM,       TIDEMILL_REDUCE_PROD,     TIDEMILL_REDUCE_MEAN,
    TIDEMILL_REDUCE_MOMENTS,   TIDEMILL_REDUCE_MIN,      TIDEMILL_REDUCE_MAX,
    TIDEMILL_REDUCE_ARGMIN,    TIDEMILL_REDUCE_ARGMAX,   TIDEMILL_REDUCE_ANY,
    TIDEMILL_REDUCE_ALL,       TIDEMILL_REDUCE_COUNT,    TIDEMILL_REDUCE_NANSUM,
    TIDEMILL_REDUCE_NANPROD,   TIDEMILL_REDUCE_NANMEAN,  TIDEMILL_REDUCE_NANMOMENTS,
    TIDEMILL_REDUCE_NANMIN,    TIDEMILL_REDUCE_NANMAX,   TIDEMILL_REDUCE_NANARGMIN,
    TIDEMILL_REDUCE_NANARGMAX, TIDEMILL_REDUCE_NANCOUNT,
};
static const int32_t types[] = {
    TIDEMILL_BOOL,    TIDEMILL_INT32,   TIDEMILL_INT64, TIDEMILL_UINT8,
    TIDEMILL_FLOAT32, TIDEMILL_FLOAT64, TIDEMILL_DATE,  TIDEMILL_TIMESTAMP,
};
#define EACH(list, element)                                                                    \
    for (const int32_t *element = (list); element < (list) + sizeof(list) / sizeof *(list);    \
         element++)

/* ---- one line of elements, folded as reduce.h says ----------------------------------------- */

struct line {
    int is_float, by_columns;
    int64_t n, base;
    double *f; /* the elements as float64 */
    int64_t *i;
};

/* Values in the order of a block: a row's in sixteen lanes, a column's one after the other. */
static inline double oracle_fold(const double *x, int64_t count, int by_columns, int multiply)
{
    double lane[16];
    for (int l = 0; l < 16; l++) lane[l] = multiply;
    for (int64_t i = 0; i < count; i++) {
        double *to = &lane[by_columns ? 0 : i % 16];
        *to = multiply ? *to * x[i] : *to + x[i];
    }
    for (int half = 8; half && !by_columns; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] = multiply ? lane[l] * lane[l + half] : lane[l] + lane[l + half];
    return lane[0];
}

/* Blocks joined pairwise, NaNs taken out of each where they are passed over. */
static inline double oracle_total(const double *x, int64_t n, int by_columns, int multiply,
                                  int skip)
{
    int64_t block = by_columns ? 128 : 1024, half = block;
    if (n > block) {
        while (2 * half < n) half *= 2;
        double left = oracle_total(x, half, by_columns, multiply, skip);
        double right = oracle_total(x + half, n - half, by_columns, multiply, skip);
        return multiply ? left * right : left + right;
    }
    double kept[1024];
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        if (!skip || !isnan(x[i])) kept[count++] = x[i];
    return oracle_fold(kept, count, by_columns, multiply);
}

static inline int64_t oracle_count(const struct line *line, int nan_form)
{
    int64_t count = 0;
    for (int64_t i = 0; i < line->n; i++)
        count += nan_form ? !line->is_float || !isnan(line->f[i])
                          : (line->is_float ? line->f[i] != 0 : line->i[i] != 0);
    return count;
}

/* By long doubles; the squares only near. */
static inline void oracle_moments(const struct line *line, int skip, union mill_cell *cells)
{
    long double count = 0, sum = 0, squares = 0;
    for (int64_t i = 0; i < line->n; i++)
        if (!skip || !isnan(line->f[i])) sum += line->f[i], count++;
    long double mean = count > 0 ? sum / count : 0;
    for (int64_t i = 0; i < line->n; i++)
        if (!skip || !isnan(line->f[i])) squares += (line->f[i] - mean) * (line->f[i] - mean);
    cells[0].f = (double)mean;
    cells[2].f = (double)squares;
    cells[3].f = (double)count;
}

static inline int oracle_comes_before(const struct line *line, int64_t i, int64_t best,
                                      int least)
{
    if (!line->is_float) return least ? line->i[i] < line->i[best] : line->i[i] > line->i[best];
    if (isnan(line->f[i])) return !isnan(line->f[best]);
    return least ? line->f[i] < line->f[best] : line->f[i] > line->f[best];
}

static inline void oracle_extreme(const struct line *line, int least, int place, int skip,
                                  union mill_cell *cells)
{
    int64_t best = -1, seen = 0;
    for (int64_t i = 0; i < line->n; i++) {
        if (skip && isnan(line->f[i])) continue;
        seen++;
        if (best < 0 || oracle_comes_before(line, i, best, least)) best = i;
    }
    if (line->is_float)
        cells[0].f = best >= 0 ? line->f[best] + 0.0 : least ? INFINITY : -INFINITY;
    else
        cells[0].i = best >= 0 ? line->i[best] : least ? INT64_MAX : INT64_MIN;
    cells[1].i = !place ? seen : best < 0 ? -1 : line->base + best;
}

static inline int64_t oracle_int(const struct line *line, int multiply)
{
    uint64_t total = multiply;
    for (int64_t i = 0; i < line->n; i++)
        total = multiply ? total * (uint64_t)line->i[i] : total + (uint64_t)line->i[i];
    return (int64_t)total;
}

static inline void oracle(const struct line *line, int32_t kind, union mill_cell *cells)
{
    int nan = (kind & TIDEMILL_REDUCE_NAN) != 0, skip = nan && line->is_float;
    int32_t plain = kind & ~TIDEMILL_REDUCE_NAN;
    int multiply = plain == TIDEMILL_REDUCE_PROD;
    switch (plain) {
    case TIDEMILL_REDUCE_SUM:
    case TIDEMILL_REDUCE_PROD:
        if (!line->is_float) {
            cells->i = oracle_int(line, multiply);
            break;
        }
        /* fallthrough */
    case TIDEMILL_REDUCE_MEAN:
        cells[0].f = oracle_total(line->f, line->n, line->by_columns, multiply, skip);
        if (plain == TIDEMILL_REDUCE_MEAN) cells[1].i = oracle_count(line, 1);
        if (plain == TIDEMILL_REDUCE_MEAN && !nan) cells[1].i = line->n;
        break;
    case TIDEMILL_REDUCE_MOMENTS:
        oracle_moments(line, skip, cells);
        break;
    case TIDEMILL_REDUCE_COUNT:
        cells->i = oracle_count(line, nan);
        break;
    case TIDEMILL_REDUCE_ANY:
        cells->i = oracle_count(line, 0) > 0;
        break;
    case TIDEMILL_REDUCE_ALL:
        cells->i = oracle_count(line, 0) == line->n;
        break;
    default:
        oracle_extreme(line, plain == TIDEMILL_REDUCE_MIN || plain == TIDEMILL_REDUCE_ARGMIN,
                       plain >= TIDEMILL_REDUCE_ARGMIN, skip, cells);
    }
}

/* ---- arrays of every type ------------------------------------------------------------------ */

struct array {
    int32_t type;
    int64_t outer, n, inner;
    char *whole, *x; /* x stands one element after the start: an odd place */
};

enum flavour { SMALL, WILD, WITH_NAN, FLAVOURS };

static inline double made_up(enum flavour flavour)
{
    if (flavour == WITH_NAN && random_below(5) == 0) return NAN;
    if (flavour == WILD) return (random_unit() - 0.5) * pow(10, (double)random_below(12));
    return random_below(3) ? (double)(random_below(9) - 4) : random_below(2) ? -0.0 : 0.0;
}

static inline void put(struct array *a, int64_t at, double value)
{
    switch (a->type) {
    case TIDEMILL_FLOAT64:
        ((double *)a->x)[at] = value;
        return;
    case TIDEMILL_FLOAT32:
        ((float *)a->x)[at] = (float)value;
        return;
    }
    int64_t whole = isnan(value) ? 7 : (int64_t)value;
    if (a->type == TIDEMILL_BOOL)
        ((uint8_t *)a->x)[at] = whole & 1;
    else if (a->type == TIDEMILL_UINT8)
        ((uint8_t *)a->x)[at] = (uint8_t)whole;
    else if (mill_reduce_type_size(a->type) == 4)
        ((int32_t *)a->x)[at] = (int32_t)whole;
    else
        ((int64_t *)a->x)[at] = (int64_t)((uint64_t)whole << random_below(30));
}

static inline struct array array_make(int32_t type, int64_t outer, int64_t n, int64_t inner,
                                      enum flavour flavour)
{
    struct array a = {.type = type, .outer = outer, .n = n, .inner = inner};
    int64_t count = outer * n * inner, size = mill_reduce_type_size(type);
    a.whole = exact_copy(NULL, (size_t)((count + 1) * size));
    a.x = a.whole + size;
    for (int64_t at = 0; at < count; at++) put(&a, at, made_up(flavour));
    return a;
}

static inline struct line line_of(const struct array *a, int64_t o, int64_t j, int64_t base)
{
    struct line line = {.is_float = mill_is_float_type(a->type),
                        .by_columns = a->inner > 1,
                        .n = a->n,
                        .base = base,
                        .f = exact_doubles(a->n),
                        .i = exact_copy(NULL, (size_t)a->n * sizeof(int64_t))};
    int64_t size = mill_reduce_type_size(a->type);
    for (int64_t k = 0; k < a->n; k++) {
        int64_t at = (o * a->n + k) * a->inner + j;
        if (a->type == TIDEMILL_FLOAT64)
            line.f[k] = ((double *)a->x)[at];
        else if (a->type == TIDEMILL_FLOAT32)
            line.f[k] = ((float *)a->x)[at];
        else
            line.f[k] = (double)(line.i[k] = size == 8   ? ((int64_t *)a->x)[at]
                                             : size == 4 ? ((int32_t *)a->x)[at]
                                                         : ((uint8_t *)a->x)[at]);
    }
    return line;
}

static inline void *partial_of(int32_t kind, const struct array *a)
{
    int64_t planes = tidemill_kernel_reduce_planes(kind, a->type), m = a->outer * a->inner;
    return exact_doubles(planes * m);
}

static inline void fold(int32_t kind, const struct array *a, int64_t base, void *partial)
{
    int64_t bytes = tidemill_kernel_reduce_scratch(kind, a->type, a->outer, a->n, a->inner);
    void *scratch = exact_copy(NULL, (size_t)bytes);
    CHECK(tidemill_kernel_reduce(kind, a->type, a->x, a->outer, a->n, a->inner, base, partial,
                                 scratch) == 0);
    free(scratch);
}

static inline int is_expected(int32_t kind, const struct line *line, const union mill_cell *got,
                              int64_t apart)
{
    union mill_cell want[4];
    oracle(line, kind, want);
    if ((kind & ~TIDEMILL_REDUCE_NAN) == TIDEMILL_REDUCE_MOMENTS) {
        double scale = 0;
        for (int64_t k = 0; k < line->n; k++)
            if (fabs(line->f[k]) > scale) scale = fabs(line->f[k]);
        double mean = got[0].f + got[apart].f;
        int near = isnan(want[0].f) ? isnan(mean) : fabs(mean - want[0].f) <= 1e-14 * scale;
        return near && got[3 * apart].f == want[3].f &&
               is_near(got[2 * apart].f, want[2].f, 1e-11);
    }
    int64_t planes =
        tidemill_kernel_reduce_planes(kind, line->is_float ? TIDEMILL_FLOAT64 : TIDEMILL_INT64);
    for (int64_t p = 0; p < planes; p++)
        if (got[p * apart].i != want[p].i &&
            !(p == 0 && isnan(got->f) && isnan(want->f) && line->is_float))
            return 0;
    return 1;
}

static inline void check_results(int32_t kind, const struct array *a, int64_t base,
                                 const union mill_cell *partial, const char *how)
{
    int64_t m = a->outer * a->inner;
    for (int64_t i = 0; i < m; i++) {
        struct line line = line_of(a, i / a->inner, i % a->inner, base);
        CHECK_SAYING(is_expected(kind, &line, partial + i, m),
                     "%s: kind %d type %d of (%d, %d, %d), result %d", how, kind, a->type,
                     (int)a->outer, (int)a->n, (int)a->inner, (int)i);
        free(line.f);
        free(line.i);
    }
}

#endif
