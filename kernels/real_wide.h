/* real: the vocabulary of bodies that compute with vectors of doubles: choices, bits, and numbers
 * that are the sum of two doubles.  Include after kernels/wide_avx2.h or one of its like.
 * Products are made exact by parting their factors, never by a fused multiply-add, so that every
 * instruction set gives the same bits.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WIDE_SET
#error "include kernels/wide_avx2.h or one of its like"
#endif

/* Once for each set, also where several files of a set are compiled as one. */
#if (MILL_WIDE_BYTES == 16 && !defined(MILL_REAL_16)) ||                                       \
    (MILL_WIDE_BYTES == 32 && !defined(MILL_REAL_32)) ||                                       \
    (MILL_WIDE_BYTES == 64 && !defined(MILL_REAL_64))
#if MILL_WIDE_BYTES == 16
#define MILL_REAL_16
#elif MILL_WIDE_BYTES == 32
#define MILL_REAL_32
#else
#define MILL_REAL_64
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* The same words for every set: what they stand for changes with MILL_WIDE_SET. */
#ifndef MILL_REAL_WIDE
#define MILL_REAL_WIDE
#define WIDE_INLINE   MILL_TARGET __attribute__((always_inline)) static inline
#define wide_real     MILL_WIDE(mill_double_vector)
#define wide_bits     MILL_WIDE(mill_int64_t_vector)
#define wide_words    MILL_WIDE(mill_uint64_t_vector)
#define wide_ints     MILL_WIDE(mill_int32_t_vector)
#define wide_pair     MILL_WIDE(wide_pair)
#define wide_all      MILL_WIDE(wide_all)
#define wide_pick     MILL_WIDE(wide_pick)
#define wide_any      MILL_WIDE(wide_any)
#define wide_abs      MILL_WIDE(wide_abs)
#define wide_negate   MILL_WIDE(wide_negate)
#define wide_sign     MILL_WIDE(wide_sign)
#define wide_load     MILL_WIDE(wide_load)
#define wide_store    MILL_WIDE(wide_store)
#define wide_sqrt     MILL_WIDE(wide_sqrt)
#define wide_join     MILL_WIDE(wide_join)
#define wide_sum      MILL_WIDE(wide_sum)
#define wide_product  MILL_WIDE(wide_product)
#define wide_quotient MILL_WIDE(wide_quotient)
#define wide_scale    MILL_WIDE(wide_scale)
#define wide_one_nan  MILL_WIDE(wide_one_nan)
/* Lanes of a and b by number, those of b counted on: constants, one for each lane of 8 (of 4)
 * bytes. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define WIDE_SHUFFLE(a, b, ...)  __builtin_shufflevector(a, b, __VA_ARGS__)
#define WIDE_SHUFFLE4(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#endif
#endif
#ifndef WIDE_SHUFFLE
#define WIDE_SHUFFLE(a, b, ...)  __builtin_shuffle(a, b, (wide_bits){__VA_ARGS__})
#define WIDE_SHUFFLE4(a, b, ...) __builtin_shuffle(a, b, (wide_ints){__VA_ARGS__})
#endif
#define WIDE_LANES        ((int)(MILL_WIDE_BYTES / sizeof(double)))
#define WIDE_SIGN         INT64_MIN
#define WIDE_ROUND        0x1.8p52 /* added and taken away, it leaves the nearest integer */
#define WIDE_ROUND_BITS   0x4338000000000000u
#define WIDE_UPPER_HALF   (-(1ll << 27)) /* of a double: what it leaves has 26 bits */
#define WIDE_NO_SUBNORMAL 0x1p-1022
#endif

/* high + low, |low| at most half a unit in the last place of high, unless said otherwise. */
struct wide_pair {
    wide_real high, low;
};

WIDE_INLINE wide_real wide_all(double value)
{
    return value - (wide_real){0}; /* keeps -0 as it is */
}

/* In each 16 bytes: the even (odd) lane of a, then that of b.  Done twice, it gives a and b. */
#undef WIDE_EVEN
#undef WIDE_ODD
#if MILL_WIDE_BYTES == 16
#define WIDE_EVEN(a, b) WIDE_SHUFFLE(a, b, 0, 2)
#define WIDE_ODD(a, b)  WIDE_SHUFFLE(a, b, 1, 3)
#elif MILL_WIDE_BYTES == 32
#define WIDE_EVEN(a, b) WIDE_SHUFFLE(a, b, 0, 4, 2, 6)
#define WIDE_ODD(a, b)  WIDE_SHUFFLE(a, b, 1, 5, 3, 7)
#else
#define WIDE_EVEN(a, b) WIDE_SHUFFLE(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define WIDE_ODD(a, b)  WIDE_SHUFFLE(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#endif

