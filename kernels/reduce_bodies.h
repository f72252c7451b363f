/* reduce_bodies: what folding is made of, and how values that were just computed are fed to it.
 * Private to kernels/; reduce.h says what the results are.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_REDUCE_BODIES_H
#define MILL_KERNEL_REDUCE_BODIES_H

#include <stddef.h>

#include "kernels/bodies.h"
#include "kernels/reduce.h"

/* ---- Feeding --------------------------------------------------------------------------- */

/* A reducer folds one array of (outer, n, inner), fed in row-major order, in the caller's
 * memory; tidemill_kernel_reduce is begin, feed, end, so both give the same bits. */

/* Bytes of memory, which is aligned to 8; 0 when the arguments are refused. */
size_t mill_reducer_bytes(int32_t kind, int32_t type, int64_t outer, int64_t n, int64_t inner);

/* Results go to `partial` while they come about; all are there after mill_reducer_end. */
void mill_reducer_begin(void *memory, int32_t kind, int32_t type, int64_t outer, int64_t n,
                        int64_t inner, int64_t base, void *partial);

/* The next `count` elements.  inner 1: a feed starts at a multiple of MILL_SUM_BLOCK elements
 * of its row, so that blocks are those of the whole; it may hold many blocks and many rows.
 * inner > 1: any count will do; whole runs of `inner` elements at a time are fastest. */
void mill_reducer_feed(void *memory, const void *values, int64_t count);

/* The next `blocks` blocks of MILL_SUM_BLOCK elements of a row, inner 1, of which the sums are
 * known; for SUM and MEAN of floats. */
void mill_reducer_feed_sums(void *memory, const double *sums, int64_t blocks);

void mill_reducer_end(void *memory);

/* ---- One kind of result ---------------------------------------------------------------- */

enum {
    MILL_REDUCE_PLANES = 4,   /* planes of an open block of columns, at most */
    MILL_REDUCE_COLUMN = 128, /* elements of a column in one block */
};

union mill_cell {
    double f;
    int64_t i;
};

/* What bodies read; other types are widened to it first. */
enum mill_reduced { MILL_VALUE_FLOAT, MILL_VALUE_INT, MILL_VALUE_BYTE };

/* cells[0..planes) of count <= MILL_SUM_BLOCK values, the first of which is at `position` of
 * its row.  Where `running` is set, cells hold the row's result so far, and are brought up to
 * date. */
typedef void mill_reduce_block(const void *x, int64_t count, int64_t position,
                               union mill_cell *cells);

/* A few rows of some columns, to be added to what these have: plane p of column j is
 * cells[p * apart + j]. */
struct mill_columns {
    const void *x; /* element (r, j) is x[r * stride + j] */
    int64_t stride, rows, width;
    union mill_cell *cells;
    int64_t apart;
    int64_t row;      /* of the first row in its block */
    int64_t position; /* of the first row on the axis */
};
typedef void mill_reduce_columns(const struct mill_columns *columns);

/* Makes partial results of the planes of a block of `rows` rows, in place. */
typedef void mill_reduce_seal(union mill_cell *cells, int64_t apart, int64_t width,
                              int64_t rows);

/* left = left joined with right, which follows it. */
typedef void mill_reduce_join(union mill_cell *left, int64_t left_apart,
                              const union mill_cell *right, int64_t right_apart, int64_t m);

struct mill_reduction {
    enum mill_reduced value;
    int planes;                               /* of a partial result */
    int floats;                               /* so many of them, the first, are float64 */
    int open;                                 /* planes of an open block of columns */
    int skips;                                /* NaNs are taken out before `block` sees them */
    int running;                              /* folding on is joining: there are no blocks */
    union mill_cell none[MILL_REDUCE_PLANES]; /* what no element gives */
    mill_reduce_block *block;
    mill_reduce_columns *columns;
    mill_reduce_seal *seal; /* NULL: nothing to do */
    mill_reduce_join *join;
};

/* What reductions have alike whose first plane is the value that came before all others, and whose
 * second says how many there were, or where it is. */
#define MILL_EXTREME_FLOAT .planes = 2, .floats = 1, .open = 2, .running = 1
#define MILL_EXTREME_INT   .value = MILL_VALUE_INT, .planes = 2, .open = 2, .running = 1

/* Their columns, by the bodies: noun_kind_columns and noun_kind_int_columns. */
#define MILL_EXTREME_COLUMNS(noun, kind)                                                       \
    static void noun##_##kind##_columns(const struct mill_columns *columns)                    \
    {                                                                                          \
        mill_reduce_bodies()->kind##_columns(columns);                                         \
    }                                                                                          \
                                                                                               \
    static void noun##_##kind##_int_columns(const struct mill_columns *columns)                \
    {                                                                                          \
        mill_reduce_bodies()->kind##_int_columns(columns);                                     \
    }

/* NULL where kind and type do not go together. */
const struct mill_reduction *mill_reduction_find(int32_t kind, int32_t type);

/* One noun each, NULL where it has none: sums, products and means; moments; least and greatest;
 * where they are; any, all and counts.  `kind` is without TIDEMILL_REDUCE_NAN. */
