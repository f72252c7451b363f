/* fuse_sum: fused programs that are one chain under one sum, in one pass: what the chain makes is
 * added while it is in registers.
 * Two blocks that lie apart are worked on at once: a machine's own prefetching follows each place
 * that is read from, and with one place an array it does not fetch as much as memory gives.
 * SPDX-License-Identifier: MIT */
#include "kernels/chain_bodies.h"
#include "kernels/fuse_bodies.h"
#include "kernels/reduce_bodies.h"

enum { FUSE_SUM_GROUP = 64 }; /* blocks whose sums wait to be joined in order */

/* ---- which programs ---------------------------------------------------------------------- */

static int sum_takes_reduction(const struct tidemill_fuse_program *program)
{
    const struct tidemill_fuse_reduction *reduction = mill_fuse_reductions(program);
    return program->outputs == 0 && program->reductions == 1 && program->inner == 1 &&
           program->n >= 2 * MILL_SUM_BLOCK && reduction->type == TIDEMILL_FLOAT64 &&
           (reduction->kind == TIDEMILL_REDUCE_SUM || reduction->kind == TIDEMILL_REDUCE_MEAN);
}

/* A leaf is taken that is one run of elements, or one element that all places share. */
static int sum_takes_leaf(const struct mill_leaf *leaf, const struct tidemill_fuse_step *step,
                          int turned, struct mill_chain_link *link)
{
    const void *with = leaf->memory;
    int64_t each = leaf->stride[0];
    if (leaf->leaf->kind == TIDEMILL_FUSE_CONSTANT) {
        with = &leaf->leaf->a;
        each = 0;
    } else if (leaf->leaf->kind != TIDEMILL_FUSE_MEMORY || leaf->axes != 1) {
        return 0;
    }
    *link = mill_chain_link_of(step, turned, with, each);
    return each == 0 || each == 1;
}

/* The chain that all steps are, on whole leaves; or 0. */
static int sum_chain(const struct tidemill_fuse_program *program, const struct mill_leaf *leaf,
                     const uint8_t *follows, struct mill_chain *chain)
{
    const struct tidemill_fuse_step *step = mill_fuse_steps(program);
    int32_t steps = program->steps, value = mill_fuse_reductions(program)->slot;
    int32_t first = steps ? step->in[0] : value;
    if (steps >= MILL_CHAIN_LINKS || (steps && step[steps - 1].out != value) ||
        first >= program->leaves || !sum_takes_leaf(&leaf[first], NULL, 0, &chain->link[0]))
        return 0;
    chain->links = 1;
    for (int32_t i = 0; i < steps; i++) {
        int turned = i > 0 && step[i].in[1] == step[i - 1].out;
        int32_t own = step[i].in[!turned];
        if (!(i > 0 ? follows[i] : mill_chain_takes(step)) || own >= program->leaves ||
            !sum_takes_leaf(&leaf[own], &step[i], turned, &chain->link[chain->links++]))
            return 0;
    }
    return 1;
}

/* ---- a pass ------------------------------------------------------------------------------ */

struct fuse_sum {
    struct mill_chain chain;
    mill_chain_body *values;
    mill_chain_sums_body *sums;
    void *reducer;
    double *block;
};

/* What is no pair of whole blocks. */
static void sum_rest(const struct fuse_sum *sum, int64_t first, int64_t count)
{
    for (int64_t done = 0; done < count; done += MILL_SUM_BLOCK) {
        struct mill_chain chain = mill_chain_from(&sum->chain, first + done);
        int64_t part = mill_least(MILL_SUM_BLOCK, count - done);
        sum->values(&chain, sum->block, 0, part);
        mill_reducer_feed(sum->reducer, sum->block, part);
    }
}

static void sum_row(const struct fuse_sum *sum, int64_t first, int64_t n)
{
    double sums[FUSE_SUM_GROUP];
    int64_t end = first + n;
    while (end - first >= 2 * MILL_SUM_BLOCK) {
        int64_t half = mill_least((end - first) / MILL_SUM_BLOCK, FUSE_SUM_GROUP) / 2;
        for (int64_t b = 0; b < half; b++)
            sum->sums(&sum->chain, first + b * MILL_SUM_BLOCK, half * MILL_SUM_BLOCK, &sums[b],
                      &sums[half + b]);
        mill_reducer_feed_sums(sum->reducer, sums, 2 * half);
        first += 2 * half * MILL_SUM_BLOCK;
    }
    sum_rest(sum, first, end - first);
}

int mill_fuse_sum(const struct tidemill_fuse_program *program, const struct mill_leaf *leaf,
                  const uint8_t *follows, void **reducers, void *block)
{
    if (!sum_takes_reduction(program)) return 0;
    struct fuse_sum sum = {.reducer = reducers[0], .block = block};
    if (!sum_chain(program, leaf, follows, &sum.chain)) return 0;
    sum.values = mill_chain_find();
    sum.sums = mill_chain_sums_find();
    for (int64_t row = 0; row < program->outer; row++)
        sum_row(&sum, row * program->n, program->n);
    return 1;
}
