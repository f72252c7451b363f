/* rolling_check: the kernels of sliding windows under one call, and what each must give by two
 * passes in long double.
 * SPDX-License-Identifier: MIT */
#ifndef ROLLING_CHECK_H
#define ROLLING_CHECK_H

#include "kernel_check.h"
#include "kernels/rolling.h"

enum window_kernel {
    SUM,
    MEAN,
    VAR,
    STD,
    ZSCORE,
    LEAST,
    GREATEST,
    COV,
    CORR,
    QUANTILE,
    KERNELS
};
static const char *const window_names[] = {"sum", "mean", "var", "std",  "zscore",
                                           "min", "max",  "cov", "corr", "quantile"};

/* What a window is asked for, and of what. */
struct window_case {
    const double *x, *y;
    int64_t n, inner, window, ddof, min_count;
    double q;
};

static inline int64_t run_window(enum window_kernel kernel, const struct window_case *w,
                                 double *scratch, double *out)
{
    const double *x = w->x, *y = w->y;
    int64_t n = w->n, inner = w->inner, window = w->window, ddof = w->ddof;
    int64_t least = w->min_count;
    switch (kernel) {
    case SUM:
        return tidemill_kernel_rolling_sum(x, n, inner, window, least, scratch, out);
    case MEAN:
        return tidemill_kernel_rolling_mean(x, n, inner, window, least, scratch, out);
    case VAR:
        return tidemill_kernel_rolling_var(x, n, inner, window, ddof, least, scratch, out);
    case STD:
        return tidemill_kernel_rolling_std(x, n, inner, window, ddof, least, scratch, out);
    case ZSCORE:
        return tidemill_kernel_rolling_zscore(x, n, inner, window, ddof, least, scratch, out);
    case LEAST:
        return tidemill_kernel_rolling_min(x, n, inner, window, least, scratch, out);
    case GREATEST:
        return tidemill_kernel_rolling_max(x, n, inner, window, least, scratch, out);
    case COV:
        return tidemill_kernel_rolling_cov(x, y, n, inner, window, ddof, least, scratch, out);
    case CORR:
        return tidemill_kernel_rolling_corr(x, y, n, inner, window, least, scratch, out);
    default:
        return tidemill_kernel_rolling_quantile(x, n, inner, window, w->q, least, scratch, out);
    }
}

/* The results in a new buffer of the exact size, as is the scratch. */
static inline double *window_results(enum window_kernel kernel, const struct window_case *w)
{
    double *out = exact_doubles(w->n * w->inner);
    double *scratch = exact_doubles(tidemill_kernel_rolling_scratch(w->n, w->inner, w->window));
    CHECK(run_window(kernel, w, scratch, out) == 0);
    free(scratch);
    return out;
}

/* ---- the oracle ------------------------------------------------------------------------ */

/* The values of one window that are there, and their moments. */
struct window_truth {
    int64_t count;
    double *x, *y;
    int newest; /* the newest value is there */
    long double sum, size, square_x, square_y, cross;
    long double mean_x, mean_y; /* less the first value, or an offset would cost digits */
};

static inline int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static inline struct window_truth window_truth(const struct window_case *w, int pair, int64_t t,
                                               int64_t column)
{
    struct window_truth truth = {.x = exact_doubles(w->window), .y = exact_doubles(w->window)};
    for (int64_t i = t < w->window ? 0 : t - w->window + 1; i <= t; i++) {
        double x = w->x[i * w->inner + column], y = pair ? w->y[i * w->inner + column] : 0;
        truth.newest = isfinite(x) && isfinite(y);
        if (truth.newest) truth.x[truth.count] = x, truth.y[truth.count++] = y;
    }
    long double first_x = truth.x[0], first_y = truth.y[0];
    for (int64_t i = 0; i < truth.count; i++) {
        truth.sum += truth.x[i];
        truth.size += fabs(truth.x[i]);
        truth.mean_x += (truth.x[i] - first_x) / truth.count;
        truth.mean_y += (truth.y[i] - first_y) / truth.count;
    }
    for (int64_t i = 0; i < truth.count; i++) {
        long double x = truth.x[i] - first_x - truth.mean_x;
        long double y = truth.y[i] - first_y - truth.mean_y;
        truth.square_x += x * x;
        truth.square_y += y * y;
        truth.cross += x * y;
    }
    return truth;
}

