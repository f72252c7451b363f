/* rolling, AVX-512: eight windows at a time; see kernels/rolling.c.
 * A lane does what the plain body does for its window, so the bits are the same.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

/* From the newest down.  A step reads at or below the eight places it writes, and reads them
 * before it writes, so working in place is safe.  The oldest places are left to the plain
 * body. */
__attribute__((target("avx512f"))) void mill_window_sums_avx512(const double *x, double *sum,
                                                                int64_t first, int64_t end,
                                                                int64_t half, int64_t odd)
{
    __m512d size = _mm512_set1_pd((double)half);
    int64_t t = end - 8;
    for (; t >= first; t -= 8) {
        int64_t last = t - odd;
        __m512d oldest = _mm512_loadu_pd(x + last - 2 * half + 1);
        __m512d middle = _mm512_loadu_pd(x + last - half + 1);
        __m512d both =
            _mm512_add_pd(_mm512_loadu_pd(sum + last - half), _mm512_loadu_pd(sum + last));
        __m512d even = _mm512_add_pd(both, _mm512_mul_pd(size, _mm512_sub_pd(middle, oldest)));
        if (odd) even = _mm512_add_pd(even, _mm512_sub_pd(_mm512_loadu_pd(x + t), oldest));
        _mm512_storeu_pd(sum + t, even);
    }
    mill_window_sums_plain(x, sum, first, t + 8, half, odd);
}

__attribute__((target("avx512f"))) void mill_window_squares_avx512(const double *x, double *sum,
                                                                   double *square,
                                                                   int64_t first, int64_t end,
                                                                   int64_t half, int64_t odd)
{
    double width = (double)half;
    __m512d size = _mm512_set1_pd(width), inverse = _mm512_set1_pd(1 / width);
    __m512d weight = _mm512_set1_pd(width / 2), inverse_even = _mm512_set1_pd(1 / (2 * width));
    __m512d weight_one = _mm512_set1_pd(2 * width / (2 * width + 1));
    int64_t t = end - 8;
    for (; t >= first; t -= 8) {
        int64_t last = t - odd;
        __m512d oldest = _mm512_loadu_pd(x + last - 2 * half + 1);
        __m512d step = _mm512_sub_pd(_mm512_loadu_pd(x + last - half + 1), oldest);
        __m512d older = _mm512_loadu_pd(sum + last - half), newer = _mm512_loadu_pd(sum + last);
        __m512d gap = _mm512_add_pd(step, _mm512_mul_pd(_mm512_sub_pd(newer, older), inverse));
        __m512d even = _mm512_add_pd(_mm512_add_pd(older, newer), _mm512_mul_pd(size, step));
        __m512d within = _mm512_add_pd(_mm512_loadu_pd(square + last - half),
                                       _mm512_loadu_pd(square + last));
        __m512d spread = _mm512_add_pd(within, _mm512_mul_pd(_mm512_mul_pd(gap, gap), weight));
        if (odd) {
            __m512d one = _mm512_sub_pd(_mm512_loadu_pd(x + t), oldest);
            gap = _mm512_sub_pd(one, _mm512_mul_pd(even, inverse_even));
            spread = _mm512_add_pd(spread, _mm512_mul_pd(_mm512_mul_pd(gap, gap), weight_one));
            even = _mm512_add_pd(even, one);
        }
        _mm512_storeu_pd(sum + t, even);
        _mm512_storeu_pd(square + t, spread);
    }
    mill_window_squares_plain(x, sum, square, first, t + 8, half, odd);
}

__attribute__((target("avx512f"))) void mill_window_means_avx512(const double *x, double *sum,
                                                                 int64_t first, int64_t end,
                                                                 int64_t window)
{
    __m512d size = _mm512_set1_pd((double)window), nan = _mm512_set1_pd(__builtin_nan(""));
    int64_t t = first;
    for (; t + 8 <= end; t += 8) {
        __m512d mean = _mm512_add_pd(_mm512_loadu_pd(x + t - window + 1),
                                     _mm512_div_pd(_mm512_loadu_pd(sum + t), size));
        __mmask8 finite =
            _mm512_cmp_pd_mask(_mm512_sub_pd(mean, mean), _mm512_setzero_pd(), _CMP_EQ_OQ);
        _mm512_storeu_pd(sum + t, _mm512_mask_blend_pd(finite, nan, mean));
    }
    mill_window_means_plain(x, sum, t, end, window);
}
#endif
