/* rolling_rank: quantiles of windows too large to be kept sorted.
 * The values of a block of windows are sorted once; a window then is a set of their ranks, one
 * bit each, and a finger follows the rank that is asked for: it moves by about one member when
 * one value leaves and another comes.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/rolling_quantile_bodies.h"

/* Values [first, first + count) of a column. */
struct rank_block {
    int64_t first, count;
    double *sorted;   /* those that are there, by rank */
    int64_t *rank;    /* of each value, -1 where it is missing */
    uint64_t *member; /* a bit a rank: is in the window */
    int64_t members;
    int64_t finger, below; /* a rank, and the members of lower rank */
};

/* ---- sorting --------------------------------------------------------------------------- */

/* Merges neighbouring runs of places, `run` long, ordered by their values. */
static void rank_merge(const double *value, const int64_t *from, int64_t *to, int64_t count,
                       int64_t run)
{
    for (int64_t start = 0; start < count; start += 2 * run) {
        int64_t i = start, middle = mill_least(count, start + run);
        int64_t j = middle, end = mill_least(count, start + 2 * run);
        for (int64_t k = start; k < end; k++) {
            int takes_left = j >= end || (i < middle && value[from[i]] <= value[from[j]]);
            to[k] = takes_left ? from[i++] : from[j++];
        }
    }
}

/* scratch: 2 count places. */
static void rank_sort(struct rank_block *block, const double *x, int64_t unit, int64_t *scratch)
{
    int64_t *order = scratch, *other = scratch + block->count, there = 0;
    double *value = (double *)(void *)block->rank; /* until the ranks are known */
    for (int64_t i = 0; i < block->count; i++) {
        value[i] = x[(block->first + i) * unit] + 0.0; /* -0 becomes +0 */
        if (isfinite(value[i])) order[there++] = i;
    }
    for (int64_t run = 1; run < there; run *= 2) {
        rank_merge(value, order, other, there, run);
        int64_t *merged = other;
        other = order;
        order = merged;
    }
    for (int64_t r = 0; r < there; r++) block->sorted[r] = value[order[r]];
    for (int64_t i = 0; i < block->count; i++) block->rank[i] = -1;
    for (int64_t r = 0; r < there; r++) block->rank[order[r]] = r;
}

/* ---- sets of ranks --------------------------------------------------------------------- */

/* Value number `t` of the column joins or leaves. */
static void rank_change(struct rank_block *block, int64_t t, int joins)
{
    int64_t rank = block->rank[t - block->first];
    if (rank < 0) return;
    int by = joins ? 1 : -1;
    block->member[rank / 64] ^= (uint64_t)1 << rank % 64;
    block->members += by;
    if (rank < block->finger) block->below += by;
}

/* The nearest member from `rank` up, or below it; there is one. */
static int64_t rank_next(const struct rank_block *block, int64_t rank)
{
    int64_t word = rank / 64;
    uint64_t bits = block->member[word] >> rank % 64 << rank % 64;
    while (!bits) bits = block->member[++word];
    return word * 64 + __builtin_ctzll(bits);
}

static int64_t rank_before(const struct rank_block *block, int64_t rank)
{
    int64_t word = rank / 64;
    uint64_t bits = block->member[word] & (((uint64_t)1 << rank % 64) - 1);
    while (!bits) bits = block->member[--word];
    return word * 64 + 63 - __builtin_clzll(bits);
}

/* The rank of member number `k`. */
static int64_t rank_find(struct rank_block *block, int64_t k)
{
    for (; block->below > k; block->below--) block->finger = rank_before(block, block->finger);
    for (; block->below < k; block->below++)
        block->finger = rank_next(block, block->finger) + 1;
    return block->finger = rank_next(block, block->finger);
}

/* ---- a column -------------------------------------------------------------------------- */

static double rank_quantile(struct rank_block *block, double q)
{
    double place = q * (double)(block->members - 1);
    int64_t low = (int64_t)place, rank = rank_find(block, low);
    double below = block->sorted[rank], share = place - (double)low;
    if (share == 0) return below;
    double above = block->sorted[rank_next(block, rank + 1)];
    return mill_quantile_between(below, above, share);
}

/* Windows that end in [from, end). */
static void rank_windows(const struct mill_quantile *call, const double *x, int64_t from,
                         int64_t end, double *out)
{
    int64_t first = mill_most(0, from - call->window + 1), count = end - first;
    struct rank_block block = {.first = first, .count = count, .sorted = call->scratch};
    block.rank = (int64_t *)(void *)(call->scratch + count);
    block.member = (uint64_t *)(void *)(call->scratch + 2 * count);
    rank_sort(&block, x, call->inner, (int64_t *)(void *)(call->scratch + 2 * count));
    for (int64_t i = 0; i <= count / 64; i++) block.member[i] = 0;
    for (int64_t t = first; t < from; t++) rank_change(&block, t, 1);
    for (int64_t t = from; t < end; t++) {
        if (t - call->window >= first) rank_change(&block, t - call->window, 0);
        rank_change(&block, t, 1);
        out[t * call->inner] =
            block.members < call->min_count ? NAN : rank_quantile(&block, call->q);
    }
}

void mill_quantile_ranked(const struct mill_quantile *call, const double *x, double *out)
{
    int64_t rows = mill_least(call->n, call->window); /* of a block: twice as many values */
    for (int64_t from = 0; from < call->n; from += rows)
        rank_windows(call, x, from, mill_least(call->n, from + rows), out);
}
