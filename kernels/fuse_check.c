/* fuse_check: whether a program that came from elsewhere can be run; see kernels/fuse.h.
 * Sizes and positions are bounded first, so that what is reckoned from them cannot overflow.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stddef.h>

#include "kernels/elementwise.h"
#include "kernels/elementwise_bodies.h"
#include "kernels/fuse_bodies.h"
#include "kernels/reduce.h"

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
           seen[0] * seen[1] * seen[2] == mill_fuse_places(program);
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

/* Its offset is the element, and may be any integer: no position goes on from there. */
static int constant_is_sound(const struct tidemill_fuse_program *program,
                             const struct tidemill_fuse_leaf *leaf)
{
    for (int axis = 0; axis < program->dimensions; axis++)
        if (leaf->stride[axis] != 0) return 0;
    return 1;
}

static int leaf_is_sound(const struct tidemill_fuse_program *program,
                         const struct tidemill_fuse_leaf *leaf, const int64_t *lengths,
                         int64_t inputs)
{
    int64_t least, most;
    if (mill_element_size(leaf->type) == 0) return 0;
    if (leaf->kind == TIDEMILL_FUSE_CONSTANT) return constant_is_sound(program, leaf);
    if (!positions_are_sound(program, leaf, &least, &most)) return 0;
    switch (leaf->kind) {
    case TIDEMILL_FUSE_MEMORY:
        return between(leaf->input, 0, inputs - 1) &&
               (mill_fuse_places(program) == 0 || (least >= 0 && most < lengths[leaf->input]));
    case TIDEMILL_FUSE_RANDOM:
        return least >= 0 && random_is_sound(leaf);
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
    if (!between(step->out, program->leaves, mill_fuse_slots(program) - 1)) return 0;
    for (int k = 0; k < 3; k++) {
        if (step->in[k] == -1) continue;
        if (!between(step->in[k], 0, mill_fuse_slots(program) - 1) || !type_of[step->in[k]])
            return 0;
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
    for (int i = 0; i < program->leaves; i++) type_of[i] = mill_fuse_leaves(program)[i].type;
    int32_t first_output = program->leaves + program->registers;
    for (int i = 0; i < program->steps; i++) {
        const struct tidemill_fuse_step *step = &mill_fuse_steps(program)[i];
        if (!step_is_sound(program, step, type_of)) return 0;
        type_of[step->out] = type_made(step);
        if (step->out >= first_output &&
            type_of[step->out] != program->output_type[step->out - first_output])
            return 0;
    }
    for (int i = 0; i < program->outputs; i++)
        if (!type_of[first_output + i]) return 0;
    for (int i = 0; i < program->reductions; i++) {
        const struct tidemill_fuse_reduction *reduction = &mill_fuse_reductions(program)[i];
        if (!between(reduction->slot, 0, mill_fuse_slots(program) - 1) ||
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
        !between(program->reductions, 0, 1 << 10) ||
        mill_fuse_slots(program) > TIDEMILL_FUSE_SLOTS)
        return -1;
    int64_t exact = (int64_t)sizeof *program +
                    program->leaves * (int64_t)sizeof(struct tidemill_fuse_leaf) +
                    program->steps * (int64_t)sizeof(struct tidemill_fuse_step) +
                    program->reductions * (int64_t)sizeof(struct tidemill_fuse_reduction);
    if (size != exact || !box_is_sound(program)) return -1;
    for (int i = 0; i < program->leaves; i++)
        if (!leaf_is_sound(program, &mill_fuse_leaves(program)[i], lengths, inputs)) return -1;
    return steps_are_sound(program) ? 0 : -1;
}
