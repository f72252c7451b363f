/* fuse_leaf: reads the leaves of a fused program block by block, whatever their strides.
 * A run is a stretch of the last merged axis.  A block that lies within one run of stride 1 or 0
 * is read where it is; others are gathered into the leaf's block.  Where the last axis has long
 * strides and the one before it stride 1, as in a transposed matrix, MILL_FUSE_PANEL rows at a
 * time are transposed into a panel, so that each cache line is read once.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/fuse_bodies.h"

/* ---- the shape of a leaf ------------------------------------------------------------------- */

/* Axes of one element are dropped, neighbours that are one long axis are merged. */
static void merge_axes(struct mill_leaf *state, const struct tidemill_fuse_program *program)
{
    int axes = 0;
    for (int axis = 0; axis < program->dimensions; axis++) {
        int64_t size = program->shape[axis], stride = state->leaf->stride[axis];
        if (size == 1) continue;
        if (axes > 0 && state->stride[axes - 1] == stride * size) {
            state->shape[axes - 1] *= size;
            state->stride[axes - 1] = stride;
        } else {
            state->shape[axes] = size;
            state->stride[axes++] = stride;
        }
    }
    if (axes == 0) {
        state->shape[0] = 1;
        state->stride[0] = 0;
        axes = 1;
    }
    state->axes = axes;
}

static int leaf_wants_panel(const struct mill_leaf *state)
{
    int last = state->axes - 1;
    return state->leaf->kind == TIDEMILL_FUSE_MEMORY && last > 0 && state->stride[last] != 0 &&
           state->stride[last] != 1 && state->stride[last - 1] == 1;
}

int64_t mill_leaf_panel(const struct tidemill_fuse_program *program,
                        const struct tidemill_fuse_leaf *leaf)
{
    struct mill_leaf state = {.leaf = leaf};
    merge_axes(&state, program);
    if (!leaf_wants_panel(&state)) return 0;
    return MILL_FUSE_PANEL * state.shape[state.axes - 1] * mill_element_size(leaf->type);
}

void mill_leaf_open(struct mill_leaf *state, const struct tidemill_fuse_program *program,
                    const struct tidemill_fuse_leaf *leaf, const void *const *inputs,
                    char *block, char *panel)
{
    *state = (struct mill_leaf){.leaf = leaf, .block = block};
    state->size = mill_element_size(leaf->type);
    merge_axes(state, program);
    if (leaf->kind == TIDEMILL_FUSE_MEMORY)
        state->memory = (const char *)inputs[leaf->input] + leaf->offset * state->size;
    if (leaf->kind == TIDEMILL_FUSE_RANDOM)
        state->random = mill_random_find(leaf->distribution, leaf->type);
    if (leaf_wants_panel(state)) state->panel = panel;
}

/* The position, less the offset, of a place of the box; and how many places are left in its
 * run, itself included. */
static int64_t position_of(const struct mill_leaf *state, int64_t place, int64_t *left)
{
    int last = state->axes - 1;
    int64_t rest = place / state->shape[last], at = place - rest * state->shape[last];
    int64_t position = at * state->stride[last];
    *left = state->shape[last] - at;
    for (int axis = last - 1; axis >= 0 && rest > 0; axis--) {
        int64_t above = rest / state->shape[axis];
        position += (rest - above * state->shape[axis]) * state->stride[axis];
        rest = above;
    }
    return position;
}

/* ---- runs ---------------------------------------------------------------------------------- */

#define GATHER(type)                                                                           \
    for (int64_t i = 0; i < count; i++) ((type *)out)[i] = ((const type *)from)[i * stride]

/* Copies count elements that are `stride` apart. */
static void gather_run(const char *from, int64_t stride, int64_t size, int64_t count, char *out)
{
    if (stride == 1)
        memcpy(out, from, (size_t)(count * size));
    else if (size == 8)
        GATHER(uint64_t);
    else if (size == 4)
        GATHER(uint32_t);
    else
        GATHER(uint8_t);
}

#define FILL(type)                                                                             \
    for (int64_t i = 0; i < count; i++) ((type *)out)[i] = (type)value

static void fill_constant(const struct tidemill_fuse_leaf *leaf, int64_t count, void *out)
{
    if (leaf->type == TIDEMILL_FLOAT64 || leaf->type == TIDEMILL_FLOAT32) {
        double value = leaf->a;
        if (leaf->type == TIDEMILL_FLOAT64)
            FILL(double);
        else
            FILL(float);
        return;
    }
    int64_t value = leaf->offset;
    switch (mill_element_size(leaf->type)) {
    case 8:
        FILL(int64_t);
        break;
    case 4:
        FILL(int32_t);
        break;
    default:
        FILL(uint8_t);
        break;
    }
}

/* a + b * position for positions that are `stride` apart; integers are exact. */
#define COUNT_FROM(type, number)                                                               \
    for (int64_t i = 0; i < count; i++)                                                        \
    ((type *)out)[i] =                                                                         \
        (type)((number)leaf->a + (number)leaf->b * (number)(position + i * stride))

