/* sort: values in order, row by row.
 * What is in order already, or in the opposite one, is seen before any sorting.  Which of two
 * equal values stands first shows in zeros alone: they are put back at the end.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/order_bodies.h"

/* ---- Cores: n values that are no NaN, ascending ------------------------------------------ */

static void sort_core_f64(double *x, double *scratch, int64_t n)
{
    mill_sort_doubles *wide = mill_sort_doubles_wide();
    (wide ? wide : mill_sort_doubles_plain)(x, scratch, n);
}

/* The order of floats as that of unsigned words, and back. */
static void sort_core_f32(float *x, float *scratch, int64_t n)
{
    mill_word32 *words = (mill_word32 *)x;
    for (int64_t i = 0; i < n; i++) words[i] ^= (uint32_t)((int32_t)words[i] >> 31) | 1u << 31;
    mill_word32 *sorted = mill_radix32(words, (mill_word32 *)scratch, n, 0, 32);
    for (int64_t i = 0; i < n; i++) words[i] = sorted[i] ^ (((sorted[i] >> 31) - 1) | 1u << 31);
}

/* Integers are sorted less the least of them, so that few digits are left. */
static void sort_core_i32(int32_t *x, int32_t *scratch, int64_t n)
{
    mill_word32 *words = (mill_word32 *)x;
    int32_t least = x[0], most = x[0];
    for (int64_t i = 1; i < n; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    for (int64_t i = 0; i < n; i++) words[i] -= (uint32_t)least;
    int bits = mill_bits_of((uint32_t)most - (uint32_t)least);
    mill_word32 *sorted = mill_radix32(words, (mill_word32 *)scratch, n, 0, bits);
    for (int64_t i = 0; i < n; i++) words[i] = sorted[i] + (uint32_t)least;
}

static void sort_core_i64(int64_t *x, int64_t *scratch, int64_t n)
{
    mill_word64 *words = (mill_word64 *)x;
    int64_t least = x[0], most = x[0];
    for (int64_t i = 1; i < n; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    for (int64_t i = 0; i < n; i++) words[i] -= (uint64_t)least;
    int bits = mill_bits_of((uint64_t)most - (uint64_t)least);
    mill_word64 *sorted = mill_sort_words(words, (mill_word64 *)scratch, n, 0, bits);
    for (int64_t i = 0; i < n; i++) words[i] = sorted[i] + (uint64_t)least;
}

static void sort_core_u8(uint8_t *x, uint8_t *scratch, int64_t n)
{
    int64_t count[256] = {0};
    (void)scratch;
    for (int64_t i = 0; i < n; i++) count[x[i]]++;
    for (int value = 0; value < 256; value++) {
        memset(x, value, (size_t)count[value]);
        x += count[value];
    }
}

/* ---- Which need no sorting ---------------------------------------------------------------- */

#define SORT_RUNS(kind, type)                                                                  \
    static int sort_ascends_##kind(const type *x, int64_t n)                                   \
    {                                                                                          \
        int64_t i = 1;                                                                         \
        while (i < n && x[i - 1] <= x[i]) i++;                                                 \
        return i >= n;                                                                         \
    }                                                                                          \
    static int sort_descends_##kind(const type *x, int64_t n)                                  \
    {                                                                                          \
        int64_t i = 1;                                                                         \
        while (i < n && x[i - 1] >= x[i]) i++;                                                 \
        return i >= n;                                                                         \
    }                                                                                          \
    static void sort_reverse_##kind(type *x, int64_t n)                                        \
    {                                                                                          \
        for (int64_t i = 0, j = n - 1; i < j; i++, j--) {                                      \
            type kept = x[i];                                                                  \
            x[i] = x[j];                                                                       \
            x[j] = kept;                                                                       \
        }                                                                                      \
    }
SORT_RUNS(f64, double)
SORT_RUNS(f32, float)
SORT_RUNS(i64, int64_t)
SORT_RUNS(i32, int32_t)
SORT_RUNS(u8, uint8_t)

/* Straight from the input, where there is a body for it; returns whether that was so.  The looks
 * end at the first pair that is out of order. */
static int sort_straight(const struct mill_sort_input *input, double *out, double *scratch)
{
    mill_sort_input *wide = mill_sort_input_wide();
    int sorted = 1, reversed = 1;
    for (int64_t p = 0; p < input->runs; p++) {
        sorted = sorted && sort_ascends_f64(input->parts[p], input->lengths[p]);
        reversed = reversed && sort_descends_f64(input->parts[p], input->lengths[p]);
    }
    return wide && !sorted && !reversed && wide(input, out, scratch);
}

/* ---- All values of a kind ----------------------------------------------------------------- */

/* numbers: copies what is no NaN and says how many that are.  zeros: those of out, which stand
 * together, take the signs and the order of those of x. */
#define SORT_FLOATS(kind, type)                                                                \
    static int64_t sort_numbers_##kind(const struct mill_sort_input *input, type *out)         \
    {                                                                                          \
        int64_t count = 0;                                                                     \
        for (int64_t p = 0; p < input->runs; p++) {                                            \
            const type *x = input->parts[p];                                                   \
            for (int64_t i = 0; i < input->lengths[p]; i++) {                                  \
                out[count] = x[i];                                                             \
                count += x[i] == x[i];                                                         \
            }                                                                                  \
        }                                                                                      \
        return count;                                                                          \
    }                                                                                          \
    static int64_t sort_first_zero_##kind(const type *x, int64_t n, int64_t descending)        \
    {                                                                                          \
        int64_t first = 0;                                                                     \
        while (first < n) {                                                                    \
            int64_t middle = first + (n - first) / 2;                                          \
            if (descending ? x[middle] > 0 : x[middle] < 0)                                    \
                first = middle + 1;                                                            \
            else                                                                               \
                n = middle;                                                                    \
        }                                                                                      \
        return first;                                                                          \
    }                                                                                          \
    static void sort_zeros_##kind(const struct mill_sort_input *input, int64_t descending,     \
                                  type *out, int64_t count)                                    \
    {                                                                                          \
        int64_t first = sort_first_zero_##kind(out, count, descending), end = first;           \
        while (end < count && out[end] == 0) end++;                                            \
        if (end - first < 2) return;                                                           \
        for (int64_t p = 0; p < input->runs; p++) {                                            \
            const type *x = input->parts[p];                                                   \
            for (int64_t i = 0; i < input->lengths[p] && first < end; i++)                     \
                if (x[i] == 0) out[first++] = x[i];                                            \
        }                                                                                      \
    }                                                                                          \
    static void sort_all_##kind(const struct mill_sort_input *input, int64_t descending,       \
                                void *scratch, void *to)                                       \
    {                                                                                          \
        type *out = to;                                                                        \
        int64_t count = input->n;                                                              \
        if (sizeof *out < 8 || !sort_straight(input, to, scratch)) {                           \
            count = sort_numbers_##kind(input, out);                                           \
            sort_ascending_##kind(out, scratch, count);                                        \
        }                                                                                      \
        if (descending) sort_reverse_##kind(out, count);                                       \
        sort_zeros_##kind(input, descending, out, count);                                      \
        for (int64_t i = count; i < input->n; i++) out[i] = (type)NAN;                         \
    }

