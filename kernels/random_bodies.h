/* random_bodies: stands in until the distributions come.  SPDX-License-Identifier: MIT */
#ifndef MILL_RANDOM_BODIES_H
#define MILL_RANDOM_BODIES_H
#include <stddef.h>
#include "kernels/kernels.h"
typedef void mill_random_body(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                              double a, double b, void *out);
static inline void mill_random_standin(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                              double a, double b, void *out)
{
    double *x = out;
    tidemill_kernel_uniform(seed, stream, first, n, x);
    if (a != 0 || b != 1) for (int64_t i = 0; i < n; i++) x[i] = a + (b - a) * x[i];
}
static inline mill_random_body *mill_random_find(int32_t kind, int32_t type)
{
    return kind == 1 && type == TIDEMILL_FLOAT64 ? mill_random_standin : NULL;
}
#endif
