/* test_fuse: fused programs against the kernels that do one step at a time over whole arrays, to
 * the bit; and programs that are not sound, which the check must refuse.
 * SPDX-License-Identifier: MIT */
#include "elementwise_check.h"
#include "kernels/fuse.h"
#include "kernels/random.h"
#include "kernels/reduce.h"

enum { MOST_VALUES = 24, MOST_INPUTS = 6, MOST_OUTPUTS = 4, MOST_REDUCTIONS = 4 };

/* An array that a step or a leaf makes, whole. */
struct whole {
    int32_t type, slot;
    void *elements;
    int lost; /* another step has taken its register */
};

/* A program while it is made up, with what it should give. */
struct sketch {
    struct tidemill_fuse_program program;
    struct tidemill_fuse_leaf leaf[MOST_INPUTS];
    struct tidemill_fuse_step step[MOST_VALUES];
    struct tidemill_fuse_reduction reduction[MOST_REDUCTIONS];
    struct whole value[MOST_VALUES + MOST_INPUTS];
    int values;
    int64_t places;
    void *input[MOST_INPUTS];
    int64_t length[MOST_INPUTS];
    int inputs;
    int output_value[MOST_OUTPUTS];
    int64_t refused; /* 1 + the first place that the last step refuses, or 0 */
};

/* ---- leaves -------------------------------------------------------------------------------- */

static int64_t position_of(const struct sketch *made, const struct tidemill_fuse_leaf *leaf,
                           int64_t place)
{
    int64_t position = leaf->offset;
    for (int axis = made->program.dimensions - 1; axis >= 0; axis--) {
        position += place % made->program.shape[axis] * leaf->stride[axis];
        place /= made->program.shape[axis];
    }
    return position;
}

/* Strides of a view whose axes lie in any order, some reversed, repeated or with gaps; the
 * positions fill [0, length). */
static int64_t lay_strides(const struct sketch *made, struct tidemill_fuse_leaf *leaf)
{
    int axes = made->program.dimensions, order[TIDEMILL_FUSE_AXES];
    int64_t distance = 1, length = 1;
    int shuffled = random_below(3) > 0, plain = random_below(3) == 0;
    for (int a = 0; a < axes; a++) order[a] = a;
    for (int a = axes - 1; a > 0 && shuffled; a--) {
        int64_t other = random_below(a + 1);
        int kept = order[a];
        order[a] = order[other];
        order[other] = kept;
    }
    for (int a = axes - 1; a >= 0; a--) {
        int64_t size = made->program.shape[order[a]], stride = distance;
        if (!plain && random_below(5) == 0) stride = 0;
        if (!plain && random_below(6) == 0) stride *= 2;
        if (!plain && random_below(5) == 0) stride = -stride;
        int64_t reach = size > 0 ? (size - 1) * stride : 0;
        leaf->stride[order[a]] = stride;
        leaf->offset += reach < 0 ? -reach : 0;
        length += reach < 0 ? -reach : reach;
        if (stride) distance = (stride < 0 ? -stride : stride) * (size > 0 ? size : 1);
    }
    return length;
}

static void memory_leaf(struct sketch *made, struct tidemill_fuse_leaf *leaf, int specials)
{
    leaf->type = all_types[random_below(TYPES)];
    leaf->input = made->inputs;
    int64_t before = random_below(3), length = lay_strides(made, leaf) + before;
    leaf->offset += before;
    made->length[made->inputs] = length;
    made->input[made->inputs++] = random_column(leaf->type, length, specials);
}

static void constant_leaf(struct tidemill_fuse_leaf *leaf)
{
    leaf->type = all_types[random_below(TYPES)];
    leaf->a = special_double();
    leaf->offset = leaf->type == TIDEMILL_BOOL ? random_below(2) : random_below(200);
}

static void index_leaf(const struct sketch *made, struct tidemill_fuse_leaf *leaf)
{
    static const int32_t types[] = {TIDEMILL_INT32,   TIDEMILL_INT64, TIDEMILL_FLOAT32,
                                    TIDEMILL_FLOAT64, TIDEMILL_DATE,  TIDEMILL_TIMESTAMP};
    lay_strides(made, leaf);
    leaf->type = types[random_below(6)];
    leaf->a = (double)random_below(1000) - 500;
    leaf->b = (double)random_below(9) - 4;
    if (is_float(leaf->type)) leaf->b += 0.1;
}

