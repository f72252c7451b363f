/* reducer: folds an array that is fed in row-major order; see kernels/reduce_bodies.h.
 * What is folded stands in slots: the results of blocks joined so far, the oldest first, and
 * on top of them the block that is open.  After b blocks there is one slot for each digit 1 of
 * b, as in a binary counter.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "kernels/reduce_bodies.h"

enum {
    REDUCER_STRIP =
        1024,         /* columns that are folded together where x may be read in any order */
    REDUCER_ROWS = 8, /* of them at a time */
    REDUCER_FEW = 32, /* columns: so few have more rows at a time */
};

struct mill_reducer {
    const struct mill_reduction *how;
    int32_t type;
    int direct;     /* bodies read the elements as they are */
    int by_columns; /* also when there is but one */
    int64_t n, inner;
    int64_t base;
    union mill_cell *partial; /* plane p of result i is partial[p * apart + i] */
    int64_t apart;
    int64_t result; /* the first that is not there yet */
    int64_t at;     /* elements of its axis that were fed */
    int64_t column; /* elements of the run of columns that were fed */
    int64_t row;    /* rows of the open block of columns */
    uint64_t blocks;
    int depth;                              /* slots in use, without the open one */
    union mill_cell buffer[MILL_SUM_BLOCK]; /* widened values, or those that are not NaN */
    union mill_cell slots[];
};

static int64_t reducer_slots(const struct mill_reduction *how, int64_t n, int by_columns)
{
    int64_t slots = 1, block = by_columns ? MILL_REDUCE_COLUMN : MILL_SUM_BLOCK;
    if (how->running) return slots;
    for (int64_t blocks = n / block + 1; blocks > 1; blocks >>= 1) slots++;
    return slots;
}

static size_t reducer_size(const struct mill_reduction *how, int64_t n, int64_t inner)
{
    int64_t cells = reducer_slots(how, n, inner > 1) * how->open * inner;
    return sizeof(struct mill_reducer) + (size_t)cells * sizeof(union mill_cell);
}

static union mill_cell *reducer_slot(struct mill_reducer *r, int depth)
{
    return r->slots + depth * r->how->open * r->inner;
}

/* ---- blocks and results ------------------------------------------------------------------ */

static void reducer_fill_none(const struct mill_reduction *how, int planes,
                              union mill_cell *cells, int64_t apart, int64_t m)
{
    for (int p = 0; p < planes; p++)
        for (int64_t i = 0; i < m; i++) cells[p * apart + i] = how->none[p];
}

static void reducer_open(struct mill_reducer *r)
{
    reducer_fill_none(r->how, r->how->open, reducer_slot(r, r->depth), r->inner, r->inner);
    r->row = 0;
}

static void reducer_join_top(struct mill_reducer *r)
{
    r->depth--;
    r->how->join(reducer_slot(r, r->depth - 1), r->inner, reducer_slot(r, r->depth), r->inner,
                 r->inner);
}

static void reducer_close(struct mill_reducer *r)
{
    if (r->by_columns && r->how->seal)
        r->how->seal(reducer_slot(r, r->depth), r->inner, r->inner, r->row);
    r->depth++;
    for (uint64_t carry = r->blocks++; carry & 1; carry >>= 1) reducer_join_top(r);
}

/* Writes the results of this axis and starts the next ones. */
static void reducer_deliver(struct mill_reducer *r)
{
    while (r->depth > 1) reducer_join_top(r);
    union mill_cell *cells = reducer_slot(r, 0);
    for (int p = 0; p < r->how->planes; p++)
        for (int64_t i = 0; i < r->inner; i++) {
            union mill_cell cell = cells[p * r->inner + i];
            if (p < r->how->floats) cell.f = mill_one_nan(cell.f);
            r->partial[p * r->apart + r->result + i] = cell;
        }
    r->result += r->inner;
    r->at = 0;
    r->blocks = 0;
    r->depth = 0;
    reducer_open(r);
}

/* ---- inner 1: rows ----------------------------------------------------------------------- */

static int64_t reducer_without_nan(const double *x, int64_t count, double *out)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        out[kept] = x[i];
        kept += x[i] == x[i];
    }
    return kept;
}

static void reducer_block(struct mill_reducer *r, const void *values, int64_t count)
{
    const struct mill_reduction *how = r->how;
    const void *x = mill_reduce_widen(r->type, how->value, values, count, r->buffer);
    int64_t kept = count;
    if (how->skips && mill_reduce_bodies()->count_nan(x, count)) {
        kept = reducer_without_nan(x, count, &r->buffer->f);
        x = r->buffer;
    }
    how->block(x, kept, r->base + r->at, reducer_slot(r, r->depth));
}

