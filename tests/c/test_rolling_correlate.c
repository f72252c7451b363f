/* test_rolling_correlate: correlation matrices of all windows against two passes in long double.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/rolling.h"
#include "kernels/rolling_bodies.h"

static double *matrices(const double *x, int64_t rows, int64_t n, int64_t window, int64_t first,
                        int64_t count)
{
    double *scratch =
        exact_doubles(tidemill_kernel_rolling_correlate_scratch(rows, window, count));
    double *out = exact_doubles(count * rows * rows);
    CHECK(tidemill_kernel_rolling_correlate(x, rows, n, window, first, count, scratch, out) ==
          0);
    free(scratch);
    return out;
}

static double *made_up_series(int64_t rows, int64_t n)
{
    double *x = exact_doubles(rows * n);
    for (int64_t r = 0; r < rows; r++) fill_prices(x + r * n, n);
    return x;
}

static long double oracle(const double *x, const double *y, int64_t window)
{
    long double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    int flat_x = 1, flat_y = 1;
    for (int64_t i = 0; i < window; i++) {
        mean_x += ((long double)x[i] - x[0]) / window;
        mean_y += ((long double)y[i] - y[0]) / window;
        flat_x &= x[i] == x[0], flat_y &= y[i] == y[0];
    }
    if (flat_x || flat_y) return NAN;
    for (int64_t i = 0; i < window; i++) {
        long double a = (long double)x[i] - x[0] - mean_x;
        long double b = (long double)y[i] - y[0] - mean_y;
        xx += a * a, yy += b * b, xy += a * b;
    }
    return xy / sqrtl(xx * yy);
}

static void check_matrices(const double *x, int64_t rows, int64_t n, int64_t window,
                           int64_t first, int64_t count)
{
    double *out = matrices(x, rows, n, window, first, count);
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < rows; j++) {
                double got = out[(k * rows + i) * rows + j], mirrored;
                mirrored = out[(k * rows + j) * rows + i];
                long double right =
                    oracle(x + i * n + first + k, x + j * n + first + k, window);
                int near = isnan(right) ? isnan(got) : fabsl(got - right) <= 1e-13;
                CHECK_SAYING(near && !(fabs(got) > 1),
                             "rows %d window %d (%d, %d, %d): %.17g, not %.17Lg", (int)rows,
                             (int)window, (int)k, (int)i, (int)j, got, right);
                CHECK(same_bits(&got, &mirrored, 1));
                CHECK(i != j || isnan(got) || got == 1);
            }
    free(out);
}

static void every_number_of_series_matches_a_two_pass_oracle(void)
{
    for (int64_t rows = 1; rows <= 37; rows++) {
        int64_t n = 2 + random_below(40), window = 1 + random_below(n);
        int64_t first = random_below(n - window + 1);
        double *x = made_up_series(rows, n);
        check_matrices(x, rows, n, window, first, n - window + 1 - first);
        free(x);
    }
}

/* More windows than a group of the largest size has, from one in the middle of a group on. */
static void long_windows_match_it_too(void)
{
    static const int64_t windows[] = {126, 127, 128, 129, 200, 301};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        int64_t window = windows[i], group = tidemill_kernel_rolling_correlate_group(window);
        int64_t n = window + 2 * group + 3, first = 1 + random_below(group);
        CHECK(group == (window < 127 ? 63 : MILL_GROUP_MOST));
        double *x = made_up_series(3, n);
        check_matrices(x, 3, n, window, first, n - window + 1 - first);
        free(x);
    }
}

/* An outlier spoils no digits of the windows that it is not in. */
static void values_outside_a_window_do_not_matter(void)
{
    enum { N = 60, WINDOW = 20 };
    for (int64_t at = 0; at < N; at++) {
        double *x = made_up_series(3, N);
        x[N + at] = 1e15;
        check_matrices(x, 3, N, WINDOW, 0, N - WINDOW + 1);
        free(x);
    }
}

static void every_instruction_set_gives_the_plain_bits(void)
{
    for (int64_t rows = 1; rows <= 40; rows++) {
        int64_t window = 1 + random_below(50), n = window + random_below(4);
        double *x = made_up_series(rows, n), *plain = NULL;
        if (rows % 3 == 0) x[random_below(rows * n)] = NAN;
        EACH_SET(set)
        {
            double *out = matrices(x, rows, n, window, 0, n - window + 1);
            if (plain) CHECK(same_bits(plain, out, rows * rows * (n - window + 1)));
            if (plain)
                free(out);
            else
                plain = out;
        }
        free(plain);
        free(x);
    }
}

/* Exact where all sums are, and else near. */
static void a_processor_without_multiply_add_rounds_twice(void)
{
    enum { ALL = 40, SIDE = MILL_GROUP_SIDE };
    struct mill_window_group group = {.before = 7, .core = 20, .skipped = 5, .count = 8};
    double scale[8][2][SIDE], tile[2][8][SIDE][SIDE], x[2][ALL * SIDE];
    struct mill_group_side at = {x[0], scale}, with = {x[1], scale};
    for (int64_t i = 0; i < 8 * SIDE; i++)
        scale[i / SIDE][0][i % SIDE] = 0, scale[i / SIDE][1][i % SIDE] = 0.25;
    for (int round = 0; round < 20; round++) {
        int exact = round % 2;
        for (int64_t i = 0; i < 2 * ALL * SIDE; i++)
            x[i % 2][i / 2] = exact ? (double)(random_below(9) - 4) / 16 : random_unit() - 0.5;
        mill_group_pairs_apart(&group, &at, &with, tile[0]);
        mill_window_bodies()->pairs(&group, &at, &with, tile[1]);
        for (int64_t i = 0; i < 8 * SIDE * SIDE; i++) {
            double gap = fabs((&tile[0][0][0][0])[i] - (&tile[1][0][0][0])[i]);
            CHECK(exact || !mill_fuses() ? gap == 0 : gap <= ALL * 0x1p-53);
        }
    }
}

