/* rolling_quantile_bodies: the two ways to the quantiles of a column.  Private to kernels/.
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

/* x and out are the column's first values; those of a row lie `inner` apart from the next. */
void mill_quantile_sorted(const struct mill_quantile *call, const double *x, double *out);

#endif
