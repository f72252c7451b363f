/* topk: the greatest or least few of a series, on a heap whose root is the worst of them.
 * The least few are the greatest of the negated values.
 * SPDX-License-Identifier: MIT */
#include "kernels/topk.h"

#include <math.h>

#include "kernels/reduce_bodies.h"

struct topk {
    double *values; /* negated when the least are wanted */
    int64_t *positions;
    int64_t count, most;
};

/* Whether entry a goes before entry b is given up. */
static int topk_is_worse(const struct topk *t, int64_t a, int64_t b)
{
    return t->values[a] < t->values[b] ||
           (t->values[a] == t->values[b] && t->positions[a] > t->positions[b]);
}

static void topk_swap(struct topk *t, int64_t a, int64_t b)
{
    double value = t->values[a];
    int64_t position = t->positions[a];
    t->values[a] = t->values[b];
    t->positions[a] = t->positions[b];
    t->values[b] = value;
    t->positions[b] = position;
}

static void topk_sink(struct topk *t, int64_t at, int64_t count)
{
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && topk_is_worse(t, child + 1, child)) child++;
        if (!topk_is_worse(t, child, at)) break;
        topk_swap(t, at, child);
    }
}

static void topk_rise(struct topk *t, int64_t at)
{
    for (; at > 0 && topk_is_worse(t, at, (at - 1) / 2); at = (at - 1) / 2)
        topk_swap(t, at, (at - 1) / 2);
}

/* Positions ascend from one offer to the next, so an equal value never displaces one. */
static void topk_offer(struct topk *t, double value, int64_t position)
{
    if (value != value || (t->count == t->most && !(value > t->values[0]))) return;
    int64_t at = t->count < t->most ? t->count++ : 0;
    t->values[at] = value;
    t->positions[at] = position;
    if (at)
        topk_rise(t, at);
    else
        topk_sink(t, 0, t->count);
}

/* Blocks in which nothing is good enough are passed over whole. */
static int topk_is_hopeless(const struct topk *t, const double *x, int64_t count, double sign)
{
    const struct mill_reduce_bodies *bodies = mill_reduce_bodies();
    if (t->count < t->most) return 0;
    double best = sign > 0 ? bodies->greatest(x, count) : -bodies->least(x, count);
    return best <= t->values[0];
}

static void topk_read(struct topk *t, const double *x, int64_t n, int64_t base, double sign)
{
    for (int64_t i = 0; i < n; i += MILL_SUM_BLOCK) {
        int64_t end = mill_least(n, i + MILL_SUM_BLOCK);
        if (topk_is_hopeless(t, x + i, end - i, sign)) continue;
        for (int64_t j = i; j < end; j++) topk_offer(t, sign * x[j], base + j);
    }
}

int64_t tidemill_kernel_topk(const double *x, int64_t n, int64_t k, int64_t base, int64_t held,
                             double *values, int64_t *positions)
{
    double sign = k < 0 ? -1 : 1;
    if (k == INT64_MIN || n < 0 || held < 0 || held > (k < 0 ? -k : k)) return -1;
    struct topk t = {values, positions, held, k < 0 ? -k : k};
    if (k == 0) return 0;
    for (int64_t i = 0; i < held; i++) values[i] *= sign;
    for (int64_t i = held / 2 - 1; i >= 0; i--) topk_sink(&t, i, held);
    topk_read(&t, x, n, base, sign);
    for (int64_t end = t.count - 1; end > 0; end--) {
        topk_swap(&t, 0, end);
        topk_sink(&t, 0, end);
    }
    for (int64_t i = 0; i < t.count; i++) values[i] *= sign;
    return t.count;
}
