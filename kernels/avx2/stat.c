/* stat, AVX2: the sixteen partial sums of a block in four vectors; see kernels/stat.c.
 * The rest of a block is added lane by lane, as the plain body does.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

__attribute__((target("avx2"))) double mill_sum_block_avx2(const double *x, int64_t count,
                                                           double shift)
{
    __m256d offset = _mm256_set1_pd(shift);
    __m256d a = _mm256_setzero_pd(), b = a, c = a, d = a;
    int64_t i = 0;
    for (; i + MILL_SUM_LANES <= count; i += MILL_SUM_LANES) {
        a = _mm256_add_pd(a, _mm256_sub_pd(_mm256_loadu_pd(x + i), offset));
        b = _mm256_add_pd(b, _mm256_sub_pd(_mm256_loadu_pd(x + i + 4), offset));
        c = _mm256_add_pd(c, _mm256_sub_pd(_mm256_loadu_pd(x + i + 8), offset));
        d = _mm256_add_pd(d, _mm256_sub_pd(_mm256_loadu_pd(x + i + 12), offset));
    }
    double sum[MILL_SUM_LANES];
    _mm256_storeu_pd(sum, a);
    _mm256_storeu_pd(sum + 4, b);
    _mm256_storeu_pd(sum + 8, c);
    _mm256_storeu_pd(sum + 12, d);
    for (int l = 0; i < count; i++, l++) sum[l] += x[i] - shift;
    return mill_fold(sum, MILL_SUM_LANES);
}

__attribute__((target("avx2"))) static inline __m256d square_avx2(const double *x,
                                                                  __m256d shift, __m256d mean)
{
    __m256d deviation = _mm256_sub_pd(_mm256_sub_pd(_mm256_loadu_pd(x), shift), mean);
    return _mm256_mul_pd(deviation, deviation);
}

__attribute__((target("avx2"))) double mill_square_block_avx2(const double *x, int64_t count,
                                                              double shift, double mean)
{
    __m256d offset = _mm256_set1_pd(shift), middle = _mm256_set1_pd(mean);
    __m256d a = _mm256_setzero_pd(), b = a, c = a, d = a;
    int64_t i = 0;
    for (; i + MILL_SUM_LANES <= count; i += MILL_SUM_LANES) {
        a = _mm256_add_pd(a, square_avx2(x + i, offset, middle));
        b = _mm256_add_pd(b, square_avx2(x + i + 4, offset, middle));
        c = _mm256_add_pd(c, square_avx2(x + i + 8, offset, middle));
        d = _mm256_add_pd(d, square_avx2(x + i + 12, offset, middle));
    }
    double sum[MILL_SUM_LANES];
    _mm256_storeu_pd(sum, a);
    _mm256_storeu_pd(sum + 4, b);
    _mm256_storeu_pd(sum + 8, c);
    _mm256_storeu_pd(sum + 12, d);
    for (int l = 0; i < count; i++, l++) {
        double deviation = (x[i] - shift) - mean;
        sum[l] += deviation * deviation;
    }
    return mill_fold(sum, MILL_SUM_LANES);
}
#endif
