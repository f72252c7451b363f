/* test_order: sorting, grouping and lookups against the simplest possible loops.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"

static int32_t *exact_ints(int64_t n)
{
    int32_t *x = exact_copy(NULL, (size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = -777;
    return x;
}

/* ---- sorting ------------------------------------------------------------------------------- */

/* In order, equal keys by position, and every position once (which follows from the strict
 * order). */
static int is_stable_order(const int32_t *keys, const int32_t *index, int64_t n, int32_t base)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t here = index[i] - base;
        if (here < 0 || here >= n) return 0;
        if (i == 0) continue;
        int32_t before = index[i - 1] - base;
        if (keys[before] > keys[here]) return 0;
        if (keys[before] == keys[here] && before >= here) return 0;
    }
    return 1;
}

static void check_argsort(const int32_t *keys, int64_t n, int32_t base)
{
    int32_t *index = exact_ints(n);
    int64_t *scratch = exact_copy(NULL, (size_t)(2 * n) * sizeof *scratch);
    CHECK(tidemill_kernel_argsort_int32(keys, n, base, scratch, index) == 0);
    CHECK_SAYING(is_stable_order(keys, index, n, base), "n %d base %d", (int)n, base);
    free(index);
    free(scratch);
}

static void argsort_orders_keys_of_any_range_and_keeps_equal_ones_in_place(void)
{
    static const int64_t ranges[] = {1, 2, 300, 2048, 2049, 1 << 22, 5000000, 4294967296};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        for (int64_t n = 0; n <= 257; n++) {
            int32_t *keys = exact_ints(n);
            int64_t low = -2147483648LL + random_below(4294967296 - ranges[r] + 1);
            for (int64_t i = 0; i < n; i++) keys[i] = (int32_t)(low + random_below(ranges[r]));
            check_argsort(keys, n, (int32_t)(n % 2));
            free(keys);
        }
    }
}

static void argsort_handles_the_extreme_keys(void)
{
    int32_t keys[] = {INT32_MAX, INT32_MIN, 0, -1, INT32_MAX, INT32_MIN, 1};
    check_argsort(keys, 7, 1);
}

static void argsort_of_sorted_keys_is_the_identity(void)
{
    int32_t keys[] = {-5, -5, 0, 3, 3, 9};
    check_argsort(keys, 6, 0);
    CHECK(tidemill_kernel_is_sorted_int32(keys, 6) == 1);
    CHECK(tidemill_kernel_is_sorted_int32(keys, 0) == 1);
    keys[3] = -1;
    CHECK(tidemill_kernel_is_sorted_int32(keys, 6) == 0);
}

/* ---- gathers -------------------------------------------------------------------------------- */

static void take_gathers_every_width_from_either_base(void)
{
    double f[] = {0.5, 1.5, 2.5}, f_out[3];
    int32_t i[] = {10, 11, 12}, i_out[3], index[] = {3, 1, 3}, from_zero[] = {2, 0, 2};
    int64_t l[] = {1LL << 40, 2, 3}, l_out[3];
    CHECK(tidemill_kernel_take_f64(f, 3, index, 3, 1, f_out) == 3);
    CHECK(f_out[0] == 2.5 && f_out[1] == 0.5 && f_out[2] == 2.5);
    CHECK(tidemill_kernel_take_i32(i, 3, from_zero, 3, 0, i_out) == 3);
    CHECK(i_out[0] == 12 && i_out[1] == 10 && i_out[2] == 12);
    CHECK(tidemill_kernel_take_i64(l, 3, index, 3, 1, l_out) == 3);
    CHECK(l_out[0] == 3 && l_out[1] == 1LL << 40);
}

