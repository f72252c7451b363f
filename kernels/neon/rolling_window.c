/* rolling_window, NEON: see kernels/rolling_wide.h.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
#include <arm_neon.h>

#include "kernels/wide_neon.h"

#define LANES MILL_WIDE(mill_double_vector)
#define MASK  MILL_WIDE(mill_int64_t_vector)

MILL_TARGET static inline LANES window_root_neon(LANES value)
{
    return (LANES)vsqrtq_f64((float64x2_t)value);
}

MILL_TARGET static inline LANES window_lesser_neon(LANES a, LANES b)
{
    return (LANES)vbslq_f64(vcltq_f64((float64x2_t)a, (float64x2_t)b), (float64x2_t)a,
                            (float64x2_t)b);
}

MILL_TARGET static inline LANES window_greater_neon(LANES a, LANES b)
{
    return (LANES)vbslq_f64(vcgtq_f64((float64x2_t)a, (float64x2_t)b), (float64x2_t)a,
                            (float64x2_t)b);
}

#define WINDOW_FUSED_TARGET   MILL_TARGET
#define WINDOW_FUSED(x, y, z) ((LANES)vfmaq_n_f64((float64x2_t)(z), (float64x2_t)(y), x))

#include "kernels/rolling_wide.h"
#endif