static void random_leaf(const struct sketch *made, struct tidemill_fuse_leaf *leaf)
{
    static const struct {
        int32_t distribution, type;
        double a, b;
    } kinds[] = {
        {TIDEMILL_UNIFORM, TIDEMILL_FLOAT64, -1, 2},
        {TIDEMILL_UNIFORM, TIDEMILL_FLOAT32, 0, 1},
        {TIDEMILL_NORMAL, TIDEMILL_FLOAT64, 1, 2},
        {TIDEMILL_NORMAL, TIDEMILL_FLOAT32, 0, 1},
        {TIDEMILL_LOGNORMAL, TIDEMILL_FLOAT64, 0, 1},
        {TIDEMILL_EXPONENTIAL, TIDEMILL_FLOAT64, 3, 0},
        {TIDEMILL_INTEGERS, TIDEMILL_INT64, -5, 5},
        {TIDEMILL_INTEGERS, TIDEMILL_INT32, 1, 6},
        {TIDEMILL_BERNOULLI, TIDEMILL_BOOL, 0.5, 0},
    };
    int64_t pick = random_below(sizeof kinds / sizeof *kinds);
    lay_strides(made, leaf);
    leaf->distribution = kinds[pick].distribution;
    leaf->type = kinds[pick].type;
    leaf->a = kinds[pick].a;
    leaf->b = kinds[pick].b;
    leaf->seed = random_bits();
    leaf->stream = random_bits();
    leaf->offset += random_below(5000);
}

/* One element of a random leaf, by the kernel for its distribution. */
static void draw_one(const struct tidemill_fuse_leaf *leaf, uint64_t at, void *out)
{
    uint64_t seed = leaf->seed, stream = leaf->stream;
    int wide = leaf->type == TIDEMILL_FLOAT64 || leaf->type == TIDEMILL_INT64;
    switch (leaf->distribution) {
    case TIDEMILL_UNIFORM:
        if (wide)
            tidemill_kernel_random_uniform(seed, stream, at, 1, leaf->a, leaf->b, out);
        else
            tidemill_kernel_random_uniform_f32(seed, stream, at, 1, (float)leaf->a,
                                               (float)leaf->b, out);
        break;
    case TIDEMILL_NORMAL:
        if (wide)
            tidemill_kernel_random_normal(seed, stream, at, 1, leaf->a, leaf->b, out);
        else
            tidemill_kernel_random_normal_f32(seed, stream, at, 1, (float)leaf->a,
                                              (float)leaf->b, out);
        break;
    case TIDEMILL_LOGNORMAL:
        tidemill_kernel_random_lognormal(seed, stream, at, 1, leaf->a, leaf->b, out);
        break;
    case TIDEMILL_EXPONENTIAL:
        tidemill_kernel_random_exponential(seed, stream, at, 1, leaf->a, out);
        break;
    case TIDEMILL_INTEGERS:
        if (wide)
            tidemill_kernel_random_integers_i64(seed, stream, at, 1, (int64_t)leaf->a,
                                                (int64_t)leaf->b, out);
        else
            tidemill_kernel_random_integers_i32(seed, stream, at, 1, (int32_t)leaf->a,
                                                (int32_t)leaf->b, out);
        break;
    default:
        tidemill_kernel_random_bernoulli(seed, stream, at, 1, leaf->a, out);
    }
}

static void leaf_element(const struct sketch *made, const struct tidemill_fuse_leaf *leaf,
                         int64_t place, void *out)
{
    size_t size = size_of(leaf->type);
    int64_t position = position_of(made, leaf, place);
    char *to = (char *)out + (size_t)place * size;
    switch (leaf->kind) {
    case TIDEMILL_FUSE_MEMORY:
        memcpy(to, (char *)made->input[leaf->input] + (size_t)position * size, size);
        break;
    case TIDEMILL_FUSE_CONSTANT:
        put(leaf->type, out, place, is_float(leaf->type) ? (exact)leaf->a : leaf->offset);
        break;
    case TIDEMILL_FUSE_INDEX:
        put(leaf->type, out, place,
            is_float(leaf->type) ? (exact)(leaf->a + leaf->b * (double)position)
                                 : (exact)((int64_t)leaf->a + (int64_t)leaf->b * position));
        break;
    default:
        draw_one(leaf, (uint64_t)position, to);
    }
}

