/* tile, AVX-512: the inner loop of matrix products; see kernels/tile_wide.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include <immintrin.h>

#include "kernels/wide_avx512.h"

#define MILL_ALL_f64(x)         _mm512_set1_pd(x)
#define MILL_ALL_f32(x)         _mm512_set1_ps(x)
#define MILL_FUSED_f64(x, y, z) _mm512_fmadd_pd(x, y, z)
#define MILL_FUSED_f32(x, y, z) _mm512_fmadd_ps(x, y, z)
#include "kernels/tile_wide.h"
#undef MILL_ALL_f64
#undef MILL_ALL_f32
#undef MILL_FUSED_f64
#undef MILL_FUSED_f32
#endif
