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

/* One block that its last user has given back, for the next one: a fresh page is cleared by the kernel
 * first, and on a virtual machine its host may have to find it, which takes longer than to write to it.
 * Zeros: none.  One thread at a time. */
struct mill_spare {
    void *block;
    size_t size;
};

/* A block of mill_pages_new of at least *size bytes, which becomes how many it has. */
void *mill_spare_take(struct mill_spare *spare, size_t *size);

/* Gives back a block of `size` bytes, which may be kept. */
void mill_spare_give(struct mill_spare *spare, void *block, size_t size);
void mill_spare_fini(struct mill_spare *spare);

#endif
