/* matrix.h: products and other work on matrices; see kernels.h for what holds for all kernels.
 * Matrices are row-major: element (i, j) is x[i * stride + j], strides count elements.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_KERNELS_MATRIX_H
#define TIDEMILL_KERNELS_MATRIX_H
#include "kernels/kernels.h"

/* ---- Transposing ------------------------------------------------------------------------ */

/* out[j * out_stride + i] = x[i * stride + j] for elements of 1, 4 or 8 bytes, aligned to their
 * size.  stride >= columns, out_stride >= rows, else -1. */
TIDEMILL_KERNEL int64_t tidemill_kernel_transpose_1(const void *x, int64_t rows,
                                                    int64_t columns, int64_t stride, void *out,
                                                    int64_t out_stride);
TIDEMILL_KERNEL int64_t tidemill_kernel_transpose_4(const void *x, int64_t rows,
                                                    int64_t columns, int64_t stride, void *out,
                                                    int64_t out_stride);
TIDEMILL_KERNEL int64_t tidemill_kernel_transpose_8(const void *x, int64_t rows,
                                                    int64_t columns, int64_t stride, void *out,
                                                    int64_t out_stride);

/* ---- Products --------------------------------------------------------------------------- */

/* c = alpha a b + beta c.  a is m x k with element (i, p) at a[i * a_row + p * a_column], b is
 * k x n likewise, so that either may be a transposed one; c is m x n, rows c_row >= n apart.
 * c first becomes beta c, and 0 when beta is 0, whatever it held.  Then for each block of 256
 * values of p, in order, s = 0, s = fma(a(i, p), b(p, j), s) for each p of the block, in order,
 * and c(i, j) = fma(alpha, s, c(i, j)): a product and its addition are rounded once, with every
 * instruction set, the plain one too.  A processor without such an instruction (x86 before FMA3)
 * rounds both, with every set that it has, and so has other last bits than the rest.
 * All in the elements' type.  A NaN or infinity spoils the elements
 * that it is multiplied into.  scratch: tidemill_kernel_matmul_scratch(m, n, k) elements.
 * Returns -1 when m, n or k is negative or c_row < n. */
TIDEMILL_KERNEL int64_t tidemill_kernel_matmul_scratch(int64_t m, int64_t n, int64_t k);
TIDEMILL_KERNEL int64_t tidemill_kernel_matmul_f64(int64_t m, int64_t n, int64_t k,
                                                   double alpha, const double *a, int64_t a_row,
                                                   int64_t a_column, const double *b,
                                                   int64_t b_row, int64_t b_column, double beta,
                                                   double *c, int64_t c_row, double *scratch);
TIDEMILL_KERNEL int64_t tidemill_kernel_matmul_f32(int64_t m, int64_t n, int64_t k, float alpha,
                                                   const float *a, int64_t a_row,
                                                   int64_t a_column, const float *b,
                                                   int64_t b_row, int64_t b_column, float beta,
                                                   float *c, int64_t c_row, float *scratch);

/* c = a times its transposed + beta c, n x n, of a, n x k: the bits of matmul, above and on the
 * diagonal; below it what is above.  scratch: tidemill_kernel_matmul_scratch(n, n, k) elements.
 * Returns -1 when n or k is negative or c_row < n. */
TIDEMILL_KERNEL int64_t tidemill_kernel_syrk_f64(int64_t n, int64_t k, const double *a,
                                                 int64_t a_row, int64_t a_column, double beta,
                                                 double *c, int64_t c_row, double *scratch);
TIDEMILL_KERNEL int64_t tidemill_kernel_syrk_f32(int64_t n, int64_t k, const float *a,
                                                 int64_t a_row, int64_t a_column, float beta,
                                                 float *c, int64_t c_row, float *scratch);

/* Sum of a[i] b[i], ordered as the dot products of correlations; those of floats are doubles. */
TIDEMILL_KERNEL double tidemill_kernel_dot_f64(const double *a, const double *b, int64_t n);
TIDEMILL_KERNEL double tidemill_kernel_dot_f32(const float *a, const float *b, int64_t n);

/* out[i * n + j] = a[i] b[j]. */
TIDEMILL_KERNEL void tidemill_kernel_outer_f64(const double *a, int64_t m, const double *b,
                                               int64_t n, double *out);
