/* random: Philox4x32-10, a counter-based generator (Salmon et al., SC 2011).
 * An element depends on (seed, stream, its number) alone.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"
#include "kernels/kernels.h"

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

void mill_uniform_blocks_plain(uint64_t seed, uint64_t stream, uint64_t block, int64_t blocks,
                               double *out)
{
    for (int64_t i = 0; i < blocks; i++) {
        uint32_t word[4];
        philox_words(seed, stream, block + (uint64_t)i, word);
        for (int half = 0; half < 2; half++) {
            uint64_t bits = (uint64_t)word[2 * half + 1] << 32 | word[2 * half];
            out[2 * i + half] = (double)(bits >> 11) * 0x1p-53;
        }
    }
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

/* One half block in front when `first` is odd, whole blocks, one half block behind. */
void tidemill_kernel_uniform(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                             double *out)
{
    const struct mill_kernel_bodies *bodies = mill_kernel_bodies();
    double pair[2];
    if (n > 0 && first % 2 == 1) {
        bodies->uniform_blocks(seed, stream, first / 2, 1, pair);
        *out++ = pair[1];
        first++;
        n--;
    }
    bodies->uniform_blocks(seed, stream, first / 2, n / 2, out);
    if (n > 0 && n % 2 == 1) {
        bodies->uniform_blocks(seed, stream, first / 2 + (uint64_t)(n / 2), 1, pair);
        out[n - 1] = pair[0];
    }
}
