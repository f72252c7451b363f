/* birth: whether this process is still the one in which something began.
 * The kernel wipes the marked page in a child; where it cannot, processes are compared, which is a
 * system call.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/birth.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MARK_SIZE = 4096 };

void mill_birth_init(struct mill_birth *birth)
{
    birth->process = getpid();
    birth->mark = NULL;
#ifdef MADV_WIPEONFORK
    unsigned *mark =
        mmap(NULL, MARK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED) return;
    if (madvise(mark, MARK_SIZE, MADV_WIPEONFORK) != 0) {
        munmap(mark, MARK_SIZE);
        return;
    }
    *mark = 1;
    birth->mark = mark;
#endif
}

void mill_birth_fini(struct mill_birth *birth)
{
    if (birth->mark) munmap((void *)birth->mark, MARK_SIZE);
    birth->mark = NULL;
}

bool mill_birth_is_here(const struct mill_birth *birth)
{
    return birth->mark ? *birth->mark == 1 : getpid() == birth->process;
}
