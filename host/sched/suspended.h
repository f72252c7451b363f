/* suspended: tasks that wait while their worker runs others, and how they come back to it.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SUSPENDED_H
#define MILL_SUSPENDED_H

#include "sched/worker.h"

/* What is kept of a task that waits while its worker runs others. */
struct mill_suspended {
    struct mill_task *task;
    struct mill_call call;
    int64_t began;
    uint32_t places;
    struct mill_value *held;
    uint32_t held_count, held_room;
};

/* The running task's arguments are not kept: it has read them. */
void mill_worker_suspend(struct mill_worker *worker, struct mill_suspended *kept);
void mill_worker_resume(struct mill_worker *worker, struct mill_suspended *kept);
void mill_suspended_fini(struct mill_suspended *kept); /* of one that will not go on */

/* The `deliver` of waits whose owner is a worker: any thread. */
void mill_worker_resumable(struct mill_wait *wait);

/* For what follows, when one of them can go on. */
void mill_worker_resume_next(struct mill_worker *worker);

/* For the worker itself: true when a task that waited can go on: worker->resumed. */
static inline bool mill_worker_take_resumed(struct mill_worker *worker)
{
    /* Relaxed: as in mill_tasks_take. */
    if (worker->ready == NULL &&
        atomic_load_explicit(&worker->delivered, memory_order_relaxed) == NULL) {
        return false;
    }
    mill_worker_resume_next(worker);
    return true;
}

#endif
