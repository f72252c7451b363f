/* test_elementary: exp, log, sin and their like against the C library's long double functions,
 * at their limits, and with every instruction set.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/elementary.h"

typedef void map_kernel(const double *x, int64_t n, double *out);
typedef long double map_oracle(long double x);

/* Where it is tested: numbers up to `most` in size (and down to -most where both signs go), their
 * exponents evenly spread; and numbers evenly spread from low to high. */
struct map_case {
    const char *name;
    map_kernel *kernel;
    map_oracle *oracle;
    double ulps; /* the error stays below */
    double most;
    int both;
    double low, high;
};

#define MAP_CASE(name, ...)                                                                    \
    {                                                                                          \
#name, tidemill_kernel_##name, name##l, __VA_ARGS__                                    \
    }
static const struct map_case map_cases[] = {
    MAP_CASE(exp, 0.90, 745, 1, -30, 30),    MAP_CASE(exp2, 0.95, 1074, 1, -30, 30),
    MAP_CASE(expm1, 0.98, 709, 1, -3, 3),    MAP_CASE(log, 0.95, 1e308, 0, 0.5, 2),
    MAP_CASE(log1p, 0.93, 1e308, 0, -1, 2),  MAP_CASE(log2, 0.97, 1e308, 0, 0.5, 2),
    MAP_CASE(log10, 0.82, 1e308, 0, 0.5, 2), MAP_CASE(sin, 0.82, 1e308, 1, -10, 10),
    MAP_CASE(cos, 0.83, 1e308, 1, -10, 10),  MAP_CASE(tan, 0.97, 1e308, 1, -10, 10),
    MAP_CASE(asin, 0.88, 1, 1, -1, 1),       MAP_CASE(acos, 0.93, 1, 1, -1, 1),
    MAP_CASE(atan, 0.82, 1e308, 1, -3, 3),   MAP_CASE(sinh, 0.88, 710, 1, -3, 3),
    MAP_CASE(cosh, 0.88, 710, 1, -3, 3),     MAP_CASE(tanh, 0.86, 30, 1, -3, 3),
};
enum { MAP_CASES = sizeof map_cases / sizeof *map_cases };

/* A number of up to `most`, every exponent as likely. */
static double any_size(double most)
{
    double x;
    do x = ldexp(1 + random_unit(), (int)random_below(2098) - 1074);
    while (x > most);
    return x;
}

static double any_argument(const struct map_case *map)
{
    double x = map->low + (map->high - map->low) * random_unit();
    switch (random_below(4)) {
    case 0:
        return any_size(map->most) * (map->both && random_below(2) ? -1 : 1);
    case 1:
        return any_size(map->most) < 1 ? x : map->most * random_unit();
    default:
        return x;
    }
}

/* How far apart, in units of the last place that a double near `exact` has. */
static double ulps_off(double got, long double exact)
{
    double near = (double)exact;
    if (isinf(near) || isinf(got)) return got == near ? 0 : INFINITY;
    int exponent = near == 0 ? -1074 : ilogb(near) - 52;
    return (double)fabsl(ldexpl(got - exact, -(exponent < -1074 ? -1074 : exponent)));
}

static void check_error(const struct map_case *map, int64_t rounds)
{
    enum { N = 1000 };
    double x[N], y[N], worst = 0, at = 0;
    for (int64_t round = 0; round < rounds; round++) {
        for (int i = 0; i < N; i++) x[i] = any_argument(map);
        map->kernel(x, N, y);
        for (int i = 0; i < N; i++) {
            double off = ulps_off(y[i], map->oracle(x[i]));
            if (off > worst || isnan(off)) worst = off, at = x[i];
        }
    }
    if (getenv("TIDEMILL_TEST_SHOW")) printf("%s %.4f at %a\n", map->name, worst, at);
    CHECK_SAYING(worst < map->ulps, "%s: %g units off at %a", map->name, worst, at);
}

/* TIDEMILL_TEST_ROUNDS=100000 TIDEMILL_TEST_SHOW=1 gives the numbers of docs/kernels.md. */
static int64_t error_rounds(void)
{
    const char *rounds = getenv("TIDEMILL_TEST_ROUNDS");
    return rounds ? strtoll(rounds, NULL, 10) : 40;
}

static void errors_stay_below_what_is_promised(void)
{
    int64_t rounds = error_rounds();
    EACH_SET(set)
    for (int m = 0; m < MAP_CASES; m++) check_error(map_cases + m, rounds);
}

