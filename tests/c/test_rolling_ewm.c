/* test_rolling_ewm: decaying means and variances against their weights written out, in long
 * double.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/rolling.h"

typedef int64_t ewm_kernel(const double *x, int64_t n, int64_t inner, double alpha,
                           int64_t adjust, int64_t min_count, double *scratch, double *out);
static ewm_kernel *const kernels[] = {tidemill_kernel_ewm_mean, tidemill_kernel_ewm_var,
                                      tidemill_kernel_ewm_std};
enum { MEAN, VAR, STD, KERNELS };

static double *ewm_results(int kernel, const double *x, int64_t n, int64_t inner, double alpha,
                           int64_t adjust, int64_t min_count)
{
    double *scratch = exact_doubles(5 * inner), *out = exact_doubles(n * inner);
    CHECK(kernels[kernel](x, n, inner, alpha, adjust, min_count, scratch, out) == 0);
    free(scratch);
    return out;
}

/* Weights of rows 0 to t, relative to the newest.  With `adjust`: (1 - alpha)^age.  Without,
 * each new value takes alpha of what the aged others, whose sum was 1, then have. */
static void fill_weights(const double *x, int64_t stride, int64_t t, double alpha, int adjust,
                         long double *weight)
{
    long double sum = 0;
    for (int64_t i = 0; i <= t; i++) {
        for (int64_t k = 0; k < i; k++) weight[k] *= 1 - (long double)alpha;
        sum *= 1 - (long double)alpha;
        int there = isfinite(x[i * stride]);
        weight[i] = !there ? 0 : adjust || sum == 0 ? 1 : alpha;
        sum += weight[i];
        if (!there || adjust) continue;
        for (int64_t k = 0; k <= i; k++) weight[k] /= sum;
        sum = 1;
    }
}

/* Of differences from the first value that is there, or an offset would cost digits. */
static long double oracle(int kernel, const double *x, int64_t stride, int64_t t, double alpha,
                          int adjust, int64_t min_count)
{
    long double weight[300], sum = 0, squares = 0, mean = 0, var = 0, first = 0;
    int64_t count = 0;
    fill_weights(x, stride, t, alpha, adjust, weight);
    for (int64_t i = 0; i <= t; i++) {
        if (!isfinite(x[i * stride])) continue;
        if (count++ == 0) first = x[i * stride];
        sum += weight[i], squares += weight[i] * weight[i];
        mean += weight[i] * (x[i * stride] - first);
    }
    if (count < min_count) return NAN;
    mean /= sum;
    if (kernel == MEAN) return first + mean;
    for (int64_t i = 0; i <= t; i++) {
        long double off = x[i * stride] - first - mean;
        if (isfinite(x[i * stride])) var += weight[i] * off * off;
    }
    if (count == 1) return NAN;
    var = var / sum * (sum * sum / (sum * sum - squares));
    return kernel == VAR ? var : sqrtl(var);
}

/* The mean is rounded as the values are, and a deviation is one from the mean. */
static int is_near_ewm(int kernel, double got, long double right, double value)
{
    if (isnan(right)) return isnan(got);
    long double rounding = isfinite(value) ? 2e-15 * fabs(value) : 1e-12;
    if (kernel == VAR) rounding *= 2 * sqrtl(right) + rounding;
    return fabsl(got - right) <= 1e-12 * fabsl(right) + rounding;
}

static void check_ewm(const double *x, int64_t n, int64_t inner, double alpha, int adjust,
                      int64_t min_count)
{
    for (int kernel = MEAN; kernel < KERNELS; kernel++) {
        double *out = ewm_results(kernel, x, n, inner, alpha, adjust, min_count);
        for (int64_t i = 0; i < n * inner; i++) {
            int64_t t = i / inner;
            long double right =
                oracle(kernel, x + i % inner, inner, t, alpha, adjust, min_count);
            CHECK_SAYING(is_near_ewm(kernel, out[i], right, x[i]),
                         "kernel %d n %d inner %d alpha %g adjust %d at %d: %.17g, not %.17Lg",
                         kernel, (int)n, (int)inner, alpha, adjust, (int)i, out[i], right);
        }
        free(out);
    }
}

