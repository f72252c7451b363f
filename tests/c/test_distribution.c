/* test_distribution: what is drawn from the words of a stream, each against the sentence of
 * random.h, in any parts, with every instruction set; and simple statistics with fixed seeds.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/random_bodies.h"

/* Each kind and type there is, with parameters that do not go unnoticed. */
static const struct draw_case {
    int32_t kind, type;
    int size;
    double a, b;
} draw_cases[] = {
    {TIDEMILL_UNIFORM, TIDEMILL_FLOAT64, 8, 0, 1},
    {TIDEMILL_UNIFORM, TIDEMILL_FLOAT64, 8, -3, 4},
    {TIDEMILL_UNIFORM, TIDEMILL_FLOAT32, 4, 0, 1},
    {TIDEMILL_UNIFORM, TIDEMILL_FLOAT32, 4, -3, 4},
    {TIDEMILL_NORMAL, TIDEMILL_FLOAT64, 8, 10, 3},
    {TIDEMILL_NORMAL, TIDEMILL_FLOAT32, 4, 10, 3},
    {TIDEMILL_LOGNORMAL, TIDEMILL_FLOAT64, 8, 0.5, 2},
    {TIDEMILL_EXPONENTIAL, TIDEMILL_FLOAT64, 8, 5, 0},
    {TIDEMILL_INTEGERS, TIDEMILL_INT64, 8, -4e15, 4e15},
    {TIDEMILL_INTEGERS, TIDEMILL_INT32, 4, -0x40000000, 0x40000000}, /* half are tried again */
    {TIDEMILL_BERNOULLI, TIDEMILL_BOOL, 1, 0.3, 0},
};
enum { DRAW_CASES = sizeof draw_cases / sizeof *draw_cases };

static void check_parts(const struct draw_case *draw, uint64_t start)
{
    enum { N = 2500 };
    static char whole[8 * N];
    mill_random_body *body = mill_random_find(draw->kind, draw->type);
    tidemill_kernel_isa_select("plain");
    body(42, 1ull << 60, start, N, draw->a, draw->b, whole);
    EACH_SET(set)
    for (int64_t k = 0; k <= 270; k++) {
        int64_t n = k <= 257 ? k : 1000 + random_below(1500), first = random_below(N - n + 1);
        size_t bytes = (size_t)(n * draw->size);
        char *part = exact_copy(NULL, bytes);
        body(42, 1ull << 60, start + (uint64_t)first, n, draw->a, draw->b, part);
        CHECK_SAYING(memcmp(part, whole + first * draw->size, bytes) == 0,
                     "kind %d type %d: %d from %d with %s", draw->kind, draw->type, (int)n,
                     (int)first, kernel_sets[set]);
        free(part);
    }
}

static void any_part_drawn_anywhere_has_the_same_bits(void)
{
    static const uint64_t starts[] = {0, 0x1ffffffffull - 1500, (1ull << 62) + 3};
    for (int d = 0; d < DRAW_CASES; d++)
        for (int s = 0; s < 3; s++) check_parts(draw_cases + d, starts[s]);
}

static void there_is_no_body_for_what_is_not_there(void)
{
    CHECK(!mill_random_find(0, TIDEMILL_FLOAT64));
    CHECK(!mill_random_find(TIDEMILL_BERNOULLI, TIDEMILL_FLOAT64));
    CHECK(!mill_random_find(TIDEMILL_INTEGERS, TIDEMILL_DATE));
}

/* ---- the sentences of random.h ----------------------------------------------------------- */

enum { N = 20000 };
static double unit[N], x[N];
static uint32_t words[2 * N];

static void draw_words(uint64_t stream)
{
    tidemill_kernel_philox(7, stream, 0, 2 * N, words);
    tidemill_kernel_uniform(7, stream, 0, N, unit);
}

