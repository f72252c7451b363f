/* sweep, AVX-512: eight slow averages side by side, up to eight fast ones in registers; see
 * kernels/sweep.c.  A lane multiplies its pair's factors in bar order.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

enum {
    CROSS_LANES_AVX512 = 8,
    CROSS_FASTS_AVX512 = 8,
    CROSS_BARS_AVX512 = 128, /* bars whose slow averages lie turned on the stack, 8 KiB */
};

/* Lanes beyond the last slow average get NaN: never below a fast one. */
static void cross_turn_avx512(double (*turned)[CROSS_LANES_AVX512], const double *slow,
                              int64_t lanes, int64_t n, int64_t count)
{
    for (int64_t lane = 0; lane < CROSS_LANES_AVX512; lane++)
        for (int64_t t = 0; t < count; t++)
            turned[t][lane] = lane < lanes ? slow[lane * n + t] : __builtin_nan("");
}

/* `fasts` is a constant in each caller, so that the products stay in registers. */
__attribute__((target("avx512f"), always_inline)) static inline void
cross_tile_avx512(const double (*turned)[CROSS_LANES_AVX512], const double *factor,
                  const double *fast, int64_t n, int fasts, int64_t count,
                  double (*product)[CROSS_LANES_AVX512])
{
    __m512d total[CROSS_FASTS_AVX512];
    for (int f = 0; f < fasts; f++) total[f] = _mm512_loadu_pd(product[f]);
    for (int64_t t = 0; t < count; t++) {
        __m512d slow = _mm512_loadu_pd(turned[t]), earned = _mm512_set1_pd(factor[t]);
#pragma GCC unroll 8
        for (int f = 0; f < fasts; f++) {
            __mmask8 above =
                _mm512_cmp_pd_mask(slow, _mm512_set1_pd(fast[f * n + t]), _CMP_LT_OQ);
            total[f] = _mm512_mask_mul_pd(total[f], above, total[f], earned);
        }
    }
    for (int f = 0; f < fasts; f++) _mm512_storeu_pd(product[f], total[f]);
}

__attribute__((target("avx512f"))) static void
cross_fasts_avx512(const double (*turned)[CROSS_LANES_AVX512], const double *factor,
                   const double *fast, int64_t n, int64_t nf, int64_t count,
                   double (*product)[CROSS_LANES_AVX512])
{
    switch (nf) {
    case 8:
        cross_tile_avx512(turned, factor, fast, n, 8, count, product);
        break;
    case 7:
        cross_tile_avx512(turned, factor, fast, n, 7, count, product);
        break;
    case 6:
        cross_tile_avx512(turned, factor, fast, n, 6, count, product);
        break;
    case 5:
        cross_tile_avx512(turned, factor, fast, n, 5, count, product);
        break;
    case 4:
        cross_tile_avx512(turned, factor, fast, n, 4, count, product);
        break;
    case 3:
        cross_tile_avx512(turned, factor, fast, n, 3, count, product);
        break;
    case 2:
        cross_tile_avx512(turned, factor, fast, n, 2, count, product);
        break;
    case 1:
        cross_tile_avx512(turned, factor, fast, n, 1, count, product);
        break;
    }
}

/* One group of fast averages over one block of bars; the products rest in out meanwhile. */
__attribute__((target("avx512f"))) static void
cross_group_avx512(const double (*turned)[CROSS_LANES_AVX512], const double *factor,
                   const double *fast, int64_t n, int64_t nf, int64_t count, double *out,
                   int64_t ns, __mmask8 lanes)
{
    double product[CROSS_FASTS_AVX512][CROSS_LANES_AVX512];
    for (int64_t f = 0; f < nf; f++)
        _mm512_storeu_pd(product[f], _mm512_maskz_loadu_pd(lanes, out + f * ns));
    cross_fasts_avx512(turned, factor, fast, n, nf, count, product);
    for (int64_t f = 0; f < nf; f++)
        _mm512_mask_storeu_pd(out + f * ns, lanes, _mm512_loadu_pd(product[f]));
}

__attribute__((target("avx512f"))) void
mill_cross_products_avx512(const double *factor, const double *fast, int64_t nf,
                           const double *slow, int64_t ns, int64_t n, double *out)
{
    double turned[CROSS_BARS_AVX512][CROSS_LANES_AVX512];
    int64_t groups = (nf + CROSS_FASTS_AVX512 - 1) / CROSS_FASTS_AVX512;
    for (int64_t i = 0; i < nf * ns; i++) out[i] = 1;
    for (int64_t s = 0; s < ns; s += CROSS_LANES_AVX512) {
        int64_t lanes = mill_least(CROSS_LANES_AVX512, ns - s);
        /* The signal of bar t decides on the factor of bar t + 2. */
        for (int64_t t = 0; t < n - 2; t += CROSS_BARS_AVX512) {
            int64_t count = mill_least(CROSS_BARS_AVX512, n - 2 - t);
            cross_turn_avx512(turned, slow + s * n + t, lanes, n, count);
            for (int64_t g = 0; g < groups; g++) {
                int64_t f = g * nf / groups, end = (g + 1) * nf / groups;
                cross_group_avx512(turned, factor + t + 2, fast + f * n + t, n, end - f, count,
                                   out + f * ns + s, ns, (__mmask8)((1 << lanes) - 1));
            }
        }
    }
}
#endif
