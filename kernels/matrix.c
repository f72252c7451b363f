/* matrix: rows less their means, their correlations and covariances.
 * A dot product has one order of additions, stated in kernels.h.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/bodies.h"
#include "kernels/kernels.h"
#include "kernels/matrix.h"
#include "kernels/rescale_bodies.h"

/* Rows of one operand that stay in the second-level cache (8 KiB each) while the others pass.
 * A multiple of every body's tile. */
enum { MATRIX_PANEL = 24 };

void mill_dot_block_plain(const double *a, int64_t rows_a, const double *b, int64_t rows_b,
                          int64_t stride, int64_t count, double *out, int64_t out_stride)
{
    for (int64_t i = 0; i < rows_a; i++) {
        for (int64_t j = 0; j < rows_b; j++) {
            double sum[MILL_DOT_LANES] = {0};
            for (int64_t k = 0; k < count; k++)
                sum[k % MILL_DOT_LANES] += a[i * stride + k] * b[j * stride + k];
            out[i * out_stride + j] += mill_fold(sum, MILL_DOT_LANES);
        }
    }
}

static void rescale_plain(const double *x, int64_t n, double shift, double mean, double norm,
                          double *z)
{
    for (int64_t i = 0; i < n; i++) z[i] = ((x[i] - shift) - mean) / norm;
}

static mill_rescale *const rescales[MILL_ISAS] = {
    [MILL_ISA_PLAIN] = rescale_plain,
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = mill_rescale_avx2,
    [MILL_ISA_AVX512] = mill_rescale_avx512,
#elif defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
    [MILL_ISA_NEON] = mill_rescale_neon,
#endif
};

static void standardise_row(const double *x, int64_t n, double *z)
{
    double shift = n > 0 ? x[0] : 0;
    double mean = mill_sum(x, n, shift) / (double)n;
    double norm = sqrt(mill_square_sum(x, n, shift, mean));
    if (!(norm > 0 && norm < INFINITY)) {
        mill_fill_nan(z, 0, n);
        return;
    }
    rescales[mill_kernel_isa_number()](x, n, shift, mean, norm, z);
}

void tidemill_kernel_standardise(const double *x, int64_t rows, int64_t n, double *z)
{
    for (int64_t r = 0; r < rows; r++) standardise_row(x + r * n, n, z + r * n);
}

/* out[i - first][j] for rows i in [first, end) and all columns j, or those not below i when
 * `upper` (and a few more: up to a panel's width). */
static void matrix_dots(const double *z, int64_t rows, int64_t n, int64_t first, int64_t end,
                        int upper, double *out)
{
    const struct mill_kernel_bodies *bodies = mill_kernel_bodies();
    for (int64_t i = 0; i < (end - first) * rows; i++) out[i] = 0;
    for (int64_t k = 0; k < n; k += MILL_DOT_BLOCK) {
        for (int64_t j = 0; j < rows; j += MATRIX_PANEL) {
            int64_t panel = mill_least(MATRIX_PANEL, rows - j);
            int64_t below = upper ? mill_least(end, j + panel) : end;
            bodies->dot_block(z + first * n + k, mill_most(0, below - first), z + j * n + k,
                              panel, n, mill_least(MILL_DOT_BLOCK, n - k), out + j, rows);
        }
    }
}

/* Nothing correlates with nothing: NaN, as of a constant row. */
static double matrix_correlation(double value, int64_t n)
{
    if (n < 1) return __builtin_nan("");
    return value > 1 ? 1 : value < -1 ? -1 : mill_one_nan(value);
}

void tidemill_kernel_correlate_block(const double *z, int64_t rows, int64_t n,
                                     int64_t row_first, int64_t row_count, double *out)
{
    matrix_dots(z, rows, n, row_first, row_first + row_count, 0, out);
    for (int64_t i = 0; i < row_count * rows; i++) out[i] = matrix_correlation(out[i], n);
}

void tidemill_kernel_correlate(const double *z, int64_t rows, int64_t n, double *out)
{
    matrix_dots(z, rows, n, 0, rows, 1, out);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = i; j < rows; j++)
            out[i * rows + j] = out[j * rows + i] = matrix_correlation(out[i * rows + j], n);
}

void tidemill_kernel_centre(const double *x, int64_t rows, int64_t n, double *z)
{
    for (int64_t r = 0; r < rows; r++, x += n, z += n) {
        double shift = n > 0 ? x[0] : 0;
        double mean = mill_sum(x, n, shift) / (double)n;
        if (mean - mean == 0)
            rescales[mill_kernel_isa_number()](x, n, shift, mean, 1, z);
        else
            mill_fill_nan(z, 0, n);
    }
}

static double matrix_covariance(double dot, int64_t n, int64_t ddof)
{
    return n > ddof ? mill_one_nan(dot / (double)(n - ddof)) : __builtin_nan("");
}

void tidemill_kernel_covariance_block(const double *z, int64_t rows, int64_t n, int64_t ddof,
                                      int64_t row_first, int64_t row_count, double *out)
{
    matrix_dots(z, rows, n, row_first, row_first + row_count, 0, out);
    for (int64_t i = 0; i < row_count * rows; i++) out[i] = matrix_covariance(out[i], n, ddof);
}

void tidemill_kernel_covariance(const double *z, int64_t rows, int64_t n, int64_t ddof,
                                double *out)
{
    matrix_dots(z, rows, n, 0, rows, 1, out);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = i; j < rows; j++)
            out[i * rows + j] = out[j * rows + i] =
                matrix_covariance(out[i * rows + j], n, ddof);
}

double tidemill_kernel_dot_f64(const double *a, const double *b, int64_t n)
{
    const struct mill_kernel_bodies *bodies = mill_kernel_bodies();
    double sum = 0;
    for (int64_t k = 0; k < n; k += MILL_DOT_BLOCK)
        bodies->dot_block(a + k, 1, b + k, 1, n, mill_least(MILL_DOT_BLOCK, n - k), &sum, 1);
    return mill_one_nan(sum);
}

double tidemill_kernel_dot_f32(const float *a, const float *b, int64_t n)
{
    double total = 0;
    for (int64_t block = 0; block < n; block += MILL_DOT_BLOCK) {
        double sum[MILL_DOT_LANES] = {0};
        int64_t count = mill_least(MILL_DOT_BLOCK, n - block);
        for (int64_t k = 0; k < count; k++)
            sum[k % MILL_DOT_LANES] += (double)a[block + k] * b[block + k];
        total += mill_fold(sum, MILL_DOT_LANES);
    }
    return mill_one_nan(total);
}
