/* order: groups of codes, and lookups among sorted keys.
 * Positions are counted from the caller's base.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"
#include "kernels/kernels.h"

int64_t tidemill_kernel_is_sorted_int32(const int32_t *keys, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (keys[i] < keys[i - 1]) return 0;
    return 1;
}

/* ---- groups ---------------------------------------------------------------------------- */

/* offsets[g] is moved from the start of group g to its end while positions are written, and
 * so ends as the start of g + 1: one shift down puts all right. */
int64_t tidemill_kernel_group_codes(const int32_t *codes, int64_t n, int64_t groups,
                                    int32_t base, int32_t *offsets, int32_t *index)
{
    if (n > INT32_MAX - (int64_t)base) return -1;
    for (int64_t g = 0; g <= groups; g++) offsets[g] = 0;
    for (int64_t i = 0; i < n; i++) {
        if (codes[i] >= groups) return -1;
        if (codes[i] >= 0) offsets[codes[i]]++;
    }
    int32_t start = 0;
    for (int64_t g = 0; g <= groups; g++) {
        int32_t count = offsets[g];
        offsets[g] = start;
        start += count;
    }
    for (int64_t i = 0; i < n; i++)
        if (codes[i] >= 0) index[offsets[codes[i]]++] = (int32_t)i + base;
    for (int64_t g = groups; g > 0; g--) offsets[g] = offsets[g - 1] + base;
    offsets[0] = base;
    return start;
}

/* ---- sorted keys ----------------------------------------------------------------------- */

int64_t tidemill_kernel_intersect_int32(const int32_t *a, int64_t na, const int32_t *b,
                                        int64_t nb, int32_t *out)
{
    int64_t count = 0;
    for (int64_t i = 0, j = 0; i < na && j < nb;) {
        int32_t x = a[i], y = b[j];
        if (x == y && (count == 0 || out[count - 1] != x)) out[count++] = x;
        i += x <= y;
        j += y <= x;
    }
    return count;
}

/* The first place in [from, n) whose key is not below `wanted`: strides that double from
 * where the last search ended, then halving, so that close neighbours cost little. */
static int64_t order_seek(const int32_t *keys, int64_t from, int64_t n, int32_t wanted)
{
    int64_t low = from, stride = 1; /* every place before low is below wanted */
    while (stride <= n - low && keys[low + stride - 1] < wanted) {
        low += stride;
        stride *= 2;
    }
    int64_t high = mill_least(n, low + stride - 1); /* the answer is in [low, high] */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (keys[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t tidemill_kernel_locate_int32(const int32_t *keys, int64_t n, const int32_t *wanted,
                                     int64_t m, int32_t base, int32_t *out)
{
    int64_t place = 0, found = 0;
    for (int64_t i = 0; i < m; i++) {
        int ascends = i == 0 || wanted[i - 1] <= wanted[i];
        place = order_seek(keys, ascends ? place : 0, n, wanted[i]);
        int hit = place < n && keys[place] == wanted[i];
        out[i] = hit ? (int32_t)place + base : -1;
        found += hit;
    }
    return found;
}