static void doubles_are_made_of_uniform_ones(void)
{
    draw_words(1);
    tidemill_kernel_random_uniform(7, 1, 0, N, -2, 6, x);
    for (int i = 0; i < N; i++) CHECK(x[i] == -2 + 8 * unit[i]);
    tidemill_kernel_random_normal(7, 1, 0, N, 5, 2, x);
    for (int i = 0; i < N; i += 2) {
        long double length = sqrtl(-2 * logl(1 - unit[i])), turn = acosl(-1) * 2 * unit[i + 1];
        CHECK(fabsl(x[i] - (5 + 2 * length * cosl(turn))) < 1e-14);
        CHECK(fabsl(x[i + 1] - (5 + 2 * length * sinl(turn))) < 1e-14);
    }
    tidemill_kernel_random_exponential(7, 1, 0, N, 3, x);
    for (int i = 0; i < N; i++) CHECK(is_near(x[i], -3 * logl(1 - unit[i]), 4e-16));
    static double normal[N];
    tidemill_kernel_random_normal(7, 1, 0, N, 0.5, 2, normal);
    tidemill_kernel_random_lognormal(7, 1, 0, N, 0.5, 2, x);
    for (int i = 0; i < N; i++) CHECK(is_near(x[i], expl(normal[i]), 2.3e-16));
}

static void floats_are_made_of_one_word_each(void)
{
    static float y[N];
    draw_words(2);
    tidemill_kernel_random_uniform_f32(7, 2, 0, N, 0, 1, y);
    for (int i = 0; i < N; i++) CHECK(y[i] == ldexpf((float)(words[i] >> 8), -24));
    tidemill_kernel_random_uniform_f32(7, 2, 0, N, -2, 6, y);
    for (int i = 0; i < N; i++) CHECK(y[i] == -2 + 8 * ldexpf((float)(words[i] >> 8), -24));
    tidemill_kernel_random_normal_f32(7, 2, 0, N, 0, 1, y);
    for (int i = 0; i < N; i += 2) {
        double length = sqrt(-2 * log(ldexp(words[i] + 1.0, -32)));
        double turn = 2 * M_PI * ldexp(words[i + 1], -32);
        CHECK(fabs(y[i] - length * cos(turn)) < 1e-6 * (1 + length) / length);
        CHECK(fabs(y[i + 1] - length * sin(turn)) < 1e-6 * (1 + length) / length);
    }
}

static void the_outermost_words_give_finite_numbers(void)
{
    uint64_t numbers[4] = {0, 0xffffffff, 0x40000000ull << 32, 0xffffffff00000000};
    EACH_SET(set)
    {
        float y[8];
        mill_random()->normal_f32(numbers, 4, 0, 1, y);
        CHECK(fabsf(y[0] - 6.66f) < 0.01f && y[1] == 0 && y[2] == 0 && y[3] == 0);
        CHECK(y[4] == 0 && fabsf(y[5] - 6.66f) < 0.01f && fabsf(y[6] - 6.66f) < 0.01f);
        double most = 1 - 0x1p-53, z[4] = {0, 0.5, most, 0}, e[2] = {0, most};
        mill_random()->normal(z, 2, 0, 1);
        CHECK(z[0] == 0 && z[1] == 0 && fabs(z[2] - 8.572) < 0.001 && z[3] == 0);
        mill_random()->exponential(e, 2, 1);
        CHECK(e[0] == 0 && !signbit(e[0]) && fabs(e[1] - 36.737) < 0.001);
    }
}

/* Try after try, each with the words of another seed. */
static int64_t integer_oracle(uint64_t seed, uint64_t i, int64_t low, int64_t high, int bits)
{
    unsigned __int128 span = (unsigned __int128)((__int128)high - low + 1);
    unsigned __int128 all = (unsigned __int128)1 << bits, product;
    for (;; seed += 0x9E3779B97F4A7C15u) {
        uint32_t word[2];
        tidemill_kernel_philox(seed, 3, bits == 64 ? 2 * i : i, 2, word);
        product = (bits == 64 ? (uint64_t)word[1] << 32 | word[0] : word[0]) * span;
        if (product % all >= all % span) return (int64_t)(low + (__int128)(product / all));
    }
}

