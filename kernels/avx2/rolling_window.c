/* rolling_window, AVX2: see kernels/rolling_wide.h.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

#include "kernels/wide_avx2.h"

#define LANES MILL_WIDE(mill_double_vector)
#define MASK  MILL_WIDE(mill_int64_t_vector)

MILL_TARGET static inline LANES window_root_avx2(LANES value)
{
    return (LANES)_mm256_sqrt_pd((__m256d)value);
}

MILL_TARGET static inline LANES window_lesser_avx2(LANES a, LANES b)
{
    return (LANES)_mm256_min_pd((__m256d)a, (__m256d)b);
}

MILL_TARGET static inline LANES window_greater_avx2(LANES a, LANES b)
{
    return (LANES)_mm256_max_pd((__m256d)a, (__m256d)b);
}

#define WINDOW_FUSED_TARGET __attribute__((target("avx2,fma")))
#define WINDOW_FUSED(x, y, z)                                                                  \
    ((LANES)_mm256_fmadd_pd(_mm256_set1_pd(x), (__m256d)(y), (__m256d)(z)))

#define WINDOW_PUT 4
MILL_TARGET static inline void window_put_avx2(const double *from, double *to)
{
    _mm256_stream_pd(to, _mm256_loadu_pd(from));
}

#include "kernels/rolling_wide.h"
#endif
