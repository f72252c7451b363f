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
