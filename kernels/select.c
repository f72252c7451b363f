/* select: values by position and by mask.
 * Positions are checked before anything is written; the loops after that have one body, inlined
 * for each size of element that has a register and for each width of position.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "kernels/bodies.h"
#include "kernels/select.h"
#include "kernels/word.h"

#define SELECT_BODY static inline __attribute__((always_inline))

/* Calls body(.., size) with a size that the compiler knows, where it is a common one. */
#define SELECT_SIZES(size, body, ...)                                                          \
    do {                                                                                       \
        switch (size) {                                                                        \
        case 1:                                                                                \
            body(__VA_ARGS__, 1);                                                              \
            break;                                                                             \
        case 4:                                                                                \
            body(__VA_ARGS__, 4);                                                              \
            break;                                                                             \
        case 8:                                                                                \
            body(__VA_ARGS__, 8);                                                              \
            break;                                                                             \
        default:                                                                               \
            body(__VA_ARGS__, size);                                                           \
            break;                                                                             \
        }                                                                                      \
    } while (0)

/* ---- Positions -------------------------------------------------------------------------- */

/* Wraps where it cannot be right, which is then outside. */
SELECT_BODY int64_t select_at(const void *index, int64_t width, int64_t i, int64_t base)
{
    int64_t at = width == 4 ? ((const int32_t *)index)[i] : ((const int64_t *)index)[i];
    return (int64_t)((uint64_t)at - (uint64_t)base);
}

SELECT_BODY int64_t select_outside(const void *index, int64_t width, int64_t m, int64_t base,
                                   int64_t length)
{
    int64_t i = 0;
    while (i < m && (uint64_t)select_at(index, width, i, base) < (uint64_t)length) i++;
    return i;
}

int64_t tidemill_kernel_check_index(const void *index, int64_t width, int64_t m, int64_t base,
                                    int64_t length)
{
    if (width == 4) return select_outside(index, 4, m, base, length);
    if (width == 8) return select_outside(index, 8, m, base, length);
    return -1;
}

SELECT_BODY void select_take(const char *values, const void *index, int64_t width, int64_t m,
                             int64_t base, char *out, int64_t size)
{
    for (int64_t i = 0; i < m; i++) {
        int64_t at = width == 4 ? select_at(index, 4, i, base) : select_at(index, 8, i, base);
        memcpy(out + i * size, values + at * size, (size_t)size);
    }
}

SELECT_BODY void select_put(const char *values, int64_t step, const void *index, int64_t width,
                            int64_t m, int64_t base, char *out, int64_t size)
{
    for (int64_t i = 0; i < m; i++) {
        int64_t at = width == 4 ? select_at(index, 4, i, base) : select_at(index, 8, i, base);
        memcpy(out + at * size, values + i * step, (size_t)size);
    }
}

int64_t tidemill_kernel_take(int64_t size, const void *values, int64_t outer, int64_t length,
                             const void *index, int64_t width, int64_t m, int64_t base,
                             void *out)
{
    int64_t fine = tidemill_kernel_check_index(index, width, m, base, length);
    if (fine != m) return fine;
    for (int64_t o = 0; o < outer; o++) {
        const char *from = (const char *)values + o * length * size;
        char *to = (char *)out + o * m * size;
        SELECT_SIZES(size, select_take, from, index, width, m, base, to);
    }
    return m;
}

int64_t tidemill_kernel_put(int64_t size, const void *values, int64_t one, const void *index,
                            int64_t width, int64_t m, int64_t base, void *out, int64_t length)
{
    int64_t fine = tidemill_kernel_check_index(index, width, m, base, length);
    if (fine != m) return fine;
    int64_t step = one ? 0 : size;
    SELECT_SIZES(size, select_put, values, step, index, width, m, base, out);
    return m;
}

/* ---- Masks ------------------------------------------------------------------------------ */

/* 1 in each byte of the mask's next eight that is not 0. */
static inline uint64_t select_chosen(const uint8_t *mask)
{
    return (~mill_word_zero_bytes(mill_word_load64((const char *)mask)) >> 7) &
           mill_word_repeat(1);
}

int64_t tidemill_kernel_mask_count(const uint8_t *mask, int64_t n)
{
    int64_t count = 0, i = 0;
    while (i + 8 <= n) {
        /* Eight counters of a byte each take 255 steps at most. */
        int64_t end = mill_least(i + 8 * 255, n - 7);
        uint64_t sums = 0;
        for (; i < end; i += 8) sums += select_chosen(mask + i);
        for (int byte = 0; byte < 8; byte++) count += sums >> 8 * byte & 255;
    }
    for (; i < n; i++) count += mask[i] != 0;
    return count;
}

/* Writes each element where the next chosen one goes, which it is or is not. */
SELECT_BODY void select_compress(const char *x, const uint8_t *mask, int64_t count, char *out,
                                 int64_t size)
{
    const char *end = out + count * size;
    while (out < end) {
        memcpy(out, x, (size_t)size);
        out += *mask++ ? size : 0;
        x += size;
    }
}

void tidemill_kernel_compress(int64_t size, const void *x, const uint8_t *mask, int64_t count,
                              void *out)
{
    SELECT_SIZES(size, select_compress, x, mask, count, out);
}

int64_t tidemill_kernel_nonzero(const uint8_t *mask, int64_t count, int64_t width, int64_t base,
                                void *index)
{
    int32_t *narrow = index;
    int64_t *wide = index, found = 0;
    if (width != 4 && width != 8) return -1;
    for (int64_t i = 0; found < count; i++) {
        if (width == 4)
            narrow[found] = (int32_t)(i + base);
        else
            wide[found] = i + base;
        found += mask[i] != 0;
    }
    return 0;
}

SELECT_BODY void select_put_mask(const char *values, int64_t step, const uint8_t *mask,
                                 int64_t n, char *out, int64_t size)
{
    for (int64_t i = 0; i < n; i++) {
        if (!mask[i]) continue;
        memcpy(out + i * size, values, (size_t)size);
        values += step;
    }
}

void tidemill_kernel_put_mask(int64_t size, const void *values, int64_t one,
                              const uint8_t *mask, int64_t n, void *out)
{
    int64_t step = one ? 0 : size;
    SELECT_SIZES(size, select_put_mask, values, step, mask, n, out);
}
