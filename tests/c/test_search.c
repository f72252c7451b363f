/* test_search: places among sorted values, ranks and distinct values, of every type, against
 * counting all that come before.
 * SPDX-License-Identifier: MIT */
#include "order_check.h"

static int is_equal(int64_t type, const void *a, int64_t i, const void *b, int64_t j)
{
    long double left = value_at(type, a, i), right = value_at(type, b, j);
    return left == right || (isnan(left) && isnan(right));
}

static void searches_give_the_place_before_or_behind_equal_values(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        int64_t type = types[n % TYPES], m = random_below(40), base = n % 2;
        void *x = made_values(type, n % PATTERNS, n),
             *wanted = made_values(type, n % PATTERNS, m);
        void *sorted = exact_copy(NULL, (size_t)(n * size_of(type)));
        void *scratch = exact_copy(NULL, (size_t)(n * size_of(type)));
        int32_t *narrow = exact_copy(NULL, (size_t)m * sizeof *narrow);
        int64_t *wide = exact_copy(NULL, (size_t)m * sizeof *wide);
        tidemill_kernel_sort(type, x, 1, n, 0, scratch, sorted);
        for (int64_t right = 0; right < 2; right++) {
            CHECK(!tidemill_kernel_searchsorted(type, sorted, n, wanted, m, right, 4, base,
                                                narrow));
            CHECK(!tidemill_kernel_searchsorted(type, sorted, n, wanted, m, right, 8, base,
                                                wide));
            for (int64_t v = 0; v < m; v++) {
                int64_t place = base;
                for (int64_t i = 0; i < n; i++)
                    place +=
                        comes_before(value_at(type, sorted, i), value_at(type, wanted, v), 0) ||
                        (right && is_equal(type, sorted, i, wanted, v));
                CHECK_SAYING(wide[v] == place && narrow[v] == place, "type %d, n %d, right %d",
                             (int)type, (int)n, (int)right);
            }
        }
        free(x);
        free(wanted);
        free(sorted);
        free(scratch);
        free(narrow);
        free(wide);
    }
}

static double oracle_rank(int64_t type, const void *x, int64_t n, int64_t i, int64_t method)
{
    int64_t below = 0, equal = 0, equal_before = 0, distinct = 0;
    if (isnan(value_at(type, x, i))) return NAN;
    for (int64_t j = 0; j < n; j++) {
        int less = comes_before(value_at(type, x, j), value_at(type, x, i), 0), seen = 0;
        for (int64_t k = 0; less && k < j; k++) seen |= is_equal(type, x, k, x, j);
        below += less;
        distinct += less && !seen;
        equal += is_equal(type, x, i, x, j);
        equal_before += j < i && is_equal(type, x, i, x, j);
    }
    switch (method) {
    case TIDEMILL_RANK_AVERAGE:
        return (double)below + (double)(equal + 1) / 2;
    case TIDEMILL_RANK_MIN:
        return (double)(below + 1);
    case TIDEMILL_RANK_MAX:
        return (double)(below + equal);
    case TIDEMILL_RANK_DENSE:
        return (double)(distinct + 1);
    default:
        return (double)(below + equal_before + 1);
    }
}

static void ranks_count_what_comes_before(void)
{
    for (int64_t n = 0; n <= 60; n++) {
        for (int t = 0; t < TYPES; t++) {
            int64_t type = types[t], method = (n + t) % 5;
            void *x = made_values(type, (int)((n + t / 5) % PATTERNS), n);
            double *out = exact_doubles(n);
            int64_t *scratch = exact_copy(NULL, (size_t)(2 * n) * sizeof *scratch);
            CHECK(tidemill_kernel_rank(type, x, n, method, scratch, out) == 0);
            for (int64_t i = 0; i < n; i++)
                CHECK(is_near(out[i], oracle_rank(type, x, n, i, method), 0));
            free(x);
            free(out);
            free(scratch);
        }
    }
}

