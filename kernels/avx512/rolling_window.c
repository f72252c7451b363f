/* rolling_window, AVX-512: see kernels/rolling_wide.h.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

#include "kernels/wide_avx512.h"

#define LANES MILL_WIDE(mill_double_vector)
#define MASK  MILL_WIDE(mill_int64_t_vector)

MILL_TARGET static inline LANES window_root_avx512(LANES value)
{
    return (LANES)_mm512_sqrt_pd((__m512d)value);
}

MILL_TARGET static inline LANES window_lesser_avx512(LANES a, LANES b)
{
    return (LANES)_mm512_min_pd((__m512d)a, (__m512d)b);
}

MILL_TARGET static inline LANES window_greater_avx512(LANES a, LANES b)
{
    return (LANES)_mm512_max_pd((__m512d)a, (__m512d)b);
}

#define WINDOW_FUSED_TARGET MILL_TARGET
#define WINDOW_FUSED(x, y, z)                                                                  \
    ((LANES)_mm512_fmadd_pd(_mm512_set1_pd(x), (__m512d)(y), (__m512d)(z)))

#define WINDOW_PUT 4
MILL_TARGET static inline void window_put_avx512(const double *from, double *to)
{
    _mm256_stream_pd(to, _mm256_loadu_pd(from));
}

#include "kernels/rolling_wide.h"
#endif
