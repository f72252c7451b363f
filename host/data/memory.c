/* memory: the account of bytes held in buffers, and the limit.  SPDX-License-Identifier: MIT */
#include "data/memory.h"

#include <stddef.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "base/pages.h"

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

void mill_memory_hold(struct mill_memory *memory)
{
    if (memory) atomic_fetch_add_explicit(&memory->holders, 1, memory_order_relaxed);
}

void mill_memory_leave(struct mill_memory *memory)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (memory && atomic_fetch_sub_explicit(&memory->holders, 1, memory_order_acq_rel) == 0) {
        memory->gone(memory);
    }
}

int64_t mill_memory_reserve(const struct mill_memory *memory)
{
    if (mill_memory_pressure(memory) > MILL_PRESSURE_NONE) return 0;
    if (memory->limit == 0 || memory->limit / 16 > MILL_RESERVE_BYTES)
        return MILL_RESERVE_BYTES;
    return memory->limit / 16;
}

struct mill_pages mill_memory_take(struct mill_memory *memory, size_t length)
{
    struct mill_pages pages = {0};
    if (memory) pages = mill_reserve_take(&memory->reserve, length);
    if (pages.data == NULL) {
        pages.data = mill_pages_map(length);
        pages.length = length;
    }
    return pages;
}

void mill_memory_give(struct mill_memory *memory, struct mill_pages pages)
{
    if (memory) {
        mill_reserve_put(&memory->reserve, pages, mill_memory_reserve(memory));
    } else {
        munmap(pages.data, pages.length);
    }
}

void mill_memory_close(struct mill_memory *memory)
{
    mill_reserve_close(&memory->reserve);
}

void mill_memory_set_limit(struct mill_memory *memory, int64_t limit,
                           const double shares[MILL_PRESSURES])
{
    memory->limit = limit;
    for (int i = MILL_PRESSURE_TARGET; i < MILL_PRESSURES; i++) {
        memory->marks[i] = limit > 0 ? (int64_t)(shares[i] * (double)limit) : INT64_MAX;
    }
}

int64_t mill_memory_used(const struct mill_memory *memory)
{
    int64_t used = atomic_load_explicit(&memory->bytes, memory_order_relaxed) +
                   atomic_load_explicit(&memory->other, memory_order_relaxed) +
                   mill_reserve_bytes(&memory->reserve);
    return used > 0 ? used : 0;
}

/* The pause ends half-way down to where spilling begins: it would come and go with every buffer
 * otherwise. */
static int pressure_of(const struct mill_memory *memory, int64_t used, int before)
{
    int pressure = MILL_PRESSURE_NONE;
    while (pressure + 1 < MILL_PRESSURES && used > memory->marks[pressure + 1]) pressure++;
    if (pressure < MILL_PRESSURE_PAUSE && before >= MILL_PRESSURE_PAUSE) {
        int64_t spill = memory->marks[MILL_PRESSURE_SPILL];
        int64_t end = spill + (memory->marks[MILL_PRESSURE_PAUSE] - spill) / 2;
        if (used > end) pressure = MILL_PRESSURE_PAUSE;
    }
    return pressure;
}

void mill_memory_update(struct mill_memory *memory)
{
    if (memory->limit == 0) return;
    int before = atomic_load_explicit(&memory->pressure, memory_order_relaxed);
    int after = pressure_of(memory, mill_memory_used(memory), before);
    if (after > MILL_PRESSURE_NONE && mill_reserve_bytes(&memory->reserve) > 0) {
        mill_reserve_drop(&memory->reserve);
        after = pressure_of(memory, mill_memory_used(memory), before);
    }
    if (after == before ||
        !atomic_compare_exchange_strong_explicit(&memory->pressure, &before, after,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        return; /* or somebody else has just set it */
    }
    if (before < MILL_PRESSURE_PAUSE && after >= MILL_PRESSURE_PAUSE) {
        atomic_fetch_add_explicit(&memory->pauses, 1, memory_order_relaxed);
    }
    if (memory->changed) {
        memory->changed(memory->context, (enum mill_pressure)before, (enum mill_pressure)after);
    }
}

void mill_memory_look(struct mill_memory *memory, int64_t now)
{
    if (memory->limit == 0) return;
    int64_t last = atomic_load_explicit(&memory->measured, memory_order_relaxed);
    if (now - last >= MILL_MEMORY_INTERVAL &&
        atomic_compare_exchange_strong_explicit(&memory->measured, &last, now,
                                                memory_order_relaxed, memory_order_relaxed)) {
        int64_t bytes = atomic_load_explicit(&memory->bytes, memory_order_relaxed);
        int64_t resident = mill_machine_process_memory();
        if (resident >= 0) {
            int64_t reserve = mill_reserve_bytes(&memory->reserve);
            atomic_store_explicit(&memory->other, resident - bytes - reserve,
                                  memory_order_relaxed);
        }
    }
    mill_memory_update(memory);
}
