/* tile, NEON: the inner loop of matrix products; see kernels/tile_wide.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
#include <arm_neon.h>

#include "kernels/wide_neon.h"

#define MILL_ALL_f64(x)         vdupq_n_f64(x)
#define MILL_ALL_f32(x)         vdupq_n_f32(x)
#define MILL_FUSED_f64(x, y, z) vfmaq_f64(z, x, y)
#define MILL_FUSED_f32(x, y, z) vfmaq_f32(z, x, y)
#include "kernels/tile_wide.h"
#undef MILL_ALL_f64
#undef MILL_ALL_f32
#undef MILL_FUSED_f64
#undef MILL_FUSED_f32
#endif
