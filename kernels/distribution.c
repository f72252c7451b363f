/* distribution: uniform, normal and the like, drawn block by block; see kernels/random.h.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "kernels/elementary_bodies.h"
#include "kernels/random_bodies.h"

/* ---- Doubles ---------------------------------------------------------------------------- */

static void uniform_blocks(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                           void *out)
{
    draw->bodies->uniform(draw->seed, draw->stream, block, blocks, out);
}

static void uniform_between(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                            void *out)
{
    double *x = out, range = draw->b - draw->a;
    uniform_blocks(draw, block, blocks, x);
    for (int64_t i = 0; i < 2 * blocks; i++) x[i] = draw->a + range * x[i];
}

static void normal_blocks(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                          void *out)
{
    uniform_blocks(draw, block, blocks, out);
    draw->bodies->normal(out, blocks, draw->a, draw->b);
}

static void lognormal_blocks(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                             void *out)
{
    normal_blocks(draw, block, blocks, out);
    mill_elementary()->exp(out, 2 * blocks, out);
}

static void exponential_blocks(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                               void *out)
{
    uniform_blocks(draw, block, blocks, out);
    draw->bodies->exponential(out, 2 * blocks, draw->a);
}

/* ---- Floats and flags ------------------------------------------------------------------- */

static void uniform_blocks_f32(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                               void *out)
{
    uint64_t numbers[2 * MILL_DRAW_BLOCKS];
    draw->bodies->numbers(draw->seed, draw->stream, block, blocks, numbers);
    draw->bodies->uniform_f32(numbers, 2 * blocks, (float)draw->a, (float)draw->b, out);
}

static void normal_blocks_f32(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                              void *out)
{
    uint64_t numbers[2 * MILL_DRAW_BLOCKS];
    draw->bodies->numbers(draw->seed, draw->stream, block, blocks, numbers);
    draw->bodies->normal_f32(numbers, 2 * blocks, (float)draw->a, (float)draw->b, out);
}

static void bernoulli_blocks(const struct mill_draw *draw, uint64_t block, int64_t blocks,
                             void *out)
{
    double x[2 * MILL_DRAW_BLOCKS];
    uint8_t *flags = out;
    uniform_blocks(draw, block, blocks, x);
    for (int64_t i = 0; i < 2 * blocks; i++) flags[i] = x[i] < draw->a;
}

/* ---- By number -------------------------------------------------------------------------- */

static void draw_between(mill_draw_blocks *fill, int count, int size, uint64_t seed,
                         uint64_t stream, uint64_t first, int64_t n, double a, double b,
                         void *out)
{
    struct mill_draw draw = {
        .bodies = mill_random(), .seed = seed, .stream = stream, .a = a, .b = b};
    mill_draw(&draw, fill, count, size, first, n, out);
}

static void draw_uniform(uint64_t seed, uint64_t stream, uint64_t first, int64_t n, double a,
                         double b, void *out)
{
    /* 0 + 1 u is u: the pass over it is spared. */
    mill_draw_blocks *fill = a == 0 && b == 1 ? uniform_blocks : uniform_between;
    draw_between(fill, 2, sizeof(double), seed, stream, first, n, a, b, out);
}

#define DRAW_BODY(name, fill, count, type)                                                     \
    static void name(uint64_t seed, uint64_t stream, uint64_t first, int64_t n, double a,      \
                     double b, void *out)                                                      \
    {                                                                                          \
        draw_between(fill, count, sizeof(type), seed, stream, first, n, a, b, out);            \
    }
DRAW_BODY(draw_normal, normal_blocks, 2, double)
DRAW_BODY(draw_lognormal, lognormal_blocks, 2, double)
DRAW_BODY(draw_exponential, exponential_blocks, 2, double)
DRAW_BODY(draw_uniform_f32, uniform_blocks_f32, 4, float)
DRAW_BODY(draw_normal_f32, normal_blocks_f32, 4, float)
DRAW_BODY(draw_bernoulli, bernoulli_blocks, 2, uint8_t)
#undef DRAW_BODY

static void draw_integers_i64(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                              double a, double b, void *out)
{
    tidemill_kernel_random_integers_i64(seed, stream, first, n, (int64_t)a, (int64_t)b, out);
}

static void draw_integers_i32(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                              double a, double b, void *out)
{
    tidemill_kernel_random_integers_i32(seed, stream, first, n, (int32_t)a, (int32_t)b, out);
}

static const struct distribution {
    int32_t kind, type;
    mill_random_body *body;
} distributions[] = {
    {TIDEMILL_UNIFORM, TIDEMILL_FLOAT64, draw_uniform},
    {TIDEMILL_UNIFORM, TIDEMILL_FLOAT32, draw_uniform_f32},
    {TIDEMILL_NORMAL, TIDEMILL_FLOAT64, draw_normal},
    {TIDEMILL_NORMAL, TIDEMILL_FLOAT32, draw_normal_f32},
    {TIDEMILL_LOGNORMAL, TIDEMILL_FLOAT64, draw_lognormal},
    {TIDEMILL_EXPONENTIAL, TIDEMILL_FLOAT64, draw_exponential},
    {TIDEMILL_INTEGERS, TIDEMILL_INT64, draw_integers_i64},
    {TIDEMILL_INTEGERS, TIDEMILL_INT32, draw_integers_i32},
    {TIDEMILL_BERNOULLI, TIDEMILL_BOOL, draw_bernoulli},
};

mill_random_body *mill_random_find(int32_t kind, int32_t type)
{
    for (size_t i = 0; i < sizeof distributions / sizeof *distributions; i++)
        if (distributions[i].kind == kind && distributions[i].type == type)
            return distributions[i].body;
    return NULL;
}

/* ---- By name ---------------------------------------------------------------------------- */

void tidemill_kernel_uniform(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                             double *out)
{
    draw_uniform(seed, stream, first, n, 0, 1, out);
}

void tidemill_kernel_random_uniform(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                                    double low, double high, double *out)
{
    draw_uniform(seed, stream, first, n, low, high, out);
}

void tidemill_kernel_random_uniform_f32(uint64_t seed, uint64_t stream, uint64_t first,
                                        int64_t n, float low, float high, float *out)
{
    draw_uniform_f32(seed, stream, first, n, low, high, out);
}

void tidemill_kernel_random_normal(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                                   double mean, double sd, double *out)
{
    draw_normal(seed, stream, first, n, mean, sd, out);
}

void tidemill_kernel_random_normal_f32(uint64_t seed, uint64_t stream, uint64_t first,
                                       int64_t n, float mean, float sd, float *out)
{
    draw_normal_f32(seed, stream, first, n, mean, sd, out);
}

void tidemill_kernel_random_lognormal(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                                      double mean, double sd, double *out)
{
    draw_lognormal(seed, stream, first, n, mean, sd, out);
}

void tidemill_kernel_random_exponential(uint64_t seed, uint64_t stream, uint64_t first,
                                        int64_t n, double scale, double *out)
{
    draw_exponential(seed, stream, first, n, scale, 0, out);
}

void tidemill_kernel_random_bernoulli(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                                      double probability, uint8_t *out)
{
    draw_bernoulli(seed, stream, first, n, probability, 0, out);
}
