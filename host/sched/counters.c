/* counters: what a worker has done.
 * SPDX-License-Identifier: MIT */
#include "sched/counters.h"

static int64_t counted(const _Atomic int64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void mill_counters_inherit(struct mill_counters *to, const struct mill_counters *from)
{
    mill_count(&to->executed, counted(&from->executed));
    mill_count(&to->finished, counted(&from->finished));
    mill_count(&to->failed, counted(&from->failed));
    mill_count(&to->skipped, counted(&from->skipped));
    mill_count(&to->steals, counted(&from->steals));
    mill_count(&to->sleeps, counted(&from->sleeps));
    mill_count(&to->hits, counted(&from->hits));
    mill_count(&to->misses, counted(&from->misses));
    mill_count(&to->retries, counted(&from->retries));
    mill_count(&to->waits, counted(&from->waits));
    mill_count(&to->took, counted(&from->took));
}
