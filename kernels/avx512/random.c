/* random, AVX-512: eight Philox blocks side by side; see kernels/random.c.
 * A 64-bit lane holds one 32-bit word; what stands in its upper half is ignored.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

__attribute__((target("avx512f"), always_inline)) static inline void
philox_rounds_avx512(__m512i word[4], uint64_t seed)
{
    uint32_t low = (uint32_t)seed, high = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        __m512i even = _mm512_mul_epu32(word[0], _mm512_set1_epi64(0xD2511F53));
        __m512i odd = _mm512_mul_epu32(word[2], _mm512_set1_epi64(0xCD9E8D57));
        word[0] = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(odd, 32), word[1]),
                                   _mm512_set1_epi64(low));
        word[2] = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(even, 32), word[3]),
                                   _mm512_set1_epi64(high));
        word[1] = odd;
        word[3] = even;
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
    }
}

/* ((upper << 32 | lower) >> 11) 2^-53, all in one conversion that does not round. */
__attribute__((target("avx512f,avx512dq"), always_inline)) static inline __m512d
philox_doubles_avx512(__m512i lower, __m512i upper)
{
    __m512i word = _mm512_set1_epi64(0xFFFFFFFF);
    __m512i tail = _mm512_srli_epi64(_mm512_and_si512(lower, word), 11);
    __m512i head = _mm512_slli_epi64(_mm512_and_si512(upper, word), 21);
    return _mm512_mul_pd(_mm512_cvtepu64_pd(_mm512_or_si512(head, tail)),
                         _mm512_set1_pd(0x1p-53));
}

__attribute__((target("avx512f,avx512dq"))) void
mill_uniform_blocks_avx512(uint64_t seed, uint64_t stream, uint64_t block, int64_t blocks,
                           double *out)
{
    __m512i number = _mm512_add_epi64(_mm512_set1_epi64((long long)block),
                                      _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
    __m512i front = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    __m512i back = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    int64_t i = 0;
    for (; i + 8 <= blocks; i += 8) {
        __m512i word[4] = {number, _mm512_srli_epi64(number, 32),
                           _mm512_set1_epi64((long long)stream),
                           _mm512_set1_epi64((long long)(stream >> 32))};
        philox_rounds_avx512(word, seed);
        __m512d first = philox_doubles_avx512(word[0], word[1]);
        __m512d second = philox_doubles_avx512(word[2], word[3]);
        _mm512_storeu_pd(out + 2 * i, _mm512_permutex2var_pd(first, front, second));
        _mm512_storeu_pd(out + 2 * i + 8, _mm512_permutex2var_pd(first, back, second));
        number = _mm512_add_epi64(number, _mm512_set1_epi64(8));
    }
    mill_uniform_blocks_plain(seed, stream, block + (uint64_t)i, blocks - i, out + 2 * i);
}
#endif
