/* test_stat: sums in their stated order, moments, drawdown, and checks of bars.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"

/* ---- the order of additions, written as kernels.h says it --------------------------------- */

static double oracle_block(const double *x, int64_t count)
{
    double sum[16] = {0};
    for (int64_t i = 0; i < count; i++) sum[i % 16] += x[i];
    for (int half = 8; half; half /= 2)
        for (int l = 0; l < half; l++) sum[l] += sum[l + half];
    return sum[0];
}

/* Blocks joined pairwise: the largest power of two of blocks first, then the rest. */
static double oracle_sum(const double *x, int64_t n)
{
    int64_t half = 1024;
    if (n <= half) return oracle_block(x, n);
    while (2 * half < n) half *= 2;
    return oracle_sum(x, half) + oracle_sum(x + half, n - half);
}

static void check_sum(int64_t n)
{
    double *buffer = exact_doubles(n + 1), *x = buffer + 1;
    for (int64_t i = 0; i < n; i++) x[i] = (random_unit() - 0.5) * pow(10, random_below(12));
    double expected = n ? oracle_sum(x, n) : 0;
    EACH_SET(set)
    {
        double sum = tidemill_kernel_sum(x, n), mean = tidemill_kernel_mean(x, n);
        CHECK_SAYING(same_bits(&sum, &expected, 1), "%s n %d: %.17g, not %.17g",
                     kernel_sets[set], (int)n, sum, expected);
        CHECK(n ? mean == expected / (double)n : isnan(mean));
    }
    free(buffer);
}

static void sums_have_the_stated_order_with_every_instruction_set(void)
{
    for (int64_t n = 0; n <= 257; n++) check_sum(n);
    for (int64_t n = 1; n < 20000; n += 1 + random_below(700)) check_sum(n);
    for (int64_t blocks = 1; blocks <= 9; blocks++) {
        check_sum(1024 * blocks);
        check_sum(1024 * blocks + 1);
    }
}

static long double oracle_variance(const double *x, int64_t n, int64_t ddof)
{
    long double mean = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) mean += x[i];
    mean /= n;
    for (int64_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sum / (n - ddof);
}

static void variance_matches_a_two_pass_oracle_and_keeps_its_bits(void)
{
    for (int64_t n = 1; n < 5000; n += 1 + n / 64 + random_below(3)) {
        double *x = exact_doubles(n), plain = 0;
        int64_t ddof = random_below(n < 3 ? n : 3);
        for (int64_t i = 0; i < n; i++) x[i] = 1e9 + random_unit();
        EACH_SET(set)
        {
            double variance = tidemill_kernel_variance(x, n, ddof);
            CHECK(is_near(variance, oracle_variance(x, n, ddof), 1e-12));
            if (set == 0) plain = variance;
            CHECK(same_bits(&plain, &variance, 1));
        }
        free(x);
    }
}

static void equal_values_have_variance_exactly_0(void)
{
    double x[700];
    for (int i = 0; i < 700; i++) x[i] = 0.1;
    for (int n = 2; n <= 700; n++) CHECK(tidemill_kernel_variance(x, n, 1) == 0);
}

static void too_few_values_or_a_nan_give_nan(void)
{
    double x[] = {1, NAN, 3};
    CHECK(isnan(tidemill_kernel_variance(x, 1, 1)));
    CHECK(isnan(tidemill_kernel_variance(x, 0, 0)));
    CHECK(isnan(tidemill_kernel_variance(x, 3, 1)));
    CHECK(isnan(tidemill_kernel_sum(x, 3)) && isnan(tidemill_kernel_mean(x, 3)));
    CHECK(tidemill_kernel_sum(x, 0) == 0);
}

/* ---- drawdown and moves -------------------------------------------------------------------- */

static double oracle_drawdown(const double *close, int64_t n)
{
    double worst = 0;
    for (int64_t t = 0; t < n; t++)
        for (int64_t before = 0; before < t; before++)
            if (close[t] / close[before] - 1 < worst) worst = close[t] / close[before] - 1;
    return worst;
}

