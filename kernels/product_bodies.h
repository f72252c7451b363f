/* product_bodies: a matrix product of one element type, for kernels/product.c, which says which:
 * REAL, FUSED for its fma(), and PRODUCT(name) for what is made of it.
 * Blocks of a and b are copied ("packed") into the order in which the inner loop reads them, and
 * filled up with zeros to whole tiles.  Private to kernels/.  SPDX-License-Identifier: MIT */

/* The plain inner loop, with an addition of a product that is STEP(x, y, z).  Four sums at a time
 * are as many as its registers hold. */
#define TILE_PLAIN(tile, target, STEP)                                                         \
    target static void PRODUCT(tile)(int64_t depth, REAL alpha, const REAL *a, const REAL *b,  \
                                     const REAL *from, int64_t from_row, REAL *c,              \
                                     int64_t c_row)                                            \
    {                                                                                          \
        for (int i = 0; i < MILL_TILE_ROWS; i++) {                                             \
            REAL s0 = 0, s1 = 0, s2 = 0, s3 = 0;                                               \
            for (int64_t p = 0; p < depth; p++) {                                              \
                REAL value = a[p * MILL_TILE_ROWS + i];                                        \
                s0 = STEP(value, b[p * PLAIN_COLUMNS], s0);                                    \
                s1 = STEP(value, b[p * PLAIN_COLUMNS + 1], s1);                                \
                s2 = STEP(value, b[p * PLAIN_COLUMNS + 2], s2);                                \
                s3 = STEP(value, b[p * PLAIN_COLUMNS + 3], s3);                                \
            }                                                                                  \
            const REAL sums[PLAIN_COLUMNS] = {s0, s1, s2, s3};                                 \
            for (int j = 0; j < PLAIN_COLUMNS; j++)                                            \
                c[i * c_row + j] =                                                             \
                    PRODUCT(tile_one_nan)(STEP(alpha, sums[j], from[i * from_row + j]));       \
        }                                                                                      \
    }
TILE_PLAIN(tile_plain, MILL_FUSES, FUSED)
TILE_PLAIN(tile_apart, , APART)
#undef TILE_PLAIN

/* A whole group of a size that is known: its elements lie side by side, or its rows do.  Prefetchers
 * do not follow what lies far apart: what the next group reads is asked for, a line a step. */
#define PACK_SIDE_BY_SIDE(size)                                                                \
    for (int64_t p = 0; p < depth; p++, x += next, packed += (size)) {                         \
        __builtin_prefetch(x + (size));                                                        \
        memcpy(packed, x, (size) * sizeof *x);                                                 \
    }
#define PACK_ROWS(size)                                                                        \
    const REAL *ahead = x + (size)*apart;                                                      \
    int64_t row = 0;                                                                           \
    for (int64_t p = 0; p < depth; p++, x += next, packed += (size)) {                         \
        __builtin_prefetch(ahead + row * apart);                                               \
        if (++row == (size)) row = 0, ahead += 64 / sizeof *x;                                 \
        _Pragma("GCC unroll 32") for (int64_t i = 0; i < (size); i++) packed[i] =              \
            x[i * apart];                                                                      \
    }
#define PACK_WHOLE(size)                                                                       \
    case size:                                                                                 \
        if (apart == 1) {                                                                      \
            PACK_SIDE_BY_SIDE(size);                                                           \
        } else {                                                                               \
            PACK_ROWS(size);                                                                   \
        }                                                                                      \
        break

/* packed[p * group + i] = element (i, p) of a group of rows, 0 for i beyond count. */
static void PRODUCT(pack_group)(const REAL *x, int64_t count, int64_t depth, int64_t apart,
                                int64_t next, int64_t group, REAL *packed)
{
    switch (count == group ? group : 0) {
        PACK_WHOLE(4);
        PACK_WHOLE(MILL_TILE_ROWS);
        PACK_WHOLE(8);
        PACK_WHOLE(16);
        PACK_WHOLE(32);
    default:
        for (int64_t p = 0; p < depth; p++, packed += group) {
            for (int64_t i = 0; i < count; i++) packed[i] = x[i * apart + p * next];
            for (int64_t i = count; i < group; i++) packed[i] = 0;
        }
    }
}
#undef PACK_SIDE_BY_SIDE
#undef PACK_ROWS
#undef PACK_WHOLE

/* All groups of a panel, one after the other. */
static void PRODUCT(pack_panel)(const REAL *x, int64_t count, int64_t depth, int64_t apart,
                                int64_t next, int64_t group, REAL *packed)
{
    for (int64_t i = 0; i < count; i += group) PRODUCT(pack_group)
    (x + i * apart, mill_least(group, count - i), depth, apart, next, group,
     packed + i * depth);
}

/* A tile at the edge: the part of c that there is goes through a whole one. */
static void PRODUCT(edge_tile)(struct PRODUCT(mill_tile) tile, int64_t rows, int64_t columns,
                               int64_t depth, REAL alpha, const REAL *a, const REAL *b,
                               const REAL *from, int64_t from_row, REAL *c, int64_t c_row)
{
    REAL whole[MILL_TILE_ROWS * MILL_TILE_WIDEST] = {0};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            whole[i * tile.columns + j] = from[i * from_row + j];
    tile.sums(depth, alpha, a, b, whole, tile.columns, whole, tile.columns);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) c[i * c_row + j] = whole[i * tile.columns + j];
}

/* c = alpha * (packed rows) * (packed columns) + c, or + 0 when `fresh`, but for tiles all of whose
 * elements (i, j) have j - i < least. */
