/* memory: the account of bytes held in buffers.  SPDX-License-Identifier: MIT */
#ifndef MILL_MEMORY_H
#define MILL_MEMORY_H

#include <stdatomic.h>
#include <stdint.h>

struct mill_memory {
    _Atomic int64_t bytes; /* now held; relaxed: a statistic */
    _Atomic int64_t peak;
};

void mill_memory_add(struct mill_memory *memory, int64_t bytes); /* NULL is fine */

#endif
