/* outcome: what becomes of the result of a task that has run: it gets its content hash, and is kept when
 * all that it rests on is known and still so.  The worker's thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_OUTCOME_H
#define MILL_OUTCOME_H

#include "cache/lookup.h"

/* The value stays the task's. */
void mill_outcome_take(struct mill_lookup *lookup, struct mill_lookup_worker *mine,
                       struct mill_task *task, const struct mill_value *value);

#endif
