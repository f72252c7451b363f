/* placement: which worker a task is for, when it is not for any.
 * SPDX-License-Identifier: MIT */
#include "sched/placement.h"

#include "sched/mail.h"
#include "sched/mean.h"

/* Nanoseconds that a task is thought to take; 0: nobody knows. */
static int64_t estimate(const struct mill_function *function)
{
    const struct mill_mean *mean = function->mean;
    int64_t count = mean ? atomic_load_explicit(&mean->count, memory_order_relaxed) : 0;
    if (count > 0) {
        return atomic_load_explicit(&mean->nanoseconds, memory_order_relaxed) / count;
    }
    return function->cost == function->cost ? (int64_t)(function->cost * 1e9) : 0;
}

/* The worker that made the largest of a task's inputs; 0: none did. */
static int holder_of(const struct mill_task *task)
{
    const struct mill_run *run = task->run;
    size_t most = 0;
    int holder = 0;
    for (uint32_t i = 0; i < mill_task_inputs(task); i++) {
        struct mill_task *input = &run->tasks[run->inputs[task->first_input + i]];
        pthread_mutex_t *lock = run->content ? mill_run_lock(input) : NULL;
        if (lock) pthread_mutex_lock(lock);
        size_t size = 1 + (mill_task_has_value(input) ? mill_value_size(&input->result) : 0);
        if (lock) pthread_mutex_unlock(lock);
        if (input->worker && size > most) {
            most = size;
            holder = input->worker;
        }
    }
    return holder;
}

/* The worker where the task is predicted to end first; data held there decides between equals. */
static int least_loaded(struct mill_pool *pool, struct mill_task *task, int active)
{
    int best = 0, holder = holder_of(task) - 1;
    int64_t least = INT64_MAX, takes = estimate(mill_task_function(task));
    for (int i = 0; i < active; i++) {
        int64_t load = atomic_load_explicit(&pool->workers[i].load, memory_order_relaxed);
        if (load > least || (load == least && i != holder)) continue;
        least = load;
        best = i;
    }
    if (task->run->spans) {
        task->run->spans[task->index].begin = takes > 0 ? takes : 1000;
        atomic_fetch_add_explicit(&pool->workers[best].load,
                                  task->run->spans[task->index].begin, memory_order_relaxed);
    }
    return best;
}

bool mill_pool_place(struct mill_pool *pool, struct mill_worker *self, struct mill_task *task)
{
    int active = atomic_load_explicit(&pool->active, memory_order_relaxed), target = -1;
    uint64_t key = mill_task_function(task)->affinity;
    enum mill_strategy strategy = task->run->strategy;
    struct mill_worker *lane = mill_pool_lane(pool, mill_task_function(task)->lane);
    if (lane) {
        target = lane->index;
    } else if (strategy == MILL_PINNED) {
        target = task->worker - 1;
    } else if (key == MILL_FIRST_WORKER) {
        target = 0;
    } else if (key) {
        target = (int)(key % (uint64_t)active);
    } else if (strategy == MILL_ROUND_ROBIN) {
        target = (int)((task->index + task->run->turn) % (uint32_t)active);
    } else if (strategy == MILL_LOAD_BALANCED) {
        target = least_loaded(pool, task, active);
    } else if (strategy == MILL_AFFINITY) {
        target = holder_of(task) - 1;
        if (target >= active) target = -1; /* it takes no work any more */
    }
    if (target < 0) return false;
    (void)self;
    mill_worker_assign(&pool->workers[target], task);
    return true;
}
