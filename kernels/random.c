/* random: Philox4x32-10, a counter-based generator (Salmon et al., SC 2011), and parts of streams.
 * An element depends on (seed, stream, its number) alone.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/random_bodies.h"

#include "kernels/wide_plain.h"

#include "kernels/random_wide.h"

static const struct mill_random *const random_tables[MILL_ISAS] = {
    [MILL_ISA_PLAIN] = &mill_random_plain,
    [MILL_ISA_NEON] = &mill_random_plain, /* its vectors are of two as well */
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = &mill_random_avx2,
    [MILL_ISA_AVX512] = &mill_random_avx512,
#endif
};

const struct mill_random *mill_random(void)
{
    return random_tables[mill_kernel_isa_number()];
}

/* ---- Words ------------------------------------------------------------------------------ */

enum { PHILOX_ROUNDS = 10 };

static void philox_round(uint32_t word[4], const uint32_t key[2])
{
    uint64_t even = (uint64_t)0xD2511F53u * word[0], odd = (uint64_t)0xCD9E8D57u * word[2];
    uint32_t next[4] = {(uint32_t)(odd >> 32) ^ word[1] ^ key[0], (uint32_t)odd,
                        (uint32_t)(even >> 32) ^ word[3] ^ key[1], (uint32_t)even};
    for (int i = 0; i < 4; i++) word[i] = next[i];
}

void tidemill_kernel_philox_block(const uint32_t counter[4], const uint32_t key[2],
                                  uint32_t out[4])
{
    uint32_t word[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t round_key[2] = {key[0], key[1]};
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        philox_round(word, round_key);
        round_key[0] += 0x9E3779B9u;
        round_key[1] += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++) out[i] = word[i];
}

static void philox_words(uint64_t seed, uint64_t stream, uint64_t block, uint32_t out[4])
{
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                           (uint32_t)(stream >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    tidemill_kernel_philox_block(counter, key, out);
}

void tidemill_kernel_philox(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                            uint32_t *out)
{
    uint32_t word[4];
    for (int64_t i = 0; i < n; i++) {
        uint64_t number = first + (uint64_t)i;
        if (i == 0 || number % 4 == 0) philox_words(seed, stream, number / 4, word);
        out[i] = word[number % 4];
    }
}

/* ---- Parts of a stream ------------------------------------------------------------------ */

void mill_draw(const struct mill_draw *draw, mill_draw_blocks *fill, int count, int size,
               uint64_t first, int64_t n, void *out)
{
    _Alignas(16) char aside[16];
    char *to = out;
    uint64_t block = first / (uint64_t)count;
    int64_t skip = (int64_t)(first % (uint64_t)count), part;
    if (skip && n > 0) {
        fill(draw, block++, 1, aside);
        part = mill_least(n, count - skip);
        memcpy(to, aside + skip * size, (size_t)(part * size));
        to += part * size;
        n -= part;
    }
    for (; n >= count; n -= part * count) {
        part = mill_least(n / count, MILL_DRAW_BLOCKS);
        fill(draw, block, part, to);
        block += (uint64_t)part;
        to += part * count * size;
    }
    if (n <= 0) return;
    fill(draw, block, 1, aside);
    memcpy(to, aside, (size_t)(n * size));
}
