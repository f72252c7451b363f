/* test_rolling_window: sliding windows of one and two series against two passes in long double.
 * The numeric traps are those that other libraries fell into.
 * SPDX-License-Identifier: MIT */
#include "rolling_check.h"

#define EACH_KERNEL(kernel) for (enum window_kernel kernel = SUM; kernel < KERNELS; kernel++)

static const double bad[] = {NAN, INFINITY, -INFINITY};

/* Prices, and a second series that follows them more or less. */
static void fill_pair(double *x, double *y, int64_t count)
{
    fill_prices(x, count);
    for (int64_t i = 0; i < count; i++)
        y[i] = random_below(8) ? x[i] * (random_unit() - 0.3) : 0.25;
}

static void spoil(double *x, int64_t count, int64_t one_in)
{
    for (int64_t i = 0; i < count; i++)
        if (random_below(one_in) == 0) x[i] = bad[random_below(3)];
}

static void windows_match_a_two_pass_oracle_at_every_length(void)
{
    static const int windows[] = {1, 2, 3, 4, 5, 7, 8, 13, 20, 31, 32, 33, 64, 100, 200};
    for (int64_t n = 0; n <= 257; n++) {
        double *x = exact_doubles(n), *y = exact_doubles(n);
        fill_pair(x, y, n);
        for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
            int64_t window = windows[i];
            struct window_case w = {x, y, n, 1, window, n % 3, window, 0.3};
            if (n % 16 == 1 || window >= n - 2)
                EACH_KERNEL(kernel) check_windows(kernel, &w, 1, 1e-13);
        }
        free(x);
        free(y);
    }
}

static void every_instruction_set_gives_the_plain_bits(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        int64_t inner = n % 4 ? 1 : 1 + random_below(20), offset = n % 5, count = n * inner;
        int64_t window = 1 + random_below(n + 2), least = 1 + random_below(window);
        double *buffer[2] = {exact_doubles(count + offset), exact_doubles(count + offset)};
        double *x = buffer[0] + offset, *y = buffer[1] + offset;
        struct window_case w = {x, y, n, inner, window, n % 2, n % 3 ? window : least, 0.5};
        fill_pair(x, y, count);
        if (n % 5 == 0) spoil(x, count, 40);
        if (n % 7 == 0) spoil(y, count, 40);
        EACH_KERNEL(kernel)
        {
            double *plain = NULL;
            EACH_SET(set)
            {
                double *out = window_results(kernel, &w);
                if (!plain) {
                    plain = out;
                    continue;
                }
                CHECK_SAYING(same_bits(plain, out, count), "%s %s: n %d inner %d window %d",
                             kernel_sets[set], window_names[kernel], (int)n, (int)inner,
                             (int)window);
                free(out);
            }
            free(plain);
        }
        free(buffer[0]);
        free(buffer[1]);
    }
}

/* Longer than several tiles, with windows below and above a tile's length. */
static void long_series_match_the_oracle_across_tiles(void)
{
    static const int windows[] = {1, 2, 20, 252, 511, 1025, 2500, 9000};
    int64_t n = 9001;
    double *x = exact_doubles(n), *y = exact_doubles(n);
    fill_pair(x, y, n);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct window_case w = {x, y, n, 1, windows[i], 1, windows[i], 0.25};
        EACH_KERNEL(kernel) check_windows(kernel, &w, 97, 1e-12);
    }
    free(x);
    free(y);
}

static void columns_of_a_table_match_the_oracle(void)
{
    static const int inners[] = {1, 2, 3, 7, 8, 15, 16, 17, 24, 29, 200};
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++) {
        int64_t inner = inners[i], n = 1 + random_below(90), window = 1 + random_below(30);
        double *x = exact_doubles(n * inner), *y = exact_doubles(n * inner);
        struct window_case w = {x, y, n, inner, window, 1, 1 + random_below(window), 0.9};
        fill_pair(x, y, n * inner);
        spoil(x, n * inner, 30);
        EACH_KERNEL(kernel) check_windows(kernel, &w, 1, 1e-13);
        free(x);
        free(y);
    }
}

static void a_bad_value_spoils_only_the_windows_that_contain_it(void)
{
    double x[60], y[60];
    for (int kind = 0; kind < 3; kind++) {
        fill_pair(x, y, 60);
        x[17] = bad[kind];
        y[41] = bad[(kind + 1) % 3];
        for (int window = 1; window <= 40; window++) {
            struct window_case w = {x, y, 60, 1, window, 0, window, 0.5};
            EACH_KERNEL(kernel) check_windows(kernel, &w, 1, 1e-13);
        }
    }
}