static void PRODUCT(block_of_tiles)(struct PRODUCT(mill_tile) tile, int64_t rows,
                                    int64_t columns, int64_t depth, REAL alpha, const REAL *a,
                                    const REAL *b, int64_t least, bool fresh, REAL *c,
                                    int64_t c_row)
{
    static const REAL zeros[MILL_TILE_WIDEST];
    int64_t from_row = fresh ? 0 : c_row;
    for (int64_t j = 0; j < columns; j += tile.columns) {
        int64_t wide = mill_least(tile.columns, columns - j);
        const REAL *right = b + j * depth;
        for (int64_t i = 0; i < rows && j + wide - 1 - i >= least; i += MILL_TILE_ROWS) {
            int64_t high = mill_least(MILL_TILE_ROWS, rows - i);
            const REAL *left = a + i * depth;
            REAL *to = c + i * c_row + j;
            const REAL *from = fresh ? zeros : to;
            if (high == MILL_TILE_ROWS && wide == tile.columns)
                tile.sums(depth, alpha, left, right, from, from_row, to, c_row);
            else
                PRODUCT(edge_tile)
            (tile, high, wide, depth, alpha, left, right, from, from_row, to, c_row);
        }
    }
}

/* c = beta c, and 0 when beta is 0, whatever it held. */
static void PRODUCT(scale_product)(int64_t m, int64_t n, REAL beta, REAL *c, int64_t c_row)
{
    for (int64_t i = 0; i < m; i++, c += c_row) {
        if (beta == 0)
            memset(c, 0, (size_t)n * sizeof *c);
        else
            for (int64_t j = 0; j < n; j++) c[j] = PRODUCT(tile_one_nan)(beta * c[j]);
    }
}

/* A matrix in memory: element (i, j) is at[i * row + j * column]. */
struct PRODUCT(product_side) {
    const REAL *at;
    int64_t row, column;
};

/* c = alpha a b + beta c; `upper`: at least those elements that are not below the diagonal. */
static void PRODUCT(multiply)(int64_t m, int64_t n, int64_t k, REAL alpha,
                              struct PRODUCT(product_side) a, struct PRODUCT(product_side) b,
                              REAL beta, bool upper, REAL *c, int64_t c_row, REAL *scratch)
{
    struct PRODUCT(mill_tile) tile = PRODUCT(tile_in_use)();
    REAL *packed = scratch + packed_size(n, PRODUCT_COLUMNS, MILL_TILE_WIDEST, k);
    if (k == 0) PRODUCT(scale_product)(m, n, beta, c, c_row);
    for (int64_t j = 0; j < n; j += PRODUCT_COLUMNS) {
        int64_t wide = mill_least(PRODUCT_COLUMNS, n - j);
        int64_t below = upper ? mill_least(m, j + wide) : m;
        for (int64_t p = 0; p < k; p += MILL_TILE_DEPTH) {
            int64_t depth = mill_least(MILL_TILE_DEPTH, k - p);
            PRODUCT(pack_panel)
            (b.at + p * b.row + j * b.column, wide, depth, b.column, b.row, tile.columns,
             scratch);
            for (int64_t i = 0; i < below; i += PRODUCT_ROWS) {
                int64_t high = mill_least(PRODUCT_ROWS, below - i);
                REAL *to = c + i * c_row + j;
                PRODUCT(pack_panel)
                (a.at + i * a.row + p * a.column, high, depth, a.row, a.column, MILL_TILE_ROWS,
                 packed);
                bool first = p == 0, fresh = first && beta == 0;
                /* Block by block, while it is about to be in a cache anyway. */
                if (first && !fresh) PRODUCT(scale_product)(high, wide, beta, to, c_row);
                PRODUCT(block_of_tiles)
                (tile, high, wide, depth, alpha, packed, scratch, upper ? i - j : -m - n, fresh,
                 to, c_row);
            }
        }
    }
}

int64_t PRODUCT(tidemill_kernel_matmul)(int64_t m, int64_t n, int64_t k, REAL alpha,
                                        const REAL *a, int64_t a_row, int64_t a_column,
                                        const REAL *b, int64_t b_row, int64_t b_column,
                                        REAL beta, REAL *c, int64_t c_row, REAL *scratch)
{
    if (m < 0 || n < 0 || k < 0 || c_row < n) return -1;
    PRODUCT(multiply)
    (m, n, k, alpha, (struct PRODUCT(product_side)){a, a_row, a_column},
     (struct PRODUCT(product_side)){b, b_row, b_column}, beta, false, c, c_row, scratch);
    return 0;
}

int64_t PRODUCT(tidemill_kernel_syrk)(int64_t n, int64_t k, const REAL *a, int64_t a_row,
                                      int64_t a_column, REAL beta, REAL *c, int64_t c_row,
                                      REAL *scratch)
{
    enum { SIDE = 16 };
    if (n < 0 || k < 0 || c_row < n) return -1;
    PRODUCT(multiply)
    (n, n, k, 1, (struct PRODUCT(product_side)){a, a_row, a_column},
     (struct PRODUCT(product_side)){a, a_column, a_row}, beta, true, c, c_row, scratch);
    for (int64_t i = 0; i < n; i += SIDE)
        for (int64_t j = 0; j <= i; j += SIDE)
            for (int64_t x = i; x < mill_least(n, i + SIDE); x++)
                for (int64_t y = j; y < mill_least(x, j + SIDE); y++)
                    c[x * c_row + y] = c[y * c_row + x];
    return 0;
}

void PRODUCT(tidemill_kernel_outer)(const REAL *a, int64_t m, const REAL *b, int64_t n,
                                    REAL *out)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) out[i * n + j] = PRODUCT(tile_one_nan)(a[i] * b[j]);
}
