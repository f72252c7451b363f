/* fuse: runs fused programs; see kernels/fuse.h.
 * The loop is over blocks of the box; leaves are read, steps done, reductions fed.  All that a
 * run needs lies in the scratch: the state, a block for each leaf and register, panels,
 * reducers.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/chain_bodies.h"
#include "kernels/elementwise.h"
#include "kernels/elementwise_bodies.h"
#include "kernels/fuse_bodies.h"
#include "kernels/reduce.h"
#include "kernels/reduce_bodies.h"

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
    run->slot =
        take_scratch(base, &used, mill_fuse_slots(program) * (int64_t)sizeof *run->slot);
    run->leaf = take_scratch(base, &used, program->leaves * (int64_t)sizeof *run->leaf);
    run->step = take_scratch(base, &used, program->steps * (int64_t)sizeof *run->step);
    run->follows = take_scratch(base, &used, program->steps);
    run->reducer =
        take_scratch(base, &used, program->reductions * (int64_t)sizeof *run->reducer);
    run->flat = take_scratch(base, &used, MILL_FUSE_ROOM);
    for (int i = 0; i < program->leaves; i++) {
        const struct tidemill_fuse_leaf *leaf = &mill_fuse_leaves(program)[i];
        char *block = take_scratch(base, &used, MILL_FUSE_ROOM);
        char *panel = take_scratch(base, &used, mill_leaf_panel(program, leaf));
        if (base) mill_leaf_open(&run->leaf[i], program, leaf, inputs, block, panel);
    }
    for (int i = 0; i < program->registers; i++) {
        char *block = take_scratch(base, &used, MILL_FUSE_ROOM);
        if (base) run->slot[program->leaves + i] = (struct mill_operand){block, 1};
    }
    for (int i = 0; i < program->reductions; i++) {
        const struct tidemill_fuse_reduction *reduction = &mill_fuse_reductions(program)[i];
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
    mill_chain_mark(run->program, mill_fuse_steps(run->program),
                    mill_fuse_reductions(run->program), run->follows);
    for (int i = 0; i < run->program->steps; i++) {
        const struct tidemill_fuse_step *step = &mill_fuse_steps(run->program)[i];
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
        const struct tidemill_fuse_reduction *reduction =
            &mill_fuse_reductions(run->program)[i];
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
    int64_t places = mill_fuse_places(program), refused = 0;
    if (places > 0 && !mill_fuse_sum(program, run.leaf, run.follows, run.reducer, run.flat))
        refused = do_blocks(&run, places, program->inner > 1 ? program->inner : program->n);
    for (int i = 0; i < program->reductions; i++) mill_reducer_end(run.reducer[i]);
    return refused;
}
