/* test_rolling: means and deviations of windows against a two-pass sum in long double.
 * The numeric traps are those that other libraries fell into.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"

static long double oracle_mean(const double *window, int64_t size)
{
    long double sum = 0;
    for (int64_t i = 0; i < size; i++) sum += window[i];
    return sum / size;
}

static long double oracle_std(const double *window, int64_t size, int64_t ddof)
{
    long double mean = oracle_mean(window, size), sum = 0;
    for (int64_t i = 0; i < size; i++) sum += (window[i] - mean) * (window[i] - mean);
    return sqrtl(sum / (size - ddof));
}

static int has_bad_value(const double *window, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        if (!isfinite(window[i])) return 1;
    return 0;
}

/* A mean may be off by a share of the window's scale, which is its mean and its deviation; a
 * deviation by a share of itself, so it is exact where the oracle says 0. */
static int is_near_mean(double got, long double mean, long double std, double share)
{
    if (isnan(mean)) return isnan(got);
    return fabsl(got - mean) <= share * (fabsl(mean) + std);
}

static void check_rolling(const double *x, int64_t n, int64_t window, double share)
{
    double *mean = exact_doubles(n), *std = exact_doubles(n), *scratch = exact_doubles(n);
    CHECK(tidemill_kernel_sma(x, n, window, mean) == 0);
    CHECK(tidemill_kernel_stddev(x, n, window, 0, scratch, std) == 0);
    for (int64_t t = 0; t < n; t++) {
        const double *first = x + t - window + 1;
        int defined = t >= window - 1 && !has_bad_value(first, window);
        long double m = defined ? oracle_mean(first, window) : (long double)NAN;
        long double s = defined ? oracle_std(first, window, 0) : (long double)NAN;
        CHECK_SAYING(is_near_mean(mean[t], m, s, share),
                     "n %d window %d at %d: mean %.17g, not %.17Lg", (int)n, (int)window,
                     (int)t, mean[t], m);
        CHECK_SAYING(is_near(std[t], s, share), "n %d window %d at %d: std %.17g, not %.17Lg",
                     (int)n, (int)window, (int)t, std[t], s);
    }
    free(mean);
    free(std);
    free(scratch);
}

static void windows_match_a_two_pass_oracle_at_every_length(void)
{
    static const int windows[] = {1, 2, 3, 4, 5, 7, 8, 13, 20, 31, 32, 33, 64, 100, 200};
    EACH_SET(set)
    {
        for (int64_t n = 0; n <= 257; n++) {
            double *x = exact_doubles(n);
            fill_prices(x, n);
            for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
                if (n % 8 == 1 || windows[w] >= n - 8) check_rolling(x, n, windows[w], 1e-13);
            free(x);
        }
    }
}

static void every_instruction_set_gives_the_plain_bits(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        int64_t offset = n % 3, window = 1 + random_below(n + 2), ddof = random_below(window);
        double *buffer = exact_doubles(n + offset), *x = buffer + offset;
        double *scratch = exact_doubles(n), *plain[4], *wide[4];
        fill_prices(x, n);
        if (n > 5 && n % 5 == 0) x[random_below(n)] = n % 2 ? NAN : -INFINITY;
        for (int i = 0; i < 4; i++) plain[i] = exact_doubles(n), wide[i] = exact_doubles(n);
        EACH_SET(set)
        {
            double **out = set == 0 ? plain : wide;
            tidemill_kernel_stddev(x, n, window, ddof, scratch, out[0]);
            tidemill_kernel_bbands(x, n, window, 2, out[1], out[2], out[3]);
            for (int i = 0; i < 4; i++)
                CHECK_SAYING(same_bits(plain[i], out[i], n), "%s: output %d, n %d, window %d",
                             kernel_sets[set], i, (int)n, (int)window);
            tidemill_kernel_sma(x, n, window, out[0]);
            CHECK(same_bits(plain[2], out[0], n)); /* the middle band is the mean */
            tidemill_kernel_stddev(x, n, window, ddof, scratch, out[0]);
        }
        for (int i = 0; i < 4; i++) free(plain[i]), free(wide[i]);
        free(scratch);
        free(buffer);
    }
}

/* Longer than several tiles, with windows below and above a tile's length. */
static void long_series_match_the_oracle_across_tiles(void)
{
    static const int windows[] = {1, 2, 20, 511, 513, 2047, 2500, 9000};
    int64_t n = 9001;
    double *x = exact_doubles(n);
    fill_prices(x, n);
    EACH_SET(set)
    {
        for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
            double *mean = exact_doubles(n), *std = exact_doubles(n);
            double *scratch = exact_doubles(n);
            tidemill_kernel_sma(x, n, windows[w], mean);
            tidemill_kernel_stddev(x, n, windows[w], 0, scratch, std);
            for (int64_t t = windows[w] - 1; t < n; t += 97) {
                const double *first = x + t - windows[w] + 1;
                CHECK(is_near(mean[t], oracle_mean(first, windows[w]), 1e-13));
                CHECK(is_near(std[t], oracle_std(first, windows[w], 0), 1e-12));
            }
            free(mean);
            free(std);
            free(scratch);
        }
    }
    free(x);
}