static void missing_values_are_skipped_where_enough_are_there(void)
{
    for (int round = 0; round < 60; round++) {
        int64_t n = 1 + random_below(120), window = 1 + random_below(40);
        double *x = exact_doubles(n), *y = exact_doubles(n);
        fill_pair(x, y, n);
        spoil(x, n, 1 + random_below(12));
        spoil(y, n, 1 + random_below(12));
        for (int64_t least = 1; least <= window; least += 1 + random_below(8)) {
            struct window_case w = {x, y, n, 1, window, round % 3, least, random_unit()};
            EACH_KERNEL(kernel) check_windows(kernel, &w, 1, 1e-13);
        }
        free(x);
        free(y);
    }
}

/* The same window alone, in a longer series, in a table, and under another min_count. */
static void a_window_has_the_same_bits_wherever_it_stands(void)
{
    for (int round = 0; round < 300; round++) {
        int64_t n = 1 + random_below(300), window = 1 + random_below(n), inner = 20;
        int64_t t = window - 1 + random_below(n - window + 1), column = random_below(inner);
        double *x = exact_doubles(n * inner), *y = exact_doubles(n * inner);
        double *alone_x = exact_doubles(window), *alone_y = exact_doubles(window);
        fill_pair(x, y, n * inner);
        if (round % 2) spoil(x, n * inner, 50);
        for (int64_t i = 0; i < window; i++) {
            alone_x[i] = x[(t - window + 1 + i) * inner + column];
            alone_y[i] = y[(t - window + 1 + i) * inner + column];
        }
        int64_t least = round % 3 ? window : 1 + random_below(window);
        struct window_case whole = {x, y, n, inner, window, 1, least, 0.4};
        struct window_case alone = {alone_x, alone_y, window, 1, window, 1, least, 0.4};
        EACH_KERNEL(kernel)
        {
            double *a = window_results(kernel, &whole), *b = window_results(kernel, &alone);
            CHECK_SAYING(same_bits(&a[t * inner + column], &b[window - 1], 1),
                         "%s: window %d at %d: %.17g and alone %.17g", window_names[kernel],
                         (int)window, (int)t, a[t * inner + column], b[window - 1]);
            free(a);
            free(b);
        }
        free(x);
        free(y);
        free(alone_x);
        free(alone_y);
    }
}

static void equal_values_have_their_own_mean_and_no_deviation(void)
{
    static const double values[] = {0.1, 1.0 / 3, 2820376000.0, -7e-9, 1e300, 0};
    double x[200], y[200];
    fill_prices(y, 200);
    for (int v = 0; v < 6; v++) {
        for (int i = 0; i < 200; i++) x[i] = i < 3 ? 77 : values[v];
        for (int window = 1; window <= 197; window++) {
            struct window_case w = {x, y, 200, 1, window, 0, window, 0.7};
            double *mean = window_results(MEAN, &w), *var = window_results(VAR, &w);
            double *score = window_results(ZSCORE, &w), *corr = window_results(CORR, &w);
            double *cov = window_results(COV, &w);
            for (int t = window + 2; t < 200; t++) {
                CHECK_SAYING(mean[t] == values[v], "window %d: %.17g", window, mean[t]);
                CHECK(var[t] == 0 && !signbit(var[t]) && isnan(score[t]));
                CHECK(isnan(corr[t]) && cov[t] == 0);
            }
            free(mean), free(var), free(score), free(corr), free(cov);
        }
    }
}

