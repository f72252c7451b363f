/* rolling_bodies: the steps of rolling windows that exist once per instruction set.
 * Private to kernels/; rolling.h has the promises.
 *
 * A table (n rows of `unit` numbers) is walked as one line of places in which the row before
 * lies `unit` places back.  A step turns windows of `half` rows into windows of 2 half + odd
 * rows, in place from the newest down, as rolling.c tells; but here a window is described from
 * its newest value, which both an appended value and a join of halves have at hand:
 *
 *     ends at      t - odd - half        t - odd       t
 *                 |---- older ----|---- newer ----|  (one)
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_ROLLING_BODIES_H
#define MILL_KERNEL_ROLLING_BODIES_H

#include "kernels/bodies.h"

struct mill_window_step {
    int64_t unit, half, odd;
};

/* Two steps at once, or one when `then` is negative: sums of windows in [from, end) of `to`
 * from those in `at`, which is x (half is 1) or `to`.  `then` is the odd of the second.  x may
 * be sums of four rows instead of rows, with a unit of four rows. */
typedef void mill_window_totals(const struct mill_window_step *step, int64_t then,
                                const double *x, const double *at, double *to, int64_t from,
                                int64_t end);
/* above[t] = x[t] - mean, square[t] = sum of squared deviations from the mean; not read when
 * half is 1. */
typedef void mill_window_spread(const struct mill_window_step *step, const double *x,
                                double *above, double *square, int64_t from, int64_t end);
/* cross[t] = sum of products of the deviations of two series; not read when half is 1.  Comes
 * before the spreads of the same step, whose `above` it needs as they were. */
struct mill_window_pair {
    const double *x, *y, *above_x, *above_y;
};
typedef void mill_window_cross(const struct mill_window_step *step,
                               const struct mill_window_pair *pair, double *cross, int64_t from,
                               int64_t end);
/* to[t] = the least (the greatest) of at[t], at[t - lag], ... at[t - 3 lag], of the first two
 * when `four` is 0. */
typedef void mill_window_extreme(int64_t lag, int four, const double *at, double *to,
                                 int64_t from, int64_t end);

/* What turns finished windows into results; a result that is not finite is the one NaN.  They
 * return MILL_WINDOW_UNKNOWN when there is one, and MILL_WINDOW_FLAT when a mean is so near its newest value
 * that all of its window may be equal. */
enum { MILL_WINDOW_UNKNOWN = 1, MILL_WINDOW_FLAT = 2 };
/* The oldest rows of a window, up to three, that its sum lacks: `back` places before the newest
 * and `unit` more each. */
struct mill_window_rest {
    int64_t rows, back, unit;
};
typedef int mill_window_scaled(const double *at, double factor, double *out, int64_t count);
typedef int mill_window_average(const struct mill_window_rest *rest, const double *sum,
                                const double *x, double factor, double *out, int64_t count);
typedef int mill_window_scores(const double *above, const double *square, double factor,
                               double *out, int64_t count);
typedef int mill_window_ratios(const double *cross, const double *square_x,
                               const double *square_y, double *out, int64_t count);

/* Columns of x, `stride` wide and a multiple of MILL_PRODUCT_COLUMNS, less their means and
 * divided by their lengths: in panels of MILL_PRODUCT_COLUMNS, each with all rows of it one after
 * the other. */
enum { MILL_PRODUCT_ROWS = 4, MILL_PRODUCT_COLUMNS = 16 };
typedef void mill_window_standard(const double *x, int64_t stride, int64_t window, double *z);
/* tile[i][j] = sum of z[k][i] * z[k][j] over k, for MILL_PRODUCT_ROWS columns of a panel, from `at` on,
 * with all of another, within [-1, 1]. */
typedef void mill_window_products(const double *at, const double *with, int64_t window,
                                  double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS]);

struct mill_window_bodies {
    mill_window_totals *totals;
    mill_window_spread *spread;
    mill_window_cross *cross;
    mill_window_extreme *least, *greatest;
    mill_window_scaled *scaled, *roots; /* at * factor, and the square root of that */
    mill_window_average *average;       /* (sum + rest) * factor */
    mill_window_scores *scores;         /* above / sqrt(square * factor) */
    mill_window_ratios *ratios;         /* cross / (the roots' product), within [-1, 1] */
    int (*all_finite)(const double *x, int64_t count);
    mill_window_standard *standard;
    mill_window_products *products;
};

const struct mill_window_bodies *mill_window_bodies(void);

#define MILL_WINDOW_BODIES(set)                                                                \
    mill_window_totals mill_window_totals_##set;                                               \
    mill_window_spread mill_window_spread_##set;                                               \
    mill_window_cross mill_window_cross_##set;                                                 \
    mill_window_extreme mill_window_least_##set, mill_window_greatest_##set;                   \
    mill_window_scaled mill_window_scaled_##set, mill_window_roots_##set;                      \
    mill_window_average mill_window_average_##set;                                             \
    mill_window_scores mill_window_scores_##set;                                               \
    mill_window_ratios mill_window_ratios_##set;                                               \
    int mill_window_all_finite_##set(const double *x, int64_t count);                          \
    mill_window_standard mill_window_standard_##set;                                           \
    mill_window_products mill_window_products_##set
MILL_WINDOW_BODIES(plain);
#ifdef MILL_KERNEL_X86
MILL_WINDOW_BODIES(avx2);
MILL_WINDOW_BODIES(avx512);
#elif defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
MILL_WINDOW_BODIES(neon);
#endif

/* ---- Tiles ----------------------------------------------------------------------------- */

/* Places of a tile: `end` from the oldest value that its windows need; windows that end in
 * [from, end) are wanted, and out[from] is the first result.  x and y are the tile's own places
 * from 0; work has as many each. */
enum { MILL_WINDOW_WORK = 5 };
struct mill_window_tile {
    const double *x, *y;
    int64_t unit, from, end;
    double *work[MILL_WINDOW_WORK];
    double *out;
};

/* `count` values of one column, oldest first, `unit` places apart; y as x, or NULL. */
struct mill_window_part {
    const double *x, *y;
    int64_t count, unit;
};

/* A kernel: `tile` makes all windows of a tile, which are full, as if nothing was missing, and
 * returns 0 when it knows that nothing is; `some` makes one with missing values, where the
 * oldest and newest may be. */
struct mill_rolling {
    const double *x, *y; /* y is NULL where only one series is taken */
    int64_t n, inner, window, ddof, min_count;
    double *scratch, *out;
    int (*tile)(const struct mill_rolling *call, const struct mill_window_tile *tile);
    double (*some)(const struct mill_rolling *call, const struct mill_window_part *part);
};

/* Runs it; -1 when the arguments are refused. */
int64_t mill_rolling_run(const struct mill_rolling *call);

#endif
