/* circular: sine, cosine and tangent.
 * x = n pi/2 + r with |r| <= pi/4, pi/2 in three parts; where that does not do (x beyond 2^20, or
 * too near a multiple of pi/2) kernels/angle.c works the lane out in integers.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CIRCULAR_WIDE
#define MILL_CIRCULAR_WIDE
#define wide_angle        MILL_WIDE(wide_angle)
#define wide_angle_exact  MILL_WIDE(wide_angle_exact)
#define wide_angle_reduce MILL_WIDE(wide_angle_reduce)
#define wide_sine_pair    MILL_WIDE(wide_sine_pair)
#define wide_cosine_pair  MILL_WIDE(wide_cosine_pair)
#define wide_turned       MILL_WIDE(wide_turned)
#define wide_sin          MILL_WIDE(wide_sin)
#define wide_cos          MILL_WIDE(wide_cos)
#define wide_tan          MILL_WIDE(wide_tan)
#define TWO_OVER_PI       0x1.45f306dc9c883p-1
#define HALF_PI_1         0x1.921fb54400000p+0 /* 33 bits */
#define HALF_PI_2         0x1.0b4611a600000p-34
#define HALF_PI_3         0x1.3198a2e037073p-69
#endif

struct wide_angle {
    wide_words quadrant; /* modulo 4 */
    struct wide_pair r;
};

MILL_TARGET __attribute__((noinline)) static void
wide_angle_exact(const wide_real *x, const wide_bits *hard, struct wide_angle *angle)
{
    for (int lane = 0; lane < WIDE_LANES; lane++) {
        if (!(*hard)[lane]) continue;
        double high, low;
        angle->quadrant[lane] = (uint64_t)mill_angle_reduce((*x)[lane], &high, &low);
        angle->r.high[lane] = high;
        angle->r.low[lane] = low;
    }
}

WIDE_INLINE struct wide_angle wide_angle_reduce(wide_real x)
{
    struct wide_angle angle;
    wide_real shifted = x * TWO_OVER_PI + WIDE_ROUND, n = shifted - WIDE_ROUND;
    wide_real a = x - n * HALF_PI_1, b = n * HALF_PI_2, r = a - b;
    wide_real tail = ((a - r) - b) - n * HALF_PI_3;
    angle.quadrant = (wide_words)shifted;
    angle.r = wide_join(r, tail);
    wide_bits near = (wide_abs(angle.r.high) < 0x1p-30) & (n != 0);
    wide_bits hard = ~(wide_abs(x) <= 0x1p20) | near;
    if (wide_any(hard)) wide_angle_exact(&x, &hard, &angle);
    return angle;
}

/* Sine and cosine of |r| <= pi/4, each as a large part and the rest of it. */
WIDE_INLINE struct wide_pair wide_sine_pair(struct wide_pair r)
{
    wide_real z = r.high * r.high, rest = r.high * z * wide_sine_series(z);
    return (struct wide_pair){r.high, rest + (r.low - 0.5 * z * r.low)};
}

WIDE_INLINE struct wide_pair wide_cosine_pair(struct wide_pair r)
{
    wide_real z = r.high * r.high, half = 0.5 * z, large = 1 - half;
    wide_real rest = z * z * wide_cosine_series(z);
    return (struct wide_pair){large, ((1 - large) - half) + (rest - r.high * r.low)};
}

/* The sine of an angle that lies `quadrant` quarters of a turn further on. */
WIDE_INLINE wide_real wide_turned(wide_words quadrant, struct wide_pair r)
{
    struct wide_pair sine = wide_sine_pair(r), cosine = wide_cosine_pair(r);
    wide_bits odd = -(wide_bits)(quadrant & 1);
    wide_real y = wide_pick(odd, cosine.high + cosine.low, sine.high + sine.low);
    return wide_negate((wide_bits)(quadrant << 62), y);
}

WIDE_INLINE wide_real wide_sin(wide_real x)
{
    struct wide_angle angle = wide_angle_reduce(x);
    wide_real y = wide_turned(angle.quadrant, angle.r);
    return wide_one_nan(y, wide_pick(x == 0, x, y));
}

WIDE_INLINE wide_real wide_cos(wide_real x)
{
    struct wide_angle angle = wide_angle_reduce(x);
    wide_real y = wide_turned(angle.quadrant + 1, angle.r);
    return wide_one_nan(y, y);
}

/* Sine over cosine, or in odd quadrants -cosine over sine. */
WIDE_INLINE wide_real wide_tan(wide_real x)
{
    struct wide_angle angle = wide_angle_reduce(x);
    struct wide_pair sine = wide_sine_pair(angle.r), cosine = wide_cosine_pair(angle.r);
    /* Here the rounding of the angle's square would be felt. */
    cosine.low -= 0.5 * wide_product(angle.r.high, angle.r.high).low;
    sine = wide_join(sine.high, sine.low);
    cosine = wide_join(cosine.high, cosine.low);
    wide_bits odd = -(wide_bits)(angle.quadrant & 1);
    struct wide_pair above = {wide_pick(odd, -cosine.high, sine.high),
                              wide_pick(odd, -cosine.low, sine.low)};
    struct wide_pair below = {wide_pick(odd, sine.high, cosine.high),
                              wide_pick(odd, sine.low, cosine.low)};
    struct wide_pair quotient = wide_quotient(above, below);
    wide_real y = wide_pick(wide_abs(x) < 0x1p-27, x, quotient.high + quotient.low);
    return wide_one_nan(y, y);
}
