/* strided: copies between strided views.
 * Axes that are one run in both views are joined; then either rows are copied along the axis
 * that is fastest in the output, or, where another axis is fastest in the input, tiles.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "kernels/bodies.h"
#include "kernels/strided.h"

enum {
    STRIDED_AXES = 16,
    STRIDED_TILE = 16,  /* elements at most along each side of a tile */
    STRIDED_BLOCK = 64, /* the same of a block of tiles, whose lines stay in the first cache */
    STRIDED_SHORT =
        32, /* rows of fewer elements go as planes: calling costs more than copying */
};

/* One axis: its length, and the bytes between neighbours in either view. */
struct strided_axis {
    int64_t length, in, out;
};

struct strided_copy {
    int64_t size;
    int axes;
    struct strided_axis axis[STRIDED_AXES];
};

/* ---- The plan -------------------------------------------------------------------------- */

static int strided_follows(struct strided_axis slow, struct strided_axis fast)
{
    return slow.in == fast.in * fast.length && slow.out == fast.out * fast.length;
}

/* Drops axes of length 1 and joins those that are one run. */
static void strided_add(struct strided_copy *copy, struct strided_axis axis)
{
    if (axis.length == 1) return;
    if (copy->axes > 0 && strided_follows(copy->axis[copy->axes - 1], axis)) {
        axis.length *= copy->axis[copy->axes - 1].length;
        copy->axes--;
    }
    copy->axis[copy->axes++] = axis;
}

static int64_t strided_distance(int64_t stride)
{
    return stride < 0 ? -stride : stride;
}

/* The axes whose neighbours are nearest in the input (those at no distance aside) and in the
 * output; of equals the last. */
static int strided_nearest(const struct strided_copy *copy, int output)
{
    int nearest = copy->axes - 1;
    int64_t least = INT64_MAX;
    for (int a = copy->axes - 1; a >= 0; a--) {
        int64_t distance = strided_distance(output ? copy->axis[a].out : copy->axis[a].in);
        if (distance == 0 || distance >= least) continue;
        nearest = a;
        least = distance;
    }
    return nearest;
}

/* Takes an axis out of the plan. */
static struct strided_axis strided_remove(struct strided_copy *copy, int at)
{
    struct strided_axis axis = copy->axis[at];
    copy->axes--;
    for (int a = at; a < copy->axes; a++) copy->axis[a] = copy->axis[a + 1];
    return axis;
}

/* ---- Bodies, inlined for each size of element ------------------------------------------- */

#define STRIDED_BODY static inline __attribute__((always_inline)) void

STRIDED_BODY strided_row(struct strided_axis axis, const char *in, char *out, int64_t size)
{
    if (axis.in == size && axis.out == size) {
        memcpy(out, in, (size_t)(axis.length * size));
    } else if (axis.in == 0 && axis.out == size) {
        char value[8];
        memcpy(value, in, (size_t)size);
        for (int64_t i = 0; i < axis.length; i++) memcpy(out + i * size, value, (size_t)size);
    } else if (axis.out == size) {
        for (int64_t i = 0; i < axis.length; i++)
            memcpy(out + i * size, in + i * axis.in, (size_t)size);
    } else {
        for (int64_t i = 0; i < axis.length; i++)
            memcpy(out + i * axis.out, in + i * axis.in, (size_t)size);
    }
}

/* A full square whose rows are contiguous in the input and whose columns are in the output.  It
 * is read as a whole before it is written: where strides are powers of two all its lines compete
 * for one place in the cache. */
STRIDED_BODY strided_square(int64_t in_stride, int64_t out_stride, const char *in, char *out,
                            int64_t size, int64_t side)
{
    char tile[STRIDED_TILE * STRIDED_TILE * 4];
    for (int64_t j = 0; j < side; j++)
        memcpy(tile + j * side * size, in + j * in_stride, (size_t)(side * size));
    for (int64_t i = 0; i < side; i++)
        for (int64_t j = 0; j < side; j++)
            memcpy(out + i * out_stride + j * size, tile + (j * side + i) * size, (size_t)size);
}

/* Any part of a block: `slow` has neighbours near in the input, `fast` in the output. */
STRIDED_BODY strided_patch(struct strided_axis slow, struct strided_axis fast, const char *in,
                           char *out, int64_t size)
{
    for (int64_t i = 0; i < slow.length; i++)
        for (int64_t j = 0; j < fast.length; j++)
            memcpy(out + i * slow.out + j * fast.out, in + i * slow.in + j * fast.in,
                   (size_t)size);
}

STRIDED_BODY strided_block(struct strided_axis slow, struct strided_axis fast, const char *in,
                           char *out, int64_t size)
{
    int64_t side = size == 8 ? 8 : STRIDED_TILE, done_i = 0, done_j = 0;
    if (slow.in == size && fast.out == size) {
        done_i = slow.length - slow.length % side;
        done_j = fast.length - fast.length % side;
        for (int64_t i = 0; i < done_i; i += side)
            for (int64_t j = 0; j < done_j; j += side)
                strided_square(fast.in, slow.out, in + i * size + j * fast.in,
                               out + i * slow.out + j * size, size, side);
    }
    struct strided_axis right = fast, below = slow;
    right.length = fast.length - done_j;
    below.length = slow.length - done_i;
    struct strided_axis left = slow;
    left.length = done_i;
    strided_patch(left, right, in + done_j * fast.in, out + done_j * fast.out, size);
    strided_patch(below, fast, in + done_i * slow.in, out + done_i * slow.out, size);
}

