/* parked: the waits that are parked in a pool, of tasks and of the script, and the end of those
 * that never could end: when nobody can go on, the newest is told so.  All are for any thread.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_PARKED_H
#define MILL_PARKED_H

#include "sched/pool.h"

/* Parks a wait, which stays on the pool's list until mill_pool_unpark; false: it need not wait. */
bool mill_pool_park(struct mill_pool *pool, struct mill_wait *wait);
void mill_pool_unpark(struct mill_pool *pool, struct mill_wait *wait);

/* Between block and unblock the script waits for ever: for `run`, for `wait`, or (both NULL) for
 * all runs.  When no worker can go on either, and what it waits for has not come, waits that could
 * never end are ended. */
void mill_pool_block(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait);
void mill_pool_unblock(struct mill_pool *pool);

/* The thread of a serial pool, should it sleep, looks again. */
void mill_pool_wake_serial(struct mill_pool *pool);

/* An operation outside the pool begins, before anybody can wait for it; has ended, after its link
 * was fired. */
void mill_pool_enter_outside(struct mill_pool *pool);
void mill_pool_leave_outside(struct mill_pool *pool);

/* When nobody can go on ends a wait that never could end otherwise, and returns true. */
bool mill_pool_unstick(struct mill_pool *pool);

#endif
