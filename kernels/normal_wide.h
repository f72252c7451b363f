/* normal: what is made of uniform numbers by logarithm, sine and cosine (Box and Muller 1958).
 * SPDX-License-Identifier: MIT */
#ifndef MILL_NORMAL_WIDE
#define MILL_NORMAL_WIDE
#define wide_minus_log MILL_WIDE(wide_minus_log)
#define wide_normal    MILL_WIDE(wide_normal)
#endif

/* -log(1 - u) for 0 <= u < 1 with 53 bits. */
WIDE_INLINE wide_real wide_minus_log(wide_real u)
{
    struct wide_log_parts parts = wide_log_part_normal(1 - u);
    return 0 - wide_log_join(parts.k, parts.f, wide_all(0));
}

/* u and v become r cos(2 pi v) and r sin(2 pi v), r = sqrt(-2 log(1 - u)). */
WIDE_INLINE void wide_normal(wide_real *u, wide_real *v)
{
    wide_real length = wide_sqrt(2 * wide_minus_log(*u));
    wide_real quarters = 4 * *v, shifted = quarters + WIDE_ROUND;
    wide_real angle = (quarters - (shifted - WIDE_ROUND)) * 0x1.921fb54442d18p+0;
    wide_real z = angle * angle;
    wide_real sine = angle + angle * z * wide_sine_series(z);
    wide_real cosine = (1 - 0.5 * z) + z * z * wide_cosine_series(z);
    wide_words quadrant = (wide_words)shifted;
    wide_bits odd = -(wide_bits)(quadrant & 1);
    *u = length * wide_negate((wide_bits)((quadrant + 1) << 62), wide_pick(odd, sine, cosine));
    *v = length * wide_negate((wide_bits)(quadrant << 62), wide_pick(odd, cosine, sine));
}

/* The last pairs, fewer than two vectors hold, are worked out aside. */
MILL_TARGET static void MILL_WIDE(normal_pairs)(double *x, int64_t pairs, double mean,
                                                double sd)
{
    double rest[2 * WIDE_LANES] = {0};
    for (int64_t i = 0; i < pairs; i += WIDE_LANES) {
        int64_t left = mill_least(pairs - i, WIDE_LANES);
        double *at = x + 2 * i;
        if (left < WIDE_LANES) at = __builtin_memcpy(rest, at, (size_t)left * 2 * sizeof *at);
        wide_real a = wide_load(at), b = wide_load(at + WIDE_LANES);
        wide_real u = WIDE_EVEN(a, b), v = WIDE_ODD(a, b);
        wide_normal(&u, &v);
        u = mean + sd * u;
        v = mean + sd * v;
        wide_store(WIDE_EVEN(u, v), at);
        wide_store(WIDE_ODD(u, v), at + WIDE_LANES);
        if (at == rest) __builtin_memcpy(x + 2 * i, rest, (size_t)left * 2 * sizeof *at);
    }
}

MILL_TARGET static void MILL_WIDE(exponential_numbers)(double *x, int64_t n, double scale)
{
    double rest[WIDE_LANES] = {0};
    for (int64_t i = 0; i < n; i += WIDE_LANES) {
        int64_t left = mill_least(n - i, WIDE_LANES);
        double *at = x + i;
        if (left < WIDE_LANES) at = __builtin_memcpy(rest, at, (size_t)left * sizeof *at);
        wide_store(scale * wide_minus_log(wide_load(at)), at);
        if (at == rest) __builtin_memcpy(x + i, rest, (size_t)left * sizeof *at);
    }
}
