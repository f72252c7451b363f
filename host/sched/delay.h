/* delay: a ready task that looks again after a while: its hook waits for what no event tells of.
 * No worker waits with it.  SPDX-License-Identifier: MIT */
#ifndef MILL_DELAY_H
#define MILL_DELAY_H

#include "sched/run.h"

struct mill_delay {
    struct mill_timer timer; /* first: its address is the delay's */
    struct mill_task *task;
    struct mill_delay *next, *previous; /* of the run's; guarded by its retry_lock */
};

/* Hands the task to its pool at `when` (CLOCK_MONOTONIC nanoseconds), or as soon as its run is
 * cancelled; who does may end it and its run at once.  False: no memory, or it is cancelled. */
bool mill_delay_start(struct mill_task *task, int64_t when);

/* Whether a timer is a delay's. */
bool mill_delay_is_of(const struct mill_timer *timer);

/* Those that a closed pool has left. */
void mill_delays_free(struct mill_run *run);

#endif
