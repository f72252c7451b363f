/* rolling: sliding windows over the first axis of a table, and decaying means.
 * Read by C and by ffi.cdef; kernels.h says what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_KERNELS_ROLLING_H
#define TIDEMILL_KERNELS_ROLLING_H
#include <stdint.h>
#define TIDEMILL_KERNEL __attribute__((visibility("default")))

/* x is a table of n rows and `inner` columns, row-major, and so is out; a series has inner 1.
 * A window is `window` rows of one column, out[t] belongs to the one that ends in row t.
 *
 * - Missing is what is not finite: NaN and both infinities.  A window's result is NaN when less
 *   than `min_count` of its values are there, 1 <= min_count <= window.  With min_count ==
 *   window a missing value spoils the windows that contain it and no other, and the first full
 *   window is the first that can have a result.  With less, what is missing is skipped, and so
 *   is what would lie before row 0.
 * - A result depends on the values of its window alone: neither on where it stands, nor on what
 *   came before, nor on other columns.  So a chunked computation gives the bits of a whole one.
 *   A full window has the same bits whatever min_count is.
 * - What overflows is NaN.  window may be more than n.
 * - -1 is returned, and nothing written, for a window below 1, a min_count outside its range, n
 *   or inner below 0, a ddof below 0, or a q outside [0, 1].
 *
 * A full window is built by doubling, as the binary digits of its size from the highest say:
 * two neighbours of one size are joined, and for a digit 1 the next value is appended.  Time is
 * n log2(window).  One with missing values is done alone and in two passes, in time `window`.
 *
 * scratch: tidemill_kernel_rolling_scratch(n, inner, window) doubles. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_scratch(int64_t n, int64_t inner,
                                                        int64_t window);

/* Sums: (older + newer) + appended; exact where all partial sums are, as those of integers. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_sum(const double *x, int64_t n, int64_t inner,
                                                    int64_t window, int64_t min_count,
                                                    double *scratch, double *out);

/* The sum times the rounded 1 / window; of equal values that very value. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_mean(const double *x, int64_t n, int64_t inner,
                                                     int64_t window, int64_t min_count,
                                                     double *scratch, double *out);

/* Variance and standard deviation, divisor count - ddof; NaN when that is not positive.  What
 * is joined are squared deviations and the distances of the newest value from the mean, so that
 * an offset costs no digits, none is negative, and equal values have exactly 0. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_var(const double *x, int64_t n, int64_t inner,
                                                    int64_t window, int64_t ddof,
                                                    int64_t min_count, double *scratch,
                                                    double *out);
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_std(const double *x, int64_t n, int64_t inner,
                                                    int64_t window, int64_t ddof,
                                                    int64_t min_count, double *scratch,
                                                    double *out);

/* (x[t] - mean) / std of the window that ends at t; NaN where all its values are equal, and
 * where x[t] is missing. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_zscore(const double *x, int64_t n,
                                                       int64_t inner, int64_t window,
                                                       int64_t ddof, int64_t min_count,
                                                       double *scratch, double *out);

/* Covariance, divisor count - ddof, and Pearson's correlation, in [-1, 1] and NaN when either
 * has equal values only.  A row counts as missing when either value is. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_cov(const double *x, const double *y, int64_t n,
                                                    int64_t inner, int64_t window, int64_t ddof,
                                                    int64_t min_count, double *scratch,
                                                    double *out);
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_corr(const double *x, const double *y,
                                                     int64_t n, int64_t inner, int64_t window,
                                                     int64_t min_count, double *scratch,
                                                     double *out);

/* The least and the greatest value; which of +0 and -0 is not said. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_min(const double *x, int64_t n, int64_t inner,
                                                    int64_t window, int64_t min_count,
                                                    double *scratch, double *out);
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_max(const double *x, int64_t n, int64_t inner,
                                                    int64_t window, int64_t min_count,
                                                    double *scratch, double *out);

#endif
