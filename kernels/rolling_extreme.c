/* rolling_extreme: least and greatest values of sliding windows.
 * Windows of 2, 4, 8 ... are made by doubling, and one that is no power of two by joining two
 * that overlap: an extreme does not mind a value that counts twice.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>

#include "kernels/rolling.h"
#include "kernels/rolling_bodies.h"

static int extreme_tile(const struct mill_rolling *call, const struct mill_window_tile *tile,
                        mill_window_extreme *join)
{
    int64_t unit = tile->unit, size = 1, window = call->window;
    const double *at = tile->x;
    while (size <= window / 2) {
        int four = size <= window / 4;
        int64_t next = four ? 4 * size : 2 * size;
        join(size * unit, four, at, tile->work[0], tile->end - (next - 1) * unit);
        at = tile->work[0];
        size = next;
    }
    join((window - size) * unit, 0, at, tile->out + tile->from, tile->end - tile->from);
    return 1;
}

static int extreme_least_tile(const struct mill_rolling *call,
                              const struct mill_window_tile *tile)
{
    return extreme_tile(call, tile, mill_window_bodies()->least);
}

static int extreme_greatest_tile(const struct mill_rolling *call,
                                 const struct mill_window_tile *tile)
{
    return extreme_tile(call, tile, mill_window_bodies()->greatest);
}

static double extreme_least_some(const struct mill_rolling *call,
                                 const struct mill_window_part *part)
{
    (void)call;
    double least = INFINITY;
    for (int64_t i = 0; i < part->count; i++) {
        double x = part->x[i * part->unit];
        if (isfinite(x) && x < least) least = x;
    }
    return least;
}

static double extreme_greatest_some(const struct mill_rolling *call,
                                    const struct mill_window_part *part)
{
    (void)call;
    double greatest = -INFINITY;
    for (int64_t i = 0; i < part->count; i++) {
        double x = part->x[i * part->unit];
        if (isfinite(x) && x > greatest) greatest = x;
    }
    return greatest;
}

int64_t tidemill_kernel_rolling_min(const double *x, int64_t n, int64_t inner, int64_t window,
                                    int64_t min_count, double *scratch, double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, 0, min_count,
                                                   scratch, out, extreme_least_tile,
                                                   extreme_least_some, NULL});
}

int64_t tidemill_kernel_rolling_max(const double *x, int64_t n, int64_t inner, int64_t window,
                                    int64_t min_count, double *scratch, double *out)
{
    return mill_rolling_run(&(struct mill_rolling){x, NULL, n, inner, window, 0, min_count,
                                                   scratch, out, extreme_greatest_tile,
                                                   extreme_greatest_some, NULL});
}
