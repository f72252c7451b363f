/* rolling_pair: covariances and correlations of sliding windows of two series.
 * rolling.h states the promises, rolling_bodies.h how windows are doubled.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>

#include "kernels/rolling.h"
#include "kernels/rolling_bodies.h"

/* The arrays of a tile's work. */
enum { PAIR_ABOVE_X, PAIR_SQUARE_X, PAIR_ABOVE_Y, PAIR_SQUARE_Y, PAIR_CROSS };

static void pair_spread(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    struct mill_window_step step = {.unit = tile->unit, .half = 1};
    double *const *work = tile->work;
    struct mill_window_pair pair = {tile->x, tile->y, work[PAIR_ABOVE_X], work[PAIR_ABOVE_Y]};
    int digits = 63 - __builtin_clzll((unsigned long long)call->window);
    for (int i = 0; i < MILL_WINDOW_WORK && digits == 0;
         i++) /* 0, or NaN where one is missing */
        for (int64_t t = 0; t < tile->end; t++)
            work[i][t] = (tile->x[t] - tile->x[t]) + (tile->y[t] - tile->y[t]);
    while (--digits >= 0) {
        int64_t size = call->window >> digits, places = tile->end - (size - 1) * tile->unit;
        step.odd = size & 1;
        bodies->cross(&step, &pair, work[PAIR_CROSS], places);
        bodies->spread(&step, tile->x, work[PAIR_ABOVE_X], work[PAIR_SQUARE_X], places);
        bodies->spread(&step, tile->y, work[PAIR_ABOVE_Y], work[PAIR_SQUARE_Y], places);
        step.half = size;
    }
}

static double pair_factor(int64_t count, int64_t ddof)
{
    return count > ddof ? 1 / (double)(count - ddof) : NAN;
}

static int pair_cov_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    pair_spread(call, tile);
    return mill_window_bodies()->scaled(tile->work[PAIR_CROSS],
                                        pair_factor(call->window, call->ddof),
                                        tile->out + tile->from, tile->end - tile->from);
}

static int pair_corr_tile(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    pair_spread(call, tile);
    return mill_window_bodies()->ratios(tile->work[PAIR_CROSS], tile->work[PAIR_SQUARE_X],
                                        tile->work[PAIR_SQUARE_Y], tile->out + tile->from,
                                        tile->end - tile->from);
}

/* ---- windows with missing values ------------------------------------------------------- */

struct pair_sums {
    int64_t count;
    double first_x, first_y, mean_x, mean_y; /* means are relative to the first values */
    double square_x, square_y, cross;
};

static int pair_is_there(const struct mill_window_part *part, int64_t i)
{
    return isfinite(part->x[i * part->unit]) && isfinite(part->y[i * part->unit]);
}

static struct pair_sums pair_means(const struct mill_window_part *part)
{
    struct pair_sums sums = {.count = 0};
    for (int64_t i = 0; i < part->count; i++) {
        double x = part->x[i * part->unit], y = part->y[i * part->unit];
        if (!pair_is_there(part, i)) continue;
        if (sums.count++ == 0) sums.first_x = x, sums.first_y = y;
        sums.mean_x += x - sums.first_x;
        sums.mean_y += y - sums.first_y;
    }
    sums.mean_x /= (double)sums.count;
    sums.mean_y /= (double)sums.count;
    return sums;
}

static struct pair_sums pair_some(const struct mill_window_part *part)
{
    struct pair_sums sums = pair_means(part);
    for (int64_t i = 0; i < part->count; i++) {
        if (!pair_is_there(part, i)) continue;
        double x = (part->x[i * part->unit] - sums.first_x) - sums.mean_x;
        double y = (part->y[i * part->unit] - sums.first_y) - sums.mean_y;
        sums.square_x += x * x;
        sums.square_y += y * y;
        sums.cross += x * y;
    }
    return sums;
}

static double pair_cov_some(const struct mill_rolling *call,
                            const struct mill_window_part *part)
{
    struct pair_sums sums = pair_some(part);
    return mill_finite_or_nan(sums.cross * pair_factor(sums.count, call->ddof));
}

static double pair_corr_some(const struct mill_rolling *call,
                             const struct mill_window_part *part)
{
    (void)call;
    struct pair_sums sums = pair_some(part);
    double ratio = mill_finite_or_nan(sums.cross / (sqrt(sums.square_x) * sqrt(sums.square_y)));
    return ratio > 1 ? 1 : ratio < -1 ? -1 : ratio;
}

/* ---- kernels --------------------------------------------------------------------------- */

int64_t tidemill_kernel_rolling_cov(const double *x, const double *y, int64_t n, int64_t inner,
                                    int64_t window, int64_t ddof, int64_t min_count,
                                    double *scratch, double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, y, n, inner, window, ddof, min_count,
                                                   scratch, out, pair_cov_tile, pair_cov_some,
                                                   NULL});
}

int64_t tidemill_kernel_rolling_corr(const double *x, const double *y, int64_t n, int64_t inner,
                                     int64_t window, int64_t min_count, double *scratch,
                                     double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, y, n, inner, window, 0, min_count,
                                                   scratch, out, pair_corr_tile, pair_corr_some,
                                                   NULL});
}