/* Rows of one block each need no slots. */
static void reducer_feed_short(struct mill_reducer *r, const char *values, int64_t rows)
{
    const struct mill_reduction *how = r->how;
    int64_t bytes = r->n * mill_reduce_type_size(r->type);
    for (int64_t i = 0; i < rows; i++, values += bytes) {
        reducer_block(r, values, r->n);
        for (int p = 0; p < how->planes; p++) {
            union mill_cell *cell = &r->slots[p];
            if (p < how->floats) cell->f = mill_one_nan(cell->f);
            r->partial[p * r->apart + r->result] = *cell;
            *cell = how->none[p];
        }
        r->result++;
    }
}

static void reducer_feed_rows(struct mill_reducer *r, const char *values, int64_t count)
{
    int64_t size = mill_reduce_type_size(r->type);
    if (r->at == 0 && r->n <= MILL_SUM_BLOCK && count > 0) {
        int64_t rows = count / r->n;
        reducer_feed_short(r, values, rows);
        values += rows * r->n * size;
        count -= rows * r->n;
    }
    while (count > 0) {
        int64_t take = mill_least(mill_least(count, MILL_SUM_BLOCK), r->n - r->at);
        reducer_block(r, values, take);
        r->at += take;
        if (!r->how->running)
            reducer_close(r);
        else if (r->at == r->n)
            r->depth = 1;
        if (r->at == r->n) reducer_deliver(r);
        values += take * size;
        count -= take;
    }
}

/* ---- inner > 1: columns ------------------------------------------------------------------ */

/* Adds rows of some columns from `column` on to the open block, which has room for them. */
static void reducer_add(struct mill_reducer *r, const char *values, int64_t stride,
                        int64_t rows, int64_t column, int64_t width)
{
    const struct mill_reduction *how = r->how;
    struct mill_columns columns = {
        .x = values,
        .stride = stride,
        .rows = rows,
        .width = width,
        .cells = reducer_slot(r, r->depth) + column,
        .apart = r->inner,
        .row = r->row,
        .position = r->base + r->at,
    };
    how->columns(&columns);
}

/* The same of columns that are widened first, and are as few as the buffer has room for; runs
 * that lie close together are widened at once. */
static void reducer_add_widened(struct mill_reducer *r, const char *values, int64_t stride,
                                int64_t rows, int64_t column, int64_t width)
{
    int64_t size = mill_reduce_type_size(r->type), pieces = stride == width ? 1 : rows;
    int64_t count = rows * width / pieces;
    for (int64_t p = 0; p < pieces; p++)
        mill_reduce_widen(r->type, r->how->value, values + p * stride * size, count,
                          r->buffer + p * count);
    reducer_add(r, (const char *)r->buffer, width, rows, column, width);
}

static void reducer_add_any(struct mill_reducer *r, const char *values, int64_t stride,
                            int64_t rows, int64_t column, int64_t width)
{
    if (r->direct) {
        reducer_add(r, values, stride, rows, column, width);
        return;
    }
    int64_t size = mill_reduce_type_size(r->type), most = MILL_SUM_BLOCK / rows;
    for (int64_t first = 0; first < width; first += most)
        reducer_add_widened(r, values + first * size, stride, rows, column + first,
                            mill_least(most, width - first));
}

static void reducer_end_rows(struct mill_reducer *r, int64_t rows)
{
    r->at += rows;
    r->row += rows;
    int whole = r->at == r->n;
    if (whole || (r->row == MILL_REDUCE_COLUMN && !r->how->running)) {
        reducer_close(r);
        if (!whole) reducer_open(r);
    }
    if (whole) reducer_deliver(r);
}

/* Whole rows, as many as the axis has left or fewer. */
static void reducer_feed_whole(struct mill_reducer *r, const char *values, int64_t stride,
                               int64_t rows)
{
    int64_t size = mill_reduce_type_size(r->type);
    int64_t most = r->inner > REDUCER_FEW ? REDUCER_ROWS : MILL_SUM_BLOCK / r->inner;
    while (rows > 0) {
        int64_t take = mill_least(mill_least(rows, most), r->n - r->at);
        if (!r->how->running) take = mill_least(take, MILL_REDUCE_COLUMN - r->row);
        reducer_add_any(r, values, stride, take, 0, r->inner);
        reducer_end_rows(r, take);
        values += take * stride * size;
        rows -= take;
    }
}

/* Part of a row. */
static void reducer_feed_part(struct mill_reducer *r, const char *values, int64_t count)
{
    reducer_add_any(r, values, count, 1, r->column, count);
    r->column += count;
    if (r->column < r->inner) return;
    r->column = 0;
    reducer_end_rows(r, 1);
}

static void reducer_feed_columns(struct mill_reducer *r, const char *values, int64_t count)
{
    int64_t size = mill_reduce_type_size(r->type);
    while (count > 0) {
        int64_t rows = r->column == 0 ? count / r->inner : 0;
        int64_t take = mill_least(mill_least(count, MILL_SUM_BLOCK), r->inner - r->column);
        if (rows) {
            take = rows * r->inner;
            reducer_feed_whole(r, values, r->inner, rows);
        } else {
            reducer_feed_part(r, values, take);
        }
        values += take * size;
        count -= take;
    }
}