TIDEMILL_KERNEL void tidemill_kernel_outer_f32(const float *a, int64_t m, const float *b,
                                               int64_t n, float *out);

/* ---- Triangles -------------------------------------------------------------------------- */

/* Solves t x = b in place: b, n x m with rows b_row apart, becomes x.  Element (i, p) of t is
 * t[i * t_row + p * t_column]; of it only the lower triangle is read, or the upper one when
 * `upper` is not 0, and no diagonal when `unit` is not 0 (it is then 1).  Row i of b loses t(i, p)
 * times row p of x for each p in the order in which they are found, then is divided by t(i, i).
 * Returns -1 for negative sizes or b_row < m, else n; or, when a place of the diagonal is 0, that
 * place (from 0), and b is as it was. */
TIDEMILL_KERNEL int64_t tidemill_kernel_solve_triangular_f64(int64_t n, int64_t m,
                                                             const double *t, int64_t t_row,
                                                             int64_t t_column, int64_t upper,
                                                             int64_t unit, double *b,
                                                             int64_t b_row);
TIDEMILL_KERNEL int64_t tidemill_kernel_solve_triangular_f32(int64_t n, int64_t m,
                                                             const float *t, int64_t t_row,
                                                             int64_t t_column, int64_t upper,
                                                             int64_t unit, float *b,
                                                             int64_t b_row);

/* ---- Covariance ------------------------------------------------------------------------- */

/* Each row (row-major, n wide) less its mean; a row with a NaN or an infinity becomes NaN.  The
 * order of sums is that of the statistics. */
TIDEMILL_KERNEL void tidemill_kernel_centre(const double *x, int64_t rows, int64_t n,
                                            double *z);

/* Covariances of rows row_first .. row_first + row_count - 1 with all `rows` rows of a centred z,
 * divisor n - ddof: out[row_count x rows].  Dot products are ordered as those of correlations,
 * so that (i, j) and (j, i) have equal bits.  NaN when n <= ddof. */
TIDEMILL_KERNEL void tidemill_kernel_covariance_block(const double *z, int64_t rows, int64_t n,
                                                      int64_t ddof, int64_t row_first,
                                                      int64_t row_count, double *out);

/* The whole matrix out[rows x rows], each pair computed once; the bits of covariance_block. */
TIDEMILL_KERNEL void tidemill_kernel_covariance(const double *z, int64_t rows, int64_t n,
                                                int64_t ddof, double *out);

/* ---- Signs of factors ------------------------------------------------------------------- */

/* Of each of k vectors, n long (vector i begins at u + i * u_vector, its elements are u_next
 * apart), the element of the largest size, the first of several, becomes positive: else the vector
 * changes its sign, and so does vector i of v, unless v is NULL. */
TIDEMILL_KERNEL void tidemill_kernel_orient_f64(int64_t k, double *u, int64_t n,
                                                int64_t u_vector, int64_t u_next, double *v,
                                                int64_t v_n, int64_t v_vector, int64_t v_next);
TIDEMILL_KERNEL void tidemill_kernel_orient_f32(int64_t k, float *u, int64_t n,
                                                int64_t u_vector, int64_t u_next, float *v,
                                                int64_t v_n, int64_t v_vector, int64_t v_next);

/* Where the diagonal of r, k x n and upper triangular, is negative, that row of r and that column
 * of q, m x k, change their signs. */
TIDEMILL_KERNEL void tidemill_kernel_orient_diagonal_f64(int64_t k, double *r, int64_t n,
                                                         int64_t r_row, double *q, int64_t m,
                                                         int64_t q_row);
TIDEMILL_KERNEL void tidemill_kernel_orient_diagonal_f32(int64_t k, float *r, int64_t n,
                                                         int64_t r_row, float *q, int64_t m,
                                                         int64_t q_row);

/* ---- What libraries ask ----------------------------------------------------------------- */

/* The first place (from 0) that is not finite, n when there is none. */
TIDEMILL_KERNEL int64_t tidemill_kernel_first_not_finite_f64(const double *x, int64_t n);
TIDEMILL_KERNEL int64_t tidemill_kernel_first_not_finite_f32(const float *x, int64_t n);

#endif
