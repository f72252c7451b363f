/* test_merge: any part of merged runs, and the buckets between splitters, against the whole
 * sorted at once: chunks and workers do not show in the bits.
 * SPDX-License-Identifier: MIT */
#include "order_check.h"

enum { MOST_RUNS = 9 };

/* A list of n values in runs of random lengths. */
struct chunks {
    int64_t type, size, n, runs, lengths[MOST_RUNS];
    char *values;
    const void *parts[MOST_RUNS];
};

static struct chunks random_chunks(int64_t type, int pattern, int64_t most)
{
    struct chunks c = {
        .type = type, .size = size_of(type), .runs = 1 + random_below(MOST_RUNS)};
    for (int64_t p = 0; p < c.runs; p++) {
        c.lengths[p] = random_below(4) ? random_below(most) : 0;
        c.n += c.lengths[p];
    }
    c.values = made_values(type, pattern, c.n);
    char *at = c.values;
    for (int64_t p = 0; p < c.runs; p++) {
        c.parts[p] = at;
        at += c.lengths[p] * c.size;
    }
    return c;
}

/* The whole list sorted, in memory of its exact size. */
static char *sorted_whole(const struct chunks *c)
{
    char *out = exact_copy(NULL, (size_t)(c->n * c->size));
    char *scratch = exact_copy(NULL, (size_t)(c->n * c->size));
    CHECK(tidemill_kernel_sort(c->type, c->values, 1, c->n, 0, scratch, out) == 0);
    free(scratch);
    return out;
}

static void sort_chunks(struct chunks *c)
{
    char *sorted = exact_copy(NULL, (size_t)(c->n * c->size));
    char *scratch = exact_copy(NULL, (size_t)(c->n * c->size)), *at = sorted;
    for (int64_t p = 0; p < c->runs; p++) {
        tidemill_kernel_sort(c->type, c->parts[p], 1, c->lengths[p], 0, scratch, at);
        c->parts[p] = at;
        at += c->lengths[p] * c->size;
    }
    free(scratch);
    free(c->values);
    c->values = sorted;
}

static void check_range(const struct chunks *c, const char *whole, int64_t from, int64_t to)
{
    char *scratch = c->runs > 2 ? exact_copy(NULL, (size_t)((to - from) * c->size)) : NULL;
    char *out = exact_copy(NULL, (size_t)((to - from) * c->size));
    int64_t *cuts = exact_copy(NULL, (size_t)(2 * c->runs) * sizeof *cuts);
    CHECK(tidemill_kernel_merge(c->type, c->runs, c->parts, c->lengths, from, to, cuts, scratch,
                                out) == 0);
    CHECK_SAYING(!memcmp(out, whole + from * c->size, (size_t)((to - from) * c->size)),
                 "type %d, %d runs, %d..%d of %d", (int)c->type, (int)c->runs, (int)from,
                 (int)to, (int)c->n);
    free(scratch);
    free(out);
    free(cuts);
}

static void any_part_of_a_merge_has_the_bits_of_the_whole(void)
{
    for (int round = 0; round < 1500; round++) {
        struct chunks c = random_chunks(types[round % TYPES], round % PATTERNS, 70);
        char *whole = sorted_whole(&c);
        sort_chunks(&c);
        int64_t from = random_below(c.n + 1), to = from + random_below(c.n - from + 1);
        check_range(&c, whole, from, to);
        check_range(&c, whole, 0, c.n);
        free(whole);
        free(c.values);
    }
}

static void cuts_are_those_of_the_stable_order(void)
{
    for (int round = 0; round < 500; round++) {
        struct chunks c = random_chunks(types[round % TYPES], 1 + round % 2, 20);
        sort_chunks(&c);
        int64_t *order = oracle(c.type, c.values, c.n, 0), rank = random_below(c.n + 1);
        int64_t cuts[MOST_RUNS], expected[MOST_RUNS] = {0};
        for (int64_t i = 0; i < rank; i++) {
            int64_t p = 0, first = 0;
            while (order[i] - first >= c.lengths[p]) first += c.lengths[p++];
            expected[p]++;
        }
        CHECK(tidemill_kernel_merge_cut(c.type, c.runs, c.parts, c.lengths, rank, cuts) == 0);
        for (int64_t p = 0; p < c.runs; p++) CHECK(cuts[p] == expected[p]);
        free(order);
        free(c.values);
    }
}

/* Splits each chunk, sorts each bucket, and compares what stands in a row then. */
static void check_buckets(const struct chunks *c, const void *splitters, int64_t ns)
{
    char *whole = sorted_whole(c), *expected = whole;
    int64_t counts[MOST_RUNS][64];
    char *pieces[MOST_RUNS];
    for (int64_t p = 0; p < c->runs; p++) {
        void *outs[64];
        int64_t n = c->lengths[p];
        pieces[p] = exact_copy(NULL, (size_t)(n * c->size));
        CHECK(!tidemill_kernel_split_count(c->type, c->parts[p], n, splitters, ns, counts[p]));
        char *at = pieces[p];
        for (int64_t b = 0; b <= ns; at += counts[p][b++] * c->size) outs[b] = at;
        CHECK(!tidemill_kernel_split(c->type, c->parts[p], n, splitters, ns, outs));
    }
    for (int64_t b = 0; b <= ns; b++) {
        const void *parts[MOST_RUNS];
        int64_t lengths[MOST_RUNS], n = 0;
        for (int64_t p = 0; p < c->runs; p++) {
            parts[p] = pieces[p];
            for (int64_t k = 0; k < b; k++)
                parts[p] = (const char *)parts[p] + counts[p][k] * c->size;
            lengths[p] = counts[p][b];
            n += lengths[p];
        }
        char *out = exact_copy(NULL, (size_t)(n * c->size));
        char *scratch = exact_copy(NULL, (size_t)(n * c->size));
        CHECK(!tidemill_kernel_sort_parts(c->type, c->runs, parts, lengths, 0, scratch, out));
        CHECK_SAYING(!memcmp(out, expected, (size_t)(n * c->size)), "type %d, bucket %d of %d",
                     (int)c->type, (int)b, (int)ns);
        expected += n * c->size;
        free(out);
        free(scratch);
    }
    CHECK(expected == whole + c->n * c->size);
    for (int64_t p = 0; p < c->runs; p++) free(pieces[p]);
    free(whole);
}

