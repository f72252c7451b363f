/* power: x^y = e^(y log |x|), the logarithm as the sum of two doubles, good to 2^-65 of it.
 * As in logarithm_wide.h, log m = 2 s (1 + z/3 + z^2 W(z)); here s, z and the first term of the
 * series are pairs.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_POWER_WIDE
#define MILL_POWER_WIDE
#define wide_power_series MILL_WIDE(wide_power_series)
#define wide_power_log    MILL_WIDE(wide_power_log)
#define wide_whole        MILL_WIDE(wide_whole)
#define wide_power_limits MILL_WIDE(wide_power_limits)
#define wide_pow          MILL_WIDE(wide_pow)
#define LN2_HIGH_32       0x1.62e42fee00000p-1
#define LN2_LOW_32        0x1.a39ef35793c76p-33
#define THIRD             0x1.5555555555555p-2
#define THIRD_LOW         0x1.5555555555555p-56
#endif

/* z/3 + z^2 W(z) */
WIDE_INLINE struct wide_pair wide_power_series(struct wide_pair z)
{
    wide_real p = z.high * 0x1.eb1478acdb939p-5 + 0x1.de3309518f8b9p-5;
    p = p * z.high + 0x1.1120b8322f255p-4;
    p = p * z.high + 0x1.3b1362a4d3277p-4;
    p = p * z.high + 0x1.745d183294006p-4;
    p = p * z.high + 0x1.c71c71c57fdebp-4;
    p = p * z.high + 0x1.2492492493039p-3;
    p = p * z.high + 0x1.9999999999996p-3;
    struct wide_pair first = wide_product(z.high, wide_all(THIRD));
    first.low += z.low * THIRD + z.high * THIRD_LOW;
    struct wide_pair sum = wide_join(first.high, z.high * z.high * p);
    return (struct wide_pair){sum.high, sum.low + first.low};
}

/* Of a positive finite x. */
WIDE_INLINE struct wide_pair wide_power_log(wide_real x)
{
    struct wide_log_parts parts = wide_log_part(x);
    struct wide_pair none = {parts.f, wide_all(0)};
    struct wide_pair s = wide_quotient(none, wide_join(wide_all(2), parts.f));
    struct wide_pair z = wide_product(s.high, s.high);
    z.low += 2 * s.high * s.low;
    struct wide_pair t = wide_power_series(z), bent = wide_product(s.high, t.high);
    bent.low += s.high * t.low + s.low * t.high;
    struct wide_pair half = wide_join(s.high, bent.high);
    half.low += s.low + bent.low;
    struct wide_pair ln2 = wide_join(parts.k * LN2_HIGH_32, parts.k * LN2_LOW_32);
    struct wide_pair sum = wide_join(ln2.high, 2 * half.high);
    return wide_join(sum.high, sum.low + (ln2.low + 2 * half.low));
}

/* Whether a y >= 0 is an integer. */
WIDE_INLINE wide_bits wide_whole(wide_real y)
{
    return (y >= 0x1p52) | (((y + 0x1p52) - 0x1p52) == y);
}

/* x^y where x or y is a zero, an infinity, a NaN or negative; `size` is |x|^|y| elsewhere. */
WIDE_INLINE wide_real wide_power_limits(wide_real x, wide_real y, wide_real size)
{
    const double endless = __builtin_inf();
    wide_real length = wide_abs(x), times = wide_abs(y);
    wide_bits grows = (y > 0) ^ (length == 0), edge = (length == 0) | (length == endless);
    size = wide_pick(edge, wide_pick(grows, wide_all(endless), wide_all(0)), size);
    wide_bits whole = wide_whole(times), odd = whole & ~wide_whole(0.5 * times);
    size = wide_negate(odd & (wide_bits)x, size);
    wide_bits bad = (x < 0) & (x != -endless) & ~whole;
    bad |= (x != x) | (y != y);
    size = wide_pick(bad, wide_all(__builtin_nan("")), size);
    return wide_pick((x == 1) | (y == 0), wide_all(1), size);
}

WIDE_INLINE wide_real wide_pow(wide_real x, wide_real y)
{
    struct wide_pair log = wide_power_log(wide_abs(x));
    /* Beyond 2^65 every power but that of 1 is 0 or without end. */
    wide_real times = wide_pick(y > 0x1p65, wide_all(0x1p65), y);
    times = wide_pick(y < -0x1p65, wide_all(-0x1p65), times);
    struct wide_pair product = wide_product(times, log.high);
    product.low += times * log.low;
    return wide_power_limits(x, y, wide_exp_pair(product));
}
