/* rolling_products_wide: standardised windows of many series and the products of all pairs,
 * written once for every width; the end of rolling_wide.h, whose macros it uses.
 * SPDX-License-Identifier: MIT */

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
#define ADD_PRODUCTS(i, left_sum, right_sum)                                                   \
    do {                                                                                       \
        double one = at[k * MILL_PRODUCT_COLUMNS + i];                                         \
        left_sum += one * left, right_sum += one * right;                                      \
    } while (0)
#define SET_PRODUCTS(i, left_sum, right_sum)                                                   \
    do {                                                                                       \
        SET(tile[i] + j) = MILL_WIDE(window_limited)(left_sum);                                \
        SET(tile[i] + j + WIDTH) = MILL_WIDE(window_limited)(right_sum);                       \
    } while (0)

MILL_TARGET void
MILL_WIDE(mill_window_products)(const double *at, const double *with, int64_t window,
                                double tile[MILL_PRODUCT_ROWS][MILL_PRODUCT_COLUMNS])
{
    for (int64_t j = 0; j < MILL_PRODUCT_COLUMNS; j += 2 * WIDTH) {
        LANES a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0}, c0 = {0}, c1 = {0}, d0 = {0}, d1 = {0};
        for (int64_t k = 0; k < window; k++) {
            const double *row = with + k * MILL_PRODUCT_COLUMNS + j;
            LANES left = AT(row), right = AT(row + WIDTH);
            ADD_PRODUCTS(0, a0, a1);
            ADD_PRODUCTS(1, b0, b1);
            ADD_PRODUCTS(2, c0, c1);
            ADD_PRODUCTS(3, d0, d1);
        }
        SET_PRODUCTS(0, a0, a1);
        SET_PRODUCTS(1, b0, b1);
        SET_PRODUCTS(2, c0, c1);
        SET_PRODUCTS(3, d0, d1);
    }
}

#undef ADD_PRODUCTS
#undef SET_PRODUCTS
