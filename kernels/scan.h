/* scan: running sums, products, greatest and least values along one axis of an array.
 * Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_SCAN_H
#define TIDEMILL_SCAN_H
#include "kernels/kernels.h"
#include <stdint.h>

/* The array is outer x n x inner, row-major, and the middle axis is run along, strictly in
 * order: out[k] = out[k-1] with x[k].  What one part of an axis leaves in `carry` is what the
 * next starts from, so that parts give the bits of the whole.
 *
 * `carry` has outer * inner elements of 8 bytes: float64 for float types, else int64.  It
 * starts at 0, 1, minus and plus infinity (the least and the greatest integer).  float32 is
 * carried in float64 and rounded where it is written; integers wrap.
 * NaN: all from the first NaN on is NaN.  -0 equals 0, and CUMMAX, CUMMIN keep the earlier. */
enum tidemill_scan {
    TIDEMILL_SCAN_CUMSUM = 1,
    TIDEMILL_SCAN_CUMPROD = 2,
    TIDEMILL_SCAN_CUMMAX = 3,
    TIDEMILL_SCAN_CUMMIN = 4
};

/* The type of the output, 0 where there is none: CUMSUM and CUMPROD of integers and bool are
 * int64, and there are none of dates and timestamps; all else has the input's type. */
TIDEMILL_KERNEL int32_t tidemill_kernel_scan_type(int32_t kind, int32_t type);

/* Sets m elements of `carry` to what a scan starts from.  0, or -1 where there is no scan. */
TIDEMILL_KERNEL int64_t tidemill_kernel_scan_begin(int32_t kind, int32_t type, int64_t m,
                                                   void *carry);

/* Returns 0, or -1. */
TIDEMILL_KERNEL int64_t tidemill_kernel_scan(int32_t kind, int32_t type, const void *x,
                                             int64_t outer, int64_t n, int64_t inner,
                                             void *carry, void *out);

#endif
