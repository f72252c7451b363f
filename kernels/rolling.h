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
 *   (Correlations of all windows, at the end, depend on the window's place as well.)
 *   A full window has the same bits whatever min_count is.
 * - What overflows is NaN.  window may be more than n.
 * - -1 is returned, and nothing written, for a window below 1, a min_count outside its range, n
 *   or inner below 0, a ddof below 0, or a q outside [0, 1].
 *
 * A full window is built from smaller ones.  Sums say how below; all others are doubled, as the
 * binary digits of its size from the highest say: two neighbours of one size are joined, and for
 * a digit 1 the next value is appended.  Time is n log2(window).  One with missing values is done
 * alone and in two passes, in time `window`.
 *
 * scratch: tidemill_kernel_rolling_scratch(n, inner, window) doubles. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_scratch(int64_t n, int64_t inner,
                                                        int64_t window);

/* Sums: of a window's newest values in fours, (a + b) + (c + d); of 2 to 7 fours (a + b) + c,
 * ((a + b) + (c + d)) + e, or from six on the sum of two threes and then the seventh; more are
 * joined from 2 to 5 neighbours of one size, added as so many fours are, and at times the next
 * four, in an order that the window's size decides (rolling_joins.c).  Then the window's oldest,
 * up to three, are added from newer to older.  Exact where all partial sums are, as those of
 * integers. */
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

/* The q-quantile, linear between the two nearest ranks; q = 0.5 is the median.  -0 counts as
 * +0.  Time is that of moving part of a sorted window, or for a window above 512 that of
 * sorting: n log2(window). */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_quantile(const double *x, int64_t n,
                                                         int64_t inner, int64_t window,
                                                         double q, int64_t min_count,
                                                         double *scratch, double *out);

/* ---- Decaying means -------------------------------------------------------------------- */

/* Weights fall by the factor 1 - alpha a row, 0 < alpha <= 1.  With `adjust` every value enters
 * with weight 1 (result t is the mean of rows 0 to t with weights (1 - alpha)^age); without, row
 * 0 enters with 1, later ones with alpha, and the weights before are scaled to a sum of 1 first.
 * A missing row has no weight, ages the others and repeats the result before it; NaN while less
 * than `min_count` >= 1 values are there.
 *
 * These are recursive: a result depends on all rows before it, so a chunk of rows needs them.
 * A step, where the value x with weight w joins others whose weights have the sum s:
 *     gap = x - mean;  share = w / (s + w);  mean += gap * share
 *     var = s / (s + w) * (var + share * gap * gap)
 * Equal values have that very mean and variance exactly 0.
 *
 * scratch: 5 * inner doubles.  -1: alpha, min_count, n or inner outside its range. */
TIDEMILL_KERNEL int64_t tidemill_kernel_ewm_mean(const double *x, int64_t n, int64_t inner,
                                                 double alpha, int64_t adjust,
                                                 int64_t min_count, double *scratch,
                                                 double *out);

/* Variance without bias: the weighted one by 1 - sum of squared weights / square of their sum,
 * NaN where that is 0, as for a single value; and its root. */
TIDEMILL_KERNEL int64_t tidemill_kernel_ewm_var(const double *x, int64_t n, int64_t inner,
                                                double alpha, int64_t adjust, int64_t min_count,
                                                double *scratch, double *out);
TIDEMILL_KERNEL int64_t tidemill_kernel_ewm_std(const double *x, int64_t n, int64_t inner,
                                                double alpha, int64_t adjust, int64_t min_count,
                                                double *scratch, double *out);

/* ---- Correlations of all windows ------------------------------------------------------- */

/* Pearson's correlations of all pairs of `rows` series, each n long, in the windows `first` to
 * first + count - 1, where window k is values k to k + window - 1: out[count x rows x rows].
 * Windows are taken in groups of tidemill_kernel_rolling_correlate_group(window), from window 0 on.
 * The windows of a group have half of their values or more in common: deviations are taken from the
 * mean of those, itself taken from differences to the oldest of them.  Of a window's deviations a and b,
 * with sums S over its n values:  (S(ab) - (S(a) / sqrt(n)) (S(b) / sqrt(n))) * (la * lb), where
 * la = 1 / sqrt(S(aa) - (S(a) / sqrt(n))^2).  Sums run over the common values from the oldest on, then
 * over the window's older values from the newest down; and over its newer values from the
 * oldest on, which sum is added last.  Products are summed by multiply-adds that round once
 * (twice on an x86 without FMA3).  So the bits depend on the window's values and on its place, not on
 * first, count and the other series; they are near to two passes over the window: subtracting the
 * square takes two thirds of S(aa) at most.  (i, j) and (j, i) have equal bits, and (i, i) is 1.
 * A series with a missing value, or with equal values only, gives NaN; so do squares that overflow, or
 * whose sum is below 2^-1024.  -1 when a window is not within the series.
 * scratch: tidemill_kernel_rolling_correlate_scratch(rows, window, count) doubles. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_correlate_group(int64_t window);
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_correlate_scratch(int64_t rows, int64_t window,
                                                                  int64_t count);
TIDEMILL_KERNEL int64_t tidemill_kernel_rolling_correlate(const double *x, int64_t rows,
                                                          int64_t n, int64_t window,
                                                          int64_t first, int64_t count,
                                                          double *scratch, double *out);

#endif
