/* rolling_products_wide: standardised windows of many series and the products of all pairs,
 * written once for every width; the end of rolling_wide.h, whose macros it uses.  WINDOW_FUSED(x, y,
 * z) is x y + z, rounded once, of a number and two vectors, in code for WINDOW_FUSED_TARGET.
 * SPDX-License-Identifier: MIT */
#include <string.h>

/* A vector of columns at a time; stride is a multiple of every width.  All NaN here are the one
 * NaN, and so are all products and sums of it. */
MILL_TARGET void MILL_WIDE(mill_window_standard)(const double *x, int64_t stride,
                                                 int64_t window, double *z)
{
    for (int64_t j = 0; j < stride; j += WIDTH) {
        LANES oldest = AT(x + j), sum = {0}, square = {0};
        for (int64_t k = 0; k < window; k++) sum += AT(x + k * stride + j) - oldest;
        LANES mean = sum / (double)window;
        for (int64_t k = 0; k < window; k++) {
            LANES off = (AT(x + k * stride + j) - oldest) - mean;
            square += off * off;
        }
        LANES length = MILL_WIDE(window_known)(MILL_WIDE(window_root)(square));
        double *to = z + j / MILL_PRODUCT_COLUMNS * window * MILL_PRODUCT_COLUMNS +
                     j % MILL_PRODUCT_COLUMNS;
        for (int64_t k = 0; k < window; k++)
            SET(to + k * MILL_PRODUCT_COLUMNS) =
                MILL_WIDE(window_known)(((AT(x + k * stride + j) - oldest) - mean) / length);
    }
}

/* Two vectors of columns by four rows are what the registers hold. */
#define ADD_PRODUCTS(STEP, i, left_sum, right_sum)                                             \
    do {                                                                                       \
        double one = at[k * MILL_PRODUCT_COLUMNS + i];                                         \
        left_sum = STEP(one, left, left_sum);                                                  \
        right_sum = STEP(one, right, right_sum);                                               \
    } while (0)
#define SET_PRODUCTS(i, left_sum, right_sum)                                                   \
    do {                                                                                       \
        SET(tile[i] + j) = MILL_WIDE(window_limited)(left_sum);                                \
        SET(tile[i] + j + WIDTH) = MILL_WIDE(window_limited)(right_sum);                       \
    } while (0)
#define PRODUCTS(name, target, STEP)                                                           \
    target void name(const double *at, const double *with, int64_t window,                     \
                     double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS])                     \
    {                                                                                          \
        for (int64_t j = 0; j < MILL_PRODUCT_COLUMNS; j += 2 * WIDTH) {                        \
            LANES a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0};                                      \
            LANES c0 = {0}, c1 = {0}, d0 = {0}, d1 = {0};                                      \
            for (int64_t k = 0; k < window; k++) {                                             \
                const double *row = with + k * MILL_PRODUCT_COLUMNS + j;                       \
                LANES left = AT(row), right = AT(row + WIDTH);                                 \
                ADD_PRODUCTS(STEP, 0, a0, a1);                                                 \
                ADD_PRODUCTS(STEP, 1, b0, b1);                                                 \
                ADD_PRODUCTS(STEP, 2, c0, c1);                                                 \
                ADD_PRODUCTS(STEP, 3, d0, d1);                                                 \
            }                                                                                  \
            SET_PRODUCTS(0, a0, a1);                                                           \
            SET_PRODUCTS(1, b0, b1);                                                           \
            SET_PRODUCTS(2, c0, c1);                                                           \
            SET_PRODUCTS(3, d0, d1);                                                           \
        }                                                                                      \
    }
PRODUCTS(MILL_WIDE(mill_window_products), WINDOW_FUSED_TARGET, WINDOW_FUSED)
#if MILL_WIDE_BYTES == 8
#define APART(x, y, z) ((x) * (y) + (z))
PRODUCTS(mill_window_products_apart, , APART)
#undef APART
#endif

/* ---- where products go ----------------------------------------------------------------- */

#if MILL_WIDE_BYTES >= 32
typedef double MILL_WIDE(window_row)
    __attribute__((vector_size(32), aligned(sizeof(double)), may_alias));
typedef int64_t MILL_WIDE(window_order) __attribute__((vector_size(32)));
#define ROW_AT(place)    (*(const MILL_WIDE(window_row) *)(place))
#define ROW_SET(place)   (*(MILL_WIDE(window_row) *)(place))
#define MIXED(a, b, ...) __builtin_shuffle(a, b, (MILL_WIDE(window_order)){__VA_ARGS__})

/* Four by four. */
MILL_TARGET void
MILL_WIDE(mill_window_turn)(double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS], double *to,
                            int64_t stride)
{
    for (int64_t b = 0; b < MILL_PRODUCT_COLUMNS; b += 4, to += 4 * stride) {
        MILL_WIDE(window_row)
        even = MIXED(ROW_AT(tile[0] + b), ROW_AT(tile[1] + b), 0, 4, 2, 6);
        MILL_WIDE(window_row) odd = MIXED(ROW_AT(tile[0] + b), ROW_AT(tile[1] + b), 1, 5, 3, 7);
        MILL_WIDE(window_row)
        below = MIXED(ROW_AT(tile[2] + b), ROW_AT(tile[3] + b), 0, 4, 2, 6);
        MILL_WIDE(window_row)
        last = MIXED(ROW_AT(tile[2] + b), ROW_AT(tile[3] + b), 1, 5, 3, 7);
        ROW_SET(to) = MIXED(even, below, 0, 1, 4, 5);
        ROW_SET(to + stride) = MIXED(odd, last, 0, 1, 4, 5);
        ROW_SET(to + 2 * stride) = MIXED(even, below, 2, 3, 6, 7);
        ROW_SET(to + 3 * stride) = MIXED(odd, last, 2, 3, 6, 7);
    }
}

#undef ROW_AT
#undef ROW_SET
#undef MIXED
#else
/* Two by two, which every machine has vectors for. */
void MILL_WIDE(mill_window_turn)(double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS],
                                 double *to, int64_t stride)
{
    typedef double pair __attribute__((vector_size(16), aligned(sizeof(double)), may_alias));
    typedef int64_t places __attribute__((vector_size(16)));
    for (int64_t b = 0; b < MILL_PRODUCT_COLUMNS; b += 2, to += 2 * stride) {
        for (int64_t a = 0; a < MILL_PRODUCT_ROWS; a += 2) {
            pair above = *(pair *)&tile[a][b], below = *(pair *)&tile[a + 1][b];
            *(pair *)(to + a) = __builtin_shuffle(above, below, (places){0, 2});
            *(pair *)(to + stride + a) = __builtin_shuffle(above, below, (places){1, 3});
        }
    }
}
#endif

/* WINDOW_PUT elements at a time go past the caches, where they are aligned as many. */
MILL_TARGET void MILL_WIDE(mill_window_stream)(const double *from, int64_t count, double *to)
{
    int64_t i = 0;
#ifdef WINDOW_PUT
    if ((uintptr_t)to % (WINDOW_PUT * sizeof *to) == 0)
        for (; i + WINDOW_PUT <= count; i += WINDOW_PUT)
            MILL_WIDE(window_put)(from + i, to + i);
#endif
    memcpy(to + i, from + i, (size_t)(count - i) * sizeof *to);
}

#undef WINDOW_PUT
#undef WINDOW_FUSED
#undef WINDOW_FUSED_TARGET
#undef ADD_PRODUCTS
#undef SET_PRODUCTS
#undef PRODUCTS
