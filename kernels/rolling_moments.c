/* rolling_moments: sums, means, variances and scores of sliding windows.
 * rolling.h states the promises, rolling_bodies.h how windows are doubled.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>

#include "kernels/rolling.h"
#include "kernels/rolling_bodies.h"

static int moment_highest(int64_t window)
{
    return 63 - __builtin_clzll((unsigned long long)window);
}

/* ---- full windows ---------------------------------------------------------------------- */

/* Sums of windows of `window` items by doubling, and where they lie.  An item is `rows` rows,
 * whose sums are in `items`. */
static const double *moment_double(const struct mill_window_tile *tile, const double *items,
                                   int64_t rows, int64_t window)
{
    struct mill_window_step step = {.unit = rows * tile->unit, .half = 1};
    const double *at = items;
    for (int digit = moment_highest(window) - 1; digit >= 0; digit -= 2) {
        int64_t then = digit > 0 ? window >> (digit - 1) & 1 : -1;
        int64_t size = digit > 0 ? window >> (digit - 1) : window;
        step.odd = window >> digit & 1;
        mill_window_bodies()->totals(&step, then, items, at, tile->work[0],
                                     (rows * size - 1) * tile->unit, tile->end);
        at = tile->work[0];
        step.half = size;
    }
    return at;
}

/* Sums of a tile's windows times `factor`.  Fours come first: then all lags but theirs are
 * whole vectors. */
static int moment_sums(const struct mill_rolling *call, const struct mill_window_tile *tile,
                       double factor)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    int64_t unit = tile->unit, from = tile->from, fours = call->window / 4;
    const struct mill_window_step step = {.unit = unit, .half = 1, .odd = 0};
    struct mill_window_rest rest = {0, 0, unit};
    const double *sum;
    if (fours == 0) {
        sum = moment_double(tile, tile->x, 1, call->window);
    } else {
        bodies->totals(&step, 0, tile->x, tile->x, tile->work[1], 3 * unit, tile->end);
        sum = moment_double(tile, tile->work[1], 4, fours);
        rest.rows = call->window % 4;
        rest.back = 4 * fours * unit;
    }
    return bodies->average(&rest, sum + from, tile->x + from, factor, tile->out + from,
                           tile->end - from);
}

static int moment_sum_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    return moment_sums(call, tile, 1) & MILL_WINDOW_UNKNOWN;
}

/* Windows of equal values of one column get that value. */
static void moment_mean_of_equal(int64_t window, const double *x, int64_t unit, int64_t from,
                                 int64_t end, double *out)
{
    int64_t equal = 1;
    if (from == 0) out[0] = x[0]; /* a window of one value */
    for (int64_t t = 1; t < end; t++) {
        equal = x[t * unit] == x[(t - 1) * unit] ? equal + 1 : 1;
        if (t >= from && equal >= window) out[t * unit] = x[t * unit];
    }
}

static int moment_mean_tile(const struct mill_rolling *call,
                            const struct mill_window_tile *tile)
{
    int64_t from = tile->from, unit = tile->unit, window = call->window;
    int flags = moment_sums(call, tile, 1 / (double)window);
    int exact = (window & (window - 1)) == 0; /* a power of two: equal values round nowhere */
    for (int64_t c = 0; c < unit && !exact && flags & MILL_WINDOW_FLAT; c++)
        moment_mean_of_equal(window, tile->x + c, unit, from / unit, tile->end / unit,
                             tile->out + c);
    return flags & MILL_WINDOW_UNKNOWN;
}

/* work[0]: newest value less the mean, work[1]: sum of squared deviations. */
static void moment_spread(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    struct mill_window_step step = {.unit = tile->unit, .half = 1};
    double *above = tile->work[0], *square = tile->work[1];
    if (call->window == 1)
        for (int64_t i = 0; i < tile->end; i++) above[i] = square[i] = tile->x[i] - tile->x[i];
    for (int digit = moment_highest(call->window) - 1; digit >= 0; digit--) {
        int64_t size = call->window >> digit;
        step.odd = size & 1;
        bodies->spread(&step, tile->x, above, square, (size - 1) * tile->unit, tile->end);
        step.half = size;
    }
}

/* 1 / (count - ddof), NaN when that is not positive. */
static double moment_factor(int64_t count, int64_t ddof)
{
    return count > ddof ? 1 / (double)(count - ddof) : NAN;
}

