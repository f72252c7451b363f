/* await: the script's thread waits: for a run, for something of its own, or for all runs.  In a
 * serial pool it drives the worker meanwhile.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_AWAIT_H
#define MILL_AWAIT_H

#include "sched/pool.h"

/* Waits until `run` has ended, `deadline` (CLOCK_MONOTONIC nanoseconds; INT64_MAX: none) has
 * passed or the pool was interrupted; true when it has ended.  Drives the worker of a serial
 * pool.  Not for tasks. */
bool mill_pool_wait(struct mill_pool *pool, struct mill_run *run, int64_t deadline);

/* The same for all runs there are. */
bool mill_pool_wait_all(struct mill_pool *pool, int64_t deadline);

/* The same for a parked wait of the script (its deliver is mill_pool_wake_script): until something
 * has fired or there is a reason. */
bool mill_pool_wait_for(struct mill_pool *pool, struct mill_wait *wait, int64_t deadline);
void mill_pool_wake_script(struct mill_wait *wait); /* owner: the pool */

/* Whether a run has ended, something has come for a wait, or (both NULL) all runs have ended. */
bool mill_pool_is_over(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait);

/* Whether a thread that only looks for work takes no CPU from one that has some. `script`: the
 * script's thread asks. */
bool mill_pool_may_spin(struct mill_pool *pool, bool script);

/* Any thread and signal handlers: waits end early until mill_pool_resume. */
void mill_pool_interrupt(struct mill_pool *pool);
void mill_pool_resume(struct mill_pool *pool);

#endif