static double pow_argument(double x)
{
    /* Half of the time near the limit, where the result is largest or smallest. */
    double most = 745 / fabs(log(x));
    return (random_below(2) ? random_unit() : 0.9 + 0.15 * random_unit()) * most *
           (random_below(2) ? 1 : -1);
}

static void errors_of_two_arguments_do_too(void)
{
    enum { N = 1000 };
    double x[N], y[N], z[N], worst_pow = 0, worst_arc = 0;
    for (int64_t round = 0; round < error_rounds(); round++) {
        for (int i = 0; i < N; i++) {
            x[i] = random_below(2) ? any_size(1e308) : 1 + (random_unit() - 0.5) / 64;
            y[i] = pow_argument(x[i]);
        }
        CHECK(tidemill_kernel_pow(x, 1, y, 1, N, z) == 0);
        for (int i = 0; i < N; i++)
            worst_pow = fmax(worst_pow, ulps_off(z[i], powl(x[i], y[i])));
        for (int i = 0; i < N; i++) {
            x[i] = any_size(1e308) * (random_below(2) ? 1 : -1);
            y[i] = random_below(2) ? any_size(1e308) : 4 * (random_unit() - 0.5) * x[i];
        }
        CHECK(tidemill_kernel_atan2(y, 1, x, 1, N, z) == 0);
        for (int i = 0; i < N; i++)
            worst_arc = fmax(worst_arc, ulps_off(z[i], atan2l(y[i], x[i])));
    }
    if (getenv("TIDEMILL_TEST_SHOW")) printf("pow %.4f atan2 %.4f\n", worst_pow, worst_arc);
    CHECK_SAYING(worst_pow < 0.88, "pow: %g units off", worst_pow);
    CHECK_SAYING(worst_arc < 0.82, "atan2: %g units off", worst_arc);
}

/* ---- numbers of mpmath ------------------------------------------------------------------- */

static const struct map_case *map_named(const char *name)
{
    for (int m = 0; m < MAP_CASES; m++)
        if (strcmp(map_cases[m].name, name) == 0) return map_cases + m;
    return NULL;
}

static double kernel_of_line(const char *name, double a, double b)
{
    const struct map_case *map = map_named(name);
    double out = -12345.678;
    if (map)
        map->kernel(&a, 1, &out);
    else if (strcmp(name, "pow") == 0)
        tidemill_kernel_pow(&a, 1, &b, 1, 1, &out);
    else
        tidemill_kernel_atan2(&a, 1, &b, 1, 1, &out);
    return out;
}

static void results_are_within_a_unit_of_those_of_mpmath(void)
{
    FILE *file = fopen("tests/data/kernels/elementary.txt", "r");
    char line[200], name[20];
    int lines = 0;
    if (!file) SKIP("run in the folder of the sources");
    while (fgets(line, sizeof line, file)) {
        double a, b = 0, expected;
        if (*line == '#') continue;
        lines++;
        if (sscanf(line, "%19s %la %la %la", name, &a, &b, &expected) == 3) expected = b;
        double got = kernel_of_line(name, a, b);
        CHECK_SAYING(ulps_off(got, expected) <= 1, "%s not %a", line, got);
    }
    fclose(file);
    CHECK(lines > 400);
}

/* ---- limits ------------------------------------------------------------------------------ */