/* ---- a whole array ----------------------------------------------------------------------- */

static int reducer_fits(const struct mill_reduction *how, int64_t outer, int64_t n,
                        int64_t inner)
{
    return how && outer >= 0 && n >= 0 && inner >= 0;
}

static int reducer_is_direct(int32_t type, enum mill_reduced value)
{
    switch (value) {
    case MILL_VALUE_FLOAT:
        return type == TIDEMILL_FLOAT64;
    case MILL_VALUE_INT:
        return mill_reduce_type_size(type) == 8;
    case MILL_VALUE_BYTE:
        return 1;
    }
    return 0;
}

static void reducer_start(struct mill_reducer *r, const struct mill_reduction *how,
                          int32_t type, int64_t n, int64_t inner)
{
    r->how = how;
    r->type = type;
    r->direct = reducer_is_direct(type, how->value);
    r->n = n;
    r->inner = inner;
    r->result = r->at = r->column = 0;
    r->blocks = 0;
    r->depth = 0;
    reducer_open(r);
}

size_t mill_reducer_bytes(int32_t kind, int32_t type, int64_t outer, int64_t n, int64_t inner)
{
    const struct mill_reduction *how = mill_reduction_find(kind, type);
    return reducer_fits(how, outer, n, inner) ? reducer_size(how, n, inner) : 0;
}

void mill_reducer_begin(void *memory, int32_t kind, int32_t type, int64_t outer, int64_t n,
                        int64_t inner, int64_t base, void *partial)
{
    struct mill_reducer *r = memory;
    r->base = base;
    r->partial = partial;
    r->apart = outer * inner;
    r->by_columns = inner > 1;
    reducer_start(r, mill_reduction_find(kind, type), type, n, inner);
}

void mill_reducer_feed(void *memory, const void *values, int64_t count)
{
    struct mill_reducer *r = memory;
    if (r->by_columns)
        reducer_feed_columns(r, values, count);
    else
        reducer_feed_rows(r, values, count);
}

void mill_reducer_feed_sums(void *memory, const double *sums, int64_t blocks)
{
    struct mill_reducer *r = memory;
    for (int64_t b = 0; b < blocks; b++) {
        union mill_cell *cells = reducer_slot(r, r->depth);
        cells[0].f = sums[b];
        if (r->how->planes > 1) cells[1].i = MILL_SUM_BLOCK;
        r->at += MILL_SUM_BLOCK;
        reducer_close(r);
        if (r->at == r->n) reducer_deliver(r);
    }
}

/* Results of no elements were never delivered. */
void mill_reducer_end(void *memory)
{
    struct mill_reducer *r = memory;
    if (r->n == 0) reducer_fill_none(r->how, r->how->planes, r->partial, r->apart, r->apart);
}

/* Many columns: a strip of them after the other, so that their slots stay in a near cache. */
static void reducer_strips(struct mill_reducer *r, const struct mill_reduction *how,
                           int32_t type, const char *x, int64_t outer, int64_t n, int64_t inner)
{
    int64_t size = mill_reduce_type_size(type);
    union mill_cell *partial = r->partial;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j += REDUCER_STRIP) {
            r->partial = partial + o * inner + j;
            reducer_start(r, how, type, n, mill_least(REDUCER_STRIP, inner - j));
            reducer_feed_whole(r, x + (o * n * inner + j) * size, inner, n);
        }
}

int64_t tidemill_kernel_reduce_scratch(int32_t kind, int32_t type, int64_t outer, int64_t n,
                                       int64_t inner)
{
    const struct mill_reduction *how = mill_reduction_find(kind, type);
    if (!reducer_fits(how, outer, n, inner)) return -1;
    return (int64_t)reducer_size(how, n, mill_least(inner, REDUCER_STRIP));
}

int64_t tidemill_kernel_reduce(int32_t kind, int32_t type, const void *x, int64_t outer,
                               int64_t n, int64_t inner, int64_t base, void *partial,
                               void *scratch)
{
    const struct mill_reduction *how = mill_reduction_find(kind, type);
    if (!reducer_fits(how, outer, n, inner) || base < 0) return -1;
    struct mill_reducer *r = scratch;
    if (n == 0) { /* nothing is fed: no strips */
        reducer_fill_none(how, how->planes, partial, outer * inner, outer * inner);
        return 0;
    }
    if (inner > REDUCER_STRIP) {
        r->base = base;
        r->partial = partial;
        r->apart = outer * inner;
        r->by_columns = 1;
        reducer_strips(r, how, type, x, outer, n, inner);
        return 0;
    }
    mill_reducer_begin(r, kind, type, outer, n, inner, base, partial);
    mill_reducer_feed(r, x, outer * n * inner);
    mill_reducer_end(r);
    return 0;
}
