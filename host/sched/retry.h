/* retry: tasks that failed and are tried again after a while.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_RETRY_H
#define MILL_RETRY_H

#include "sched/run.h"

struct mill_retry {
    struct mill_timer timer; /* first: its address is the retry's */
    struct mill_task *task;
    struct mill_retry *next; /* in its list of the run; guarded by the run's retry_lock */
    int attempts;            /* that have ended; the worker's that has the task */
    int lost;                /* attempts that were lost and do not count; the same */
    double *seconds;         /* how long each took; owned */
};

/* What is known of a task that has failed before; NULL: nothing. */
struct mill_retry *mill_retry_find(struct mill_task *task);

/* Takes down that an attempt of `seconds` has failed; NULL: no memory. */
struct mill_retry *mill_retry_note(struct mill_task *task, double seconds);

/* Takes down that an attempt was lost; how many were.  0: no memory. */
int mill_retry_note_lost(struct mill_task *task);

/* Starts the wait for the next attempt: its timer hands the task to the pool, and who does may end
 * it and its run at once.  False: no memory, or the run was cancelled. */
bool mill_retry_start(struct mill_retry *retry, int64_t when);

/* Seconds until the next attempt; `draw` is a random number in [0, 1). */
double mill_retry_delay(const struct mill_retry_rule *rule, int attempts, double draw);

/* Whether a timer is a retry's. */
bool mill_retry_is_of(const struct mill_timer *timer);

void mill_retries_free(struct mill_run *run);

#endif