#define ENDLESS ((double)INFINITY)
#define NONE    ((double)NAN)
static const struct map_limit {
    const char *name;
    double x, y;
} map_limits[] = {
    {"exp", 0, 1},
    {"exp", -0.0, 1},
    {"exp", ENDLESS, ENDLESS},
    {"exp", -ENDLESS, 0},
    {"exp", 710, ENDLESS},
    {"exp", -746, 0},
    {"exp", -745.2, 0},
    {"exp", -745, 5e-324},
    {"exp2", 1024, ENDLESS},
    {"exp2", 1023, 0x1p1023},
    {"exp2", -1074, 5e-324},
    {"exp2", -1075, 0},
    {"exp2", ENDLESS, ENDLESS},
    {"exp2", -ENDLESS, 0},
    {"exp2", 10, 1024},
    {"expm1", 0, 0},
    {"expm1", -0.0, -0.0},
    {"expm1", ENDLESS, ENDLESS},
    {"expm1", -ENDLESS, -1},
    {"expm1", -1000, -1},
    {"expm1", 5e-324, 5e-324},
    {"log", 0, -ENDLESS},
    {"log", -0.0, -ENDLESS},
    {"log", 1, 0},
    {"log", -1, NONE},
    {"log", -ENDLESS, NONE},
    {"log", ENDLESS, ENDLESS},
    {"log1p", -1, -ENDLESS},
    {"log1p", -2, NONE},
    {"log1p", ENDLESS, ENDLESS},
    {"log1p", -ENDLESS, NONE},
    {"log1p", -0.0, -0.0},
    {"log1p", 0, 0},
    {"log2", 0, -ENDLESS},
    {"log2", -1, NONE},
    {"log2", ENDLESS, ENDLESS},
    {"log2", 5e-324, -1074},
    {"log2", 0x1p1023, 1023},
    {"log2", 1, 0},
    {"log10", 0, -ENDLESS},
    {"log10", -1, NONE},
    {"log10", ENDLESS, ENDLESS},
    {"log10", 1e15, 15},
    {"log10", 1e22, 22},
    {"log10", 1, 0},
    {"sin", 0, 0},
    {"sin", -0.0, -0.0},
    {"sin", ENDLESS, NONE},
    {"sin", -ENDLESS, NONE},
    {"sin", 5e-324, 5e-324},
    {"cos", 0, 1},
    {"cos", -0.0, 1},
    {"cos", ENDLESS, NONE},
    {"tan", 0, 0},
    {"tan", -0.0, -0.0},
    {"tan", -ENDLESS, NONE},
    {"tan", 5e-324, 5e-324},
    {"asin", 0, 0},
    {"asin", -0.0, -0.0},
    {"asin", 1.0000000000000002, NONE},
    {"asin", -ENDLESS, NONE},
    {"acos", 1, 0},
    {"acos", -1.0000000000000002, NONE},
    {"acos", ENDLESS, NONE},
    {"atan", 0, 0},
    {"atan", -0.0, -0.0},
    {"atan", ENDLESS, 0x1.921fb54442d18p+0},
    {"atan", -ENDLESS, -0x1.921fb54442d18p+0},
    {"sinh", -0.0, -0.0},
    {"sinh", ENDLESS, ENDLESS},
    {"sinh", -ENDLESS, -ENDLESS},
    {"sinh", 711, ENDLESS},
    {"cosh", 0, 1},
    {"cosh", -ENDLESS, ENDLESS},
    {"cosh", -711, ENDLESS},
    {"tanh", 0, 0},
    {"tanh", -0.0, -0.0},
    {"tanh", ENDLESS, 1},
    {"tanh", -ENDLESS, -1},
    {"tanh", 1000, 1},
};
enum { MAP_LIMITS = sizeof map_limits / sizeof *map_limits };

/* A NaN has to be the one NaN. */
static int is_exactly(double got, double expected)
{
    double none = __builtin_nan("");
    return same_bits(&got, isnan(expected) ? &none : &expected, 1);
}

static void limits_are_those_of_annex_f(void)
{
    EACH_SET(set)
    {
        for (int k = 0; k < MAP_LIMITS; k++) {
            const struct map_limit *limit = map_limits + k;
            double y = kernel_of_line(limit->name, limit->x, 0);
            CHECK_SAYING(is_exactly(y, limit->y), "%s(%a) is %a, not %a", limit->name, limit->x,
                         y, limit->y);
        }
        double odd_nan = -__builtin_nan("123");
        for (int m = 0; m < MAP_CASES; m++)
            CHECK(is_exactly(kernel_of_line(map_cases[m].name, odd_nan, 0), NAN));
    }
}

/* The C library is the oracle: it keeps to Annex F. */
static void limits_of_two_arguments_are_too(void)
{
    static const double edge[] = {
        0,          1,      2,          3,           0.5,         1.5,  1e300,   5e-324, 1e-300,
        0x1p53 - 1, 0x1p53, 0x1p52 + 1, 1 + 0x1p-52, 1 - 0x1p-53, 1e19, ENDLESS, NONE};
    enum { EDGES = sizeof edge / sizeof *edge };
    EACH_SET(set)
    for (int i = 0; i < 4 * EDGES * EDGES; i++) {
        double a = edge[i / 4 % EDGES] * (i & 1 ? -1 : 1);
        double b = edge[i / 4 / EDGES] * (i & 2 ? -1 : 1);
        double power = kernel_of_line("pow", a, b), arc = kernel_of_line("atan2", a, b);
        double pow_expected = pow(a, b), arc_expected = atan2(a, b);
        int pow_right = isnan(pow_expected) || pow_expected == 0
                            ? is_exactly(power, pow_expected)
                            : ulps_off(power, pow_expected) <= 1;
        int arc_right = isnan(arc_expected) || arc_expected == 0
                            ? is_exactly(arc, arc_expected)
                            : ulps_off(arc, arc_expected) <= 1;
        CHECK_SAYING(pow_right, "pow(%a, %a) is %a, not %a", a, b, power, pow_expected);
        CHECK_SAYING(arc_right, "atan2(%a, %a) is %a, not %a", a, b, arc, arc_expected);
    }
}

