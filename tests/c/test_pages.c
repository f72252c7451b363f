/* test_pages: blocks on huge pages, and the one that is kept for the next user.
 * SPDX-License-Identifier: MIT */
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void blocks_are_aligned_and_writable(void)
{
    static const size_t sizes[] = {1, 63, 4097, MILL_HUGE_PAGE - 1, MILL_HUGE_PAGE, 5000001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = mill_pages_new(sizes[i]);
        CHECK(block != NULL);
        CHECK((uintptr_t)block % (sizes[i] < MILL_HUGE_PAGE ? 64 : MILL_HUGE_PAGE) == 0);
        memset(block, 1, sizes[i]);
        free(block);
    }
    CHECK(mill_pages_new(SIZE_MAX - 5) == NULL);
}

/* Takes a block of `wanted` bytes, and writes to all that it is said to have. */
static void *take(struct mill_spare *spare, size_t wanted, size_t *size)
{
    *size = wanted;
    void *block = mill_spare_take(spare, size);
    CHECK(block != NULL && *size >= wanted);
    memset(block, 7, *size);
    return block;
}

static void a_spare_block_goes_to_the_next_that_it_is_large_enough_for(void)
{
    struct mill_spare spare = {0};
    size_t large = 3 * (size_t)MILL_HUGE_PAGE + 100, size;
    void *first = take(&spare, large, &size), *small = take(&spare, 1000, &size);
    mill_spare_give(&spare, small, 1000);
    CHECK(spare.block == NULL);
    mill_spare_give(&spare, first, large);
#ifndef __SANITIZE_ADDRESS__
    CHECK(spare.block == first && spare.size == large);
    void *more = take(&spare, large + 1, &size);
    CHECK(more != first && size == large + 1 && spare.block == first);
    void *again = take(&spare, MILL_HUGE_PAGE, &size);
    CHECK(again == first && size == large && spare.block == NULL);
    mill_spare_give(&spare, again, size);
    mill_spare_give(&spare, more, large + 1); /* the larger one stays */
    CHECK(spare.block == more && spare.size == large + 1);
    void *little = take(&spare, 1000, &size); /* not for so few bytes */
    CHECK(little != more && size == 1000);
    mill_spare_give(&spare, little, size);
    mill_spare_give(&spare, mill_pages_new(33 << 20), 33 << 20); /* too much to keep */
    CHECK(spare.block == more);
#endif
    mill_spare_fini(&spare);
    CHECK(spare.block == NULL && spare.size == 0);
    mill_spare_fini(&spare);
}

int main(void)
{
    RUN(blocks_are_aligned_and_writable);
    RUN(a_spare_block_goes_to_the_next_that_it_is_large_enough_for);
    return check_end();
}
