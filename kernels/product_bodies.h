/* product_bodies: a matrix product of one element type, for kernels/product.c, which says which:
 * REAL, and PRODUCT(name) for what is made of it.
 * Blocks of a and b are copied ("packed") into the order in which the inner loop reads them, and
 * filled up with zeros to whole tiles.  Private to kernels/.  SPDX-License-Identifier: MIT */

/* The plain inner loop.  Four sums at a time are as many as its registers hold. */
static void PRODUCT(tile_plain)(int64_t depth, REAL alpha, const REAL *a, const REAL *b,
                                REAL *c, int64_t c_row)
{
    for (int i = 0; i < MILL_TILE_ROWS; i++) {
        REAL s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int64_t p = 0; p < depth; p++) {
            REAL value = a[p * MILL_TILE_ROWS + i];
            s0 += value * b[p * PLAIN_COLUMNS];
            s1 += value * b[p * PLAIN_COLUMNS + 1];
            s2 += value * b[p * PLAIN_COLUMNS + 2];
            s3 += value * b[p * PLAIN_COLUMNS + 3];
        }
        const REAL sums[PLAIN_COLUMNS] = {s0, s1, s2, s3};
        for (int j = 0; j < PLAIN_COLUMNS; j++)
            c[i * c_row + j] = PRODUCT(tile_one_nan)(c[i * c_row + j] + alpha * sums[j]);
    }
}

/* packed[(i / group) * group * depth + p * group + i % group] = element (i, p), 0 for i beyond
 * count. */
static void PRODUCT(pack_panel)(const REAL *x, int64_t count, int64_t depth, int64_t apart,
                                int64_t next, int64_t group, REAL *packed)
{
    for (int64_t first = 0; first < count; first += group, packed += group * depth) {
        int64_t here = mill_least(group, count - first);
        const REAL *from = x + first * apart;
        for (int64_t p = 0; p < depth; p++) {
            REAL *to = packed + p * group;
            for (int64_t i = 0; i < here; i++) to[i] = from[i * apart + p * next];
            for (int64_t i = here; i < group; i++) to[i] = 0;
        }
    }
}

/* A tile at the edge: the part of c that there is goes through a whole one. */
static void PRODUCT(edge_tile)(struct PRODUCT(mill_tile) tile, int64_t rows, int64_t columns,
                               int64_t depth, REAL alpha, const REAL *a, const REAL *b, REAL *c,
                               int64_t c_row)
{
    REAL whole[MILL_TILE_ROWS * MILL_TILE_WIDEST] = {0};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) whole[i * tile.columns + j] = c[i * c_row + j];
    tile.sums(depth, alpha, a, b, whole, tile.columns);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) c[i * c_row + j] = whole[i * tile.columns + j];
}

/* c += alpha * (packed rows) * (packed columns). */
static void PRODUCT(block_of_tiles)(struct PRODUCT(mill_tile) tile, int64_t rows,
                                    int64_t columns, int64_t depth, REAL alpha, const REAL *a,
                                    const REAL *b, REAL *c, int64_t c_row)
{
    for (int64_t j = 0; j < columns; j += tile.columns) {
        int64_t wide = mill_least(tile.columns, columns - j);
        const REAL *right = b + j * depth;
        for (int64_t i = 0; i < rows; i += MILL_TILE_ROWS) {
            int64_t high = mill_least(MILL_TILE_ROWS, rows - i);
            const REAL *left = a + i * depth;
            REAL *to = c + i * c_row + j;
            if (high == MILL_TILE_ROWS && wide == tile.columns)
                tile.sums(depth, alpha, left, right, to, c_row);
            else
                PRODUCT(edge_tile)(tile, high, wide, depth, alpha, left, right, to, c_row);
        }
    }
}

static void PRODUCT(scale_product)(int64_t m, int64_t n, REAL beta, REAL *c, int64_t c_row)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            c[i * c_row + j] = beta == 0 ? 0 : PRODUCT(tile_one_nan)(beta * c[i * c_row + j]);
}

int64_t PRODUCT(tidemill_kernel_matmul)(int64_t m, int64_t n, int64_t k, REAL alpha,
                                        const REAL *a, int64_t a_row, int64_t a_column,
                                        const REAL *b, int64_t b_row, int64_t b_column,
                                        REAL beta, REAL *c, int64_t c_row, REAL *scratch)
{
    if (m < 0 || n < 0 || k < 0 || c_row < n) return -1;
    struct PRODUCT(mill_tile) tile = PRODUCT(tile_in_use)();
    REAL *packed = scratch + packed_size(n, PRODUCT_COLUMNS, MILL_TILE_WIDEST, k);
    PRODUCT(scale_product)(m, n, beta, c, c_row);
    for (int64_t j = 0; j < n; j += PRODUCT_COLUMNS) {
        int64_t wide = mill_least(PRODUCT_COLUMNS, n - j);
        for (int64_t p = 0; p < k; p += MILL_TILE_DEPTH) {
            int64_t depth = mill_least(MILL_TILE_DEPTH, k - p);
            PRODUCT(pack_panel)
            (b + p * b_row + j * b_column, wide, depth, b_column, b_row, tile.columns, scratch);
            for (int64_t i = 0; i < m; i += PRODUCT_ROWS) {
                int64_t high = mill_least(PRODUCT_ROWS, m - i);
                PRODUCT(pack_panel)
                (a + i * a_row + p * a_column, high, depth, a_row, a_column, MILL_TILE_ROWS,
                 packed);
                PRODUCT(block_of_tiles)
                (tile, high, wide, depth, alpha, packed, scratch, c + i * c_row + j, c_row);
            }
        }
    }
    return 0;
}

void PRODUCT(tidemill_kernel_outer)(const REAL *a, int64_t m, const REAL *b, int64_t n,
                                    REAL *out)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) out[i * n + j] = PRODUCT(tile_one_nan)(a[i] * b[j]);
}
