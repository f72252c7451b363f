/* fuse: runs fused programs; see kernels/fuse.h.
 * The loop is over blocks of the box; leaves are read, steps done, reductions fed.  All that a
 * run needs lies in the scratch: the state, a block for each leaf and register, panels,
 * reducers.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "kernels/chain_bodies.h"
#include "kernels/elementwise.h"
#include "kernels/elementwise_bodies.h"
#include "kernels/fuse_bodies.h"
#include "kernels/reduce.h"
#include "kernels/reduce_bodies.h"

/* ---- the parts of a program ---------------------------------------------------------------- */

static const struct tidemill_fuse_leaf *leaves_of(const struct tidemill_fuse_program *program)
{
    return (const struct tidemill_fuse_leaf *)(program + 1);
}

static const struct tidemill_fuse_step *steps_of(const struct tidemill_fuse_program *program)
{
    return (const struct tidemill_fuse_step *)(leaves_of(program) + program->leaves);
}

static const struct tidemill_fuse_reduction *
reductions_of(const struct tidemill_fuse_program *program)
{
    return (const struct tidemill_fuse_reduction *)(steps_of(program) + program->steps);
}

static int64_t places_of(const struct tidemill_fuse_program *program)
{
    int64_t places = 1;
    for (int axis = 0; axis < program->dimensions; axis++) places *= program->shape[axis];
    return places;
}

static int32_t slots_of(const struct tidemill_fuse_program *program)
{
    return program->leaves + program->registers + program->outputs;
}

/* ---- checking ------------------------------------------------------------------------------ */

static int between(int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most;
}

/* Whether sizes are not negative and their product is at most 2^53, an empty axis counted as one
 * place: what is reckoned from some of them fits 64 bits. */
static int sizes_are_sound(const int64_t *sizes, int count)
{
    int64_t places = 1;
    for (int i = 0; i < count; i++) {
        if (sizes[i] < 0) return 0;
        if (sizes[i] > 0 && __builtin_mul_overflow(places, sizes[i], &places)) return 0;
    }
    return places <= INT64_C(1) << 53;
}

/* Whether the reductions see the whole box. */
static int box_is_sound(const struct tidemill_fuse_program *program)
{
    int64_t seen[] = {program->outer, program->n, program->inner};
    return sizes_are_sound(program->shape, program->dimensions) && sizes_are_sound(seen, 3) &&
           seen[0] * seen[1] * seen[2] == places_of(program);
}

static int64_t span_of(int64_t size, int64_t stride)
{
    int64_t span;
    return __builtin_mul_overflow(size > 0 ? size : 1, stride, &span) ? INT64_MAX : span;
}

/* Whether no position, nor a sum on the way to one, reaches 2^62; the least and the greatest. */
static int positions_are_sound(const struct tidemill_fuse_program *program,
                               const struct tidemill_fuse_leaf *leaf, int64_t *least,
                               int64_t *most)
{
    const int64_t limit = INT64_C(1) << 62;
    int64_t room = limit;
    *least = *most = leaf->offset;
    if (!between(leaf->offset, -limit, limit)) return 0;
    room -= leaf->offset < 0 ? -leaf->offset : leaf->offset;
    for (int axis = 0; axis < program->dimensions; axis++) {
        int64_t span = span_of(program->shape[axis], leaf->stride[axis]);
        if (!between(span, -room, room)) return 0;
        room -= span < 0 ? -span : span;
        if (program->shape[axis] == 0) continue;
        *(span < 0 ? least : most) += span - leaf->stride[axis];
    }
    return 1;
}

/* Integers are exact: a + b * position fits 64 bits on the way, too. */
static int index_is_sound(const struct tidemill_fuse_leaf *leaf, int64_t least, int64_t most)
{
    double far = least < -most ? -(double)least : (double)most;
    if (mill_element_size(leaf->type) < 4) return 0;
    if (leaf->type == TIDEMILL_FLOAT64 || leaf->type == TIDEMILL_FLOAT32) return 1;
    return fabs(leaf->a) + fabs(leaf->b) * (far > 1 ? far : 1) < 0x1p62;
}

