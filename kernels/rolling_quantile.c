/* rolling_quantile: medians and other quantiles of sliding windows.
 * What a window holds is exact, so it does not matter how one window became the next.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "kernels/rolling_quantile_bodies.h"

/* The largest window that is kept sorted. */
enum { QUANTILE_SORTED = 512 };

/* Where value belongs: how many of `count` ascending ones are below it.  No branch depends on
 * the values. */
static int64_t sorted_place(const double *sorted, int64_t count, double value)
{
    const double *at = sorted;
    while (count > 1) {
        int64_t half = count / 2;
        at += half & -(int64_t)(at[half - 1] < value);
        count -= half;
    }
    return at - sorted + (count == 1 && *at < value);
}

static void quantile_insert(double *sorted, int64_t count, double value)
{
    double *at = sorted + sorted_place(sorted, count, value);
    memmove(at + 1, at, (size_t)(count - (at - sorted)) * sizeof *at);
    *at = value;
}

static void quantile_remove(double *sorted, int64_t count, double value)
{
    double *at = sorted + sorted_place(sorted, count, value);
    memmove(at, at + 1, (size_t)(count - 1 - (at - sorted)) * sizeof *at);
}

/* One leaves as another comes: what lies between their places moves by one. */
static void quantile_replace(double *sorted, int64_t count, double old, double value)
{
    int64_t from = sorted_place(sorted, count, old);
    int64_t to = sorted_place(sorted, count, value);
    if (to > from) {
        to--;
        memmove(sorted + from, sorted + from + 1, (size_t)(to - from) * sizeof *sorted);
    } else {
        memmove(sorted + to + 1, sorted + to, (size_t)(from - to) * sizeof *sorted);
    }
    sorted[to] = value;
}

static double window_quantile(const double *sorted, int64_t count, double q)
{
    double place = q * (double)(count - 1);
    int64_t low = (int64_t)place;
    double below = sorted[low], share = place - (double)low;
    if (share == 0) return below;
    return mill_quantile_between(below, sorted[low + 1], share);
}

/* One column, by a window that is kept sorted. */
static void quantile_sorted(const struct mill_quantile *call, const double *x, double *out)
{
    double *sorted = call->scratch;
    int64_t count = 0, unit = call->inner;
    for (int64_t t = 0; t < call->n; t++) {
        double value = x[t * unit] + 0.0, old = NAN; /* -0 becomes +0 */
        if (t >= call->window) old = x[(t - call->window) * unit] + 0.0;
        if (isfinite(old) && isfinite(value))
            quantile_replace(sorted, count, old, value);
        else if (isfinite(old))
            quantile_remove(sorted, count--, old);
        else if (isfinite(value))
            quantile_insert(sorted, count++, value);
        out[t * unit] = count < call->min_count ? NAN : window_quantile(sorted, count, call->q);
    }
}

int64_t tidemill_kernel_rolling_quantile(const double *x, int64_t n, int64_t inner,
                                         int64_t window, double q, int64_t min_count,
                                         double *scratch, double *out)
{
    if (n < 0 || inner < 0 || window < 1 || min_count < 1 || min_count > window ||
        !(q >= 0 && q <= 1))
        return -1;
    struct mill_quantile call = {n, inner, window, min_count, q, scratch};
    for (int64_t c = 0; c < inner; c++)
        (window > QUANTILE_SORTED ? mill_quantile_ranked : quantile_sorted)(&call, x + c,
                                                                            out + c);
    return 0;
}
