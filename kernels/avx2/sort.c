/* sort, AVX2: a quicksort of doubles by whole vectors, four at a time.
 * A part is split by moving what is below the pivot to its own front and the rest to the same
 * places of the other buffer, so nothing is copied back: a leaf goes from whichever buffer it is
 * in to the first one.  Leaves are sorted by a network in registers.
 * Which of two equal doubles stands first is not kept: kernels/sort.c sees to the two zeros.
 * SPDX-License-Identifier: MIT */
#include "kernels/order_bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>
#include <math.h>
#include <string.h>

#define SORT_AVX2   __attribute__((target("avx2")))
#define SORT_INLINE SORT_AVX2 static inline __attribute__((always_inline))

enum {
    SORT_LEAF = 128, /* values that the networks sort */
    SORT_SAMPLE =
        1024, /* parts of more values choose the pivot from 64 of them, else from 32 */
};

/* ---- Networks -------------------------------------------------------------------------- */

SORT_INLINE void sort_two(__m256d *low, __m256d *high)
{
    __m256d least = _mm256_min_pd(*low, *high);
    *high = _mm256_max_pd(*low, *high);
    *low = least;
}

SORT_INLINE __m256d sort_reverse(__m256d v)
{
    return _mm256_permute4x64_pd(v, 0x1B);
}

/* Each of the two vectors is bitonic; sorts each. */
SORT_INLINE void sort_inside(__m256d *a, __m256d *b)
{
    __m256d low = _mm256_permute2f128_pd(*a, *b, 0x20);
    __m256d high = _mm256_permute2f128_pd(*a, *b, 0x31);
    sort_two(&low, &high);
    __m256d even = _mm256_unpacklo_pd(low, high), odd = _mm256_unpackhi_pd(low, high);
    sort_two(&even, &odd);
    low = _mm256_unpacklo_pd(even, odd);
    high = _mm256_unpackhi_pd(even, odd);
    *a = _mm256_permute2f128_pd(low, high, 0x20);
    *b = _mm256_permute2f128_pd(low, high, 0x31);
}

/* Two, four and eight vectors that are one bitonic sequence. */
SORT_INLINE void sort_bitonic2(__m256d v[2])
{
    sort_two(v, v + 1);
    sort_inside(v, v + 1);
}

SORT_INLINE void sort_bitonic4(__m256d v[4])
{
    sort_two(v, v + 2);
    sort_two(v + 1, v + 3);
    sort_bitonic2(v);
    sort_bitonic2(v + 2);
}

SORT_INLINE void sort_bitonic8(__m256d v[8])
{
    sort_two(v, v + 4);
    sort_two(v + 1, v + 5);
    sort_two(v + 2, v + 6);
    sort_two(v + 3, v + 7);
    sort_bitonic4(v);
    sort_bitonic4(v + 4);
}

/* Each column of eight, by the network of 19 comparisons. */
SORT_INLINE void sort_columns(__m256d v[8])
{
    sort_two(v + 0, v + 2);
    sort_two(v + 1, v + 3);
    sort_two(v + 4, v + 6);
    sort_two(v + 5, v + 7);
    sort_two(v + 0, v + 4);
    sort_two(v + 1, v + 5);
    sort_two(v + 2, v + 6);
    sort_two(v + 3, v + 7);
    sort_two(v + 0, v + 1);
    sort_two(v + 2, v + 3);
    sort_two(v + 4, v + 5);
    sort_two(v + 6, v + 7);
    sort_two(v + 2, v + 4);
    sort_two(v + 3, v + 5);
    sort_two(v + 1, v + 4);
    sort_two(v + 3, v + 6);
    sort_two(v + 1, v + 2);
    sort_two(v + 3, v + 4);
    sort_two(v + 5, v + 6);
}

SORT_INLINE void sort_transpose(__m256d v[4])
{
    __m256d a = _mm256_unpacklo_pd(v[0], v[1]), b = _mm256_unpackhi_pd(v[0], v[1]);
    __m256d c = _mm256_unpacklo_pd(v[2], v[3]), d = _mm256_unpackhi_pd(v[2], v[3]);
    v[0] = _mm256_permute2f128_pd(a, c, 0x20);
    v[1] = _mm256_permute2f128_pd(b, d, 0x20);
    v[2] = _mm256_permute2f128_pd(a, c, 0x31);
    v[3] = _mm256_permute2f128_pd(b, d, 0x31);
}

/* Four sorted columns of eight become four runs of two vectors, then two of four, then one. */
SORT_INLINE void sort_join_columns(__m256d v[8])
{
    sort_transpose(v);
    sort_transpose(v + 4);
    __m256d a[4] = {v[0], v[4], sort_reverse(v[5]), sort_reverse(v[1])};
    __m256d b[4] = {v[2], v[6], sort_reverse(v[7]), sort_reverse(v[3])};
    sort_bitonic4(a);
    sort_bitonic4(b);
    for (int i = 0; i < 4; i++) {
        v[i] = a[i];
        v[4 + i] = sort_reverse(b[3 - i]);
    }
    sort_bitonic8(v);
}

