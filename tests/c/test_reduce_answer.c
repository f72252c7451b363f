/* test_reduce_answer: answers made of partial results, and what has none.
 * SPDX-License-Identifier: MIT */
#include "reduce_check.h"

static double answer(int32_t kind, int32_t what, const double *x, int64_t n, int64_t ddof)
{
    struct array a = {
        .type = TIDEMILL_FLOAT64, .outer = 1, .n = n, .inner = 1, .x = (char *)(uintptr_t)x};
    double partial[4], out = -1;
    fold(kind, &a, 1, partial);
    CHECK(tidemill_kernel_reduce_finish(kind, what, TIDEMILL_FLOAT64, partial, 1, ddof, &out) ==
          0);
    return out;
}

static void sums_and_means_have_the_bits_of_the_kernels_of_one_series(void)
{
    double *x = exact_doubles(4000);
    for (int64_t n = 0; n <= 4000; n += 1 + random_below(60)) {
        for (int64_t i = 0; i < n; i++) x[i] = made_up(WILD);
        double sum = tidemill_kernel_sum(x, n), mean = tidemill_kernel_mean(x, n);
        double got = answer(TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_SUM, x, n, 0);
        CHECK(same_bits(&sum, &got, 1));
        got = answer(TIDEMILL_REDUCE_MEAN, TIDEMILL_REDUCE_MEAN, x, n, 0);
        CHECK(same_bits(&mean, &got, 1));
    }
    free(x);
}

static void variance_survives_offsets_and_equal_values(void)
{
    enum { N = 5000, COLUMNS = 5 };
    double *x = exact_doubles(N);
    for (int64_t i = 0; i < N; i++) x[i] = 0.1;
    CHECK(answer(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR, x, N, 1) == 0);
    struct array a = {.type = TIDEMILL_FLOAT64,
                      .outer = 1,
                      .n = N / COLUMNS,
                      .inner = COLUMNS,
                      .x = (char *)x};
    double partial[4 * COLUMNS], out[COLUMNS];
    fold(TIDEMILL_REDUCE_NANMOMENTS, &a, 0, partial);
    for (int j = 0; j < COLUMNS; j++) CHECK(partial[2 * COLUMNS + j] == 0);
    for (int64_t i = 0; i < N; i++) x[i] = 1e9 + random_unit();
    double variance = tidemill_kernel_variance(x, N, 1);
    CHECK(is_near(answer(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR, x, N, 1), variance,
                  1e-12));
    CHECK(is_near(answer(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_STD, x, N, 1), sqrt(variance),
                  1e-12));
    /* Columns: one value far from the others, at any place of its block. */
    for (int64_t at = 0; at < 130; at++) {
        for (int64_t i = 0; i < N; i++) x[i] = random_unit();
        x[at * COLUMNS] = 1e9;
        fold(TIDEMILL_REDUCE_MOMENTS, &a, 0, partial);
        CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR,
                                            TIDEMILL_FLOAT64, partial, COLUMNS, 0, out) == 0);
        struct line line = line_of(&a, 0, 0, 0);
        union mill_cell want[4];
        oracle_moments(&line, 0, want);
        CHECK(is_near(out[0], want[2].f / (double)a.n, 1e-12));
        free(line.f);
        free(line.i);
    }
    free(x);
}

enum { WIDE = 19 }; /* columns: more than a register has, and some over */

/* Numbers far apart, by rows, by columns and in two parts: how far is the same to all. */
static double overflowing_variance(int32_t kind, const double *x, int64_t n, int64_t inner,
                                   int64_t first)
{
    double left[4 * WIDE], right[4 * WIDE], out[WIDE];
    struct array a = {.type = TIDEMILL_FLOAT64, .outer = 1, .n = first, .inner = inner};
    a.x = (char *)(uintptr_t)x;
    fold(kind, &a, 1, left);
    a.x = (char *)(uintptr_t)(x + first * inner);
    a.n = n - first;
    fold(kind, &a, 1, right);
    CHECK(tidemill_kernel_reduce_join(kind, TIDEMILL_FLOAT64, left, right, inner) == 0);
    int32_t what = TIDEMILL_REDUCE_VAR | (kind & TIDEMILL_REDUCE_NAN);
    CHECK(tidemill_kernel_reduce_finish(kind, what, TIDEMILL_FLOAT64, left, inner, 0, out) ==
          0);
    return out[0];
}

static void check_overflowing(int64_t n, int64_t inner, double size)
{
    static const int32_t some[] = {TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_NANMOMENTS};
    double *x = exact_doubles(n * inner);
    for (int64_t i = 0; i < n * inner; i++) x[i] = random_below(2) ? size : random_unit();
    x[random_below(n) * inner] = -size;
    x[(n / 2) * inner] = size;
    x[0] = -size;
    int64_t first = random_below(n + 1);
    EACH(some, kind)
    CHECK(overflowing_variance(*kind, x, n, inner, first) == INFINITY);
    if (inner == 1) CHECK(tidemill_kernel_variance(x, n, 1) == INFINITY);
    x[random_below(n) * inner] = random_below(2) ? INFINITY : -INFINITY;
    EACH(some, kind)
    CHECK(isnan(overflowing_variance(*kind, x, n, inner, first)));
    if (inner == 1) CHECK(isnan(tidemill_kernel_variance(x, n, 1)));
    free(x);
}