static void add_value(struct sketch *made, int32_t type, int32_t slot, void *elements)
{
    made->value[made->values++] = (struct whole){type, slot, elements, 0};
}

static void add_leaf(struct sketch *made, int specials)
{
    int32_t slot = made->program.leaves++;
    struct tidemill_fuse_leaf *leaf = &made->leaf[slot];
    leaf->kind = 1 + (int32_t)random_below(random_below(2) ? 1 : 4);
    if (leaf->kind == TIDEMILL_FUSE_MEMORY)
        memory_leaf(made, leaf, specials);
    else if (leaf->kind == TIDEMILL_FUSE_CONSTANT)
        constant_leaf(leaf);
    else if (leaf->kind == TIDEMILL_FUSE_INDEX)
        index_leaf(made, leaf);
    else
        random_leaf(made, leaf);
    void *elements = exact_copy(NULL, (size_t)made->places * size_of(leaf->type));
    for (int64_t i = 0; i < made->places; i++) leaf_element(made, leaf, i, elements);
    add_value(made, leaf->type, slot, elements);
}

/* ---- steps --------------------------------------------------------------------------------- */

/* A value of this type (0: any) whose slot still has it, or -1. */
static int some_value(const struct sketch *made, int32_t type)
{
    for (int tries = 0; tries < 20; tries++) {
        int64_t i = random_below(made->values);
        if (!made->value[i].lost && (!type || made->value[i].type == type)) return (int)i;
    }
    return -1;
}

/* Where a step writes: an output, a new register, or in place of an operand's. */
static int32_t place_of_result(struct sketch *made, int32_t type, const int *operands, int most)
{
    struct tidemill_fuse_program *program = &made->program;
    if (program->outputs < most && random_below(4) == 0) {
        program->output_type[program->outputs] = type;
        made->output_value[program->outputs] = made->values;
        return 2000 + program->outputs++;
    }
    for (int k = 0; k < 3; k++) {
        if (operands[k] < 0 || random_below(2)) continue;
        struct whole *given = &made->value[operands[k]];
        if (given->slot < 1000 || given->slot >= 2000 || size_of(given->type) != size_of(type))
            continue;
        for (int i = 0; i < made->values; i++)
            if (made->value[i].slot == given->slot) made->value[i].lost = 1;
        return given->slot;
    }
    return 1000 + program->registers++;
}

static void add_step(struct sketch *made, const int *operands, int32_t op, int32_t type,
                     int32_t to, void *elements)
{
    struct tidemill_fuse_step *step = &made->step[made->program.steps++];
    *step = (struct tidemill_fuse_step){.op = op, .type = type, .to = to};
    for (int k = 0; k < 3; k++)
        step->in[k] = operands[k] < 0 ? -1 : made->value[operands[k]].slot;
    step->out = place_of_result(made, to, operands, MOST_OUTPUTS);
    add_value(made, to, step->out, elements);
}

static void random_cast(struct sketch *made)
{
    int operands[3] = {some_value(made, 0), -1, -1};
    if (operands[0] < 0) return;
    const struct whole *from = &made->value[operands[0]];
    int32_t to = all_types[random_below(TYPES)];
    void *elements = exact_copy(NULL, (size_t)made->places * size_of(to));
    int64_t done = tidemill_kernel_cast(from->type, to, from->elements, elements, made->places);
    if (done < made->places) made->refused = done + 1;
    add_step(made, operands, TIDEMILL_FUSE_CAST, from->type, to, elements);
}

static void random_step(struct sketch *made)
{
    int operands[3] = {-1, -1, -1};
    int32_t op = 1 + (int32_t)random_below(61);
    int count = tidemill_kernel_operands(op);
    if (count == 0) return;
    int first = op == TIDEMILL_OP_WHERE;
    operands[first] = some_value(made, 0);
    if (operands[first] < 0) return;
    int32_t type = made->value[operands[first]].type;
    int32_t to = tidemill_kernel_result_type(op, type);
    if (to == 0) return;
    for (int k = 0; k < count; k++) {
        if (k == first) continue;
        operands[k] = some_value(made, k < first ? TIDEMILL_BOOL : type);
        if (operands[k] < 0) return;
    }
    const void *from[3] = {0};
    for (int k = 0; k < count; k++) from[k] = made->value[operands[k]].elements;
    void *elements = exact_copy(NULL, (size_t)made->places * size_of(to));
    CHECK(tidemill_kernel_apply(op, type, from[0], 1, from[1], 1, from[2], 1, elements,
                                made->places) == 0);
    add_step(made, operands, op, type, to, elements);
}

