/* rolling, AVX2: four windows at a time; see kernels/rolling.c.
 * A lane does what the plain body does for its window, so the bits are the same.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

/* From the newest down.  A step reads at or below the four places it writes, and reads them
 * before it writes, so working in place is safe.  The oldest places are left to the plain
 * body. */
__attribute__((target("avx2"))) void mill_window_sums_avx2(const double *x, double *sum,
                                                           int64_t first, int64_t end,
                                                           int64_t half, int64_t odd)
{
    __m256d size = _mm256_set1_pd((double)half);
    int64_t t = end - 4;
    for (; t >= first; t -= 4) {
        int64_t last = t - odd;
        __m256d oldest = _mm256_loadu_pd(x + last - 2 * half + 1);
        __m256d middle = _mm256_loadu_pd(x + last - half + 1);
        __m256d both =
            _mm256_add_pd(_mm256_loadu_pd(sum + last - half), _mm256_loadu_pd(sum + last));
        __m256d even = _mm256_add_pd(both, _mm256_mul_pd(size, _mm256_sub_pd(middle, oldest)));
        if (odd) even = _mm256_add_pd(even, _mm256_sub_pd(_mm256_loadu_pd(x + t), oldest));
        _mm256_storeu_pd(sum + t, even);
    }
    mill_window_sums_plain(x, sum, first, t + 4, half, odd);
}

__attribute__((target("avx2"))) void mill_window_squares_avx2(const double *x, double *sum,
                                                              double *square, int64_t first,
                                                              int64_t end, int64_t half,
                                                              int64_t odd)
{
    double width = (double)half;
    __m256d size = _mm256_set1_pd(width), inverse = _mm256_set1_pd(1 / width);
    __m256d weight = _mm256_set1_pd(width / 2), inverse_even = _mm256_set1_pd(1 / (2 * width));
    __m256d weight_one = _mm256_set1_pd(2 * width / (2 * width + 1));
    int64_t t = end - 4;
    for (; t >= first; t -= 4) {
        int64_t last = t - odd;
        __m256d oldest = _mm256_loadu_pd(x + last - 2 * half + 1);
        __m256d step = _mm256_sub_pd(_mm256_loadu_pd(x + last - half + 1), oldest);
        __m256d older = _mm256_loadu_pd(sum + last - half), newer = _mm256_loadu_pd(sum + last);
        __m256d gap = _mm256_add_pd(step, _mm256_mul_pd(_mm256_sub_pd(newer, older), inverse));
        __m256d even = _mm256_add_pd(_mm256_add_pd(older, newer), _mm256_mul_pd(size, step));
        __m256d within = _mm256_add_pd(_mm256_loadu_pd(square + last - half),
                                       _mm256_loadu_pd(square + last));
        __m256d spread = _mm256_add_pd(within, _mm256_mul_pd(_mm256_mul_pd(gap, gap), weight));
        if (odd) {
            __m256d one = _mm256_sub_pd(_mm256_loadu_pd(x + t), oldest);
            gap = _mm256_sub_pd(one, _mm256_mul_pd(even, inverse_even));
            spread = _mm256_add_pd(spread, _mm256_mul_pd(_mm256_mul_pd(gap, gap), weight_one));
            even = _mm256_add_pd(even, one);
        }
        _mm256_storeu_pd(sum + t, even);
        _mm256_storeu_pd(square + t, spread);
    }
    mill_window_squares_plain(x, sum, square, first, t + 4, half, odd);
}

__attribute__((target("avx2"))) void
mill_window_means_avx2(const double *x, double *sum, int64_t first, int64_t end, int64_t window)
{
    __m256d size = _mm256_set1_pd((double)window), nan = _mm256_set1_pd(__builtin_nan(""));
    int64_t t = first;
    for (; t + 4 <= end; t += 4) {
        __m256d mean = _mm256_add_pd(_mm256_loadu_pd(x + t - window + 1),
                                     _mm256_div_pd(_mm256_loadu_pd(sum + t), size));
        __m256d finite =
            _mm256_cmp_pd(_mm256_sub_pd(mean, mean), _mm256_setzero_pd(), _CMP_EQ_OQ);
        _mm256_storeu_pd(sum + t, _mm256_blendv_pd(nan, mean, finite));
    }
    mill_window_means_plain(x, sum, t, end, window);
}
#endif
