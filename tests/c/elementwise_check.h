/* elementwise_check: what the tests of elementwise kernels and of casts share: types, elements of
 * any type as one kind of number, and columns that mix ordinary with special values.
 * SPDX-License-Identifier: MIT */
#ifndef ELEMENTWISE_CHECK_H
#define ELEMENTWISE_CHECK_H

#include <float.h>

#include "kernel_check.h"
#include "kernels/elementwise_bodies.h"

/* At least 113 binary digits: any element, and a sum, product or quotient of two doubles that
 * rounds to a double as the exact one does. */
#ifdef __x86_64__
typedef __float128 exact;
#else
typedef long double exact;
#endif

static const int32_t all_types[] = {TIDEMILL_BOOL,  TIDEMILL_INT32,    TIDEMILL_INT64,
                                    TIDEMILL_UINT8, TIDEMILL_FLOAT32,  TIDEMILL_FLOAT64,
                                    TIDEMILL_DATE,  TIDEMILL_TIMESTAMP};
enum { TYPES = sizeof all_types / sizeof *all_types };

static inline int is_float(int32_t type)
{
    return type == TIDEMILL_FLOAT32 || type == TIDEMILL_FLOAT64;
}

static inline size_t size_of(int32_t type)
{
    switch (type) {
    case TIDEMILL_BOOL:
    case TIDEMILL_UINT8:
        return 1;
    case TIDEMILL_INT32:
    case TIDEMILL_DATE:
    case TIDEMILL_FLOAT32:
        return 4;
    }
    return 8;
}

/* Limits of what is no float. */
static inline int64_t least_of(int32_t type)
{
    return size_of(type) == 1 ? 0 : size_of(type) == 4 ? INT32_MIN : INT64_MIN;
}

static inline int64_t greatest_of(int32_t type)
{
    if (type == TIDEMILL_BOOL) return 1;
    return size_of(type) == 1 ? UINT8_MAX : size_of(type) == 4 ? INT32_MAX : INT64_MAX;
}

static inline exact get(int32_t type, const void *x, int64_t i)
{
    if (type == TIDEMILL_FLOAT64) return ((const double *)x)[i];
    if (type == TIDEMILL_FLOAT32) return ((const float *)x)[i];
    if (size_of(type) == 1) return ((const uint8_t *)x)[i];
    return size_of(type) == 4 ? ((const int32_t *)x)[i] : ((const int64_t *)x)[i];
}

/* A float is rounded, what is no float must fit; a NaN is the one NaN. */
static inline void put(int32_t type, void *x, int64_t i, exact value)
{
    if (type == TIDEMILL_FLOAT64)
        ((double *)x)[i] = value == value ? (double)value : (double)NAN;
    else if (type == TIDEMILL_FLOAT32)
        ((float *)x)[i] = value == value ? (float)value : NAN;
    else if (size_of(type) == 1)
        ((uint8_t *)x)[i] = (uint8_t)value;
    else if (size_of(type) == 4)
        ((int32_t *)x)[i] = (int32_t)value;
    else
        ((int64_t *)x)[i] = (int64_t)value;
}

static inline int same_element(int32_t type, const void *a, const void *b, int64_t i)
{
    size_t size = size_of(type);
    return memcmp((const char *)a + (size_t)i * size, (const char *)b + (size_t)i * size,
                  size) == 0;
}

/* ---- Columns ------------------------------------------------------------------------------ */

static inline double special_double(void)
{
    static const double specials[] = {NAN,
                                      INFINITY,
                                      -INFINITY,
                                      0,
                                      -0.0,
                                      1,
                                      -1,
                                      0.5,
                                      -0.5,
                                      1.5,
                                      2.5,
                                      DBL_MIN,
                                      DBL_MAX,
                                      -DBL_MAX,
                                      0x1p-149,
                                      0x1p-1074,
                                      0x1p52,
                                      3,
                                      -3,
                                      1e-20,
                                      0.1,
                                      -7,
                                      0x1p31,
                                      -0x1p31,
                                      0x1p63,
                                      -0x1p63,
                                      0x1p62,
                                      255,
                                      256,
                                      -0.99,
                                      4503599627370495.5};
    return specials[random_below(sizeof specials / sizeof *specials)];
}

static inline void put_random(int32_t type, void *x, int64_t i, int specials)
{
    uint64_t bits = random_bits();
    if (is_float(type)) {
        double ordinary = (random_unit() - 0.5) * (double)(1 << random_below(20));
        double value = specials && bits % 4 == 0 ? special_double() : ordinary;
        put(type, x, i, bits % 8 == 1 ? nearbyint(value) : value);
        return;
    }
    int64_t range = greatest_of(type) > 1000 ? 1000 : greatest_of(type) + 1, value;
    value = random_below(range) - (least_of(type) ? range / 2 : 0);
    if (specials && bits % 8 == 0) value = least_of(type);
    if (specials && bits % 8 == 1) value = greatest_of(type);
    if (specials && bits % 8 == 2 && range > 2)
        value = (int64_t)(bits >> 3) % greatest_of(type);
    if (value < least_of(type)) value = -value;
    put(type, x, i, value);
}

/* n random elements on a buffer of their exact size. */
static inline void *random_column(int32_t type, int64_t n, int specials)
{
    void *x = exact_copy(NULL, (size_t)n * size_of(type));
    for (int64_t i = 0; i < n; i++) put_random(type, x, i, specials);
    return x;
}

#endif