static void a_window_has_the_same_bits_in_any_chunk_and_among_any_series(void)
{
    int64_t rows = 21, n = 60, window = 30, matrix = rows * rows;
    double *x = made_up_series(rows, n), *whole = matrices(x, rows, n, window, 0, 31);
    for (int64_t first = 0; first < 31; first += 4) {
        int64_t count = 1 + random_below(31 - first);
        double *part = matrices(x, rows, n, window, first, count);
        CHECK(same_bits(part, whole + first * matrix, count * matrix));
        double *two = matrices(x + 3 * n, 2, n, window, first, 1);
        CHECK(same_bits(&two[1], &whole[first * matrix + 3 * rows + 4], 1));
        free(part);
        free(two);
    }
    free(whole);
    free(x);
}

static void missing_and_equal_values_spoil_their_series_in_their_windows(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    int64_t rows = 5, n = 40, window = 10, matrix = rows * rows;
    double *x = made_up_series(rows, n), nan = NAN;
    for (int kind = 0; kind < 3; kind++) {
        x[1 * n + 17] = bad[kind];
        for (int i = 22; i < n; i++) x[3 * n + i] = 0.1;
        double *out = matrices(x, rows, n, window, 0, 31);
        for (int64_t k = 0; k < 31; k++) {
            int missing = k <= 17 && k + window > 17, equal = k >= 22;
            for (int64_t i = 0; i < rows; i++)
                for (int64_t j = 0; j < rows; j++) {
                    int spoilt =
                        (missing && (i == 1 || j == 1)) || (equal && (i == 3 || j == 3));
                    double *got = &out[k * matrix + i * rows + j];
                    CHECK(spoilt ? same_bits(got, &nan, 1) : fabs(*got) <= 1);
                }
        }
        free(out);
    }
    free(x);
}

static void an_offset_and_a_scale_change_little(void)
{
    double x[3 * 50];
    for (int i = 0; i < 50; i++) {
        x[i] = 1e9 + random_unit();
        x[50 + i] = 3 * random_unit() - 1e6;
        x[100 + i] = -2e-30 * x[i];
    }
    check_matrices(x, 3, 50, 30, 0, 21);
}

static void what_overflows_is_nan(void)
{
    double x[2 * 3] = {1e200, -1e200, 3e200, 1, 2, 4}, nan = NAN;
    double *out = matrices(x, 2, 3, 3, 0, 1);
    CHECK(same_bits(&out[0], &nan, 1) && same_bits(&out[1], &nan, 1) && out[3] > 0.999);
    free(out);
}

static void windows_outside_the_series_are_refused_and_nothing_is_written(void)
{
    double x[6] = {1, 2, 3, 3, 1, 2}, scratch[200], out[1] = {42};
    static const int64_t wrong[][4] = {{2, 3, 0, 1}, {2, 0, 0, 1},  {2, 2, -1, 1},
                                       {2, 4, 0, 1}, {2, 2, 2, 1},  {2, 2, 0, 3},
                                       {2, 2, 4, 0}, {-1, 2, 0, 1}, {2, 2, 0, -1}};
    for (size_t i = 1; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(tidemill_kernel_rolling_correlate(x, wrong[i][0], 3, wrong[i][1], wrong[i][2],
                                                wrong[i][3], scratch, out) == -1);
    CHECK(tidemill_kernel_rolling_correlate(x, 2, 3, 2, 0, INT64_MAX, scratch, out) == -1);
    CHECK(tidemill_kernel_rolling_correlate(x, 2, 3, INT64_MAX, 0, 1, scratch, out) == -1);
    CHECK(tidemill_kernel_rolling_correlate(x, 2, 3, 2, 0, 0, scratch, out) == 0);
    CHECK(tidemill_kernel_rolling_correlate(x, 0, 3, 2, 0, 1, scratch, out) == 0);
    CHECK(out[0] == 42);
}

int main(void)
{
    random_state = check_seed();
    RUN(every_number_of_series_matches_a_two_pass_oracle);
    RUN(long_windows_match_it_too);
    RUN(values_outside_a_window_do_not_matter);
    RUN(every_instruction_set_gives_the_plain_bits);
    RUN(a_processor_without_multiply_add_rounds_twice);
    RUN(a_window_has_the_same_bits_in_any_chunk_and_among_any_series);
    RUN(missing_and_equal_values_spoil_their_series_in_their_windows);
    RUN(an_offset_and_a_scale_change_little);
    RUN(what_overflows_is_nan);
    RUN(windows_outside_the_series_are_refused_and_nothing_is_written);
    return check_end();
}
