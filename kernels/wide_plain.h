/* wide_plain: see kernels/wide.h.  Two doubles: what the compiler makes of it without being asked
 * for more than the machine's baseline (SSE2, NEON, or one after the other).
 * SPDX-License-Identifier: MIT */
#undef MILL_WIDE_SET
#undef MILL_WIDE_BYTES
#undef MILL_TARGET
#define MILL_WIDE_SET   plain
#define MILL_WIDE_BYTES 16
#define MILL_TARGET
#include "kernels/wide.h"
