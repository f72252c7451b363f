/* test_elementwise: each op on each type against an oracle, and each instruction set against the
 * plain bodies.
 * SPDX-License-Identifier: MIT */
#include "elementwise_oracle.h"

/* ---- Each op and type ------------------------------------------------------------------------ */

/* Runs the block for each op that a type can do. */
#define EACH_OP_AND_TYPE(op, type)                                                             \
    for (int32_t op = 0; op < MILL_OPS; op++)                                                  \
        for (int t__ = 0, type; t__ < TYPES; t__++)                                            \
            if (type = all_types[t__], tidemill_kernel_result_type(op, type))

static int32_t first_type(int32_t op, int32_t type)
{
    return op == TIDEMILL_OP_WHERE ? TIDEMILL_BOOL : type;
}

static void check_oracle(int32_t op, int32_t type)
{
    enum { N = 4000 };
    int32_t result = tidemill_kernel_result_type(op, type);
    void *a = random_column(first_type(op, type), N, 1), *b = random_column(type, N, 1);
    void *c = random_column(type, N, 1), *out = exact_copy(NULL, N * size_of(result));
    void *expected = exact_copy(NULL, N * size_of(result));
    CHECK(tidemill_kernel_apply(op, type, a, 1, b, 1, c, 1, out, N) == 0);
    for (int64_t i = 0; i < N; i++) {
        oracle(op, type, a, b, c, expected, i);
        CHECK_SAYING(same_element(result, out, expected, i),
                     "op %d type %d: %.17g, %.17g, %.17g gave %.17g, not %.17g", op, type,
                     (double)get(first_type(op, type), a, i), (double)get(type, b, i),
                     (double)get(type, c, i), (double)get(result, out, i),
                     (double)get(result, expected, i));
    }
    free(a);
    free(b);
    free(c);
    free(out);
    free(expected);
}

static void plain_bodies_do_what_the_header_says(void)
{
    CHECK(tidemill_kernel_isa_select("plain") == 0);
    EACH_OP_AND_TYPE(op, type)
    if (!is_transcendental(op)) check_oracle(op, type);
    tidemill_kernel_isa_select(NULL);
}

static double floored(double p, double q)
{
    double rest = fmod(p, q);
    if (rest == 0) return copysign(0, q);
    return (rest < 0) == (q < 0) ? rest : rest + q;
}

/* Where a quotient is rounded to a whole number that it is not, and around the largest one that is
 * not left to fmod. */
static void mod_is_exact_next_to_whole_quotients(void)
{
    for (int i = 0; i < 200000; i++) {
        double q = ldexp(random_unit() + 0.5, (int)random_below(80) - 40), out;
        double whole = (double)random_below(1LL << (1 + random_below(28))), p = whole * q;
        for (int64_t step = random_below(3); step > 0; step--)
            p = nextafter(p, random_below(2) ? INFINITY : 0);
        if (random_below(2)) p = -p;
        if (random_below(2)) q = -q;
        double expected = floored(p, q);
        float pf = (float)p, qf = (float)q, out_float;
        tidemill_kernel_apply(TIDEMILL_OP_MOD, TIDEMILL_FLOAT64, &p, 1, &q, 1, NULL, 0, &out,
                              1);
        CHECK_SAYING(same_bits(&out, &expected, 1), "%.17g mod %.17g: %.17g, not %.17g", p, q,
                     out, expected);
        tidemill_kernel_apply(TIDEMILL_OP_MOD, TIDEMILL_FLOAT32, &pf, 1, &qf, 1, NULL, 0,
                              &out_float, 1);
        CHECK_SAYING(out_float == (float)floored(pf, qf), "%.9g mod %.9g: %.9g", (double)pf,
                     (double)qf, (double)out_float);
    }
}

static long double libm(int32_t op, double p, double q)
{
    long double x = p;
    switch (op) {
    case TIDEMILL_OP_EXP:
        return expl(x);
    case TIDEMILL_OP_EXP2:
        return exp2l(x);
    case TIDEMILL_OP_EXPM1:
        return expm1l(x);
    case TIDEMILL_OP_LOG:
        return logl(x);
    case TIDEMILL_OP_LOG1P:
        return log1pl(x);
    case TIDEMILL_OP_LOG2:
        return log2l(x);
    case TIDEMILL_OP_LOG10:
        return log10l(x);
    case TIDEMILL_OP_SIN:
        return sinl(x);
    case TIDEMILL_OP_COS:
        return cosl(x);
    case TIDEMILL_OP_TAN:
        return tanl(x);
    case TIDEMILL_OP_ASIN:
        return asinl(x);
    case TIDEMILL_OP_ACOS:
        return acosl(x);
    case TIDEMILL_OP_ATAN:
        return atanl(x);
    case TIDEMILL_OP_SINH:
        return sinhl(x);
    case TIDEMILL_OP_COSH:
        return coshl(x);
    case TIDEMILL_OP_TANH:
        return tanhl(x);
    case TIDEMILL_OP_POW:
        return powl(x, q);
    }
    return atan2l(x, q);
}

