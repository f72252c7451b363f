/* wide: vectors of one instruction set, for bodies that are written once and compiled for each.
 * A file such as kernels/avx2/reduce.c says which and includes the bodies:
 *
 *     #include "kernels/wide_avx2.h"
 *     #include "kernels/reduce_wide.h"
 *
 * where reduce_wide.h names each function MILL_WIDE(name), which becomes name_avx2, and puts
 * MILL_TARGET before it.  MILL_WIDE_BYTES is the size of a register.  The vectors are the
 * compiler's own: + - * / and comparisons work element by element and round as the scalar ones
 * do, so that a wide body gives the bits of the plain one.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WIDE_SET
#error "include kernels/wide_avx2.h or one of its like"
#endif
#include <stdint.h>

#include "kernels/bodies.h"

#undef MILL_PASTE2
#undef MILL_PASTE
#undef MILL_WIDE
#define MILL_PASTE2(name, set) name##_##set
#define MILL_PASTE(name, set)  MILL_PASTE2(name, set)
#define MILL_WIDE(name)        MILL_PASTE(name, MILL_WIDE_SET)

/* A register of 8 bytes is one double: no vector. */
#if MILL_WIDE_BYTES > 8
/* aligned(1..8): they may be read from and written to any address that suits an element;
 * may_alias: from any type. */
#undef MILL_VECTOR
#define MILL_VECTOR(type)                                                                      \
    typedef type MILL_WIDE(mill_##type##_vector)                                               \
        __attribute__((vector_size(MILL_WIDE_BYTES), aligned(sizeof(type)), may_alias))
MILL_VECTOR(double);
MILL_VECTOR(float);
MILL_VECTOR(int64_t);
MILL_VECTOR(int32_t);
MILL_VECTOR(uint64_t);
MILL_VECTOR(uint32_t);
MILL_VECTOR(uint8_t);
#endif
