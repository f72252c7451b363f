/* product: matrix products and outer products; without a BLAS they are what there is.
 * SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernels/bodies.h"
#include "kernels/matrix.h"
#include "kernels/tile_bodies.h"

enum {
    PRODUCT_ROWS = 144, /* of a that are packed at once: 288 KiB of the second-level cache */
    PRODUCT_COLUMNS = 1024, /* of b: 2 MiB of the third one */
    PLAIN_COLUMNS = 4,
};

/* Elements of a packed block of at most `most` out of `count` rows or columns in whole groups. */
static int64_t packed_size(int64_t count, int64_t most, int64_t group, int64_t k)
{
    int64_t whole = (mill_least(count, most) + group - 1) / group * group;
    return whole * mill_least(k, MILL_TILE_DEPTH);
}

int64_t tidemill_kernel_matmul_scratch(int64_t m, int64_t n, int64_t k)
{
    if (m < 0 || n < 0 || k < 0) return -1;
    return packed_size(n, PRODUCT_COLUMNS, MILL_TILE_WIDEST, k) +
           packed_size(m, PRODUCT_ROWS, MILL_TILE_ROWS, k);
}

#ifdef MILL_KERNEL_X86
#define WIDE_TILES(name)                                                                       \
    [MILL_ISA_AVX2] = &mill_tile_##name##_avx2, [MILL_ISA_AVX512] = &mill_tile_##name##_avx512
#elif defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
#define WIDE_TILES(name) [MILL_ISA_NEON] = &mill_tile_##name##_neon
#else
#define WIDE_TILES(name) [MILL_ISAS - 1] = NULL
#endif

#define APART(x, y, z) ((x) * (y) + (z))

#define TILE_IN_USE(name, real)                                                                \
    static mill_tile_sums_##name tile_plain_##name, tile_apart_##name;                         \
    static const struct mill_tile_##name *const wide_tiles_##name[MILL_ISAS] = {               \
        WIDE_TILES(name)};                                                                     \
    static struct mill_tile_##name tile_in_use_##name(void)                                    \
    {                                                                                          \
        const struct mill_tile_##name *wide = wide_tiles_##name[mill_kernel_isa_number()];     \
        if (!mill_fuses()) return (struct mill_tile_##name){PLAIN_COLUMNS, tile_apart_##name}; \
        return wide ? *wide : (struct mill_tile_##name){PLAIN_COLUMNS, tile_plain_##name};     \
    }                                                                                          \
    static real tile_one_nan_##name(real value)                                                \
    {                                                                                          \
        return value == value ? value : (real)__builtin_nan("");                               \
    }

TILE_IN_USE(f64, double)
TILE_IN_USE(f32, float)

#define REAL          double
#define FUSED         __builtin_fma
#define PRODUCT(name) name##_f64
#include "kernels/product_bodies.h"
#undef REAL
#undef FUSED
#undef PRODUCT

#define REAL          float
#define FUSED         __builtin_fmaf
#define PRODUCT(name) name##_f32
#include "kernels/product_bodies.h"
#undef REAL
#undef FUSED
#undef PRODUCT
#undef WIDE_TILES
#undef APART
#undef TILE_IN_USE
