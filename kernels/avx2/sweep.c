/* sweep, AVX2: four slow averages side by side, up to eight fast ones in registers; see
 * kernels/sweep.c.  A lane multiplies its pair's factors in bar order.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

enum {
    CROSS_LANES_AVX2 = 4,
    CROSS_FASTS_AVX2 = 8,
    CROSS_BARS_AVX2 = 128, /* bars whose slow averages lie turned on the stack, 4 KiB */
};

/* Four slow averages of some bars, turned so that a bar's four stand together, and for each
 * bar the bits by which its factor differs from 1. */
struct cross_bars_avx2 {
    double slow[CROSS_BARS_AVX2][CROSS_LANES_AVX2];
    double flip[CROSS_BARS_AVX2];
};

/* Lanes beyond the last slow average get NaN: never below a fast one. */
static void cross_turn_avx2(struct cross_bars_avx2 *bars, const double *slow, int64_t lanes,
                            int64_t n, int64_t count)
{
    for (int64_t lane = 0; lane < CROSS_LANES_AVX2; lane++)
        for (int64_t t = 0; t < count; t++)
            bars->slow[t][lane] = lane < lanes ? slow[lane * n + t] : __builtin_nan("");
}

__attribute__((target("avx2"))) static void cross_flip_avx2(struct cross_bars_avx2 *bars,
                                                            const double *factor, int64_t count)
{
    __m128d one = _mm_set_sd(1);
    for (int64_t t = 0; t < count; t++)
        _mm_store_sd(&bars->flip[t], _mm_xor_pd(_mm_load_sd(factor + t), one));
}

/* product[f] *= fast above slow ? factor : 1, where the factor is made by flipping bits of 1
 * under the mask: and + xor run on more ports than a blend.  `fasts` is a constant in each
 * caller, so that the products stay in registers. */
__attribute__((target("avx2"), always_inline)) static inline void
cross_tile_avx2(const struct cross_bars_avx2 *bars, const double *fast, int64_t n, int fasts,
                int64_t count, double (*product)[CROSS_LANES_AVX2])
{
    __m256d one = _mm256_set1_pd(1), total[CROSS_FASTS_AVX2];
    for (int f = 0; f < fasts; f++) total[f] = _mm256_loadu_pd(product[f]);
    for (int64_t t = 0; t < count; t++) {
        __m256d slow = _mm256_loadu_pd(bars->slow[t]);
        __m256d flip = _mm256_broadcast_sd(&bars->flip[t]);
#pragma GCC unroll 8
        for (int f = 0; f < fasts; f++) {
            __m256d above =
                _mm256_cmp_pd(_mm256_broadcast_sd(fast + f * n + t), slow, _CMP_GT_OQ);
            __m256d factor = _mm256_xor_pd(one, _mm256_and_pd(above, flip));
            total[f] = _mm256_mul_pd(total[f], factor);
        }
    }
    for (int f = 0; f < fasts; f++) _mm256_storeu_pd(product[f], total[f]);
}

__attribute__((target("avx2"))) static void
cross_fasts_avx2(const struct cross_bars_avx2 *bars, const double *fast, int64_t n, int64_t nf,
                 int64_t count, double (*product)[CROSS_LANES_AVX2])
{
    switch (nf) {
    case 8:
        cross_tile_avx2(bars, fast, n, 8, count, product);
        break;
    case 7:
        cross_tile_avx2(bars, fast, n, 7, count, product);
        break;
    case 6:
        cross_tile_avx2(bars, fast, n, 6, count, product);
        break;
    case 5:
        cross_tile_avx2(bars, fast, n, 5, count, product);
        break;
    case 4:
        cross_tile_avx2(bars, fast, n, 4, count, product);
        break;
    case 3:
        cross_tile_avx2(bars, fast, n, 3, count, product);
        break;
    case 2:
        cross_tile_avx2(bars, fast, n, 2, count, product);
        break;
    case 1:
        cross_tile_avx2(bars, fast, n, 1, count, product);
        break;
    }
}

/* One group of fast averages over one block of bars; the products rest in out meanwhile. */
__attribute__((target("avx2"))) static void
cross_group_avx2(const struct cross_bars_avx2 *bars, const double *fast, int64_t n, int64_t nf,
                 int64_t count, double *out, int64_t ns, int64_t lanes)
{
    double product[CROSS_FASTS_AVX2][CROSS_LANES_AVX2] = {{0}};
    for (int64_t f = 0; f < nf; f++)
        for (int64_t lane = 0; lane < lanes; lane++) product[f][lane] = out[f * ns + lane];
    cross_fasts_avx2(bars, fast, n, nf, count, product);
    for (int64_t f = 0; f < nf; f++)
        for (int64_t lane = 0; lane < lanes; lane++) out[f * ns + lane] = product[f][lane];
}

__attribute__((target("avx2"))) void mill_cross_products_avx2(const double *factor,
                                                              const double *fast, int64_t nf,
                                                              const double *slow, int64_t ns,
                                                              int64_t n, double *out)
{
    struct cross_bars_avx2 bars;
    int64_t groups = (nf + CROSS_FASTS_AVX2 - 1) / CROSS_FASTS_AVX2;
    for (int64_t i = 0; i < nf * ns; i++) out[i] = 1;
    for (int64_t s = 0; s < ns; s += CROSS_LANES_AVX2) {
        int64_t lanes = mill_least(CROSS_LANES_AVX2, ns - s);
        /* The signal of bar t decides on the factor of bar t + 2. */
        for (int64_t t = 0; t < n - 2; t += CROSS_BARS_AVX2) {
            int64_t count = mill_least(CROSS_BARS_AVX2, n - 2 - t);
            cross_turn_avx2(&bars, slow + s * n + t, lanes, n, count);
            cross_flip_avx2(&bars, factor + t + 2, count);
            for (int64_t g = 0; g < groups; g++) {
                int64_t f = g * nf / groups, end = (g + 1) * nf / groups;
                cross_group_avx2(&bars, fast + f * n + t, n, end - f, count, out + f * ns + s,
                                 ns, lanes);
            }
        }
    }
}
#endif
