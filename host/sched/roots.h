/* roots: how runs are submitted to a pool, and their first tasks, which wait for no other, taken by
 * workers.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ROOTS_H
#define MILL_ROOTS_H

#include "sched/pool.h"

/* Starts a run; starts the threads the first time.  `worker`: the one whose task submits it, NULL:
 * the script. */
tidemill_status mill_pool_submit(struct mill_pool *pool, struct mill_run *run,
                                 struct mill_worker *worker, struct mill_error *error);

/* For workers: the next root of the oldest run that has some of the level; more of them may lie in
 * the worker's deque then.  NULL: there is none. */
struct mill_task *mill_pool_take_roots(struct mill_worker *worker, int level);

#endif
