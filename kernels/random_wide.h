/* random: Philox blocks side by side, and the distributions made of uniform numbers.
 * Include after kernels/wide_avx2.h or one of its like.  A 64-bit lane holds one 32-bit word of one
 * block; what stands in its upper half is ignored.
 * SPDX-License-Identifier: MIT */
#include "kernels/random_bodies.h"
#include "kernels/real_wide.h"

#include "kernels/float_wide.h"
#include "kernels/normal_wide.h"

#ifndef MILL_RANDOM_WIDE
#define MILL_RANDOM_WIDE
#define wide_philox        MILL_WIDE(wide_philox)
#define wide_philox_start  MILL_WIDE(wide_philox_start)
#define wide_philox_rounds MILL_WIDE(wide_philox_rounds)
#define wide_times         MILL_WIDE(wide_times)
#define wide_under         MILL_WIDE(wide_under)
#define wide_first_blocks  MILL_WIDE(wide_first_blocks)
#define wide_pair_up       MILL_WIDE(wide_pair_up)
#define wide_as_double     MILL_WIDE(wide_as_double)
#define wide_as_number     MILL_WIDE(wide_as_number)
#define PHILOX_GROUPS      4 /* vectors of blocks that are worked on at once */
#define PHILOX_BLOCKS      (PHILOX_GROUPS * WIDE_LANES)
#define PHILOX_EVEN        0xD2511F53u
#define PHILOX_ODD         0xCD9E8D57u
#endif

/* Products of the low words of the lanes. */
WIDE_INLINE wide_words wide_times(wide_words a, uint32_t b)
{
#if defined(__x86_64__) && MILL_WIDE_BYTES == 16
    return (wide_words)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#elif defined(__x86_64__) && MILL_WIDE_BYTES == 32
    return (wide_words)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__x86_64__) && MILL_WIDE_BYTES == 64
    return (wide_words)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#else
    return (a & 0xffffffff) * (uint64_t)b;
#endif
}

/* The low word of `low` under the high word of `high`. */
WIDE_INLINE wide_words wide_under(wide_words low, wide_words high)
{
#if defined(__x86_64__) && MILL_WIDE_BYTES == 32
    return (wide_words)_mm256_blend_epi32((__m256i)high, (__m256i)low, 0x55);
#else
    return (low & 0xffffffff) | (high & 0xffffffff00000000);
#endif
}

/* Numbers of the first blocks, in the order in which wide_pair_up wants them. */
WIDE_INLINE wide_words wide_first_blocks(uint64_t block)
{
#if MILL_WIDE_BYTES == 16
    return (wide_words){0, 1} + block;
#elif MILL_WIDE_BYTES == 32
    return (wide_words){0, 2, 1, 3} + block;
#else
    return (wide_words){0, 4, 1, 5, 2, 6, 3, 7} + block;
#endif
}

/* Stores the first and the second number of each block, block by block. */
WIDE_INLINE void wide_pair_up(wide_words first, wide_words second, void *out)
{
    *(wide_words *)out = WIDE_EVEN(first, second);
    *((wide_words *)out + 1) = WIDE_ODD(first, second);
}

/* What does not change within a run of blocks whose numbers have one upper half: the keys of the
 * rounds, and the words that the first two rounds make of constant ones. */
struct wide_philox {
    wide_words even_key[10], odd_key[10];
};

WIDE_INLINE struct wide_philox wide_philox_start(uint64_t seed, uint64_t stream, uint64_t block)
{
    struct wide_philox philox;
    uint32_t low = (uint32_t)seed, high = (uint32_t)(seed >> 32);
    uint64_t odd = (uint64_t)PHILOX_ODD * (uint32_t)stream;
    uint32_t even_word = (uint32_t)(odd >> 32) ^ (uint32_t)(block >> 32) ^ low;
    uint64_t even = (uint64_t)PHILOX_EVEN * even_word;
    philox.odd_key[0] = (wide_words){0} + (high ^ (uint32_t)(stream >> 32));
    for (int round = 1; round < 10; round++) {
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
        philox.even_key[round] = (wide_words){0} + (uint64_t)low;
        philox.odd_key[round] = (wide_words){0} + (uint64_t)high;
    }
    philox.even_key[1] ^= (uint64_t)(uint32_t)odd;
    philox.odd_key[1] ^= even >> 32;
    philox.odd_key[2] ^= (uint64_t)(uint32_t)even;
    return philox;
}

/* The ten rounds of several vectors of blocks, step by step side by side: one alone would wait for
 * its multiplications.  Before the first round, word 0 alone differs between the blocks; after it
 * words 2 and 3; after the second all but word 3. */
