/* miss: why a task is not answered from the cache.  SPDX-License-Identifier: MIT */
#ifndef MILL_MISS_H
#define MILL_MISS_H

#include "cache/inquiry.h"
#include "cache/lookup.h"

/* Finds out, and adds it to the inquiry of the task's run.  `again`: the store has lost its result in
 * this run.  The reader is the calling thread's. */
void mill_miss_note(struct mill_lookup *lookup, struct mill_reader *reader,
                    struct mill_task *task, const struct mill_called *called, bool again);

#endif