/* By lane: a where the mask is set, else b. */
WIDE_INLINE wide_real wide_pick(wide_bits mask, wide_real a, wide_real b)
{
    return (wide_real)((mask & (wide_bits)a) | (~mask & (wide_bits)b));
}

WIDE_INLINE int wide_any(wide_bits mask)
{
    int64_t any = 0;
    for (int lane = 0; lane < WIDE_LANES; lane++) any |= mask[lane];
    return any != 0;
}

WIDE_INLINE wide_real wide_abs(wide_real x)
{
    return (wide_real)((wide_bits)x & INT64_MAX);
}

WIDE_INLINE wide_bits wide_sign(wide_real x)
{
    return (wide_bits)x & WIDE_SIGN;
}

/* The other sign where the mask is set. */
WIDE_INLINE wide_real wide_negate(wide_bits mask, wide_real x)
{
    return (wide_real)((wide_bits)x ^ (mask & WIDE_SIGN));
}

WIDE_INLINE wide_real wide_load(const double *x)
{
    return *(const wide_real *)x;
}

WIDE_INLINE void wide_store(wide_real x, double *out)
{
    *(wide_real *)out = x;
}

WIDE_INLINE wide_real wide_sqrt(wide_real x)
{
#if defined(__x86_64__) && MILL_WIDE_BYTES == 16
    return (wide_real)_mm_sqrt_pd((__m128d)x);
#elif defined(__x86_64__) && MILL_WIDE_BYTES == 32
    return (wide_real)_mm256_sqrt_pd((__m256d)x);
#elif defined(__x86_64__) && MILL_WIDE_BYTES == 64
    return (wide_real)_mm512_sqrt_pd((__m512d)x);
#elif defined(__aarch64__) && MILL_WIDE_BYTES == 16
    return (wide_real)vsqrtq_f64((float64x2_t)x);
#else
    for (int lane = 0; lane < WIDE_LANES; lane++) x[lane] = __builtin_sqrt(x[lane]);
    return x;
#endif
}

/* A sum without error, for |a| >= |b| or a = 0. */
WIDE_INLINE struct wide_pair wide_join(wide_real a, wide_real b)
{
    wide_real sum = a + b;
    return (struct wide_pair){sum, b - (sum - a)};
}

/* A sum without error, of any two. */
WIDE_INLINE struct wide_pair wide_sum(wide_real a, wide_real b)
{
    wide_real sum = a + b, part = sum - a;
    return (struct wide_pair){sum, (a - (sum - part)) + (b - part)};
}

/* A product; what is left of its error is 2^-105 of it, when nothing over- or underflows. */
WIDE_INLINE struct wide_pair wide_product(wide_real a, wide_real b)
{
    wide_real product = a * b;
    wide_real a1 = (wide_real)((wide_bits)a & WIDE_UPPER_HALF), a2 = a - a1;
    wide_real b1 = (wide_real)((wide_bits)b & WIDE_UPPER_HALF), b2 = b - b1;
    wide_real error = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2;
    return (struct wide_pair){product, error};
}

/* a / b, to some 2^-100 of it. */
WIDE_INLINE struct wide_pair wide_quotient(struct wide_pair a, struct wide_pair b)
{
    wide_real quotient = a.high / b.high;
    struct wide_pair back = wide_product(quotient, b.high);
    wide_real rest = ((a.high - back.high) - back.low) + (a.low - quotient * b.low);
    return (struct wide_pair){quotient, rest / b.high};
}

/* x 2^n for -1075 <= n <= 1024, n the integer in the low bits of `shifted` (an integer plus
 * WIDE_ROUND).  In two steps: it rounds once, and only below the normal numbers. */
WIDE_INLINE wide_real wide_scale(wide_real x, wide_real shifted)
{
    wide_words n = (wide_words)shifted - WIDE_ROUND_BITS + 2046;
    wide_words half = n >> 1;
    return x * (wide_real)(half << 52) * (wide_real)((n - half) << 52);
}

/* y, and the one NaN where x is any. */
WIDE_INLINE wide_real wide_one_nan(wide_real x, wide_real y)
{
    return wide_pick(x != x, wide_all(__builtin_nan("")), y);
}

#include "kernels/exponential_wide.h"
#include "kernels/logarithm_wide.h"
#include "kernels/sine_wide.h"
#endif
