/* exponential: e^x and what is made of it.
 * x = n ln 2 + r with an integer n and |r| < 0.35; e^r = 1 + r + r^2 P(r), the coefficients of P
 * by scripts/dev/vectors/elementary.py; then 2^n is multiplied in.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_EXPONENTIAL_WIDE
#define MILL_EXPONENTIAL_WIDE
#define wide_exp_rest    MILL_WIDE(wide_exp_rest)
#define wide_exp_reduced MILL_WIDE(wide_exp_reduced)
#define wide_exp_reduce  MILL_WIDE(wide_exp_reduce)
#define wide_exp_pair    MILL_WIDE(wide_exp_pair)
#define wide_expm1_pair  MILL_WIDE(wide_expm1_pair)
#define wide_exp         MILL_WIDE(wide_exp)
#define wide_exp2        MILL_WIDE(wide_exp2)
#define wide_expm1       MILL_WIDE(wide_expm1)
#define wide_sinh        MILL_WIDE(wide_sinh)
#define wide_cosh        MILL_WIDE(wide_cosh)
#define wide_tanh        MILL_WIDE(wide_tanh)
#define EXP_MOST         710.0
#define EXP_LEAST        (-746.0)
#define LOG2_E           0x1.71547652b82fep+0
#define LN2_HIGH         0x1.62e42fefa3000p-1 /* 41 bits: n LN2_HIGH is exact */
#define LN2_LOW          0x1.3de6af278ece6p-42
#endif

/* e^r - 1 - r, for |r| < 0.3466; the error is 2^-64. */
WIDE_INLINE wide_real wide_exp_rest(wide_real r)
{
    wide_real p = r * 0x1.1e3d24301627dp-29 + 0x1.af6befb42a36dp-26;
    p = p * r + 0x1.27e5b4540b501p-22;
    p = p * r + 0x1.71ddf01c4cc71p-19;
    p = p * r + 0x1.a01a013684587p-16;
    p = p * r + 0x1.a01a01b3800a8p-13;
    p = p * r + 0x1.6c16c16c304c5p-10;
    p = p * r + 0x1.111111110ec59p-7;
    p = p * r + 0x1.5555555555503p-5;
    p = p * r + 0x1.555555555555bp-3;
    p = p * r + 0x1.0000000000000p-1;
    return r * r * p;
}

struct wide_exp_reduced {
    wide_real shifted; /* n + WIDE_ROUND */
    struct wide_pair r;
};

WIDE_INLINE struct wide_exp_reduced wide_exp_reduce(wide_real x)
{
    struct wide_exp_reduced reduced;
    reduced.shifted = x * LOG2_E + WIDE_ROUND;
    wide_real n = reduced.shifted - WIDE_ROUND;
    wide_real high = x - n * LN2_HIGH, low = n * LN2_LOW;
    reduced.r.high = high - low;
    reduced.r.low = (high - reduced.r.high) - low;
    return reduced;
}

/* e^(x.high + x.low); x.low is small even where x.high has been cut to what matters. */
WIDE_INLINE wide_real wide_exp_pair(struct wide_pair x)
{
    wide_bits over = x.high > EXP_MOST, under = x.high < EXP_LEAST;
    wide_real cut = wide_pick(under, wide_all(EXP_LEAST), x.high);
    cut = wide_pick(over, wide_all(EXP_MOST), cut);
    wide_real low = (wide_real)((wide_bits)x.low & ~(over | under));
    struct wide_exp_reduced reduced = wide_exp_reduce(cut);
    wide_real rest = wide_exp_rest(reduced.r.high);
    low += reduced.r.low;
    low += low * (reduced.r.high + rest); /* e^(r + low) = e^r (1 + low) */
    return wide_scale(1 + (reduced.r.high + (rest + low)), reduced.shifted);
}

WIDE_INLINE wide_real wide_exp(wide_real x)
{
    wide_real cut = wide_pick(x < EXP_LEAST, wide_all(EXP_LEAST), x);
    cut = wide_pick(x > EXP_MOST, wide_all(EXP_MOST), cut);
    struct wide_exp_reduced reduced = wide_exp_reduce(cut);
    wide_real rest = wide_exp_rest(reduced.r.high) + reduced.r.low;
    return wide_one_nan(x, wide_scale(1 + (reduced.r.high + rest), reduced.shifted));
}

WIDE_INLINE wide_real wide_exp2(wide_real x)
{
    wide_real cut = wide_pick(x < -1076, wide_all(-1076), x);
    cut = wide_pick(x > 1025, wide_all(1025), cut);
    wide_real shifted = cut + WIDE_ROUND, fraction = cut - (shifted - WIDE_ROUND);
    struct wide_pair r = wide_product(fraction, wide_all(0x1.62e42fefa39efp-1));
    wide_real rest = wide_exp_rest(r.high) + (r.low + fraction * 0x1.abc9e3b39803fp-56);
    wide_real y = wide_scale(1 + (r.high + rest), shifted);
    y = wide_pick(x < -1075, wide_all(0), y);
    return wide_one_nan(x, wide_pick(x >= 1024, wide_all(__builtin_inf()), y));
}

