/* pages: blocks on huge pages.  SPDX-License-Identifier: MIT */
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

void *mill_pages_new(size_t size)
{
    size_t unit = size < MILL_HUGE_PAGE ? 64 : MILL_HUGE_PAGE;
    if (size > SIZE_MAX - unit) return NULL;
    size_t whole = (size + unit - 1) / unit * unit;
    void *block = aligned_alloc(unit, whole);
    /* Only advice: without it all works, more slowly. */
    if (block && unit == MILL_HUGE_PAGE) madvise(block, whole, MADV_HUGEPAGE);
    return block;
}

void *mill_pages_map(size_t length)
{
    size_t more = length >= MILL_HUGE_PAGE ? MILL_HUGE_PAGE : 0;
    if (length > SIZE_MAX - more) return NULL;
    uint8_t *data =
        mmap(NULL, length + more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return NULL;
    if (more == 0) return data;
    size_t before = -(uintptr_t)data % MILL_HUGE_PAGE;
    if (before) munmap(data, before);
    if (more - before) munmap(data + before + length, more - before);
    madvise(data + before, length, MADV_HUGEPAGE); /* only advice */
    return data + before;
}
