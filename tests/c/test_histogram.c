/* test_histogram: counts by bins, and the greatest and least few, beside searching and sorting.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/histogram.h"
#include "kernels/topk.h"

/* ---- bins ------------------------------------------------------------------------------------ */

/* Edges as NumPy's linspace has them, and a linear search. */
static int64_t oracle_bin(const double *edges, int64_t bins, double value)
{
    int64_t bin = -1;
    if (!(value >= edges[0] && value <= edges[bins])) return -1;
    for (int64_t b = 0; b < bins; b++)
        if (value >= edges[b]) bin = b;
    return bin;
}

static void check_equal_bins(int64_t n, int64_t bins, double low, double high)
{
    double *x = exact_doubles(n), *w = exact_doubles(n), *edges = exact_doubles(bins + 1);
    int64_t *counts = exact_copy(NULL, (size_t)bins * 8);
    int64_t *by_edges = exact_copy(NULL, (size_t)bins * 8);
    int64_t *expected = exact_copy(NULL, (size_t)bins * 8);
    double *sums = exact_doubles(bins), *expected_sums = exact_doubles(bins);
    for (int64_t b = 0; b <= bins; b++)
        edges[b] = b == bins ? high : low + (double)b * ((high - low) / (double)bins);
    for (int64_t b = 0; b < bins; b++)
        counts[b] = by_edges[b] = expected[b] = 0, sums[b] = expected_sums[b] = 0;
    for (int64_t i = 0; i < n; i++) {
        x[i] = low + (high - low) * (random_unit() * 1.2 - 0.1);
        if (random_below(3) == 0) x[i] = edges[random_below(bins + 1)];
        if (random_below(9) == 0) x[i] = random_below(2) ? NAN : INFINITY;
        w[i] = random_unit();
        int64_t bin = oracle_bin(edges, bins, x[i]);
        if (bin >= 0) expected[bin]++, expected_sums[bin] += w[i];
    }
    CHECK(tidemill_kernel_histogram(x, n, low, high, bins, counts) == 0);
    CHECK(tidemill_kernel_histogram_edges(x, n, edges, bins, by_edges) == 0);
    CHECK(memcmp(counts, expected, (size_t)bins * 8) == 0);
    CHECK(memcmp(by_edges, expected, (size_t)bins * 8) == 0);
    CHECK(tidemill_kernel_histogram_weights(x, w, n, low, high, bins, sums) == 0);
    CHECK(same_bits(sums, expected_sums, bins));
    for (int64_t b = 0; b < bins; b++) sums[b] = 0;
    CHECK(tidemill_kernel_histogram_edges_weights(x, w, n, edges, bins, sums) == 0);
    CHECK(same_bits(sums, expected_sums, bins));
    free(x), free(w), free(edges), free(counts), free(by_edges), free(expected), free(sums);
    free(expected_sums);
}

static void values_fall_into_the_bins_of_their_edges(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        check_equal_bins(n, 1 + random_below(12), -1, 2);
        check_equal_bins(n, 1 + random_below(300), 0.1, 0.1 + random_unit());
        check_equal_bins(n, 10, 1e9, 1e9 + 1e-5); /* edges that are hardly apart */
        check_equal_bins(n, 7, -1e308, 0.7e308);
        check_equal_bins(n, 1 + random_below(12), -3e-310, 3e-310); /* ran for 2^63 steps */
        check_equal_bins(n, 300, 1e17, 1e17 + 64);                  /* most edges are equal */
    }
}

static void parts_of_a_series_are_counted_together(void)
{
    double x[] = {0, 1, 2, 3, 4};
    int64_t counts[2] = {0};
    CHECK(tidemill_kernel_histogram(x, 2, 0, 4, 2, counts) == 0);
    CHECK(tidemill_kernel_histogram(x + 2, 3, 0, 4, 2, counts) == 0);
    CHECK(counts[0] == 2 && counts[1] == 3);
}

static void equal_edges_leave_a_bin_empty(void)
{
    double x[] = {0, 1, 1, 2}, edges[] = {0, 1, 1, 2};
    int64_t counts[3] = {0};
    CHECK(tidemill_kernel_histogram_edges(x, 4, edges, 3, counts) == 0);
    CHECK(counts[0] == 1 && counts[1] == 0 && counts[2] == 3);
}

