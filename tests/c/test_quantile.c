/* test_quantile: selection and quantiles, beside sorting.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/quantile.h"

/* NaNs last. */
static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return a < b ? -1 : a > b;
}

static double *sorted(const double *x, int64_t n)
{
    double *copy = exact_copy(x, (size_t)n * sizeof(double));
    qsort(copy, (size_t)n, sizeof(double), compare);
    return copy;
}

enum { RANDOM, FEW, EQUAL, ASCENDING, DESCENDING, ORGAN_PIPE, PERIODIC, SHAPES };

static double shape_value(int shape, int64_t i, int64_t n)
{
    switch (shape) {
    case RANDOM:
        return random_unit() - 0.5;
    case FEW:
        return (double)random_below(7) - 3;
    case EQUAL:
        return 0.1;
    case ASCENDING:
        return (double)i;
    case DESCENDING:
        return (double)-i;
    case ORGAN_PIPE:
        return (double)(i < n / 2 ? i : n - i);
    }
    return (double)(i % 32 == 0) + random_unit() * 1e-3; /* in step with a sample's stride */
}

static void fill(double *x, int64_t n, int shape)
{
    for (int64_t i = 0; i < n; i++) x[i] = shape_value(shape, i, n);
}

static void spoil(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (random_below(6) == 0) x[i] = NAN;
}

/* ---- partition ------------------------------------------------------------------------------- */

static int same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void check_partition(double *x, int64_t n, int64_t k)
{
    double *expected = sorted(x, n);
    CHECK(tidemill_kernel_partition(x, n, k) == 0);
    CHECK(same_value(x[k], expected[k]));
    for (int64_t i = 0; i < n; i++) {
        CHECK(i >= k || compare(x + i, x + k) <= 0);
        CHECK(i <= k || compare(x + i, x + k) >= 0);
    }
    double *after = sorted(x, n); /* the same values */
    for (int64_t i = 0; i < n; i++) CHECK(same_value(after[i], expected[i]));
    free(after);
    free(expected);
}

static void partition_puts_a_rank_in_its_place(void)
{
    for (int64_t n = 1; n <= 257; n++)
        for (int shape = 0; shape < SHAPES; shape++) {
            double *x = exact_doubles(n);
            fill(x, n, shape);
            if (n % 3 == 0) spoil(x, n);
            check_partition(x, n, random_below(n));
            free(x);
        }
    for (int shape = 0; shape < SHAPES; shape++) {
        double *x = exact_doubles(20000);
        fill(x, 20000, shape);
        check_partition(x, 20000, random_below(20000));
        free(x);
    }
    double one = 1;
    CHECK(tidemill_kernel_partition(&one, 1, 1) == -1);
    CHECK(tidemill_kernel_partition(&one, 1, -1) == -1);
}

/* ---- quantiles ------------------------------------------------------------------------------- */

/* NumPy's linear interpolation of sorted values. */
static double oracle(const double *ordered, int64_t n, double q)
{
    if (n == 0) return NAN;
    double v = q * (double)(n - 1), t = v - floor(v);
    double a = ordered[(int64_t)v];
    double b = (int64_t)v + 1 < n ? ordered[(int64_t)v + 1] : a;
    if (a == b || t == 0) return a + 0.0;
    if (isinf(a) && isinf(b)) return NAN;
    if (isinf(a) || isinf(b)) return isinf(a) ? a : b;
    return (t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t) + 0.0;
}

static void check_quantiles(const double *x, int64_t n, const double *q, int64_t nq)
{
    double *ordered = sorted(x, n), *scratch = exact_doubles(n), *out = exact_doubles(nq);
    int64_t numbers = n;
    while (numbers > 0 && isnan(ordered[numbers - 1])) numbers--;
    EACH_SET(set)
    {
        CHECK(tidemill_kernel_quantile(x, n, q, nq, scratch, out) == 0);
        for (int64_t i = 0; i < nq; i++) {
            double expected = numbers < n ? NAN : oracle(ordered, n, q[i]);
            CHECK_SAYING(isnan(expected) ? isnan(out[i]) : same_bits(&expected, out + i, 1),
                         "n %d q %g: %.17g, not %.17g", (int)n, q[i], out[i], expected);
        }
        CHECK(tidemill_kernel_nanquantile(x, n, q, nq, scratch, out) == 0);
        for (int64_t i = 0; i < nq; i++) {
            double expected = oracle(ordered, numbers, q[i]);
            CHECK_SAYING(isnan(expected) ? isnan(out[i]) : same_bits(&expected, out + i, 1),
                         "n %d, %d numbers, q %g: %.17g, not %.17g", (int)n, (int)numbers, q[i],
                         out[i], expected);
        }
    }
    free(ordered);
    free(scratch);
    free(out);
}

