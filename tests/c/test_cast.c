/* test_cast: every pair of types against an oracle, and each instruction set against the plain
 * bodies; what is refused, and where.
 * SPDX-License-Identifier: MIT */
#include "elementwise_check.h"

#define EACH_PAIR(from, to)                                                                    \
    for (int f__ = 0, from; f__ < TYPES && (from = all_types[f__], 1); f__++)                  \
        for (int t__ = 0, to; t__ < TYPES && (to = all_types[t__], 1); t__++)

/* ---- An oracle, written as kernels/elementwise.h says it -------------------------------------- */

static const exact DAY = 86400000000;

static exact whole_days(exact microseconds)
{
    exact days = (int64_t)(microseconds / DAY);
    return days * DAY > microseconds ? days - 1 : days;
}

/* 0 when the new type cannot hold p. */
static int oracle(int32_t from, int32_t to, exact p, exact *value)
{
    *value = p;
    if (from == to || is_float(to)) return 1;
    if (to == TIDEMILL_BOOL) {
        *value = p != 0;
        return 1;
    }
    if (from == TIDEMILL_DATE && to == TIDEMILL_TIMESTAMP) *value = p * DAY;
    if (from == TIDEMILL_TIMESTAMP && to == TIDEMILL_DATE) *value = whole_days(p);
    /* Toward zero: what lies between the limits and the next whole numbers outside fits. */
    return *value > (exact)least_of(to) - 1 && *value < (exact)greatest_of(to) + 1;
}

/* A column that casts without refusal: each element is drawn until it does. */
static void *castable_column(int32_t from, int32_t to, int64_t n)
{
    void *x = random_column(from, n, 1);
    exact value;
    for (int64_t i = 0; i < n; i++)
        while (!oracle(from, to, get(from, x, i), &value)) put_random(from, x, i, 1);
    return x;
}

static void check_pair(int32_t from, int32_t to)
{
    enum { N = 1500 };
    for (int64_t i = 0; i < N; i++) {
        void *x = random_column(from, 1, 1), *out = exact_copy(NULL, size_of(to));
        void *expected = exact_copy(NULL, size_of(to));
        exact value;
        int fits = oracle(from, to, get(from, x, 0), &value);
        if (fits) put(to, expected, 0, value);
        int64_t got = tidemill_kernel_cast(from, to, x, out, 1);
        CHECK_SAYING(got == fits && (!fits || same_element(to, out, expected, 0)),
                     "%d to %d: %.17g gave %.17g, %d", from, to, (double)get(from, x, 0),
                     (double)get(to, out, 0), (int)got);
        free(x);
        free(out);
        free(expected);
    }
}

static void plain_casts_do_what_the_header_says(void)
{
    CHECK(tidemill_kernel_isa_select("plain") == 0);
    EACH_PAIR(from, to)
    check_pair(from, to);
    tidemill_kernel_isa_select(NULL);
}

/* ---- Limits ------------------------------------------------------------------------------------ */

static int double_fits(int32_t to, double value)
{
    int64_t out;
    return (int)tidemill_kernel_cast(TIDEMILL_FLOAT64, to, &value, &out, 1);
}

static void floats_fit_up_to_the_last_one_that_is_cut_to_a_limit(void)
{
    EACH_SET(set)
    {
        CHECK(double_fits(TIDEMILL_INT32, nextafter(0x1p31, 0)) &&
              double_fits(TIDEMILL_INT32, nextafter(-0x1p31 - 1, 0)));
        CHECK(!double_fits(TIDEMILL_INT32, 0x1p31) &&
              !double_fits(TIDEMILL_INT32, -0x1p31 - 1));
        CHECK(double_fits(TIDEMILL_INT64, nextafter(0x1p63, 0)) &&
              double_fits(TIDEMILL_INT64, -0x1p63));
        CHECK(!double_fits(TIDEMILL_INT64, 0x1p63) &&
              !double_fits(TIDEMILL_INT64, nextafter(-0x1p63, -INFINITY)));
        CHECK(double_fits(TIDEMILL_UINT8, -0.75) && double_fits(TIDEMILL_UINT8, 255.75));
        CHECK(!double_fits(TIDEMILL_UINT8, -1) && !double_fits(TIDEMILL_UINT8, 256));
        CHECK(!double_fits(TIDEMILL_INT32, NAN) && !double_fits(TIDEMILL_INT64, INFINITY));
        CHECK(double_fits(TIDEMILL_BOOL, NAN) && double_fits(TIDEMILL_FLOAT32, NAN));
    }
}

static void dates_and_timestamps_know_each_other(void)
{
    int32_t days[] = {0, 1, -1, 106751991, -106751991}, back[5];
    int64_t times[5], just_before = -1;
    int32_t beyond[] = {0, 106751992};
    CHECK(tidemill_kernel_cast(TIDEMILL_DATE, TIDEMILL_TIMESTAMP, days, times, 5) == 5);
    CHECK(times[1] == 86400000000 && times[2] == -86400000000);
    CHECK(tidemill_kernel_cast(TIDEMILL_TIMESTAMP, TIDEMILL_DATE, times, back, 5) == 5);
    CHECK(memcmp(days, back, sizeof days) == 0);
    CHECK(tidemill_kernel_cast(TIDEMILL_TIMESTAMP, TIDEMILL_DATE, &just_before, back, 1) == 1);
    CHECK(back[0] == -1);
    CHECK(tidemill_kernel_cast(TIDEMILL_DATE, TIDEMILL_TIMESTAMP, beyond, times, 2) == 1);
}

