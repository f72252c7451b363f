/* sweep: every pair of a parameter grid over one series in one call.
 * Each pair multiplies in bar order, so a sweep gives the bits of one pair alone.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"
#include "kernels/kernels.h"

enum { CROSS_DELAY = 2 }; /* bars from a signal to the return it earns */

void mill_cross_products_plain(const double *factor, const double *fast, int64_t nf,
                               const double *slow, int64_t ns, int64_t n, double *out)
{
    for (int64_t f = 0; f < nf; f++) {
        for (int64_t s = 0; s < ns; s++) {
            const double *quick = fast + f * n, *calm = slow + s * n;
            double product = 1;
            for (int64_t t = CROSS_DELAY; t < n; t++)
                if (quick[t - CROSS_DELAY] > calm[t - CROSS_DELAY]) product *= factor[t];
            out[f * ns + s] = product;
        }
    }
}

/* Rows of means, one a window; 0, or -1 at a window below 1. */
static int64_t cross_means(const double *close, int64_t n, const int32_t *windows,
                           int64_t count, double *rows)
{
    for (int64_t i = 0; i < count; i++)
        if (windows[i] < 1) return -1;
    for (int64_t i = 0; i < count; i++) mill_rolling_means(close, n, windows[i], rows + i * n);
    return 0;
}

int64_t tidemill_kernel_sma_cross_scratch(int64_t n, int64_t nf, int64_t ns)
{
    return (nf + ns + 1) * n;
}

int64_t tidemill_kernel_sma_cross(const double *close, int64_t n, const int32_t *fasts,
                                  int64_t nf, const int32_t *slows, int64_t ns, double *scratch,
                                  double *out)
{
    double *factor = scratch, *fast = factor + n, *slow = fast + nf * n;
    if (cross_means(close, n, fasts, nf, fast) < 0) return -1;
    if (cross_means(close, n, slows, ns, slow) < 0) return -1;
    for (int64_t t = 1; t < n; t++) factor[t] = 1 + (close[t] / close[t - 1] - 1);
    mill_kernel_bodies()->cross_products(factor, fast, nf, slow, ns, n, out);
    for (int64_t f = 0; f < nf; f++) {
        for (int64_t s = 0; s < ns; s++) {
            double *total = &out[f * ns + s];
            *total = fasts[f] < slows[s] ? mill_one_nan(*total - 1) : __builtin_nan("");
        }
    }
    return 0;
}
