/* compare: plain bodies of the elementwise ops that compare, test, choose and copy: the
 * specification.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernels/elementwise_bodies.h"

/* A body whose element is `value`, made of p, q and r, the elements of a, b and c; those that it
 * does not name are never read (the caller's steps for them are taken as 0). */
#define COMPARE_BODY(name, a_type, type, result_type, b_read, c_read, value)                   \
    static void name(const void *a, int64_t a_step, const void *b, int64_t b_step,             \
                     const void *c, int64_t c_step, void *out, int64_t n)                      \
    {                                                                                          \
        const a_type *x = a;                                                                   \
        const type *y = b_read ? b : a, *z = c_read ? c : y;                                   \
        result_type *result = out;                                                             \
        for (int64_t i = 0; i < n; i++) {                                                      \
            a_type p = x[i * a_step];                                                          \
            type q = b_read ? y[i * b_step] : 0, r = c_read ? z[i * c_step] : 0;               \
            (void)q, (void)r;                                                                  \
            result[i] = value;                                                                 \
        }                                                                                      \
    }

/* The element that is NaN, else the lesser (greater), else the second; unsigned bytes, integers
 * and floats alike. */
#define COMPARE_MIN(p, q) ((p) != (p) || (p) < (q) ? (p) : (q))
#define COMPARE_MAX(p, q) ((p) != (p) || (p) > (q) ? (p) : (q))

#define COMPARE_TYPE(type, clip)                                                               \
    COMPARE_BODY(eq_##type, type, type, uint8_t, 1, 0, p == q)                                 \
    COMPARE_BODY(ne_##type, type, type, uint8_t, 1, 0, p != q)                                 \
    COMPARE_BODY(lt_##type, type, type, uint8_t, 1, 0, p < q)                                  \
    COMPARE_BODY(le_##type, type, type, uint8_t, 1, 0, p <= q)                                 \
    COMPARE_BODY(gt_##type, type, type, uint8_t, 1, 0, p > q)                                  \
    COMPARE_BODY(ge_##type, type, type, uint8_t, 1, 0, p >= q)                                 \
    COMPARE_BODY(min_##type, type, type, type, 1, 0, COMPARE_MIN(p, q))                        \
    COMPARE_BODY(max_##type, type, type, type, 1, 0, COMPARE_MAX(p, q))                        \
    static inline type clip(type p, type q, type r)                                            \
    {                                                                                          \
        type low = COMPARE_MAX(p, q);                                                          \
        return COMPARE_MIN(low, r);                                                            \
    }                                                                                          \
    COMPARE_BODY(clip_##type, type, type, type, 1, 1, clip(p, q, r))                           \
    COMPARE_BODY(where_##type, uint8_t, type, type, 1, 1, p ? q : r)

COMPARE_TYPE(double, compare_clip_double)
COMPARE_TYPE(float, compare_clip_float)
COMPARE_TYPE(int64_t, compare_clip_int64)
COMPARE_TYPE(int32_t, compare_clip_int32)
COMPARE_TYPE(uint8_t, compare_clip_uint8)

#define COMPARE_TESTS(type)                                                                    \
    COMPARE_BODY(isnan_##type, type, type, uint8_t, 0, 0, p != p)                              \
    COMPARE_BODY(isfinite_##type, type, type, uint8_t, 0, 0, p - p == 0)                       \
    COMPARE_BODY(isinf_##type, type, type, uint8_t, 0, 0, p == p && p - p != 0)
COMPARE_TESTS(double)
COMPARE_TESTS(float)

/* Of integers and bools: the same for all. */
static void always_false(const void *a, int64_t a_step, const void *b, int64_t b_step,
                         const void *c, int64_t c_step, void *out, int64_t n)
{
    (void)a, (void)a_step, (void)b, (void)b_step, (void)c, (void)c_step;
    if (n > 0) memset(out, 0, (size_t)n);
}

static void always_true(const void *a, int64_t a_step, const void *b, int64_t b_step,
                        const void *c, int64_t c_step, void *out, int64_t n)
{
    (void)a, (void)a_step, (void)b, (void)b_step, (void)c, (void)c_step;
    if (n > 0) memset(out, 1, (size_t)n);
}

/* ---- Copies ------------------------------------------------------------------------------- */

#define COMPARE_COPY(name, size)                                                               \
    static void name(const void *a, int64_t a_step, const void *b, int64_t b_step,             \
                     const void *c, int64_t c_step, void *out, int64_t n)                      \
    {                                                                                          \
        (void)b, (void)b_step, (void)c, (void)c_step;                                          \
        if (n <= 0) return;                                                                    \
        if (a_step)                                                                            \
            memmove(out, a, (size_t)(size * n));                                               \
        else                                                                                   \
            mill_apply_spread(out, a, size, n);                                                \
    }
COMPARE_COPY(copy_8, 8)
COMPARE_COPY(copy_4, 4)
COMPARE_COPY(copy_1, 1)

#define COMPARE_ROW(name)                                                                      \
    {                                                                                          \
        name##_double, name##_float, name##_int64_t, name##_int32_t, name##_uint8_t            \
    }
#define COMPARE_WHOLE                                                                          \
    {                                                                                          \
        NULL, NULL, copy_8, copy_4                                                             \
    }
#define COMPARE_TEST_ROW(name, always)                                                         \
    {                                                                                          \
        name##_double, name##_float, always, always, always                                    \
    }

const mill_apply_table mill_compare_plain = {
    [TIDEMILL_OP_EQ] = COMPARE_ROW(eq),
    [TIDEMILL_OP_NE] = COMPARE_ROW(ne),
    [TIDEMILL_OP_LT] = COMPARE_ROW(lt),
    [TIDEMILL_OP_LE] = COMPARE_ROW(le),
    [TIDEMILL_OP_GT] = COMPARE_ROW(gt),
    [TIDEMILL_OP_GE] = COMPARE_ROW(ge),
    [TIDEMILL_OP_MIN] = COMPARE_ROW(min),
    [TIDEMILL_OP_MAX] = COMPARE_ROW(max),
    [TIDEMILL_OP_CLIP] = COMPARE_ROW(clip),
    [TIDEMILL_OP_WHERE] = COMPARE_ROW(where),
    [TIDEMILL_OP_ISNAN] = COMPARE_TEST_ROW(isnan, always_false),
    [TIDEMILL_OP_ISFINITE] = COMPARE_TEST_ROW(isfinite, always_true),
    [TIDEMILL_OP_ISINF] = COMPARE_TEST_ROW(isinf, always_false),
    [TIDEMILL_OP_COPY] = {copy_8, copy_4, copy_8, copy_4, copy_1},
    /* An integer is whole already. */
    [TIDEMILL_OP_FLOOR] = COMPARE_WHOLE,
    [TIDEMILL_OP_CEIL] = COMPARE_WHOLE,
    [TIDEMILL_OP_ROUND] = COMPARE_WHOLE,
    [TIDEMILL_OP_TRUNC] = COMPARE_WHOLE,
};
