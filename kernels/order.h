/* order: sorting, merging, ranking and searching.
 * Read by C and by ffi.cdef from this one text, as kernels.h is.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_KERNELS_ORDER_H
#define TIDEMILL_KERNELS_ORDER_H
#include "kernels/kernels.h"

/* `type` is a number of enum tidemill_type; every type there has an order: bool and uint8 as
 * bytes, dates and timestamps as their integers.  -0 and 0 are equal.  NaNs are equal to each
 * other and stand last, in a descending order too.  Equal values keep their old order, whichever
 * way it goes, so that results do not depend on how they are found: on the instruction set, the
 * number of workers or the chunks.
 *
 * Positions count from `base` and are int32_t or int64_t: `width` is 4 or 8 bytes.
 *
 * -1 is returned for an unknown type or width and for positions that do not fit it. */

/* ---- Sorting --------------------------------------------------------------------------- */

/* Each of `rows` rows of n values by itself, ascending unless `descending` is 1.  A NaN in out is
 * the one NaN.  scratch: n values of the type. */
TIDEMILL_KERNEL int64_t tidemill_kernel_sort(int64_t type, const void *x, int64_t rows,
                                             int64_t n, int64_t descending, void *scratch,
                                             void *out);

/* The positions, within its row, of each row's values in sorted order: those of
 * tidemill_kernel_sort.  scratch: 2 n words. */
TIDEMILL_KERNEL int64_t tidemill_kernel_argsort(int64_t type, const void *x, int64_t rows,
                                                int64_t n, int64_t descending, int64_t width,
                                                int64_t base, int64_t *scratch, void *index);

/* 1 when the values stand in (ascending or descending) order, else 0. */
TIDEMILL_KERNEL int64_t tidemill_kernel_is_sorted(int64_t type, const void *x, int64_t n,
                                                  int64_t descending);

#endif
