/* matrix, AVX2: two rows by three columns of dot products at a time; see kernels/matrix.c.
 * A dot product keeps its eight partial sums in two vectors, lanes 0-3 and 4-7.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

enum { DOT_ROWS_AVX2 = 2, DOT_COLUMNS_AVX2 = 3 };

/* The products beyond the last whole eight, then the fold. */
__attribute__((target("avx2"))) static double dot_end_avx2(__m256d low, __m256d high,
                                                           const double *a, const double *b,
                                                           int64_t k, int64_t count)
{
    double sum[MILL_DOT_LANES];
    _mm256_storeu_pd(sum, low);
    _mm256_storeu_pd(sum + 4, high);
    for (int l = 0; k < count; k++, l++) sum[l] += a[k] * b[k];
    return mill_fold(sum, MILL_DOT_LANES);
}

__attribute__((target("avx2"))) static double dot_one_avx2(const double *a, const double *b,
                                                           int64_t count)
{
    __m256d low = _mm256_setzero_pd(), high = low;
    int64_t k = 0;
    for (; k + 8 <= count; k += 8) {
        low = _mm256_add_pd(low, _mm256_mul_pd(_mm256_loadu_pd(a + k), _mm256_loadu_pd(b + k)));
        high = _mm256_add_pd(
            high, _mm256_mul_pd(_mm256_loadu_pd(a + k + 4), _mm256_loadu_pd(b + k + 4)));
    }
    return dot_end_avx2(low, high, a, b, k, count);
}

/* Four lanes of the six products at offset k: twelve sums fill twelve registers. */
__attribute__((target("avx2"), always_inline)) static inline void
dot_step_avx2(const double *a, const double *b, int64_t stride, int64_t k, __m256d *s)
{
    __m256d a0 = _mm256_loadu_pd(a + k), a1 = _mm256_loadu_pd(a + stride + k);
    __m256d column = _mm256_loadu_pd(b + k);
    s[0] = _mm256_add_pd(s[0], _mm256_mul_pd(a0, column));
    s[1] = _mm256_add_pd(s[1], _mm256_mul_pd(a1, column));
    column = _mm256_loadu_pd(b + stride + k);
    s[2] = _mm256_add_pd(s[2], _mm256_mul_pd(a0, column));
    s[3] = _mm256_add_pd(s[3], _mm256_mul_pd(a1, column));
    column = _mm256_loadu_pd(b + 2 * stride + k);
    s[4] = _mm256_add_pd(s[4], _mm256_mul_pd(a0, column));
    s[5] = _mm256_add_pd(s[5], _mm256_mul_pd(a1, column));
}

__attribute__((target("avx2"))) static void dot_tile_avx2(const double *a, const double *b,
                                                          int64_t stride, int64_t count,
                                                          double *out, int64_t out_stride)
{
    __m256d zero = _mm256_setzero_pd();
    __m256d low[6] = {zero, zero, zero, zero, zero, zero};
    __m256d high[6] = {zero, zero, zero, zero, zero, zero};
    int64_t k = 0;
    for (; k + 8 <= count; k += 8) {
        dot_step_avx2(a, b, stride, k, low);
        dot_step_avx2(a, b, stride, k + 4, high);
    }
    for (int j = 0; j < DOT_COLUMNS_AVX2; j++)
        for (int i = 0; i < DOT_ROWS_AVX2; i++)
            out[i * out_stride + j] += dot_end_avx2(low[2 * j + i], high[2 * j + i],
                                                    a + i * stride, b + j * stride, k, count);
}

__attribute__((target("avx2"))) void mill_dot_block_avx2(const double *a, int64_t rows_a,
                                                         const double *b, int64_t rows_b,
                                                         int64_t stride, int64_t count,
                                                         double *out, int64_t out_stride)
{
    int64_t whole_a = rows_a - rows_a % DOT_ROWS_AVX2;
    int64_t whole_b = rows_b - rows_b % DOT_COLUMNS_AVX2;
    for (int64_t i = 0; i < whole_a; i += DOT_ROWS_AVX2)
        for (int64_t j = 0; j < whole_b; j += DOT_COLUMNS_AVX2)
            dot_tile_avx2(a + i * stride, b + j * stride, stride, count,
                          out + i * out_stride + j, out_stride);
    for (int64_t i = 0; i < rows_a; i++)
        for (int64_t j = i < whole_a ? whole_b : 0; j < rows_b; j++)
            out[i * out_stride + j] += dot_one_avx2(a + i * stride, b + j * stride, count);
}
#endif