#define SORT_INTEGERS(kind, type)                                                              \
    static void sort_all_##kind(const struct mill_sort_input *input, int64_t descending,       \
                                void *scratch, void *to)                                       \
    {                                                                                          \
        type *out = to;                                                                        \
        for (int64_t p = 0; p < input->runs; p++) {                                            \
            memcpy(to, input->parts[p], (size_t)input->lengths[p] * sizeof *out);              \
            to = (type *)to + input->lengths[p];                                               \
        }                                                                                      \
        sort_ascending_##kind(out, scratch, input->n);                                         \
        if (descending) sort_reverse_##kind(out, input->n);                                    \
    }

#define SORT_ASCENDING(kind, type)                                                             \
    static void sort_ascending_##kind(type *x, type *scratch, int64_t n)                       \
    {                                                                                          \
        if (sort_ascends_##kind(x, n)) return;                                                 \
        if (sort_descends_##kind(x, n))                                                        \
            sort_reverse_##kind(x, n);                                                         \
        else                                                                                   \
            sort_core_##kind(x, scratch, n);                                                   \
    }
SORT_ASCENDING(f64, double)
SORT_ASCENDING(f32, float)
SORT_ASCENDING(i64, int64_t)
SORT_ASCENDING(i32, int32_t)
SORT_ASCENDING(u8, uint8_t)
SORT_FLOATS(f64, double)
SORT_FLOATS(f32, float)
SORT_INTEGERS(i64, int64_t)
SORT_INTEGERS(i32, int32_t)
SORT_INTEGERS(u8, uint8_t)

typedef void sort_all(const struct mill_sort_input *input, int64_t descending, void *scratch,
                      void *out);
static sort_all *const sort_kinds[MILL_KINDS] = {
    [MILL_KIND_F64] = sort_all_f64, [MILL_KIND_F32] = sort_all_f32,
    [MILL_KIND_I64] = sort_all_i64, [MILL_KIND_I32] = sort_all_i32,
    [MILL_KIND_U8] = sort_all_u8,
};

int64_t tidemill_kernel_sort(int64_t type, const void *x, int64_t rows, int64_t n,
                             int64_t descending, void *scratch, void *out)
{
    enum mill_kind kind = mill_kind_of(type);
    if (kind == MILL_KINDS || n < 0) return -1;
    int64_t stride = n * mill_kind_size(kind);
    for (int64_t r = 0; r < rows; r++) {
        const void *row = (const char *)x + r * stride;
        struct mill_sort_input input = {1, &row, &n, n};
        sort_kinds[kind](&input, descending, scratch, (char *)out + r * stride);
    }
    return 0;
}

int64_t tidemill_kernel_sort_parts(int64_t type, int64_t runs, const void *const *parts,
                                   const int64_t *lengths, int64_t descending, void *scratch,
                                   void *out)
{
    enum mill_kind kind = mill_kind_of(type);
    struct mill_sort_input input = {runs, parts, lengths, 0};
    if (kind == MILL_KINDS || runs < 0) return -1;
    for (int64_t p = 0; p < runs; p++) {
        if (lengths[p] < 0) return -1;
        input.n += lengths[p];
    }
    sort_kinds[kind](&input, descending, scratch, out);
    return 0;
}

/* ---- Is it ------------------------------------------------------------------------------- */

#define SORT_IS(kind, type)                                                                    \
    static int sort_is_##kind(const void *values, int64_t n, int64_t descending)               \
    {                                                                                          \
        const type *x = values;                                                                \
        for (int64_t i = 1; i < n; i++) {                                                      \
            int fine = descending ? x[i - 1] >= x[i] : x[i - 1] <= x[i];                       \
            if (!fine && x[i] == x[i]) return 0;                                               \
        }                                                                                      \
        return 1;                                                                              \
    }
SORT_IS(f64, double)
SORT_IS(f32, float)
SORT_IS(i64, int64_t)
SORT_IS(i32, int32_t)
SORT_IS(u8, uint8_t)

int64_t tidemill_kernel_is_sorted(int64_t type, const void *x, int64_t n, int64_t descending)
{
    switch (mill_kind_of(type)) {
    case MILL_KIND_F64:
        return sort_is_f64(x, n, descending);
    case MILL_KIND_F32:
        return sort_is_f32(x, n, descending);
    case MILL_KIND_I64:
        return sort_is_i64(x, n, descending);
    case MILL_KIND_I32:
        return sort_is_i32(x, n, descending);
    case MILL_KIND_U8:
        return sort_is_u8(x, n, descending);
    default:
        return -1;
    }
}
