/* fuse_chain: which steps of a fused program are links of a chain; see kernels/chain_bodies.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/chain_bodies.h"

int mill_chain_takes(const struct tidemill_fuse_step *step)
{
    return step->type == TIDEMILL_FLOAT64 &&
           (step->op == TIDEMILL_OP_ADD || step->op == TIDEMILL_OP_SUB ||
            step->op == TIDEMILL_OP_MUL || step->op == TIDEMILL_OP_DIV);
}

struct mill_chain_link mill_chain_link_of(const struct tidemill_fuse_step *step, int turned,
                                          const double *with, int64_t each)
{
    static const uint8_t kinds[] = {
        [TIDEMILL_OP_ADD] = MILL_CHAIN_ADD,
        [TIDEMILL_OP_SUB] = MILL_CHAIN_SUB,
        [TIDEMILL_OP_MUL] = MILL_CHAIN_MUL,
        [TIDEMILL_OP_DIV] = MILL_CHAIN_DIV,
    };
    struct mill_chain_link link = {.with = with, .each = -each, .kind = MILL_CHAIN_FIRST};
    if (step) link.kind = kinds[step->op];
    if (turned && link.kind == MILL_CHAIN_SUB) link.kind = MILL_CHAIN_FROM;
    if (turned && link.kind == MILL_CHAIN_DIV) link.kind = MILL_CHAIN_INTO;
    if (!each) link.kind += MILL_CHAIN_SHARED;
    return link;
}

/* `wanted`: which slots are read after the step. */
static int chain_follows(const struct tidemill_fuse_step *step, const uint8_t *wanted)
{
    const struct tidemill_fuse_step *before = step - 1;
    return mill_chain_takes(before) && mill_chain_takes(step) &&
           (step->in[0] == before->out) != (step->in[1] == before->out) &&
           (step->out == before->out || !wanted[before->out]);
}

void mill_chain_mark(const struct tidemill_fuse_program *program,
                     const struct tidemill_fuse_step *steps,
                     const struct tidemill_fuse_reduction *reductions, uint8_t *follows)
{
    uint8_t wanted[TIDEMILL_FUSE_SLOTS] = {0};
    int32_t output = program->leaves + program->registers;
    for (int32_t i = 0; i < program->outputs; i++) wanted[output + i] = 1;
    for (int32_t i = 0; i < program->reductions; i++) wanted[reductions[i].slot] = 1;
    for (int32_t i = program->steps - 1; i >= 0; i--) {
        follows[i] = i > 0 && chain_follows(&steps[i], wanted);
        wanted[steps[i].out] = 0;
        for (int k = 0; k < 3; k++)
            if (steps[i].in[k] >= 0) wanted[steps[i].in[k]] = 1;
    }
}