static int random_is_sound(const struct tidemill_fuse_leaf *leaf)
{
    if (!mill_random_find(leaf->distribution, leaf->type)) return 0;
    if (leaf->distribution != TIDEMILL_INTEGERS) return 1;
    double least = leaf->type == TIDEMILL_INT32 ? INT32_MIN : -0x1p53;
    double most = leaf->type == TIDEMILL_INT32 ? INT32_MAX : 0x1p53;
    return least <= leaf->a && leaf->a <= leaf->b && leaf->b <= most;
}

static int leaf_is_sound(const struct tidemill_fuse_program *program,
                         const struct tidemill_fuse_leaf *leaf, const int64_t *lengths,
                         int64_t inputs)
{
    int64_t least, most;
    if (mill_element_size(leaf->type) == 0 ||
        !positions_are_sound(program, leaf, &least, &most))
        return 0;
    switch (leaf->kind) {
    case TIDEMILL_FUSE_MEMORY:
        return between(leaf->input, 0, inputs - 1) &&
               (places_of(program) == 0 || (least >= 0 && most < lengths[leaf->input]));
    case TIDEMILL_FUSE_RANDOM:
        return least >= 0 && random_is_sound(leaf);
    case TIDEMILL_FUSE_CONSTANT:
        return 1;
    case TIDEMILL_FUSE_INDEX:
        return index_is_sound(leaf, least, most);
    default:
        return 0;
    }
}

/* Slots are written before they are read, and registers and outputs alone are written. */
static int step_is_sound(const struct tidemill_fuse_program *program,
                         const struct tidemill_fuse_step *step, const int32_t *type_of)
{
    if (!between(step->out, program->leaves, slots_of(program) - 1)) return 0;
    for (int k = 0; k < 3; k++) {
        if (step->in[k] == -1) continue;
        if (!between(step->in[k], 0, slots_of(program) - 1) || !type_of[step->in[k]]) return 0;
    }
    if (step->in[0] < 0) return 0;
    if (step->op == TIDEMILL_FUSE_CAST)
        return type_of[step->in[0]] == step->type &&
               mill_cast_find(step->type, step->to) != NULL;
    if (!mill_apply_find(step->op, step->type)) return 0;
    int operands = tidemill_kernel_operands(step->op);
    for (int k = 0; k < 3; k++) {
        if ((step->in[k] >= 0) != (k < operands)) return 0;
        int32_t wanted = step->op == TIDEMILL_OP_WHERE && k == 0 ? TIDEMILL_BOOL : step->type;
        if (k < operands && type_of[step->in[k]] != wanted) return 0;
    }
    return 1;
}

static int32_t type_made(const struct tidemill_fuse_step *step)
{
    return step->op == TIDEMILL_FUSE_CAST ? step->to
                                          : tidemill_kernel_result_type(step->op, step->type);
}

static int steps_are_sound(const struct tidemill_fuse_program *program)
{
    int32_t type_of[TIDEMILL_FUSE_SLOTS] = {0};
    for (int i = 0; i < program->leaves; i++) type_of[i] = leaves_of(program)[i].type;
    int32_t first_output = program->leaves + program->registers;
    for (int i = 0; i < program->steps; i++) {
        const struct tidemill_fuse_step *step = &steps_of(program)[i];
        if (!step_is_sound(program, step, type_of)) return 0;
        type_of[step->out] = type_made(step);
        if (step->out >= first_output &&
            type_of[step->out] != program->output_type[step->out - first_output])
            return 0;
    }
    for (int i = 0; i < program->outputs; i++)
        if (!type_of[first_output + i]) return 0;
    for (int i = 0; i < program->reductions; i++) {
        const struct tidemill_fuse_reduction *reduction = &reductions_of(program)[i];
        if (!between(reduction->slot, 0, slots_of(program) - 1) ||
            !between(reduction->base, 0, INT64_C(1) << 53) ||
            type_of[reduction->slot] != reduction->type ||
            tidemill_kernel_reduce_planes(reduction->kind, reduction->type) <= 0)
            return 0;
    }
    return 1;
}