static void add_reductions(struct sketch *made)
{
    struct tidemill_fuse_program *program = &made->program;
    int axes = program->dimensions;
    int first = (int)random_below(axes + 1), last = first + (int)random_below(axes - first + 1);
    program->outer = program->n = program->inner = 1;
    for (int a = 0; a < axes; a++)
        *(a < first  ? &program->outer
          : a < last ? &program->n
                     : &program->inner) *= program->shape[a];
    for (int tries = 0; tries < 6 && program->reductions < MOST_REDUCTIONS; tries++) {
        int value = some_value(made, 0);
        int32_t kind = 1 + (int32_t)random_below(11) + (random_below(2) ? 32 : 0);
        if (value < 0 || tidemill_kernel_reduce_planes(kind, made->value[value].type) <= 0)
            continue;
        made->reduction[program->reductions++] =
            (struct tidemill_fuse_reduction){.kind = kind,
                                             .type = made->value[value].type,
                                             .slot = made->value[value].slot,
                                             .base = random_below(5)};
    }
}

/* ---- whole programs ------------------------------------------------------------------------ */

/* Slots were numbered by kind while nobody knew how many there are of each. */
static void number_slot(const struct sketch *made, int32_t *slot)
{
    if (*slot >= 2000)
        *slot += made->program.leaves + made->program.registers - 2000;
    else if (*slot >= 1000)
        *slot += made->program.leaves - 1000;
}

static void number_slots(struct sketch *made)
{
    for (int i = 0; i < made->program.steps; i++) {
        number_slot(made, &made->step[i].out);
        for (int k = 0; k < 3; k++) number_slot(made, &made->step[i].in[k]);
    }
    for (int i = 0; i < made->program.reductions; i++)
        number_slot(made, &made->reduction[i].slot);
}

/* Row-major sizes whose product is about `most`: often one long axis, sometimes an empty one. */
static void random_shape(struct sketch *made, int axes, int64_t most)
{
    made->program.dimensions = axes;
    made->places = 1;
    int64_t *shape = made->program.shape;
    for (int a = 0; a < axes; a++) {
        int64_t room = most / made->places;
        shape[a] = room < 2 || random_below(5) == 0 ? 1 : 1 + random_below(room);
        if (axes > 2 && shape[a] > 40) shape[a] = 1 + random_below(40);
        made->places *= shape[a];
    }
    if (axes > 0 && random_below(40) == 0) made->places = shape[random_below(axes)] = 0;
}

static void sketch_random(struct sketch *made, int axes, int64_t most)
{
    *made = (struct sketch){0};
    random_shape(made, axes, most);
    int leaves = 1 + (int)random_below(MOST_INPUTS), specials = random_below(3) > 0;
    for (int i = 0; i < leaves; i++) add_leaf(made, specials);
    for (int tries = 0; tries < 20 && !made->refused && made->values < MOST_VALUES; tries++) {
        if (random_below(5) == 0)
            random_cast(made);
        else
            random_step(made);
    }
    add_reductions(made);
    number_slots(made);
}

static void sketch_end(struct sketch *made)
{
    for (int i = 0; i < made->values; i++) free(made->value[i].elements);
    for (int i = 0; i < made->inputs; i++) free(made->input[i]);
}

