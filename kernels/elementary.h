/* elementary: exp, log, sin and their like over float64, the same bits on every machine.
 * Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_ELEMENTARY_H
#define TIDEMILL_ELEMENTARY_H
#include "kernels/kernels.h"

/* No libm is asked: the answers do not change with it.  An element's result depends on that
 * element alone.  `out` may be an input itself, but may not overlap one in another way.  Zero
 * signs, infinities and domain errors (a NaN, the one NaN) are those of C99's Annex F; no
 * floating-point flag means anything.  Every result is less than 1 unit in the last place from the
 * exact value; docs/kernels.md says how much less. */

TIDEMILL_KERNEL void tidemill_kernel_exp(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_exp2(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_expm1(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_log(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_log1p(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_log2(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_log10(const double *x, int64_t n, double *out);

/* Radians; right for every finite number, however large. */
TIDEMILL_KERNEL void tidemill_kernel_sin(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_cos(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_tan(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_asin(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_acos(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_atan(const double *x, int64_t n, double *out);

TIDEMILL_KERNEL void tidemill_kernel_sinh(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_cosh(const double *x, int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_tanh(const double *x, int64_t n, double *out);

/* Of two inputs: a step is 1, or 0 for one number that stands for all.  Another step is refused. */
TIDEMILL_KERNEL int64_t tidemill_kernel_pow(const double *x, int64_t step_x, const double *y,
                                            int64_t step_y, int64_t n, double *out);
TIDEMILL_KERNEL int64_t tidemill_kernel_atan2(const double *y, int64_t step_y, const double *x,
                                              int64_t step_x, int64_t n, double *out);

#endif
