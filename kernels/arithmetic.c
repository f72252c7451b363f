/* arithmetic: plain bodies of the elementwise ops that compute: the specification.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>

#include "kernels/elementwise_bodies.h"

/* A body whose element is `value`, made of p (and q), the elements of a (and b). */
#define ARITHMETIC_UNARY(name, type, value)                                                    \
    static void name(const void *a, int64_t a_step, const void *b, int64_t b_step,             \
                     const void *c, int64_t c_step, void *out, int64_t n)                      \
    {                                                                                          \
        const type *x = a;                                                                     \
        type *result = out;                                                                    \
        (void)b, (void)b_step, (void)c, (void)c_step;                                          \
        for (int64_t i = 0; i < n; i++) {                                                      \
            type p = x[i * a_step];                                                            \
            result[i] = value;                                                                 \
        }                                                                                      \
    }

#define ARITHMETIC_BINARY(name, type, value)                                                   \
    static void name(const void *a, int64_t a_step, const void *b, int64_t b_step,             \
                     const void *c, int64_t c_step, void *out, int64_t n)                      \
    {                                                                                          \
        const type *x = a, *y = b;                                                             \
        type *result = out;                                                                    \
        (void)c, (void)c_step;                                                                 \
        for (int64_t i = 0; i < n; i++) {                                                      \
            type p = x[i * a_step], q = y[i * b_step];                                         \
            result[i] = value;                                                                 \
        }                                                                                      \
    }

/* ---- Elements of more than an operator -------------------------------------------------- */

/* fmod, which is exact, or (where the ratio was rounded up to a whole number) one divisor less,
 * which is the same to who floors.  Faster where the quotient is below 2^26: then products of its
 * whole part with either part of q (26 and 27 digits) are exact, and so are the differences: the
 * first one by Sterbenz' lemma, the second because it is a multiple of q's last digit below q. */
static double arithmetic_rest_double(double p, double q)
{
    double ratio = p / q;
    if (!(fabs(ratio) < 0x1p26 && fabs(p) < 0x1p1000 && fabs(q) < INFINITY)) return fmod(p, q);
    union {
        double value;
        uint64_t bits;
    } high = {.value = q};
    high.bits &= ~(uint64_t)0x7FFFFFF;
    double whole = (double)(int32_t)ratio;
    return (p - whole * high.value) - whole * (q - high.value);
}

/* As doubles the two have 24 digits: the product is exact. */
static float arithmetic_rest_float(float p, float q)
{
    double ratio = (double)p / q;
    if (!(fabs(ratio) < 0x1p26 && fabsf(q) < INFINITY)) return fmodf(p, q);
    return (float)(p - (double)(int32_t)ratio * q);
}

static double arithmetic_mod_double(double p, double q)
{
    double rest = arithmetic_rest_double(p, q);
    if (rest == 0) return copysign(0, q);
    return (rest < 0) == (q < 0) ? rest : rest + q;
}

static float arithmetic_mod_float(float p, float q)
{
    float rest = arithmetic_rest_float(p, q);
    if (rest == 0) return copysignf(0, q);
    return (rest < 0) == (q < 0) ? rest : rest + q;
}

static int64_t arithmetic_mod_int(int64_t p, int64_t q)
{
    if (q == 0 || q == -1) return 0; /* the least by -1 does not fit */
    int64_t rest = p % q;
    return rest != 0 && (rest < 0) != (q < 0) ? rest + q : rest;
}

/* ---- Floats --------------------------------------------------------------------------------- */

