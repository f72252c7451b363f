/* test_indicator: returns, EMA, RSI, MACD and ATR against their definitions in long double.
 * Every indicator, the rolling ones too, must be causal.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"

enum { LONGEST = 300 };

/* ---- oracles: the definitions, each value computed from the start ----------------------- */

/* The EMA at bar t whose first value is the mean of the `window` bars that end at `seed`. */
static long double oracle_ema(const long double *x, int t, int window, int seed)
{
    if (t < seed) return NAN;
    long double value = 0, alpha = 2 / (window + 1.0L);
    for (int i = seed - window + 1; i <= seed; i++) value += x[i] / window;
    for (int i = seed + 1; i <= t; i++) value = alpha * x[i] + (1 - alpha) * value;
    return value;
}

static void widen(const double *x, int n, long double *wide)
{
    for (int i = 0; i < n; i++) wide[i] = x[i];
}

/* Wilder's mean at bar t of values that start at bar 1. */
static long double oracle_wilder(const long double *values, int t, int window)
{
    if (t < window) return NAN;
    long double mean = 0;
    for (int i = 1; i <= window; i++) mean += values[i] / window;
    for (int i = window + 1; i <= t; i++) mean += (values[i] - mean) / window;
    return mean;
}

static long double oracle_rsi(const double *x, int t, int window)
{
    long double up[LONGEST] = {0}, down[LONGEST] = {0};
    for (int i = 1; i <= t; i++) {
        up[i] = x[i] > x[i - 1] ? (long double)x[i] - x[i - 1] : 0;
        down[i] = x[i] < x[i - 1] ? (long double)x[i - 1] - x[i] : 0;
    }
    long double gain = oracle_wilder(up, t, window), loss = oracle_wilder(down, t, window);
    return gain + loss == 0 ? 0 : 100 * gain / (gain + loss);
}

static long double oracle_atr(const double *high, const double *low, const double *close, int t,
                              int window)
{
    long double range[LONGEST] = {0};
    for (int i = 1; i <= t; i++) {
        long double top = fmaxl(high[i], close[i - 1]), bottom = fminl(low[i], close[i - 1]);
        range[i] = top - bottom;
    }
    return oracle_wilder(range, t, window);
}

/* ---- agreement -------------------------------------------------------------------------- */

static void returns_are_simple_and_start_undefined(void)
{
    double x[] = {100, 110, 99, NAN, 50, 0, 1}, out[7];
    tidemill_kernel_returns(x, 7, out);
    CHECK(isnan(out[0]) && isnan(out[3]) && isnan(out[4]));
    CHECK(is_near(out[1], 0.1L, 1e-14) && is_near(out[2], -0.1L, 1e-14));
    CHECK(out[5] == -1 && isinf(out[6]));
    tidemill_kernel_returns(x, 0, out);
}

static void ema_matches_its_definition_at_every_length(void)
{
    for (int n = 0; n <= 257; n++) {
        int window = 1 + (int)random_below(40);
        double *x = exact_doubles(n), *out = exact_doubles(n);
        long double wide[LONGEST];
        fill_prices(x, n);
        widen(x, n, wide);
        CHECK(tidemill_kernel_ema(x, n, window, out) == 0);
        for (int t = 0; t < n; t += 1 + t / 8)
            CHECK(is_near(out[t], oracle_ema(wide, t, window, window - 1), 1e-13));
        free(x);
        free(out);
    }
}

static void rsi_matches_its_definition_at_every_length(void)
{
    for (int n = 0; n <= 257; n++) {
        int window = 1 + (int)random_below(30);
        double *x = exact_doubles(n), *out = exact_doubles(n);
        fill_prices(x, n);
        CHECK(tidemill_kernel_rsi(x, n, window, out) == 0);
        for (int t = 0; t < n; t += 1 + t / 8)
            CHECK(t < window ? isnan(out[t])
                             : is_near(out[t], oracle_rsi(x, t, window), 1e-11));
        free(x);
        free(out);
    }
}

static void atr_matches_its_definition_at_every_length(void)
{
    for (int n = 0; n <= 257; n++) {
        int window = 1 + (int)random_below(30);
        double *close = exact_doubles(n), *high = exact_doubles(n), *low = exact_doubles(n);
        double *out = exact_doubles(n);
        fill_prices(close, n);
        for (int i = 0; i < n; i++) {
            high[i] = close[i] + 3 * random_unit();
            low[i] = close[i] - 3 * random_unit();
        }
        CHECK(tidemill_kernel_atr(high, low, close, n, window, out) == 0);
        for (int t = 0; t < n; t += 1 + t / 8)
            CHECK(is_near(out[t], oracle_atr(high, low, close, t, window), 1e-13));
        free(close);
        free(high);
        free(low);
        free(out);
    }
}

