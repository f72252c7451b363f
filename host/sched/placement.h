/* placement: which worker a task is for, by its lane, its affinity or the strategy of its run.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_PLACEMENT_H
#define MILL_PLACEMENT_H

#include "sched/pool.h"

/* Hands the task to the worker that it is for; false: it is for any. */
bool mill_pool_place(struct mill_pool *pool, struct mill_worker *self, struct mill_task *task);

#endif
