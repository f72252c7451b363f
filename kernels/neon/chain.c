/* chain, NEON: see kernels/chain_wide.h.  SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
#include "kernels/wide_neon.h"

#include "kernels/chain_wide.h"
#endif
