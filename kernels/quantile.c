/* quantile: order statistics of a series, interpolated.
 * For a few quantiles of many values no copy is made: a sample says between which two values
 * an order statistic must lie, one pass over x keeps the few that do and counts those below.
 * The values found do not depend on how they were found.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/quantile_bodies.h"
#include "kernels/reduce_bodies.h"

enum {
    QUANTILE_SAMPLED = 1 << 15, /* values: fewer are copied and partitioned */
    QUANTILE_PASSES = 4,        /* so many quantiles are worth a pass each */
    QUANTILE_FAR = 4, /* a sample's rank is out by less than so many half roots of it */
};

/* What stands between two neighbouring order statistics. */
struct quantile_place {
    int64_t rank;
    double share; /* t */
};

static struct quantile_place quantile_place(double q, int64_t n)
{
    double virtual = q * (double)(n - 1), whole = floor(virtual);
    struct quantile_place place = {.rank = (int64_t)whole, .share = virtual - whole};
    if (place.rank >= n - 1) place = (struct quantile_place){.rank = n - 1, .share = 0};
    return place;
}

static double quantile_between(double a, double b, double t)
{
    double value = a, apart = b - a;
    if (t > 0 && a != b) {
        if (!isfinite(apart))
            value = a * (1 - t) + b * t;
        else
            value = t >= 0.5 ? b - apart * (1 - t) : a + apart * t;
    }
    return mill_one_nan(value + 0.0);
}

static double quantile_least(const double *x, int64_t n)
{
    double least = INFINITY;
    for (int64_t i = 0; i < n; i++) least = x[i] < least ? x[i] : least;
    return least;
}

/* Of x[0..n) without NaNs, in which order it may be: x is partitioned at the rank. */
static double quantile_of_numbers(double *x, int64_t n, struct quantile_place place)
{
    mill_partition(x, n, place.rank);
    if (place.share == 0) return quantile_between(x[place.rank], 0, 0);
    double next = quantile_least(x + place.rank + 1, n - place.rank - 1);
    return quantile_between(x[place.rank], next, place.share);
}

/* ---- many quantiles: one copy, parted again and again ------------------------------------ */

/* Quantiles are numbered from 1 and taken in the order of their trailing zeros, most first: of
 * an ascending list the middle one first, then those of the halves. */
static int quantile_is_done(int64_t other, int64_t step, int64_t current)
{
    int64_t own = other & -other;
    return own > step || (own == step && other < current);
}

/* The part of x around a rank in which ranks that are done have left it: [*low, *high). */
static void quantile_bounds(const double *q, int64_t nq, int64_t step, int64_t current,
                            int64_t n, int64_t rank, int64_t *low, int64_t *high)
{
    *low = 0;
    *high = n;
    for (int64_t other = 1; other <= nq; other++) {
        if (!quantile_is_done(other, step, current)) continue;
        int64_t done = quantile_place(q[other - 1], n).rank;
        if (done <= rank) *low = mill_most(*low, mill_least(done + 1, rank));
        if (done > rank) *high = mill_least(*high, done);
    }
}

static void quantile_many(double *x, int64_t n, const double *q, int64_t nq, double *out)
{
    int64_t step = 1;
    while (2 * step <= nq) step *= 2;
    for (; step > 0; step /= 2)
        for (int64_t current = step; current <= nq; current += 2 * step) {
            struct quantile_place place = quantile_place(q[current - 1], n);
            int64_t low, high;
            quantile_bounds(q, nq, step, current, n, place.rank, &low, &high);
            /* The order statistic that follows may be the one at `high`, which is done. */
            int64_t end = mill_least(high + 1, n);
            mill_partition(x + low, high - low, place.rank - low);
            double next =
                place.share > 0 ? quantile_least(x + place.rank + 1, end - place.rank - 1) : 0;
            out[current - 1] = quantile_between(x[place.rank], next, place.share);
        }
}

/* ---- a few quantiles: one pass each ------------------------------------------------------ */

/* Every stride-th value that is a number, to `sample`; n^(2/3) of them or up to twice as many. */
static int64_t quantile_sample(const double *x, int64_t n, double *sample)
{
    int64_t wanted = 1024, count = 0;
    while ((double)wanted * (double)wanted * (double)wanted < (double)n * (double)n)
        wanted *= 2;
    for (int64_t i = 0; i < n; i += n / wanted)
        if (x[i] == x[i]) sample[count++] = x[i];
    return count;
}

