/* wide_avx2: see kernels/wide.h.  SPDX-License-Identifier: MIT */
#undef MILL_WIDE_SET
#undef MILL_WIDE_BYTES
#undef MILL_TARGET
#define MILL_WIDE_SET   avx2
#define MILL_WIDE_BYTES 32
#define MILL_TARGET     __attribute__((target("avx2")))
#include "kernels/wide.h"