static void check_series(int64_t n, int shape, int64_t nq, int with_nan)
{
    double *x = exact_doubles(n), *q = exact_doubles(nq);
    fill(x, n, shape);
    if (with_nan) spoil(x, n);
    for (int64_t i = 0; i < nq; i++)
        q[i] = random_below(5) ? random_unit() : (double)random_below(5) / 4;
    check_quantiles(x, n, q, nq);
    free(x);
    free(q);
}

static void quantiles_of_every_length_are_those_of_sorting(void)
{
    for (int64_t n = 0; n <= 257; n++)
        for (int shape = 0; shape < SHAPES; shape++)
            check_series(n, shape, 1 + n % 5, n % 4 == 3);
}

/* Long ones take one pass each: also where the sample misleads, and where all are NaN but few. */
static void quantiles_of_long_series_are_those_of_sorting(void)
{
    for (int shape = 0; shape < SHAPES; shape++)
        for (int64_t n = 32767; n < 300000; n = n * 2 + random_below(9)) {
            check_series(n, shape, 1 + random_below(4), 0);
            check_series(n, shape, 2, 1);
        }
    double *x = exact_doubles(40000), q = 0.5;
    for (int64_t i = 0; i < 40000; i++) x[i] = NAN;
    check_quantiles(x, 40000, &q, 1);
    x[77] = 3;
    check_quantiles(x, 40000, &q, 1);
    x[80] = -INFINITY;
    check_quantiles(x, 40000, &q, 1);
    free(x);
}

static void many_quantiles_share_one_copy(void)
{
    for (int shape = 0; shape < SHAPES; shape++)
        for (int64_t n = 5; n < 60000; n *= 6) {
            double q[101];
            check_series(n, shape, 5 + random_below(60), 0);
            double *x = exact_doubles(n);
            fill(x, n, shape);
            for (int i = 0; i <= 100; i++) q[i] = i / 100.0;
            check_quantiles(x, n, q, 101);
            free(x);
        }
}

static void infinities_are_values(void)
{
    double x[] = {INFINITY, 1, -INFINITY, INFINITY}, scratch[4], out;
    static const double q[] = {0, 0.5, 1, 0.25};
    check_quantiles(x, 4, q, 4);
    double top = 0.9;
    CHECK(tidemill_kernel_quantile(x, 4, &top, 1, scratch, &out) == 0 && out == INFINITY);
}

/* Infinities among the middle ones, of few values and of as many as take a pass each. */
static void between_a_number_and_an_infinity_is_the_infinity(void)
{
    for (int64_t n = 2; n <= 80000; n *= 200) {
        double *x = exact_doubles(n), q[8] = {0, 0.5, 1};
        for (int64_t i = 0; i < n; i++) {
            int64_t kind = random_below(4);
            x[i] = kind == 0 ? INFINITY : kind == 1 ? -INFINITY : random_unit();
        }
        for (int i = 3; i < 8; i++) q[i] = random_unit();
        check_quantiles(x, n, q, 3);
        check_quantiles(x, n, q, 8);
        free(x);
    }
    static const struct {
        double x[2], median;
    } pairs[] = {
        {{1, INFINITY}, INFINITY}, {{-INFINITY, 1}, -INFINITY}, {{-1.5e308, 1.7e308}, 0.1e308}};
    double half = 0.5, scratch[2], out;
    for (int i = 0; i < 3; i++) {
        CHECK(tidemill_kernel_quantile(pairs[i].x, 2, &half, 1, scratch, &out) == 0);
        CHECK_SAYING(isinf(out) ? out == pairs[i].median : fabs(out - pairs[i].median) < 1e293,
                     "%g, not %g", out, pairs[i].median);
    }
}

static void a_share_outside_is_refused(void)
{
    static const double bad[] = {-0.1, 1.1, NAN};
    double x[] = {1, 2}, scratch[2], out = 7;
    for (int i = 0; i < 3; i++)
        CHECK(tidemill_kernel_quantile(x, 2, bad + i, 1, scratch, &out) == -1 && out == 7);
    CHECK(tidemill_kernel_nanquantile(x, -1, bad, 0, scratch, &out) == -1);
}

int main(void)
{
    random_state = check_seed();
    RUN(partition_puts_a_rank_in_its_place);
    RUN(quantiles_of_every_length_are_those_of_sorting);
    RUN(quantiles_of_long_series_are_those_of_sorting);
    RUN(many_quantiles_share_one_copy);
    RUN(infinities_are_values);
    RUN(between_a_number_and_an_infinity_is_the_infinity);
    RUN(a_share_outside_is_refused);
    return check_end();
}
