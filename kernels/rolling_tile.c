/* rolling_tile: cuts a table into tiles of full windows, and finds the windows that are not.
 * What a kernel makes of either is its own; see struct mill_rolling.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "kernels/rolling.h"
#include "kernels/rolling_bodies.h"

enum {
    TILE_PLACES = 1024, /* of results in a tile: three such arrays fit the nearest cache */
    TILE_WINDOWS = 4,   /* or as many windows: a tile makes one of work space anew, */
    TILE_SUMMED = 8,    /* which costs sums more than some misses of that cache do */
    TILE_COLUMNS = 8,   /* of a wide table at a time, packed: one line of a cache */
    TILE_ARRAYS = MILL_WINDOW_WORK + 3, /* x, y and out of packed columns */
};

/* Columns of a tile: few enough are taken as they are. */
static int64_t tile_unit(int64_t inner)
{
    return inner <= 2 * TILE_COLUMNS ? inner : TILE_COLUMNS;
}

/* Rows of results in a tile, `windows` windows of them or more. */
static int64_t tile_rows(int64_t n, int64_t inner, int64_t window, int64_t windows)
{
    int64_t rows = TILE_PLACES / mill_most(1, tile_unit(inner));
    if (window >= n / windows) return mill_most(1, n); /* a product may be beyond 2^63 */
    return mill_least(n, mill_most(rows, windows * window));
}

/* Places in one array of a tile of any kernel; a multiple, so that all arrays are aligned alike. */
static int64_t tile_size(int64_t n, int64_t inner, int64_t window)
{
    int64_t before = mill_least(window - 1, n);
    int64_t places = (tile_rows(n, inner, window, TILE_SUMMED) + before) * tile_unit(inner);
    return (places + MILL_LINE - 1) / MILL_LINE * MILL_LINE;
}

int64_t tidemill_kernel_rolling_scratch(int64_t n, int64_t inner, int64_t window)
{
    if (n < 1 || inner < 1 || window < 1) return 0;
    int64_t arrays = tile_unit(inner) < inner ? TILE_ARRAYS : MILL_WINDOW_WORK;
    return MILL_LINE + arrays * tile_size(n, inner, window);
}

/* ---- windows with missing values ------------------------------------------------------- */

static int tile_misses(const double *x, const double *y, int64_t place)
{
    return !(x[place] - x[place] == 0) || (y && !(y[place] - y[place] == 0));
}

/* The rows [first, end) of one column that has `rows` rows from x on: results of windows that
 * are not full.  Windows before row 0 are cut off there. */
static void tile_finish_column(const struct mill_rolling *call, struct mill_window_part part,
                               int64_t first, int64_t end, double *out)
{
    const double *x = part.x, *y = part.y;
    int64_t unit = part.unit, there = 0, begin = mill_most(0, first - call->window + 1);
    for (int64_t t = begin; t < end; t++) {
        there += !tile_misses(x, y, t * unit);
        int64_t gone = t - call->window;
        if (gone >= begin) there -= !tile_misses(x, y, gone * unit);
        if (t < first || there == call->window) continue;
        int64_t oldest = mill_most(0, gone + 1);
        part.x = x + oldest * unit;
        part.y = y ? y + oldest * unit : NULL;
        part.count = t - oldest + 1;
        out[t * unit] =
            there < call->min_count ? __builtin_nan("") : mill_one_nan(call->some(call, &part));
    }
}

static void tile_finish(const struct mill_rolling *call, const struct mill_window_tile *tile)
{
    const struct mill_window_bodies *bodies = mill_window_bodies();
    if (bodies->all_finite(tile->x, tile->end) &&
        (!tile->y || bodies->all_finite(tile->y, tile->end)))
        return;
    for (int64_t c = 0; c < tile->unit; c++) {
        struct mill_window_part part = {.x = tile->x + c, .unit = tile->unit};
        if (tile->y) part.y = tile->y + c;
        tile_finish_column(call, part, tile->from / tile->unit, tile->end / tile->unit,
                           tile->out + c);
    }
}

/* The rows before the first full window. */
static void tile_finish_start(const struct mill_rolling *call)
{
    int64_t rows = mill_least(call->n, call->window - 1), inner = call->inner;
    if (call->min_count > rows) {
        mill_fill_nan(call->out, 0, rows * inner);
        return;
    }
    for (int64_t c = 0; c < inner; c++) {
        struct mill_window_part part = {.x = call->x + c, .unit = inner};
        if (call->y) part.y = call->y + c;
        tile_finish_column(call, part, 0, rows, call->out + c);
    }
}

/* ---- tiles ----------------------------------------------------------------------------- */

/* Copies `unit` columns of rows that lie `from_unit` and `to_unit` apart. */
static void tile_copy(const double *from, int64_t from_unit, double *to, int64_t to_unit,
                      int64_t rows, int64_t unit)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < unit; c++) to[r * to_unit + c] = from[r * from_unit + c];
}

/* Windows that end in rows [first, end) of `unit` columns from `column` on. */
static void tile_run(const struct mill_rolling *call, int64_t first, int64_t end,
                     int64_t column, int64_t unit)
{
    int64_t oldest = first - call->window + 1, inner = call->inner,
            at = oldest * inner + column;
    int64_t size = tile_size(call->n, inner, call->window);
    struct mill_window_tile tile = {.x = call->x + at,
                                    .y = call->y ? call->y + at : NULL,
                                    .unit = unit,
                                    .from = (first - oldest) * unit,
                                    .end = (end - oldest) * unit,
                                    .out = call->out + at};
    double *space = mill_line_start(call->scratch);
    for (int i = 0; i < MILL_WINDOW_WORK; i++, space += size) tile.work[i] = space;
    if (unit < inner) {
        tile_copy(tile.x, inner, space, unit, end - oldest, unit);
        tile.x = space, space += size;
        if (call->y) tile_copy(tile.y, inner, space, unit, end - oldest, unit);
        tile.y = call->y ? space : NULL, space += size;
        tile.out = space;
    }
    if (call->tile(call, &tile)) tile_finish(call, &tile);
    if (unit < inner)
        tile_copy(tile.out + tile.from, unit, call->out + first * inner + column, inner,
                  end - first, unit);
}

int64_t mill_rolling_run(const struct mill_rolling *call)
{
    int64_t n = call->n, inner = call->inner, window = call->window;
    if (n < 0 || inner < 0 || window < 1 || call->ddof < 0 || call->min_count < 1 ||
        call->min_count > window)
        return -1;
    if (n == 0 || inner == 0) return 0;
    tile_finish_start(call);
    int64_t rows = tile_rows(n, inner, window, call->joins ? TILE_SUMMED : TILE_WINDOWS);
    int64_t unit = tile_unit(inner);
    for (int64_t first = window - 1; first < n; first += rows)
        for (int64_t column = 0; column < inner; column += unit)
            tile_run(call, first, mill_least(n, first + rows), column,
                     mill_least(unit, inner - column));
    return 0;
}
