/* stat: sums, moments and counts of one series.
 * Sums have one order of additions, stated in kernels.h, whatever the instruction set.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/bodies.h"
#include "kernels/kernels.h"

/* ---- plain bodies ---------------------------------------------------------------------- */

double mill_sum_block_plain(const double *x, int64_t count, double shift)
{
    double sum[MILL_SUM_LANES] = {0};
    for (int64_t i = 0; i < count; i++) sum[i % MILL_SUM_LANES] += x[i] - shift;
    return mill_fold(sum, MILL_SUM_LANES);
}

double mill_square_block_plain(const double *x, int64_t count, double shift, double mean)
{
    double sum[MILL_SUM_LANES] = {0};
    for (int64_t i = 0; i < count; i++) {
        double deviation = (x[i] - shift) - mean;
        sum[i % MILL_SUM_LANES] += deviation * deviation;
    }
    return mill_fold(sum, MILL_SUM_LANES);
}

/* ---- blocks joined pairwise ------------------------------------------------------------ */

/* Works as a binary counter: after b blocks there is one partial sum for each digit 1 of b,
 * the largest first. */
struct stat_tree {
    double partial[64];
    int depth;
    uint64_t blocks;
};

static void stat_tree_add(struct stat_tree *tree, double sum)
{
    for (uint64_t carry = tree->blocks++; carry & 1; carry >>= 1)
        sum = tree->partial[--tree->depth] + sum;
    tree->partial[tree->depth++] = sum;
}

static double stat_tree_total(struct stat_tree *tree)
{
    double total = tree->depth ? tree->partial[--tree->depth] : 0;
    while (tree->depth) total = tree->partial[--tree->depth] + total;
    return mill_one_nan(total);
}

double mill_sum(const double *x, int64_t n, double shift)
{
    const struct mill_kernel_bodies *bodies = mill_kernel_bodies();
    struct stat_tree tree = {.depth = 0};
    for (int64_t i = 0; i < n; i += MILL_SUM_BLOCK)
        stat_tree_add(&tree,
                      bodies->sum_block(x + i, mill_least(MILL_SUM_BLOCK, n - i), shift));
    return stat_tree_total(&tree);
}

double mill_square_sum(const double *x, int64_t n, double shift, double mean)
{
    const struct mill_kernel_bodies *bodies = mill_kernel_bodies();
    struct stat_tree tree = {.depth = 0};
    for (int64_t i = 0; i < n; i += MILL_SUM_BLOCK) {
        int64_t count = mill_least(MILL_SUM_BLOCK, n - i);
        stat_tree_add(&tree, bodies->square_block(x + i, count, shift, mean));
    }
    return stat_tree_total(&tree);
}

/* ---- kernels --------------------------------------------------------------------------- */

double tidemill_kernel_sum(const double *x, int64_t n)
{
    return mill_sum(x, n, 0);
}

double tidemill_kernel_mean(const double *x, int64_t n)
{
    return mill_one_nan(mill_sum(x, n, 0) / (double)n);
}

double tidemill_kernel_variance(const double *x, int64_t n, int64_t ddof)
{
    if (n <= ddof || n < 1) return NAN;
    double mean = mill_sum(x, n, x[0]) / (double)n;
    double squares = mill_squares(mill_square_sum(x, n, x[0], mean), x, n);
    return mill_one_nan(squares / (double)(n - ddof));
}

double tidemill_kernel_max_drawdown(const double *close, int64_t n)
{
    double peak = -INFINITY, worst = 0;
    for (int64_t t = 0; t < n; t++) {
        if (close[t] > peak) peak = close[t];
        double drawdown = close[t] / peak - 1;
        if (drawdown < worst) worst = drawdown;
    }
    return worst;
}

int64_t tidemill_kernel_count_moves(const double *returns, int64_t n, double limit)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += fabs(returns[i]) > limit;
    return count;
}
