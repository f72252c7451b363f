/* matrix, AVX-512: four rows by four columns of dot products at a time; see kernels/matrix.c.
 * A dot product keeps its eight partial sums in one vector.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

enum { DOT_SIDE_AVX512 = 4 };

/* The products beyond the last whole eight, then the fold. */
__attribute__((target("avx512f"))) static double
dot_end_avx512(__m512d lanes, const double *a, const double *b, int64_t k, int64_t count)
{
    double sum[MILL_DOT_LANES];
    _mm512_storeu_pd(sum, lanes);
    for (int l = 0; k < count; k++, l++) sum[l] += a[k] * b[k];
    return mill_fold(sum, MILL_DOT_LANES);
}

__attribute__((target("avx512f"))) static double dot_one_avx512(const double *a,
                                                                const double *b, int64_t count)
{
    __m512d lanes = _mm512_setzero_pd();
    int64_t k = 0;
    for (; k + 8 <= count; k += 8)
        lanes =
            _mm512_add_pd(lanes, _mm512_mul_pd(_mm512_loadu_pd(a + k), _mm512_loadu_pd(b + k)));
    return dot_end_avx512(lanes, a, b, k, count);
}

/* One column against four rows. */
__attribute__((target("avx512f"), always_inline)) static inline void
dot_column_avx512(const __m512d *row, const double *column, __m512d *s)
{
    __m512d value = _mm512_loadu_pd(column);
    s[0] = _mm512_add_pd(s[0], _mm512_mul_pd(row[0], value));
    s[1] = _mm512_add_pd(s[1], _mm512_mul_pd(row[1], value));
    s[2] = _mm512_add_pd(s[2], _mm512_mul_pd(row[2], value));
    s[3] = _mm512_add_pd(s[3], _mm512_mul_pd(row[3], value));
}

__attribute__((target("avx512f"))) static void dot_tile_avx512(const double *a, const double *b,
                                                               int64_t stride, int64_t count,
                                                               double *out, int64_t out_stride)
{
    __m512d zero = _mm512_setzero_pd();
    __m512d s[16] = {zero, zero, zero, zero, zero, zero, zero, zero,
                     zero, zero, zero, zero, zero, zero, zero, zero};
    int64_t k = 0;
    for (; k + 8 <= count; k += 8) {
        __m512d row[4] = {_mm512_loadu_pd(a + k), _mm512_loadu_pd(a + stride + k),
                          _mm512_loadu_pd(a + 2 * stride + k),
                          _mm512_loadu_pd(a + 3 * stride + k)};
        dot_column_avx512(row, b + k, s);
        dot_column_avx512(row, b + stride + k, s + 4);
        dot_column_avx512(row, b + 2 * stride + k, s + 8);
        dot_column_avx512(row, b + 3 * stride + k, s + 12);
    }
    for (int j = 0; j < DOT_SIDE_AVX512; j++)
        for (int i = 0; i < DOT_SIDE_AVX512; i++)
            out[i * out_stride + j] +=
                dot_end_avx512(s[4 * j + i], a + i * stride, b + j * stride, k, count);
}

__attribute__((target("avx512f"))) void mill_dot_block_avx512(const double *a, int64_t rows_a,
                                                              const double *b, int64_t rows_b,
                                                              int64_t stride, int64_t count,
                                                              double *out, int64_t out_stride)
{
    int64_t whole_a = rows_a - rows_a % DOT_SIDE_AVX512;
    int64_t whole_b = rows_b - rows_b % DOT_SIDE_AVX512;
    for (int64_t i = 0; i < whole_a; i += DOT_SIDE_AVX512)
        for (int64_t j = 0; j < whole_b; j += DOT_SIDE_AVX512)
            dot_tile_avx512(a + i * stride, b + j * stride, stride, count,
                            out + i * out_stride + j, out_stride);
    for (int64_t i = 0; i < rows_a; i++)
        for (int64_t j = i < whole_a ? whole_b : 0; j < rows_b; j++)
            out[i * out_stride + j] += dot_one_avx512(a + i * stride, b + j * stride, count);
}
#endif
