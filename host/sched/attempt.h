/* attempt: one go of a task on a worker: how it is begun, and how it ends: finished, failed, skipped,
 * cancelled, answered by a cache, or put back to be begun again.  All functions are the worker's
 * thread's own, where nothing else is said.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ATTEMPT_H
#define MILL_ATTEMPT_H

#include "sched/worker.h"

/* Begins a task: true when the worker's driver is to run its body, as worker->call describes it; all
 * else is done, and the task and its run may be gone. */
bool mill_worker_begin(struct mill_worker *worker, struct mill_task *task);

/* Ends the running task; the reference in `result` passes to it.  For a failed one `result` is
 * the error. */
void mill_worker_finish(struct mill_worker *worker, enum mill_state state,
                        struct mill_value result);

/* The same, of one that counts neither as finished nor as failed. */
void mill_worker_conclude(struct mill_worker *worker, enum mill_state state,
                          struct mill_value result);

/* The running task has failed: puts it back, to be tried again after a while, and returns true,
 * when its function's rule has attempts left. */
bool mill_worker_retry(struct mill_worker *worker);

/* The running task was lost through nobody's fault that can be told: puts it back, to be begun again
 * at once, and returns true, unless that has happened `most` times. */
bool mill_worker_again(struct mill_worker *worker, int most);

/* Number of the running task's attempt, from 1, and how long the earlier ones took (NULL at the
 * first). */
int mill_worker_attempt(const struct mill_worker *worker, const double **seconds);

/* For hooks: ends a task with a result that was there already. */
void mill_worker_hit(struct mill_worker *worker, struct mill_task *task,
                     struct mill_value result);

/* For hooks: ends a task without running it. */
void mill_worker_complete(struct mill_worker *worker, struct mill_task *task,
                          enum mill_state state, struct mill_value result);

/* Any thread: the name of the task that runs there, as long as the means live, which are the engine's;
 * NULL: none does. */
const char *mill_worker_doing(struct mill_worker *worker);

/* The task is the running one; NULL: none is. */
void mill_worker_take_up(struct mill_worker *worker, struct mill_task *task);

/* ---- the run -------------------------------------------------------------------------------- */

/* What the worker ends from now on are tasks of this run. */
void mill_worker_turn_to(struct mill_worker *worker, struct mill_run *run);

/* Tells the run which tasks this worker has ended.  Before a worker does anything else than run
 * tasks of that run: a run that has ended must not wait for it. */
void mill_worker_settle(struct mill_worker *worker);

#endif
