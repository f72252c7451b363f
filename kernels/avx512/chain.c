/* chain, AVX-512: see kernels/chain_wide.h.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_X86
#include "kernels/wide_avx512.h"

#include "kernels/chain_wide.h"
#endif