static void powers_of_two_and_ten_have_exact_logarithms(void)
{
    for (int k = -1074; k <= 1023; k++) CHECK(kernel_of_line("log2", ldexp(1, k), 0) == k);
    for (int k = 0; k <= 22; k++) CHECK(kernel_of_line("log10", pow(10, k), 0) == k);
    for (int k = 0; k <= 22; k++) CHECK(kernel_of_line("pow", 10, k) == pow(10, k));
    for (int k = 0; k < 1000; k++) CHECK(kernel_of_line("pow", k, 2) == (double)k * k);
}

/* ---- every set, length and place --------------------------------------------------------- */

/* Arguments of every kind, ordinary ones most often: what is left to one lane alone comes up. */
static double set_argument(const struct map_case *map)
{
    static const double odd[] = {0, -0.0, ENDLESS, -ENDLESS, NONE, 1, -1, 5e-324, 1e308, -1e6};
    return random_below(8) ? any_argument(map) : odd[random_below(10)];
}

static void check_map_sets(const struct map_case *map, int64_t n)
{
    double *whole = exact_doubles(n + 1), *x = whole + n % 2, *plain = exact_doubles(n);
    for (int64_t i = 0; i <= n; i++) whole[i] = set_argument(map);
    EACH_SET(set)
    {
        double *y = exact_doubles(n), *same = exact_copy(x, (size_t)n * sizeof *x);
        map->kernel(x, n, y);
        map->kernel(same, n, same);
        if (set == 0) memcpy(plain, y, (size_t)n * sizeof *y);
        CHECK_SAYING(same_bits(y, plain, n) && same_bits(same, plain, n), "%s of %d with %s",
                     map->name, (int)n, kernel_sets[set]);
        free(y);
        free(same);
    }
    free(plain);
    free(whole);
}

static void every_set_has_the_bits_of_the_plain_one(void)
{
    for (int64_t n = 0; n <= 257; n++)
        for (int m = 0; m < MAP_CASES; m++) check_map_sets(map_cases + m, n);
}

typedef int64_t map2_kernel(const double *a, int64_t step_a, const double *b, int64_t step_b,
                            int64_t n, double *out);

static void check_map2_sets(map2_kernel *kernel, int64_t n, int64_t step_a, int64_t step_b)
{
    int64_t na = step_a ? n : 1, nb = step_b ? n : 1;
    double *a = exact_doubles(na), *b = exact_doubles(nb), *plain = exact_doubles(n);
    for (int64_t i = 0; i < na; i++) a[i] = set_argument(map_cases);
    for (int64_t i = 0; i < nb; i++) b[i] = set_argument(map_cases);
    EACH_SET(set)
    {
        double *y = exact_doubles(n), *same = exact_copy(a, (size_t)na * sizeof *a);
        CHECK(kernel(a, step_a, b, step_b, n, y) == 0);
        if (set == 0) memcpy(plain, y, (size_t)n * sizeof *y);
        CHECK(same_bits(y, plain, n));
        if (step_a) kernel(same, step_a, b, step_b, n, same);
        CHECK(!step_a || same_bits(same, plain, n));
        free(y);
        free(same);
    }
    free(a);
    free(b);
    free(plain);
}

static void every_set_of_two_arguments_has_too_with_every_step(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        check_map2_sets(tidemill_kernel_pow, n, n & 1, n >> 1 & 1);
        check_map2_sets(tidemill_kernel_atan2, n, n & 1, n >> 1 & 1);
    }
    double one = 1, out = 5;
    CHECK(tidemill_kernel_pow(&one, 2, &one, 1, 1, &out) == -1 && out == 5);
    CHECK(tidemill_kernel_atan2(&one, 1, &one, -1, 1, &out) == -1 && out == 5);
}

int main(void)
{
    random_state = check_seed();
    RUN(errors_stay_below_what_is_promised);
    RUN(errors_of_two_arguments_do_too);
    RUN(results_are_within_a_unit_of_those_of_mpmath);
    RUN(limits_are_those_of_annex_f);
    RUN(limits_of_two_arguments_are_too);
    RUN(powers_of_two_and_ten_have_exact_logarithms);
    RUN(every_set_has_the_bits_of_the_plain_one);
    RUN(every_set_of_two_arguments_has_too_with_every_step);
    return check_end();
}
