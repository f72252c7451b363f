/* transcendental: elementwise bodies of the functions of kernels/elementary.h, which have the
 * same bits with every instruction set.  float32 goes through float64, block by block.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "kernels/elementary.h"
#include "kernels/elementwise_bodies.h"

enum { TRANSCENDENTAL_BLOCK = 256 };

typedef void transcendental_one(const double *x, int64_t n, double *out);
typedef int64_t transcendental_two(const double *x, int64_t step_x, const double *y,
                                   int64_t step_y, int64_t n, double *out);

/* ---- float64 ------------------------------------------------------------------------------- */

static void one_double(transcendental_one *function, const void *a, int64_t a_step, void *out,
                       int64_t n)
{
    if (n <= 0) return;
    function(a, a_step ? n : 1, out);
    if (!a_step) mill_apply_spread(out, out, sizeof(double), n);
}

/* ---- float32 ------------------------------------------------------------------------------- */

static void widen_floats(const float *x, int64_t step, double *wide, int64_t n)
{
    for (int64_t i = 0; i < n; i++) wide[i] = x[i * step];
}

static void narrow_doubles(const double *wide, float *out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) out[i] = (float)wide[i];
}

static void one_float(transcendental_one *function, const float *a, int64_t a_step, float *out,
                      int64_t n)
{
    double wide[TRANSCENDENTAL_BLOCK];
    for (int64_t i = 0; i < n; i += TRANSCENDENTAL_BLOCK) {
        int64_t count = mill_least(TRANSCENDENTAL_BLOCK, n - i);
        widen_floats(a + i * a_step, a_step, wide, count);
        function(wide, count, wide);
        narrow_doubles(wide, out + i, count);
    }
}

static void two_float(transcendental_two *function, const float *a, int64_t a_step,
                      const float *b, int64_t b_step, float *out, int64_t n)
{
    double x[TRANSCENDENTAL_BLOCK], y[TRANSCENDENTAL_BLOCK];
    for (int64_t i = 0; i < n; i += TRANSCENDENTAL_BLOCK) {
        int64_t count = mill_least(TRANSCENDENTAL_BLOCK, n - i);
        widen_floats(a + i * a_step, a_step, x, count);
        widen_floats(b + i * b_step, b_step, y, count);
        function(x, 1, y, 1, count, x);
        narrow_doubles(x, out + i, count);
    }
}

/* ---- Bodies -------------------------------------------------------------------------------- */

#define TRANSCENDENTAL_ONE(name)                                                               \
    static void name##_double(const void *a, int64_t a_step, const void *b, int64_t b_step,    \
                              const void *c, int64_t c_step, void *out, int64_t n)             \
    {                                                                                          \
        (void)b, (void)b_step, (void)c, (void)c_step;                                          \
        one_double(tidemill_kernel_##name, a, a_step, out, n);                                 \
    }                                                                                          \
    static void name##_float(const void *a, int64_t a_step, const void *b, int64_t b_step,     \
                             const void *c, int64_t c_step, void *out, int64_t n)              \
    {                                                                                          \
        (void)b, (void)b_step, (void)c, (void)c_step;                                          \
        one_float(tidemill_kernel_##name, a, a_step, out, n);                                  \
    }

#define TRANSCENDENTAL_TWO(name)                                                               \
    static void name##_double(const void *a, int64_t a_step, const void *b, int64_t b_step,    \
                              const void *c, int64_t c_step, void *out, int64_t n)             \
    {                                                                                          \
        (void)c, (void)c_step;                                                                 \
        tidemill_kernel_##name(a, a_step, b, b_step, n, out);                                  \
    }                                                                                          \
    static void name##_float(const void *a, int64_t a_step, const void *b, int64_t b_step,     \
                             const void *c, int64_t c_step, void *out, int64_t n)              \
    {                                                                                          \
        (void)c, (void)c_step;                                                                 \
        two_float(tidemill_kernel_##name, a, a_step, b, b_step, out, n);                       \
    }

TRANSCENDENTAL_ONE(exp)
TRANSCENDENTAL_ONE(exp2)
TRANSCENDENTAL_ONE(expm1)
TRANSCENDENTAL_ONE(log)
TRANSCENDENTAL_ONE(log1p)
TRANSCENDENTAL_ONE(log2)
TRANSCENDENTAL_ONE(log10)
TRANSCENDENTAL_ONE(sin)
TRANSCENDENTAL_ONE(cos)
TRANSCENDENTAL_ONE(tan)
TRANSCENDENTAL_ONE(asin)
TRANSCENDENTAL_ONE(acos)
TRANSCENDENTAL_ONE(atan)
TRANSCENDENTAL_ONE(sinh)
TRANSCENDENTAL_ONE(cosh)
TRANSCENDENTAL_ONE(tanh)
TRANSCENDENTAL_TWO(pow)
TRANSCENDENTAL_TWO(atan2)

#define TRANSCENDENTAL_ROW(name)                                                               \
    {                                                                                          \
        name##_double, name##_float                                                            \
    }

const mill_apply_table mill_transcendental = {
    [TIDEMILL_OP_EXP] = TRANSCENDENTAL_ROW(exp),
    [TIDEMILL_OP_EXP2] = TRANSCENDENTAL_ROW(exp2),
    [TIDEMILL_OP_EXPM1] = TRANSCENDENTAL_ROW(expm1),
    [TIDEMILL_OP_LOG] = TRANSCENDENTAL_ROW(log),
    [TIDEMILL_OP_LOG1P] = TRANSCENDENTAL_ROW(log1p),
    [TIDEMILL_OP_LOG2] = TRANSCENDENTAL_ROW(log2),
    [TIDEMILL_OP_LOG10] = TRANSCENDENTAL_ROW(log10),
    [TIDEMILL_OP_SIN] = TRANSCENDENTAL_ROW(sin),
    [TIDEMILL_OP_COS] = TRANSCENDENTAL_ROW(cos),
    [TIDEMILL_OP_TAN] = TRANSCENDENTAL_ROW(tan),
    [TIDEMILL_OP_ASIN] = TRANSCENDENTAL_ROW(asin),
    [TIDEMILL_OP_ACOS] = TRANSCENDENTAL_ROW(acos),
    [TIDEMILL_OP_ATAN] = TRANSCENDENTAL_ROW(atan),
    [TIDEMILL_OP_SINH] = TRANSCENDENTAL_ROW(sinh),
    [TIDEMILL_OP_COSH] = TRANSCENDENTAL_ROW(cosh),
    [TIDEMILL_OP_TANH] = TRANSCENDENTAL_ROW(tanh),
    [TIDEMILL_OP_POW] = TRANSCENDENTAL_ROW(pow),
    [TIDEMILL_OP_ATAN2] = TRANSCENDENTAL_ROW(atan2),
};