/* How exact they are to the last digit is what the tests of kernels/elementary.h show. */
static void transcendental_ops_are_those_of_libm_in_both_float_types(void)
{
    for (int32_t op = 0; op < MILL_OPS; op++) {
        if (!is_transcendental(op)) continue;
        for (int32_t i = 0; i < 500; i++) {
            double p = (random_unit() - 0.2) * 3, q = (random_unit() - 0.5) * 4, out;
            float pf = (float)p, qf = (float)q, out_float;
            CHECK(tidemill_kernel_apply(op, TIDEMILL_FLOAT64, &p, 1, &q, 1, NULL, 0, &out, 1) ==
                  0);
            CHECK_SAYING(is_near(out, libm(op, p, q), 1e-15), "op %d(%.17g, %.17g): %.17g", op,
                         p, q, out);
            CHECK(tidemill_kernel_apply(op, TIDEMILL_FLOAT32, &pf, 1, &qf, 1, NULL, 0,
                                        &out_float, 1) == 0);
            CHECK_SAYING(is_near(out_float, libm(op, pf, qf), 1.2e-7),
                         "op %d(%.9g, %.9g): %.9g", op, (double)pf, (double)qf,
                         (double)out_float);
        }
    }
}

/* ---- Each instruction set ---------------------------------------------------------------------- */

/* An operand of n elements, or of one; one element away from the buffer's start. */
static char *operand(int32_t type, int64_t step, int64_t n, char **buffer)
{
    *buffer = random_column(type, 1 + (step ? n : 1), 1);
    return *buffer + size_of(type);
}

static void check_sets(int32_t op, int32_t type, int64_t n, int64_t a_step, int64_t b_step,
                       int64_t c_step)
{
    char *room[3];
    size_t size = (size_t)n * size_of(tidemill_kernel_result_type(op, type));
    char *a = operand(first_type(op, type), a_step, n, &room[0]);
    char *b = operand(type, b_step, n, &room[1]), *c = operand(type, c_step, n, &room[2]);
    char *plain = exact_copy(NULL, size), *out = exact_copy(NULL, size);
    EACH_SET(set)
    {
        memset(out, 0x55, size);
        CHECK(tidemill_kernel_apply(op, type, a, a_step, b, b_step, c, c_step, out, n) == 0);
        if (set == 0) memcpy(plain, out, size);
        CHECK_SAYING(memcmp(plain, out, size) == 0, "%s: op %d type %d n %d steps %d %d %d",
                     kernel_sets[set], op, type, (int)n, (int)a_step, (int)b_step, (int)c_step);
    }
    for (int i = 0; i < 3; i++) free(room[i]);
    free(plain);
    free(out);
}

static void every_set_gives_the_plain_bits_at_every_length_and_step(void)
{
    EACH_OP_AND_TYPE(op, type)
    {
        int steps = 1 << tidemill_kernel_operands(op);
        for (int64_t n = 0; n <= 257; n++) {
            int64_t mask = n % steps; /* each length with one choice of steps, and 1 1 1 */
            check_sets(op, type, n, 1, 1, 1);
            check_sets(op, type, n, mask & 1, mask >> 1 & 1, mask >> 2 & 1);
        }
        for (int64_t mask = 0; mask < steps; mask++)
            check_sets(op, type, 2048 + random_below(3000), mask & 1, mask >> 1 & 1,
                       mask >> 2 & 1);
    }
}

/* `out` as a, b or c itself: which < 0 is a buffer of its own. */
static char *apply_onto(int32_t op, int32_t type, char *const from[3], const size_t size[3],
                        size_t out_size, int64_t n, int which)
{
    char *x[3];
    for (int i = 0; i < 3; i++) x[i] = exact_copy(from[i], size[i] * (size_t)n);
    char *out = which < 0 ? exact_copy(NULL, out_size * (size_t)n) : x[which];
    CHECK(tidemill_kernel_apply(op, type, x[0], 1, x[1], 1, x[2], 1, out, n) == 0);
    for (int i = 0; i < 3; i++)
        if (i != which) free(x[i]);
    return out;
}

