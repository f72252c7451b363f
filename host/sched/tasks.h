/* tasks: lists of ready tasks, linked through result.natural: a task on one has no result yet, and
 * is on no other.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_TASKS_H
#define MILL_TASKS_H

#include "sched/run.h"

/* Of one thread; the oldest first. */
struct mill_tasks {
    struct mill_task *first, *last;
};

static inline struct mill_task *mill_task_next(const struct mill_task *task)
{
    return (struct mill_task *)(uintptr_t)task->result.natural;
}

static inline void mill_task_link(struct mill_task *task, struct mill_task *next)
{
    task->result.natural = (uint64_t)(uintptr_t)next;
}

static inline void mill_tasks_append(struct mill_tasks *tasks, struct mill_task *task)
{
    mill_task_link(task, NULL);
    if (tasks->first) {
        mill_task_link(tasks->last, task);
    } else {
        tasks->first = task;
    }
    tasks->last = task;
}

/* Puts a task on a list that many push to and one takes whole. */
static inline void mill_tasks_post(struct mill_task *_Atomic *list, struct mill_task *task)
{
    struct mill_task *first = atomic_load_explicit(list, memory_order_relaxed);
    do {
        mill_task_link(task, first);
        /* The default order: pairs with the sleeper's second look, see park.h. */
    } while (!atomic_compare_exchange_weak(list, &first, task));
}

/* Takes a whole list; the oldest first. */
static inline struct mill_task *mill_tasks_take(struct mill_task *_Atomic *list)
{
    /* Relaxed: a stale look costs one more search.  Acquire: pairs with post. */
    if (atomic_load_explicit(list, memory_order_relaxed) == NULL) return NULL;
    struct mill_task *task = atomic_exchange_explicit(list, NULL, memory_order_acquire);
    struct mill_task *first = NULL;
    while (task) {
        struct mill_task *next = mill_task_next(task);
        mill_task_link(task, first);
        first = task;
        task = next;
    }
    return first;
}

#endif
