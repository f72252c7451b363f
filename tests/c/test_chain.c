/* test_chain: arithmetic steps of fused programs that become one chain, and its sum in the same
 * pass, against each step alone.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/elementwise.h"
#include "kernels/fuse.h"
#include "kernels/reduce.h"

enum { X, Y, SHARED, FIRST_REGISTER, OUTPUT = FIRST_REGISTER + 3, SLOTS, STEPS = 9 };

struct chain_case {
    struct tidemill_fuse_program program;
    struct tidemill_fuse_leaf leaves[FIRST_REGISTER];
    struct tidemill_fuse_step steps[STEPS + 1];
};

static double special_double(void)
{
    static const double specials[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 5e-324, 1e308};
    return random_below(6) ? 100 * (random_unit() - 0.5) : specials[random_below(7)];
}

static struct chain_case chain_of(int64_t n, int shared_y)
{
    struct chain_case made = {.program = {.dimensions = 1,
                                          .leaves = FIRST_REGISTER,
                                          .registers = OUTPUT - FIRST_REGISTER,
                                          .outputs = 1,
                                          .shape = {n},
                                          .outer = 1,
                                          .n = n,
                                          .inner = 1,
                                          .output_type = {TIDEMILL_FLOAT64}}};
    for (int i = 0; i < FIRST_REGISTER; i++)
        made.leaves[i] =
            (struct tidemill_fuse_leaf){.kind = TIDEMILL_FUSE_MEMORY,
                                        .type = TIDEMILL_FLOAT64,
                                        .input = i,
                                        .stride = {i == X || (i == Y && !shared_y)}};
    made.leaves[SHARED].kind = TIDEMILL_FUSE_CONSTANT;
    made.leaves[SHARED].a = special_double();
    return made;
}

/* Most steps take what the one before made; some take it twice, or later again. */
static void random_steps(struct chain_case *made)
{
    int32_t written[SLOTS] = {X, Y, SHARED}, count = FIRST_REGISTER, last = X;
    made->program.steps = 1 + (int32_t)random_below(STEPS);
    for (int i = 0; i < made->program.steps; i++) {
        int32_t out = i == made->program.steps - 1
                          ? OUTPUT
                          : FIRST_REGISTER + (int32_t)random_below(OUTPUT - FIRST_REGISTER);
        int turned = random_below(2) != 0;
        struct tidemill_fuse_step *step = &made->steps[i];
        *step = (struct tidemill_fuse_step){.op = TIDEMILL_OP_ADD + (int32_t)random_below(4),
                                            .type = TIDEMILL_FLOAT64,
                                            .out = out,
                                            .in = {-1, -1, -1}};
        step->in[turned] = random_below(8) ? last : written[random_below(count)];
        step->in[!turned] = written[random_below(count)];
        int known = 0;
        for (int k = 0; k < count; k++) known |= written[k] == out;
        if (!known) written[count++] = out;
        last = out;
    }
}

/* The same steps one after the other, on whole arrays. */
static void step_by_step(const struct chain_case *made, const double *x, const double *y,
                         double *out, int64_t n)
{
    double *value[SLOTS];
    for (int s = 0; s < SLOTS; s++) value[s] = s == OUTPUT ? out : exact_doubles(n);
    for (int64_t i = 0; i < n; i++) {
        value[X][i] = x[i];
        value[Y][i] = y[i * made->leaves[Y].stride[0]];
        value[SHARED][i] = made->leaves[SHARED].a;
    }
    for (int i = 0; i < made->program.steps; i++) {
        const struct tidemill_fuse_step *step = &made->steps[i];
        CHECK(tidemill_kernel_apply(step->op, step->type, value[step->in[0]], 1,
                                    value[step->in[1]], 1, NULL, 0, value[step->out], n) == 0);
    }
    for (int s = 0; s < OUTPUT; s++) free(value[s]);
}

static void run_chain(const struct chain_case *made, const double *x, const double *y,
                      double *out)
{
    char bytes[sizeof *made];
    size_t fixed = sizeof made->program + sizeof made->leaves;
    size_t size = fixed + (size_t)made->program.steps * sizeof *made->steps;
    memcpy(bytes, made, size);
    const int64_t lengths[] = {made->program.n, made->program.n > 0 ? made->program.n : 1};
    CHECK(tidemill_kernel_fuse_check(bytes, (int64_t)size, lengths, 2) == 0);
    size_t room = (size_t)(tidemill_kernel_fuse_scratch(bytes) + 63) / 64 * 64;
    void *scratch = aligned_alloc(64, room), *outputs[] = {out};
    const void *inputs[] = {x, y};
    CHECK(scratch && tidemill_kernel_fuse(bytes, inputs, outputs, scratch) == 0);
    free(scratch);
}

