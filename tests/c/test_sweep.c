/* test_sweep: crossings of moving averages against one pair done bar by bar.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"

/* The sentence of kernels.h, one bar after another. */
static double oracle_total(const double *close, int64_t n, int32_t fast, int32_t slow)
{
    if (fast >= slow) return NAN;
    double *quick = exact_doubles(n), *calm = exact_doubles(n), total = 1;
    tidemill_kernel_sma(close, n, fast, quick);
    tidemill_kernel_sma(close, n, slow, calm);
    for (int64_t t = 1; t < n; t++) {
        int signal =
            t >= 2 && !isnan(quick[t - 2]) && !isnan(calm[t - 2]) && quick[t - 2] > calm[t - 2];
        double earned = signal ? close[t] / close[t - 1] - 1 : 0;
        total *= 1 + earned;
    }
    free(quick);
    free(calm);
    return isnan(total) ? NAN : total - 1;
}

static void check_sweep(const double *close, int64_t n, const int32_t *fasts, int64_t nf,
                        const int32_t *slows, int64_t ns)
{
    EACH_SET(set)
    {
        double *scratch = exact_doubles(tidemill_kernel_sma_cross_scratch(n, nf, ns));
        double *out = exact_doubles(nf * ns);
        CHECK(tidemill_kernel_sma_cross(close, n, fasts, nf, slows, ns, scratch, out) == 0);
        for (int64_t f = 0; f < nf; f++)
            for (int64_t s = 0; s < ns; s++) {
                double expected = oracle_total(close, n, fasts[f], slows[s]);
                CHECK_SAYING(same_bits(&out[f * ns + s], &expected, 1),
                             "%s n %d (%d, %d): %.17g, not %.17g", kernel_sets[set], (int)n,
                             fasts[f], slows[s], out[f * ns + s], expected);
            }
        free(scratch);
        free(out);
    }
}

static void every_pair_has_the_bits_of_that_pair_alone(void)
{
    for (int64_t n = 0; n <= 257; n += 1 + random_below(3)) {
        int64_t nf = random_below(19), ns = random_below(20);
        int32_t fasts[20], slows[20];
        double *close = exact_doubles(n);
        fill_prices(close, n);
        for (int i = 0; i < 20; i++) {
            fasts[i] = 1 + (int32_t)random_below(30);
            slows[i] = 1 + (int32_t)random_below(90);
        }
        check_sweep(close, n, fasts, nf, slows, ns);
        free(close);
    }
}

static void a_grid_of_usual_size_is_right(void)
{
    static double close[1259];
    int32_t fasts[10], slows[19];
    for (int i = 0; i < 10; i++) fasts[i] = 5 + 5 * i;
    for (int i = 0; i < 19; i++) slows[i] = 20 + 10 * i;
    fill_prices(close, 1259);
    check_sweep(close, 1259, fasts, 10, slows, 19);
}

/* Averages 1 and 2: the signal is 1 on bars that rose.  Bar 1 rose, so bar 3 is earned. */
static void the_return_two_bars_after_a_signal_is_earned(void)
{
    double close[] = {10, 11, 10, 20, 10, 10}, scratch[18], out[1];
    int32_t fast = 1, slow = 2;
    CHECK(tidemill_kernel_sma_cross(close, 6, &fast, 1, &slow, 1, scratch, out) == 0);
    CHECK(out[0] == 1 * (1 + (20 / 10.0 - 1)) * (1 + (10 / 10.0 - 1)) - 1);
}

static void pairs_out_of_order_are_nan_and_undefined_averages_earn_0(void)
{
    double close[] = {1, 2, 3, 4, 5}, scratch[5 * 5], out[4], nan = NAN;
    int32_t fasts[] = {2, 3}, slows[] = {2, 9};
    CHECK(tidemill_kernel_sma_cross(close, 5, fasts, 2, slows, 2, scratch, out) == 0);
    CHECK(same_bits(&out[0], &nan, 1) && same_bits(&out[2], &nan, 1));
    CHECK(out[1] == 0 && out[3] == 0);
}

static void a_missing_close_spoils_only_pairs_that_earn_it(void)
{
    static double close[200];
    int32_t fasts[] = {2, 3, 5}, slows[] = {7, 11, 60};
    fill_prices(close, 200);
    for (int t = 0; t < 100; t++) close[t] = 50 - 0.1 * t; /* falls: nobody is invested */
    close[60] = NAN;
    check_sweep(close, 200, fasts, 3, slows, 3);
    double scratch[7 * 200], out[9];
    tidemill_kernel_sma_cross(close, 200, fasts, 3, slows, 3, scratch, out);
    for (int i = 0; i < 9; i++) CHECK(!isnan(out[i]));
}

/* A price that stands still gives averages that are equal to the bit, hence no signal. */
static void a_flat_price_gives_no_signal(void)
{
    static double close[120];
    int32_t fasts[] = {2, 3, 5, 7, 11}, slows[] = {13, 17, 19, 21, 33};
    for (int t = 0; t < 119; t++) close[t] = 0.1;
    close[119] = 0.2; /* would be earned */
    double scratch[11 * 120], out[25];
    EACH_SET(set)
    {
        tidemill_kernel_sma_cross(close, 120, fasts, 5, slows, 5, scratch, out);
        for (int i = 0; i < 25; i++) CHECK(out[i] == 0);
    }
}

static void windows_below_1_are_refused(void)
{
    double close[] = {1, 2, 3}, scratch[9], out[1] = {42};
    int32_t zero = 0, two = 2;
    CHECK(tidemill_kernel_sma_cross(close, 3, &zero, 1, &two, 1, scratch, out) == -1);
    CHECK(tidemill_kernel_sma_cross(close, 3, &two, 1, &zero, 1, scratch, out) == -1);
    CHECK(out[0] == 42);
}

int main(void)
{
    random_state = check_seed();
    RUN(every_pair_has_the_bits_of_that_pair_alone);
    RUN(a_grid_of_usual_size_is_right);
    RUN(the_return_two_bars_after_a_signal_is_earned);
    RUN(pairs_out_of_order_are_nan_and_undefined_averages_earn_0);
    RUN(a_missing_close_spoils_only_pairs_that_earn_it);
    RUN(a_flat_price_gives_no_signal);
    RUN(windows_below_1_are_refused);
    return check_end();
}
