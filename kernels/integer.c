/* integer: random integers of a range, none likelier than another (Lemire, ACM TOMACS 2019).
 * The upper half of number * span is even enough unless the lower half is below 2^64 mod span (for
 * words: 2^32 mod span); then the element is tried again in another plane of the generator.
 * SPDX-License-Identifier: MIT */
#include "kernels/random_bodies.h"

#define INTEGER_PLANE 0x9E3779B97F4A7C15u /* added to the seed for each further try */

/* The number of 64-bit element i. */
static uint64_t integer_number(uint64_t seed, uint64_t stream, uint64_t i)
{
    uint32_t word[2];
    tidemill_kernel_philox(seed, stream, 2 * i, 2, word);
    return (uint64_t)word[1] << 32 | word[0];
}

/* From the element's first number on. */
static uint64_t integer_below(uint64_t number, uint64_t seed, uint64_t stream, uint64_t i,
                              uint64_t span)
{
    unsigned __int128 product = (unsigned __int128)number * span;
    if ((uint64_t)product < span) {
        uint64_t uneven = -span % span;
        while ((uint64_t)product < uneven) {
            seed += INTEGER_PLANE;
            product = (unsigned __int128)integer_number(seed, stream, i) * span;
        }
    }
    return (uint64_t)(product >> 64);
}

uint64_t mill_draw_below(uint64_t seed, uint64_t stream, uint64_t i, uint64_t span)
{
    uint64_t number = integer_number(seed, stream, i);
    return span ? integer_below(number, seed, stream, i, span) : number;
}

static void integer_blocks_i64(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                               void *out)
{
    uint64_t numbers[2 * MILL_DRAW_BLOCKS], low = (uint64_t)draw->low;
    int64_t *to = out;
    draw->bodies->numbers(draw->seed, draw->stream, block, blocks, numbers);
    for (int64_t i = 0; i < 2 * blocks; i++) {
        uint64_t below = numbers[i];
        if (draw->span)
            below = integer_below(below, draw->seed, draw->stream, 2 * block + (uint64_t)i,
                                  draw->span);
        to[i] = (int64_t)(low + below);
    }
}

int64_t tidemill_kernel_random_integers_i64(uint64_t seed, uint64_t stream, uint64_t first,
                                            int64_t n, int64_t low, int64_t high, int64_t *out)
{
    if (high < low) return -1;
    struct mill_draw draw = {.bodies = mill_random(), .seed = seed, .stream = stream};
    draw.low = low;
    draw.span = (uint64_t)high - (uint64_t)low + 1;
    mill_draw(&draw, integer_blocks_i64, 2, sizeof *out, first, n, out);
    return 0;
}

/* One word; span up to 2^32. */
static uint32_t integer_again(const struct mill_draw *draw, uint64_t i, uint32_t uneven)
{
    uint64_t product, seed = draw->seed;
    do {
        uint32_t word;
        seed += INTEGER_PLANE;
        tidemill_kernel_philox(seed, draw->stream, i, 1, &word);
        product = word * draw->span;
    } while ((uint32_t)product < uneven);
    return (uint32_t)(product >> 32);
}

static void integer_blocks_i32(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                               void *out)
{
    uint64_t numbers[2 * MILL_DRAW_BLOCKS];
    uint32_t uneven = (uint32_t)(0x100000000u % draw->span), low = (uint32_t)draw->low;
    int32_t *to = out;
    draw->bodies->numbers(draw->seed, draw->stream, block, blocks, numbers);
    for (int64_t i = 0; i < 4 * blocks; i++) {
        uint64_t product = (uint32_t)(numbers[i / 2] >> 32 * (i % 2)) * draw->span;
        uint32_t below = (uint32_t)(product >> 32);
        if ((uint32_t)product < uneven)
            below = integer_again(draw, 4 * block + (uint64_t)i, uneven);
        to[i] = (int32_t)(low + below);
    }
}

int64_t tidemill_kernel_random_integers_i32(uint64_t seed, uint64_t stream, uint64_t first,
                                            int64_t n, int32_t low, int32_t high, int32_t *out)
{
    if (high < low) return -1;
    struct mill_draw draw = {.bodies = mill_random(), .seed = seed, .stream = stream};
    draw.low = low;
    draw.span = (uint64_t)((int64_t)high - low) + 1;
    mill_draw(&draw, integer_blocks_i32, 4, sizeof *out, first, n, out);
    return 0;
}
