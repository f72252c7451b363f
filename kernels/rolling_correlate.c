/* rolling_correlate: correlation matrices of all windows of many series.
 * Each window is standardised and multiplied by itself, so chunks of windows give the bits of
 * all at once.  The series are turned into columns first: then neighbours in a vector are
 * neighbouring series, and no sum has to be folded.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"
#include "kernels/rolling.h"
#include "kernels/rolling_bodies.h"

static int64_t correlate_stride(int64_t rows)
{
    return (rows + MILL_PRODUCT_COLUMNS - 1) / MILL_PRODUCT_COLUMNS * MILL_PRODUCT_COLUMNS;
}

int64_t tidemill_kernel_rolling_correlate_scratch(int64_t rows, int64_t window, int64_t count)
{
    if (rows < 1 || window < 1 || count < 1) return 0;
    return (window + count - 1 + window) * correlate_stride(rows);
}

/* Values [first, end) of every series as rows of columns; the columns beyond are 0. */
static void correlate_turn(const double *x, int64_t rows, int64_t n, int64_t first, int64_t end,
                           double *columns)
{
    int64_t stride = correlate_stride(rows);
    for (int64_t t = first; t < end; t++) {
        double *row = columns + (t - first) * stride;
        for (int64_t r = 0; r < stride; r++) row[r] = r < rows ? x[r * n + t] : 0;
    }
}

/* Puts a tile whose upper left corner is (i, j) at its place and at the mirrored one.  Sizes
 * are known where it matters, so that the copies are. */
static inline __attribute__((always_inline)) void
correlate_put(double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS], int64_t i, int64_t j,
              int64_t high, int64_t wide, int64_t rows, double *out)
{
    for (int64_t a = 0; a < high; a++)
        for (int64_t b = 0; b < wide; b++) out[(i + a) * rows + j + b] = tile[a][b];
    for (int64_t b = 0; b < wide; b++)
        for (int64_t a = 0; a < high; a++) out[(j + b) * rows + i + a] = tile[a][b];
}

static void correlate_place(double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS], int64_t i,
                            int64_t j, int64_t rows, double *out)
{
    int64_t high = mill_least(MILL_PRODUCT_ROWS, rows - i);
    int64_t wide = mill_least(MILL_PRODUCT_COLUMNS, rows - j);
    if (high == MILL_PRODUCT_ROWS && wide == MILL_PRODUCT_COLUMNS)
        correlate_put(tile, i, j, MILL_PRODUCT_ROWS, MILL_PRODUCT_COLUMNS, rows, out);
    else
        correlate_put(tile, i, j, high, wide, rows, out);
}

static void correlate_window(const double *z, int64_t rows, int64_t window, double *out)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    int64_t stride = correlate_stride(rows);
    double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS];
    for (int64_t i = 0; i < rows; i += MILL_PRODUCT_ROWS) {
        int64_t diagonal = i - i % MILL_PRODUCT_COLUMNS;
        for (int64_t j = diagonal; j < rows; j += MILL_PRODUCT_COLUMNS) {
            bodies->products(z + i, z + j, stride, window, tile);
            correlate_place(tile, i, j, rows, out);
        }
    }
}

int64_t tidemill_kernel_rolling_correlate(const double *x, int64_t rows, int64_t n,
                                          int64_t window, int64_t first, int64_t count,
                                          double *scratch, double *out)
{
    if (rows < 0 || window < 1 || first < 0 || count < 0 || first > n || window > n - first ||
        count > n - first - window + 1)
        return -1;
    if (rows == 0 || count == 0) return 0;
    int64_t stride = correlate_stride(rows);
    double *columns = scratch, *z = scratch + (window + count - 1) * stride;
    correlate_turn(x, rows, n, first, first + count + window - 1, columns);
    for (int64_t k = 0; k < count; k++) {
        mill_window_bodies()->standard(columns + k * stride, stride, window, z);
        correlate_window(z, rows, window, out + k * rows * rows);
    }
    return 0;
}
