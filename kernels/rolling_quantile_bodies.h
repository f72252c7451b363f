/* rolling_quantile_bodies: what the two ways to the quantiles of a column share.  Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_ROLLING_QUANTILE_BODIES_H
#define MILL_KERNEL_ROLLING_QUANTILE_BODIES_H

#include "kernels/bodies.h"
#include "kernels/rolling.h"

struct mill_quantile {
    int64_t n, inner, window, min_count;
    double q;
    double *scratch;
};

/* Large windows.  x and out are the column's first places; from a row to the next it is `inner`
 * places. */
void mill_quantile_ranked(const struct mill_quantile *call, const double *x, double *out);

/* Between two neighbours in order. */
static inline double mill_quantile_between(double below, double above, double share)
{
    return mill_finite_or_nan(below + (above - below) * share);
}

#endif