static void check_distinct(int64_t type, const void *x, int64_t n, int64_t base)
{
    char *values = exact_copy(NULL, (size_t)(n * size_of(type)));
    int64_t *first = exact_copy(NULL, (size_t)n * 8), *counts = exact_copy(NULL, (size_t)n * 8);
    int64_t *inverse = exact_copy(NULL, (size_t)n * 8),
            *scratch = exact_copy(NULL, (size_t)n * 16);
    int64_t distinct =
        tidemill_kernel_unique_index(type, x, n, base, scratch, values, first, counts, inverse);
    for (int64_t d = 0; d < distinct; d++) {
        int64_t count = 0;
        CHECK(d == 0 ||
              comes_before(value_at(type, values, d - 1), value_at(type, values, d), 0));
        CHECK(is_value(type, x, first[d] - base, values, d));
        for (int64_t i = n; i-- > 0;) {
            if (!is_equal(type, x, i, values, d)) continue;
            count++;
            CHECK(inverse[i] == d + base && first[d] <= i + base);
        }
        CHECK(counts[d] == count && count > 0);
    }
    int64_t all = 0;
    for (int64_t d = 0; d < distinct; d++) all += counts[d];
    CHECK(all == n);
    CHECK(tidemill_kernel_unique_index(type, x, n, base, scratch, values, NULL, NULL, NULL) ==
          distinct);
    free(values);
    free(first);
    free(counts);
    free(inverse);
    free(scratch);
}

/* The same from a sorted list. */
static void check_sorted_distinct(int64_t type, const void *x, int64_t n)
{
    void *sorted = exact_copy(NULL, (size_t)(n * size_of(type)));
    char *values = exact_copy(NULL, (size_t)(n * size_of(type)));
    char *expected = exact_copy(NULL, (size_t)(n * size_of(type)));
    int64_t *counts = exact_copy(NULL, (size_t)n * 8),
            *scratch = exact_copy(NULL, (size_t)n * 16);
    int64_t *expected_counts = exact_copy(NULL, (size_t)n * 8);
    int64_t distinct = tidemill_kernel_unique_index(type, x, n, 0, scratch, expected, NULL,
                                                    expected_counts, NULL);
    tidemill_kernel_sort(type, x, 1, n, 0, scratch, sorted);
    CHECK(tidemill_kernel_unique(type, sorted, n, values, counts) == distinct);
    CHECK(!memcmp(values, expected, (size_t)(distinct * size_of(type))));
    CHECK(!memcmp(counts, expected_counts, (size_t)distinct * 8));
    CHECK(tidemill_kernel_unique(type, sorted, n, values, NULL) == distinct);
    free(sorted);
    free(values);
    free(expected);
    free(counts);
    free(expected_counts);
    free(scratch);
}

static void distinct_values_have_their_first_place_their_count_and_their_inverse(void)
{
    for (int64_t n = 0; n <= 80; n++) {
        for (int t = 0; t < TYPES; t++) {
            void *x = made_values(types[t], (int)(n % PATTERNS), n);
            check_distinct(types[t], x, n, n % 2);
            check_sorted_distinct(types[t], x, n);
            free(x);
        }
    }
}

static void unknown_types_widths_and_methods_are_refused(void)
{
    double x = 1, out = 7;
    int64_t words[2];
    CHECK(tidemill_kernel_searchsorted(2, &x, 1, &x, 1, 0, 8, 0, words) == -1);
    CHECK(tidemill_kernel_searchsorted(TIDEMILL_FLOAT64, &x, 1, &x, 1, 0, 1, 0, words) == -1);
    CHECK(tidemill_kernel_rank(TIDEMILL_FLOAT64, &x, 1, 5, words, &out) == -1);
    CHECK(tidemill_kernel_rank(TIDEMILL_FLOAT64, &x, 1, -1, words, &out) == -1);
    CHECK(tidemill_kernel_rank(7, &x, 1, 0, words, &out) == -1);
    CHECK(tidemill_kernel_unique(7, &x, 1, &out, words) == -1);
    CHECK(tidemill_kernel_unique_index(7, &x, 1, 0, words, &out, NULL, NULL, NULL) == -1);
    CHECK(out == 7);
}

int main(void)
{
    random_state = check_seed();
    RUN(searches_give_the_place_before_or_behind_equal_values);
    RUN(ranks_count_what_comes_before);
    RUN(distinct_values_have_their_first_place_their_count_and_their_inverse);
    RUN(unknown_types_widths_and_methods_are_refused);
    return check_end();
}
