/* rescale_bodies: the inner loop that standardises a row, once per instruction set.
 * Private to kernels/.  SPDX-License-Identifier: MIT */
#ifndef MILL_RESCALE_BODIES_H
#define MILL_RESCALE_BODIES_H

#include <stdint.h>

/* z[i] = ((x[i] - shift) - mean) / norm, which is all finite. */
typedef void mill_rescale(const double *x, int64_t n, double shift, double mean, double norm,
                          double *z);

mill_rescale mill_rescale_avx2, mill_rescale_avx512, mill_rescale_neon;

#endif
