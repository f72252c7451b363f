/* pages: large blocks of memory, on huge pages where the kernel gives them when asked
 * (/sys/kernel/mm/transparent_hugepage/enabled says "madvise" or "always"): fewer faults and fewer
 * misses of the TLB for those who go through all of it.  SPDX-License-Identifier: MIT */
#ifndef MILL_PAGES_H
#define MILL_PAGES_H

#include <stddef.h>

enum { MILL_HUGE_PAGE = 2 << 20 };

/* A block aligned to 64 bytes, and from the size of a huge page on to that; free() frees it. NULL: no
 * memory. */
void *mill_pages_new(size_t size);

/* Zeros, `length` bytes, a multiple of a page; munmap() gives them back.  From the size of a huge page
 * on they begin on one.  NULL: no memory. */
void *mill_pages_map(size_t length);

#endif