SORT_INLINE void sort_load(__m256d v[8], const double *x)
{
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) v[i] = _mm256_loadu_pd(x + 4 * i);
}

SORT_INLINE void sort_store(double *x, const __m256d v[8])
{
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) _mm256_storeu_pd(x + 4 * i, v[i]);
}

SORT_AVX2 static void sort_32(double *x)
{
    __m256d v[8];
    sort_load(v, x);
    sort_columns(v);
    sort_join_columns(v);
    sort_store(x, v);
}

/* Merges two runs of `half` values, a multiple of 32: compares the first with the last and so
 * on, which leaves two bitonic halves, each compared with itself at ever smaller distances. */
SORT_AVX2 static void sort_merge(double *x, int64_t half)
{
    for (int64_t i = 0; i < half; i += 4) {
        __m256d low = _mm256_loadu_pd(x + i);
        __m256d high = sort_reverse(_mm256_loadu_pd(x + 2 * half - 4 - i));
        sort_two(&low, &high);
        _mm256_storeu_pd(x + i, low);
        _mm256_storeu_pd(x + 2 * half - 4 - i, sort_reverse(high));
    }
    for (int64_t distance = half / 2; distance >= 32; distance /= 2) {
        for (int64_t start = 0; start < 2 * half; start += 2 * distance) {
            for (int64_t i = start; i < start + distance; i += 4) {
                __m256d low = _mm256_loadu_pd(x + i), high = _mm256_loadu_pd(x + i + distance);
                sort_two(&low, &high);
                _mm256_storeu_pd(x + i, low);
                _mm256_storeu_pd(x + i + distance, high);
            }
        }
    }
    for (int64_t i = 0; i < 2 * half; i += 32) {
        __m256d v[8];
        sort_load(v, x + i);
        sort_bitonic8(v);
        sort_store(x + i, v);
    }
}

/* Up to SORT_LEAF values; from and to may be one. */
SORT_AVX2 static void sort_leaf(const double *from, int64_t n, double *to)
{
    double x[SORT_LEAF];
    int64_t room = 32;
    while (room < n) room *= 2;
    memcpy(x, from, (size_t)n * sizeof *x);
    for (int64_t i = n; i < room; i++) x[i] = INFINITY;
    for (int64_t i = 0; i < room; i += 32) sort_32(x + i);
    for (int64_t half = 32; half < room; half *= 2)
        for (int64_t i = 0; i < room; i += 2 * half) sort_merge(x + i, half);
    memcpy(to, x, (size_t)n * sizeof *x);
}

/* ---- Splitting ------------------------------------------------------------------------- */

/* For each set of lanes: these in front, the others behind, as halves of lanes. */
#define SORT_LANES(a, b, c, d)                                                                 \
    {                                                                                          \
        2 * a, 2 * a + 1, 2 * b, 2 * b + 1, 2 * c, 2 * c + 1, 2 * d, 2 * d + 1                 \
    }
static const int32_t sort_lanes[16][8] = {
    SORT_LANES(0, 1, 2, 3), SORT_LANES(0, 1, 2, 3), SORT_LANES(1, 0, 2, 3),
    SORT_LANES(0, 1, 2, 3), SORT_LANES(2, 0, 1, 3), SORT_LANES(0, 2, 1, 3),
    SORT_LANES(1, 2, 0, 3), SORT_LANES(0, 1, 2, 3), SORT_LANES(3, 0, 1, 2),
    SORT_LANES(0, 3, 1, 2), SORT_LANES(1, 3, 0, 2), SORT_LANES(0, 1, 3, 2),
    SORT_LANES(2, 3, 0, 1), SORT_LANES(0, 2, 3, 1), SORT_LANES(1, 2, 3, 0),
    SORT_LANES(0, 1, 2, 3),
};

/* Splits one vector: its low values go to `low` and up, the others below `high`.  Both stores
 * are whole vectors; what is too much is overwritten later or lies in free places. */
SORT_INLINE int64_t sort_split_vector(__m256d v, __m256d pivot, int with_equal, double *low,
                                      double *high)
{
    __m256d below =
        with_equal ? _mm256_cmp_pd(v, pivot, _CMP_LE_OQ) : _mm256_cmp_pd(v, pivot, _CMP_LT_OQ);
    int lanes = _mm256_movemask_pd(below);
    __m256i order = _mm256_loadu_si256((const __m256i *)sort_lanes[lanes]);
    __m256 parted = _mm256_permutevar8x32_ps(_mm256_castpd_ps(v), order);
    _mm256_storeu_ps((float *)low, parted);
    _mm256_storeu_ps((float *)(high - 4), parted);
    return __builtin_popcount((unsigned)lanes);
}

/* What is below the pivot (or equal to it) goes to `low` and up, which may be x itself; how many
 * is returned.  The rest goes below `high`.  From `low` to `high` there is room for n values,
 * were the two in one buffer.  *unordered becomes 1 when there is a NaN, where it is asked for. */