/* e^x - 1 for -50 <= x <= EXP_MOST, as 2^n (high + low). */
WIDE_INLINE struct wide_pair wide_expm1_pair(wide_real x, wide_real *shifted)
{
    struct wide_exp_reduced reduced = wide_exp_reduce(x);
    wide_real low = reduced.r.low + reduced.r.low * reduced.r.high;
    wide_real rest = wide_exp_rest(reduced.r.high) + low;
    /* e^x - 1 = 2^n ((1 - 2^-n) + r + rest); past n = 100 that 2^-n is nothing. */
    wide_real most = wide_all(WIDE_ROUND + 100);
    wide_real n = wide_pick(reduced.shifted > most, most, reduced.shifted);
    wide_real inverse = (wide_real)((1023 + WIDE_ROUND_BITS - (wide_words)n) << 52);
    struct wide_pair one = wide_join(wide_all(1), -inverse);
    struct wide_pair sum = wide_sum(one.high, reduced.r.high);
    *shifted = reduced.shifted;
    return wide_join(sum.high, sum.low + (one.low + rest));
}

WIDE_INLINE wide_real wide_expm1(wide_real x)
{
    wide_real shifted, cut = wide_pick(x < -50, wide_all(-50), x);
    cut = wide_pick(x > EXP_MOST, wide_all(EXP_MOST), cut);
    wide_real y = wide_expm1_pair(cut, &shifted).high;
    y = wide_scale(y, shifted);
    return wide_one_nan(x, wide_pick(wide_abs(x) < 0x1p-54, x, y));
}

/* With E = e^2|x| - 1: E / (E + 2). */
WIDE_INLINE wide_real wide_tanh(wide_real x)
{
    wide_real size = wide_abs(x), shifted;
    wide_real cut = wide_pick(size > 22, wide_all(22), size);
    struct wide_pair e = wide_expm1_pair(2 * cut, &shifted);
    e.high = wide_scale(e.high, shifted);
    e.low = wide_scale(e.low, shifted);
    struct wide_pair below = wide_sum(e.high, wide_all(2));
    below.low += e.low;
    struct wide_pair quotient = wide_quotient(e, below);
    wide_real y = wide_pick(size < 0x1p-28, size, quotient.high + quotient.low);
    return wide_one_nan(x, (wide_real)((wide_bits)y | wide_sign(x)));
}

/* With E = e^|x| - 1: (E + E / (E + 1)) / 2.  Past 22 that is e^|x| / 2. */
WIDE_INLINE wide_real wide_sinh(wide_real x)
{
    wide_real size = wide_abs(x), shifted;
    wide_real cut = wide_pick(size > 22, wide_all(22), size);
    struct wide_pair e = wide_expm1_pair(cut, &shifted);
    e.high = wide_scale(e.high, shifted);
    e.low = wide_scale(e.low, shifted);
    struct wide_pair below = wide_sum(e.high, wide_all(1));
    below.low += e.low;
    struct wide_pair other = wide_quotient(e, below), sum = wide_sum(e.high, other.high);
    wide_real y = 0.5 * (sum.high + (sum.low + (e.low + other.low)));
    y = wide_pick(size < 0x1p-28, size, y);
    cut = wide_pick(size > 711, wide_all(711), size);
    struct wide_exp_reduced reduced = wide_exp_reduce(cut);
    wide_real rest = wide_exp_rest(reduced.r.high) + reduced.r.low;
    wide_real large = wide_scale(1 + (reduced.r.high + rest), reduced.shifted - 1);
    y = wide_pick(size > 22, large, y);
    return wide_one_nan(x, (wide_real)((wide_bits)y | wide_sign(x)));
}

/* (e^|x| + 1 / e^|x|) / 2.  Past 22 that is e^|x| / 2. */
WIDE_INLINE wide_real wide_cosh(wide_real x)
{
    wide_real size = wide_abs(x);
    wide_real cut = wide_pick(size > 711, wide_all(711), size);
    struct wide_exp_reduced reduced = wide_exp_reduce(cut);
    wide_real rest = wide_exp_rest(reduced.r.high) + reduced.r.low;
    struct wide_pair one = wide_join(wide_all(1), reduced.r.high);
    struct wide_pair e = wide_join(one.high, one.low + rest);
    wide_real half = wide_scale(e.high, reduced.shifted - 1);
    wide_real low = wide_scale(e.low, reduced.shifted - 1);
    struct wide_pair sum = wide_join(half, wide_pick(size > 22, wide_all(0), 0.25 / half));
    return wide_one_nan(x, sum.high + wide_pick(size > 22, wide_all(0), sum.low + low));
}
