/* arc: the inverse circular functions, all made of the angle of a point (x, y).
 * The first octants are turned to the axis or to the diagonal: angle = base + atan(u) with a
 * multiple of pi/4 for base and |u| <= tan(pi/8); atan(u) = u + u z P(z), z = u^2, the
 * coefficients by scripts/dev/vectors/elementary.py.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ARC_WIDE
#define MILL_ARC_WIDE
#define wide_arc_rest  MILL_WIDE(wide_arc_rest)
#define wide_arc       MILL_WIDE(wide_arc)
#define wide_arc_other MILL_WIDE(wide_arc_other)
#define wide_atan2     MILL_WIDE(wide_atan2)
#define wide_atan      MILL_WIDE(wide_atan)
#define wide_asin      MILL_WIDE(wide_asin)
#define wide_acos      MILL_WIDE(wide_acos)
#define PI_HIGH        0x1.921fb54442d18p+1
#define PI_LOW         0x1.1a62633145c07p-53
#define PI_3_4_HIGH    0x1.2d97c7f3321d2p+1
#define PI_3_4_LOW     0x1.a79394c9e8a0ap-54
#define PI_8_TANGENT   0.414213562373095
#endif

/* atan(u) - u */
WIDE_INLINE wide_real wide_arc_rest(wide_real u)
{
    wide_real z = u * u;
    wide_real p = z * -0x1.2594bef56d259p-6 + 0x1.37e96a8f59d4dp-5;
    p = p * z + -0x1.9cdaab3e345d7p-5;
    p = p * z + 0x1.df1114d10968fp-5;
    p = p * z + -0x1.10ebd80cc2c91p-4;
    p = p * z + 0x1.3b111be9c81aep-4;
    p = p * z + -0x1.745cf9045bfeep-4;
    p = p * z + 0x1.c71c70e767b20p-4;
    p = p * z + -0x1.24924922b08e7p-3;
    p = p * z + 0x1.99999999958d5p-3;
    p = p * z + -0x1.555555555553dp-2;
    return u * z * p;
}

/* The angle from 0 to pi of (x, y), y >= 0; x is negative where `left` is set, and given by its
 * size.  Neither is infinite, nor are both 0. */
WIDE_INLINE wide_real wide_arc(struct wide_pair y, struct wide_pair x, wide_bits left)
{
    wide_bits flat = y.high < PI_8_TANGENT * x.high, steep = x.high < PI_8_TANGENT * y.high;
    wide_bits middle = ~(flat | steep);
    struct wide_pair less = wide_sum(y.high, -x.high), more = wide_sum(y.high, x.high);
    struct wide_pair above = {wide_pick(flat, y.high, wide_pick(steep, -x.high, less.high)),
                              wide_pick(flat, y.low, wide_pick(steep, -x.low, less.low))};
    struct wide_pair below = {wide_pick(flat, x.high, wide_pick(steep, y.high, more.high)),
                              wide_pick(flat, x.low, wide_pick(steep, y.low, more.low))};
    above.low += wide_pick(middle, y.low - x.low, wide_all(0));
    below.low += wide_pick(middle, y.low + x.low, wide_all(0));
    struct wide_pair u = wide_quotient(above, below);
    /* Where the exact product underflows, the quotient is good enough as it is. */
    wide_real low = wide_pick(wide_abs(above.high) < 0x1p-900, wide_all(0), u.low);
    wide_real rest = wide_negate(left, wide_arc_rest(u.high) + low);
    wide_real high =
        wide_pick(middle, wide_pick(left, wide_all(PI_3_4_HIGH), wide_all(PI_HIGH / 4)),
                  wide_pick(steep, wide_all(PI_HIGH / 2),
                            wide_pick(left, wide_all(PI_HIGH), wide_all(0))));
    wide_real base_low = wide_pick(
        middle, wide_pick(left, wide_all(PI_3_4_LOW), wide_all(PI_LOW / 4)),
        wide_pick(steep, wide_all(PI_LOW / 2), wide_pick(left, wide_all(PI_LOW), wide_all(0))));
    struct wide_pair sum = wide_join(high, wide_negate(left, u.high));
    return sum.high + (sum.low + (base_low + rest));
}

WIDE_INLINE wide_real wide_atan2(wide_real y, wide_real x)
{
    const double endless = __builtin_inf();
    wide_real high = wide_abs(y), wide = wide_abs(x);
    wide_bits endless_y = high == endless, endless_x = wide == endless;
    wide_bits limit = endless_y | endless_x, origin = (high == 0) & (wide == 0);
    wide_real most = wide_pick(high > wide, high, wide);
    wide_real scale = wide_pick(most > 0x1p1000, wide_all(0x1p-100),
                                wide_pick(most < 0x1p-500, wide_all(0x1p500), wide_all(1)));
    high = wide_pick(limit, wide_pick(endless_y, wide_all(1), wide_all(0)), high * scale);
    wide = wide_pick(limit, wide_pick(endless_x, wide_all(1), wide_all(0)), wide * scale);
    wide = wide_pick(origin, wide_all(1), wide);
    wide_bits left = -(wide_bits)((wide_words)x >> 63);
    wide_real angle = wide_arc((struct wide_pair){high, wide_all(0)},
                               (struct wide_pair){wide, wide_all(0)}, left);
    angle = (wide_real)((wide_bits)angle | wide_sign(y));
    return wide_pick((x != x) | (y != y), wide_all(__builtin_nan("")), angle);
}

WIDE_INLINE wide_real wide_atan(wide_real x)
{
    return wide_atan2(x, wide_all(1));
}

/* sqrt(1 - x^2) of |x| <= 1, of others something. */
WIDE_INLINE struct wide_pair wide_arc_other(wide_real size)
{
    struct wide_pair less = wide_sum(wide_all(1), -size), more = wide_sum(wide_all(1), size);
    struct wide_pair product = wide_product(less.high, more.high);
    product.low += less.high * more.low + less.low * more.high;
    wide_real root = wide_sqrt(product.high);
    struct wide_pair back = wide_product(root, root);
    wide_real rest = ((product.high - back.high) - back.low) + product.low;
    wide_real low = wide_pick(root == 0, wide_all(0), 0.5 * rest / root);
    return (struct wide_pair){root, low};
}

WIDE_INLINE wide_real wide_asin(wide_real x)
{
    wide_real size = wide_abs(x);
    wide_real angle =
        wide_arc((struct wide_pair){size, wide_all(0)}, wide_arc_other(size), (wide_bits){0});
    angle = (wide_real)((wide_bits)angle | wide_sign(x));
    return wide_pick(size <= 1, angle, wide_all(__builtin_nan("")));
}

WIDE_INLINE wide_real wide_acos(wide_real x)
{
    wide_real size = wide_abs(x);
    wide_bits left = -(wide_bits)((wide_words)x >> 63);
    wide_real angle =
        wide_arc(wide_arc_other(size), (struct wide_pair){size, wide_all(0)}, left);
    return wide_pick(size <= 1, angle, wide_all(__builtin_nan("")));
}