/* Two values between which, by the sample, the order statistics at a share of all stand. */
static void quantile_window(double *sample, int64_t count, double share, double *low,
                            double *high)
{
    double far = QUANTILE_FAR * sqrt((double)count) / 2, middle = share * (double)count;
    double first = floor(middle - far), last = ceil(middle + far) + 1;
    *low = -INFINITY;
    *high = INFINITY;
    if (last < (double)count) {
        mill_partition(sample, count, (int64_t)last);
        *high = sample[(int64_t)last];
        count = (int64_t)last;
    }
    if (first >= 0 && first < (double)count) {
        mill_partition(sample, count, (int64_t)first);
        *low = sample[(int64_t)first];
    }
}

/* Keeps the values in [low, high] and counts those below; how many are kept. */
static int64_t quantile_keep(const double *x, int64_t n, double low, double high, double *kept,
                             int64_t *below)
{
    int64_t count = 0, less = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = x[i];
        less += value < low;
        kept[count] = value;
        count += (value >= low) & (value <= high);
    }
    *below = less;
    return count;
}

/* 0 when the sample was misleading. */
static int quantile_by_pass(const double *x, int64_t n, int64_t numbers,
                            struct quantile_place place, double *scratch, double *out)
{
    double low, high;
    int64_t count = quantile_sample(x, n, scratch), below;
    if (count == 0) return 0;
    quantile_window(scratch, count, (double)place.rank / (double)numbers, &low, &high);
    int64_t kept = quantile_keep(x, n, low, high, scratch, &below);
    int64_t last = place.rank + (place.share > 0);
    if (place.rank < below || last >= below + kept) return 0;
    place.rank -= below;
    *out = quantile_of_numbers(scratch, kept, place);
    return 1;
}

static int quantile_few(const double *x, int64_t n, int64_t numbers, const double *q,
                        int64_t nq, double *scratch, double *out)
{
    for (int64_t i = 0; i < nq; i++)
        if (!quantile_by_pass(x, n, numbers, quantile_place(q[i], numbers), scratch, out + i))
            return 0;
    return 1;
}

/* ---- kernels ----------------------------------------------------------------------------- */

static int quantile_all_fit(const double *q, int64_t nq)
{
    for (int64_t i = 0; i < nq; i++)
        if (!(q[i] >= 0 && q[i] <= 1)) return 0;
    return 1;
}

static int64_t quantile_numbers(const double *x, int64_t n)
{
    const struct mill_reduce_bodies *bodies = mill_reduce_bodies();
    int64_t numbers = n;
    for (int64_t i = 0; i < n; i += MILL_SUM_BLOCK)
        numbers -= bodies->count_nan(x + i, mill_least(MILL_SUM_BLOCK, n - i));
    return numbers;
}

static void quantile_by_copy(const double *x, int64_t n, const double *q, int64_t nq,
                             double *scratch, double *out)
{
    int64_t numbers = 0;
    for (int64_t i = 0; i < n; i++) {
        scratch[numbers] = x[i];
        numbers += x[i] == x[i];
    }
    quantile_many(scratch, numbers, q, nq, out);
}

static void quantile_of(const double *x, int64_t n, int64_t numbers, const double *q,
                        int64_t nq, double *scratch, double *out)
{
    if (n < QUANTILE_SAMPLED || nq > QUANTILE_PASSES ||
        !quantile_few(x, n, numbers, q, nq, scratch, out))
        quantile_by_copy(x, n, q, nq, scratch, out);
}

int64_t tidemill_kernel_quantile(const double *x, int64_t n, const double *q, int64_t nq,
                                 double *scratch, double *out)
{
    if (n < 0 || nq < 0 || !quantile_all_fit(q, nq)) return -1;
    if (n == 0 || quantile_numbers(x, n) < n)
        mill_fill_nan(out, 0, nq);
    else
        quantile_of(x, n, n, q, nq, scratch, out);
    return 0;
}

int64_t tidemill_kernel_nanquantile(const double *x, int64_t n, const double *q, int64_t nq,
                                    double *scratch, double *out)
{
    if (n < 0 || nq < 0 || !quantile_all_fit(q, nq)) return -1;
    int64_t numbers = quantile_numbers(x, n);
    if (numbers == 0)
        mill_fill_nan(out, 0, nq);
    else
        quantile_of(x, n, numbers, q, nq, scratch, out);
    return 0;
}
