/* split: values into buckets between splitters, for sorting with several workers: each splits a
 * chunk, then each sorts a bucket.
 * SPDX-License-Identifier: MIT */
#include "kernels/order_bodies.h"

/* Which values are drawn depends on the length alone: one from each of m equal stretches. */
int64_t tidemill_kernel_sample(int64_t type, const void *x, int64_t n, int64_t m, void *out)
{
    enum mill_kind kind = mill_kind_of(type);
    if (kind == MILL_KINDS || m < 0 || (n < 1 && m > 0)) return -1;
    int64_t size = mill_kind_size(kind);
    uint64_t jump = (uint64_t)n;
    for (int64_t i = 0; i < m; i++) {
        int64_t first = (int64_t)((double)i / (double)m * (double)n);
        int64_t end = (int64_t)((double)(i + 1) / (double)m * (double)n);
        jump = jump * 6364136223846793005u + 1442695040888963407u;
        int64_t at = first + (int64_t)((jump >> 33) % (uint64_t)mill_most(1, end - first));
        memcpy((char *)out + i * size, (const char *)x + mill_least(at, n - 1) * size,
               (size_t)size);
    }
    return 0;
}

/* The bucket of a value: how many splitters are not above it, a NaN counting as the largest of
 * all.  Every value takes the same steps.  One splitter has loops of its own, whose counts and ends
 * stay in registers. */
#define SPLIT_BUCKET(kind, type)                                                               \
    static inline int64_t split_bucket_##kind(type value, const type *splitters, int64_t ns)   \
    {                                                                                          \
        const type *at = splitters;                                                            \
        while (ns > 1) {                                                                       \
            int64_t half = ns / 2;                                                             \
            at += half & -(int64_t) !(value < at[half - 1]);                                   \
            ns -= half;                                                                        \
        }                                                                                      \
        return at - splitters + (ns > 0 && !(value < *at));                                    \
    }                                                                                          \
    static void split_count_##kind(const void *values, int64_t n, const void *splitters,       \
                                   int64_t ns, int64_t *counts)                                \
    {                                                                                          \
        const type *x = values;                                                                \
        if (ns == 1) {                                                                         \
            int64_t above = 0;                                                                 \
            type splitter = *(const type *)splitters;                                          \
            for (int64_t i = 0; i < n; i++) above += !(x[i] < splitter);                       \
            counts[0] = n - above;                                                             \
            counts[1] = above;                                                                 \
            return;                                                                            \
        }                                                                                      \
        for (int64_t i = 0; i < n; i++) counts[split_bucket_##kind(x[i], splitters, ns)]++;    \
    }                                                                                          \
    static void split_in_two_##kind(const type *x, int64_t n, type splitter, void **outs)      \
    {                                                                                          \
        type *low = outs[0], *high = outs[1];                                                  \
        for (int64_t i = 0; i < n; i++) {                                                      \
            int above = !(x[i] < splitter);                                                    \
            uintptr_t to_low = (uintptr_t)low, other = to_low ^ (uintptr_t)high;               \
            *(type *)(to_low ^ (other & -(uintptr_t)above)) = x[i]; /* no branch to guess */   \
            high += above;                                                                     \
            low += !above;                                                                     \
        }                                                                                      \
        outs[0] = low;                                                                         \
        outs[1] = high;                                                                        \
    }                                                                                          \
    static void split_move_##kind(const void *values, int64_t n, const void *splitters,        \
                                  int64_t ns, void **outs)                                     \
    {                                                                                          \
        const type *x = values;                                                                \
        if (ns == 1) {                                                                         \
            split_in_two_##kind(x, n, *(const type *)splitters, outs);                         \
            return;                                                                            \
        }                                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                      \
            int64_t bucket = split_bucket_##kind(x[i], splitters, ns);                         \
            type *out = outs[bucket];                                                          \
            *out = x[i];                                                                       \
            outs[bucket] = out + 1;                                                            \
        }                                                                                      \
    }
SPLIT_BUCKET(f64, double)
SPLIT_BUCKET(f32, float)
SPLIT_BUCKET(i64, int64_t)
SPLIT_BUCKET(i32, int32_t)
SPLIT_BUCKET(u8, uint8_t)

int64_t tidemill_kernel_split_count(int64_t type, const void *x, int64_t n,
                                    const void *splitters, int64_t ns, int64_t *counts)
{
    if (n < 0 || ns < 0 || mill_kind_of(type) == MILL_KINDS) return -1;
    for (int64_t b = 0; b <= ns; b++) counts[b] = 0;
    switch (mill_kind_of(type)) {
    case MILL_KIND_F64:
        split_count_f64(x, n, splitters, ns, counts);
        break;
    case MILL_KIND_F32:
        split_count_f32(x, n, splitters, ns, counts);
        break;
    case MILL_KIND_I64:
        split_count_i64(x, n, splitters, ns, counts);
        break;
    case MILL_KIND_I32:
        split_count_i32(x, n, splitters, ns, counts);
        break;
    default:
        split_count_u8(x, n, splitters, ns, counts);
        break;
    }
    return 0;
}

int64_t tidemill_kernel_split(int64_t type, const void *x, int64_t n, const void *splitters,
                              int64_t ns, void **outs)
{
    if (n < 0 || ns < 0) return -1;
    switch (mill_kind_of(type)) {
    case MILL_KIND_F64:
        split_move_f64(x, n, splitters, ns, outs);
        return 0;
    case MILL_KIND_F32:
        split_move_f32(x, n, splitters, ns, outs);
        return 0;
    case MILL_KIND_I64:
        split_move_i64(x, n, splitters, ns, outs);
        return 0;
    case MILL_KIND_I32:
        split_move_i32(x, n, splitters, ns, outs);
        return 0;
    case MILL_KIND_U8:
        split_move_u8(x, n, splitters, ns, outs);
        return 0;
    default:
        return -1;
    }
}
