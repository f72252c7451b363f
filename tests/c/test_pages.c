/* test_pages: blocks and mappings on huge pages.
 * SPDX-License-Identifier: MIT */
#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static void mappings_begin_on_huge_pages_and_are_zeros(void)
{
    static const size_t sizes[] = {4096, MILL_HUGE_PAGE, 3 * (size_t)MILL_HUGE_PAGE + 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *pages = mill_pages_map(sizes[i]);
        CHECK(pages != NULL);
        CHECK((uintptr_t)pages % (sizes[i] < MILL_HUGE_PAGE ? 4096 : MILL_HUGE_PAGE) == 0);
        CHECK(pages[0] == 0 && pages[sizes[i] - 1] == 0);
        memset(pages, 1, sizes[i]);
        CHECK(munmap(pages, sizes[i]) == 0);
    }
    CHECK(mill_pages_map(SIZE_MAX - 4095) == NULL);
}

int main(void)
{
    RUN(blocks_are_aligned_and_writable);
    RUN(mappings_begin_on_huge_pages_and_are_zeros);
    return check_end();
}