#define ARITHMETIC_FLOAT(type, f)                                                              \
    ARITHMETIC_BINARY(add_##type, type, p + q)                                                 \
    ARITHMETIC_BINARY(sub_##type, type, p - q)                                                 \
    ARITHMETIC_BINARY(mul_##type, type, p *q)                                                  \
    ARITHMETIC_BINARY(div_##type, type, p / q)                                                 \
    ARITHMETIC_BINARY(mod_##type, type, arithmetic_mod_##type(p, q))                           \
    ARITHMETIC_UNARY(neg_##type, type, -p)                                                     \
    ARITHMETIC_UNARY(abs_##type, type, fabs##f(p))                                             \
    ARITHMETIC_UNARY(sign_##type, type, p > 0 ? 1 : p < 0 ? -1 : p == 0 ? 0 : p)               \
    ARITHMETIC_UNARY(sqrt_##type, type, sqrt##f(p))                                            \
    ARITHMETIC_UNARY(square_##type, type, p *p)                                                \
    ARITHMETIC_UNARY(reciprocal_##type, type, 1 / p)                                           \
    ARITHMETIC_UNARY(floor_##type, type, floor##f(p))                                          \
    ARITHMETIC_UNARY(ceil_##type, type, ceil##f(p))                                            \
    ARITHMETIC_UNARY(round_##type, type, nearbyint##f(p))                                      \
    ARITHMETIC_UNARY(trunc_##type, type, trunc##f(p))

ARITHMETIC_FLOAT(double, )
ARITHMETIC_FLOAT(float, f)

/* ---- Integers ------------------------------------------------------------------------------ */

/* Unsigned, so that they wrap around; the signed type where the sign matters. */
#define ARITHMETIC_INT(unsigned_type, type)                                                    \
    ARITHMETIC_BINARY(add_##type, unsigned_type, p + q)                                        \
    ARITHMETIC_BINARY(sub_##type, unsigned_type, p - q)                                        \
    ARITHMETIC_BINARY(mul_##type, unsigned_type, p *q)                                         \
    ARITHMETIC_BINARY(mod_##type, type, (type)arithmetic_mod_int(p, q))                        \
    ARITHMETIC_BINARY(and_##type, unsigned_type, p &q)                                         \
    ARITHMETIC_BINARY(or_##type, unsigned_type, p | q)                                         \
    ARITHMETIC_BINARY(xor_##type, unsigned_type, p ^ q)                                        \
    ARITHMETIC_UNARY(neg_##type, unsigned_type, 0 - p)                                         \
    ARITHMETIC_UNARY(abs_##type, unsigned_type, (type)p < 0 ? 0 - p : p)                       \
    ARITHMETIC_UNARY(sign_##type, type, (p > 0) - (p < 0))                                     \
    ARITHMETIC_UNARY(square_##type, unsigned_type, p *p)                                       \
    ARITHMETIC_UNARY(not_##type, unsigned_type, ~p)

ARITHMETIC_INT(uint64_t, int64_t)
ARITHMETIC_INT(uint32_t, int32_t)

/* ---- Bools ------------------------------------------------------------------------------------ */

ARITHMETIC_BINARY(and_bool, uint8_t, p &q)
ARITHMETIC_BINARY(or_bool, uint8_t, p | q)
ARITHMETIC_BINARY(xor_bool, uint8_t, p ^ q)
ARITHMETIC_UNARY(not_bool, uint8_t, p ^ 1)

#define ARITHMETIC_ROW(name)                                                                   \
    {                                                                                          \
        name##_double, name##_float, name##_int64_t, name##_int32_t                            \
    }
#define ARITHMETIC_FLOAT_ROW(name)                                                             \
    {                                                                                          \
        name##_double, name##_float                                                            \
    }

const mill_apply_table mill_arithmetic_plain = {
    [TIDEMILL_OP_ADD] = {add_double, add_float, add_int64_t, add_int32_t, or_bool},
    [TIDEMILL_OP_SUB] = ARITHMETIC_ROW(sub),
    [TIDEMILL_OP_MUL] = {mul_double, mul_float, mul_int64_t, mul_int32_t, and_bool},
    [TIDEMILL_OP_DIV] = ARITHMETIC_FLOAT_ROW(div),
    [TIDEMILL_OP_MOD] = ARITHMETIC_ROW(mod),
    [TIDEMILL_OP_AND] = {NULL, NULL, and_int64_t, and_int32_t, and_bool},
    [TIDEMILL_OP_OR] = {NULL, NULL, or_int64_t, or_int32_t, or_bool},
    [TIDEMILL_OP_XOR] = {NULL, NULL, xor_int64_t, xor_int32_t, xor_bool},
    [TIDEMILL_OP_NEG] = ARITHMETIC_ROW(neg),
    [TIDEMILL_OP_ABS] = ARITHMETIC_ROW(abs),
    [TIDEMILL_OP_SIGN] = ARITHMETIC_ROW(sign),
    [TIDEMILL_OP_SQRT] = ARITHMETIC_FLOAT_ROW(sqrt),
    [TIDEMILL_OP_SQUARE] = ARITHMETIC_ROW(square),
    [TIDEMILL_OP_RECIPROCAL] = ARITHMETIC_FLOAT_ROW(reciprocal),
    [TIDEMILL_OP_FLOOR] = ARITHMETIC_FLOAT_ROW(floor),
    [TIDEMILL_OP_CEIL] = ARITHMETIC_FLOAT_ROW(ceil),
    [TIDEMILL_OP_ROUND] = ARITHMETIC_FLOAT_ROW(round),
    [TIDEMILL_OP_TRUNC] = ARITHMETIC_FLOAT_ROW(trunc),
    [TIDEMILL_OP_NOT] = {NULL, NULL, not_int64_t, not_int32_t, not_bool},
};
