/* cast: conversions between the element types.
 * The plain bodies are the specification; the wider ones stand in cast_wide.h.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "kernels/elementwise_bodies.h"

/* ---- Plain bodies -------------------------------------------------------------------------- */

/* p is an element; it is refused unless `fits`. */
#define CAST_BODY(name, from, to, fits, value)                                                 \
    static int64_t name(const void *a, void *out, int64_t n)                                   \
    {                                                                                          \
        const from *x = a;                                                                     \
        to *result = out;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                      \
            from p = x[i];                                                                     \
            if (!(fits)) return i;                                                             \
            result[i] = (to)(value);                                                           \
        }                                                                                      \
        return n;                                                                              \
    }

CAST_BODY(double_to_float, double, float, 1, p)
CAST_BODY(float_to_double, float, double, 1, p)
CAST_BODY(int64_to_double, int64_t, double, 1, p)
CAST_BODY(int64_to_float, int64_t, float, 1, p)
CAST_BODY(int32_to_double, int32_t, double, 1, p)
CAST_BODY(int32_to_float, int32_t, float, 1, p)
CAST_BODY(uint8_to_double, uint8_t, double, 1, p)
CAST_BODY(uint8_to_float, uint8_t, float, 1, p)

/* To bool: whether it is not 0, which is a comparison. */
#define CAST_TO_BOOL(name, type)                                                               \
    static int64_t name(const void *x, void *out, int64_t n)                                   \
    {                                                                                          \
        static const int64_t zero = 0;                                                         \
        mill_apply_find(TIDEMILL_OP_NE, type)(x, 1, &zero, 0, NULL, 0, out, n);                \
        return n;                                                                              \
    }
CAST_TO_BOOL(double_to_bool, TIDEMILL_FLOAT64)
CAST_TO_BOOL(float_to_bool, TIDEMILL_FLOAT32)
CAST_TO_BOOL(int64_to_bool, TIDEMILL_INT64)
CAST_TO_BOOL(int32_to_bool, TIDEMILL_INT32)
CAST_TO_BOOL(uint8_to_bool, TIDEMILL_UINT8)

/* Limits that a float has exactly: what is cut toward zero fits when the uncut number does. */
CAST_BODY(double_to_int64, double, int64_t, p >= -0x1p63 && p < 0x1p63, p)
CAST_BODY(double_to_int32, double, int32_t, p > -0x1p31 - 1 && p < 0x1p31, p)
CAST_BODY(double_to_uint8, double, uint8_t, p > -1 && p < 256, p)
CAST_BODY(float_to_int64, float, int64_t, p >= -0x1p63f && p < 0x1p63f, p)
CAST_BODY(float_to_int32, float, int32_t, p >= -0x1p31f && p < 0x1p31f, p)
CAST_BODY(float_to_uint8, float, uint8_t, p > -1 && p < 256, p)
CAST_BODY(int64_to_int32, int64_t, int32_t, p >= INT32_MIN && p <= INT32_MAX, p)
CAST_BODY(int64_to_uint8, int64_t, uint8_t, p >= 0 && p <= UINT8_MAX, p)
CAST_BODY(int32_to_int64, int32_t, int64_t, 1, p)
CAST_BODY(int32_to_uint8, int32_t, uint8_t, p >= 0 && p <= UINT8_MAX, p)
CAST_BODY(uint8_to_int64, uint8_t, int64_t, 1, p)
CAST_BODY(uint8_to_int32, uint8_t, int32_t, 1, p)

#define CAST_COPY(name, size)                                                                  \
    static int64_t name(const void *x, void *out, int64_t n)                                   \
    {                                                                                          \
        if (n > 0) memmove(out, x, (size_t)(size * n));                                        \
        return n;                                                                              \
    }
CAST_COPY(cast_copy_8, 8)
CAST_COPY(cast_copy_4, 4)
CAST_COPY(cast_copy_1, 1)

/* In the order of enum mill_class, bool last. */
const mill_cast_table mill_cast_plain = {
    [MILL_CLASS_F64] = {cast_copy_8, double_to_float, double_to_int64, double_to_int32,
                        double_to_uint8, double_to_bool},
    [MILL_CLASS_F32] = {float_to_double, cast_copy_4, float_to_int64, float_to_int32,
                        float_to_uint8, float_to_bool},
    [MILL_CLASS_I64] = {int64_to_double, int64_to_float, cast_copy_8, int64_to_int32,
                        int64_to_uint8, int64_to_bool},
    [MILL_CLASS_I32] = {int32_to_double, int32_to_float, int32_to_int64, cast_copy_4,
                        int32_to_uint8, int32_to_bool},
    [MILL_CLASS_U8] = {uint8_to_double, uint8_to_float, uint8_to_int64, uint8_to_int32,
                       cast_copy_1, uint8_to_bool},
};

/* ---- Dates ---------------------------------------------------------------------------------- */

static const int64_t CAST_DAY = 86400000000; /* microseconds */

static int64_t date_to_timestamp(const void *x, void *out, int64_t n)
{
    const int32_t *days = x;
    int64_t *times = out;
    for (int64_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(days[i], CAST_DAY, &times[i])) return i;
    return n;
}

static int64_t timestamp_to_date(const void *x, void *out, int64_t n)
{
    const int64_t *times = x;
    int32_t *days = out;
    for (int64_t i = 0; i < n; i++)
        days[i] = (int32_t)(times[i] / CAST_DAY - (times[i] % CAST_DAY < 0));
    return n;
}

/* ---- Kernels -------------------------------------------------------------------------------- */

static const mill_cast_table *const cast_wide[MILL_ISAS] = {
    [MILL_ISA_PLAIN] = NULL,
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = &mill_cast_avx2,
    [MILL_ISA_AVX512] = &mill_cast_avx512,
#endif
#ifdef MILL_KERNEL_NEON
    [MILL_ISA_NEON] = &mill_cast_neon,
#endif
};

mill_cast_body *mill_cast_find(int32_t from, int32_t to)
{
    int from_class = mill_class_of(from), to_class = mill_class_of(to);
    if (from_class < 0 || to_class < 0) return NULL;
    if (from == TIDEMILL_DATE && to == TIDEMILL_TIMESTAMP) return date_to_timestamp;
    if (from == TIDEMILL_TIMESTAMP && to == TIDEMILL_DATE) return timestamp_to_date;
    if (to == TIDEMILL_BOOL && from != TIDEMILL_BOOL) to_class = MILL_CAST_BOOL;
    const mill_cast_table *wide = cast_wide[mill_kernel_isa_number()];
    if (wide && (*wide)[from_class][to_class]) return (*wide)[from_class][to_class];
    return mill_cast_plain[from_class][to_class];
}

enum { CAST_BLOCK = 1024 };

int64_t tidemill_kernel_cast(int32_t from, int32_t to, const void *x, void *out, int64_t n)
{
    mill_cast_body *body = mill_cast_find(from, to);
    if (!body || n < 0) return -1;
    int64_t from_size = mill_class_size(mill_class_of(from));
    int64_t to_size = mill_class_size(mill_class_of(to));
    for (int64_t i = 0; i < n; i += CAST_BLOCK) {
        int64_t count = mill_least(CAST_BLOCK, n - i);
        char *here = (char *)out + i * to_size;
        int64_t done = body((const char *)x + i * from_size, here, count);
        if (done < count) return i + done;
        mill_one_nans(to, here, count);
    }
    return n;
}
