/* rolling_correlate: correlation matrices of all windows of many series.
 * Each window is standardised and multiplied by itself, so chunks of windows give the bits of
 * all at once.  The series are turned into columns first: then neighbours in a vector are
 * neighbouring series, and no sum has to be folded.
 * SPDX-License-Identifier: MIT */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
    return (window + count - 1 + window + MILL_PRODUCT_COLUMNS) * correlate_stride(rows);
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

/* Elements of one panel of columns with all columns that are not right of it: their rows go to
 * out, where they are above the panel's own; what the panel's columns are, as rows, to `turned`,
 * which is `stride` wide. */
static void correlate_panel(const double *z, int64_t rows, int64_t window, int64_t j,
                            double *turned, double *out)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    mill_window_products *products =
        mill_fuses() ? bodies->products : mill_window_products_apart;
    int64_t stride = correlate_stride(rows), wide = mill_least(MILL_PRODUCT_COLUMNS, rows - j);
    double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS];
    for (int64_t i = 0; i < j + MILL_PRODUCT_COLUMNS; i += MILL_PRODUCT_ROWS) {
        int64_t column = i % MILL_PRODUCT_COLUMNS;
        products(z + (i - column) * window + column, z + j * window, window, tile);
        bodies->turn(tile, turned + i, stride);
        for (int64_t a = 0; a < MILL_PRODUCT_ROWS && i < j; a++) {
            if (wide == MILL_PRODUCT_COLUMNS)
                bodies->stream(tile[a], MILL_PRODUCT_COLUMNS, out + (i + a) * rows + j);
            else
                memcpy(out + (i + a) * rows + j, tile[a], (size_t)wide * sizeof **tile);
        }
    }
}

static void correlate_window(const double *z, int64_t rows, int64_t window, double *turned,
                             double *out)
{
    int64_t stride = correlate_stride(rows);
    for (int64_t j = 0; j < rows; j += MILL_PRODUCT_COLUMNS) {
        int64_t end = mill_least(rows, j + MILL_PRODUCT_COLUMNS);
        correlate_panel(z, rows, window, j, turned, out);
        for (int64_t i = j; i < end; i++)
            mill_window_bodies()->stream(turned + (i - j) * stride, end, out + i * rows);
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
    double *turned = z + window * stride;
    correlate_turn(x, rows, n, first, first + count + window - 1, columns);
    for (int64_t k = 0; k < count; k++) {
        mill_window_bodies()->standard(columns + k * stride, stride, window, z);
        correlate_window(z, rows, window, turned, out + k * rows * rows);
    }
#ifdef __SSE2__
    _mm_sfence(); /* others see the elements when they see that this is done */
#endif
    return 0;
}