static void check_length(int64_t n)
{
    int shared_y = random_below(4) == 0;
    struct chain_case made = chain_of(n, shared_y);
    random_steps(&made);
    double *x = exact_doubles(n), *y = exact_doubles(shared_y || n == 0 ? 1 : n);
    for (int64_t i = 0; i < n; i++) x[i] = special_double();
    for (int64_t i = 0; i < (shared_y ? 1 : n); i++) y[i] = special_double();
    double *wanted = exact_doubles(n);
    step_by_step(&made, x, y, wanted, n);
    EACH_SET(set)
    {
        double *got = exact_doubles(n);
        run_chain(&made, x, y, got);
        CHECK_SAYING(same_bits(got, wanted, n), "%s: %d steps on %d places", kernel_sets[set],
                     (int)made.program.steps, (int)n);
        free(got);
    }
    free(x), free(y), free(wanted);
}

static void chains_give_the_bits_of_one_step_at_a_time(void)
{
    for (int round = 0; round < 12; round++)
        for (int64_t n = 0; n <= 257; n++) check_length(n);
}

static void long_chains_cross_blocks(void)
{
    for (int round = 0; round < 200; round++) check_length(random_below(9000));
}

/* ---- with a sum on top ---------------------------------------------------------------------- */

struct sum_case {
    struct chain_case chain;
    struct tidemill_fuse_reduction reduction;
};

/* Mostly a chain that may be summed in one pass: each step takes what the one before made and a
 * leaf.  Some are too long for it, some branch. */
static void summed_steps(struct sum_case *made)
{
    int32_t last = X;
    made->chain.program.steps = (int32_t)random_below(6);
    for (int i = 0; i < made->chain.program.steps; i++) {
        int turned = random_below(2) != 0;
        struct tidemill_fuse_step *step = &made->chain.steps[i];
        *step = (struct tidemill_fuse_step){.op = TIDEMILL_OP_ADD + (int32_t)random_below(4),
                                            .type = TIDEMILL_FLOAT64,
                                            .out = FIRST_REGISTER + (int32_t)random_below(2),
                                            .in = {-1, -1, -1}};
        step->in[turned] = random_below(16) ? last : X;
        step->in[!turned] = random_below(16) ? (int32_t)random_below(FIRST_REGISTER) : last;
        last = step->out;
    }
    made->reduction = (struct tidemill_fuse_reduction){
        .kind = random_below(2) ? TIDEMILL_REDUCE_SUM : TIDEMILL_REDUCE_MEAN,
        .type = TIDEMILL_FLOAT64,
        .slot = random_below(16) ? last : X};
}

/* Rows of n elements; y has an element each, one for all, or one row for all rows. */
static struct sum_case sum_of(int64_t rows, int64_t n, const int64_t *y_stride)
{
    struct sum_case made = {.chain = chain_of(n, 0)};
    struct tidemill_fuse_program *program = &made.chain.program;
    program->registers++;
    program->outputs = 0;
    program->reductions = 1;
    program->dimensions = 2;
    program->shape[0] = program->outer = rows;
    program->shape[1] = n;
    made.chain.leaves[X].stride[0] = n;
    made.chain.leaves[X].stride[1] = 1;
    made.chain.leaves[Y].stride[0] = y_stride[0];
    made.chain.leaves[Y].stride[1] = y_stride[1];
    summed_steps(&made);
    return made;
}

