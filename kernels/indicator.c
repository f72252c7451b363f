/* indicator: returns and the recursive indicators, by TA-Lib's conventions.
 * Each walks its series once; what a NaN does is said in kernels.h.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/bodies.h"
#include "kernels/kernels.h"

void tidemill_kernel_returns(const double *x, int64_t n, double *out)
{
    mill_fill_nan(out, 0, mill_least(n, 1));
    for (int64_t t = 1; t < n; t++) out[t] = mill_one_nan(x[t] / x[t - 1] - 1);
}

/* The first place that is not NaN, n when there is none. */
static int64_t indicator_start(const double *x, int64_t n)
{
    int64_t i = 0;
    while (i < n && isnan(x[i])) i++;
    return i;
}

static double indicator_sum(const double *x, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += x[i];
    return sum;
}

/* An EMA whose first value stands at bar `seed` and is the mean of the `window` values that
 * end there.  Before that out is NaN. */
static void indicator_ema(const double *x, int64_t n, int64_t window, int64_t seed, double *out)
{
    mill_fill_nan(out, 0, mill_least(n, seed));
    if (seed >= n) return;
    double alpha = 2 / (double)(window + 1);
    double value = indicator_sum(x + seed - window + 1, window) / (double)window;
    out[seed] = mill_one_nan(value);
    for (int64_t t = seed + 1; t < n; t++) {
        value = (x[t] - value) * alpha + value;
        out[t] = mill_one_nan(value);
    }
}

int64_t tidemill_kernel_ema(const double *x, int64_t n, int64_t window, double *out)
{
    if (window < 1) return -1;
    int64_t start = indicator_start(x, n);
    /* window - 1 may be near 2^63: no sum with it before it is known to be below n. */
    int64_t seed = window - 1 < n - start ? start + window - 1 : n;
    indicator_ema(x, n, window, seed, out);
    return 0;
}

/* Wilder's mean of a gain or a loss: one step. */
static double indicator_wilder(double mean, double value, double window)
{
    return (mean * (window - 1) + value) / window;
}

static double indicator_strength(double gain, double loss)
{
    double both = gain + loss;
    return both == 0 ? 0 : mill_one_nan(100 * (gain / both));
}

int64_t tidemill_kernel_rsi(const double *x, int64_t n, int64_t window, double *out)
{
    if (window < 1) return -1;
    int64_t start = indicator_start(x, n);
    int64_t seed = window < n - start ? start + window : n;
    double gain = 0, loss = 0, size = (double)window;
    mill_fill_nan(out, 0, seed);
    if (seed == n) return 0;
    for (int64_t t = start + 1; t < n; t++) {
        double change = x[t] - x[t - 1];
        double up = change < 0 ? 0 : change, down = change < 0 ? -change : 0;
        if (t <= seed) {
            gain += up;
            loss += down;
            if (t < seed) continue;
            gain /= size;
            loss /= size;
        } else {
            gain = indicator_wilder(gain, up, size);
            loss = indicator_wilder(loss, down, size);
        }
        out[t] = indicator_strength(gain, loss);
    }
    return 0;
}

/* out_hist serves as the fast EMA until the last loop. */
int64_t tidemill_kernel_macd(const double *x, int64_t n, int64_t fast, int64_t slow,
                             int64_t signal, double *out_macd, double *out_signal,
                             double *out_hist)
{
    if (fast < 1 || slow < fast || signal < 1) return -1;
    int64_t start = indicator_start(x, n);
    int64_t begin = slow - 1 < n - start ? start + slow - 1 : n;
    int64_t seed = signal - 1 < n - begin ? begin + signal - 1 : n;
    indicator_ema(x, n, slow, begin, out_macd);
    indicator_ema(x, n, fast, begin, out_hist);
    for (int64_t t = begin; t < n; t++) out_macd[t] = mill_one_nan(out_hist[t] - out_macd[t]);
    indicator_ema(out_macd, n, signal, seed, out_signal);
    for (int64_t t = seed; t < n; t++) out_hist[t] = mill_one_nan(out_macd[t] - out_signal[t]);
    mill_fill_nan(out_hist, 0, seed);
    mill_fill_nan(out_macd, 0, seed);
    return 0;
}

/* The larger of two, NaN when either is. */
static double indicator_larger(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

static double indicator_true_range(double high, double low, double before)
{
    double range = indicator_larger(fabs(high - before), fabs(low - before));
    return indicator_larger(range, high - low);
}

int64_t tidemill_kernel_atr(const double *high, const double *low, const double *close,
                            int64_t n, int64_t window, double *out)
{
    if (window < 1) return -1;
    int64_t start = 0;
    while (start < n && (isnan(high[start]) || isnan(low[start]) || isnan(close[start])))
        start++;
    int64_t seed = window < n - start ? start + window : n;
    double mean = 0, size = (double)window;
    mill_fill_nan(out, 0, seed);
    if (seed == n) return 0;
    for (int64_t t = start + 1; t < n; t++) {
        double range = indicator_true_range(high[t], low[t], close[t - 1]);
        if (t <= seed) {
            mean += range;
            if (t < seed) continue;
            mean /= size;
        } else {
            mean = indicator_wilder(mean, range, size);
        }
        out[t] = mill_one_nan(mean);
    }
    return 0;
}