/* Special values, -0 among them, must not change on their way into a vector. */
static void check_repeated(int32_t op, int32_t type, int operand, int64_t n)
{
    char *from[3], *to = exact_copy(NULL, (size_t)n * 8),
                   *again = exact_copy(NULL, (size_t)n * 8);
    int64_t step[3] = {1, 1, 1};
    size_t size = size_of(operand ? type : first_type(op, type));
    size_t bytes = (size_t)n * size_of(tidemill_kernel_result_type(op, type));
    for (int k = 0; k < 3; k++) from[k] = random_column(k ? type : first_type(op, type), n, 1);
    if (is_float(type) && random_below(2))
        put(operand ? type : first_type(op, type), from[operand], 0, -0.0);
    for (int64_t i = 1; i < n; i++)
        memcpy(from[operand] + (size_t)i * size, from[operand], size);
    tidemill_kernel_apply(op, type, from[0], 1, from[1], 1, from[2], 1, to, n);
    step[operand] = 0;
    tidemill_kernel_apply(op, type, from[0], step[0], from[1], step[1], from[2], step[2], again,
                          n);
    CHECK_SAYING(!memcmp(to, again, bytes), "op %d type %d operand %d n %d", op, type, operand,
                 (int)n);
    for (int k = 0; k < 3; k++) free(from[k]);
    free(to);
    free(again);
}

static void one_element_for_all_does_what_its_copies_do(void)
{
    for (int32_t op = 1; op < MILL_OPS; op++)
        for (int t = 0; t < TYPES; t++) {
            if (!tidemill_kernel_result_type(op, all_types[t])) continue;
            for (int k = 0; k < tidemill_kernel_operands(op); k++) EACH_SET(set)
            for (int64_t n = 1; n < 40; n++) check_repeated(op, all_types[t], k, n);
        }
}

static void check_in_place(int32_t op, int32_t type, int64_t n)
{
    size_t out_size = size_of(tidemill_kernel_result_type(op, type));
    size_t size[3] = {size_of(first_type(op, type)), size_of(type), size_of(type)};
    char *from[3] = {random_column(first_type(op, type), n, 1), random_column(type, n, 1),
                     random_column(type, n, 1)};
    char *apart = apply_onto(op, type, from, size, out_size, n, -1);
    for (int which = 0; which < tidemill_kernel_operands(op); which++) {
        if (size[which] != out_size) continue;
        char *out = apply_onto(op, type, from, size, out_size, n, which);
        CHECK_SAYING(memcmp(out, apart, out_size * (size_t)n) == 0, "op %d type %d onto %d", op,
                     type, which);
        free(out);
    }
    for (int i = 0; i < 3; i++) free(from[i]);
    free(apart);
}

static void the_result_may_take_the_place_of_an_operand(void)
{
    EACH_SET(set)
    {
        EACH_OP_AND_TYPE(op, type)
        {
            check_in_place(op, type, random_below(300));
            check_in_place(op, type, 1024 + random_below(2000));
        }
    }
}

/* ---- NaN ------------------------------------------------------------------------------------------ */