static char *append(char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

static int64_t bytes_of(const struct sketch *made)
{
    const struct tidemill_fuse_program *p = &made->program;
    return (int64_t)(sizeof *p + (size_t)p->leaves * sizeof *made->leaf +
                     (size_t)p->steps * sizeof *made->step +
                     (size_t)p->reductions * sizeof *made->reduction);
}

static void *written(const struct sketch *made)
{
    const struct tidemill_fuse_program *p = &made->program;
    char *bytes = exact_copy(NULL, (size_t)bytes_of(made));
    char *at = append(bytes, p, sizeof *p);
    at = append(at, made->leaf, (size_t)p->leaves * sizeof *made->leaf);
    at = append(at, made->step, (size_t)p->steps * sizeof *made->step);
    append(at, made->reduction, (size_t)p->reductions * sizeof *made->reduction);
    return bytes;
}

static int64_t check_of(const struct sketch *made)
{
    void *bytes = written(made);
    int64_t answer =
        tidemill_kernel_fuse_check(bytes, bytes_of(made), made->length, made->inputs);
    free(bytes);
    return answer;
}

static size_t partial_bytes(const struct sketch *made, int i)
{
    const struct tidemill_fuse_reduction *reduction = &made->reduction[i];
    return (size_t)(tidemill_kernel_reduce_planes(reduction->kind, reduction->type) *
                    made->program.outer * made->program.inner * 8);
}

static const struct whole *value_in(const struct sketch *made, int32_t slot)
{
    const struct whole *found = NULL;
    for (int i = 0; i < made->values; i++) {
        int32_t own = made->value[i].slot;
        number_slot(made, &own);
        if (own == slot && !made->value[i].lost) found = &made->value[i];
    }
    return found;
}

static void check_partial(const struct sketch *made, int i, const void *got, const char *set)
{
    const struct tidemill_fuse_reduction *reduction = &made->reduction[i];
    const struct tidemill_fuse_program *p = &made->program;
    int64_t bytes = tidemill_kernel_reduce_scratch(reduction->kind, reduction->type, p->outer,
                                                   p->n, p->inner);
    void *scratch = exact_copy(NULL, (size_t)bytes);
    void *expected = exact_copy(NULL, partial_bytes(made, i));
    tidemill_kernel_reduce(reduction->kind, reduction->type,
                           value_in(made, reduction->slot)->elements, p->outer, p->n, p->inner,
                           reduction->base, expected, scratch);
    CHECK_SAYING(!memcmp(got, expected, partial_bytes(made, i)),
                 "%s: reduction %d of type %d, (%d, %d, %d)", set, reduction->kind,
                 reduction->type, (int)p->outer, (int)p->n, (int)p->inner);
    free(scratch);
    free(expected);
}

static void check_output(const struct sketch *made, int i, const void *got, const char *set)
{
    const struct whole *value = &made->value[made->output_value[i]];
    for (int64_t k = 0; k < made->places; k++) {
        if (same_element(value->type, got, value->elements, k)) continue;
        CHECK_SAYING(0, "%s: output %d of type %d, place %d of %d", set, i, value->type, (int)k,
                     (int)made->places);
        return;
    }
}

/* Runs a program with each instruction set, on buffers of their exact size. */
static void check_run(const struct sketch *made)
{
    const struct tidemill_fuse_program *p = &made->program;
    void *bytes = written(made), *out[MOST_OUTPUTS + MOST_REDUCTIONS];
    CHECK(tidemill_kernel_fuse_check(bytes, bytes_of(made), made->length, made->inputs) == 0);
    EACH_SET(set)
    {
        size_t room = (size_t)tidemill_kernel_fuse_scratch(bytes);
        void *scratch = aligned_alloc(64, room);
        for (int i = 0; i < p->outputs; i++)
            out[i] = exact_copy(NULL, (size_t)made->places * size_of(p->output_type[i]));
        for (int i = 0; i < p->reductions; i++)
            out[p->outputs + i] = exact_copy(NULL, partial_bytes(made, i));
        int64_t refused =
            tidemill_kernel_fuse(bytes, (const void *const *)made->input, out, scratch);
        CHECK_SAYING(refused == made->refused, "%s: refused %d, expected %d", kernel_sets[set],
                     (int)refused, (int)made->refused);
        for (int i = 0; i < p->outputs && !refused; i++)
            check_output(made, i, out[i], kernel_sets[set]);
        for (int i = 0; i < p->reductions && !refused; i++)
            check_partial(made, i, out[p->outputs + i], kernel_sets[set]);
        for (int i = 0; i < p->outputs + p->reductions; i++) free(out[i]);
        free(scratch);
    }
    free(bytes);
}

static void programs_give_the_bits_of_one_step_at_a_time(void)
{
    for (int round = 0; round < 3000; round++) {
        struct sketch made;
        sketch_random(&made, round % (TIDEMILL_FUSE_AXES + 1), round % 20 ? 2000 : 20000);
        check_run(&made);
        sketch_end(&made);
        if (check__bad) {
            fprintf(stderr, "round %d\n", round);
            return;
        }
    }
}

/* Rows just below, at and above a block, folded and kept, read straight and transposed. */
static void blocks_and_panels_end_where_they_should(void)
{
    static const int64_t sizes[] = {1, 2, 15, 16, 17, 31, 33, 1023, 1024, 1025, 2047, 2049};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < SIZES * SIZES; i++) {
        struct sketch made = {.program = {.dimensions = 2}};
        int64_t rows = sizes[i / SIZES], columns = sizes[i % SIZES];
        if (rows * columns > 70000) continue;
        made.program.shape[0] = rows;
        made.program.shape[1] = columns;
        made.places = rows * columns;
        for (int turned = 0; turned < 2; turned++) {
            struct tidemill_fuse_leaf *leaf = &made.leaf[made.program.leaves];
            *leaf = (struct tidemill_fuse_leaf){.kind = TIDEMILL_FUSE_MEMORY, .input = turned};
            leaf->type = TIDEMILL_FLOAT64;
            leaf->stride[0] = turned ? 1 : columns;
            leaf->stride[1] = turned ? rows : 1;
            made.length[turned] = made.places;
            made.input[turned] = random_column(leaf->type, made.places, 0);
            made.inputs++;
            double *elements = exact_doubles(made.places);
            for (int64_t k = 0; k < made.places; k++) leaf_element(&made, leaf, k, elements);
            add_value(&made, leaf->type, made.program.leaves++, elements);
        }
        double *sum = exact_doubles(made.places);
        tidemill_kernel_apply(TIDEMILL_OP_ADD, TIDEMILL_FLOAT64, made.value[0].elements, 1,
                              made.value[1].elements, 1, NULL, 0, sum, made.places);
        made.step[made.program.steps++] =
            (struct tidemill_fuse_step){TIDEMILL_OP_ADD, TIDEMILL_FLOAT64, 0, 2, {0, 1, -1}, 0};
        add_value(&made, TIDEMILL_FLOAT64, 1000, sum);
        made.program.registers = 1;
        made.program.outer = i % 3 == 0 ? rows : 1;
        made.program.n = i % 3 == 0 ? columns : i % 3 == 1 ? rows : made.places;
        made.program.inner = i % 3 == 1 ? columns : 1;
        for (int k = 0; k < 3; k++)
            made.reduction[made.program.reductions++] =
                (struct tidemill_fuse_reduction){k == 0   ? TIDEMILL_REDUCE_MEAN
                                                 : k == 1 ? TIDEMILL_REDUCE_MOMENTS
                                                          : TIDEMILL_REDUCE_ARGMAX,
                                                 TIDEMILL_FLOAT64, 2, 0, 1};
        check_run(&made);
        sketch_end(&made);
    }
}

