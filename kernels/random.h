/* random: numbers of streams by Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), and what is drawn
 * from them.  Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_RANDOM_H
#define TIDEMILL_RANDOM_H
#include "kernels/kernels.h"

/* Element i of a stream depends on (seed, stream, i) alone: any part can be drawn anywhere, in any
 * order, by any worker, with any instruction set, and has the same bits.  Each kernel fills
 * elements first .. first + n - 1, first + n <= 2^63.
 *
 * A stream is a row of 32-bit words.  Two kernels that draw from one stream use the same words: a
 * stream is for one purpose.  What an element takes:
 *
 *   64-bit element i    words 2 i and 2 i + 1, the number with the first as its low half
 *   32-bit element i    word i
 *   normal, lognormal   elements 2 j and 2 j + 1 share what the two would take (Box and Muller)
 *   integers            more for a try that would make them uneven: try t = 1, 2, .. takes the
 *                       words of the same numbers under seed + t 0x9E3779B97F4A7C15 */

/* ---- Words ------------------------------------------------------------------------------ */

/* The generator itself: four words from a counter and a key. */
TIDEMILL_KERNEL void tidemill_kernel_philox_block(const uint32_t counter[4],
                                                  const uint32_t key[2], uint32_t out[4]);

/* Words first .. first + n - 1.  Word i is word i mod 4 of the block whose counter is
 * (i / 4, stream) and whose key is seed, each a 64-bit number with its low half first. */
TIDEMILL_KERNEL void tidemill_kernel_philox(uint64_t seed, uint64_t stream, uint64_t first,
                                            int64_t n, uint32_t *out);

/* ---- Distributions ---------------------------------------------------------------------- */

/* Which one, where it is data; a and b are its two parameters. */
enum tidemill_distribution {
    TIDEMILL_UNIFORM = 1, /* low, high */
    TIDEMILL_NORMAL,      /* mean, standard deviation */
    TIDEMILL_LOGNORMAL,   /* of the logarithm: mean, standard deviation */
    TIDEMILL_EXPONENTIAL, /* scale, unused */
    TIDEMILL_INTEGERS,    /* low, high, both included, up to 2^53 in size */
    TIDEMILL_BERNOULLI    /* probability, unused */
};

/* Doubles in [0, 1): the upper 53 bits of the element's number, times 2^-53. */
TIDEMILL_KERNEL void tidemill_kernel_uniform(uint64_t seed, uint64_t stream, uint64_t first,
                                             int64_t n, double *out);

/* low + (high - low) u, u as above; that may round to high.  f32: u is the upper 24 bits of the
 * element's word, times 2^-24, and the arithmetic is that of floats. */
TIDEMILL_KERNEL void tidemill_kernel_random_uniform(uint64_t seed, uint64_t stream,
                                                    uint64_t first, int64_t n, double low,
                                                    double high, double *out);
TIDEMILL_KERNEL void tidemill_kernel_random_uniform_f32(uint64_t seed, uint64_t stream,
                                                        uint64_t first, int64_t n, float low,
                                                        float high, float *out);

/* mean + sd z.  With the u and v of elements 2 j and 2 j + 1: r = sqrt(-2 log(1 - u)), and the two
 * z are r cos(2 pi v) and r sin(2 pi v); |z| < 8.6.  f32: the
 * logarithm is that of (first word + 1) 2^-32, v is the second word times 2^-32, and the arithmetic
 * is that of floats; |z| < 6.7. */
TIDEMILL_KERNEL void tidemill_kernel_random_normal(uint64_t seed, uint64_t stream,
                                                   uint64_t first, int64_t n, double mean,
                                                   double sd, double *out);
TIDEMILL_KERNEL void tidemill_kernel_random_normal_f32(uint64_t seed, uint64_t stream,
                                                       uint64_t first, int64_t n, float mean,
                                                       float sd, float *out);

/* e to the power of normal(mean, sd). */
TIDEMILL_KERNEL void tidemill_kernel_random_lognormal(uint64_t seed, uint64_t stream,
                                                      uint64_t first, int64_t n, double mean,
                                                      double sd, double *out);

/* -scale log(1 - u): mean `scale`. */
TIDEMILL_KERNEL void tidemill_kernel_random_exponential(uint64_t seed, uint64_t stream,
                                                        uint64_t first, int64_t n, double scale,
                                                        double *out);

/* Integers from low to high, both included, each as likely: the upper half of the product of the
 * element's word or number and high - low + 1, tried again where the lower half says so
 * (Lemire 2019).  Returns 0, or -1 when high < low. */
TIDEMILL_KERNEL int64_t tidemill_kernel_random_integers_i64(uint64_t seed, uint64_t stream,
                                                            uint64_t first, int64_t n,
                                                            int64_t low, int64_t high,
                                                            int64_t *out);
TIDEMILL_KERNEL int64_t tidemill_kernel_random_integers_i32(uint64_t seed, uint64_t stream,
                                                            uint64_t first, int64_t n,
                                                            int32_t low, int32_t high,
                                                            int32_t *out);

/* 1 where u < probability, else 0. */
TIDEMILL_KERNEL void tidemill_kernel_random_bernoulli(uint64_t seed, uint64_t stream,
                                                      uint64_t first, int64_t n,
                                                      double probability, uint8_t *out);

/* ---- Choice and order ------------------------------------------------------------------- */

/* cumulative[i] = weights[0] + .. + weights[i].  Returns 0, or -1 when a weight is negative, NaN
 * or infinite, or the sum is 0 or overflows. */
TIDEMILL_KERNEL int64_t tidemill_kernel_choice_table(const double *weights, int64_t length,
                                                     double *cumulative);

/* Positions (plus base) with replacement, by weight: the first whose cumulative weight is above
 * u times the last one. */
TIDEMILL_KERNEL void tidemill_kernel_random_choice(uint64_t seed, uint64_t stream,
                                                   uint64_t first, int64_t n,
                                                   const double *cumulative, int64_t length,
                                                   int64_t base, int64_t *out);

/* The positions base .. base + length - 1 in a random order, all orders as likely: with a = base,
 * base + 1, .., for i = 0, 1, .. a[i] is swapped with a[i + j], j element i of the stream as an
 * integer from 0 to length - 1 - i (Fisher and Yates).  Returns 0, or -1 when length < 0. */
TIDEMILL_KERNEL int64_t tidemill_kernel_random_permutation(uint64_t seed, uint64_t stream,
                                                           int64_t length, int64_t base,
                                                           int64_t *out);

/* n different ones of length positions: the first n of that permutation.  scratch: length
 * int64_t.  Returns 0, or -1 unless 0 <= n <= length. */
TIDEMILL_KERNEL int64_t tidemill_kernel_random_sample(uint64_t seed, uint64_t stream,
                                                      int64_t length, int64_t n, int64_t base,
                                                      int64_t *scratch, int64_t *out);

#endif
