/* merge: ascending runs into one, or into any part of it.
 * Where a part begins and ends in each run is found by halving the space of keys.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/order_bodies.h"

/* ---- Cuts ------------------------------------------------------------------------------- */

/* How many values of a run have a key below this one, or up to it. */
static int64_t merge_count(enum mill_kind kind, const void *x, int64_t n, uint64_t key,
                           int with_equal)
{
    int64_t low = 0;
    while (low < n) {
        int64_t middle = low + (n - low) / 2;
        uint64_t here = mill_key(kind, x, middle);
        if (here < key || (with_equal && here == key))
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

struct merge_runs {
    enum mill_kind kind;
    int64_t runs;
    const void *const *parts;
    const int64_t *lengths;
};

static int64_t merge_count_all(const struct merge_runs *all, uint64_t key)
{
    int64_t count = 0;
    for (int64_t p = 0; p < all->runs; p++)
        count += merge_count(all->kind, all->parts[p], all->lengths[p], key, 1);
    return count;
}

/* The key of value number `rank`, from 1, of the merge. */
static uint64_t merge_key_at(const struct merge_runs *all, int64_t rank)
{
    uint64_t low = 0, high = UINT64_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (merge_count_all(all, middle) < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void merge_cut(const struct merge_runs *all, int64_t rank, int64_t *cuts)
{
    uint64_t key = rank > 0 ? merge_key_at(all, rank) : 0;
    for (int64_t p = 0; p < all->runs; p++) {
        cuts[p] = rank > 0 ? merge_count(all->kind, all->parts[p], all->lengths[p], key, 0) : 0;
    }
    for (int64_t p = 0; p < all->runs; p++) rank -= cuts[p];
    for (int64_t p = 0; p < all->runs && rank > 0; p++) {
        int64_t end = merge_count(all->kind, all->parts[p], all->lengths[p], key, 1);
        int64_t taken = mill_least(rank, end - cuts[p]);
        cuts[p] += taken;
        rank -= taken;
    }
}

/* ---- Two runs --------------------------------------------------------------------------- */

/* NaNs of `a` are left for the end, so that comparing tells which of two values is first: it is
 * the one of b only when it is less.  The merge grows from both ends at once, as one end alone
 * waits for each comparison; of the shorter run a step takes two values at most. */
#define MERGE_TWO(kind, type)                                                                  \
    static void merge_two_##kind(const void *va, int64_t na, const void *vb, int64_t nb,       \
                                 void *vout)                                                   \
    {                                                                                          \
        const type *a = va, *b = vb;                                                           \
        type *out = vout, *end = out + na + nb, *last = end;                                   \
        while (na > 0 && a[na - 1] != a[na - 1]) *--end = a[--na];                             \
        const type *a_end = a + na, *b_end = b + nb;                                           \
        for (int64_t steps = 1; (steps = mill_least(a_end - a, b_end - b) / 2) > 0;) {         \
            for (int64_t s = 0; s < steps; s++) {                                              \
                type a_low = *a, b_low = *b, a_high = a_end[-1], b_high = b_end[-1];           \
                int is_b = b_low < a_low, is_a = b_high < a_high;                              \
                *out++ = is_b ? b_low : a_low;                                                 \
                *--end = is_a ? a_high : b_high;                                               \
                b += is_b;                                                                     \
                a += 1 - is_b;                                                                 \
                a_end -= is_a;                                                                 \
                b_end -= 1 - is_a;                                                             \
            }                                                                                  \
        }                                                                                      \
        while (a < a_end && b < b_end) *out++ = *b < *a ? *b++ : *a++;                         \
        memcpy(out, a, (size_t)(a_end - a) * sizeof *out);                                     \
        memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *out);                       \
        for (; last > (type *)vout && last[-1] != last[-1]; last--)                            \
            last[-1] = (type)((type)0.5 != 0 ? NAN : 0); /* the one NaN */                     \
    }
MERGE_TWO(f64, double)
MERGE_TWO(f32, float)
MERGE_TWO(i64, int64_t)
MERGE_TWO(i32, int32_t)
MERGE_TWO(u8, uint8_t)

static void merge_two(enum mill_kind kind, const void *a, int64_t na, const void *b, int64_t nb,
                      void *out)
{
    switch (kind) {
    case MILL_KIND_F64:
        merge_two_f64(a, na, b, nb, out);
        break;
    case MILL_KIND_F32:
        merge_two_f32(a, na, b, nb, out);
        break;
    case MILL_KIND_I64:
        merge_two_i64(a, na, b, nb, out);
        break;
    case MILL_KIND_I32:
        merge_two_i32(a, na, b, nb, out);
        break;
    default:
        merge_two_u8(a, na, b, nb, out);
        break;
    }
}

/* ---- All of them ------------------------------------------------------------------------ */

static const void *merge_place(const struct merge_runs *all, int64_t run, int64_t at)
{
    return (const char *)all->parts[run] + at * mill_kind_size(all->kind);
}

/* Values low[p]..high[p]-1 of runs first..end-1 into out, by way of other; how many is returned.
 * A half goes to the buffer from which both are merged. */
static int64_t merge_tree(const struct merge_runs *all, int64_t first, int64_t end,
                          const int64_t *low, const int64_t *high, char *out, char *other)
{
    int64_t size = mill_kind_size(all->kind);
    if (end - first == 1) {
        int64_t n = high[first] - low[first];
        merge_two(all->kind, merge_place(all, first, low[first]), n, out, 0, out);
        return n;
    }
    if (end - first == 2) {
        int64_t na = high[first] - low[first], nb = high[first + 1] - low[first + 1];
        merge_two(all->kind, merge_place(all, first, low[first]), na,
                  merge_place(all, first + 1, low[first + 1]), nb, out);
        return na + nb;
    }
    int64_t middle = first + (end - first) / 2;
    int64_t na = merge_tree(all, first, middle, low, high, other, out);
    int64_t nb = merge_tree(all, middle, end, low, high, other + na * size, out + na * size);
    merge_two(all->kind, other, na, other + na * size, nb, out);
    return na + nb;
}

static int merge_is_fine(int64_t type, int64_t runs, const int64_t *lengths, int64_t from,
                         int64_t to)
{
    int64_t total = 0;
    if (mill_kind_of(type) == MILL_KINDS || runs < 0) return 0;
    for (int64_t p = 0; p < runs; p++) total += lengths[p];
    return 0 <= from && from <= to && to <= total;
}

int64_t tidemill_kernel_merge_cut(int64_t type, int64_t runs, const void *const *parts,
                                  const int64_t *lengths, int64_t rank, int64_t *cuts)
{
    if (!merge_is_fine(type, runs, lengths, rank, rank)) return -1;
    struct merge_runs all = {mill_kind_of(type), runs, parts, lengths};
    merge_cut(&all, rank, cuts);
    return 0;
}

int64_t tidemill_kernel_merge(int64_t type, int64_t runs, const void *const *parts,
                              const int64_t *lengths, int64_t from, int64_t to, int64_t *cuts,
                              void *scratch, void *out)
{
    if (!merge_is_fine(type, runs, lengths, from, to)) return -1;
    if (from == to) return 0;
    struct merge_runs all = {mill_kind_of(type), runs, parts, lengths};
    merge_cut(&all, from, cuts);
    merge_cut(&all, to, cuts + runs);
    merge_tree(&all, 0, runs, cuts, cuts + runs, out, scratch);
    return 0;
}
