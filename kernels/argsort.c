/* argsort: positions of values in order.
 * A value's key and its position are packed into one word, so that sorting moves words alone and
 * equal keys stay in their order.  Where the key does not fit beside the position its lowest
 * digits are left out, and runs of words that agree in the rest are looked at once more.
 * SPDX-License-Identifier: MIT */
#include "kernels/order_bodies.h"

enum { ARGSORT_BITS = 62 }; /* of a packed word; see mill_sort_words */

struct argsort {
    enum mill_kind kind;
    const void *x;
    uint64_t flip; /* all ones for a descending order */
    int bits;      /* of a position, the lowest of a word */
    uint64_t mask; /* for them */
};

/* What the keys of some words are like. */
struct argsort_keys {
    uint64_t least, most, differ; /* differ: digits that are not the same in all */
    int ascend;
};

/* ---- Keys ------------------------------------------------------------------------------- */

#define ARGSORT_INLINE static inline __attribute__((always_inline))

/* Positions of numbers to the front of words, with their keys; those of NaNs, which are last of
 * all, to the end. */
ARGSORT_INLINE int64_t argsort_begin_kind(const struct argsort *sort, enum mill_kind kind,
                                          int64_t n, uint64_t *words, uint64_t *keys)
{
    int64_t count = 0, missing = n;
    for (int64_t i = 0; i < n; i++) {
        uint64_t key = mill_key(kind, sort->x, i);
        if (mill_kind_floats(kind) && key == UINT64_MAX) {
            words[--missing] = (uint64_t)i;
            continue;
        }
        words[count] = (uint64_t)i;
        keys[count++] = key ^ sort->flip;
    }
    return count;
}

static int64_t argsort_begin(const struct argsort *sort, int64_t n, uint64_t *words,
                             uint64_t *keys)
{
    switch (sort->kind) {
    case MILL_KIND_F64:
        return argsort_begin_kind(sort, MILL_KIND_F64, n, words, keys);
    case MILL_KIND_F32:
        return argsort_begin_kind(sort, MILL_KIND_F32, n, words, keys);
    case MILL_KIND_I64:
        return argsort_begin_kind(sort, MILL_KIND_I64, n, words, keys);
    case MILL_KIND_I32:
        return argsort_begin_kind(sort, MILL_KIND_I32, n, words, keys);
    default:
        return argsort_begin_kind(sort, MILL_KIND_U8, n, words, keys);
    }
}

static void argsort_reverse(uint64_t *words, int64_t n)
{
    for (int64_t i = 0, j = n - 1; i < j; i++, j--) {
        uint64_t kept = words[i];
        words[i] = words[j];
        words[j] = kept;
    }
}

static struct argsort_keys argsort_look(const uint64_t *keys, int64_t n)
{
    struct argsort_keys look = {.least = keys[0], .most = keys[0], .ascend = 1};
    uint64_t before = keys[0], differ = 0;
    int ascend = 1;
    for (int64_t i = 1; i < n; i++) {
        ascend &= keys[i] >= before;
        before = keys[i];
        look.least = before < look.least ? before : look.least;
        look.most = before > look.most ? before : look.most;
        differ |= before ^ keys[0];
    }
    look.differ = differ;
    look.ascend = ascend;
    return look;
}

/* ---- Sorting ---------------------------------------------------------------------------- */

static void argsort_words(const struct argsort *sort, uint64_t *words, uint64_t *keys,
                          int64_t n);

/* Words that agree above their positions are sorted by what was left out of their keys. */
static void argsort_runs(const struct argsort *sort, uint64_t *words, uint64_t *scratch,
                         int64_t n)
{
    int64_t first = 0;
    for (int64_t i = 1; i <= n; i++) {
        if (i < n && words[i] >> sort->bits == words[first] >> sort->bits) continue;
        if (i - first > 1) {
            for (int64_t j = first; j < i; j++)
                scratch[j] = mill_key(sort->kind, sort->x, (int64_t)(words[j] & sort->mask)) ^
                             sort->flip;
            argsort_words(sort, words + first, scratch + first, i - first);
        }
        first = i;
    }
}

/* Sorts words, of which only the positions count, by their keys; these are lost. */
static void argsort_words(const struct argsort *sort, uint64_t *words, uint64_t *keys,
                          int64_t n)
{
    if (n < 2) return;
    struct argsort_keys look = argsort_look(keys, n);
    if (look.ascend) return;
    int unused = __builtin_ctzll(look.differ);
    /* Digits below the lowest that differs are alike in all, so that a difference of keys has
     * none there. */
    int digits = mill_bits_of((look.most - look.least) >> unused);
    int room = ARGSORT_BITS - sort->bits, left_out = digits > room ? digits - room : 0;
    int shift = unused + left_out;
    for (int64_t i = 0; i < n; i++)
        words[i] = (keys[i] - look.least) >> shift << sort->bits | (words[i] & sort->mask);
    uint64_t *sorted =
        mill_sort_words(words, keys, n, sort->bits, sort->bits + digits - left_out);
    if (sorted != words) memcpy(words, sorted, (size_t)n * sizeof *words);
    if (left_out) argsort_runs(sort, words, keys, n);
}

int64_t mill_argsort(enum mill_kind kind, const void *x, int64_t n, int64_t descending,
                     uint64_t *words, uint64_t *scratch)
{
    if (n == 0) return 0;
    struct argsort sort = {.kind = kind,
                           .x = x,
                           .flip = descending ? UINT64_MAX : 0,
                           .bits = mill_bits_of((uint64_t)n - 1)};
    sort.mask = ((uint64_t)1 << sort.bits) - 1;
    int64_t count = argsort_begin(&sort, n, words, scratch);
    argsort_reverse(words + count, n - count);
    argsort_words(&sort, words, scratch, count);
    for (int64_t i = 0; i < n; i++) words[i] &= sort.mask;
    return count;
}

/* ---- The kernel -------------------------------------------------------------------------- */

int mill_positions_fit(int64_t n, int64_t width, int64_t base)
{
    if (n < 0 || (width != 4 && width != 8)) return 0;
    int64_t most = width == 4 ? INT32_MAX : INT64_MAX;
    return base >= -most && base <= most && n <= most - mill_most(base, 0);
}

int64_t tidemill_kernel_argsort(int64_t type, const void *x, int64_t rows, int64_t n,
                                int64_t descending, int64_t width, int64_t base,
                                int64_t *scratch, void *index)
{
    enum mill_kind kind = mill_kind_of(type);
    if (kind == MILL_KINDS || !mill_positions_fit(n, width, base)) return -1;
    uint64_t *words = (uint64_t *)scratch;
    for (int64_t r = 0; r < rows; r++) {
        const char *row = (const char *)x + r * n * mill_kind_size(kind);
        mill_argsort(kind, row, n, descending, words, words + n);
        if (width == 4)
            for (int64_t i = 0; i < n; i++)
                ((int32_t *)index)[r * n + i] = (int32_t)((int64_t)words[i] + base);
        else
            for (int64_t i = 0; i < n; i++)
                ((int64_t *)index)[r * n + i] = (int64_t)words[i] + base;
    }
    return 0;
}