SORT_INLINE int64_t sort_split(const double *x, int64_t n, double pivot, int with_equal,
                               double *low, double *high, int *unordered)
{
    __m256d wide = _mm256_set1_pd(pivot), strange = _mm256_setzero_pd();
    int64_t i = 0, count = 0;
    for (; i + 16 <= n; i += 16) {
        __m256d a = _mm256_loadu_pd(x + i), b = _mm256_loadu_pd(x + i + 4);
        __m256d c = _mm256_loadu_pd(x + i + 8), d = _mm256_loadu_pd(x + i + 12);
        double *end = high - i;
        if (unordered) {
            __m256d left = _mm256_cmp_pd(a, b, _CMP_UNORD_Q);
            __m256d right = _mm256_cmp_pd(c, d, _CMP_UNORD_Q);
            strange = _mm256_or_pd(strange, _mm256_or_pd(left, right));
        }
        count += sort_split_vector(a, wide, with_equal, low + count, end + count);
        count += sort_split_vector(b, wide, with_equal, low + count, end - 4 + count);
        count += sort_split_vector(c, wide, with_equal, low + count, end - 8 + count);
        count += sort_split_vector(d, wide, with_equal, low + count, end - 12 + count);
    }
    if (unordered) *unordered |= _mm256_movemask_pd(strange) != 0;
    for (; i < n; i++) {
        double value = ((const mill_loose_double *)x)[i];
        int below = with_equal ? value <= pivot : value < pivot;
        if (unordered) *unordered |= value != value;
        *(mill_loose_double *)(high + count - i - 1) = value;
        *(mill_loose_double *)(low + count) = value;
        count += below;
    }
    return count;
}

SORT_AVX2 static int64_t sort_split_below(double *x, double *other, int64_t n, double pivot)
{
    return sort_split(x, n, pivot, 0, x, other + n, NULL);
}

SORT_AVX2 static int64_t sort_split_equal(double *x, double *other, int64_t n, double pivot)
{
    return sort_split(x, n, pivot, 1, x, other + n, NULL);
}

/* The middle of values from all over the input; which ones depends on its length alone. */
SORT_AVX2 static double sort_pivot(const struct mill_sort_input *input)
{
    double sample[64];
    int64_t n = input->n, count = n > SORT_SAMPLE ? 64 : 32, step = n / count;
    int64_t part = 0, before = 0;
    uint64_t jump = (uint64_t)n;
    for (int64_t i = 0; i < count; i++) {
        jump = jump * 6364136223846793005u + 1442695040888963407u;
        int64_t at = i * step + (int64_t)((jump >> 33) % (uint64_t)step);
        while (at - before >= input->lengths[part]) before += input->lengths[part++];
        sample[i] = ((const mill_loose_double *)input->parts[part])[at - before];
    }
    sort_leaf(sample, count, sample);
    return sample[count / 2];
}

/* ---- Quicksort ------------------------------------------------------------------------- */

/* Sorts n values of x; they end in x, or in `other` when `away`.  A part that is still long
 * after `splits` splits goes to the radix sort, whatever its values are. */
SORT_AVX2 static void sort_part(double *x, double *other, int64_t n, int away, int splits)
{
    while (n > SORT_LEAF) {
        if (splits-- == 0) {
            mill_sort_doubles_plain(x, other, n);
            if (away) memcpy(other, x, (size_t)n * sizeof *x);
            return;
        }
        const void *part = x;
        double pivot = sort_pivot(&(struct mill_sort_input){1, &part, &n, n});
        int64_t low = sort_split_below(x, other, n, pivot);
        if (low == 0) { /* the pivot is the least: all that are equal to it are done */
            low = sort_split_equal(other, x, n, pivot);
            if (!away) memcpy(x, other, (size_t)low * sizeof *x);
            x += low;
            other += low;
            n -= low;
            continue;
        }
        sort_part(x, other, low, away, splits);
        double *rest = other + low;
        other = x + low;
        x = rest;
        n -= low;
        away = !away;
    }
    sort_leaf(x, n, away ? other : x);
}

/* Splits in the middle would take a third of these. */
static int sort_splits(int64_t n)
{
    return 3 * mill_bits_of((uint64_t)n);
}

void mill_sort_doubles_avx2(double *x, double *scratch, int64_t n)
{
    sort_part(x, scratch, n, 0, sort_splits(n));
}

void mill_sort_doubles_limited_avx2(double *x, double *scratch, int64_t n, int splits)
{
    sort_part(x, scratch, n, 0, splits);
}

SORT_AVX2 int mill_sort_input_avx2(const struct mill_sort_input *input, double *out,
                                   double *scratch)
{
    if (input->n <= SORT_LEAF) return 0;
    double pivot = sort_pivot(input), *high = scratch + input->n;
    int64_t low = 0;
    int unordered = pivot != pivot;
    for (int64_t p = 0; p < input->runs && !unordered; p++) {
        int64_t length = input->lengths[p];
        int64_t below =
            sort_split(input->parts[p], length, pivot, 0, out + low, high, &unordered);
        low += below;
        high -= length - below;
    }
    if (unordered || low == 0) return 0;
    sort_part(out, scratch, low, 0, sort_splits(input->n));
    sort_part(scratch + low, out + low, input->n - low, 1, sort_splits(input->n));
    return 1;
}
#endif
