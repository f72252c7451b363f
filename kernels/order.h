/* order: sorting, searching and selecting.
 * Read by C and by ffi.cdef from this one text, as kernels.h is.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_KERNELS_ORDER_H
#define TIDEMILL_KERNELS_ORDER_H
#include "kernels/kernels.h"

#endif
