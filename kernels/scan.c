/* scan: running sums, products, greatest and least values; see scan.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/scan.h"

#include <math.h>

#include "kernels/reduce_bodies.h"

typedef void scan_body(const void *x, int64_t outer, int64_t n, int64_t inner,
                       union mill_cell *carry, void *out);

#define SCAN_SUM(held, value)  (held) + (value)
#define SCAN_PROD(held, value) (held) * (value)
/* A NaN that is held stays: no comparison with it is true. */
#define SCAN_MAX(held, value)     (value) > (held) ? (value) : (held)
#define SCAN_MIN(held, value)     (value) < (held) ? (value) : (held)
#define SCAN_NAN_MAX(held, value) (value) > (held) || (value) != (value) ? (value) : (held)
#define SCAN_NAN_MIN(held, value) (value) < (held) || (value) != (value) ? (value) : (held)

#define SCAN_AS_IT_IS(value) (value)

/* `type` is that of the carry's `field`, or unsigned, so that sums wrap; a row keeps it in a
 * register, columns in `carry`. */
#define SCAN_BODY(name, from, to, type, field, step, written)                                  \
    static void scan_##name(const void *x, int64_t outer, int64_t n, int64_t inner,            \
                            union mill_cell *carry, void *out)                                 \
    {                                                                                          \
        const from *in = x;                                                                    \
        to *place = out;                                                                       \
        for (int64_t o = 0; o < outer; o++, carry += inner) {                                  \
            type held = inner ? (type)carry->field : 0;                                        \
            if (inner == 1)                                                                    \
                for (int64_t k = 0; k < n; k++) {                                              \
                    type value = (type)*in++;                                                  \
                    held = step(held, value);                                                  \
                    *place++ = (to)written(held);                                              \
                }                                                                              \
            for (int64_t k = 0; k < n && inner > 1; k++)                                       \
                for (int64_t j = 0; j < inner; j++) {                                          \
                    type value = (type)*in++;                                                  \
                    held = (type)carry[j].field;                                               \
                    held = step(held, value);                                                  \
                    carry[j].field = written(held);                                            \
                    *place++ = (to)written(held);                                              \
                }                                                                              \
            if (inner == 1) carry->field = written(held);                                      \
        }                                                                                      \
    }

#define SCAN_TOTALS(name, step)                                                                \
    SCAN_BODY(name##_byte, uint8_t, int64_t, uint64_t, i, step, (int64_t))                     \
    SCAN_BODY(name##_int32, int32_t, int64_t, uint64_t, i, step, (int64_t))                    \
    SCAN_BODY(name##_int64, int64_t, int64_t, uint64_t, i, step, (int64_t))                    \
    SCAN_BODY(name##_float32, float, float, double, f, step, mill_one_nan)                     \
    SCAN_BODY(name##_float64, double, double, double, f, step, mill_one_nan)

#define SCAN_EXTREMES(name, step, nan_step)                                                    \
    SCAN_BODY(name##_byte, uint8_t, uint8_t, int64_t, i, step, SCAN_AS_IT_IS)                  \
    SCAN_BODY(name##_int32, int32_t, int32_t, int64_t, i, step, SCAN_AS_IT_IS)                 \
    SCAN_BODY(name##_int64, int64_t, int64_t, int64_t, i, step, SCAN_AS_IT_IS)                 \
    SCAN_BODY(name##_float32, float, float, double, f, nan_step, mill_one_nan)                 \
    SCAN_BODY(name##_float64, double, double, double, f, nan_step, mill_one_nan)

SCAN_TOTALS(sum, SCAN_SUM)
SCAN_TOTALS(prod, SCAN_PROD)
SCAN_EXTREMES(max, SCAN_MAX, SCAN_NAN_MAX)
SCAN_EXTREMES(min, SCAN_MIN, SCAN_NAN_MIN)

static scan_body *scan_find(int32_t kind, int32_t type)
{
    static scan_body *const bodies[4][5] = {
        {scan_sum_byte, scan_sum_int32, scan_sum_int64, scan_sum_float32, scan_sum_float64},
        {scan_prod_byte, scan_prod_int32, scan_prod_int64, scan_prod_float32,
         scan_prod_float64},
        {scan_max_byte, scan_max_int32, scan_max_int64, scan_max_float32, scan_max_float64},
        {scan_min_byte, scan_min_int32, scan_min_int64, scan_min_float32, scan_min_float64},
    };
    int64_t size = mill_reduce_type_size(type);
    if (mill_is_float_type(type)) return bodies[kind - 1][size == 8 ? 4 : 3];
    return bodies[kind - 1][size == 8 ? 2 : size == 4 ? 1 : 0];
}

int32_t tidemill_kernel_scan_type(int32_t kind, int32_t type)
{
    if (kind < TIDEMILL_SCAN_CUMSUM || kind > TIDEMILL_SCAN_CUMMIN ||
        !mill_reduce_type_size(type))
        return 0;
    if (kind >= TIDEMILL_SCAN_CUMMAX || mill_is_float_type(type)) return type;
    return type == TIDEMILL_DATE || type == TIDEMILL_TIMESTAMP ? 0 : TIDEMILL_INT64;
}

int64_t tidemill_kernel_scan_begin(int32_t kind, int32_t type, int64_t m, void *carry)
{
    static const double floats[] = {0, 1, -INFINITY, INFINITY};
    static const int64_t ints[] = {0, 1, INT64_MIN, INT64_MAX};
    if (!tidemill_kernel_scan_type(kind, type) || m < 0) return -1;
    union mill_cell *cells = carry, start = {.i = ints[kind - 1]};
    if (mill_is_float_type(type)) start.f = floats[kind - 1];
    for (int64_t i = 0; i < m; i++) cells[i] = start;
    return 0;
}

int64_t tidemill_kernel_scan(int32_t kind, int32_t type, const void *x, int64_t outer,
                             int64_t n, int64_t inner, void *carry, void *out)
{
    if (!tidemill_kernel_scan_type(kind, type) || outer < 0 || n < 0 || inner < 0) return -1;
    scan_find(kind, type)(x, outer, n, inner, carry, out);
    return 0;
}
