/* reduce: one axis of an array folded into totals, moments, extremes and counts.
 * Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_REDUCE_H
#define TIDEMILL_REDUCE_H
#include "kernels/kernels.h"
#include <stdint.h>

/* An array is seen as outer x n x inner, row-major; the middle axis is folded, and there are
 * m = outer * inner results.  (1, n, 1) is a whole series, (rows, n, 1) the rows of a matrix,
 * (1, n, columns) its columns.  Types: all of enum tidemill_type.
 *
 * Three steps, so that parts of an axis can be folded apart and joined in their order:
 * reduce makes a partial result, reduce_join joins the next part's to it, reduce_finish makes
 * the answer.  Integers, extremes and counts are the same however an axis was parted; float
 * sums, products and moments have the bits of their parting.
 *
 * A partial result is a few planes of m elements of 8 bytes, one plane after the other:
 *
 *   SUM, PROD     float types: float64; others: int64, which wraps
 *   MEAN          float64 sum; int64 count           (integers are summed as float64)
 *   MOMENTS       float64 origin c, mean less c, squared deviations from the mean, count
 *   MIN, MAX      value (float64, or int64 of other types); int64 count of elements seen
 *   ARGMIN, ARGMAX   value; int64 position, -1 of none
 *   ANY, ALL      int64 0 or 1
 *   COUNT         int64: elements that are not 0; NaN is not 0
 *   NANCOUNT      int64: elements that are not NaN
 *
 * NaN: one NaN makes SUM, PROD, MEAN, MOMENTS, MIN and MAX NaN; ARGMIN and ARGMAX give the
 * first NaN's position.  The NAN kinds pass over NaNs; of other than float types they are the
 * plain kinds.  VAR and STD are answers, made from MOMENTS.
 * Ties: ARGMIN and ARGMAX give the first.  -0 equals 0, and a least or greatest value of 0 is
 * never -0.  An infinity makes MOMENTS NaN (MEAN is as IEEE 754 has it); of numbers whose
 * squared deviations overflow, as those of 1e200 and -1e200 do, the squares are infinite, however
 * the axis was parted, and the mean is not defined.
 *
 * Order of sums (SUM, MEAN, float PROD with * for +).  float32 and, where said, integers are
 * float64 first.
 * inner 1: that of tidemill_kernel_sum (kernels.h), whose bits SUM has.  A NAN kind takes the
 * NaNs out of each block of 1,024; the rest of the block moves up.
 * inner > 1: for each column blocks of 128 elements, each added in order from 0 (1 for PROD);
 * blocks are joined as those of tidemill_kernel_sum are.  A NAN kind leaves NaNs out.
 * MOMENTS: the same blocks and joins.  The origin c of a block is its first value (that is not
 * NaN, in a NAN kind).  inner 1: two passes over x - c, as in tidemill_kernel_variance;
 * inner > 1: sums a of x - c and b of (x - c)^2 give the mean a / n and the squares
 * b - a * (a / n), 0 where that is below 0.  Joined by Chan's formula: the origin is c1, with
 * d = (c2 - c1) + (mean2 - mean1) the mean is mean1 + d * (n2 / n), the squares are
 * (s1 + s2) + d * d * (n1 / n * n2).  So equal values have squares exactly 0, and an offset of
 * 1e9 costs no digits. */
enum tidemill_reduction {
    TIDEMILL_REDUCE_SUM = 1,
    TIDEMILL_REDUCE_PROD = 2,
    TIDEMILL_REDUCE_MEAN = 3,
    TIDEMILL_REDUCE_MOMENTS = 4,
    TIDEMILL_REDUCE_MIN = 5,
    TIDEMILL_REDUCE_MAX = 6,
    TIDEMILL_REDUCE_ARGMIN = 7,
    TIDEMILL_REDUCE_ARGMAX = 8,
    TIDEMILL_REDUCE_ANY = 9,
    TIDEMILL_REDUCE_ALL = 10,
    TIDEMILL_REDUCE_COUNT = 11,
    TIDEMILL_REDUCE_VAR = 12, /* answers only */
    TIDEMILL_REDUCE_STD = 13,
    TIDEMILL_REDUCE_NAN = 32, /* added to a kind: NaNs are passed over */
    TIDEMILL_REDUCE_NANSUM = 33,
    TIDEMILL_REDUCE_NANPROD = 34,
    TIDEMILL_REDUCE_NANMEAN = 35,
    TIDEMILL_REDUCE_NANMOMENTS = 36,
    TIDEMILL_REDUCE_NANMIN = 37,
    TIDEMILL_REDUCE_NANMAX = 38,
    TIDEMILL_REDUCE_NANARGMIN = 39,
    TIDEMILL_REDUCE_NANARGMAX = 40,
    TIDEMILL_REDUCE_NANCOUNT = 43,
    TIDEMILL_REDUCE_NANVAR = 44,
    TIDEMILL_REDUCE_NANSTD = 45
};

/* The kind whose partial results give an answer: MOMENTS for VAR and STD, else itself; 0 for
 * what is none. */
TIDEMILL_KERNEL int32_t tidemill_kernel_reduce_kind(int32_t what);

/* The type of an answer, 0 where there is none.  SUM and PROD of integers and bool are int64,
 * MEAN, VAR and STD float64, of float32 all five are float32 (rounded once, at the end); MIN
 * and MAX have the input's type; ARGMIN, ARGMAX and the counts are int64, ANY and ALL bool.
 * Dates and timestamps have MIN, MAX, ARGMIN, ARGMAX, their NAN forms and NANCOUNT only. */
TIDEMILL_KERNEL int32_t tidemill_kernel_reduce_type(int32_t what, int32_t type);

/* Planes of a partial result, -1 when the kind or the type is none or they do not go together. */
TIDEMILL_KERNEL int64_t tidemill_kernel_reduce_planes(int32_t kind, int32_t type);

/* Bytes of scratch that reduce needs; -1 as for planes, or when a size is negative. */
TIDEMILL_KERNEL int64_t tidemill_kernel_reduce_scratch(int32_t kind, int32_t type,
                                                       int64_t outer, int64_t n, int64_t inner);

/* Folds x into partial (planes * m elements).  Positions count from base >= 0, which is that
 * of the part's first element.  x is aligned to its elements, partial and scratch to 8 bytes.
 * Returns 0, or -1. */
TIDEMILL_KERNEL int64_t tidemill_kernel_reduce(int32_t kind, int32_t type, const void *x,
                                               int64_t outer, int64_t n, int64_t inner,
                                               int64_t base, void *partial, void *scratch);

/* Joins `right`, the result of the part that follows, to `left`, in place.  0, or -1. */
TIDEMILL_KERNEL int64_t tidemill_kernel_reduce_join(int32_t kind, int32_t type, void *left,
                                                    const void *right, int64_t m);

/* Answers from a partial result of `kind`, in the answer's type.  `what` is the kind itself, or
 * MEAN, VAR or STD of MOMENTS (or the three NAN forms of NANMOMENTS).  Variances divide by
 * count - ddof and are NaN when that is not above 0; the mean of none is NaN.  NANMIN and
 * NANMAX of floats are NaN where all are NaN, or none is there.  Returns 0, or -1: `what` has
 * no answer here, or another MIN, MAX, ARGMIN or ARGMAX is of no elements. */
TIDEMILL_KERNEL int64_t tidemill_kernel_reduce_finish(int32_t kind, int32_t what, int32_t type,
                                                      const void *partial, int64_t m,
                                                      int64_t ddof, void *out);

#endif
