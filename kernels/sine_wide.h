/* sine: the series of sine and cosine up to pi/4, their coefficients by
 * scripts/dev/vectors/elementary.py.  z is the square of the angle.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SINE_WIDE
#define MILL_SINE_WIDE
#define wide_sine_series   MILL_WIDE(wide_sine_series)
#define wide_cosine_series MILL_WIDE(wide_cosine_series)
#endif

/* sin r = r + r z p */
WIDE_INLINE wide_real wide_sine_series(wide_real z)
{
    wide_real p = z * 0x1.5d92ec660026bp-33 + -0x1.ae5e65f50e5bbp-26;
    p = p * z + 0x1.71de35775fa26p-19;
    p = p * z + -0x1.a01a019c1136dp-13;
    p = p * z + 0x1.111111110f877p-7;
    return p * z + -0x1.5555555555549p-3;
}

/* cos r = 1 - z / 2 + z^2 p */
WIDE_INLINE wide_real wide_cosine_series(wide_real z)
{
    wide_real p = z * -0x1.8fae85882554fp-37 + 0x1.1ee9ebbda1032p-29;
    p = p * z + -0x1.27e4f809b196dp-22;
    p = p * z + 0x1.a01a019cb167bp-16;
    p = p * z + -0x1.6c16c16c1517ap-10;
    return p * z + 0x1.555555555554cp-5;
}
