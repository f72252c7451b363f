/* order_bodies: what the files of the family `order` share: keys, radix sorts, and the sort of
 * doubles that exists once per instruction set.
 * Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_ORDER_BODIES_H
#define MILL_KERNEL_ORDER_BODIES_H

#include "kernels/bodies.h"
#include "kernels/order.h"

/* Words that may lie where other types lie. */
typedef uint32_t mill_word32 __attribute__((may_alias));
typedef uint64_t mill_word64 __attribute__((may_alias));

/* ---- Radix sorts ------------------------------------------------------------------------ */

/* Sort n words by their bits from..to-1, words that are equal there in their old order.
 * Return where they ended: x or scratch. */
uint32_t *mill_radix32(uint32_t *x, uint32_t *scratch, int64_t n, int from, int to);
uint64_t *mill_radix64(uint64_t *x, uint64_t *scratch, int64_t n, int from, int to);

/* ---- Sorting doubles -------------------------------------------------------------------- */

/* Sorts n doubles, none of them NaN; scratch has n places.  0 and -0 come in any order. */
typedef void mill_sort_doubles(double *x, double *scratch, int64_t n);
mill_sort_doubles mill_sort_doubles_plain;
#ifdef MILL_KERNEL_X86
mill_sort_doubles mill_sort_doubles_avx2;
#endif

#endif