static void macd_starts_both_averages_at_the_slow_ones_first_bar(void)
{
    for (int n = 0; n <= 257; n++) {
        int fast = 1 + (int)random_below(15), slow = fast + (int)random_below(20);
        int signal = 1 + (int)random_below(12), first = slow - 1, seed = slow + signal - 2;
        double *x = exact_doubles(n), *macd = exact_doubles(n), *line = exact_doubles(n);
        double *hist = exact_doubles(n);
        long double wide[LONGEST], difference[LONGEST];
        fill_prices(x, n);
        widen(x, n, wide);
        CHECK(tidemill_kernel_macd(x, n, fast, slow, signal, macd, line, hist) == 0);
        for (int t = 0; t < n; t++)
            difference[t] = oracle_ema(wide, t, fast, first) - oracle_ema(wide, t, slow, first);
        for (int t = 0; t < n; t += 1 + t / 8) {
            long double expected = oracle_ema(difference, t, signal, seed);
            if (t < seed) {
                CHECK(isnan(macd[t]) && isnan(line[t]) && isnan(hist[t]));
                continue;
            }
            CHECK(fabsl(macd[t] - difference[t]) < 1e-12 * fabsl(wide[t]));
            CHECK(fabsl(line[t] - expected) < 1e-12 * fabsl(wide[t]));
            CHECK(hist[t] == macd[t] - line[t]);
        }
        free(x);
        free(macd);
        free(line);
        free(hist);
    }
}

/* By hand: EMA(3) of 2 4 6 8 has seed 4, then (8 - 4) / 2 + 4. */
static void small_series_give_the_values_worked_out_by_hand(void)
{
    double x[] = {2, 4, 6, 8}, up[] = {1, 2, 3}, down[] = {3, 2, 1}, mixed[] = {10, 11, 10, 12};
    double out[4], high[] = {10, 12, 11}, low[] = {9, 10, 8}, close[] = {9.5, 11, 10};
    tidemill_kernel_ema(x, 4, 3, out);
    CHECK(isnan(out[1]) && out[2] == 4 && out[3] == 6);
    tidemill_kernel_rsi(up, 3, 2, out);
    CHECK(isnan(out[1]) && out[2] == 100);
    tidemill_kernel_rsi(down, 3, 2, out);
    CHECK(out[2] == 0);
    tidemill_kernel_rsi(mixed, 4, 2, out); /* gains 1 0 2, losses 0 1 0 */
    CHECK(out[2] == 50 && is_near(out[3], 100 * 1.25L / 1.5L, 1e-15));
    tidemill_kernel_atr(high, low, close, 3, 2, out); /* ranges 2.5 and 3 */
    CHECK(isnan(out[1]) && out[2] == 2.75);
}

/* ---- NaN, flat, refused ------------------------------------------------------------------ */

static void a_flat_series_has_strength_0(void)
{
    double x[] = {0.1, 0.1, 0.1, 0.1, 0.2}, out[5];
    tidemill_kernel_rsi(x, 5, 2, out);
    CHECK(isnan(out[1]) && out[2] == 0 && out[3] == 0 && out[4] == 100);
}

/* Runs every recursive indicator over one series; high, low and close are that series. */
static void run_recursive(const double *x, int64_t n, double out[6][LONGEST])
{
    tidemill_kernel_ema(x, n, 5, out[0]);
    tidemill_kernel_rsi(x, n, 5, out[1]);
    tidemill_kernel_atr(x, x, x, n, 5, out[2]);
    tidemill_kernel_macd(x, n, 3, 6, 4, out[3], out[4], out[5]);
}

static void leading_nans_are_skipped(void)
{
    static double x[LONGEST], whole[6][LONGEST], late[6][LONGEST];
    for (int i = 0; i < 7; i++) x[i] = NAN;
    fill_prices(x + 7, 93);
    run_recursive(x + 7, 93, whole);
    run_recursive(x, 100, late);
    for (int i = 0; i < 6; i++) {
        CHECK(isnan(late[i][0]) && isnan(late[i][6]) && !isnan(late[i][99]));
        CHECK(same_bits(whole[i], late[i] + 7, 93));
    }
}

static void a_later_nan_makes_all_that_follows_nan(void)
{
    static double x[LONGEST], out[6][LONGEST];
    fill_prices(x, 100);
    x[50] = NAN;
    run_recursive(x, 100, out);
    for (int i = 0; i < 6; i++)
        for (int t = 50; t < 100; t++) CHECK(isnan(out[i][t]) && !isnan(out[i][49]));
}

