/* wide_neon: see kernels/wide.h.  SPDX-License-Identifier: MIT */
#undef MILL_WIDE_SET
#undef MILL_WIDE_BYTES
#undef MILL_TARGET
#define MILL_WIDE_SET   neon
#define MILL_WIDE_BYTES 16
#define MILL_TARGET     /* every aarch64 has it */
#include "kernels/wide.h"
