/* strided: copies between a strided view and contiguous memory: slices, reversals, transposes,
 * broadcasts, and the pieces of a larger array.
 * Read by C and by ffi.cdef from this one text, as kernels.h is.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_KERNELS_STRIDED_H
#define TIDEMILL_KERNELS_STRIDED_H
#include "kernels/kernels.h"

/* A view has up to 16 axes, the last one fastest in row-major memory.  Its element (i, j, ..) is
 * i * strides[0] + j * strides[1] + .. elements after the address that is given, which is that of
 * element (0, 0, ..), wherever in memory that lies.  Strides count elements; they may be
 * negative (a reversed axis) and, of an input, 0 (a broadcast one).  `size` is that of an
 * element in bytes: 1, 2, 4 or 8.  Elements are bytes here: every bit of a NaN stays, and memory
 * need not be aligned.  No axis: one element; an axis of size 0: none.
 * -1 is returned for another size or number of axes and for a negative length. */

/* out, contiguous and row-major, takes the elements of the view `in`. */
TIDEMILL_KERNEL int64_t tidemill_kernel_copy_strided(int64_t size, int64_t dims,
                                                     const int64_t *shape,
                                                     const int64_t *strides, const void *in,
                                                     void *out);

/* The elements of the view `out` take those of in, contiguous and row-major.  Two elements of
 * the view never share an address. */
TIDEMILL_KERNEL int64_t tidemill_kernel_paste(int64_t size, int64_t dims, const int64_t *shape,
                                              const void *in, void *out,
                                              const int64_t *strides);

/* The same between two views of one shape. */
TIDEMILL_KERNEL int64_t tidemill_kernel_copy_view(int64_t size, int64_t dims,
                                                  const int64_t *shape, const void *in,
                                                  const int64_t *in_strides, void *out,
                                                  const int64_t *out_strides);

#endif
