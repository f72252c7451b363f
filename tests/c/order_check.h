/* order_check: values of every type and the order they stand in, for the tests that sort.
 * The oracle is a merge sort that knows of two values no more than which comes first.
 * SPDX-License-Identifier: MIT */
#ifndef ORDER_CHECK_H
#define ORDER_CHECK_H

#include "kernel_check.h"
#include "kernels/order_bodies.h"

static const int64_t types[] = {TIDEMILL_FLOAT64, TIDEMILL_FLOAT32,  TIDEMILL_INT64,
                                TIDEMILL_INT32,   TIDEMILL_UINT8,    TIDEMILL_BOOL,
                                TIDEMILL_DATE,    TIDEMILL_TIMESTAMP};
enum { TYPES = sizeof types / sizeof *types };

static inline int64_t size_of(int64_t type)
{
    return mill_kind_size(mill_kind_of(type));
}

/* ---- Made-up values ------------------------------------------------------------------------ */

enum { PATTERNS = 9 };

/* Bits with every exponent, NaNs of several kinds among them. */
static inline double any_double(void)
{
    uint64_t bits = random_bits();
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double special_double(void)
{
    static const double special[] = {0.0,  -0.0,      INFINITY, -INFINITY, NAN,
                                     -NAN, 0x1p-1074, 1,        -1};
    return special[random_below(sizeof special / sizeof *special)];
}

static inline double made_double(int pattern, int64_t i, int64_t n)
{
    switch (pattern) {
    case 0:
        return random_unit();
    case 1:
        return (double)random_below(7) - 3;
    case 2:
        return special_double();
    case 3:
        return any_double();
    case 4:
        return (double)i;
    case 5:
        return (double)(n - i / 3);
    case 6:
        return 1 + (double)random_below(40) * 0x1p-52; /* alike in their upper digits */
    case 7:
        return random_below(2) ? 1e300 : 1e300 * (1 + (double)random_below(9) * 0x1p-52);
    default:
        return random_below(5) ? random_unit() - 0.5 : special_double();
    }
}

static inline int64_t made_integer(int pattern, int64_t i, int64_t n)
{
    switch (pattern) {
    case 0:
        return (int64_t)random_bits();
    case 1:
        return random_below(7) - 3;
    case 2:
        return random_below(2) ? INT64_MAX - random_below(2) : INT64_MIN + random_below(2);
    case 3:
        return (int64_t)(random_bits() >> random_below(64));
    case 4:
        return i;
    case 5:
        return n - i / 3;
    case 6:
        return random_below(1 << 20) << 40;
    case 7:
        return -random_below(3000);
    default:
        return 1700000000000000 + random_below(1000000000000);
    }
}

static inline void *made_values(int64_t type, int pattern, int64_t n)
{
    char *x = exact_copy(NULL, (size_t)(n * size_of(type)));
    for (int64_t i = 0; i < n; i++) {
        switch (mill_kind_of(type)) {
        case MILL_KIND_F64:
            ((double *)x)[i] = made_double(pattern, i, n);
            break;
        case MILL_KIND_F32:
            ((float *)x)[i] = (float)made_double(pattern, i, n);
            break;
        case MILL_KIND_I64:
            ((int64_t *)x)[i] = made_integer(pattern, i, n);
            break;
        case MILL_KIND_I32:
            ((int32_t *)x)[i] = (int32_t)made_integer(pattern, i, n);
            break;
        default:
            ((uint8_t *)x)[i] = (uint8_t)made_integer(pattern, i, n) & (type == 1 ? 1 : 255);
        }
    }
    return x;
}

/* ---- The oracle ---------------------------------------------------------------------------- */

/* long double holds all of them exactly. */
static inline long double value_at(int64_t type, const void *x, int64_t i)
{
    switch (mill_kind_of(type)) {
    case MILL_KIND_F64:
        return ((const double *)x)[i];
    case MILL_KIND_F32:
        return ((const float *)x)[i];
    case MILL_KIND_I64:
        return ((const int64_t *)x)[i];
    case MILL_KIND_I32:
        return ((const int32_t *)x)[i];
    default:
        return ((const uint8_t *)x)[i];
    }
}

static inline int comes_before(long double a, long double b, int descending)
{
    if (isnan(a) || isnan(b)) return !isnan(a) && isnan(b);
    return descending ? a > b : a < b;
}

static inline void oracle_part(int64_t type, const void *x, int descending, int64_t *index,
                               int64_t *spare, int64_t n)
{
    if (n < 2) return;
    int64_t half = n / 2, i = 0, j = half;
    oracle_part(type, x, descending, index, spare, half);
    oracle_part(type, x, descending, index + half, spare, n - half);
    for (int64_t k = 0; k < n; k++) {
        int right =
            i == half || (j < n && comes_before(value_at(type, x, index[j]),
                                                value_at(type, x, index[i]), descending));
        spare[k] = right ? index[j++] : index[i++];
    }
    memcpy(index, spare, (size_t)n * sizeof *index);
}

static inline int64_t *oracle(int64_t type, const void *x, int64_t n, int descending)
{
    int64_t *index = exact_copy(NULL, (size_t)n * sizeof *index);
    int64_t *spare = exact_copy(NULL, (size_t)n * sizeof *spare);
    for (int64_t i = 0; i < n; i++) index[i] = i;
    oracle_part(type, x, descending, index, spare, n);
    free(spare);
    return index;
}

/* The bits of a value, but of the one NaN where it is any. */
static inline int is_value(int64_t type, const void *x, int64_t i, const void *out, int64_t k)
{
    double nan = __builtin_nan("");
    float nan32 = __builtin_nanf("");
    const char *got = (const char *)out + k * size_of(type);
    const void *expected = (const char *)x + i * size_of(type);
    if (isnan(value_at(type, x, i))) expected = size_of(type) == 8 ? (void *)&nan : &nan32;
    return memcmp(got, expected, (size_t)size_of(type)) == 0;
}

#endif
