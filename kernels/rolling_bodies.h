/* rolling_bodies: the steps of rolling windows that exist once per instruction set.
 * Private to kernels/; rolling.h has the promises.
 *
 * A table (n rows of `unit` numbers) is walked as one line of places in which the next row
 * lies `unit` places on.  What belongs to a window stands where its oldest value does.  A step
 * turns windows of `half` rows into windows of 2 half + odd rows; in place, too, since it goes
 * up and reads nothing before the place it writes:
 *
 *     begins at    i               i + half        i + 2 half
 *                 |---- older ----|---- newer ----|  (one)
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_ROLLING_BODIES_H
#define MILL_KERNEL_ROLLING_BODIES_H

#include "kernels/bodies.h"

/* One step. */
struct mill_window_step {
    int64_t unit, half, odd;
};

/* Sums take larger steps: the sums of 1 to MILL_JOIN_PARTS windows of `size` items that follow each
 * other are added, (a + b) + c or ((a + b) + (c + d)) + e, and where `more` is 1 the next item.  Items
 * are rows, or sums of four rows with a unit of four rows. */
enum { MILL_JOIN_PARTS = 5 };
struct mill_window_join {
    int64_t unit, size;
    int parts, more;
};
/* The sums of `count` windows from those in `at`, which is items (size is 1) or `to`. */
typedef void mill_window_totals(const struct mill_window_join *join, const double *items,
                                const double *at, double *to, int64_t count);
/* above = newest value - mean, square = sum of squared deviations from the mean; not read when
 * half is 1. */
typedef void mill_window_spread(const struct mill_window_step *step, const double *x,
                                double *above, double *square, int64_t count);
/* cross = sum of products of the deviations of two series; not read when half is 1.  Comes
 * before the spreads of the same step, whose `above` it needs as they were. */
struct mill_window_pair {
    const double *x, *y, *above_x, *above_y;
};
typedef void mill_window_cross(const struct mill_window_step *step,
                               const struct mill_window_pair *pair, double *cross,
                               int64_t count);
/* to[i] = the least (the greatest) of at[i], at[i + lag], ... at[i + 3 lag], of the first two
 * when `four` is 0. */
typedef void mill_window_extreme(int64_t lag, int four, const double *at, double *to,
                                 int64_t count);

/* What turns windows into `count` results.  A result that is not finite is the one NaN, and
 * MILL_WINDOW_UNKNOWN is returned when there is one. */
enum { MILL_WINDOW_UNKNOWN = 1 };
typedef int mill_window_scaled(const double *at, double factor, double *out, int64_t count);
/* The last step of a spread, whose squares times `factor` are the results, or with `root` their
 * roots. */
typedef int mill_window_finish(const struct mill_window_step *step, const double *x,
                               const double *above, const double *square, double factor,
                               int root, double *out, int64_t count);
/* The oldest rows of a window, up to three, that its sum lacks, each `unit` places before the
 * one that is added first, x; and the window's newest value. */
struct mill_window_rest {
    int64_t rows, unit;
    const double *x, *newest;
};
/* (sum + rest) * factor, where the sums are what the join makes.  Not 0 when one may not be
 * finite, which is then left as it is, or is so near its newest value that all of its window
 * may be equal. */
typedef int mill_window_average(const struct mill_window_join *join,
                                const struct mill_window_rest *rest, const double *items,
                                const double *at, double factor, double *out, int64_t count);
/* The same of one series (unit 1) where the sums are of `fours` fours that begin at x, 1 to
 * MILL_WINDOW_FOURS of them. */
enum { MILL_WINDOW_FOURS = 7 };
typedef int mill_window_few(int64_t fours, const struct mill_window_rest *rest, const double *x,
                            double factor, double *out, int64_t count);
/* The sums of `fours` fours, 4 to MILL_WINDOW_FOURS, and all the fours they are made of unless
 * `four` is NULL. */
typedef void mill_window_fours(int64_t fours, const double *x, double *four, double *to,
                               int64_t count);
typedef int mill_window_scores(const double *above, const double *square, double factor,
                               double *out, int64_t count);
typedef int mill_window_ratios(const double *cross, const double *square_x,
                               const double *square_y, double *out, int64_t count);

/* Windows begin, begin + 1, .. of MILL_GROUP_MOST that all have a core of values in common, half of a
 * window or more: each is made of the core with what it has before, and of what it has after, so
 * that one more window takes one more value on either side.
 *
 *     window 0     |-- before --|--- core ---|- skipped -|
 *     the last one      |-------|--- core ---|-------------- ...|
 *
 * Window 0 has `before` values before the core and `skipped` after it, and `count` windows are wanted;
 * count <= before + 1.  Sums take the core from its oldest value on, then what is before it from the
 * newest down; and from the oldest on what comes after it, which is added last. */
enum { MILL_GROUP_SIDE = 8, MILL_GROUP_MOST = 64 };
struct mill_window_group {
    int64_t before, core, skipped, count;
};
/* The values of MILL_GROUP_SIDE series side by side from window 0's oldest on become their deviations from
 * the means of the core.  For each window, of a series' deviations: scale[0] = sum / the root of
 * the window's length; scale[1] = 1 / the root of the squares' sum less that one's square, NaN
 * where that is not known. */