/* ---- what is not sound --------------------------------------------------------------------- */

/* (x + y) > 1 stored, the sum of x + y, cast and folded. */
static void sketch_sound(struct sketch *made)
{
    *made = (struct sketch){.program = {.dimensions = 2,
                                        .leaves = 4,
                                        .steps = 3,
                                        .registers = 2,
                                        .outputs = 1,
                                        .reductions = 1,
                                        .shape = {3, 4},
                                        .outer = 3,
                                        .n = 4,
                                        .inner = 1,
                                        .output_type = {TIDEMILL_BOOL}},
                            .inputs = 1,
                            .length = {14}};
    made->leaf[0] = (struct tidemill_fuse_leaf){
        .kind = TIDEMILL_FUSE_MEMORY, .type = TIDEMILL_FLOAT64, .offset = 2, .stride = {4, 1}};
    made->leaf[1] =
        (struct tidemill_fuse_leaf){.kind = TIDEMILL_FUSE_CONSTANT, .type = TIDEMILL_FLOAT64};
    made->leaf[2] = (struct tidemill_fuse_leaf){
        .kind = TIDEMILL_FUSE_INDEX, .type = TIDEMILL_FLOAT64, .b = 1, .stride = {4, 1}};
    made->leaf[3] = (struct tidemill_fuse_leaf){.kind = TIDEMILL_FUSE_RANDOM,
                                                .type = TIDEMILL_FLOAT64,
                                                .distribution = TIDEMILL_UNIFORM,
                                                .b = 1,
                                                .stride = {4, 1}};
    made->step[0] =
        (struct tidemill_fuse_step){TIDEMILL_OP_ADD, TIDEMILL_FLOAT64, 0, 4, {0, 2, -1}, 0};
    made->step[1] =
        (struct tidemill_fuse_step){TIDEMILL_OP_GT, TIDEMILL_FLOAT64, 0, 6, {4, 1, -1}, 0};
    made->step[2] = (struct tidemill_fuse_step){
        TIDEMILL_FUSE_CAST, TIDEMILL_FLOAT64, TIDEMILL_FLOAT32, 5, {4, -1, -1}, 0};
    made->reduction[0] = (struct tidemill_fuse_reduction){
        .kind = TIDEMILL_REDUCE_SUM, .type = TIDEMILL_FLOAT32, .slot = 5};
}