int64_t tidemill_kernel_fuse_check(const void *bytes, int64_t size, const int64_t *lengths,
                                   int64_t inputs)
{
    const struct tidemill_fuse_program *program = bytes;
    if (size < (int64_t)sizeof *program) return -1;
    if (!between(program->dimensions, 0, TIDEMILL_FUSE_AXES) ||
        !between(program->leaves, 0, TIDEMILL_FUSE_SLOTS) ||
        !between(program->registers, 0, TIDEMILL_FUSE_SLOTS) ||
        !between(program->outputs, 0, 8) || !between(program->steps, 0, 1 << 20) ||
        !between(program->reductions, 0, 1 << 10) || slots_of(program) > TIDEMILL_FUSE_SLOTS)
        return -1;
    int64_t exact = (int64_t)sizeof *program +
                    program->leaves * (int64_t)sizeof(struct tidemill_fuse_leaf) +
                    program->steps * (int64_t)sizeof(struct tidemill_fuse_step) +
                    program->reductions * (int64_t)sizeof(struct tidemill_fuse_reduction);
    if (size != exact || !box_is_sound(program)) return -1;
    for (int i = 0; i < program->leaves; i++)
        if (!leaf_is_sound(program, &leaves_of(program)[i], lengths, inputs)) return -1;
    return steps_are_sound(program) ? 0 : -1;
}

/* ---- running ------------------------------------------------------------------------------- */

struct fuse_step {
    mill_apply_body *apply; /* or a cast */
    mill_cast_body *cast;
    const struct tidemill_fuse_step *step;
};

struct fuse_run {
    const struct tidemill_fuse_program *program;
    struct mill_operand *slot;
    struct mill_leaf *leaf;
    struct fuse_step *step;
    uint8_t *follows; /* of each step: whether it goes on with the chain of the one before */
    mill_chain_body *chain;
    void **reducer;
    char *flat; /* a block of a value that all places share */
    char *const *output;
};

static int64_t rounded(int64_t bytes)
{
    return (bytes + 63) & ~INT64_C(63);
}

/* Takes bytes from the scratch; with base NULL it only counts. */
static void *take_scratch(char *base, int64_t *used, int64_t bytes)
{
    void *part = base ? base + *used : NULL;
    *used += rounded(bytes);
    return part;
}

static size_t reduction_size(const struct tidemill_fuse_program *program,
                             const struct tidemill_fuse_reduction *reduction)
{
    return mill_reducer_bytes(reduction->kind, reduction->type, program->outer, program->n,
                              program->inner);
}

/* Lays the parts of a run out in the scratch; the bytes they take. */
static int64_t lay_out(const struct tidemill_fuse_program *program, char *base,
                       struct fuse_run *run, const void *const *inputs, void *const *outputs)
{
    int64_t used = 0;
    run->slot = take_scratch(base, &used, slots_of(program) * (int64_t)sizeof *run->slot);
    run->leaf = take_scratch(base, &used, program->leaves * (int64_t)sizeof *run->leaf);
    run->step = take_scratch(base, &used, program->steps * (int64_t)sizeof *run->step);
    run->follows = take_scratch(base, &used, program->steps);
    run->reducer =
        take_scratch(base, &used, program->reductions * (int64_t)sizeof *run->reducer);
    run->flat = take_scratch(base, &used, MILL_FUSE_ROOM);
    for (int i = 0; i < program->leaves; i++) {
        const struct tidemill_fuse_leaf *leaf = &leaves_of(program)[i];
        char *block = take_scratch(base, &used, MILL_FUSE_ROOM);
        char *panel = take_scratch(base, &used, mill_leaf_panel(program, leaf));
        if (base) mill_leaf_open(&run->leaf[i], program, leaf, inputs, block, panel);
    }
    for (int i = 0; i < program->registers; i++) {
        char *block = take_scratch(base, &used, MILL_FUSE_ROOM);
        if (base) run->slot[program->leaves + i] = (struct mill_operand){block, 1};
    }
    for (int i = 0; i < program->reductions; i++) {
        const struct tidemill_fuse_reduction *reduction = &reductions_of(program)[i];
        void *reducer = take_scratch(base, &used, (int64_t)reduction_size(program, reduction));
        if (!base) continue;
        run->reducer[i] = reducer;
        mill_reducer_begin(reducer, reduction->kind, reduction->type, program->outer,
                           program->n, program->inner, reduction->base,
                           outputs[program->outputs + i]);
    }
    return used;
}