static void integers_are_tried_until_they_are_even(void)
{
    static const int64_t ranges[][2] = {
        {1, 6},         {5, 5},         {-3, 0x3fffffff},           {INT32_MIN, INT32_MAX},
        {0, -1},        {INT32_MIN, 0}, {INT64_MIN, INT64_MAX - 1}, {-1, INT64_MAX},
        {0, 1ll << 62},
    };
    enum { COUNT = 200 };
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        int64_t low = ranges[r][0], high = ranges[r][1], y[COUNT] = {77};
        int64_t answer = tidemill_kernel_random_integers_i64(9, 3, 5, COUNT, low, high, y);
        CHECK(answer == (high < low ? -1 : 0));
        if (high < low) CHECK(y[0] == 77);
        for (int i = 0; i < COUNT && low <= high; i++)
            CHECK(y[i] == integer_oracle(9, (uint64_t)i + 5, low, high, 64));
        if (low < INT32_MIN || high > INT32_MAX) continue;
        int32_t z[COUNT] = {77};
        answer =
            tidemill_kernel_random_integers_i32(9, 3, 5, COUNT, (int32_t)low, (int32_t)high, z);
        CHECK(answer == (high < low ? -1 : 0));
        for (int i = 0; i < COUNT && low <= high; i++)
            CHECK(z[i] == integer_oracle(9, (uint64_t)i + 5, low, high, 32));
    }
    int64_t any[2], number[2];
    CHECK(tidemill_kernel_random_integers_i64(9, 3, 4, 2, INT64_MIN, INT64_MAX, any) == 0);
    tidemill_kernel_philox(9, 3, 8, 4, (uint32_t *)number);
    for (int i = 0; i < 2; i++) CHECK((uint64_t)any[i] == (uint64_t)number[i] + (1ull << 63));
}

/* ---- choice and order -------------------------------------------------------------------- */

static void choices_fall_where_the_weights_say(void)
{
    static const double weights[] = {0, 1, 0, 3, 0.5, 0, 0};
    double cumulative[7];
    int64_t y[1000];
    CHECK(tidemill_kernel_choice_table(weights, 7, cumulative) == 0);
    tidemill_kernel_uniform(3, 4, 11, 1000, unit);
    tidemill_kernel_random_choice(3, 4, 11, 1000, cumulative, 7, 100, y);
    for (int i = 0; i < 1000; i++) {
        double at = unit[i] * 4.5;
        CHECK(y[i] == (at < 1 ? 101 : at < 4 ? 103 : 104));
    }
    for (int64_t length = 1; length <= 70; length++) {
        double even[70], sums[70];
        for (int i = 0; i < length; i++) even[i] = 1;
        tidemill_kernel_choice_table(even, length, sums);
        tidemill_kernel_random_choice(3, 4, 11, 1000, sums, length, 0, y);
        for (int i = 0; i < 1000; i++) CHECK(y[i] == (int64_t)(unit[i] * (double)length));
    }
}

static void weights_that_are_none_are_refused(void)
{
    double cumulative[2] = {7, 7};
    double bad[][2] = {{-1, 2}, {NAN, 1}, {INFINITY, 1}, {0, 0}, {1e308, 1e308}, {1, -0.5}};
    for (int i = 0; i < 6; i++)
        CHECK(tidemill_kernel_choice_table(bad[i], 2, cumulative) == -1 && cumulative[0] == 7);
    CHECK(tidemill_kernel_choice_table(bad[0], 0, cumulative) == -1);
}

static void a_permutation_is_the_swaps_of_its_integers(void)
{
    for (int64_t length = 0; length <= 1100; length += 1 + length / 8) {
        int64_t *order = exact_copy(NULL, (size_t)length * sizeof *order);
        int64_t *expected = exact_copy(NULL, (size_t)length * sizeof *order);
        for (int64_t i = 0; i < length; i++) expected[i] = 1 + i;
        for (int64_t i = 0; i < length; i++) {
            int64_t j = i + integer_oracle(5, (uint64_t)i, 0, length - 1 - i, 64);
            int64_t kept = expected[i];
            expected[i] = expected[j], expected[j] = kept;
        }
        EACH_SET(set)
        {
            CHECK(tidemill_kernel_random_permutation(5, 3, length, 1, order) == 0);
            CHECK(memcmp(order, expected, (size_t)length * sizeof *order) == 0);
        }
        int64_t n = random_below(length + 1), *part = exact_copy(NULL, (size_t)n * 8);
        CHECK(tidemill_kernel_random_sample(5, 3, length, n, 1, order, part) == 0);
        CHECK(memcmp(part, expected, (size_t)n * 8) == 0);
        CHECK(tidemill_kernel_random_sample(5, 3, length, length + 1, 1, order, part) == -1);
        free(part);
        free(order);
        free(expected);
    }
    CHECK(tidemill_kernel_random_permutation(5, 3, -1, 1, NULL) == -1);
}

/* ---- statistics: fixed seeds, so the answers are fixed too ------------------------------- */