static void squares_that_overflow_are_infinite_in_any_parts(void)
{
    static const double sizes[] = {1e200, 1e307, 1.7e308};
    EACH_SET(set)
    for (int round = 0; round < 300; round++)
        check_overflowing(2 + random_below(round % 2 ? 5 : 2600),
                          round % 4 == 0 ? WIDE : 1 + round % 2, sizes[round % 3]);
}

static void answers_have_their_types(void)
{
    int32_t x[] = {3, -1, 2};
    double partial[4], scratch[2000];
    int64_t position;
    int32_t least;
    double mean;
    tidemill_kernel_reduce(TIDEMILL_REDUCE_ARGMIN, TIDEMILL_INT32, x, 1, 3, 1, 1, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_ARGMIN, TIDEMILL_REDUCE_ARGMIN,
                                        TIDEMILL_INT32, partial, 1, 0, &position) == 0);
    CHECK(position == 2);
    tidemill_kernel_reduce(TIDEMILL_REDUCE_MIN, TIDEMILL_INT32, x, 1, 3, 1, 1, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MIN, TIDEMILL_REDUCE_MIN,
                                        TIDEMILL_INT32, partial, 1, 0, &least) == 0);
    CHECK(least == -1);
    tidemill_kernel_reduce(TIDEMILL_REDUCE_MEAN, TIDEMILL_INT32, x, 1, 3, 1, 1, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MEAN, TIDEMILL_REDUCE_MEAN,
                                        TIDEMILL_INT32, partial, 1, 0, &mean) == 0);
    CHECK(mean == 4.0 / 3);
    float f[] = {0.1f, 0.2f}, sum;
    tidemill_kernel_reduce(TIDEMILL_REDUCE_SUM, TIDEMILL_FLOAT32, f, 1, 2, 1, 0, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_SUM,
                                        TIDEMILL_FLOAT32, partial, 1, 0, &sum) == 0);
    CHECK(sum == (float)((double)f[0] + (double)f[1]));
}

static void nothing_has_a_sum_and_no_least(void)
{
    double partial[4], scratch[2000], out;
    static const struct {
        int32_t kind, what;
        int64_t result;
        double out;
    } cases[] = {
        {TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_SUM, 0, 0},
        {TIDEMILL_REDUCE_PROD, TIDEMILL_REDUCE_PROD, 0, 1},
        {TIDEMILL_REDUCE_MEAN, TIDEMILL_REDUCE_MEAN, 0, NAN},
        {TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_MEAN, 0, NAN},
        {TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR, 0, NAN},
        {TIDEMILL_REDUCE_MIN, TIDEMILL_REDUCE_MIN, -1, 0},
        {TIDEMILL_REDUCE_NANMAX, TIDEMILL_REDUCE_NANMAX, 0, NAN},
        {TIDEMILL_REDUCE_NANARGMAX, TIDEMILL_REDUCE_NANARGMAX, -1, 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tidemill_kernel_reduce(cases[k].kind, TIDEMILL_FLOAT64, NULL, 1, 0, 1, 0, partial,
                               scratch);
        int64_t result = tidemill_kernel_reduce_finish(cases[k].kind, cases[k].what,
                                                       TIDEMILL_FLOAT64, partial, 1, 0, &out);
        CHECK_SAYING(result == cases[k].result, "kind %d", cases[k].kind);
        if (result == 0) CHECK(is_near(out, cases[k].out, 0));
    }
}

static void what_does_not_go_together_is_refused(void)
{
    double partial[4] = {0}, scratch[2000];
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_SUM, TIDEMILL_DATE) == -1);
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_MIN, TIDEMILL_DATE) == 2);
    CHECK(tidemill_kernel_reduce_planes(99, TIDEMILL_FLOAT64) == -1);
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_ANY | TIDEMILL_REDUCE_NAN,
                                        TIDEMILL_FLOAT64) == -1);
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_SUM, 3) == -1);
    CHECK(tidemill_kernel_reduce_scratch(TIDEMILL_REDUCE_SUM, TIDEMILL_INT32, -1, 1, 1) == -1);
    CHECK(tidemill_kernel_reduce(TIDEMILL_REDUCE_SUM, TIDEMILL_FLOAT64, scratch, 1, -1, 1, 0,
                                 partial, scratch) == -1);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_MEAN,
                                        TIDEMILL_FLOAT64, partial, 1, 0, scratch) == -1);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_NANVAR,
                                        TIDEMILL_FLOAT64, partial, 1, 0, scratch) == -1);
    CHECK(tidemill_kernel_reduce_kind(TIDEMILL_REDUCE_NANSTD) == TIDEMILL_REDUCE_NANMOMENTS);
    CHECK(tidemill_kernel_reduce_type(TIDEMILL_REDUCE_STD, TIDEMILL_BOOL) == TIDEMILL_FLOAT64);
}

int main(void)
{
    random_state = check_seed();
    RUN(sums_and_means_have_the_bits_of_the_kernels_of_one_series);
    RUN(variance_survives_offsets_and_equal_values);
    RUN(squares_that_overflow_are_infinite_in_any_parts);
    RUN(answers_have_their_types);
    RUN(nothing_has_a_sum_and_no_least);
    RUN(what_does_not_go_together_is_refused);
    return check_end();
}
