/* elementwise, AVX2: what the vectors of kernels/elementwise_wide.h and cast_wide.h need of the
 * instruction set.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>
#include <string.h>

#include "kernels/wide_avx2.h"

#define APPLY_HELPER MILL_TARGET static inline __attribute__((always_inline))

APPLY_HELPER int any_avx2(mill_int64_t_vector_avx2 mask)
{
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
}

/* A pack halves elements and leaves, in each half of a register, those of one operand before
 * those of the other: 8 masks end with pairs of bytes in the order 0 2 4 .. 14, 1 3 5 .. 15. */
APPLY_HELPER mill_uint8_t_vector_avx2 narrow64_avx2(const mill_int64_t_vector_avx2 *mask)
{
    const __m256i *m = (const __m256i *)mask;
    __m256i first =
        _mm256_packs_epi32(_mm256_packs_epi32(m[0], m[1]), _mm256_packs_epi32(m[2], m[3]));
    __m256i last =
        _mm256_packs_epi32(_mm256_packs_epi32(m[4], m[5]), _mm256_packs_epi32(m[6], m[7]));
    __m256i quads = _mm256_permute4x64_epi64(_mm256_packs_epi16(first, last), 0xD8);
    const __m256i turn = _mm256_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,
                                          0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
    return (mill_uint8_t_vector_avx2)_mm256_shuffle_epi8(quads, turn);
}

APPLY_HELPER mill_uint8_t_vector_avx2 narrow32_avx2(const mill_int32_t_vector_avx2 *mask)
{
    const __m256i *m = (const __m256i *)mask;
    __m256i bytes =
        _mm256_packs_epi16(_mm256_packs_epi32(m[0], m[1]), _mm256_packs_epi32(m[2], m[3]));
    const __m256i turn = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return (mill_uint8_t_vector_avx2)_mm256_permutevar8x32_epi32(bytes, turn);
}

APPLY_HELPER mill_int64_t_vector_avx2 mask64_avx2(const char *at)
{
    int32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return 0 - (mill_int64_t_vector_avx2)_mm256_cvtepu8_epi64(_mm_cvtsi32_si128(bytes));
}

APPLY_HELPER mill_int32_t_vector_avx2 mask32_avx2(const char *at)
{
    return 0 -
           (mill_int32_t_vector_avx2)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at));
}

APPLY_HELPER __m256d unordered_avx2(__m256d p, __m256d q)
{
    return _mm256_cmp_pd(p, q, _CMP_UNORD_Q);
}

APPLY_HELPER __m256 unordered_float_avx2(__m256 p, __m256 q)
{
    return _mm256_cmp_ps(p, q, _CMP_UNORD_Q);
}

#define APPLY_FUNCTION(name, call, call_float)                                                 \
    APPLY_HELPER mill_double_vector_avx2 name##_avx2(mill_double_vector_avx2 x)                \
    {                                                                                          \
        return call;                                                                           \
    }                                                                                          \
    APPLY_HELPER mill_float_vector_avx2 name##_float_avx2(mill_float_vector_avx2 x)            \
    {                                                                                          \
        return call_float;                                                                     \
    }
APPLY_FUNCTION(sqrt, _mm256_sqrt_pd(x), _mm256_sqrt_ps(x))
APPLY_FUNCTION(floor, _mm256_round_pd(x, 9), _mm256_round_ps(x, 9))
APPLY_FUNCTION(ceil, _mm256_round_pd(x, 10), _mm256_round_ps(x, 10))
APPLY_FUNCTION(round, _mm256_round_pd(x, 8), _mm256_round_ps(x, 8))
APPLY_FUNCTION(trunc, _mm256_round_pd(x, 11), _mm256_round_ps(x, 11))

#include "kernels/cast_wide.h"
#include "kernels/elementwise_wide.h"
#undef APPLY_FUNCTION
#endif
