/* topk: the greatest or least few of a series.
 * Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_TOPK_H
#define TIDEMILL_TOPK_H
#include "kernels/kernels.h"
#include <stdint.h>

/* The k greatest values, greatest first, and their positions; for k < 0 the -k least, least
 * first.  Equal values stand in the order of their positions, -0 equals 0, NaNs are left out.
 * values and positions have room for |k| and may hold `held` results of earlier parts of the
 * series, which take part; 0 <= held <= |k|.  Positions count from base, which is that of x[0].
 * Returns how many results there are, at most |k|, or -1. */
TIDEMILL_KERNEL int64_t tidemill_kernel_topk(const double *x, int64_t n, int64_t k,
                                             int64_t base, int64_t held, double *values,
                                             int64_t *positions);

#endif