static void traps_of_running_sums_are_passed(void)
{
    static const double traps[][12] = {
        {1, 1e-7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        {1.2, 1.2, 1.2, 1.2, 3.3, 3.3, 3.3, 3.3, 3.3, 3.3, 3.3, 3.3},
        {5.5, 9e9, 2820376000.0, 2820376000.0, 2820376000.0, 2820376000.0, 2820376000.0, 1, 2,
         3, 4, 5},
        {5e-5, 4e-5, 6e-5, 9.2e4, 5e-5, 4e-5, 7e-5, 5e-5, 4e-5, 6e-5, 5e-5, 5e-5},
        {100000, 0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7},
        {1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 8, 1e9, 1e9, 1e9 + 0.25, 1e9, 1e9 + 1, 1e9, 1e9, 1e9},
        {1e-12, 2e-12, 1e-12, 1e12, -1e12, 3e-12, 1e-12, 1e-12, 1e-12, 0, 0, 0},
        {NAN, 1, 2, INFINITY, 3, 4, 5, -INFINITY, 6, 7, 8, 9},
    };
    enum { TRAPS = sizeof traps / sizeof *traps };
    EACH_SET(set)
    {
        for (int i = 0; i < TRAPS; i++) {
            for (int window = 1; window <= 12; window++) {
                const double *y = traps[(i + 1) % TRAPS];
                struct window_case w = {traps[i], y, 12, 1, window, 0, window, 0.5};
                EACH_KERNEL(kernel) check_windows(kernel, &w, 1, 1e-12);
                w.min_count = 1;
                EACH_KERNEL(kernel) check_windows(kernel, &w, 1, 1e-12);
            }
        }
    }
}

/* The values differ in their last digits only: their exact moments are the oracle's. */
static void an_offset_costs_no_digits(void)
{
    enum { N = 400 };
    double x[N], y[N];
    for (int i = 0; i < N; i++) {
        x[i] = 1e9 + random_unit();
        y[i] = -1e9 + random_unit();
    }
    for (int window = 2; window < N; window += 1 + window / 3) {
        struct window_case w = {x, y, N, 1, window, 1, window, 0.5};
        EACH_KERNEL(kernel) check_windows(kernel, &w, 1, 1e-12);
    }
}

static void a_correlation_is_never_beyond_1_and_a_variance_never_negative(void)
{
    double x[300], y[300];
    for (int round = 0; round < 200; round++) {
        double scale = exp(40 * (random_unit() - 0.5)), offset = 1000 * random_unit();
        for (int i = 0; i < 300; i++) {
            x[i] = random_below(3) ? random_unit() : i ? x[i - 1] : 0;
            y[i] = (round % 2 ? -scale : scale) * x[i] + (round % 3 ? 0 : offset);
        }
        int64_t window = 2 + random_below(40);
        struct window_case w = {x, y, 300, 1, window, 0, window, 0.5};
        double *corr = window_results(CORR, &w), *var = window_results(VAR, &w);
        for (int t = 0; t < 300; t++) {
            CHECK(isnan(corr[t]) || (fabs(corr[t]) <= 1 && fabs(corr[t]) > 1 - 1e-6));
            CHECK(isnan(var[t]) || var[t] >= 0);
        }
        free(corr);
        free(var);
    }
}

static void covariance_with_itself_is_the_variance_and_order_does_not_matter(void)
{
    double x[100], y[100];
    fill_pair(x, y, 100);
    for (int64_t window = 1; window <= 40; window++) {
        struct window_case xy = {x, y, 100, 1, window, 1, window, 0.5}, yx = xy, xx = xy;
        yx.x = y, yx.y = x, xx.y = x;
        double *cov = window_results(COV, &xy), *turned = window_results(COV, &yx);
        double *own = window_results(COV, &xx), *var = window_results(VAR, &xx);
        CHECK(same_bits(cov, turned, 100));
        CHECK(same_bits(own, var, 100));
        free(cov), free(turned), free(own), free(var);
    }
}

static void sums_of_integers_are_exact(void)
{
    double x[500];
    for (int i = 0; i < 500; i++) x[i] = (double)random_below(1000000);
    for (int64_t window = 1; window <= 300; window += 13) {
        struct window_case w = {x, x, 500, 1, window, 0, window, 0.5};
        check_windows(SUM, &w, 1, 0);
    }
}

/* Whatever joins a window's size asks for: none of its values is left out or counts twice, and
 * a column has the bits of a series in every set. */
static void sums_of_windows_of_any_size_take_each_value_once(void)
{
    enum { N = 9001, INNER = 2 };
    double *x = exact_doubles(N * INNER), *column = exact_doubles(N);
    for (int round = 0; round < 60; round++) {
        int64_t window = 1 + random_below(round < 40 ? 1200 : N - 1);
        for (int64_t i = 0; i < N * INNER; i++) x[i] = (double)random_below(1000000);
        for (int64_t i = 0; i < N; i++) column[i] = x[i * INNER + 1];
        struct window_case series = {column, column, N, 1, window, 0, window, 0.5};
        check_windows(SUM, &series, 501, 0);
        for (int64_t i = 0; i < N * INNER; i++) x[i] *= random_unit();
        for (int64_t i = 0; i < N; i++) column[i] = x[i * INNER + 1];
        struct window_case table = {x, x, N, INNER, window, 0, window, 0.5};
        EACH_SET(set)
        {
            double *one = window_results(MEAN, &series), *two = window_results(MEAN, &table);
            for (int64_t t = 0; t < N; t++)
                CHECK_SAYING(same_bits(&one[t], &two[t * INNER + 1], 1),
                             "%s: window %d, row %d: %.17g and in a table %.17g",
                             kernel_sets[set], (int)window, (int)t, one[t], two[t * INNER + 1]);
            free(one), free(two);
        }
    }
    free(x), free(column);
}

static void a_window_beyond_the_series_gives_nan_or_what_is_there(void)
{
    double x[5] = {3, 1, 4, 1, 5}, y[5] = {1, 2, 3, 4, 6};
    EACH_KERNEL(kernel)
    {
        struct window_case w = {x, y, 5, 1, INT64_MAX, 0, INT64_MAX, 0.5};
        double out[5];
        double *scratch = exact_doubles(tidemill_kernel_rolling_scratch(5, 1, INT64_MAX));
        CHECK(run_window(kernel, &w, scratch, out) == 0);
        for (int t = 0; t < 5; t++) CHECK(isnan(out[t]));
        free(scratch);
        w.window = 6, w.min_count = 2;
        check_windows(kernel, &w, 1, 1e-15);
    }
}

static void what_overflows_is_nan(void)
{
    double x[4] = {1.5e308, 1.5e308, -1.5e308, 1};
    struct window_case w = {x, x, 4, 1, 2, 0, 2, 0.5};
    double *sum = window_results(SUM, &w), *var = window_results(VAR, &w), nan = NAN;
    CHECK(same_bits(&sum[1], &nan, 1) && sum[2] == 0);
    CHECK(var[1] == 0 && same_bits(&var[2], &nan, 1) && same_bits(&var[3], &nan, 1));
    free(sum);
    free(var);
}

static void wrong_arguments_are_refused_and_nothing_is_written(void)
{
    double x[4] = {1, 2, 3, 4}, scratch[200], out[4] = {42, 42, 42, 42};
    const struct window_case good = {x, x, 4, 1, 2, 0, 2, 0.5};
    CHECK(tidemill_kernel_rolling_scratch(4, 1, 2) <= (int64_t)(sizeof scratch / 8));
    EACH_KERNEL(kernel)
    {
        struct window_case wrong[] = {good, good, good, good, good, good, good};
        wrong[0].window = 0, wrong[1].window = -5, wrong[2].min_count = 0;
        wrong[3].min_count = 3, wrong[4].n = -1, wrong[5].inner = -1;
        wrong[6].ddof = -1, wrong[6].q = NAN;
        int takes_seventh = kernel == VAR || kernel == STD || kernel == ZSCORE ||
                            kernel == COV || kernel == QUANTILE;
        for (int i = 0; i < 6 + takes_seventh; i++)
            CHECK_SAYING(run_window(kernel, &wrong[i], scratch, out) == -1, "%s: case %d",
                         window_names[kernel], i);
    }
    struct window_case wrong = good;
    wrong.q = 1.0000001;
    CHECK(run_window(QUANTILE, &wrong, scratch, out) == -1);
    for (int t = 0; t < 4; t++) CHECK(out[t] == 42);
}

/* The two ways to a quantile part at windows of 512. */
static void quantiles_of_large_windows_match_the_oracle(void)
{
    static const int windows[] = {511, 512, 513, 3000, 5000, 12000};
    int64_t n = 11000;
    double *x = exact_doubles(n);
    for (int round = 0; round < 2; round++) {
        fill_prices(x, n);
        if (round) spoil(x, n, 7);
        for (int i = 0; i < 6; i++) {
            int64_t window = windows[i], least = round ? 1 + random_below(window) : window;
            for (int k = 0; k < 3; k++) {
                struct window_case w = {x, x, n, 1, window, 0, least, k == 2 ? 1 : 0.5 * k};
                if (round) w.q = random_unit();
                check_windows(QUANTILE, &w, 211, 1e-15);
            }
        }
    }
    free(x);
}

static void a_quantile_of_zeros_is_plus_zero_whatever_their_signs(void)
{
    double x[40];
    for (int i = 0; i < 40; i++) x[i] = random_below(2) ? 0.0 : -0.0;
    struct window_case w = {x, x, 40, 1, 7, 0, 1, 0.5};
    double *median = window_results(QUANTILE, &w);
    for (int t = 0; t < 40; t++) CHECK(median[t] == 0 && !signbit(median[t]));
    free(median);
}

int main(void)
{
    random_state = check_seed();
    RUN(windows_match_a_two_pass_oracle_at_every_length);
    RUN(every_instruction_set_gives_the_plain_bits);
    RUN(long_series_match_the_oracle_across_tiles);
    RUN(columns_of_a_table_match_the_oracle);
    RUN(a_bad_value_spoils_only_the_windows_that_contain_it);
    RUN(missing_values_are_skipped_where_enough_are_there);
    RUN(a_window_has_the_same_bits_wherever_it_stands);
    RUN(equal_values_have_their_own_mean_and_no_deviation);
    RUN(traps_of_running_sums_are_passed);
    RUN(an_offset_costs_no_digits);
    RUN(a_correlation_is_never_beyond_1_and_a_variance_never_negative);
    RUN(covariance_with_itself_is_the_variance_and_order_does_not_matter);
    RUN(sums_of_integers_are_exact);
    RUN(sums_of_windows_of_any_size_take_each_value_once);
    RUN(a_window_beyond_the_series_gives_nan_or_what_is_there);
    RUN(what_overflows_is_nan);
    RUN(quantiles_of_large_windows_match_the_oracle);
    RUN(a_quantile_of_zeros_is_plus_zero_whatever_their_signs);
    RUN(wrong_arguments_are_refused_and_nothing_is_written);
    return check_end();
}
