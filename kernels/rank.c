/* rank: places of values among all, and the distinct ones.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/order_bodies.h"

/* The end of the run of equal values that begins at sorted place `first`. */
static int64_t rank_run_end(enum mill_kind kind, const void *x, const uint64_t *index,
                            int64_t first, int64_t n)
{
    uint64_t key = mill_key(kind, x, (int64_t)index[first]);
    int64_t end = first + 1;
    while (end < n && mill_key(kind, x, (int64_t)index[end]) == key) end++;
    return end;
}

/* The rank of sorted place i of the run first..end-1, the run number `run` from 1. */
static double rank_of(int64_t method, int64_t i, int64_t first, int64_t end, int64_t run)
{
    switch (method) {
    case TIDEMILL_RANK_AVERAGE:
        return (double)(first + 1 + end) / 2;
    case TIDEMILL_RANK_MIN:
        return (double)(first + 1);
    case TIDEMILL_RANK_MAX:
        return (double)end;
    case TIDEMILL_RANK_DENSE:
        return (double)run;
    default:
        return (double)(i + 1);
    }
}

int64_t tidemill_kernel_rank(int64_t type, const void *x, int64_t n, int64_t method,
                             int64_t *scratch, double *out)
{
    enum mill_kind kind = mill_kind_of(type);
    if (kind == MILL_KINDS || n < 0) return -1;
    if (method < TIDEMILL_RANK_AVERAGE || method > TIDEMILL_RANK_ORDINAL) return -1;
    uint64_t *index = (uint64_t *)scratch;
    int64_t count = mill_argsort(kind, x, n, 0, index, index + n), run = 0;
    for (int64_t first = 0, end; first < count; first = end) {
        end = rank_run_end(kind, x, index, first, count);
        run++;
        for (int64_t i = first; i < end; i++)
            out[index[i]] = rank_of(method, i, first, end, run);
    }
    for (int64_t i = count; i < n; i++) out[index[i]] = NAN;
    return 0;
}

/* ---- Distinct values --------------------------------------------------------------------- */

/* A NaN becomes the one NaN. */
static void rank_value(enum mill_kind kind, const void *x, int64_t i, void *values, int64_t to)
{
    switch (kind) {
    case MILL_KIND_F64:
        ((double *)values)[to] = mill_one_nan(((const double *)x)[i]);
        break;
    case MILL_KIND_F32: {
        float value = ((const float *)x)[i];
        ((float *)values)[to] = value == value ? value : __builtin_nanf("");
        break;
    }
    case MILL_KIND_I64:
        ((int64_t *)values)[to] = ((const int64_t *)x)[i];
        break;
    case MILL_KIND_I32:
        ((int32_t *)values)[to] = ((const int32_t *)x)[i];
        break;
    default:
        ((uint8_t *)values)[to] = ((const uint8_t *)x)[i];
        break;
    }
}

int64_t tidemill_kernel_unique(int64_t type, const void *x, int64_t n, void *values,
                               int64_t *counts)
{
    enum mill_kind kind = mill_kind_of(type);
    if (kind == MILL_KINDS || n < 0) return -1;
    int64_t distinct = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        uint64_t key = mill_key(kind, x, i);
        for (end = i + 1; end < n && mill_key(kind, x, end) == key;) end++;
        rank_value(kind, x, i, values, distinct);
        if (counts) counts[distinct] = end - i;
        distinct++;
    }
    return distinct;
}

int64_t tidemill_kernel_unique_index(int64_t type, const void *x, int64_t n, int64_t base,
                                     int64_t *scratch, void *values, int64_t *first,
                                     int64_t *counts, int64_t *inverse)
{
    enum mill_kind kind = mill_kind_of(type);
    if (kind == MILL_KINDS || n < 0) return -1;
    uint64_t *index = (uint64_t *)scratch;
    mill_argsort(kind, x, n, 0, index, index + n);
    int64_t distinct = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        end = rank_run_end(kind, x, index, i, n);
        rank_value(kind, x, (int64_t)index[i], values, distinct);
        if (first) first[distinct] = (int64_t)index[i] + base;
        if (counts) counts[distinct] = end - i;
        for (int64_t j = i; inverse && j < end; j++) inverse[index[j]] = distinct + base;
        distinct++;
    }
    return distinct;
}