static void results_match_weights_written_out(void)
{
    static const double alphas[] = {0.01, 2.0 / 21, 0.5, 0.97};
    for (int64_t n = 0; n <= 140; n += 1 + n / 4) {
        for (int64_t inner = 1; inner <= 4; inner += 3) {
            double *x = exact_doubles(n * inner);
            fill_prices(x, n * inner);
            for (int a = 0; a < 4; a++)
                for (int adjust = 0; adjust < 2; adjust++)
                    check_ewm(x, n, inner, alphas[a], adjust, 1 + n % 3);
            free(x);
        }
    }
}

static void missing_values_age_the_others_and_repeat_the_result(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int round = 0; round < 60; round++) {
        int64_t n = 2 + random_below(100);
        double *x = exact_doubles(n), alpha = 0.02 + 0.9 * random_unit();
        fill_prices(x, n);
        for (int64_t i = 0; i < n; i++)
            if (random_below(5) == 0) x[i] = bad[random_below(3)];
        for (int adjust = 0; adjust < 2; adjust++) {
            check_ewm(x, n, 1, alpha, adjust, 1 + random_below(4));
            double *mean = ewm_results(MEAN, x, n, 1, alpha, adjust, 1);
            for (int64_t t = 1; t < n; t++)
                if (!isfinite(x[t])) CHECK(same_bits(&mean[t], &mean[t - 1], 1));
            free(mean);
        }
        free(x);
    }
}

static void equal_values_have_their_own_mean_and_no_variance(void)
{
    static const double values[] = {0.1, 1.0 / 3, 2820376000.0, -7e-9, 1e300, 0};
    for (int v = 0; v < 6; v++) {
        double x[100];
        for (int t = 0; t < 100; t++) x[t] = values[v];
        for (int adjust = 0; adjust < 2; adjust++) {
            double *mean = ewm_results(MEAN, x, 100, 1, 0.1, adjust, 1);
            double *var = ewm_results(VAR, x, 100, 1, 0.1, adjust, 1);
            CHECK(isnan(var[0]));
            for (int t = 0; t < 100; t++)
                CHECK(mean[t] == values[v] && (t == 0 || var[t] == 0));
            free(mean);
            free(var);
        }
    }
}

static void a_prefix_of_the_rows_gives_the_prefix_of_the_results(void)
{
    double x[300];
    fill_prices(x, 300);
    for (int kernel = MEAN; kernel < KERNELS; kernel++) {
        double *whole = ewm_results(kernel, x, 300, 1, 0.05, 1, 1);
        for (int64_t n = 0; n < 300; n += 41) {
            double *part = ewm_results(kernel, x, n, 1, 0.05, 1, 1);
            CHECK(same_bits(whole, part, n));
            free(part);
        }
        free(whole);
    }
}

static void all_weight_on_the_newest_gives_it_back(void)
{
    double x[20];
    fill_prices(x, 20);
    for (int adjust = 0; adjust < 2; adjust++) {
        double *mean = ewm_results(MEAN, x, 20, 1, 1, adjust, 1);
        double *var = ewm_results(VAR, x, 20, 1, 1, adjust, 1);
        for (int t = 0; t < 20; t++) CHECK(fabs(mean[t] - x[t]) < 1e-12 && isnan(var[t]));
        free(mean);
        free(var);
    }
}

static void wrong_arguments_are_refused_and_nothing_is_written(void)
{
    static const double alphas[] = {0, -0.1, 1.0000001, NAN, INFINITY};
    double x[3] = {1, 2, 3}, scratch[5], out[3] = {42, 42, 42};
    for (int kernel = MEAN; kernel < KERNELS; kernel++) {
        for (int i = 0; i < 5; i++)
            CHECK(kernels[kernel](x, 3, 1, alphas[i], 1, 1, scratch, out) == -1);
        CHECK(kernels[kernel](x, -1, 1, 0.5, 1, 1, scratch, out) == -1);
        CHECK(kernels[kernel](x, 3, -1, 0.5, 1, 1, scratch, out) == -1);
        CHECK(kernels[kernel](x, 3, 1, 0.5, 1, 0, scratch, out) == -1);
    }
    for (int t = 0; t < 3; t++) CHECK(out[t] == 42);
}

int main(void)
{
    random_state = check_seed();
    RUN(results_match_weights_written_out);
    RUN(missing_values_age_the_others_and_repeat_the_result);
    RUN(equal_values_have_their_own_mean_and_no_variance);
    RUN(a_prefix_of_the_rows_gives_the_prefix_of_the_results);
    RUN(all_weight_on_the_newest_gives_it_back);
    RUN(wrong_arguments_are_refused_and_nothing_is_written);
    return check_end();
}