static void run_sum(const struct sum_case *made, const double *x, const double *y,
                    int64_t *partial)
{
    const struct tidemill_fuse_program *program = &made->chain.program;
    char bytes[sizeof *made];
    size_t fixed = sizeof *program + sizeof made->chain.leaves;
    size_t size = fixed + (size_t)program->steps * sizeof *made->chain.steps;
    memcpy(bytes, &made->chain, size);
    memcpy(bytes + size, &made->reduction, sizeof made->reduction);
    size += sizeof made->reduction;
    const int64_t places = program->outer * program->n, lengths[] = {places, places};
    CHECK(tidemill_kernel_fuse_check(bytes, (int64_t)size, lengths, 2) == 0);
    size_t room = (size_t)(tidemill_kernel_fuse_scratch(bytes) + 63) / 64 * 64;
    void *scratch = aligned_alloc(64, room), *outputs[] = {partial};
    const void *inputs[] = {x, y};
    CHECK(scratch && tidemill_kernel_fuse(bytes, inputs, outputs, scratch) == 0);
    free(scratch);
}

/* The same by whole arrays: the last value that was written to the slot, folded. */
static void fold_after(const struct sum_case *made, const double *x, const double *y,
                       int64_t *partial)
{
    const struct tidemill_fuse_program *program = &made->chain.program;
    int64_t n = program->n, places = program->outer * n;
    const int64_t *stride = made->chain.leaves[Y].stride;
    double *value[SLOTS];
    for (int s = 0; s < SLOTS; s++) value[s] = exact_doubles(places);
    for (int64_t i = 0; i < places; i++) {
        value[X][i] = x[i];
        value[Y][i] = y[i / n * stride[0] + i % n * stride[1]];
        value[SHARED][i] = made->chain.leaves[SHARED].a;
    }
    for (int i = 0; i < program->steps; i++) {
        const struct tidemill_fuse_step *step = &made->chain.steps[i];
        CHECK(tidemill_kernel_apply(step->op, step->type, value[step->in[0]], 1,
                                    value[step->in[1]], 1, NULL, 0, value[step->out],
                                    places) == 0);
    }
    int32_t kind = made->reduction.kind, type = made->reduction.type;
    size_t room = (size_t)tidemill_kernel_reduce_scratch(kind, type, program->outer, n, 1) + 8;
    void *scratch = malloc(room);
    CHECK(tidemill_kernel_reduce(kind, type, value[made->reduction.slot], program->outer, n, 1,
                                 0, partial, scratch) == 0);
    free(scratch);
    for (int s = 0; s < SLOTS; s++) free(value[s]);
}

static void check_sums(int64_t rows, int64_t n)
{
    const int64_t strides[][2] = {{n, 1}, {n, 1}, {0, 0}, {0, 1}};
    struct sum_case made = sum_of(rows, n, strides[random_below(4)]);
    int64_t places = rows * n;
    int specials = random_below(4) == 0;
    if (!specials) made.chain.leaves[SHARED].a = random_unit() + 0.5;
    double *x = exact_doubles(places), *y = exact_doubles(places);
    for (int64_t i = 0; i < places; i++) {
        x[i] = specials ? special_double() : random_unit() + 0.5;
        y[i] = specials ? special_double() : random_unit() + 0.5;
    }
    size_t size = (size_t)(2 * rows) * sizeof(int64_t);
    int64_t *wanted = exact_copy(NULL, size);
    memset(wanted, 0, size);
    fold_after(&made, x, y, wanted);
    EACH_SET(set)
    {
        int64_t *got = exact_copy(NULL, size);
        memset(got, 0, size);
        run_sum(&made, x, y, got);
        CHECK_SAYING(memcmp(got, wanted, size) == 0, "%s: %d steps, %d rows of %d",
                     kernel_sets[set], (int)made.chain.program.steps, (int)rows, (int)n);
        free(got);
    }
    free(x), free(y), free(wanted);
}

static void sums_of_chains_have_the_bits_of_the_sum_afterwards(void)
{
    for (int round = 0; round < 100; round++)
        check_sums(1 + random_below(3), 1 + random_below(6000));
    for (int64_t n = 2040; n <= 2056; n++) check_sums(2, n);
}

/* As many blocks as are summed before they are joined, fewer and more. */
static void long_sums_have_them_too(void)
{
    for (int round = 0; round < 12; round++) check_sums(1, random_below(400000));
    for (int64_t n = 65536 - 1; n <= 65536 + 1025; n += 1024) check_sums(1, n);
    check_sums(1, 131072);
}

int main(void)
{
    random_state = check_seed();
    RUN(chains_give_the_bits_of_one_step_at_a_time);
    RUN(long_chains_cross_blocks);
    RUN(sums_of_chains_have_the_bits_of_the_sum_afterwards);
    RUN(long_sums_have_them_too);
    return check_end();
}
