/* test_sort: sorted values and positions, of every type and instruction set, against a merge
 * sort that knows of two values no more than which comes first.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/order_bodies.h"

static const int64_t types[] = {TIDEMILL_FLOAT64, TIDEMILL_FLOAT32,  TIDEMILL_INT64,
                                TIDEMILL_INT32,   TIDEMILL_UINT8,    TIDEMILL_BOOL,
                                TIDEMILL_DATE,    TIDEMILL_TIMESTAMP};
enum { TYPES = sizeof types / sizeof *types };

static int64_t size_of(int64_t type)
{
    return mill_kind_size(mill_kind_of(type));
}

/* ---- Made-up values ------------------------------------------------------------------------ */

enum { PATTERNS = 9 };

/* Bits with every exponent, NaNs of several kinds among them. */
static double any_double(void)
{
    uint64_t bits = random_bits();
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double special_double(void)
{
    static const double special[] = {0.0,  -0.0,      INFINITY, -INFINITY, NAN,
                                     -NAN, 0x1p-1074, 1,        -1};
    return special[random_below(sizeof special / sizeof *special)];
}

static double made_double(int pattern, int64_t i, int64_t n)
{
    switch (pattern) {
    case 0:
        return random_unit();
    case 1:
        return (double)random_below(7) - 3;
    case 2:
        return special_double();
    case 3:
        return any_double();
    case 4:
        return (double)i;
    case 5:
        return (double)(n - i / 3);
    case 6:
        return 1 + (double)random_below(40) * 0x1p-52; /* alike in their upper digits */
    case 7:
        return random_below(2) ? 1e300 : 1e300 * (1 + (double)random_below(9) * 0x1p-52);
    default:
        return random_below(5) ? random_unit() - 0.5 : special_double();
    }
}

static int64_t made_integer(int pattern, int64_t i, int64_t n)
{
    switch (pattern) {
    case 0:
        return (int64_t)random_bits();
    case 1:
        return random_below(7) - 3;
    case 2:
        return random_below(2) ? INT64_MAX - random_below(2) : INT64_MIN + random_below(2);
    case 3:
        return (int64_t)(random_bits() >> random_below(64));
    case 4:
        return i;
    case 5:
        return n - i / 3;
    case 6:
        return random_below(1 << 20) << 40;
    case 7:
        return -random_below(3000);
    default:
        return 1700000000000000 + random_below(1000000000000);
    }
}

static void *made_values(int64_t type, int pattern, int64_t n)
{
    char *x = exact_copy(NULL, (size_t)(n * size_of(type)));
    for (int64_t i = 0; i < n; i++) {
        switch (mill_kind_of(type)) {
        case MILL_KIND_F64:
            ((double *)x)[i] = made_double(pattern, i, n);
            break;
        case MILL_KIND_F32:
            ((float *)x)[i] = (float)made_double(pattern, i, n);
            break;
        case MILL_KIND_I64:
            ((int64_t *)x)[i] = made_integer(pattern, i, n);
            break;
        case MILL_KIND_I32:
            ((int32_t *)x)[i] = (int32_t)made_integer(pattern, i, n);
            break;
        default:
            ((uint8_t *)x)[i] = (uint8_t)made_integer(pattern, i, n) & (type == 1 ? 1 : 255);
        }
    }
    return x;
}

/* ---- The oracle ---------------------------------------------------------------------------- */

/* long double holds all of them exactly. */
static long double value_at(int64_t type, const void *x, int64_t i)
{
    switch (mill_kind_of(type)) {
    case MILL_KIND_F64:
        return ((const double *)x)[i];
    case MILL_KIND_F32:
        return ((const float *)x)[i];
    case MILL_KIND_I64:
        return ((const int64_t *)x)[i];
    case MILL_KIND_I32:
        return ((const int32_t *)x)[i];
    default:
        return ((const uint8_t *)x)[i];
    }
}

static int comes_before(long double a, long double b, int descending)
{
    if (isnan(a) || isnan(b)) return !isnan(a) && isnan(b);
    return descending ? a > b : a < b;
}

static void oracle_part(int64_t type, const void *x, int descending, int64_t *index,
                        int64_t *spare, int64_t n)
{
    if (n < 2) return;
    int64_t half = n / 2, i = 0, j = half;
    oracle_part(type, x, descending, index, spare, half);
    oracle_part(type, x, descending, index + half, spare, n - half);
    for (int64_t k = 0; k < n; k++) {
        int right =
            i == half || (j < n && comes_before(value_at(type, x, index[j]),
                                                value_at(type, x, index[i]), descending));
        spare[k] = right ? index[j++] : index[i++];
    }
    memcpy(index, spare, (size_t)n * sizeof *index);
}

static int64_t *oracle(int64_t type, const void *x, int64_t n, int descending)
{
    int64_t *index = exact_copy(NULL, (size_t)n * sizeof *index);
    int64_t *spare = exact_copy(NULL, (size_t)n * sizeof *spare);
    for (int64_t i = 0; i < n; i++) index[i] = i;
    oracle_part(type, x, descending, index, spare, n);
    free(spare);
    return index;
}

/* ---- Both sorts ------------------------------------------------------------------------------ */

/* The bits of a value, but of the one NaN where it is any. */
static int is_value(int64_t type, const void *x, int64_t i, const void *out, int64_t k)
{
    double nan = __builtin_nan("");
    float nan32 = __builtin_nanf("");
    const char *got = (const char *)out + k * size_of(type);
    const void *expected = (const char *)x + i * size_of(type);
    if (isnan(value_at(type, x, i))) expected = size_of(type) == 8 ? (void *)&nan : &nan32;
    return memcmp(got, expected, (size_t)size_of(type)) == 0;
}

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