WIDE_INLINE void wide_philox_rounds(const struct wide_philox *philox, wide_words block,
                                    wide_words word[PHILOX_GROUPS][4])
{
#pragma GCC unroll 4
    for (int g = 0; g < PHILOX_GROUPS; g++) {
        wide_words even = wide_times(block + (uint64_t)(g * WIDE_LANES), PHILOX_EVEN);
        word[g][2] = even >> 32 ^ philox->odd_key[0];
        word[g][3] = even;
    }
#pragma GCC unroll 4
    for (int g = 0; g < PHILOX_GROUPS; g++) {
        wide_words odd = wide_times(word[g][2], PHILOX_ODD);
        word[g][0] = odd >> 32 ^ philox->even_key[1];
        word[g][1] = odd;
        word[g][2] = word[g][3] ^ philox->odd_key[1];
        word[g][3] = (wide_words){0};
    }
#pragma GCC unroll 8
    for (int round = 2; round < 10; round++)
#pragma GCC unroll 4
        for (int g = 0; g < PHILOX_GROUPS; g++) {
            wide_words even = wide_times(word[g][0], PHILOX_EVEN);
            wide_words odd = wide_times(word[g][2], PHILOX_ODD);
            word[g][0] = odd >> 32 ^ (word[g][1] ^ philox->even_key[round]);
            word[g][2] = even >> 32 ^ (word[g][3] ^ philox->odd_key[round]);
            word[g][1] = odd;
            word[g][3] = even;
        }
}

/* ((high << 32 | low) >> 11) 2^-53.  The words stand in the low bits of two powers of two, which
 * are taken away again; no step rounds. */
WIDE_INLINE wide_words wide_as_double(wide_words low, wide_words high)
{
    wide_words head_power = (wide_words)wide_all(0x1p20);
    wide_words tail_power = (wide_words)wide_all(0x1p-1);
    wide_words tail = (wide_words)((MILL_WIDE(mill_uint32_t_vector))low >> 11);
    wide_real a = (wide_real)wide_under(high, head_power);
    wide_real b = (wide_real)wide_under(tail, tail_power);
    return (wide_words)((a - (0x1p20 + 0x1p-1)) + b);
}

WIDE_INLINE wide_words wide_as_number(wide_words low, wide_words high)
{
    return wide_under(low, high << 32);
}

/* Fills `out` by `finish` of the blocks' words: whole groups of vectors, then what is left aside. */
#undef MILL_PHILOX_LOOP
#define MILL_PHILOX_LOOP(name, type, finish)                                                   \
    WIDE_INLINE void MILL_WIDE(name##_step)(const struct wide_philox *philox,                  \
                                            wide_words block, type *out)                       \
    {                                                                                          \
        wide_words word[PHILOX_GROUPS][4];                                                     \
        wide_philox_rounds(philox, block, word);                                               \
        for (int g = 0; g < PHILOX_GROUPS; g++)                                                \
            wide_pair_up(finish(word[g][0], word[g][1]), finish(word[g][2], word[g][3]),       \
                         out + 2 * g * WIDE_LANES);                                            \
    }                                                                                          \
    /* All of one upper half of the block number. */                                           \
    MILL_TARGET static void MILL_WIDE(name##_run)(uint64_t seed, uint64_t stream,              \
                                                  uint64_t block, int64_t blocks, type * out)  \
    {                                                                                          \
        struct wide_philox philox = wide_philox_start(seed, stream, block);                    \
        wide_words number = wide_first_blocks(block);                                          \
        int64_t i = 0;                                                                         \
        for (; i + PHILOX_BLOCKS <= blocks; i += PHILOX_BLOCKS) {                              \
            MILL_WIDE(name##_step)(&philox, number, out + 2 * i);                              \
            number += PHILOX_BLOCKS;                                                           \
        }                                                                                      \
        if (i == blocks) return;                                                               \
        type rest[2 * PHILOX_BLOCKS];                                                          \
        MILL_WIDE(name##_step)(&philox, number, rest);                                         \
        __builtin_memcpy(out + 2 * i, rest, (size_t)(2 * (blocks - i)) * sizeof *rest);        \
    }                                                                                          \
    static void MILL_WIDE(name)(uint64_t seed, uint64_t stream, uint64_t block,                \
                                int64_t blocks, type * out)                                    \
    {                                                                                          \
        while (blocks > 0) {                                                                   \
            int64_t part = mill_least(blocks, (int64_t)(0x100000000 - (uint32_t)block));       \
            MILL_WIDE(name##_run)(seed, stream, block, part, out);                             \
            block += (uint64_t)part;                                                           \
            blocks -= part;                                                                    \
            out += 2 * part;                                                                   \
        }                                                                                      \
    }
MILL_PHILOX_LOOP(philox_numbers, uint64_t, wide_as_number)
MILL_PHILOX_LOOP(philox_uniform, double, wide_as_double)

const struct mill_random MILL_WIDE(mill_random) = {
    .numbers = MILL_WIDE(philox_numbers),
    .uniform = MILL_WIDE(philox_uniform),
    .normal = MILL_WIDE(normal_pairs),
    .exponential = MILL_WIDE(exponential_numbers),
    .uniform_f32 = MILL_WIDE(uniform_floats),
    .normal_f32 = MILL_WIDE(normal_floats),
};
