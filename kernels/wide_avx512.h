/* wide_avx512: see kernels/wide.h.  SPDX-License-Identifier: MIT */
#undef MILL_WIDE_SET
#undef MILL_WIDE_BYTES
#undef MILL_TARGET
#define MILL_WIDE_SET   avx512
#define MILL_WIDE_BYTES 64
#define MILL_TARGET     __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw")))
#include "kernels/wide.h"
