/* rolling: means and deviations of sliding windows, by doubling.
 * A window's result depends on its values alone; kernels.h states the promise.
 *
 * DESIGN.  Write a window as its binary digits: 13 = 1101 is built as 1, 3, 6, 13, each step
 * joining two neighbours of the same size and appending one value where the digit is 1.  All
 * windows of a size are made in one pass over the array of those of half the size, in place
 * from the newest down, since a window needs only windows that end before it:
 *
 *     ends at      t - odd - half        t - odd       t
 *                 |---- older ----|---- newer ----|  (one)
 *                 ^ value `oldest` ^ value `middle`
 *
 * Kept per window are the sum of differences from its own oldest value (and the sum of squared
 * deviations from its mean).  Nothing is ever taken out of a sum: nothing cancels, a NaN goes
 * when its window goes, and equal values leave exact zeros.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>

#include "kernels/bodies.h"
#include "kernels/kernels.h"

enum { ROLLING_TILE = 2048 }; /* windows worked on at a time: values and sums fit 32 KiB */

/* ---- plain bodies ---------------------------------------------------------------------- */

void mill_window_sums_plain(const double *x, double *sum, int64_t first, int64_t end,
                            int64_t half, int64_t odd)
{
    for (int64_t t = end - 1; t >= first; t--) {
        int64_t last = t - odd; /* of the even part */
        double oldest = x[last - 2 * half + 1], middle = x[last - half + 1];
        double even = (sum[last - half] + sum[last]) + (double)half * (middle - oldest);
        sum[t] = odd ? even + (x[t] - oldest) : even;
    }
}

void mill_window_squares_plain(const double *x, double *sum, double *square, int64_t first,
                               int64_t end, int64_t half, int64_t odd)
{
    double size = (double)half, inverse = 1 / size, weight = size / 2;
    double inverse_even = 1 / (2 * size), weight_one = 2 * size / (2 * size + 1);
    for (int64_t t = end - 1; t >= first; t--) {
        int64_t last = t - odd;
        double oldest = x[last - 2 * half + 1], step = x[last - half + 1] - oldest;
        double older = sum[last - half], newer = sum[last];
        double gap = step + (newer - older) * inverse; /* between the halves' means */
        double even = (older + newer) + size * step;
        double spread = (square[last - half] + square[last]) + gap * gap * weight;
        if (odd) {
            double one = x[t] - oldest, one_gap = one - even * inverse_even;
            spread += one_gap * one_gap * weight_one;
            even += one;
        }
        sum[t] = even;
        square[t] = spread;
    }
}

void mill_window_means_plain(const double *x, double *sum, int64_t first, int64_t end,
                             int64_t window)
{
    for (int64_t t = first; t < end; t++)
        sum[t] = mill_finite_or_nan(x[t - window + 1] + sum[t] / (double)window);
}

/* ---- every window of a series ---------------------------------------------------------- */

/* The windows that end in [first, end).  Places from first - window + 1 on are work space.
 * `square` may be NULL. */
static void rolling_tile(const struct mill_kernel_bodies *bodies, const double *x,
                         int64_t first, int64_t end, int64_t window, double *sum,
                         double *square)
{
    int64_t base = first - window + 1, size = 1;
    for (int64_t i = base; i < end; i++) sum[i] = 0;
    if (square) /* 0, or NaN where the value is not finite */
        for (int64_t i = base; i < end; i++) square[i] = x[i] - x[i];
    for (int digit = 62 - __builtin_clzll((unsigned long long)window); digit >= 0; digit--) {
        int64_t odd = window >> digit & 1, from = base + 2 * size + odd - 1;
        if (square)
            bodies->window_squares(x, sum, square, from, end, size, odd);
        else
            bodies->window_sums(x, sum, from, end, size, odd);
        size = 2 * size + odd;
    }
}

void mill_rolling_squares(const double *x, int64_t n, int64_t window, double *mean,
                          double *square)
{
    const struct mill_kernel_bodies *bodies = mill_kernel_bodies();
    /* Newest tile first: a tile's work space lies where older tiles write their results. */
    int64_t tile = mill_most(ROLLING_TILE, window > n ? n : 4 * window), first;
    for (int64_t end = n; end >= window; end = first) {
        first = mill_most(window - 1, end - tile);
        rolling_tile(bodies, x, first, end, window, mean, square);
        bodies->window_means(x, mean, first, end, window);
    }
    mill_fill_nan(mean, 0, mill_least(n, window - 1));
}

void mill_rolling_means(const double *x, int64_t n, int64_t window, double *out)
{
    mill_rolling_squares(x, n, window, out, NULL);
}

/* ---- kernels --------------------------------------------------------------------------- */

int64_t tidemill_kernel_sma(const double *x, int64_t n, int64_t window, double *out)
{
    if (window < 1) return -1;
    mill_rolling_means(x, n, window, out);
    return 0;
}

int64_t tidemill_kernel_stddev(const double *x, int64_t n, int64_t window, int64_t ddof,
                               double *scratch, double *out)
{
    if (ddof < 0 || window <= ddof) return -1;
    mill_rolling_squares(x, n, window, scratch, out);
    double divisor = (double)(window - ddof);
    mill_fill_nan(out, 0, mill_least(n, window - 1));
    for (int64_t t = window - 1; t < n; t++)
        out[t] = mill_finite_or_nan(sqrt(out[t] / divisor));
    return 0;
}

int64_t tidemill_kernel_bbands(const double *x, int64_t n, int64_t window, double k,
                               double *upper, double *mid, double *lower)
{
    if (window < 1) return -1;
    mill_rolling_squares(x, n, window, mid, upper);
    mill_fill_nan(upper, 0, mill_least(n, window - 1));
    mill_fill_nan(lower, 0, mill_least(n, window - 1));
    for (int64_t t = window - 1; t < n; t++) {
        double width = k * sqrt(upper[t] / (double)window);
        upper[t] = mill_finite_or_nan(mid[t] + width);
        lower[t] = mill_finite_or_nan(mid[t] - width);
    }
    return 0;
}