static int moment_var_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    moment_spread(call, tile);
    return mill_window_bodies()->scaled(tile->work[1] + tile->from,
                                        moment_factor(call->window, call->ddof),
                                        tile->out + tile->from, tile->end - tile->from);
}

static int moment_std_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    moment_spread(call, tile);
    return mill_window_bodies()->roots(tile->work[1] + tile->from,
                                       moment_factor(call->window, call->ddof),
                                       tile->out + tile->from, tile->end - tile->from);
}

static int moment_zscore_tile(const struct mill_rolling *call,
                              const struct mill_window_tile *tile)
{
    moment_spread(call, tile);
    return mill_window_bodies()->scores(tile->work[0] + tile->from, tile->work[1] + tile->from,
                                        moment_factor(call->window, call->ddof),
                                        tile->out + tile->from, tile->end - tile->from);
}

/* ---- windows with missing values ------------------------------------------------------- */

/* Sums of differences from the first value that is there, and their squares about the mean. */
struct moment_sums_of_some {
    int64_t count;
    double first, mean, square; /* mean is relative to first */
};

static struct moment_sums_of_some moment_some(const struct mill_window_part *part)
{
    struct moment_sums_of_some some = {.count = 0};
    double sum = 0;
    for (int64_t i = 0; i < part->count; i++) {
        double x = part->x[i * part->unit];
        if (!isfinite(x)) continue;
        if (some.count++ == 0) some.first = x;
        sum += x - some.first;
    }
    some.mean = sum / (double)some.count;
    for (int64_t i = 0; i < part->count; i++) {
        double x = part->x[i * part->unit], off = (x - some.first) - some.mean;
        if (isfinite(x)) some.square += off * off;
    }
    return some;
}

static double moment_sum_some(const struct mill_rolling *call,
                              const struct mill_window_part *part)
{
    (void)call;
    double sum = 0;
    for (int64_t i = 0; i < part->count; i++) {
        double x = part->x[i * part->unit];
        if (isfinite(x)) sum += x;
    }
    return mill_finite_or_nan(sum);
}

static double moment_mean_some(const struct mill_rolling *call,
                               const struct mill_window_part *part)
{
    (void)call;
    struct moment_sums_of_some some = moment_some(part);
    return mill_finite_or_nan(some.first + some.mean);
}

static double moment_var_some(const struct mill_rolling *call,
                              const struct mill_window_part *part)
{
    struct moment_sums_of_some some = moment_some(part);
    return mill_finite_or_nan(some.square * moment_factor(some.count, call->ddof));
}

static double moment_std_some(const struct mill_rolling *call,
                              const struct mill_window_part *part)
{
    return sqrt(moment_var_some(call, part));
}

static double moment_zscore_some(const struct mill_rolling *call,
                                 const struct mill_window_part *part)
{
    struct moment_sums_of_some some = moment_some(part);
    double newest = part->x[(part->count - 1) * part->unit];
    double std = mill_finite_or_nan(sqrt(some.square * moment_factor(some.count, call->ddof)));
    return mill_finite_or_nan(((newest - some.first) - some.mean) / std);
}

/* ---- kernels --------------------------------------------------------------------------- */

int64_t tidemill_kernel_rolling_sum(const double *x, int64_t n, int64_t inner, int64_t window,
                                    int64_t min_count, double *scratch, double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, 0, min_count,
                                                   scratch, out, moment_sum_tile,
                                                   moment_sum_some});
}

int64_t tidemill_kernel_rolling_mean(const double *x, int64_t n, int64_t inner, int64_t window,
                                     int64_t min_count, double *scratch, double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, 0, min_count,
                                                   scratch, out, moment_mean_tile,
                                                   moment_mean_some});
}

int64_t tidemill_kernel_rolling_var(const double *x, int64_t n, int64_t inner, int64_t window,
                                    int64_t ddof, int64_t min_count, double *scratch,
                                    double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, ddof, min_count,
                                                   scratch, out, moment_var_tile,
                                                   moment_var_some});
}

int64_t tidemill_kernel_rolling_std(const double *x, int64_t n, int64_t inner, int64_t window,
                                    int64_t ddof, int64_t min_count, double *scratch,
                                    double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, ddof, min_count,
                                                   scratch, out, moment_std_tile,
                                                   moment_std_some});
}

int64_t tidemill_kernel_rolling_zscore(const double *x, int64_t n, int64_t inner,
                                       int64_t window, int64_t ddof, int64_t min_count,
                                       double *scratch, double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, ddof, min_count,
                                                   scratch, out, moment_zscore_tile,
                                                   moment_zscore_some});
}