static void drawdown_is_the_worst_fall_from_any_earlier_close(void)
{
    for (int64_t n = 0; n <= 120; n++) {
        double *close = exact_doubles(n);
        fill_prices(close, n);
        if (n > 3) close[random_below(n)] = NAN;
        CHECK(tidemill_kernel_max_drawdown(close, n) == oracle_drawdown(close, n));
        free(close);
    }
    double rising[] = {1, 2, 2, 3};
    CHECK(tidemill_kernel_max_drawdown(rising, 4) == 0);
}

static void moves_beyond_the_limit_are_counted(void)
{
    double returns[] = {NAN, 0.05, -0.06, 0.4, -0.4, 0.05000001, INFINITY};
    CHECK(tidemill_kernel_count_moves(returns, 7, 0.05) == 5);
    CHECK(tidemill_kernel_count_moves(returns, 0, 0.05) == 0);
}

/* ---- bars ----------------------------------------------------------------------------------- */

static void bars_are_fine_missing_or_inconsistent(void)
{
    static const struct {
        double open, high, low, close, volume;
        uint8_t fault;
    } bars[] = {
        {10, 11, 9, 10.5, 100, TIDEMILL_BAR_FINE},
        {10, 10, 10, 10, 0, TIDEMILL_BAR_FINE},
        {10, 11, 9, 10.5, NAN, TIDEMILL_BAR_MISSING},
        {NAN, 11, 9, 10.5, 1, TIDEMILL_BAR_MISSING},
        {10, NAN, 9, 10.5, 1, TIDEMILL_BAR_MISSING},
        {10, 11, NAN, 10.5, 1, TIDEMILL_BAR_MISSING},
        {10, 11, 9, NAN, 1, TIDEMILL_BAR_MISSING},
        {-1, NAN, 20, 5, 1, TIDEMILL_BAR_MISSING},
        {8, 11, 9, 10, 1, TIDEMILL_BAR_INCONSISTENT},
        {12, 11, 9, 10, 1, TIDEMILL_BAR_INCONSISTENT},
        {10, 11, 9, 8, 1, TIDEMILL_BAR_INCONSISTENT},
        {10, 11, 9, 12, 1, TIDEMILL_BAR_INCONSISTENT},
        {10, 9, 11, 10, 1, TIDEMILL_BAR_INCONSISTENT},
        {10, 11, 0, 10, 1, TIDEMILL_BAR_INCONSISTENT},
        {-2, -1, -3, -2, 1, TIDEMILL_BAR_INCONSISTENT},
    };
    enum { BARS = sizeof bars / sizeof *bars };
    double columns[5][BARS];
    uint8_t fault[BARS];
    int64_t expected = 0;
    for (int i = 0; i < BARS; i++) {
        columns[0][i] = bars[i].open;
        columns[1][i] = bars[i].high;
        columns[2][i] = bars[i].low;
        columns[3][i] = bars[i].close;
        columns[4][i] = bars[i].volume;
        expected += bars[i].fault != TIDEMILL_BAR_FINE;
    }
    CHECK(tidemill_kernel_ohlcv_check(columns[0], columns[1], columns[2], columns[3],
                                      columns[4], BARS, fault) == expected);
    for (int i = 0; i < BARS; i++)
        CHECK_SAYING(fault[i] == bars[i].fault, "bar %d: %d", i, fault[i]);
}

int main(void)
{
    random_state = check_seed();
    RUN(sums_have_the_stated_order_with_every_instruction_set);
    RUN(variance_matches_a_two_pass_oracle_and_keeps_its_bits);
    RUN(equal_values_have_variance_exactly_0);
    RUN(too_few_values_or_a_nan_give_nan);
    RUN(drawdown_is_the_worst_fall_from_any_earlier_close);
    RUN(moves_beyond_the_limit_are_counted);
    RUN(bars_are_fine_missing_or_inconsistent);
    return check_end();
}
