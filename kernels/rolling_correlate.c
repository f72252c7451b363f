/* rolling_correlate: correlation matrices of all windows of many series.
 * Windows are made in groups that begin at multiples of their size, so chunks of windows give the bits
 * of all at once; see struct mill_window_group.  Series are taken eight at a time and turned into
 * columns first: then neighbours in a vector are neighbouring series, and no sum has to be folded.
 * SPDX-License-Identifier: MIT */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "kernels/bodies.h"
#include "kernels/rolling.h"
#include "kernels/rolling_bodies.h"

enum { SIDE = MILL_GROUP_SIDE };

struct correlate {
    const double *x;
    int64_t rows, n;
    struct mill_window_group group;
    int64_t all;              /* values that a group's windows have */
    double (*columns)[SIDE];  /* of each eight series: `all` rows of them */
    double (*scale)[2][SIDE]; /* and one for each window */
    double (*tile)[SIDE][SIDE];
};

/* More windows of a group save little, and their tile would leave the nearest cache; and with half a
 * window or more in the core, its mean is near enough to every window's. */
int64_t tidemill_kernel_rolling_correlate_group(int64_t window)
{
    return window < 1 ? 1 : mill_least(MILL_GROUP_MOST, window - window / 2);
}

static int64_t correlate_sides(int64_t rows)
{
    return (rows + SIDE - 1) / SIDE;
}

int64_t tidemill_kernel_rolling_correlate_scratch(int64_t rows, int64_t window, int64_t count)
{
    if (rows < 1 || window < 1 || count < 1) return 0;
    int64_t most = mill_least(tidemill_kernel_rolling_correlate_group(window), count);
    int64_t side = SIDE * (window + most - 1) + 2 * SIDE * most;
    return MILL_LINE + SIDE * SIDE * most + correlate_sides(rows) * side;
}

/* Values `first`, .. of the series from `row` on as rows of columns; the columns beyond are 0. */
static void correlate_turn(const struct correlate *call, int64_t row, int64_t first,
                           double (*columns)[SIDE])
{
    for (int64_t c = 0; c < SIDE; c++) {
        const double *x = call->x + (row + c) * call->n + first;
        int there = row + c < call->rows;
        for (int64_t t = 0; t < call->all; t++) columns[t][c] = there ? x[t] : 0;
    }
}

/* The windows of one group from window `begin` on, `left` of them at most. */
static void correlate_begin(struct correlate *call, int64_t window, int64_t begin, int64_t left,
                            double *scratch)
{
    int64_t size = tidemill_kernel_rolling_correlate_group(window), skipped = begin % size;
    call->group = (struct mill_window_group){.before = size - 1 - skipped,
                                             .core = window - size + 1,
                                             .skipped = skipped,
                                             .count = mill_least(size - skipped, left)};
    call->all = window + call->group.count - 1;
    int64_t sides = correlate_sides(call->rows);
    call->tile = (void *)mill_line_start(scratch);
    call->columns = call->tile[call->group.count];
    call->scale = (void *)call->columns[sides * call->all];
    for (int64_t p = 0; p < sides; p++) {
        correlate_turn(call, p * SIDE, begin, call->columns + p * call->all);
        mill_window_bodies()->scales(&call->group, call->columns[p * call->all],
                                     call->scale + p * call->group.count);
    }
}

static struct mill_group_side correlate_side(const struct correlate *call, int64_t row)
{
    int64_t p = row / SIDE;
    return (struct mill_group_side){call->columns[p * call->all],
                                    call->scale + p * call->group.count};
}

/* A series with itself: exactly 1, or NaN. */
static void correlate_own(const struct correlate *call, int64_t row)
{
    double(*scale)[2][SIDE] = correlate_side(call, row).scale;
    for (int64_t k = 0; k < call->group.count; k++)
        for (int64_t a = 0; a < SIDE; a++)
            call->tile[k][a][a] = scale[k][1][a] - scale[k][1][a] + 1;
}

/* Tiles that are not full, at row i and column j. */
static void correlate_put(const struct correlate *call, int64_t i, int64_t j, double *out)
{
    int64_t rows = call->rows, high = mill_least(SIDE, rows - i),
            wide = mill_least(SIDE, rows - j);
    for (int64_t k = 0; k < call->group.count; k++, out += rows * rows)
        for (int64_t a = 0; a < high; a++)
            for (int64_t b = 0; b < wide; b++) {
                out[(i + a) * rows + j + b] = call->tile[k][a][b];
                out[(j + b) * rows + i + a] = call->tile[k][a][b];
            }
}

static void correlate_group(const struct correlate *call, double *out)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    mill_group_pairs *pairs = mill_fuses() ? bodies->pairs : mill_group_pairs_apart;
    for (int64_t i = 0; i < call->rows; i += SIDE)
        for (int64_t j = i; j < call->rows; j += SIDE) {
            struct mill_group_side at = correlate_side(call, i), with = correlate_side(call, j);
            pairs(&call->group, &at, &with, call->tile);
            if (i == j) correlate_own(call, i);
            if (j + SIDE <= call->rows)
                bodies->put(call->tile, call->group.count, i, j, call->rows, out);
            else
                correlate_put(call, i, j, out);
        }
}

int64_t tidemill_kernel_rolling_correlate(const double *x, int64_t rows, int64_t n,
                                          int64_t window, int64_t first, int64_t count,
                                          double *scratch, double *out)
{
    if (rows < 0 || window < 1 || first < 0 || count < 0 || first > n || window > n - first ||
        count > n - first - window + 1)
        return -1;
    if (rows == 0) return 0;
    struct correlate call = {.x = x, .rows = rows, .n = n};
    for (int64_t done = 0; done < count; done += call.group.count) {
        correlate_begin(&call, window, first + done, count - done, scratch);
        correlate_group(&call, out + done * rows * rows);
    }
#ifdef __SSE2__
    _mm_sfence(); /* others see the elements when they see that this is done */
#endif
    return 0;
}
