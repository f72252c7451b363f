/* random, AVX2: four Philox blocks side by side; see kernels/random.c.
 * A 64-bit lane holds one 32-bit word; what stands in its upper half is ignored.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

__attribute__((target("avx2"), always_inline)) static inline void
philox_rounds_avx2(__m256i word[4], uint64_t seed)
{
    uint32_t low = (uint32_t)seed, high = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        __m256i even = _mm256_mul_epu32(word[0], _mm256_set1_epi64x(0xD2511F53));
        __m256i odd = _mm256_mul_epu32(word[2], _mm256_set1_epi64x(0xCD9E8D57));
        word[0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(odd, 32), word[1]),
                                   _mm256_set1_epi64x(low));
        word[2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(even, 32), word[3]),
                                   _mm256_set1_epi64x(high));
        word[1] = odd;
        word[3] = even;
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
    }
}

/* ((upper << 32 | lower) >> 11) 2^-53 as upper 2^-32 + (lower >> 11) 2^-53, where a 32-bit
 * number becomes a double by standing in the low bits of 2^52.  No step rounds. */
__attribute__((target("avx2"), always_inline)) static inline __m256d
philox_doubles_avx2(__m256i lower, __m256i upper)
{
    __m256i word = _mm256_set1_epi64x(0xFFFFFFFF);
    __m256d offset = _mm256_set1_pd(0x1p52);
    __m256i exponent = _mm256_castpd_si256(offset);
    __m256i tail = _mm256_srli_epi64(_mm256_and_si256(lower, word), 11);
    __m256i head = _mm256_and_si256(upper, word);
    __m256d a = _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(head, exponent)), offset);
    __m256d b = _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(tail, exponent)), offset);
    return _mm256_add_pd(_mm256_mul_pd(a, _mm256_set1_pd(0x1p-32)),
                         _mm256_mul_pd(b, _mm256_set1_pd(0x1p-53)));
}

__attribute__((target("avx2"))) void mill_uniform_blocks_avx2(uint64_t seed, uint64_t stream,
                                                              uint64_t block, int64_t blocks,
                                                              double *out)
{
    __m256i number =
        _mm256_add_epi64(_mm256_set1_epi64x((long long)block), _mm256_setr_epi64x(0, 1, 2, 3));
    int64_t i = 0;
    for (; i + 4 <= blocks; i += 4) {
        __m256i word[4] = {number, _mm256_srli_epi64(number, 32),
                           _mm256_set1_epi64x((long long)stream),
                           _mm256_set1_epi64x((long long)(stream >> 32))};
        philox_rounds_avx2(word, seed);
        __m256d first = philox_doubles_avx2(word[0], word[1]);
        __m256d second = philox_doubles_avx2(word[2], word[3]);
        /* Pairs of blocks 0 and 2, 1 and 3; then in order. */
        __m256d even = _mm256_unpacklo_pd(first, second);
        __m256d odd = _mm256_unpackhi_pd(first, second);
        _mm256_storeu_pd(out + 2 * i, _mm256_permute2f128_pd(even, odd, 0x20));
        _mm256_storeu_pd(out + 2 * i + 4, _mm256_permute2f128_pd(even, odd, 0x31));
        number = _mm256_add_epi64(number, _mm256_set1_epi64x(4));
    }
    mill_uniform_blocks_plain(seed, stream, block + (uint64_t)i, blocks - i, out + 2 * i);
}
#endif
