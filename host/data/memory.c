/* memory: the account of bytes held in buffers.  SPDX-License-Identifier: MIT */
#include "data/memory.h"

#include <stddef.h>

void mill_memory_add(struct mill_memory *memory, int64_t bytes)
{
    if (memory == NULL) return;
    int64_t now =
        atomic_fetch_add_explicit(&memory->bytes, bytes, memory_order_relaxed) + bytes;
    int64_t peak = atomic_load_explicit(&memory->peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&memory->peak, &peak, now,
                                                                memory_order_relaxed,
                                                                memory_order_relaxed)) {}
}