static int ascending(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Kolmogorov and Smirnov: sqrt(N) times the largest distance exceeds 2 by chance once in 1,500. */
static double distance_of(double (*distribution)(double))
{
    double worst = 0;
    qsort(x, N, sizeof *x, ascending);
    for (int i = 0; i < N; i++) {
        double p = distribution(x[i]);
        worst = fmax(worst, fmax(fabs(p - (double)i / N), fabs(p - (i + 1.0) / N)));
    }
    return worst * sqrt(N);
}

static double standard_normal(double at)
{
    return erfc(-at / sqrt(2)) / 2;
}

static double standard_lognormal(double at)
{
    return standard_normal(log(at));
}

static double standard_exponential(double at)
{
    return -expm1(-at);
}

/* Mean 0, variance 1, and no correlation `step` places on; each is some 4 deviations wide. */
static void check_moments(int step)
{
    double sum = 0, square = 0, neighbour = 0;
    for (int i = 0; i < N; i++) sum += x[i], square += x[i] * x[i];
    for (int i = 0; i + step < N; i++) neighbour += x[i] * x[i + step];
    CHECK(fabs(sum / N) < 4 / sqrt(N));
    CHECK(fabs(square / N - 1) < 6 / sqrt(N));
    CHECK(fabs(neighbour / N) < 4 / sqrt(N));
}

static void distributions_have_their_shape(void)
{
    static float single[N];
    tidemill_kernel_random_normal(1, 0, 0, N, 0, 1, x);
    for (int step = 1; step <= 3; step++) check_moments(step);
    CHECK(distance_of(standard_normal) < 2);
    tidemill_kernel_random_normal_f32(1, 1, 0, N, 0, 1, single);
    for (int i = 0; i < N; i++) x[i] = single[i];
    for (int step = 1; step <= 3; step++) check_moments(step);
    CHECK(distance_of(standard_normal) < 2);
    tidemill_kernel_random_lognormal(1, 2, 0, N, 0, 1, x);
    CHECK(distance_of(standard_lognormal) < 2);
    tidemill_kernel_random_exponential(1, 3, 0, N, 1, x);
    CHECK(distance_of(standard_exponential) < 2);
}

/* The chi-square statistic of `bins` even ones has mean bins - 1; twice that and 30 more is
 * beyond any chance. */
static void check_even(const int64_t *bin, int64_t n, int bins)
{
    double count[64] = {0}, chi = 0, expected = (double)n / bins;
    for (int64_t i = 0; i < n; i++) count[bin[i]]++;
    for (int b = 0; b < bins; b++)
        chi += (count[b] - expected) * (count[b] - expected) / expected;
    CHECK_SAYING(chi < 2 * bins + 30, "chi-square %g of %d bins", chi, bins);
}

static void integers_flags_and_orders_are_even(void)
{
    static int64_t bin[N];
    static uint8_t flags[N];
    tidemill_kernel_random_integers_i64(1, 4, 0, N, 0, 36, bin);
    check_even(bin, N, 37);
    tidemill_kernel_random_bernoulli(1, 5, 0, N, 0.5, flags);
    for (int i = 0; i < N; i++) bin[i] = flags[i];
    check_even(bin, N, 2);
    tidemill_kernel_random_bernoulli(1, 5, 0, N, 0, flags);
    CHECK(!memchr(flags, 1, N));
    tidemill_kernel_random_bernoulli(1, 5, 0, N, 1, flags);
    CHECK(!memchr(flags, 0, N));
    for (int i = 0; i < N; i++) {
        int64_t order[4];
        tidemill_kernel_random_permutation(1, (uint64_t)i, 4, 0, order);
        int64_t second = order[1] - (order[1] > order[0]);
        bin[i] = order[0] * 6 + second * 2 + (order[2] > order[3]);
    }
    check_even(bin, N, 24);
}

int main(void)
{
    random_state = check_seed();
    RUN(any_part_drawn_anywhere_has_the_same_bits);
    RUN(there_is_no_body_for_what_is_not_there);
    RUN(doubles_are_made_of_uniform_ones);
    RUN(floats_are_made_of_one_word_each);
    RUN(the_outermost_words_give_finite_numbers);
    RUN(integers_are_tried_until_they_are_even);
    RUN(choices_fall_where_the_weights_say);
    RUN(weights_that_are_none_are_refused);
    RUN(a_permutation_is_the_swaps_of_its_integers);
    RUN(distributions_have_their_shape);
    RUN(integers_flags_and_orders_are_even);
    return check_end();
}
