/* kernel_check: what the tests of the kernels share.
 * Buffers have their exact size, so that a sanitizer sees one element too many.
 * SPDX-License-Identifier: MIT */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include <math.h>
#include <stdint.h>

#include "check.h"
#include "kernels/kernels.h"

static const char *const kernel_sets[] = {"plain", "avx2", "avx512", "neon"};
enum { KERNEL_SETS = 4 };

/* Runs the block once with each instruction set of this machine, plain first; leaves the
 * default one. */
#define EACH_SET(set)                                                                          \
    for (int set = 0; set < KERNEL_SETS || (tidemill_kernel_isa_select(NULL), 0); set++)       \
        if (tidemill_kernel_isa_select(kernel_sets[set]) == 0)

static inline void *exact_copy(const void *from, size_t size)
{
    void *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (from) memcpy(copy, from, size);
    return copy;
}

static inline double *exact_doubles(int64_t n)
{
    double *x = exact_copy(NULL, (size_t)n * sizeof(double));
    for (int64_t i = 0; i < n; i++) x[i] = -12345.678; /* stands out when left */
    return x;
}

static inline int same_bits(const double *a, const double *b, int64_t n)
{
    return memcmp(a, b, (size_t)n * sizeof(double)) == 0;
}

/* Equal within a share of the larger, or both NaN. */
static inline int is_near(double got, long double expected, double share)
{
    if (isnan(expected) || isnan(got)) return isnan(expected) && isnan(got);
    return fabsl(got - expected) <= share * fmaxl(fabsl(expected), fabsl((long double)got));
}

/* ---- made-up series ---------------------------------------------------------------------- */

static uint64_t random_state;

static inline uint64_t random_bits(void)
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline double random_unit(void)
{
    return (double)(random_bits() >> 11) * 0x1p-53;
}

static inline int64_t random_below(int64_t n)
{
    return (int64_t)(random_bits() % (uint64_t)n);
}

/* A price that walks; cents, so that neighbours are often equal. */
static inline void fill_prices(double *x, int64_t n)
{
    double price = 20 + 100 * random_unit();
    for (int64_t i = 0; i < n; i++) {
        if (random_below(4)) price *= 1 + 0.04 * (random_unit() - 0.5);
        x[i] = floor(price * 100 + 0.5) / 100;
    }
}

#endif