static void sorted_buckets_in_a_row_are_the_sorted_whole(void)
{
    for (int round = 0; round < 600; round++) {
        struct chunks c = random_chunks(types[round % TYPES], round % PATTERNS, 400);
        int64_t ns = round % 3 ? random_below(20) : 1;
        if (c.n > 0) {
            char *sample = exact_copy(NULL, (size_t)(ns * c.size));
            char *splitters = exact_copy(NULL, (size_t)(ns * c.size));
            char *scratch = exact_copy(NULL, (size_t)(ns * c.size));
            CHECK(!tidemill_kernel_sample(c.type, c.values, c.n, ns, sample));
            tidemill_kernel_sort(c.type, sample, 1, ns, 0, scratch, splitters);
            EACH_SET(set) check_buckets(&c, splitters, ns);
            free(sample);
            free(splitters);
            free(scratch);
        }
        free(c.values);
    }
}

static void a_descending_sort_of_parts_is_that_of_the_whole(void)
{
    for (int round = 0; round < 300; round++) {
        struct chunks c = random_chunks(types[round % TYPES], round % PATTERNS, 300);
        char *out = exact_copy(NULL, (size_t)(c.n * c.size));
        char *scratch = exact_copy(NULL, (size_t)(c.n * c.size));
        int64_t *expected = oracle(c.type, c.values, c.n, 1);
        tidemill_kernel_sort_parts(c.type, c.runs, c.parts, c.lengths, 1, scratch, out);
        for (int64_t i = 0; i < c.n; i++)
            CHECK(is_value(c.type, c.values, expected[i], out, i));
        free(out);
        free(scratch);
        free(expected);
        free(c.values);
    }
}

static void a_sample_has_one_value_of_each_stretch(void)
{
    int32_t x[1000], out[1000];
    for (int i = 0; i < 1000; i++) x[i] = i;
    for (int64_t m = 1; m <= 1000; m += 37) {
        CHECK(tidemill_kernel_sample(TIDEMILL_INT32, x, 1000, m, out) == 0);
        for (int64_t i = 0; i < m; i++)
            CHECK(out[i] >= 1000 * i / m - 1 && out[i] <= 1000 * (i + 1) / m);
    }
    CHECK(tidemill_kernel_sample(TIDEMILL_INT32, x, 0, 1, out) == -1);
    CHECK(tidemill_kernel_sample(TIDEMILL_INT32, x, 0, 0, out) == 0);
    CHECK(tidemill_kernel_sample(TIDEMILL_INT32, x, 2, 5, out) == 0); /* some come twice */
}

static void a_nan_of_any_kind_becomes_the_one_nan(void)
{
    double a[] = {1, -NAN}, b[] = {2, -NAN}, out[4], nan = __builtin_nan("");
    const void *parts[] = {a, b};
    int64_t lengths[] = {2, 2}, cuts[4];
    CHECK(!tidemill_kernel_merge(TIDEMILL_FLOAT64, 2, parts, lengths, 0, 4, cuts, NULL, out));
    CHECK(out[0] == 1 && out[1] == 2);
    CHECK(same_bits(out + 2, &nan, 1) && same_bits(out + 3, &nan, 1));
}

static void ranges_outside_and_unknown_types_are_refused(void)
{
    double x[] = {1, 2}, out[2] = {9, 9};
    const void *parts[] = {x};
    int64_t lengths[] = {2}, cuts[2];
    CHECK(tidemill_kernel_merge(TIDEMILL_FLOAT64, 1, parts, lengths, 1, 3, cuts, NULL, out) ==
          -1);
    CHECK(tidemill_kernel_merge(TIDEMILL_FLOAT64, 1, parts, lengths, 2, 1, cuts, NULL, out) ==
          -1);
    CHECK(tidemill_kernel_merge(3, 1, parts, lengths, 0, 2, cuts, NULL, out) == -1);
    CHECK(tidemill_kernel_merge_cut(TIDEMILL_FLOAT64, 1, parts, lengths, -1, cuts) == -1);
    CHECK(tidemill_kernel_sort_parts(3, 1, parts, lengths, 0, NULL, out) == -1);
    CHECK(tidemill_kernel_split(3, x, 2, x, 1, NULL) == -1);
    CHECK(out[0] == 9);
    CHECK(tidemill_kernel_merge(TIDEMILL_FLOAT64, 0, NULL, NULL, 0, 0, cuts, NULL, out) == 0);
}

int main(void)
{
    random_state = check_seed();
    RUN(any_part_of_a_merge_has_the_bits_of_the_whole);
    RUN(cuts_are_those_of_the_stable_order);
    RUN(sorted_buckets_in_a_row_are_the_sorted_whole);
    RUN(a_descending_sort_of_parts_is_that_of_the_whole);
    RUN(a_sample_has_one_value_of_each_stretch);
    RUN(a_nan_of_any_kind_becomes_the_one_nan);
    RUN(ranges_outside_and_unknown_types_are_refused);
    return check_end();
}
