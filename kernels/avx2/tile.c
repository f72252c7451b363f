/* tile, AVX2: the inner loop of matrix products; see kernels/tile_wide.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include "kernels/wide_avx2.h"

#include "kernels/tile_wide.h"
#endif
