/* radix: sorts of words by their digits, least first.
 * A digit that is the same in all words costs one look.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/order_bodies.h"

#ifndef RADIX_MOST
#define RADIX_MOST 11
#endif
enum { RADIX_DIGITS = 1 << RADIX_MOST };

/* Turns counts into the places where each digit begins; 0 when one digit has all. */
static int radix_places(int64_t *place, int64_t digits, int64_t n)
{
    int64_t start = 0;
    for (int64_t digit = 0; digit < digits; digit++) {
        int64_t count = place[digit];
        if (count == n) return 0;
        place[digit] = start;
        start += count;
    }
    return 1;
}

/* One pass by `bits` bits from bit `shift` on; returns whether anything moved. */
#define RADIX_PASS(name, word)                                                                 \
    static int name(const word *x, word *to, int64_t n, int shift, int bits)                   \
    {                                                                                          \
        int64_t place[RADIX_DIGITS];                                                           \
        word mask = ((word)1 << bits) - 1;                                                     \
        memset(place, 0, sizeof *place << bits);                                               \
        for (int64_t i = 0; i < n; i++) place[x[i] >> shift & mask]++;                         \
        if (!radix_places(place, (int64_t)1 << bits, n)) return 0;                             \
        for (int64_t i = 0; i < n; i++) to[place[x[i] >> shift & mask]++] = x[i];              \
        return 1;                                                                              \
    }
RADIX_PASS(radix_pass32, mill_word32)
RADIX_PASS(radix_pass64, mill_word64)

/* Digits of equal size: 32 bits are 11 + 11 + 10. */
#define RADIX_SORT(name, pass, word)                                                           \
    word *name(word *x, word *scratch, int64_t n, int from, int to)                            \
    {                                                                                          \
        int passes = (to - from + RADIX_MOST - 1) / RADIX_MOST;                                \
        for (; n > 1 && passes > 0; passes--) {                                                \
            int bits = (to - from + passes - 1) / passes;                                      \
            if (pass(x, scratch, n, from, bits)) {                                             \
                word *other = x;                                                               \
                x = scratch;                                                                   \
                scratch = other;                                                               \
            }                                                                                  \
            from += bits;                                                                      \
        }                                                                                      \
        return x;                                                                              \
    }
RADIX_SORT(mill_radix32, radix_pass32, uint32_t)
RADIX_SORT(mill_radix64, radix_pass64, uint64_t)

/* ---- Doubles ---------------------------------------------------------------------------- */

/* The order of doubles as the order of unsigned words, and back. */
static inline uint64_t radix_key(uint64_t bits)
{
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | 1ull << 63);
}

static inline uint64_t radix_bits(uint64_t key)
{
    return key ^ (((key >> 63) - 1) | 1ull << 63);
}

void mill_sort_doubles_plain(double *x, double *scratch, int64_t n)
{
    mill_word64 *words = (mill_word64 *)x;
    for (int64_t i = 0; i < n; i++) words[i] = radix_key(words[i]);
    mill_word64 *sorted = mill_radix64(words, (mill_word64 *)scratch, n, 0, 64);
    for (int64_t i = 0; i < n; i++) words[i] = radix_bits(sorted[i]);
}
