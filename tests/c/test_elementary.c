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
    MAP_CASE(exp, 1, 745, 1, -30, 30),    MAP_CASE(exp2, 1, 1074, 1, -30, 30),
    MAP_CASE(expm1, 1, 709, 1, -3, 3),    MAP_CASE(log, 1, 1e308, 0, 0.5, 2),
    MAP_CASE(log1p, 1, 1e308, 0, -1, 2),  MAP_CASE(log2, 1, 1e308, 0, 0.5, 2),
    MAP_CASE(log10, 1, 1e308, 0, 0.5, 2), MAP_CASE(sin, 1, 1e308, 1, -10, 10),
    MAP_CASE(cos, 1, 1e308, 1, -10, 10),  MAP_CASE(tan, 1, 1e308, 1, -10, 10),
    MAP_CASE(asin, 1, 1, 1, -1, 1),       MAP_CASE(acos, 1, 1, 1, -1, 1),
    MAP_CASE(atan, 1, 1e308, 1, -3, 3),   MAP_CASE(sinh, 1, 710, 1, -3, 3),
    MAP_CASE(cosh, 1, 710, 1, -3, 3),     MAP_CASE(tanh, 1, 30, 1, -3, 3),
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
    CHECK_SAYING(worst_pow < 1, "pow: %g units off", worst_pow);
    CHECK_SAYING(worst_arc < 1, "atan2: %g units off", worst_arc);
}

int main(void)
{
    random_state = check_seed();
    RUN(errors_stay_below_what_is_promised);
    RUN(errors_of_two_arguments_do_too);
    return check_end();
}