/* ---- Each instruction set ---------------------------------------------------------------------- */

static void check_sets(int32_t from, int32_t to, int64_t n)
{
    size_t size = (size_t)n * size_of(to);
    char *room = exact_copy(NULL, (size_t)(n + 1) * size_of(from)), *x = room + size_of(from);
    void *column = castable_column(from, to, n);
    if (n > 0) memcpy(x, column, (size_t)n * size_of(from));
    char *plain = exact_copy(NULL, size), *out = exact_copy(NULL, size);
    EACH_SET(set)
    {
        memset(out, 0x55, size);
        CHECK(tidemill_kernel_cast(from, to, x, out, n) == n);
        if (set == 0) memcpy(plain, out, size);
        CHECK_SAYING(memcmp(plain, out, size) == 0, "%s: %d to %d n %d", kernel_sets[set], from,
                     to, (int)n);
        if (size_of(from) != size_of(to)) continue;
        char *same = exact_copy(x, size);
        CHECK(tidemill_kernel_cast(from, to, same, same, n) == n);
        CHECK_SAYING(memcmp(plain, same, size) == 0, "%s: %d to %d n %d in place",
                     kernel_sets[set], from, to, (int)n);
        free(same);
    }
    free(room);
    free(column);
    free(plain);
    free(out);
}

static void every_set_gives_the_plain_bits_at_every_length(void)
{
    EACH_PAIR(from, to)
    {
        for (int64_t n = 0; n <= 257; n++) check_sets(from, to, n);
        check_sets(from, to, 1024 + random_below(3000));
    }
}

/* Something that `to` does not hold: no number, far outside, or the first one outside. */
static exact bad_element(int32_t from, int32_t to)
{
    exact above = (exact)greatest_of(to) + 1, below = (exact)least_of(to) - 1;
    int64_t which = random_below(is_float(from) ? 4 : 2);
    if (which == 2) return NAN;
    if (which == 3) return 1e30;
    if (from == TIDEMILL_FLOAT32 && size_of(to) > 1) below = least_of(to) * (exact)1.0000003;
    if (to == TIDEMILL_INT64) below = -0x1.00001p63; /* the limit less 1 is no float */
    return which ? above : below;
}

/* One element that does not fit, at any place; a second one behind it does not count. */
static void check_refusal(int32_t from, int32_t to, int64_t n, int64_t at)
{
    char *x = castable_column(from, to, n);
    void *out = exact_copy(NULL, (size_t)n * size_of(to));
    put(from, x, at, bad_element(from, to));
    if (at + 1 < n) put(from, x, at + 1 + random_below(n - at - 1), bad_element(from, to));
    EACH_SET(set)
    {
        int64_t got = tidemill_kernel_cast(from, to, x, out, n);
        CHECK_SAYING(got == at, "%s: %d to %d n %d at %d: %.17g, %d", kernel_sets[set], from,
                     to, (int)n, (int)at, (double)get(from, x, at), (int)got);
    }
    free(x);
    free(out);
}

static void the_first_element_refused_is_told(void)
{
    static const int32_t from[] = {TIDEMILL_FLOAT64, TIDEMILL_FLOAT32, TIDEMILL_INT64,
                                   TIDEMILL_INT32};
    static const int32_t to[] = {TIDEMILL_INT64, TIDEMILL_INT32, TIDEMILL_UINT8};
    for (int pair = 0; pair < 12; pair++) {
        int32_t f = from[pair / 3], t = to[pair % 3];
        if (!is_float(f) && size_of(f) <= size_of(t)) continue;
        for (int64_t n = 1; n <= 100; n++)
            for (int round = 0; round < 4; round++) check_refusal(f, t, n, random_below(n));
        check_refusal(f, t, 3000, 2000 + random_below(1000));
    }
}

static void unknown_types_are_refused(void)
{
    double x = 1, out = 9;
    CHECK(tidemill_kernel_cast(TIDEMILL_FLOAT64, 2, &x, &out, 1) == -1);
    CHECK(tidemill_kernel_cast(0, TIDEMILL_FLOAT64, &x, &out, 1) == -1);
    CHECK(tidemill_kernel_cast(-5, 1000, &x, &out, 1) == -1);
    CHECK(tidemill_kernel_cast(TIDEMILL_FLOAT64, TIDEMILL_FLOAT64, &x, &out, -1) == -1);
    CHECK(mill_cast_find(99, TIDEMILL_BOOL) == NULL && out == 9);
}

int main(void)
{
    random_state = check_seed();
    RUN(plain_casts_do_what_the_header_says);
    RUN(floats_fit_up_to_the_last_one_that_is_cut_to_a_limit);
    RUN(dates_and_timestamps_know_each_other);
    RUN(every_set_gives_the_plain_bits_at_every_length);
    RUN(the_first_element_refused_is_told);
    RUN(unknown_types_are_refused);
    return check_end();
}
