/* reduce, AVX-512: see kernels/reduce_wide.h.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include "kernels/wide_avx512.h"
/* Written once for all sets. */
#include "kernels/reduce_wide.h"
#endif