typedef void mill_group_scales(const struct mill_window_group *group, double *x,
                               double scale[][2][MILL_GROUP_SIDE]);
/* Deviations and scales. */
struct mill_group_side {
    const double *x;
    double (*scale)[2][MILL_GROUP_SIDE];
};
/* tile[k][i][j]: with s = fma(x_i, x_j, s) as the sum of the deviations' products in window k,
 * fma(-scale[0]_i, scale[0]_j, s) * (scale[1]_i * scale[1]_j) within [-1, 1], of series i of `at` and
 * j of `with`. */
typedef void mill_group_pairs(const struct mill_window_group *group,
                              const struct mill_group_side *at,
                              const struct mill_group_side *with,
                              double tile[][MILL_GROUP_SIDE][MILL_GROUP_SIDE]);
/* Writes tiles to matrices of `rows` rows that follow each other: to row i from column j on, and turned to
 * row j from column i on; past the caches where it can, so others see them after an sfence. */
typedef void mill_group_put(double tile[][MILL_GROUP_SIDE][MILL_GROUP_SIDE], int64_t count,
                            int64_t i, int64_t j, int64_t rows, double *out);

struct mill_window_bodies {
    mill_window_totals *totals;
    mill_window_spread *spread;
    mill_window_cross *cross;
    mill_window_extreme *least, *greatest;
    mill_window_scaled *scaled; /* at * factor */
    mill_window_finish *finish;
    mill_window_average *average;
    mill_window_few *few;
    mill_window_fours *fours;
    mill_window_scores *scores; /* above / sqrt(square * factor) */
    mill_window_ratios *ratios; /* cross / (the roots' product), within [-1, 1] */
    int (*all_finite)(const double *x, int64_t count);
    mill_group_scales *scales;
    mill_group_pairs *pairs;
    mill_group_put *put;
};

const struct mill_window_bodies *mill_window_bodies(void);

#define MILL_WINDOW_BODIES(set)                                                                \
    mill_window_totals mill_window_totals_##set;                                               \
    mill_window_spread mill_window_spread_##set;                                               \
    mill_window_cross mill_window_cross_##set;                                                 \
    mill_window_extreme mill_window_least_##set, mill_window_greatest_##set;                   \
    mill_window_scaled mill_window_scaled_##set;                                               \
    mill_window_finish mill_window_finish_##set;                                               \
    mill_window_average mill_window_average_##set;                                             \
    mill_window_few mill_window_few_##set;                                                     \
    mill_window_fours mill_window_fours_##set;                                                 \
    mill_window_scores mill_window_scores_##set;                                               \
    mill_window_ratios mill_window_ratios_##set;                                               \
    int mill_window_all_finite_##set(const double *x, int64_t count);                          \
    mill_group_scales mill_group_scales_##set;                                                 \
    mill_group_pairs mill_group_pairs_##set;                                                   \
    mill_group_put mill_group_put_##set
MILL_WINDOW_BODIES(plain);
/* For a processor without fma(): rounded twice. */
mill_group_pairs mill_group_pairs_apart;
#ifdef MILL_KERNEL_X86
MILL_WINDOW_BODIES(avx2);
MILL_WINDOW_BODIES(avx512);
#elif defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
MILL_WINDOW_BODIES(neon);
#endif

/* The first place from `place` on that begins a line of the cache; less than MILL_LINE places on. */
enum { MILL_LINE = 8 };
static inline double *mill_line_start(double *place)
{
    int64_t stray = (int64_t)((uintptr_t)place / sizeof(double) % MILL_LINE);
    return stray ? place + MILL_LINE - stray : place;
}

/* ---- Tiles ----------------------------------------------------------------------------- */

/* Places of a tile: `end` from the oldest value that its windows need; windows that end in
 * [from, end), and begin in [0, end - from), are wanted, and out[from] is the first result.  x
 * and y are the tile's own places from 0; work has as many each. */
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

/* How the sums of windows are made: `count` joins one after the other, of the window's fours, or of
 * its rows where there are less than four.  The first `of_first` of them make sums of `first` fours;
 * more: a later one takes an item. */
enum { MILL_JOINS = 64 };
struct mill_window_joins {
    int64_t first;
    int of_first, count, more;
    struct mill_window_join join[MILL_JOINS];
};
void mill_window_plan(int64_t window, struct mill_window_joins *joins);

/* A kernel: `tile` makes all windows of a tile, which are full, as if nothing was missing, and
 * returns 0 when it knows that nothing is; `some` makes one with missing values, where the
 * oldest and newest may be. */
struct mill_rolling {
    const double *x, *y; /* y is NULL where only one series is taken */
    int64_t n, inner, window, ddof, min_count;
    double *scratch, *out;
    int (*tile)(const struct mill_rolling *call, const struct mill_window_tile *tile);
    double (*some)(const struct mill_rolling *call, const struct mill_window_part *part);
    const struct mill_window_joins *joins; /* of who sums */
};

/* Runs it; -1 when the arguments are refused. */
int64_t mill_rolling_run(const struct mill_rolling *call);

#endif
