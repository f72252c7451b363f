/* test_order: grouping and lookups against the simplest possible loops.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"

static int32_t *exact_ints(int64_t n)
{
    int32_t *x = exact_copy(NULL, (size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = -777;
    return x;
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

static void sorted_keys_are_told_from_others(void)
{
    int32_t keys[] = {-5, -5, 0, 3, 3, 9};
    CHECK(tidemill_kernel_is_sorted_int32(keys, 6) == 1);
    CHECK(tidemill_kernel_is_sorted_int32(keys, 0) == 1);
    keys[3] = -1;
    CHECK(tidemill_kernel_is_sorted_int32(keys, 6) == 0);
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
    RUN(groups_hold_their_positions_in_order);
    RUN(a_code_that_is_no_group_is_refused);
    RUN(sorted_keys_are_told_from_others);
    RUN(intersect_finds_each_shared_value_once);
    RUN(locate_finds_first_positions_in_any_order_of_wishes);
    return check_end();
}
