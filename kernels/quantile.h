/* quantile: order statistics by selection, without sorting.
 * Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_QUANTILE_H
#define TIDEMILL_QUANTILE_H
#include "kernels/kernels.h"
#include <stdint.h>

/* Moves values in place: x[k] becomes what sorting would put there, none before it is greater,
 * none after it is less; NaNs go last.  Which order the others get depends on x alone.
 * 0 <= k < n; returns 0, or -1. */
TIDEMILL_KERNEL int64_t tidemill_kernel_partition(double *x, int64_t n, int64_t k);

/* Quantiles out[i] at q[i] in [0, 1], in any order, linear as NumPy's default: with v =
 * q * (n - 1), a and b the order statistics at floor(v) and after it, and t = v - floor(v), it
 * is a + (b - a) * t, from t = 0.5 on b - (b - a) * (1 - t); and a where t is 0 or a equals b.
 * Where b - a is not finite it is a * (1 - t) + b * t: between a number and an infinity that
 * infinity, as NumPy's median, between the two infinities NaN.
 * The median is that at 0.5.  A zero is 0, never -0.
 * A NaN in x makes all NaN, and so does n = 0; nanquantile passes over NaNs.
 * x is left as it is.  scratch: n doubles.  Returns 0, or -1: a q is outside. */
TIDEMILL_KERNEL int64_t tidemill_kernel_quantile(const double *x, int64_t n, const double *q,
                                                 int64_t nq, double *scratch, double *out);
TIDEMILL_KERNEL int64_t tidemill_kernel_nanquantile(const double *x, int64_t n, const double *q,
                                                    int64_t nq, double *scratch, double *out);

#endif