static void index_run(const struct tidemill_fuse_leaf *leaf, int64_t position, int64_t stride,
                      int64_t count, char *out)
{
    switch (leaf->type) {
    case TIDEMILL_FLOAT64:
        COUNT_FROM(double, double);
        break;
    case TIDEMILL_FLOAT32:
        COUNT_FROM(float, double);
        break;
    case TIDEMILL_INT64:
    case TIDEMILL_TIMESTAMP:
        COUNT_FROM(int64_t, int64_t);
        break;
    default:
        COUNT_FROM(int32_t, int64_t);
        break;
    }
}

static void random_run(const struct mill_leaf *state, int64_t position, int64_t stride,
                       int64_t count, char *out)
{
    const struct tidemill_fuse_leaf *leaf = state->leaf;
    if (stride == 1) {
        state->random(leaf->seed, leaf->stream, (uint64_t)position, count, leaf->a, leaf->b,
                      out);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        state->random(leaf->seed, leaf->stream, (uint64_t)(position + i * stride), 1, leaf->a,
                      leaf->b, out + i * state->size);
}

static void run_leaf(const struct mill_leaf *state, int64_t position, int64_t count, char *out)
{
    int64_t stride = state->stride[state->axes - 1];
    switch (state->leaf->kind) {
    case TIDEMILL_FUSE_MEMORY:
        gather_run(state->memory + position * state->size, stride, state->size, count, out);
        break;
    case TIDEMILL_FUSE_INDEX:
        index_run(state->leaf, state->leaf->offset + position, stride, count, out);
        break;
    case TIDEMILL_FUSE_RANDOM:
        random_run(state, state->leaf->offset + position, stride, count, out);
        break;
    default:
        fill_constant(state->leaf, count, out);
    }
}

/* ---- panels -------------------------------------------------------------------------------- */

#define TRANSPOSE(type)                                                                        \
    for (int64_t column = 0; column < columns; column++)                                       \
        for (int64_t row = 0; row < rows; row++)                                               \
    ((type *)out)[row * columns + column] = ((const type *)from)[column * stride + row]

/* Transposes the rows of the panel that holds a place. */
static void panel_fill(struct mill_leaf *state, int64_t place)
{
    int last = state->axes - 1;
    int64_t columns = state->shape[last], stride = state->stride[last];
    int64_t own = place / columns % state->shape[last - 1];
    int64_t first = own - own % MILL_FUSE_PANEL;
    int64_t rows = mill_least(MILL_FUSE_PANEL, state->shape[last - 1] - first);
    int64_t unused;
    state->panel_from = (place / columns - (own - first)) * columns;
    state->panel_end = state->panel_from + rows * columns;
    const char *from =
        state->memory + position_of(state, state->panel_from, &unused) * state->size;
    char *out = state->panel;
    if (state->size == 8)
        TRANSPOSE(uint64_t);
    else if (state->size == 4)
        TRANSPOSE(uint32_t);
    else
        TRANSPOSE(uint8_t);
}

/* The part of [start, start + *count) that one panel has; *count becomes its length. */
static const char *panel_read(struct mill_leaf *state, int64_t start, int64_t *count)
{
    if (start < state->panel_from || start >= state->panel_end) panel_fill(state, start);
    *count = mill_least(*count, state->panel_end - start);
    return state->panel + (start - state->panel_from) * state->size;
}

/* ---- blocks -------------------------------------------------------------------------------- */

static struct mill_operand read_panels(struct mill_leaf *state, int64_t start, int64_t count)
{
    int64_t part = count;
    const char *from = panel_read(state, start, &part);
    if (part == count) return (struct mill_operand){from, 1};
    for (int64_t done = 0; done < count; done += part) {
        part = count - done;
        from = panel_read(state, start + done, &part);
        memcpy(state->block + done * state->size, from, (size_t)(part * state->size));
    }
    return (struct mill_operand){state->block, 1};
}

void mill_leaf_fetch(const struct mill_leaf *state, int64_t part, int64_t parts)
{
    int64_t lines = (state->ahead_bytes + 63) / 64;
    int64_t end = lines * (part + 1) / parts;
    for (int64_t i = lines * part / parts; i < end; i++)
        __builtin_prefetch(state->ahead + i * 64, 0, 2);
}

struct mill_operand mill_leaf_read(struct mill_leaf *state, int64_t start, int64_t count)
{
    state->ahead_bytes = 0;
    if (state->panel) return read_panels(state, start, count);
    int64_t stride = state->stride[state->axes - 1], left;
    int64_t position = position_of(state, start, &left);
    if (left >= count && (stride == 0 || state->leaf->kind == TIDEMILL_FUSE_CONSTANT)) {
        if (state->leaf->kind == TIDEMILL_FUSE_MEMORY)
            return (struct mill_operand){state->memory + position * state->size, 0};
        run_leaf(state, position, 1, state->block);
        return (struct mill_operand){state->block, 0};
    }
    if (left >= count && stride == 1 && state->leaf->kind == TIDEMILL_FUSE_MEMORY) {
        const char *from = state->memory + position * state->size;
        state->ahead = from + count * state->size;
        state->ahead_bytes = mill_least(left - count, MILL_FUSE_BLOCK) * state->size;
        return (struct mill_operand){from, 1};
    }
    for (int64_t done = 0; done < count;) {
        int64_t part = mill_least(left, count - done);
        run_leaf(state, position, part, state->block + done * state->size);
        done += part;
        if (done < count) position = position_of(state, start + done, &left);
    }
    return (struct mill_operand){state->block, 1};
}
