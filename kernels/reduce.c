/* reduce: the kinds of folding, and the types that each takes and gives.
 * SPDX-License-Identifier: MIT */
#include "kernels/reduce_bodies.h"

int64_t mill_reduce_type_size(int32_t type)
{
    switch (type) {
    case TIDEMILL_BOOL:
    case TIDEMILL_UINT8:
        return 1;
    case TIDEMILL_INT32:
    case TIDEMILL_DATE:
    case TIDEMILL_FLOAT32:
        return 4;
    case TIDEMILL_INT64:
    case TIDEMILL_TIMESTAMP:
    case TIDEMILL_FLOAT64:
        return 8;
    }
    return 0;
}

int32_t tidemill_kernel_reduce_kind(int32_t what)
{
    int32_t kind = mill_plain_kind(what), nan = what & TIDEMILL_REDUCE_NAN;
    if (kind < TIDEMILL_REDUCE_SUM || kind > TIDEMILL_REDUCE_STD) return 0;
    if (nan && (kind == TIDEMILL_REDUCE_ANY || kind == TIDEMILL_REDUCE_ALL)) return 0;
    return kind >= TIDEMILL_REDUCE_VAR ? TIDEMILL_REDUCE_MOMENTS | nan : what;
}

int32_t tidemill_kernel_reduce_type(int32_t what, int32_t type)
{
    int32_t kind = mill_plain_kind(what);
    if (!tidemill_kernel_reduce_kind(what) || !mill_reduce_type_size(type)) return 0;
    if ((type == TIDEMILL_DATE || type == TIDEMILL_TIMESTAMP) && !mill_is_extreme_kind(kind) &&
        what != TIDEMILL_REDUCE_NANCOUNT)
        return 0;
    switch (kind) {
    case TIDEMILL_REDUCE_SUM:
    case TIDEMILL_REDUCE_PROD:
        return mill_is_float_type(type) ? type : TIDEMILL_INT64;
    case TIDEMILL_REDUCE_MIN:
    case TIDEMILL_REDUCE_MAX:
        return type;
    case TIDEMILL_REDUCE_ARGMIN:
    case TIDEMILL_REDUCE_ARGMAX:
    case TIDEMILL_REDUCE_COUNT:
        return TIDEMILL_INT64;
    case TIDEMILL_REDUCE_ANY:
    case TIDEMILL_REDUCE_ALL:
        return TIDEMILL_BOOL;
    }
    return type == TIDEMILL_FLOAT32 && kind != TIDEMILL_REDUCE_MOMENTS ? type
                                                                       : TIDEMILL_FLOAT64;
}

const struct mill_reduction *mill_reduction_find(int32_t kind, int32_t type)
{
    if (!tidemill_kernel_reduce_type(kind, type)) return NULL;
    int is_float = mill_is_float_type(type), nan = (kind & TIDEMILL_REDUCE_NAN) != 0;
    int32_t plain = mill_plain_kind(kind);
    switch (plain) {
    case TIDEMILL_REDUCE_SUM:
        if (type == TIDEMILL_BOOL) /* bytes that are 0 or 1 */
            return mill_reduction_tally(TIDEMILL_REDUCE_COUNT, MILL_VALUE_BYTE, 0);
        return mill_reduction_total(plain, is_float, nan && is_float);
    case TIDEMILL_REDUCE_PROD:
    case TIDEMILL_REDUCE_MEAN:
        return mill_reduction_total(plain, is_float, nan && is_float);
    case TIDEMILL_REDUCE_MOMENTS:
        return mill_reduction_moments(nan && is_float);
    case TIDEMILL_REDUCE_MIN:
    case TIDEMILL_REDUCE_MAX:
        return mill_reduction_extreme(plain, is_float, nan && is_float);
    case TIDEMILL_REDUCE_ARGMIN:
    case TIDEMILL_REDUCE_ARGMAX:
        return mill_reduction_place(plain, is_float, nan && is_float);
    case TIDEMILL_REDUCE_ANY:
    case TIDEMILL_REDUCE_ALL:
    case TIDEMILL_REDUCE_COUNT:
        return mill_reduction_tally(plain,
                                    is_float                  ? MILL_VALUE_FLOAT
                                    : mill_is_byte_type(type) ? MILL_VALUE_BYTE
                                                              : MILL_VALUE_INT,
                                    nan);
    }
    return NULL;
}

int64_t tidemill_kernel_reduce_planes(int32_t kind, int32_t type)
{
    const struct mill_reduction *how = mill_reduction_find(kind, type);
    return how ? how->planes : -1;
}

int64_t tidemill_kernel_reduce_join(int32_t kind, int32_t type, void *left, const void *right,
                                    int64_t m)
{
    const struct mill_reduction *how = mill_reduction_find(kind, type);
    if (!how || m < 0) return -1;
    union mill_cell *cells = left;
    how->join(cells, m, right, m, m);
    for (int64_t i = 0; i < how->floats * m; i++) cells[i].f = mill_one_nan(cells[i].f);
    return 0;
}
