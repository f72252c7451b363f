/* rescale, AVX2: the inner loop that standardises a row; see kernels/rescale_wide.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include "kernels/wide_avx2.h"

#include "kernels/rescale_wide.h"
#endif
