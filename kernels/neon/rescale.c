/* rescale, NEON: the inner loop that standardises a row; see kernels/rescale_wide.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
#include "kernels/wide_neon.h"

#include "kernels/rescale_wide.h"
#endif
