/* quantile_bodies: what selection is made of.  Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_QUANTILE_BODIES_H
#define MILL_KERNEL_QUANTILE_BODIES_H

#include "kernels/bodies.h"
#include "kernels/quantile.h"

/* tidemill_kernel_partition of values none of which is NaN. */
void mill_partition(double *x, int64_t n, int64_t k);

#endif
