/* random_bodies: what of the random numbers exists once per instruction set, and how a
 * distribution is found by its number.  Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_RANDOM_BODIES_H
#define MILL_RANDOM_BODIES_H
#include "kernels/bodies.h"
#include "kernels/random.h"

/* ---- One table per instruction set ------------------------------------------------------ */

struct mill_random {
    /* The numbers of blocks block .. block + blocks - 1, two a block. */
    void (*numbers)(uint64_t seed, uint64_t stream, uint64_t block, int64_t blocks,
                    uint64_t *out);
    /* The same as doubles in [0, 1). */
    void (*uniform)(uint64_t seed, uint64_t stream, uint64_t block, int64_t blocks,
                    double *out);
    /* Pairs of uniform numbers become pairs of normal ones, in place. */
    void (*normal)(double *x, int64_t pairs, double mean, double sd);
    /* Uniform numbers become exponential ones, in place. */
    void (*exponential)(double *x, int64_t n, double scale);
    /* Two floats a number, from its low and its high word. */
    void (*uniform_f32)(const uint64_t *numbers, int64_t count, float low, float high,
                        float *out);
    void (*normal_f32)(const uint64_t *numbers, int64_t count, float mean, float sd,
                       float *out);
};

/* The table in use. */
const struct mill_random *mill_random(void);

extern const struct mill_random mill_random_plain;
#ifdef MILL_KERNEL_X86
extern const struct mill_random mill_random_avx2, mill_random_avx512;
#endif

/* ---- Parts of a stream ------------------------------------------------------------------ */

/* One distribution of one stream, with its parameters. */
struct mill_draw {
    const struct mill_random *bodies;
    uint64_t seed, stream;
    double a, b;
    int64_t low;   /* of integers: the least, */
    uint64_t span; /* and how many there are, 0 for 2^64 */
};

/* Fills the elements of whole blocks, at most MILL_DRAW_BLOCKS of them. */
typedef void mill_draw_blocks(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                              void *out);
enum { MILL_DRAW_BLOCKS = 512 };

/* Elements first .. first + n - 1 of `size` bytes, `count` of them a block; where that begins or
 * ends inside a block, the block is made aside. */
void mill_draw(const struct mill_draw *draw, mill_draw_blocks *fill, int count, int size,
               uint64_t first, int64_t n, void *out);

/* Element i as an integer from 0 to span - 1; a span of 0 stands for 2^64. */
uint64_t mill_draw_below(uint64_t seed, uint64_t stream, uint64_t i, uint64_t span);

/* ---- By number -------------------------------------------------------------------------- */

/* Elements first .. first + n - 1, any number of them; a and b as enum tidemill_distribution has
 * them. */
typedef void mill_random_body(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                              double a, double b, void *out);

/* kind: enum tidemill_distribution; type: enum tidemill_type.  There are uniform and normal of
 * float64 and float32, lognormal and exponential of float64, integers of int64 and int32,
 * bernoulli of bool; NULL of others. */
mill_random_body *mill_random_find(int32_t kind, int32_t type);

#endif
