/* logarithm: of base e, 2 and 10, and of 1 + x.
 * x = 2^k m with m near 1; with f = m - 1 and s = f / (2 + f), log m = 2 s + s z R(z), z = s^2:
 * the series of the inverse hyperbolic tangent, its coefficients by
 * scripts/dev/vectors/elementary.py.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LOGARITHM_WIDE
#define MILL_LOGARITHM_WIDE
#define wide_log_parts       MILL_WIDE(wide_log_parts)
#define wide_log_part        MILL_WIDE(wide_log_part)
#define wide_log_part_normal MILL_WIDE(wide_log_part_normal)
#define wide_log_bend        MILL_WIDE(wide_log_bend)
#define wide_log_join        MILL_WIDE(wide_log_join)
#define wide_log_limits      MILL_WIDE(wide_log_limits)
#define wide_log_based       MILL_WIDE(wide_log_based)
#define wide_log             MILL_WIDE(wide_log)
#define wide_log1p           MILL_WIDE(wide_log1p)
#define wide_log2            MILL_WIDE(wide_log2)
#define wide_log10           MILL_WIDE(wide_log10)
#endif

struct wide_log_parts {
    wide_real k;         /* an integer */
    wide_real f;         /* m - 1, m from sqrt(1/2) to sqrt(2) */
    wide_words exponent; /* k + 1023 */
};

/* Of a normal positive finite x; of others something. */
WIDE_INLINE struct wide_log_parts wide_log_part_normal(wide_real x)
{
    const uint64_t least = 0x3fe6a09e00000000, one = 0x3ff0000000000000;
    wide_words bits = (wide_words)x;
    struct wide_log_parts parts;
    parts.exponent = (bits + (one - least)) >> 52;
    parts.f = (wide_real)(bits - (parts.exponent << 52) + one) - 1;
    /* A small integer becomes a double in the low bits of 2^52. */
    parts.k = (wide_real)(parts.exponent | 0x4330000000000000) - (0x1p52 + 1023);
    return parts;
}

/* Of a positive finite x; of others something. */
WIDE_INLINE struct wide_log_parts wide_log_part(wide_real x)
{
    wide_bits small = x < WIDE_NO_SUBNORMAL;
    struct wide_log_parts parts = wide_log_part_normal(wide_pick(small, x * 0x1p54, x));
    parts.k -= wide_pick(small, wide_all(54), wide_all(0));
    return parts;
}

/* f - log(1 + f), written so that little is lost: q = f^2 / 2 - s (f^2 / 2 + z R(z)). */
WIDE_INLINE wide_real wide_log_bend(wide_real f)
{
    wide_real s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    wide_real p = z * 0x1.2f078e4261014p-3 + 0x1.39a18624caa25p-3;
    p = p * z + 0x1.746640d8a891cp-3;
    p = p * z + 0x1.c71c520069a23p-3;
    p = p * z + 0x1.24924941fb885p-2;
    p = p * z + 0x1.999999997fd07p-2;
    p = p * z + 0x1.5555555555592p-1;
    return half - s * (half + z * p);
}

/* k log 2 + log(1 + f), plus `more`, which is small. */
WIDE_INLINE wide_real wide_log_join(wide_real k, wide_real f, wide_real more)
{
    struct wide_pair head = wide_join(k * LN2_HIGH, f);
    return head.high + (head.low + ((k * LN2_LOW - wide_log_bend(f)) + more));
}

/* What a logarithm of x is where x is no positive finite number, else y. */
WIDE_INLINE wide_real wide_log_limits(wide_real x, wide_real y)
{
    y = wide_pick(x == 0, wide_all(-__builtin_inf()), y);
    y = wide_pick(x == __builtin_inf(), x, y);
    return wide_pick(x >= 0, y, wide_all(__builtin_nan("")));
}

WIDE_INLINE wide_real wide_log(wide_real x)
{
    struct wide_log_parts parts = wide_log_part(x);
    return wide_log_limits(x, wide_log_join(parts.k, parts.f, wide_all(0)));
}

/* 1 + x = u + error; log(u + error) = log(u) + error / u. */
WIDE_INLINE wide_real wide_log1p(wide_real x)
{
    struct wide_pair u = wide_sum(wide_all(1), x);
    struct wide_log_parts parts = wide_log_part(u.high);
    wide_bits near = parts.k == 0;
    wide_real inverse = (wide_real)((2046 - parts.exponent) << 52);
    wide_real more = u.low * inverse / (1 + parts.f);
    more = wide_pick(near, wide_all(0), more);
    wide_real y = wide_log_join(parts.k, wide_pick(near, x, parts.f), more);
    return wide_pick(x == 0, x, wide_log_limits(u.high, y));
}

/* (k ln 2 + log(1 + f)) / ln base: 1 / ln base is scale_high (26 bits) + scale_low, and one k is
 * worth k_high (41 bits at most) + k_low. */
WIDE_INLINE wide_real wide_log_based(wide_real x, double scale_high, double scale_low,
                                     double k_high, double k_low)
{
    struct wide_log_parts parts = wide_log_part(x);
    wide_real bend = wide_log_bend(parts.f), log = parts.f - bend;
    wide_real high = (wide_real)((wide_bits)log & WIDE_UPPER_HALF);
    wide_real low = (log - high) + ((parts.f - log) - bend);
    wide_real rest = high * scale_low + low * (scale_high + scale_low) + parts.k * k_low;
    struct wide_pair head = wide_join(parts.k * k_high, high * scale_high);
    return wide_log_limits(x, head.high + (head.low + rest));
}

WIDE_INLINE wide_real wide_log2(wide_real x)
{
    return wide_log_based(x, 0x1.7154760000000p+0, 0x1.4ae0bf85ddf44p-26, 1, 0);
}

WIDE_INLINE wide_real wide_log10(wide_real x)
{
    return wide_log_based(x, 0x1.bcb7b10000000p-2, 0x1.49b9438ca9aaep-28, 0x1.34413509f6000p-2,
                          0x1.9fef311f12b36p-42);
}
