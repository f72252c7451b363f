/* test_matrix: standardised rows and correlations, against long double and to the bit.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"

static long double oracle_correlation(const double *a, const double *b, int64_t n)
{
    long double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    for (int64_t i = 0; i < n; i++) {
        mean_a += a[i] / (long double)n;
        mean_b += b[i] / (long double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
        ab += (a[i] - mean_a) * (b[i] - mean_b);
    }
    return ab / sqrtl(aa * bb);
}

/* The order of a dot product as kernels.h states it. */
static double oracle_dot(const double *a, const double *b, int64_t n)
{
    double total = 0;
    for (int64_t k = 0; k < n; k += 1024) {
        double sum[8] = {0};
        for (int64_t i = k; i < n && i < k + 1024; i++) sum[(i - k) % 8] += a[i] * b[i];
        for (int half = 4; half; half /= 2)
            for (int l = 0; l < half; l++) sum[l] += sum[l + half];
        total += sum[0];
    }
    return total > 1 ? 1 : total < -1 ? -1 : isnan(total) ? NAN : total;
}

static double *made_up_rows(int64_t rows, int64_t n)
{
    double *x = exact_doubles(rows * n);
    for (int64_t r = 0; r < rows; r++) {
        double share = random_unit(), offset = r % 3 ? 0 : 1e6;
        for (int64_t i = 0; i < n; i++)
            x[r * n + i] = offset + (r ? share * x[i] : 0) + random_unit();
    }
    return x;
}

static void check_block(int64_t rows, int64_t n, int64_t first, int64_t count)
{
    double *x = made_up_rows(rows, n), *z = exact_doubles(rows * n);
    double *out = exact_doubles(count * rows), *whole = exact_doubles(rows * rows);
    EACH_SET(set)
    {
        tidemill_kernel_standardise(x, rows, n, z);
        tidemill_kernel_correlate_block(z, rows, n, first, count, out);
        tidemill_kernel_correlate(z, rows, n, whole);
        for (int64_t i = 0; i < count; i++) {
            CHECK_SAYING(same_bits(out + i * rows, whole + (first + i) * rows, rows),
                         "%s: row %d of %d x %d: block and whole differ", kernel_sets[set],
                         (int)(first + i), (int)rows, (int)n);
            for (int64_t j = 0; j < rows; j++) {
                const double *a = z + (first + i) * n, *b = z + j * n;
                double expected = oracle_dot(a, b, n), got = out[i * rows + j];
                CHECK_SAYING(same_bits(&got, &expected, 1), "%s (%d, %d): %.17g, not %.17g",
                             kernel_sets[set], (int)(first + i), (int)j, got, expected);
            }
        }
    }
    free(x);
    free(z);
    free(out);
    free(whole);
}

static void every_block_shape_has_the_stated_bits(void)
{
    for (int64_t rows = 1; rows <= 30; rows++) {
        int64_t first = random_below(rows), count = random_below(rows - first + 1);
        check_block(rows, 2 + random_below(70), first, count);
    }
    for (int64_t n = 2; n <= 40; n++) check_block(5, n, 0, 5);
    check_block(7, 1023, 1, 3);
    check_block(7, 1024, 0, 7);
    check_block(9, 1025, 2, 5);
    check_block(61, 2100, 17, 29);
}

static void correlations_match_a_two_pass_oracle(void)
{
    int64_t rows = 12, n = 300;
    double *x = made_up_rows(rows, n), *z = exact_doubles(rows * n);
    double *out = exact_doubles(rows * rows);
    tidemill_kernel_standardise(x, rows, n, z);
    tidemill_kernel_correlate(z, rows, n, out);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < rows; j++) {
            long double expected = oracle_correlation(x + i * n, x + j * n, n);
            CHECK(fabsl(out[i * rows + j] - expected) < 1e-14);
        }
    free(x);
    free(z);
    free(out);
}

static void a_row_scaled_is_fully_correlated_and_never_beyond_1(void)
{
    double x[3][40], z[3 * 40], out[9];
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 40; i++) {
            x[0][i] = random_unit();
            x[1][i] = 3 * x[0][i];
            x[2][i] = 7 - 5 * x[0][i];
        }
        tidemill_kernel_standardise(&x[0][0], 3, 40, z);
        tidemill_kernel_correlate(z, 3, 40, out);
        for (int i = 0; i < 9; i++) CHECK(fabs(out[i]) <= 1 && fabs(out[i]) > 1 - 1e-14);
        CHECK(out[2] < 0 && out[1] > 0);
    }
}

static void constant_and_missing_rows_are_nan_alone(void)
{
    double x[4][9] = {{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1},
                      {1, 2, 3, 4, 5, 6, 7, 8, 9},
                      {1, 2, 3, NAN, 5, 6, 7, 8, 9},
                      {9, 8, 7, 6, 5, 4, 3, 2, 1}};
    double z[4 * 9], out[16], nan = NAN;
    EACH_SET(set)
    {
        tidemill_kernel_standardise(&x[0][0], 4, 9, z);
        tidemill_kernel_correlate(z, 4, 9, out);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                if (i % 2 == 0 || j % 2 == 0) CHECK(same_bits(&out[4 * i + j], &nan, 1));
        CHECK(is_near(out[4 * 1 + 3], -1, 1e-15) && is_near(out[4 * 3 + 3], 1, 1e-15));
    }
}

static void where_nothing_is_asked_nothing_is_written_and_nothing_correlates(void)
{
    double z[1] = {1}, out[1] = {42};
    tidemill_kernel_correlate_block(z, 1, 1, 0, 0, out);
    tidemill_kernel_correlate(z, 0, 5, out);
    CHECK(out[0] == 42);
    tidemill_kernel_correlate_block(z, 1, 0, 0, 1, out);
    CHECK(same_bits(out, &(double){NAN}, 1));
}

int main(void)
{
    random_state = check_seed();
    RUN(every_block_shape_has_the_stated_bits);
    RUN(correlations_match_a_two_pass_oracle);
    RUN(a_row_scaled_is_fully_correlated_and_never_beyond_1);
    RUN(constant_and_missing_rows_are_nan_alone);
    RUN(where_nothing_is_asked_nothing_is_written_and_nothing_correlates);
    return check_end();
}