static double nan_of(uint64_t bits)
{
    double value;
    bits |= 0x7FF0000000000001u;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Whatever NaNs come in, and where they stand. */
static void a_nan_in_the_output_is_the_one_nan(void)
{
    double x[300], y[300], out[300], one = NAN;
    EACH_SET(set)
    {
        for (int32_t op = 0; op < MILL_OPS; op++) {
            if (tidemill_kernel_result_type(op, TIDEMILL_FLOAT64) != TIDEMILL_FLOAT64) continue;
            if (op == TIDEMILL_OP_WHERE) continue;
            for (int i = 0; i < 300; i++) {
                x[i] = random_below(3) ? nan_of(random_bits()) : random_unit();
                y[i] = random_below(3) ? nan_of(random_bits()) : random_unit();
            }
            tidemill_kernel_apply(op, TIDEMILL_FLOAT64, x, 1, y, 1, y, 1, out, 300);
            for (int i = 0; i < 300; i++)
                CHECK_SAYING(!isnan(out[i]) || same_bits(&out[i], &one, 1), "op %d", op);
        }
    }
}

static void one_nans_finds_a_nan_at_every_place(void)
{
    EACH_SET(set)
    {
        for (int64_t n = 1; n <= 70; n++) {
            for (int64_t at = 0; at < n; at++) {
                double *x = exact_doubles(n), one = NAN;
                float *y = exact_copy(NULL, (size_t)n * sizeof *y);
                for (int64_t i = 0; i < n; i++) y[i] = 1;
                x[at] = nan_of(random_bits());
                y[at] = -NAN;
                mill_one_nans(TIDEMILL_FLOAT64, x, n);
                mill_one_nans(TIDEMILL_FLOAT32, y, n);
                CHECK(same_bits(x + at, &one, 1) && isnan(y[at]) && !signbit(y[at]));
                free(x);
                free(y);
            }
        }
    }
}

/* ---- What is refused ------------------------------------------------------------------------------ */

static void types_refuse_what_they_cannot_do(void)
{
    static const struct {
        int32_t op, type;
    } refused[] = {
        {TIDEMILL_OP_AND, TIDEMILL_FLOAT64},
        {TIDEMILL_OP_NOT, TIDEMILL_FLOAT32},
        {TIDEMILL_OP_DIV, TIDEMILL_INT64},
        {TIDEMILL_OP_POW, TIDEMILL_INT32},
        {TIDEMILL_OP_SQRT, TIDEMILL_INT64},
        {TIDEMILL_OP_EXP, TIDEMILL_INT32},
        {TIDEMILL_OP_SUB, TIDEMILL_BOOL},
        {TIDEMILL_OP_NEG, TIDEMILL_BOOL},
        {TIDEMILL_OP_MOD, TIDEMILL_BOOL},
        {TIDEMILL_OP_MUL, TIDEMILL_DATE},
        {TIDEMILL_OP_NEG, TIDEMILL_TIMESTAMP},
        {TIDEMILL_OP_ISNAN, TIDEMILL_DATE},
        {TIDEMILL_OP_ADD, TIDEMILL_UINT8},
        {TIDEMILL_OP_ADD, 0},
        {TIDEMILL_OP_ADD, -1},
        {TIDEMILL_OP_ADD, 12},
        {TIDEMILL_OP_ADD, 1000},
        {0, TIDEMILL_FLOAT64},
        {-1, TIDEMILL_FLOAT64},
        {19, TIDEMILL_FLOAT64},
        {MILL_OPS, TIDEMILL_FLOAT64},
    };
    int64_t x = 1, out = 77;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int32_t op = refused[i].op, type = refused[i].type;
        CHECK_SAYING(tidemill_kernel_result_type(op, type) == 0, "op %d type %d", op, type);
        CHECK(mill_apply_find(op, type) == NULL);
        CHECK(tidemill_kernel_apply(op, type, &x, 1, &x, 1, &x, 1, &out, 1) == -1);
    }
    CHECK(out == 77);
}

static void steps_and_lengths_are_checked(void)
{
    double x[4] = {1, 2, 3, 4}, out[4] = {9, 9, 9, 9};
    int32_t add = TIDEMILL_OP_ADD, neg = TIDEMILL_OP_NEG, type = TIDEMILL_FLOAT64;
    CHECK(tidemill_kernel_apply(add, type, x, 2, x, 1, NULL, 0, out, 2) == -1);
    CHECK(tidemill_kernel_apply(add, type, x, 1, x, -1, NULL, 0, out, 2) == -1);
    CHECK(tidemill_kernel_apply(TIDEMILL_OP_CLIP, type, x, 1, x, 1, x, 2, out, 2) == -1);
    CHECK(tidemill_kernel_apply(add, type, x, 1, x, 1, NULL, 0, out, -1) == -1);
    CHECK(out[0] == 9);
    CHECK(tidemill_kernel_apply(neg, type, x, 1, NULL, 7, NULL, 7, out, 4) == 0);
    CHECK(out[3] == -4);
    CHECK(tidemill_kernel_apply(add, type, NULL, 1, NULL, 1, NULL, 1, NULL, 0) == 0);
}

/* Every body that the header promises is there, with every instruction set. */
static void whatever_has_a_result_type_has_a_body(void)
{
    int bodies = 0;
    EACH_SET(set)
    EACH_OP_AND_TYPE(op, type)
    {
        CHECK_SAYING(mill_apply_find(op, type) != NULL, "op %d type %d", op, type);
        bodies++;
    }
    CHECK(bodies >= 170);
}

int main(void)
{
    random_state = check_seed();
    RUN(plain_bodies_do_what_the_header_says);
    RUN(mod_is_exact_next_to_whole_quotients);
    RUN(transcendental_ops_are_those_of_libm_in_both_float_types);
    RUN(every_set_gives_the_plain_bits_at_every_length_and_step);
    RUN(one_element_for_all_does_what_its_copies_do);
    RUN(the_result_may_take_the_place_of_an_operand);
    RUN(a_nan_in_the_output_is_the_one_nan);
    RUN(one_nans_finds_a_nan_at_every_place);
    RUN(types_refuse_what_they_cannot_do);
    RUN(steps_and_lengths_are_checked);
    RUN(whatever_has_a_result_type_has_a_body);
    return check_end();
}
