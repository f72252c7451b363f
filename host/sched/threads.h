/* threads: the threads of a pool's workers: those of the pool start with its first run, a lane's
 * with the first run that has tasks for it.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_THREADS_H
#define MILL_THREADS_H

#include "sched/pool.h"

/* Starts them all, or none; under the pool's mutex, for two threads may submit the first run. */
tidemill_status mill_pool_start(struct mill_pool *pool, struct mill_error *error);

/* Starts those of the lanes that a run has tasks for.  A lane that nobody asked for by name and
 * that cannot start is lost instead. */
tidemill_status mill_pool_start_lanes(struct mill_pool *pool, const struct mill_run *run,
                                      struct mill_error *error);

void mill_pool_stop(struct mill_pool *pool); /* stops and joins the threads */

/* Calls the worker of a lane (mill_worker_call), should its thread have started. */
void mill_pool_call_lane(struct mill_pool *pool, struct mill_worker *worker);

#endif
