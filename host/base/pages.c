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

/* Bytes of a block that is kept: what half a million tasks of a run take.  AddressSanitizer is to see
 * who goes on to use a block that was given back. */
#ifdef __SANITIZE_ADDRESS__
enum { MOST_SPARE = 0 };
#else
enum { MOST_SPARE = 32 << 20 };
#endif

void *mill_spare_take(struct mill_spare *spare, size_t *size)
{
    if (spare->size < *size || *size < MILL_HUGE_PAGE) return mill_pages_new(*size);
    void *block = spare->block;
    *size = spare->size;
    *spare = (struct mill_spare){0};
    return block;
}

void mill_spare_give(struct mill_spare *spare, void *block, size_t size)
{
    if (size < MILL_HUGE_PAGE || size > MOST_SPARE || size <= spare->size) {
        free(block);
        return;
    }
    free(spare->block);
    *spare = (struct mill_spare){block, size};
}

void mill_spare_fini(struct mill_spare *spare)
{
    free(spare->block);
    *spare = (struct mill_spare){0};
}