static void a_missing_close_is_not_mistaken_for_a_small_range(void)
{
    double high[] = {2, 2, 2}, low[] = {1, 1, 1}, close[] = {1.5, NAN, 1.5}, out[3];
    tidemill_kernel_atr(high, low, close, 3, 1, out);
    CHECK(out[1] == 1 && isnan(out[2]));
}

static void wrong_arguments_are_refused(void)
{
    double x[3] = {1, 2, 3}, out[3];
    CHECK(tidemill_kernel_ema(x, 3, 0, out) == -1);
    CHECK(tidemill_kernel_rsi(x, 3, -1, out) == -1);
    CHECK(tidemill_kernel_atr(x, x, x, 3, 0, out) == -1);
    CHECK(tidemill_kernel_macd(x, 3, 3, 2, 1, out, out, out) == -1);
    CHECK(tidemill_kernel_macd(x, 3, 1, 2, 0, out, out, out) == -1);
}

static void windows_longer_than_the_series_give_nan(void)
{
    static double x[LONGEST], out[6][LONGEST];
    fill_prices(x, 3);
    run_recursive(x, 3, out);
    for (int i = 0; i < 6; i++) CHECK(isnan(out[i][0]) && isnan(out[i][2]));
    CHECK(tidemill_kernel_ema(x, 3, INT64_MAX, out[0]) == 0 && isnan(out[0][2]));
    CHECK(tidemill_kernel_rsi(x, 3, INT64_MAX, out[0]) == 0 && isnan(out[0][2]));
    CHECK(tidemill_kernel_atr(x, x, x, 3, INT64_MAX, out[0]) == 0 && isnan(out[0][2]));
    CHECK(tidemill_kernel_macd(x, 3, 1, INT64_MAX, INT64_MAX, out[0], out[1], out[2]) == 0);
    CHECK(isnan(out[0][2]) && isnan(out[1][2]) && isnan(out[2][2]));
}

/* ---- causality ----------------------------------------------------------------------------- */

enum { OUTPUTS = 12 };

static void run_all(const double *x, int64_t n, double *scratch, double **out)
{
    tidemill_kernel_returns(x, n, out[0]);
    tidemill_kernel_sma(x, n, 7, out[1]);
    tidemill_kernel_ema(x, n, 7, out[2]);
    tidemill_kernel_rsi(x, n, 7, out[3]);
    tidemill_kernel_macd(x, n, 5, 9, 4, out[4], out[5], out[6]);
    tidemill_kernel_bbands(x, n, 12, 2, out[7], out[8], out[9]);
    tidemill_kernel_atr(x, x, x, n, 7, out[10]);
    tidemill_kernel_stddev(x, n, 11, 1, scratch, out[11]);
}

static void a_prefix_of_the_input_gives_the_prefix_of_every_output(void)
{
    EACH_SET(set)
    {
        static double x[LONGEST], scratch[LONGEST], whole[OUTPUTS][LONGEST];
        double *out[OUTPUTS];
        fill_prices(x, LONGEST);
        x[random_below(LONGEST)] = NAN;
        for (int i = 0; i < OUTPUTS; i++) out[i] = whole[i];
        run_all(x, LONGEST, scratch, out);
        for (int64_t n = 0; n <= LONGEST; n += 1 + random_below(6)) {
            double *prefix = exact_copy(x, (size_t)n * sizeof *x);
            double *short_scratch = exact_doubles(n);
            for (int i = 0; i < OUTPUTS; i++) out[i] = exact_doubles(n);
            run_all(prefix, n, short_scratch, out);
            for (int i = 0; i < OUTPUTS; i++) {
                CHECK_SAYING(same_bits(out[i], whole[i], n), "%s: output %d of the first %d",
                             kernel_sets[set], i, (int)n);
                free(out[i]);
            }
            free(short_scratch);
            free(prefix);
        }
    }
}

int main(void)
{
    random_state = check_seed();
    RUN(returns_are_simple_and_start_undefined);
    RUN(ema_matches_its_definition_at_every_length);
    RUN(rsi_matches_its_definition_at_every_length);
    RUN(atr_matches_its_definition_at_every_length);
    RUN(macd_starts_both_averages_at_the_slow_ones_first_bar);
    RUN(small_series_give_the_values_worked_out_by_hand);
    RUN(a_flat_series_has_strength_0);
    RUN(leading_nans_are_skipped);
    RUN(a_later_nan_makes_all_that_follows_nan);
    RUN(a_missing_close_is_not_mistaken_for_a_small_range);
    RUN(wrong_arguments_are_refused);
    RUN(windows_longer_than_the_series_give_nan);
    RUN(a_prefix_of_the_input_gives_the_prefix_of_every_output);
    return check_end();
}