STRIDED_BODY strided_plane(struct strided_axis slow, struct strided_axis fast, const char *in,
                           char *out, int64_t size)
{
    struct strided_axis slow_part = slow, fast_part = fast;
    for (int64_t j = 0; j < fast.length; j += STRIDED_BLOCK) {
        fast_part.length = mill_least(STRIDED_BLOCK, fast.length - j);
        for (int64_t i = 0; i < slow.length; i += STRIDED_BLOCK) {
            slow_part.length = mill_least(STRIDED_BLOCK, slow.length - i);
            strided_block(slow_part, fast_part, in + i * slow.in + j * fast.in,
                          out + i * slow.out + j * fast.out, size);
        }
    }
}

/* Rows where slow.length is 0, else planes. */
STRIDED_BODY strided_part(struct strided_axis slow, struct strided_axis fast, const char *in,
                          char *out, int64_t size)
{
    if (slow.length == 0)
        strided_row(fast, in, out, size);
    else
        strided_plane(slow, fast, in, out, size);
}

static void strided_sized(struct strided_axis slow, struct strided_axis fast, const char *in,
                          char *out, int64_t size)
{
    switch (size) {
    case 1:
        strided_part(slow, fast, in, out, 1);
        break;
    case 2:
        strided_part(slow, fast, in, out, 2);
        break;
    case 4:
        strided_part(slow, fast, in, out, 4);
        break;
    default:
        strided_part(slow, fast, in, out, 8);
        break;
    }
}

/* ---- All parts ------------------------------------------------------------------------- */

/* Counts through the axes that are left, the last one fastest. */
static void strided_each(const struct strided_copy *copy, struct strided_axis slow,
                         struct strided_axis fast, const char *in, char *out)
{
    int64_t count[STRIDED_AXES] = {0};
    for (;;) {
        strided_sized(slow, fast, in, out, copy->size);
        int a = copy->axes - 1;
        for (; a >= 0; a--) {
            in += copy->axis[a].in;
            out += copy->axis[a].out;
            if (++count[a] < copy->axis[a].length) break;
            in -= copy->axis[a].length * copy->axis[a].in;
            out -= copy->axis[a].length * copy->axis[a].out;
            count[a] = 0;
        }
        if (a < 0) return;
    }
}

static void strided_run(struct strided_copy *copy, const char *in, char *out)
{
    struct strided_axis none = {0}, one = {.length = 1, .in = copy->size, .out = copy->size};
    if (copy->axes == 0) {
        strided_sized(none, one, in, out, copy->size);
        return;
    }
    int from = strided_nearest(copy, 0), to = strided_nearest(copy, 1);
    int crossed = from != to && copy->axis[to].in != 0;
    struct strided_axis fast = strided_remove(copy, to), slow = none;
    if (crossed)
        slow = strided_remove(copy, from - (from > to));
    else if (fast.length < STRIDED_SHORT && copy->axes > 0)
        slow = strided_remove(copy, copy->axes - 1);
    strided_each(copy, slow, fast, in, out);
}

/* ---- Kernels --------------------------------------------------------------------------- */

static int strided_is_fine(int64_t size, int64_t dims, const int64_t *shape)
{
    if (dims < 0 || dims > STRIDED_AXES) return 0;
    if (size != 1 && size != 2 && size != 4 && size != 8) return 0;
    for (int64_t a = 0; a < dims; a++)
        if (shape[a] < 0) return 0;
    return 1;
}

static int strided_is_empty(int64_t dims, const int64_t *shape)
{
    for (int64_t a = 0; a < dims; a++)
        if (shape[a] == 0) return 1;
    return 0;
}

/* The strides of contiguous row-major memory. */
static void strided_contiguous(int64_t dims, const int64_t *shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int64_t a = dims - 1; a >= 0; a--) {
        strides[a] = stride;
        stride *= shape[a];
    }
}

int64_t tidemill_kernel_copy_view(int64_t size, int64_t dims, const int64_t *shape,
                                  const void *in, const int64_t *in_strides, void *out,
                                  const int64_t *out_strides)
{
    if (!strided_is_fine(size, dims, shape)) return -1;
    if (strided_is_empty(dims, shape)) return 0;
    struct strided_copy copy = {.size = size};
    for (int64_t a = 0; a < dims; a++)
        strided_add(&copy, (struct strided_axis){.length = shape[a],
                                                 .in = in_strides[a] * size,
                                                 .out = out_strides[a] * size});
    strided_run(&copy, in, out);
    return 0;
}

int64_t tidemill_kernel_copy_strided(int64_t size, int64_t dims, const int64_t *shape,
                                     const int64_t *strides, const void *in, void *out)
{
    int64_t contiguous[STRIDED_AXES];
    if (!strided_is_fine(size, dims, shape)) return -1;
    strided_contiguous(dims, shape, contiguous);
    return tidemill_kernel_copy_view(size, dims, shape, in, strides, out, contiguous);
}

int64_t tidemill_kernel_paste(int64_t size, int64_t dims, const int64_t *shape, const void *in,
                              void *out, const int64_t *strides)
{
    int64_t contiguous[STRIDED_AXES];
    if (!strided_is_fine(size, dims, shape)) return -1;
    strided_contiguous(dims, shape, contiguous);
    return tidemill_kernel_copy_view(size, dims, shape, in, contiguous, out, strides);
}
