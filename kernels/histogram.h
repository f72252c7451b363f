/* histogram: values counted by bins.
 * Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_HISTOGRAM_H
#define TIDEMILL_HISTOGRAM_H
#include "kernels/kernels.h"
#include <stdint.h>

/* Bin i holds edge[i] <= x < edge[i+1], the last one its upper edge too.  NaN and what is
 * outside is not counted.  Counts and sums are added to what is there, so that parts of a
 * series are counted one after the other; start from 0.  Returns 0, or -1. */

/* `bins` >= 1 equal bins: edge i is low + i * ((high - low) / bins), the last one is high
 * (NumPy's).  low < high, both finite, as is their difference. */
TIDEMILL_KERNEL int64_t tidemill_kernel_histogram(const double *x, int64_t n, double low,
                                                  double high, int64_t bins, int64_t *counts);

/* The same of weights instead of ones, added in the order of x. */
TIDEMILL_KERNEL int64_t tidemill_kernel_histogram_weights(const double *x,
                                                          const double *weights, int64_t n,
                                                          double low, double high, int64_t bins,
                                                          double *sums);

/* Bins between edges that ascend (or are equal: such a bin stays empty, unless it is the last);
 * there are bins + 1 edges. */
TIDEMILL_KERNEL int64_t tidemill_kernel_histogram_edges(const double *x, int64_t n,
                                                        const double *edges, int64_t bins,
                                                        int64_t *counts);
TIDEMILL_KERNEL int64_t tidemill_kernel_histogram_edges_weights(const double *x,
                                                                const double *weights,
                                                                int64_t n, const double *edges,
                                                                int64_t bins, double *sums);

/* How often each of the integers 0 to bins - 1 is there; refused when another one is. */
TIDEMILL_KERNEL int64_t tidemill_kernel_bincount(const int32_t *x, int64_t n, int64_t bins,
                                                 int64_t *counts);

#endif
