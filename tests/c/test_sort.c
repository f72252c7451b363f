/* test_sort: sorted values and positions, of every type and instruction set.
 * SPDX-License-Identifier: MIT */
#include "order_check.h"

/* ---- Both sorts ------------------------------------------------------------------------------ */

static void check_sort(int64_t type, const void *x, int64_t n, int descending,
                       const int64_t *expected, const char *what)
{
    void *scratch = exact_copy(NULL, (size_t)(n * size_of(type)));
    void *out = exact_copy(NULL, (size_t)(n * size_of(type)));
    CHECK(tidemill_kernel_sort(type, x, 1, n, descending, scratch, out) == 0);
    int64_t wrong = 0;
    while (wrong < n && is_value(type, x, expected[wrong], out, wrong)) wrong++;
    CHECK_SAYING(wrong == n, "%s: value %d of %d", what, (int)wrong, (int)n);
    free(scratch);
    free(out);
}

static void check_argsort(int64_t type, const void *x, int64_t n, int descending,
                          const int64_t *expected, const char *what)
{
    int64_t *scratch = exact_copy(NULL, (size_t)(2 * n) * sizeof *scratch);
    int64_t *wide = exact_copy(NULL, (size_t)n * sizeof *wide), base = n % 2, wrong = 0;
    int32_t *narrow = exact_copy(NULL, (size_t)n * sizeof *narrow);
    CHECK(tidemill_kernel_argsort(type, x, 1, n, descending, 8, base, scratch, wide) == 0);
    CHECK(tidemill_kernel_argsort(type, x, 1, n, descending, 4, base, scratch, narrow) == 0);
    while (wrong < n && wide[wrong] == expected[wrong] + base && narrow[wrong] == wide[wrong])
        wrong++;
    CHECK_SAYING(wrong == n, "%s: position %d of %d", what, (int)wrong, (int)n);
    free(scratch);
    free(wide);
    free(narrow);
}

static void check_both(int64_t type, int pattern, int64_t n)
{
    void *x = made_values(type, pattern, n);
    for (int descending = 0; descending < 2; descending++) {
        int64_t *expected = oracle(type, x, n, descending);
        EACH_SET(set)
        {
            char what[64];
            snprintf(what, sizeof what, "%s, type %d, pattern %d%s", kernel_sets[set],
                     (int)type, pattern, descending ? ", descending" : "");
            check_sort(type, x, n, descending, expected, what);
            check_argsort(type, x, n, descending, expected, what);
        }
        free(expected);
    }
    free(x);
}

static void values_and_positions_of_every_length_are_sorted(void)
{
    for (int64_t n = 0; n <= 257; n++)
        for (int t = 0; t < TYPES; t++)
            for (int pattern = n % 3; pattern < PATTERNS; pattern += n % 2 ? 2 : 3)
                check_both(types[t], pattern, n);
}

static void long_rows_are_sorted(void)
{
    static const int64_t lengths[] = {1000, 2047, 2048, 4096, 5001, 30000};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (int t = 0; t < 4; t++)
            for (int pattern = 0; pattern < PATTERNS; pattern++)
                check_both(types[t], pattern, lengths[l]);
}

static void each_row_of_a_matrix_is_sorted_by_itself(void)
{
    enum { ROWS = 5, N = 300 };
    double *x = made_values(TIDEMILL_FLOAT64, 8, ROWS * N);
    double *out = exact_doubles(ROWS * N), *one = exact_doubles(N);
    int64_t *scratch = exact_copy(NULL, 2 * N * sizeof *scratch);
    int32_t *index = exact_copy(NULL, ROWS * N * sizeof *index), one_index[N];
    CHECK(tidemill_kernel_sort(TIDEMILL_FLOAT64, x, ROWS, N, 0, scratch, out) == 0);
    CHECK(tidemill_kernel_argsort(TIDEMILL_FLOAT64, x, ROWS, N, 0, 4, 1, scratch, index) == 0);
    for (int64_t r = 0; r < ROWS; r++) {
        tidemill_kernel_sort(TIDEMILL_FLOAT64, x + r * N, 1, N, 0, scratch, one);
        CHECK(same_bits(one, out + r * N, N));
        tidemill_kernel_argsort(TIDEMILL_FLOAT64, x + r * N, 1, N, 0, 4, 1, scratch, one_index);
        CHECK(memcmp(one_index, index + r * N, sizeof one_index) == 0);
    }
    free(x);
    free(out);
    free(one);
    free(scratch);
    free(index);
}

static void splits_in_vain_end_in_the_radix_sort(void)
{
#ifdef MILL_KERNEL_X86
    if (tidemill_kernel_isa_select("avx2") != 0) return;
    tidemill_kernel_isa_select(NULL);
    for (int splits = 0; splits < 8; splits++) {
        int64_t n = 3000;
        double *x = made_values(TIDEMILL_FLOAT64, 0, n), *y = exact_copy(x, (size_t)n * 8);
        double *scratch = exact_doubles(n);
        mill_sort_doubles_limited_avx2(x, scratch, n, splits);
        mill_sort_doubles_plain(y, scratch, n);
        CHECK_SAYING(same_bits(x, y, n), "%d splits", splits);
        free(x);
        free(y);
        free(scratch);
    }
#endif
}

/* ---- What is sorted, what is refused ----------------------------------------------------------- */

static void is_sorted_tells_what_sorting_would_leave_alone(void)
{
    for (int round = 0; round < 3000; round++) {
        int64_t type = types[round % TYPES], n = random_below(6),
                descending = round / TYPES % 2;
        void *x = made_values(type, 1 + round % 2, n);
        int64_t *expected = oracle(type, x, n, (int)descending), left_alone = 1;
        for (int64_t i = 0; i < n; i++) left_alone &= expected[i] == i;
        CHECK(tidemill_kernel_is_sorted(type, x, n, descending) == left_alone);
        free(x);
        free(expected);
    }
}

static void unknown_types_and_widths_and_positions_that_do_not_fit_are_refused(void)
{
    double x = 1, out = 2, scratch;
    int64_t words[2];
    int32_t index = 7;
    CHECK(tidemill_kernel_sort(12, &x, 1, 1, 0, &scratch, &out) == -1 && out == 2);
    CHECK(tidemill_kernel_is_sorted(0, &x, 1, 0) == -1);
    CHECK(tidemill_kernel_argsort(99, &x, 1, 1, 0, 4, 0, words, &index) == -1);
    CHECK(tidemill_kernel_argsort(TIDEMILL_FLOAT64, &x, 1, 1, 0, 2, 0, words, &index) == -1);
    CHECK(tidemill_kernel_argsort(TIDEMILL_FLOAT64, &x, 1, 1, 0, 4, INT32_MAX, words, &index) ==
          -1);
    CHECK(tidemill_kernel_argsort(TIDEMILL_FLOAT64, &x, 1, -1, 0, 4, 0, words, &index) == -1);
    CHECK(index == 7);
}

int main(void)
{
    random_state = check_seed();
    RUN(values_and_positions_of_every_length_are_sorted);
    RUN(long_rows_are_sorted);
    RUN(each_row_of_a_matrix_is_sorted_by_itself);
    RUN(splits_in_vain_end_in_the_radix_sort);
    RUN(is_sorted_tells_what_sorting_would_leave_alone);
    RUN(unknown_types_and_widths_and_positions_that_do_not_fit_are_refused);
    return check_end();
}
