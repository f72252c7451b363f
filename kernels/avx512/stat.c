/* stat, AVX-512: the sixteen partial sums of a block in two vectors; see kernels/stat.c.
 * The rest of a block is added lane by lane, as the plain body does.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

__attribute__((target("avx512f"))) double mill_sum_block_avx512(const double *x, int64_t count,
                                                                double shift)
{
    __m512d offset = _mm512_set1_pd(shift), low = _mm512_setzero_pd(), high = low;
    int64_t i = 0;
    for (; i + MILL_SUM_LANES <= count; i += MILL_SUM_LANES) {
        low = _mm512_add_pd(low, _mm512_sub_pd(_mm512_loadu_pd(x + i), offset));
        high = _mm512_add_pd(high, _mm512_sub_pd(_mm512_loadu_pd(x + i + 8), offset));
    }
    double sum[MILL_SUM_LANES];
    _mm512_storeu_pd(sum, low);
    _mm512_storeu_pd(sum + 8, high);
    for (int l = 0; i < count; i++, l++) sum[l] += x[i] - shift;
    return mill_fold(sum, MILL_SUM_LANES);
}

__attribute__((target("avx512f"))) static inline __m512d
square_avx512(const double *x, __m512d shift, __m512d mean)
{
    __m512d deviation = _mm512_sub_pd(_mm512_sub_pd(_mm512_loadu_pd(x), shift), mean);
    return _mm512_mul_pd(deviation, deviation);
}

__attribute__((target("avx512f"))) double
mill_square_block_avx512(const double *x, int64_t count, double shift, double mean)
{
    __m512d offset = _mm512_set1_pd(shift), middle = _mm512_set1_pd(mean);
    __m512d low = _mm512_setzero_pd(), high = low;
    int64_t i = 0;
    for (; i + MILL_SUM_LANES <= count; i += MILL_SUM_LANES) {
        low = _mm512_add_pd(low, square_avx512(x + i, offset, middle));
        high = _mm512_add_pd(high, square_avx512(x + i + 8, offset, middle));
    }
    double sum[MILL_SUM_LANES];
    _mm512_storeu_pd(sum, low);
    _mm512_storeu_pd(sum + 8, high);
    for (int l = 0; i < count; i++, l++) {
        double deviation = (x[i] - shift) - mean;
        sum[l] += deviation * deviation;
    }
    return mill_fold(sum, MILL_SUM_LANES);
}
#endif