int64_t tidemill_kernel_fuse_scratch(const void *program)
{
    struct fuse_run run;
    return lay_out(program, NULL, &run, NULL, NULL);
}

static void find_bodies(struct fuse_run *run)
{
    run->chain = mill_chain_find();
    mill_chain_mark(run->program, steps_of(run->program), reductions_of(run->program),
                    run->follows);
    for (int i = 0; i < run->program->steps; i++) {
        const struct tidemill_fuse_step *step = &steps_of(run->program)[i];
        int casts = step->op == TIDEMILL_FUSE_CAST;
        run->step[i] = (struct fuse_step){
            .step = step,
            .cast = casts ? mill_cast_find(step->type, step->to) : NULL,
            .apply = casts ? NULL : mill_apply_find(step->op, step->type),
        };
    }
}

/* The outputs' slots point at the block's place in each. */
static void aim_outputs(struct fuse_run *run, int64_t start)
{
    const struct tidemill_fuse_program *program = run->program;
    for (int i = 0; i < program->outputs; i++)
        run->slot[program->leaves + program->registers + i] = (struct mill_operand){
            run->output[i] + start * mill_element_size(program->output_type[i]), 1};
}

/* Operands of casts and reductions, which want an element each. */
static const char *flattened(const struct fuse_run *run, const struct mill_operand *operand,
                             int64_t size, int64_t count)
{
    if (operand->step == 1) return operand->data;
    for (int64_t i = 0; i < count; i++)
        memcpy(run->flat + i * size, operand->data, (size_t)size);
    return run->flat;
}

/* 0, or 1 + the place in the block of an element that a cast refused. */
static int64_t do_step(const struct fuse_run *run, const struct fuse_step *todo, int64_t count)
{
    static const struct mill_operand none;
    const struct tidemill_fuse_step *step = todo->step;
    const struct mill_operand *a = &run->slot[step->in[0]];
    void *out = (void *)run->slot[step->out].data;
    if (todo->cast) {
        const void *from = flattened(run, a, mill_element_size(step->type), count);
        int64_t done = todo->cast(from, out, count);
        return done < count ? done + 1 : 0;
    }
    const struct mill_operand *b = step->in[1] < 0 ? &none : &run->slot[step->in[1]];
    const struct mill_operand *c = step->in[2] < 0 ? &none : &run->slot[step->in[2]];
    todo->apply(a->data, a->step, b->data, b->step, c->data, c->step, out, count);
    return 0;
}

/* A chain asks for the memory it reads by itself. */
static struct mill_chain_link chain_link_to(struct fuse_run *run,
                                            const struct tidemill_fuse_step *step, int turned,
                                            int32_t slot, int64_t count)
{
    const struct mill_operand *operand = &run->slot[slot];
    struct mill_chain_link link =
        mill_chain_link_of(step, turned, operand->data, operand->step);
    if (slot >= run->program->leaves || run->leaf[slot].ahead_bytes == 0) return link;
    link.ahead = count + run->leaf[slot].ahead_bytes / run->leaf[slot].size;
    run->leaf[slot].ahead_bytes = 0;
    return link;
}

