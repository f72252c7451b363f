/* angle: the remainder of any finite double by pi/2, in integers, to more than 120 bits
 * (Payne and Hanek 1983).
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/elementary_bodies.h"

/* 2 / pi, the 64 bits before and the 1,280 after the binary point. */
static const uint64_t angle_two_over_pi[] = {
    0,
    0xa2f9836e4e441529,
    0xfc2757d1f534ddc0,
    0xdb6295993c439041,
    0xfe5163abdebbc561,
    0xb7246e3a424dd2e0,
    0x06492eea09d1921c,
    0xfe1deb1cb129a73e,
    0xe88235f52ebb4484,
    0xe99c7026b45f7e41,
    0x3991d639835339f4,
    0x9c845f8bbdf9283b,
    0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f,
    0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
};

/* 64 of those bits, from bit number `first` on. */
static uint64_t angle_bits(int first)
{
    int word = first / 64, shift = first % 64;
    uint64_t bits = angle_two_over_pi[word] << shift;
    return shift ? bits | angle_two_over_pi[word + 1] >> (64 - shift) : bits;
}

/* whole.fraction = |x| 2/pi modulo 4, with 192 bits of fraction, as a number of 256 bits whose
 * upper two are the whole part: number[0] is the highest.  |x| = significand 2^power. */
static void angle_turns(uint64_t significand, int power, uint64_t number[4])
{
    unsigned __int128 carry = 0;
    for (int i = 3; i >= 0; i--) {
        carry += (unsigned __int128)significand * angle_bits(power + 62 + 64 * i);
        number[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* high + low = fraction 2^-192 pi/2, from its first 128 bits that count. */
static void angle_of_fraction(const uint64_t fraction[3], double *high, double *low)
{
    unsigned __int128 head = (unsigned __int128)fraction[0] << 64 | fraction[1];
    uint64_t tail = fraction[2];
    int zeros = 0;
    for (; zeros < 128 && !(head >> 127); zeros++) {
        head = head << 1 | tail >> 63;
        tail <<= 1;
    }
    double scale = 1; /* 2^-(zeros + 64) */
    for (int i = 0; i < zeros + 64; i++) scale *= 0.5;
    double a = (double)(uint64_t)(head >> 75) * 0x1p11 * scale; /* 53 bits */
    double b = (double)(uint64_t)(head >> 22 & ((1ull << 53) - 1)) * 0x1p-42 * scale;
    const double pi_high = 0x1.921fb54442d18p+0, pi_low = 0x1.1a62633145c07p-54;
    const double pi_1 = 0x1.921fb50000000p+0, pi_2 = 0x1.110b4600000000p-26;
    double a1 = (float)a, a2 = a - a1, product = a * pi_high;
    double error = ((a1 * pi_1 - product) + a1 * pi_2 + a2 * pi_1) + a2 * pi_2;
    error += a * pi_low + b * pi_high;
    *high = product + error;
    *low = (product - *high) + error;
}

int64_t mill_angle_reduce(double x, double *high, double *low)
{
    uint64_t bits, number[4];
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff);
    if (exponent == 0x7ff) {
        *high = *low = __builtin_nan("");
        return 0;
    }
    angle_turns((bits & ((1ull << 52) - 1)) | 1ull << 52, exponent - 1075, number);
    int64_t quadrant = (int64_t)(number[0] >> 62);
    uint64_t fraction[3];
    for (int i = 0; i < 3; i++) fraction[i] = number[i] << 2 | number[i + 1] >> 62;
    int above = fraction[0] >> 63; /* half a quadrant or more: count back from the next one */
    if (above) {
        quadrant++;
        for (int i = 0; i < 3; i++) fraction[i] = ~fraction[i];
    }
    angle_of_fraction(fraction, high, low);
    int negative = above ^ (int)(bits >> 63);
    if (negative) {
        *high = -*high;
        *low = -*low;
    }
    return bits >> 63 ? -quadrant : quadrant;
}