static void a_window_has_the_same_bits_wherever_it_stands(void)
{
    for (int round = 0; round < 200; round++) {
        int64_t n = 1 + random_below(300), window = 1 + random_below(n);
        double *x = exact_doubles(n), *mean = exact_doubles(n), *std = exact_doubles(n);
        double *scratch = exact_doubles(n), alone_mean[300], alone_std[300], alone_scratch[300];
        fill_prices(x, n);
        tidemill_kernel_sma(x, n, window, mean);
        tidemill_kernel_stddev(x, n, window, 0, scratch, std);
        int64_t t = window - 1 + random_below(n - window + 1);
        const double *first = x + t - window + 1;
        tidemill_kernel_sma(first, window, window, alone_mean);
        tidemill_kernel_stddev(first, window, window, 0, alone_scratch, alone_std);
        CHECK(same_bits(&mean[t], &alone_mean[window - 1], 1));
        CHECK(same_bits(&std[t], &alone_std[window - 1], 1));
        free(x);
        free(mean);
        free(std);
        free(scratch);
    }
}

static void a_bad_value_spoils_only_the_windows_that_contain_it(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    EACH_SET(set)
    {
        for (int kind = 0; kind < 3; kind++) {
            double x[60];
            fill_prices(x, 60);
            x[17] = bad[kind];
            x[41] = bad[(kind + 1) % 3];
            for (int window = 1; window <= 40; window++) check_rolling(x, 60, window, 1e-13);
        }
    }
}

static void equal_values_have_their_own_mean_and_no_deviation(void)
{
    static const double values[] = {0.1, 1.0 / 3, 2820376000.0, -7e-9, 1e300, 0};
    double x[200], mean[200], std[200], scratch[200];
    for (int v = 0; v < 6; v++) {
        for (int i = 0; i < 200; i++) x[i] = values[v];
        for (int window = 1; window <= 200; window++) {
            tidemill_kernel_sma(x, 200, window, mean);
            tidemill_kernel_stddev(x, 200, window, 0, scratch, std);
            for (int t = window - 1; t < 200; t++)
                CHECK(mean[t] == values[v] && std[t] == 0 && !signbit(std[t]));
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
    };
    EACH_SET(set)
    {
        for (size_t i = 0; i < sizeof traps / sizeof *traps; i++)
            for (int window = 1; window <= 12; window++)
                check_rolling(traps[i], 12, window, 1e-12);
    }
}

static void an_offset_costs_no_digits(void)
{
    enum { N = 1000 };
    static double x[N], shifted[N], std[N], shifted_std[N], scratch[N];
    for (int i = 0; i < N; i++) {
        x[i] = (double)random_below(1000) / 1024; /* exact also after adding 1e9 */
        shifted[i] = x[i] + 1e9;
    }
    tidemill_kernel_stddev(x, N, 50, 1, scratch, std);
    tidemill_kernel_stddev(shifted, N, 50, 1, scratch, shifted_std);
    CHECK(same_bits(std, shifted_std, N));
}

static void bands_stand_k_population_deviations_around_the_mean(void)
{
    static const double x[] = {1, 2, 3, 4, 9};
    double upper[5], mid[5], lower[5];
    CHECK(tidemill_kernel_bbands(x, 5, 3, 2, upper, mid, lower) == 0);
    CHECK(isnan(upper[1]) && isnan(mid[1]) && isnan(lower[1]));
    CHECK(is_near(mid[2], 2, 0) && is_near(upper[2], 2 + 2 * sqrtl(2 / 3.0L), 1e-15));
    CHECK(is_near(lower[4], 16 / 3.0L - 2 * oracle_std(x + 2, 3, 0), 1e-14));
}

static void the_divisor_counts_ddof(void)
{
    static const double x[] = {1, 2, 3, 4};
    double std[4], scratch[4];
    CHECK(tidemill_kernel_stddev(x, 4, 4, 1, scratch, std) == 0);
    CHECK(is_near(std[3], sqrtl(5 / 3.0L), 1e-15));
}

static void wrong_windows_are_refused_and_nothing_is_written(void)
{
    double x[3] = {1, 2, 3}, out[3] = {7, 7, 7}, kept[3] = {7, 7, 7}, scratch[3];
    CHECK(tidemill_kernel_sma(x, 3, 0, out) == -1);
    CHECK(tidemill_kernel_stddev(x, 3, 1, 1, scratch, out) == -1);
    CHECK(tidemill_kernel_stddev(x, 3, 2, -1, scratch, out) == -1);
    CHECK(tidemill_kernel_bbands(x, 3, -4, 2, out, out, out) == -1);
    CHECK(same_bits(out, kept, 3));
}

static void a_window_longer_than_the_series_gives_nan(void)
{
    double x[3] = {1, 2, 3}, out[3], scratch[3];
    CHECK(tidemill_kernel_sma(x, 3, INT64_MAX, out) == 0 && isnan(out[0]) && isnan(out[2]));
    CHECK(tidemill_kernel_stddev(x, 3, 4, 1, scratch, out) == 0 && isnan(out[2]));
    CHECK(tidemill_kernel_sma(x, 0, 1, out) == 0);
}

int main(void)
{
    random_state = check_seed();
    RUN(windows_match_a_two_pass_oracle_at_every_length);
    RUN(every_instruction_set_gives_the_plain_bits);
    RUN(long_series_match_the_oracle_across_tiles);
    RUN(a_window_has_the_same_bits_wherever_it_stands);
    RUN(a_bad_value_spoils_only_the_windows_that_contain_it);
    RUN(equal_values_have_their_own_mean_and_no_deviation);
    RUN(traps_of_running_sums_are_passed);
    RUN(an_offset_costs_no_digits);
    RUN(bands_stand_k_population_deviations_around_the_mean);
    RUN(the_divisor_counts_ddof);
    RUN(wrong_windows_are_refused_and_nothing_is_written);
    RUN(a_window_longer_than_the_series_gives_nan);
    return check_end();
}