static inline long double true_quantile(struct window_truth *truth, double q)
{
    qsort(truth->x, (size_t)truth->count, sizeof(double), compare_doubles);
    double place = q * (double)(truth->count - 1);
    int64_t low = (int64_t)place, high = low + (low + 1 < truth->count);
    return truth->x[low] +
           ((long double)truth->x[high] - truth->x[low]) * (place - (double)low);
}

/* The result that is right, and in *scale what an error is a share of. */
static inline long double true_result(enum window_kernel kernel, const struct window_case *w,
                                      struct window_truth *truth, long double *scale)
{
    int flat_x = 1, flat_y = 1;
    for (int64_t i = 1; i < truth->count; i++) {
        flat_x &= truth->x[i] == truth->x[0];
        flat_y &= truth->y[i] == truth->y[0];
    }
    long double divisor = truth->count - w->ddof, newest = truth->x[truth->count - 1];
    long double var = flat_x ? 0 : truth->square_x / divisor, std = sqrtl(var);
    long double nan = NAN, result = 0;
    if (divisor <= 0) var = std = nan;
    *scale = truth->size / truth->count;
    switch (kernel) {
    case SUM:
        return *scale *= truth->count, truth->sum;
    case MEAN:
        return flat_x ? *scale = 0, truth->x[0] : truth->x[0] + truth->mean_x;
    case VAR:
        return *scale = var, var;
    case STD:
        return *scale = std, std;
    case ZSCORE:
        result = flat_x || !truth->newest ? nan : (newest - truth->x[0] - truth->mean_x) / std;
        return *scale = 1 + fabsl(result), result;
    case LEAST:
        return *scale = 0, true_quantile(truth, 0);
    case GREATEST:
        return *scale = 0, true_quantile(truth, 1);
    case COV:
        *scale = sqrtl(truth->square_x * truth->square_y) / divisor;
        return divisor <= 0 ? nan : flat_x || flat_y ? *scale = 0, 0 : truth->cross / divisor;
    case CORR:
        *scale = 1;
        return flat_x || flat_y ? nan : truth->cross / sqrtl(truth->square_x * truth->square_y);
    default:
        return true_quantile(truth, w->q);
    }
}

static inline void check_window(enum window_kernel kernel, const struct window_case *w,
                                int64_t t, int64_t column, double got, double share)
{
    struct window_truth truth = window_truth(w, kernel == COV || kernel == CORR, t, column);
    long double scale = 0, right = NAN;
    if (truth.count >= w->min_count) right = true_result(kernel, w, &truth, &scale);
    int near = isnan(right) ? isnan(got) : fabsl(got - right) <= share * scale;
    CHECK_SAYING(near,
                 "%s: n %d inner %d window %d ddof %d min %d, (%d, %d): %.17g, not %.17Lg",
                 window_names[kernel], (int)w->n, (int)w->inner, (int)w->window, (int)w->ddof,
                 (int)w->min_count, (int)t, (int)column, got, right);
    free(truth.x);
    free(truth.y);
}

/* Every `every`th row of one kernel against the oracle. */
static inline void check_windows(enum window_kernel kernel, const struct window_case *w,
                                 int64_t every, double share)
{
    double *out = window_results(kernel, w);
    for (int64_t t = 0; t < w->n; t += every)
        for (int64_t c = 0; c < w->inner; c++)
            check_window(kernel, w, t, c, out[t * w->inner + c], share);
    free(out);
}

#endif