static void bins_that_are_none_are_refused(void)
{
    double x[] = {1}, falling[] = {1, 0}, missing[] = {NAN, 1, 2};
    int64_t counts[2] = {5, 5};
    CHECK(tidemill_kernel_histogram(x, 1, 0, 1, 0, counts) == -1);
    CHECK(tidemill_kernel_histogram(x, 1, 1, 1, 2, counts) == -1);
    CHECK(tidemill_kernel_histogram(x, 1, NAN, 1, 2, counts) == -1);
    CHECK(tidemill_kernel_histogram(x, 1, 0, INFINITY, 2, counts) == -1);
    CHECK(tidemill_kernel_histogram(x, 1, -1.7e308, 1.7e308, 2, counts) == -1);
    CHECK(tidemill_kernel_histogram_edges(x, 1, falling, 1, counts) == -1);
    CHECK(tidemill_kernel_histogram_edges(x, 1, missing, 2, counts) == -1);
    CHECK(counts[0] == 5 && counts[1] == 5);
}

static void small_integers_are_counted(void)
{
    int32_t x[] = {2, 0, 2, 1};
    int64_t counts[3] = {0};
    CHECK(tidemill_kernel_bincount(x, 4, 3, counts) == 0);
    CHECK(counts[0] == 1 && counts[1] == 1 && counts[2] == 2);
    CHECK(tidemill_kernel_bincount(x, 4, 2, counts) == -1 && counts[0] == 1);
    x[0] = -1;
    CHECK(tidemill_kernel_bincount(x, 4, 3, counts) == -1 && counts[0] == 1);
}

/* ---- the greatest and the least few ----------------------------------------------------------- */

static void check_topk(const double *x, int64_t n, int64_t k, int64_t cut)
{
    int64_t most = k < 0 ? -k : k, count = 0;
    double *values = exact_doubles(most);
    int64_t *positions = exact_copy(NULL, (size_t)most * 8);
    char *taken = exact_copy(NULL, (size_t)n);
    memset(taken, 0, (size_t)n);
    count = tidemill_kernel_topk(x, cut, k, 1, 0, values, positions);
    count = tidemill_kernel_topk(x + cut, n - cut, k, 1 + cut, count, values, positions);
    int64_t expected = 0;
    for (; expected < most; expected++) {
        int64_t best = -1;
        for (int64_t i = 0; i < n; i++)
            if (!taken[i] && !isnan(x[i]) &&
                (best < 0 || (k > 0 ? x[i] > x[best] : x[i] < x[best])))
                best = i;
        if (best < 0) break;
        taken[best] = 1;
        CHECK_SAYING(positions[expected] == best + 1 && values[expected] == x[best],
                     "n %d k %d cut %d: place %d", (int)n, (int)k, (int)cut, (int)expected);
    }
    CHECK(count == expected);
    free(values), free(positions), free(taken);
}

static void the_few_are_those_of_sorting_in_any_parts(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        double *x = exact_doubles(n);
        for (int64_t i = 0; i < n; i++)
            x[i] = random_below(8) == 0 ? NAN : (double)random_below(n < 40 ? 5 : 500) - 2;
        for (int64_t k = -9; k <= 9; k += 2)
            EACH_SET(set) check_topk(x, n, k, random_below(n + 1));
        check_topk(x, n, n + 3, n / 2);
        free(x);
    }
    double *x = exact_doubles(9000);
    for (int64_t i = 0; i < 9000; i++) x[i] = random_unit() + (i % 1024 == 5 ? NAN : 0);
    EACH_SET(set)
    {
        check_topk(x, 9000, 20, 3000);
        check_topk(x, 9000, -20, 5001);
    }
    free(x);
    CHECK(tidemill_kernel_topk(NULL, 0, 0, 0, 0, NULL, NULL) == 0);
    CHECK(tidemill_kernel_topk(NULL, -1, 1, 0, 0, NULL, NULL) == -1);
    CHECK(tidemill_kernel_topk(NULL, 0, 1, 0, 2, NULL, NULL) == -1);
}

int main(void)
{
    random_state = check_seed();
    RUN(values_fall_into_the_bins_of_their_edges);
    RUN(parts_of_a_series_are_counted_together);
    RUN(equal_edges_leave_a_bin_empty);
    RUN(bins_that_are_none_are_refused);
    RUN(small_integers_are_counted);
    RUN(the_few_are_those_of_sorting_in_any_parts);
    return check_end();
}
