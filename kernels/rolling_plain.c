/* rolling_plain: the plain bodies of rolling windows, which are the specification, and the choice
 * between those and the wider ones.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "kernels/rolling_bodies.h"

#undef MILL_WIDE_SET
#undef MILL_WIDE_BYTES
#undef MILL_TARGET
#define MILL_WIDE_SET   plain
#define MILL_WIDE_BYTES 8
#define MILL_TARGET
#include "kernels/wide.h"

#define LANES double
#define MASK  int64_t

static inline double window_root_plain(double value)
{
    return sqrt(value);
}

static inline double window_lesser_plain(double a, double b)
{
    return a < b ? a : b;
}

static inline double window_greater_plain(double a, double b)
{
    return a > b ? a : b;
}

#define WINDOW_FUSED_TARGET   MILL_FUSES
#define WINDOW_FUSED(x, y, z) __builtin_fma(x, y, z)

#ifdef __SSE2__
#define WINDOW_PUT 2
static inline void window_put_plain(const double *from, double *to)
{
    _mm_stream_pd(to, _mm_loadu_pd(from));
}
#endif

#include "kernels/rolling_wide.h"

#define WINDOW_TABLE(set)                                                                      \
    {                                                                                          \
        mill_window_totals_##set, mill_window_spread_##set, mill_window_cross_##set,           \
            mill_window_least_##set, mill_window_greatest_##set, mill_window_scaled_##set,     \
            mill_window_finish_##set, mill_window_average_##set, mill_window_few_##set,        \
            mill_window_fours_##set, mill_window_scores_##set, mill_window_ratios_##set,       \
            mill_window_all_finite_##set, mill_group_scales_##set, mill_group_pairs_##set,     \
            mill_group_put_##set                                                               \
    }

static const struct mill_window_bodies window_tables[MILL_ISAS] = {
    [MILL_ISA_PLAIN] = WINDOW_TABLE(plain),
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = WINDOW_TABLE(avx2),
    [MILL_ISA_AVX512] = WINDOW_TABLE(avx512),
#elif defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
    [MILL_ISA_NEON] = WINDOW_TABLE(neon),
#endif
};

const struct mill_window_bodies *mill_window_bodies(void)
{
    const struct mill_window_bodies *bodies = &window_tables[mill_kernel_isa_number()];
    return bodies->totals ? bodies : &window_tables[MILL_ISA_PLAIN];
}
