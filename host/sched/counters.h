/* counters: what a worker has done.  Each is written by one thread and read by anybody.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_COUNTERS_H
#define MILL_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

struct mill_counters {
    _Atomic int64_t executed, finished, failed, skipped, steals, sleeps, hits, misses, retries,
        waits;
    _Atomic int64_t idle; /* nanoseconds asleep */
    _Atomic int64_t
        took; /* nanoseconds of attempts, where they are measured: on every lane's worker */
};

static inline void mill_count(_Atomic int64_t *counter, int64_t number)
{
    /* One writer: no read-modify-write is needed. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + number,
                          memory_order_relaxed);
}

static inline void mill_count_up(_Atomic int64_t *counter)
{
    mill_count(counter, 1);
}

/* What another worker has counted, but for its idle time, counts as this one's. */
void mill_counters_inherit(struct mill_counters *to, const struct mill_counters *from);

#endif
