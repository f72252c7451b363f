/* moments: count, mean and squared deviations of a folded axis; see reduce.h.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/reduce_bodies.h"

/* ---- a block of a row: two passes over x - x[0] ------------------------------------------ */

static void moments_block(const void *x, int64_t count, int64_t position,
                          union mill_cell *cells)
{
    (void)position;
    const struct mill_kernel_bodies *bodies = mill_kernel_bodies();
    const double *values = x;
    double shift = count ? values[0] : 0;
    double mean = count ? bodies->sum_block(values, count, shift) / (double)count : 0;
    cells[0].f = shift;
    cells[1].f = mean;
    cells[2].f = mill_squares(bodies->square_block(values, count, shift, mean), values, count);
    cells[3].f = (double)count;
}

/* ---- columns: one pass over x - c -------------------------------------------------------- */

/* Planes of an open block: c, the sum of x - c, that of (x - c)^2.  x - x, which is 0, makes this
 * one NaN for an infinity; it is infinite only where squares of numbers overflow. */
void mill_moments_columns_plain(const struct mill_columns *columns)
{
    for (int64_t j = 0; j < columns->width; j++) {
        const double *x = (const double *)columns->x + j;
        union mill_cell *cell = columns->cells + j;
        int64_t apart = columns->apart;
        if (columns->row == 0) cell->f = x[0];
        double shift = cell[0].f, sum = cell[apart].f, square = cell[2 * apart].f;
        for (int64_t r = 0; r < columns->rows; r++) {
            double value = x[r * columns->stride], deviation = value - shift;
            sum += deviation;
            square += deviation * deviation + (value - value);
        }
        cell[apart].f = sum;
        cell[2 * apart].f = square;
    }
}

/* The same and a plane for the count, float64; until it is above 0 there is no c. */
void mill_nanmoments_columns_plain(const struct mill_columns *columns)
{
    for (int64_t j = 0; j < columns->width; j++) {
        const double *x = (const double *)columns->x + j;
        union mill_cell *cell = columns->cells + j;
        int64_t apart = columns->apart;
        for (int64_t r = 0; r < columns->rows; r++) {
            double value = x[r * columns->stride];
            if (!(value == value)) continue;
            if (cell[3 * apart].f == 0) cell->f = value;
            double deviation = value - cell->f;
            cell[apart].f += deviation;
            cell[2 * apart].f += deviation * deviation + (value - value);
            cell[3 * apart].f += 1;
        }
    }
}

static void moments_columns(const struct mill_columns *columns)
{
    mill_reduce_bodies()->moments_columns(columns);
}

static void moments_nan_columns(const struct mill_columns *columns)
{
    mill_reduce_bodies()->nanmoments_columns(columns);
}

/* The sum becomes a mean, the squares those about it. */
static void moments_seal_one(union mill_cell *cell, int64_t apart)
{
    double sum = cell[apart].f, count = cell[3 * apart].f, squares = cell[2 * apart].f;
    double mean = count > 0 ? sum / count : 0;
    double about = squares - sum * mean;
    cell[apart].f = mean;
    cell[2 * apart].f = !isfinite(squares) ? squares : about < 0 ? 0 : about;
}

static void moments_nan_seal(union mill_cell *cells, int64_t apart, int64_t width, int64_t rows)
{
    (void)rows;
    for (int64_t j = 0; j < width; j++) moments_seal_one(cells + j, apart);
}

static void moments_seal(union mill_cell *cells, int64_t apart, int64_t width, int64_t rows)
{
    for (int64_t j = 0; j < width; j++) cells[3 * apart + j].f = (double)rows;
    moments_nan_seal(cells, apart, width, rows);
}

/* ---- Chan's join, of means about origins that may be far from 0 -------------------------- */

/* Where squares are infinite the mean may be anything, and has no say any more. */

static void moments_join_one(union mill_cell *left, int64_t left_apart,
                             const union mill_cell *right, int64_t right_apart)
{
    double count = left[3 * left_apart].f, more = right[3 * right_apart].f;
    if (more == 0) return;
    if (count == 0) {
        for (int p = 0; p < 4; p++) left[p * left_apart] = right[p * right_apart];
        return;
    }
    double all = count + more;
    double apart = (right[0].f - left[0].f) + (right[right_apart].f - left[left_apart].f);
    double squares = left[2 * left_apart].f + right[2 * right_apart].f;
    left[left_apart].f += apart * (more / all);
    if (isfinite(squares)) squares += apart * apart * (count / all * more);
    left[2 * left_apart].f = squares;
    left[3 * left_apart].f = all;
}

static void moments_join(union mill_cell *left, int64_t left_apart,
                         const union mill_cell *right, int64_t right_apart, int64_t m)
{
    for (int64_t i = 0; i < m; i++)
        moments_join_one(left + i, left_apart, right + i, right_apart);
}

static const struct mill_reduction moments_kinds[2] = {
    {.planes = 4,
     .floats = 4,
     .open = 4,
     .block = moments_block,
     .columns = moments_columns,
     .seal = moments_seal,
     .join = moments_join},
    {.planes = 4,
     .floats = 4,
     .open = 4,
     .skips = 1,
     .block = moments_block,
     .columns = moments_nan_columns,
     .seal = moments_nan_seal,
     .join = moments_join},
};

const struct mill_reduction *mill_reduction_moments(int skip_nan)
{
    return &moments_kinds[skip_nan];
}