/* Steps from number i on that are one chain; how many. */
static int do_chain(struct fuse_run *run, int i, int64_t count)
{
    const struct tidemill_fuse_step *step = run->step[i].step;
    struct mill_chain chain = {.links = 1};
    int done = 0, turned = 0;
    chain.link[0] = chain_link_to(run, NULL, 0, step->in[0], count);
    do {
        if (done > 0) turned = step->in[1] == step[-1].out;
        chain.link[chain.links++] = chain_link_to(run, step, turned, step->in[!turned], count);
        done++, step++;
    } while (i + done < run->program->steps && run->follows[i + done] &&
             chain.links < MILL_CHAIN_LINKS);
    run->chain(&chain, (double *)run->slot[step[-1].out].data, 0, count);
    return done;
}

static void feed(const struct fuse_run *run, int64_t count)
{
    for (int i = 0; i < run->program->reductions; i++) {
        const struct tidemill_fuse_reduction *reduction = &reductions_of(run->program)[i];
        const struct mill_operand *operand = &run->slot[reduction->slot];
        int64_t size = mill_element_size(reduction->type);
        mill_reducer_feed(run->reducer[i], flattened(run, operand, size, count), count);
    }
}

/* Outputs have the one NaN. */
static void seal_outputs(const struct fuse_run *run, int64_t count)
{
    const struct tidemill_fuse_program *program = run->program;
    for (int i = 0; i < program->outputs; i++)
        mill_one_nans(program->output_type[i],
                      (void *)run->slot[program->leaves + program->registers + i].data, count);
}

static void fetch(const struct fuse_run *run, int64_t part)
{
    for (int i = 0; i < run->program->leaves; i++)
        mill_leaf_fetch(&run->leaf[i], part, run->program->steps + 1);
}

static int64_t do_block(struct fuse_run *run, int64_t start, int64_t count)
{
    for (int i = 0; i < run->program->leaves; i++)
        run->slot[i] = mill_leaf_read(&run->leaf[i], start, count);
    aim_outputs(run, start);
    int steps = run->program->steps;
    for (int i = 0, done = 1; i < steps; i += done, done = 1) {
        if (i + 1 < steps && run->follows[i + 1]) {
            done = do_chain(run, i, count);
            continue;
        }
        fetch(run, i);
        int64_t refused = do_step(run, &run->step[i], count);
        if (refused) return start + refused;
    }
    fetch(run, steps);
    seal_outputs(run, count);
    feed(run, count);
    return 0;
}

/* Blocks end where rows do: several short rows make one block, a long row several. */
static int64_t do_blocks(struct fuse_run *run, int64_t places, int64_t row)
{
    int64_t most = row >= MILL_FUSE_BLOCK ? MILL_FUSE_BLOCK : MILL_FUSE_BLOCK / row * row;
    for (int64_t start = 0; start < places;) {
        int64_t left = row >= MILL_FUSE_BLOCK ? row - start % row : places - start;
        int64_t count = mill_least(most, left);
        int64_t refused = do_block(run, start, count);
        if (refused) return refused;
        start += count;
    }
    return 0;
}

int64_t tidemill_kernel_fuse(const void *bytes, const void *const *inputs, void *const *outputs,
                             void *scratch)
{
    const struct tidemill_fuse_program *program = bytes;
    struct fuse_run run = {.program = program, .output = (char *const *)outputs};
    lay_out(program, scratch, &run, inputs, outputs);
    find_bodies(&run);
    int64_t places = places_of(program), refused = 0;
    if (places > 0)
        refused = do_blocks(&run, places, program->inner > 1 ? program->inner : program->n);
    for (int i = 0; i < program->reductions; i++) mill_reducer_end(run.reducer[i]);
    return refused;
}