static void take_stops_at_the_first_index_outside(void)
{
    double f[] = {0.5, 1.5, 2.5}, out[3] = {9, 9, 9};
    int32_t high[] = {1, 4, 1}, low[] = {1, 2, 0}, least[] = {INT32_MIN};
    CHECK(tidemill_kernel_take_f64(f, 3, high, 3, 1, out) == 1 && out[1] == 9);
    CHECK(tidemill_kernel_take_f64(f, 3, low, 3, 1, out) == 2);
    CHECK(tidemill_kernel_take_f64(f, 3, least, 1, 1, out) == 0);
    CHECK(tidemill_kernel_take_f64(f, 0, NULL, 0, 1, NULL) == 0);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void groups_hold_their_positions_in_order(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        int64_t groups = 1 + random_below(12), kept = 0, seen = 0;
        int32_t *codes = exact_ints(n), *offsets = exact_ints(groups + 1), base = n % 2;
        for (int64_t i = 0; i < n; i++) {
            codes[i] = (int32_t)random_below(groups + 1) - 1;
            kept += codes[i] >= 0;
        }
        int32_t *index = exact_ints(kept);
        CHECK(tidemill_kernel_group_codes(codes, n, groups, base, offsets, index) == kept);
        for (int64_t g = 0; g < groups; g++)
            for (int64_t i = 0; i < n; i++)
                if (codes[i] == g) {
                    CHECK(seen >= offsets[g] - base && seen < offsets[g + 1] - base);
                    CHECK(index[seen] == i + base);
                    seen++;
                }
        CHECK(offsets[0] == base && offsets[groups] == base + kept);
        free(codes);
        free(offsets);
        free(index);
    }
}

static void a_code_that_is_no_group_is_refused(void)
{
    int32_t codes[] = {0, 3, 1}, offsets[4], index[3];
    CHECK(tidemill_kernel_group_codes(codes, 3, 3, 0, offsets, index) == -1);
}

/* ---- sorted keys ------------------------------------------------------------------------------ */

static int64_t fill_ascending(int32_t *keys, int64_t n, int64_t step)
{
    int64_t key = random_below(20) - 10;
    for (int64_t i = 0; i < n; i++) {
        keys[i] = (int32_t)key;
        key += random_below(step);
    }
    return key;
}

static int holds(const int32_t *keys, int64_t n, int32_t key)
{
    for (int64_t i = 0; i < n; i++)
        if (keys[i] == key) return 1;
    return 0;
}

static void intersect_finds_each_shared_value_once(void)
{
    for (int round = 0; round < 500; round++) {
        int64_t na = random_below(60), nb = random_below(60), expected = 0;
        int32_t *a = exact_ints(na), *b = exact_ints(nb), *out;
        fill_ascending(a, na, 1 + round % 5);
        fill_ascending(b, nb, 1 + round % 3);
        for (int64_t i = 0; i < na; i++)
            expected += (i == 0 || a[i] != a[i - 1]) && holds(b, nb, a[i]);
        out = exact_ints(na < nb ? na : nb);
        int64_t count = tidemill_kernel_intersect_int32(a, na, b, nb, out);
        CHECK(count == expected);
        for (int64_t i = 0; i < count; i++) {
            CHECK(holds(a, na, out[i]) && holds(b, nb, out[i]));
            CHECK(i == 0 || out[i - 1] < out[i]);
        }
        free(a);
        free(b);
        free(out);
    }
}

static int32_t oracle_locate(const int32_t *keys, int64_t n, int32_t wanted, int32_t base)
{
    for (int64_t i = 0; i < n; i++)
        if (keys[i] == wanted) return (int32_t)i + base;
    return -1;
}

static void locate_finds_first_positions_in_any_order_of_wishes(void)
{
    for (int round = 0; round < 500; round++) {
        int64_t n = random_below(80), m = random_below(80), found = 0, end;
        int32_t *keys = exact_ints(n), *wanted = exact_ints(m), *out = exact_ints(m);
        end = fill_ascending(keys, n, 1 + round % 7);
        if (round % 2)
            fill_ascending(wanted, m, 1 + round % 5);
        else
            for (int64_t i = 0; i < m; i++) wanted[i] = (int32_t)(random_below(end + 40) - 20);
        int64_t count = tidemill_kernel_locate_int32(keys, n, wanted, m, round % 2, out);
        for (int64_t i = 0; i < m; i++) {
            CHECK(out[i] == oracle_locate(keys, n, wanted[i], round % 2));
            found += out[i] >= 0;
        }
        CHECK(count == found);
        free(keys);
        free(wanted);
        free(out);
    }
}

int main(void)
{
    random_state = check_seed();
    RUN(argsort_orders_keys_of_any_range_and_keeps_equal_ones_in_place);
    RUN(argsort_handles_the_extreme_keys);
    RUN(argsort_of_sorted_keys_is_the_identity);
    RUN(take_gathers_every_width_from_either_base);
    RUN(take_stops_at_the_first_index_outside);
    RUN(groups_hold_their_positions_in_order);
    RUN(a_code_that_is_no_group_is_refused);
    RUN(intersect_finds_each_shared_value_once);
    RUN(locate_finds_first_positions_in_any_order_of_wishes);
    return check_end();
}
