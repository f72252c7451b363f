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

/* The values of several lists as one, in the order of the lists: what tidemill_kernel_split made
 * of the chunks of a whole.  scratch: as many values as there are. */
TIDEMILL_KERNEL int64_t tidemill_kernel_sort_parts(int64_t type, int64_t runs,
                                                   const void *const *parts,
                                                   const int64_t *lengths, int64_t descending,
                                                   void *scratch, void *out);

/* The positions, within its row, of each row's values in sorted order: those of
 * tidemill_kernel_sort.  scratch: 2 n words. */
TIDEMILL_KERNEL int64_t tidemill_kernel_argsort(int64_t type, const void *x, int64_t rows,
                                                int64_t n, int64_t descending, int64_t width,
                                                int64_t base, int64_t *scratch, void *index);

/* 1 when the values stand in (ascending or descending) order, else 0. */
TIDEMILL_KERNEL int64_t tidemill_kernel_is_sorted(int64_t type, const void *x, int64_t n,
                                                  int64_t descending);

/* ---- Merging --------------------------------------------------------------------------- */

/* Runs are ascending lists: parts[p] has lengths[p] values.  Their stable merge has all values in
 * order, of equal ones those of an earlier run first.  So sorted chunks merge to the bits of the
 * whole, sorted, and any part of it can be made by itself. */

/* How many values of each run are among the first `rank` of the merge. */
TIDEMILL_KERNEL int64_t tidemill_kernel_merge_cut(int64_t type, int64_t runs,
                                                  const void *const *parts,
                                                  const int64_t *lengths, int64_t rank,
                                                  int64_t *cuts);

/* Values from..to-1 of the merge, counted from 0.  cuts: 2 runs words.  scratch: to - from values;
 * for up to two runs it may be NULL. */
TIDEMILL_KERNEL int64_t tidemill_kernel_merge(int64_t type, int64_t runs,
                                              const void *const *parts, const int64_t *lengths,
                                              int64_t from, int64_t to, int64_t *cuts,
                                              void *scratch, void *out);

/* ---- Splitting ------------------------------------------------------------------------- */

/* How a whole in chunks is sorted by any number of workers: sample each chunk, choose splitters
 * from the samples, split each chunk, sort the buckets (tidemill_kernel_sort_parts).  Bucket b of
 * ns + 1 has the values that are not below splitter b-1 and are below splitter b; splitters
 * ascend; NaNs are in the last one.  The sorted buckets, one after the other, are the sorted
 * whole, whatever the splitters. */

/* m of n values, one from each of m equal stretches; which ones depends on n and m alone.  -1
 * when there are none to choose from. */
TIDEMILL_KERNEL int64_t tidemill_kernel_sample(int64_t type, const void *x, int64_t n,
                                               int64_t m, void *out);

/* How many values are in each bucket. */
TIDEMILL_KERNEL int64_t tidemill_kernel_split_count(int64_t type, const void *x, int64_t n,
                                                    const void *splitters, int64_t ns,
                                                    int64_t *counts);

/* The values of bucket b, in their old order, go to outs[b], which is moved to their end. */
TIDEMILL_KERNEL int64_t tidemill_kernel_split(int64_t type, const void *x, int64_t n,
                                              const void *splitters, int64_t ns, void **outs);

/* ---- Ranks and distinct values ----------------------------------------------------------- */

enum {
    TIDEMILL_RANK_AVERAGE = 0, /* equal values share the mean of their places */
    TIDEMILL_RANK_MIN = 1,     /* .. the first of them */
    TIDEMILL_RANK_MAX = 2,     /* .. the last */
    TIDEMILL_RANK_DENSE = 3,   /* .. one place: the next value has the next one */
    TIDEMILL_RANK_ORDINAL = 4, /* .. nothing: each has its own, in their old order */
};

/* The place, from 1, of each value in ascending order; a NaN has NaN.  scratch: 2 n words. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rank(int64_t type, const void *x, int64_t n,
                                             int64_t method, int64_t *scratch, double *out);

/* The distinct values of an ascending list: values[d] is the first of those that are equal,
 * counts[d] how many there are; counts may be NULL.  NaNs are one value.  Returns how many
 * distinct ones there are; values and counts have n places. */
TIDEMILL_KERNEL int64_t tidemill_kernel_unique(int64_t type, const void *x, int64_t n,
                                               void *values, int64_t *counts);

/* The distinct values of any list, ascending: first[d] is the position of the first one,
 * counts[d] how many there are, and inverse[i] the place of x[i] among them, places and positions
 * from `base`.  The last three may be NULL.  scratch: 2 n words. */
TIDEMILL_KERNEL int64_t tidemill_kernel_unique_index(int64_t type, const void *x, int64_t n,
                                                     int64_t base, int64_t *scratch,
                                                     void *values, int64_t *first,
                                                     int64_t *counts, int64_t *inverse);

/* ---- Searching -------------------------------------------------------------------------- */

/* Where each of m values, in any order, would be put among n ascending ones: before those that
 * are equal, or with `right` 1 behind them.  out[i] is the position, 0 to n, plus base. */
TIDEMILL_KERNEL int64_t tidemill_kernel_searchsorted(int64_t type, const void *sorted,
                                                     int64_t n, const void *values, int64_t m,
                                                     int64_t right, int64_t width, int64_t base,
                                                     void *out);

#endif