/* A sound program in which one field has one of these values must be refused. */
#define REFUSED(field, ...)                                                                    \
    do {                                                                                       \
        static const int64_t wrong[] = {__VA_ARGS__};                                          \
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {                            \
            struct sketch made;                                                                \
            sketch_sound(&made);                                                               \
            made.field = (__typeof__(made.field))wrong[i];                                     \
            CHECK_SAYING(check_of(&made) == -1, "%s = %lld is taken", #field,                  \
                         (long long)wrong[i]);                                                 \
        }                                                                                      \
    } while (0)

static void the_shape_and_the_fold_must_agree(void)
{
    struct sketch sound;
    sketch_sound(&sound);
    CHECK(check_of(&sound) == 0);
    REFUSED(program.dimensions, -1, 9, 1, 3, INT32_MAX);
    REFUSED(program.shape[0], -1, 4, INT64_MAX, INT64_MIN);
    REFUSED(program.outer, 0, 2, -3, INT64_MAX);
    REFUSED(program.n, -4, 5, INT64_MAX);
    REFUSED(program.inner, -1, 0, 2, INT64_MIN);
}

static void leaves_must_stay_inside_their_inputs(void)
{
    REFUSED(leaf[0].kind, 0, 5, -1);
    REFUSED(leaf[0].type, 0, 2, 99, -1, TIDEMILL_INT64);
    REFUSED(leaf[0].input, -1, 1, INT32_MAX);
    REFUSED(leaf[0].offset, -1, 3, INT64_MAX, INT64_MIN);
    REFUSED(leaf[0].stride[0], 5, -2, INT64_MAX, INT64_MIN);
    REFUSED(leaf[0].stride[1], 2, -1, INT64_MAX);
    REFUSED(length[0], 13, 0, -1);
    REFUSED(inputs, 0);
}

/* Positions are computed in 64 bits, whatever is made of them. */
static void positions_must_be_numbers(void)
{
    REFUSED(leaf[2].type, TIDEMILL_BOOL, TIDEMILL_UINT8, 0);
    REFUSED(leaf[2].stride[0], INT64_MAX, INT64_MIN, INT64_MAX / 3);
    REFUSED(leaf[2].offset, INT64_MAX, INT64_MIN);
    REFUSED(leaf[3].stride[1], INT64_MAX, INT64_MIN);
    REFUSED(leaf[3].offset, INT64_MAX, -1);
    REFUSED(leaf[3].distribution, 0, 7, TIDEMILL_BERNOULLI, -1);
    REFUSED(reduction[0].base, -1, INT64_MAX, INT64_MIN);
}

/* Integers that count with a step are exact, or there is no such program. */
static void integers_that_count_must_fit_64_bits(void)
{
    static const double wrong[] = {NAN, INFINITY, -INFINITY, 1e19, -1e19};
    for (int i = 0; i < 10; i++) {
        struct sketch made;
        sketch_sound(&made);
        made.program.reductions = made.program.steps = made.program.outputs = 0;
        made.leaf[2].type = TIDEMILL_INT64;
        CHECK(check_of(&made) == 0);
        *(i % 2 ? &made.leaf[2].a : &made.leaf[2].b) = wrong[i / 2];
        CHECK_SAYING(check_of(&made) == -1, "%g is taken", wrong[i / 2]);
    }
}

static void random_integers_must_have_a_range(void)
{
    static const double wrong[][2] = {{2, 1},       {NAN, 1},    {1, NAN},   {0, INFINITY},
                                      {-0x1p60, 1}, {0, 0x1p60}, {0, 0x1p31}};
    struct sketch made;
    sketch_sound(&made);
    made.program.reductions = made.program.steps = made.program.outputs = 0;
    made.leaf[3].distribution = TIDEMILL_INTEGERS;
    made.leaf[3].type = TIDEMILL_INT32;
    CHECK(check_of(&made) == 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        made.leaf[3].a = wrong[i][0];
        made.leaf[3].b = wrong[i][1];
        CHECK_SAYING(check_of(&made) == -1, "%g, %g are taken", wrong[i][0], wrong[i][1]);
    }
}

