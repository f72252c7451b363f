/* hit: a task that the store has a result for: found, ended with it, and loaded for those who need it.
 * The worker's thread, but for mill_lookup_load (cache/lookup.h), which lives here too.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_HIT_H
#define MILL_HIT_H

#include "cache/lookup.h"

/* The reader of a worker, opened by its first use; NULL: no memory.  There is a store. */
struct mill_reader *mill_hit_reader(struct mill_lookup *lookup,
                                    struct mill_lookup_worker *mine);

/* Takes down what the store has for the task; false when it has nothing. */
bool mill_hit_find(struct mill_lookup *lookup, struct mill_lookup_worker *mine,
                   struct mill_task *task);

/* Ends the task with what the store has for it; false when it has nothing. */
bool mill_hit_end(struct mill_lookup *lookup, struct mill_worker *worker,
                  struct mill_lookup_worker *mine, struct mill_task *task);

/* For who asks for hits and misses of the run. */
void mill_hit_tell(const struct mill_task *task);

/* True when every input's value is in memory; else the task has been put behind those that
 * must run again. */
bool mill_hit_load_inputs(struct mill_lookup *lookup, struct mill_worker *worker,
                          struct mill_lookup_worker *mine, struct mill_task *task);

#endif
