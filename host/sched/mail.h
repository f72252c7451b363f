/* mail: what other threads hand to one worker: tasks that it alone is to run, and calls for its
 * driver's attention.  A worker without work looks at its mail once more before it sleeps.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_MAIL_H
#define MILL_MAIL_H

#include "sched/worker.h"

/* Hands a task to a worker for itself alone; any thread. */
void mill_worker_assign(struct mill_worker *worker, struct mill_task *task);

/* The worker's driver is told MILL_NEXT_CALLED between two tasks; any thread.  Calls that it has not
 * been told of yet are one. */
void mill_worker_call(struct mill_worker *worker);

/* Whether there is any that the worker has not looked at, waits that are over included. */
bool mill_worker_has_mail(struct mill_worker *worker);

/* ---- for the worker itself ---------------------------------------------------------------- */

/* The tasks that have come lie by level from then on. */
static inline void mill_worker_sort_inbox(struct mill_worker *worker)
{
    struct mill_task *task = mill_tasks_take(&worker->inbox);
    while (task) {
        struct mill_task *next = mill_task_next(task);
        mill_tasks_append(&worker->assigned[mill_task_level(task)], task);
        worker->assigned_count++;
        task = next;
    }
}

/* The oldest of a level; NULL: there is none. */
static inline struct mill_task *mill_worker_take_assigned(struct mill_worker *worker, int level)
{
    struct mill_task *task = worker->assigned[level].first;
    if (task == NULL) return NULL;
    worker->assigned[level].first = mill_task_next(task);
    worker->assigned_count--;
    return task;
}

/* True once for each call. */
static inline bool mill_worker_is_called(struct mill_worker *worker)
{
    /* Relaxed: the second look of a worker that wants to sleep is not. */
    return atomic_load_explicit(&worker->called, memory_order_relaxed) &&
           atomic_exchange(&worker->called, false);
}

#endif
