/* reduce, NEON: see kernels/reduce_wide.h.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
#include "kernels/wide_neon.h"
/* Written once for all sets. */
#include "kernels/reduce_wide.h"
#endif
