/* radix: sorts of words by their digits, least first.
 * A digit that is the same in all words costs one look.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/order_bodies.h"

enum {
    RADIX_MOST = 11, /* bits of a digit: fewer take turns at too few counters */
    RADIX_FEW = 8,   /* the same of fewer words than there are digits */
    RADIX_DIGITS = 1 << RADIX_MOST,
    RADIX_SHORT = 32, /* so few words are inserted one by one */
};

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
        for (int64_t i = 0; i < n; i++) {                                                      \
            word value = x[i];                                                                 \
            int64_t at = place[value >> shift & mask]++;                                       \
            to[at] = value;                                                                    \
        }                                                                                      \
        return 1;                                                                              \
    }
RADIX_PASS(radix_pass32, mill_word32)
RADIX_PASS(radix_pass64, mill_word64)

#define RADIX_INSERT(name, word)                                                               \
    static void name(word *x, int64_t n, int from, int to)                                     \
    {                                                                                          \
        word mask = (word) ~(word)0 >> (8 * (int)sizeof(word) - (to - from));                  \
        for (int64_t i = 1; i < n; i++) {                                                      \
            word value = x[i];                                                                 \
            int64_t at = i;                                                                    \
            for (; at > 0 && (x[at - 1] >> from & mask) > (value >> from & mask); at--)        \
                x[at] = x[at - 1];                                                             \
            x[at] = value;                                                                     \
        }                                                                                      \
    }
RADIX_INSERT(radix_insert32, mill_word32)
RADIX_INSERT(radix_insert64, mill_word64)

/* Digits are of equal size: 32 bits are 11 + 11 + 10. */
#define RADIX_SORT(name, pass, insert, word)                                                   \
    word *name(word *x, word *scratch, int64_t n, int from, int to)                            \
    {                                                                                          \
        int most = n < RADIX_DIGITS ? RADIX_FEW : RADIX_MOST;                                  \
        int passes = (to - from + most - 1) / most;                                            \
        if (n <= RADIX_SHORT && passes > 0) {                                                  \
            insert(x, n, from, to);                                                            \
            return x;                                                                          \
        }                                                                                      \
        for (; passes > 0; passes--) {                                                         \
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
RADIX_SORT(mill_radix32, radix_pass32, radix_insert32, uint32_t)
RADIX_SORT(mill_radix64, radix_pass64, radix_insert64, uint64_t)

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

/* ---- Which way -------------------------------------------------------------------------- */

mill_sort_doubles *mill_sort_doubles_wide(void)
{
    static mill_sort_doubles *const bodies[MILL_ISAS] = {
#ifdef MILL_KERNEL_X86
        [MILL_ISA_AVX2] = mill_sort_doubles_avx2,
        [MILL_ISA_AVX512] = mill_sort_doubles_avx2,
#endif
    };
    return bodies[mill_kernel_isa_number()];
}

mill_sort_input *mill_sort_input_wide(void)
{
    static mill_sort_input *const bodies[MILL_ISAS] = {
#ifdef MILL_KERNEL_X86
        [MILL_ISA_AVX2] = mill_sort_input_avx2,
        [MILL_ISA_AVX512] = mill_sort_input_avx2,
#endif
    };
    return bodies[mill_kernel_isa_number()];
}

enum {
    WORDS_BITS = 62,   /* such words are doubles, and in the same order */
    WORDS_DIGITS = 33, /* three passes are faster than vectors .. */
    WORDS_LONG = 4096, /* .. for so many words */
};

uint64_t *mill_sort_words(uint64_t *x, uint64_t *scratch, int64_t n, int from, int to)
{
    mill_sort_doubles *wide = mill_sort_doubles_wide();
    if (!wide || to > WORDS_BITS || (n >= WORDS_LONG && to - from <= WORDS_DIGITS))
        return mill_radix64(x, scratch, n, from, to);
    wide((double *)x, (double *)scratch, n);
    return x;
}