const struct mill_reduction *mill_reduction_total(int32_t kind, int is_float, int skip_nan);
const struct mill_reduction *mill_reduction_moments(int skip_nan);
const struct mill_reduction *mill_reduction_extreme(int32_t kind, int is_float, int skip_nan);
const struct mill_reduction *mill_reduction_place(int32_t kind, int is_float, int skip_nan);
const struct mill_reduction *mill_reduction_tally(int32_t kind, enum mill_reduced value,
                                                  int skip_nan);

static inline int mill_is_float_type(int32_t type)
{
    return type == TIDEMILL_FLOAT32 || type == TIDEMILL_FLOAT64;
}

static inline int mill_is_byte_type(int32_t type)
{
    return type == TIDEMILL_BOOL || type == TIDEMILL_UINT8;
}

/* A kind or an answer without TIDEMILL_REDUCE_NAN. */
static inline int32_t mill_plain_kind(int32_t what)
{
    return what & ~TIDEMILL_REDUCE_NAN;
}

static inline int mill_is_extreme_kind(int32_t plain)
{
    return plain >= TIDEMILL_REDUCE_MIN && plain <= TIDEMILL_REDUCE_ARGMAX;
}

/* 0 for what is no type. */
int64_t mill_reduce_type_size(int32_t type);

/* count values of `type` as the float64 or int64 that a body reads: x itself where it has the
 * form, else `out` filled. */
const void *mill_reduce_widen(int32_t type, enum mill_reduced value, const void *x,
                              int64_t count, void *out);

/* ---- Bodies of one instruction set ------------------------------------------------------ */

/* All read one block of at most MILL_SUM_BLOCK values, or some columns. */
struct mill_reduce_bodies {
    /* Least and greatest; NaN if any is; INFINITY, -INFINITY of none. */
    double (*least)(const double *x, int64_t count);
    double (*greatest)(const double *x, int64_t count);
    int64_t (*least_int)(const int64_t *x, int64_t count);
    int64_t (*greatest_int)(const int64_t *x, int64_t count);
    int64_t (*sum_int)(const int64_t *x, int64_t count);
    /* Elements that are not 0; that are NaN. */
    int64_t (*count)(const double *x, int64_t count);
    int64_t (*count_int)(const int64_t *x, int64_t count);
    int64_t (*count_byte)(const uint8_t *x, int64_t count);
    int64_t (*count_nan)(const double *x, int64_t count);
    void (*widen_float)(const float *x, int64_t count, double *out);
    void (*widen_int)(const int32_t *x, int64_t count, int64_t *out);
    void (*float_int)(const int32_t *x, int64_t count, double *out);
    mill_reduce_columns *sum_columns, *sum_int_columns, *nansum_columns;
    mill_reduce_columns *moments_columns, *nanmoments_columns;
    mill_reduce_columns *min_columns, *max_columns, *nanmin_columns, *nanmax_columns;
    mill_reduce_columns *min_int_columns, *max_int_columns;
    mill_reduce_columns *argmin_columns, *argmax_columns;
    mill_reduce_columns *argmin_int_columns, *argmax_int_columns;
};

const struct mill_reduce_bodies *mill_reduce_bodies(void);

double mill_least_plain(const double *x, int64_t count);
double mill_greatest_plain(const double *x, int64_t count);
int64_t mill_least_int_plain(const int64_t *x, int64_t count);
int64_t mill_greatest_int_plain(const int64_t *x, int64_t count);
int64_t mill_sum_int_plain(const int64_t *x, int64_t count);
int64_t mill_count_plain(const double *x, int64_t count);
int64_t mill_count_int_plain(const int64_t *x, int64_t count);
int64_t mill_count_byte_plain(const uint8_t *x, int64_t count);
int64_t mill_count_nan_plain(const double *x, int64_t count);
void mill_widen_float_plain(const float *x, int64_t count, double *out);
void mill_widen_int_plain(const int32_t *x, int64_t count, int64_t *out);
void mill_float_int_plain(const int32_t *x, int64_t count, double *out);

mill_reduce_columns mill_sum_columns_plain, mill_sum_int_columns_plain;
mill_reduce_columns mill_nansum_columns_plain;
mill_reduce_columns mill_moments_columns_plain, mill_nanmoments_columns_plain;
mill_reduce_columns mill_min_columns_plain, mill_max_columns_plain;
mill_reduce_columns mill_nanmin_columns_plain, mill_nanmax_columns_plain;
mill_reduce_columns mill_min_int_columns_plain, mill_max_int_columns_plain;
mill_reduce_columns mill_argmin_columns_plain, mill_argmax_columns_plain;
mill_reduce_columns mill_argmin_int_columns_plain, mill_argmax_int_columns_plain;

extern const struct mill_reduce_bodies mill_reduce_bodies_plain;
#ifdef MILL_KERNEL_X86
extern const struct mill_reduce_bodies mill_reduce_bodies_avx2;
extern const struct mill_reduce_bodies mill_reduce_bodies_avx512;
#endif
#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
extern const struct mill_reduce_bodies mill_reduce_bodies_neon;
#endif

#endif
