/* select: values by position and by mask: take, put, compress.
 * Read by C and by ffi.cdef from this one text, as kernels.h is.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_KERNELS_SELECT_H
#define TIDEMILL_KERNELS_SELECT_H
#include "kernels/kernels.h"

/* Elements are bytes here: `size` of them, 1 or more, such as 8 for a float64 or 8 * 3 for rows of
 * three.  Memory need not be aligned to them.  Positions count from `base` and are int32_t or
 * int64_t: `width` is 4 or 8.  A mask is n bytes; what is not 0 is chosen. */

/* The place, from 0, of the first of m positions that is outside [base, base + length), or m when
 * all are inside; -1 for another width. */
TIDEMILL_KERNEL int64_t tidemill_kernel_check_index(const void *index, int64_t width, int64_t m,
                                                    int64_t base, int64_t length);

/* Along an axis of `length` elements, `outer` times: out[o][i] = values[o][index[i] - base], m
 * elements of each.  Returns what check_index does, having written nothing unless it is m. */
TIDEMILL_KERNEL int64_t tidemill_kernel_take(int64_t size, const void *values, int64_t outer,
                                             int64_t length, const void *index, int64_t width,
                                             int64_t m, int64_t base, void *out);

/* out[index[i] - base] = values[i], in order, so that of equal positions the last one stays; with
 * `one` 1 all take values[0].  Returns what check_index does, having written nothing unless it is
 * m. */
TIDEMILL_KERNEL int64_t tidemill_kernel_put(int64_t size, const void *values, int64_t one,
                                            const void *index, int64_t width, int64_t m,
                                            int64_t base, void *out, int64_t length);

/* How many a mask chooses. */
TIDEMILL_KERNEL int64_t tidemill_kernel_mask_count(const uint8_t *mask, int64_t n);

/* The first `count` chosen elements of x; of all when count is mask_count. */
TIDEMILL_KERNEL void tidemill_kernel_compress(int64_t size, const void *x, const uint8_t *mask,
                                              int64_t count, void *out);

/* The positions of the first `count` that are chosen; -1 for another width. */
TIDEMILL_KERNEL int64_t tidemill_kernel_nonzero(const uint8_t *mask, int64_t count,
                                                int64_t width, int64_t base, void *index);

/* The chosen elements of out take those of values, one after the other, or with `one` 1 all the
 * first; the others stay. */
TIDEMILL_KERNEL void tidemill_kernel_put_mask(int64_t size, const void *values, int64_t one,
                                              const uint8_t *mask, int64_t n, void *out);

#endif
