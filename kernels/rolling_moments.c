/* rolling_moments: sums, means, variances and scores of sliding windows.
 * rolling.h states the promises, rolling_bodies.h how windows are doubled and joined.
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

/* Where the sums of windows lie, and the join that finishes them. */
struct moment_joined {
    struct mill_window_join last;
    const double *items, *at;
};

/* Windows of `count` items, `unit` places apart, by all joins but the last; `made` of them are. */
static struct moment_joined moment_join(const struct mill_window_joins *joins, int made,
                                        double *work, int64_t count, int64_t unit,
                                        const double *items, const double *at)
{
    struct moment_joined done = {.items = items, .at = at};
    for (int k = made; k < joins->count; k++) {
        done.last = joins->join[k];
        done.last.unit = unit;
        if (k == joins->count - 1) break;
        int64_t size = done.last.size * done.last.parts + done.last.more;
        mill_window_bodies()->totals(&done.last, items, done.at, work,
                                     count - (size - 1) * unit);
        done.at = work;
    }
    return done;
}

/* Of windows of 4 or more rows, whose fours begin at x: all but the last join. */
static struct moment_joined moment_fours(const struct mill_rolling *call,
                                         const struct mill_window_tile *tile, const double *x,
                                         int64_t end)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    const struct mill_window_joins *joins = call->joins;
    int64_t unit = tile->unit, count = end - 3 * unit;
    double *work = tile->work[0], *four = tile->work[1];
    if (unit == 1) {
        bodies->fours(joins->first, x, joins->more ? four : NULL, work,
                      count - 4 * (joins->first - 1));
        return moment_join(joins, joins->of_first, work, count, 4, four, work);
    }
    const struct mill_window_join rows = {unit, 1, 4, 0};
    bodies->totals(&rows, x, x, four, count);
    return moment_join(joins, 0, work, count, 4 * unit, four, four);
}

/* Sums of a tile's windows times `factor`; not 0 as a mill_window_average says.  Fours come
 * first: then all lags but theirs are whole vectors. */
static int moment_sums(const struct mill_rolling *call, const struct mill_window_tile *tile,
                       double factor)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    int64_t unit = tile->unit, fours = call->window / 4, rows = fours ? call->window % 4 : 0;
    const double *x = tile->x + rows * unit; /* where the fours of the first window begin */
    const struct mill_window_rest rest = {rows, unit, x - unit, tile->x + tile->from};
    double *out = tile->out + tile->from;
    int64_t count = tile->end - tile->from, end = tile->end - rows * unit;
    if (unit == 1 && fours > 0 && fours <= MILL_WINDOW_FOURS)
        return bodies->few(fours, &rest, x, factor, out, count);
    struct moment_joined done = fours ? moment_fours(call, tile, x, end)
                                      : moment_join(call->joins, 0, NULL, end, unit, x, x);
    return bodies->average(&done.last, &rest, done.items, done.at, factor, out, count);
}

/* Makes what is not finite the one NaN. */
static int moment_seal(const struct mill_window_tile *tile)
{
    double *out = tile->out + tile->from;
    return mill_window_bodies()->scaled(out, 1, out, tile->end - tile->from);
}

static int moment_sum_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    return moment_sums(call, tile, 1) ? moment_seal(tile) : 0;
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
    int64_t unit = tile->unit, window = call->window;
    if (!moment_sums(call, tile, 1 / (double)window)) return 0;
    int exact = (window & (window - 1)) == 0; /* a power of two: equal values round nowhere */
    for (int64_t c = 0; c < unit && !exact; c++)
        moment_mean_of_equal(window, tile->x + c, unit, tile->from / unit, tile->end / unit,
                             tile->out + c);
    return moment_seal(tile);
}

/* work[0]: newest value less the mean, work[1]: sum of squared deviations; what the steps make
 * but for the last digits, `but`.  The step that comes next. */
static struct mill_window_step moment_spread(const struct mill_rolling *call,
                                             const struct mill_window_tile *tile, int but)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    struct mill_window_step step = {.unit = tile->unit, .half = 1};
    double *above = tile->work[0], *square = tile->work[1];
    if (call->window == 1)
        for (int64_t i = 0; i < tile->end; i++) above[i] = square[i] = tile->x[i] - tile->x[i];
    for (int digit = moment_highest(call->window) - 1; digit >= 0; digit--) {
        int64_t size = call->window >> digit;
        step.odd = size & 1;
        if (digit < but) break;
        bodies->spread(&step, tile->x, above, square, tile->end - (size - 1) * tile->unit);
        step.half = size;
    }
    return step;
}

/* 1 / (count - ddof), NaN when that is not positive. */
static double moment_factor(int64_t count, int64_t ddof)
{
    return count > ddof ? 1 / (double)(count - ddof) : NAN;
}

static int moment_finish(const struct mill_rolling *call, const struct mill_window_tile *tile,
                         int root)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    struct mill_window_step last = moment_spread(call, tile, 1);
    double factor = moment_factor(call->window, call->ddof), *out = tile->out + tile->from;
    int64_t count = tile->end - tile->from;
    if (call->window == 1) return bodies->scaled(tile->work[1], factor, out, count);
    return bodies->finish(&last, tile->x, tile->work[0], tile->work[1], factor, root, out,
                          count);
}

static int moment_var_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    return moment_finish(call, tile, 0);
}

static int moment_std_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    return moment_finish(call, tile, 1);
}

static int moment_zscore_tile(const struct mill_rolling *call,
                              const struct mill_window_tile *tile)
{
    moment_spread(call, tile, 0);
    return mill_window_bodies()->scores(tile->work[0], tile->work[1],
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
    struct mill_window_joins joins;
    mill_window_plan(window, &joins);
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, 0, min_count,
                                                   scratch, out, moment_sum_tile,
                                                   moment_sum_some, &joins});
}

int64_t tidemill_kernel_rolling_mean(const double *x, int64_t n, int64_t inner, int64_t window,
                                     int64_t min_count, double *scratch, double *out)
{
    struct mill_window_joins joins;
    mill_window_plan(window, &joins);
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, 0, min_count,
                                                   scratch, out, moment_mean_tile,
                                                   moment_mean_some, &joins});
}

int64_t tidemill_kernel_rolling_var(const double *x, int64_t n, int64_t inner, int64_t window,
                                    int64_t ddof, int64_t min_count, double *scratch,
                                    double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, ddof, min_count,
                                                   scratch, out, moment_var_tile,
                                                   moment_var_some, NULL});
}

int64_t tidemill_kernel_rolling_std(const double *x, int64_t n, int64_t inner, int64_t window,
                                    int64_t ddof, int64_t min_count, double *scratch,
                                    double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, ddof, min_count,
                                                   scratch, out, moment_std_tile,
                                                   moment_std_some, NULL});
}

int64_t tidemill_kernel_rolling_zscore(const double *x, int64_t n, int64_t inner,
                                       int64_t window, int64_t ddof, int64_t min_count,
                                       double *scratch, double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, ddof, min_count,
                                                   scratch, out, moment_zscore_tile,
                                                   moment_zscore_some, NULL});
}
