/* rescale_wide: the inner loop that standardises a row; see kernels/wide.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/rescale_bodies.h"

MILL_TARGET void MILL_WIDE(mill_rescale)(const double *x, int64_t n, double shift, double mean,
                                         double norm, double *z)
{
    enum { WIDTH = MILL_WIDE_BYTES / sizeof(double) };
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        MILL_WIDE(mill_double_vector) value = *(const MILL_WIDE(mill_double_vector) *)(x + i);
        *(MILL_WIDE(mill_double_vector) *)(z + i) = ((value - shift) - mean) / norm;
    }
    for (; i < n; i++) z[i] = ((x[i] - shift) - mean) / norm;
}
