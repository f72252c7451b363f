/* elementwise, AVX-512: what the vectors of kernels/elementwise_wide.h and cast_wide.h need of the
 * instruction set.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

#include "kernels/wide_avx512.h"

#define APPLY_HELPER MILL_TARGET static inline __attribute__((always_inline))

APPLY_HELPER int any_avx512(mill_int64_t_vector_avx512 mask)
{
    return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
}

APPLY_HELPER mill_uint8_t_vector_avx512 narrow64_avx512(const mill_int64_t_vector_avx512 *mask)
{
    uint64_t bits = 0;
    _Pragma("GCC unroll 8") for (int k = 0; k < 8; k++) bits |=
        (uint64_t)_mm512_movepi64_mask((__m512i)mask[k]) << 8 * k;
    return (mill_uint8_t_vector_avx512)_mm512_movm_epi8(bits);
}

APPLY_HELPER mill_uint8_t_vector_avx512 narrow32_avx512(const mill_int32_t_vector_avx512 *mask)
{
    uint64_t bits = 0;
    _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) bits |=
        (uint64_t)_mm512_movepi32_mask((__m512i)mask[k]) << 16 * k;
    return (mill_uint8_t_vector_avx512)_mm512_movm_epi8(bits);
}

APPLY_HELPER mill_int64_t_vector_avx512 mask64_avx512(const char *at)
{
    return 0 - (mill_int64_t_vector_avx512)_mm512_cvtepu8_epi64(
                   _mm_loadl_epi64((const __m128i *)at));
}

APPLY_HELPER mill_int32_t_vector_avx512 mask32_avx512(const char *at)
{
    return 0 - (mill_int32_t_vector_avx512)_mm512_cvtepu8_epi32(
                   _mm_loadu_si128((const __m128i *)at));
}

APPLY_HELPER __m512i unordered_avx512(__m512d p, __m512d q)
{
    return _mm512_movm_epi64(_mm512_cmp_pd_mask(p, q, _CMP_UNORD_Q));
}

APPLY_HELPER __m512i unordered_float_avx512(__m512 p, __m512 q)
{
    return _mm512_movm_epi32(_mm512_cmp_ps_mask(p, q, _CMP_UNORD_Q));
}

#define APPLY_FUNCTION(name, call, call_float)                                                 \
    APPLY_HELPER mill_double_vector_avx512 name##_avx512(mill_double_vector_avx512 x)          \
    {                                                                                          \
        return call;                                                                           \
    }                                                                                          \
    APPLY_HELPER mill_float_vector_avx512 name##_float_avx512(mill_float_vector_avx512 x)      \
    {                                                                                          \
        return call_float;                                                                     \
    }
APPLY_FUNCTION(sqrt, _mm512_sqrt_pd(x), _mm512_sqrt_ps(x))
APPLY_FUNCTION(floor, _mm512_roundscale_pd(x, 9), _mm512_roundscale_ps(x, 9))
APPLY_FUNCTION(ceil, _mm512_roundscale_pd(x, 10), _mm512_roundscale_ps(x, 10))
APPLY_FUNCTION(round, _mm512_roundscale_pd(x, 8), _mm512_roundscale_ps(x, 8))
APPLY_FUNCTION(trunc, _mm512_roundscale_pd(x, 11), _mm512_roundscale_ps(x, 11))

#include "kernels/cast_wide.h"
#include "kernels/elementwise_wide.h"
#undef APPLY_FUNCTION
#endif