/* An array of no elements may have axes of any size, and room for it is reckoned all the same. */
static void sizes_beside_an_empty_axis_must_be_numbers(void)
{
    struct sketch made;
    sketch_sound(&made);
    made.program.shape[0] = made.program.outer = 0;
    CHECK(check_of(&made) == 0);
    made.program.shape[1] = made.program.n = INT64_MAX / 2;
    made.leaf[0].stride[0] = 1;
    made.leaf[0].stride[1] = INT64_MAX / 4;
    CHECK(check_of(&made) == -1);
}

static void steps_must_read_what_was_written(void)
{
    REFUSED(step[0].op, 0, 19, 62, 999, -1, TIDEMILL_OP_NEG, TIDEMILL_OP_WHERE,
            TIDEMILL_OP_AND);
    REFUSED(step[0].type, 0, TIDEMILL_INT64, TIDEMILL_FLOAT32, -1);
    REFUSED(step[0].out, -1, 0, 3, 5, 7, INT32_MAX);
    REFUSED(step[0].in[0], -1, -2, 4, 5, 6, 7, INT32_MAX, INT32_MIN);
    REFUSED(step[0].in[1], -1, -2, 4, 7);
    REFUSED(step[0].in[2], 0, 4, -2);
    REFUSED(step[1].out, 4);
    REFUSED(step[1].op, TIDEMILL_OP_ADD);
    REFUSED(step[2].to, 0, 2, 99, TIDEMILL_FLOAT64);
    REFUSED(step[2].type, TIDEMILL_INT64, 0);
    REFUSED(step[2].in[0], -1, 6, 5);
    REFUSED(step[2].in[1], -2, 7);
    REFUSED(step[2].out, 4 + 3);
    REFUSED(program.output_type[0], 0, TIDEMILL_UINT8, TIDEMILL_FLOAT64);
}

static void reductions_must_exist(void)
{
    REFUSED(reduction[0].kind, 0, 12, 13, 14, 31, 46, -1);
    REFUSED(reduction[0].type, 0, TIDEMILL_FLOAT64, 99);
    REFUSED(reduction[0].slot, -1, 4, 7, INT32_MAX);
}

static void the_parts_must_fill_the_bytes(void)
{
    static const int32_t wrong[] = {-1, 257, INT32_MAX, INT32_MIN};
    struct sketch made;
    sketch_sound(&made);
    char *bytes = written(&made);
    int64_t size = bytes_of(&made);
    CHECK(tidemill_kernel_fuse_check(bytes, size, made.length, 1) == 0);
    for (int64_t shorter = 0; shorter < size; shorter += 4) {
        void *part = exact_copy(bytes, (size_t)shorter);
        CHECK(tidemill_kernel_fuse_check(part, shorter, made.length, 1) == -1);
        free(part);
    }
    for (size_t field = 1; field < 6; field++) {
        for (int i = 0; i < 6; i++) {
            int32_t *at = (int32_t *)bytes + field, kept = *at;
            *at = i < 4 ? wrong[i] : kept + (i == 4 ? 1 : -1);
            if (field != 3 || i < 4)
                CHECK_SAYING(tidemill_kernel_fuse_check(bytes, size, made.length, 1) == -1,
                             "field %d = %d is taken", (int)field, *at);
            *at = kept;
        }
    }
    free(bytes);
}

int main(void)
{
    random_state = check_seed();
    RUN(programs_give_the_bits_of_one_step_at_a_time);
    RUN(blocks_and_panels_end_where_they_should);
    RUN(the_shape_and_the_fold_must_agree);
    RUN(leaves_must_stay_inside_their_inputs);
    RUN(positions_must_be_numbers);
    RUN(integers_that_count_must_fit_64_bits);
    RUN(random_integers_must_have_a_range);
    RUN(sizes_beside_an_empty_axis_must_be_numbers);
    RUN(steps_must_read_what_was_written);
    RUN(reductions_must_exist);
    RUN(the_parts_must_fill_the_bytes);
    return check_end();
}
