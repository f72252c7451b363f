/* roots: the tasks of runs that wait for no other, and how they come to workers.
 *
 * DESIGN.  The roots of a run that the script starts are not pushed by it: workers take them in
 * batches, in order, so that a million leaves cost no queue and few results are alive at once.
 * Those of a run that a task starts go into its worker's own deque, so that work is done depth
 * first however deep tasks start tasks.
 * SPDX-License-Identifier: MIT */
#include "sched/roots.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sched/placement.h"
#include "sched/threads.h"

enum { ROOT_BATCH = 64 };

/* ---- queues ---------------------------------------------------------------------------- */

/* Under the mutex, all three. */
static int next_level(const struct mill_run *run)
{
    int level = MILL_LEVELS - 1;
    while (run->next_root >= run->level_end[level]) level--;
    return level;
}

static void enqueue_run(struct mill_pool *pool, struct mill_run *run)
{
    int level = next_level(run);
    struct mill_run_queue *queue = &pool->queues[level];
    run->next_queued = NULL;
    if (queue->first) {
        queue->last->next_queued = run;
    } else {
        queue->first = run;
    }
    queue->last = run;
    /* The default order: pairs with the sleeper's second look, see park.h. */
    atomic_fetch_or(&pool->queued, 1u << level);
}

static void dequeue_run(struct mill_pool *pool, int level)
{
    struct mill_run_queue *queue = &pool->queues[level];
    queue->first = queue->first->next_queued;
    if (queue->first == NULL) atomic_fetch_and(&pool->queued, ~(1u << level));
}

/* ---- submitting ------------------------------------------------------------------------ */

/* The roots of a run that a task starts, and of one whose tasks have their workers: the first one
 * comes out of a deque first. */
static void push_roots(struct mill_pool *pool, struct mill_run *run, struct mill_worker *worker)
{
    for (uint32_t i = run->root_count; i-- > 0;) {
        uint32_t at = run->placed ? run->root_count - 1 - i : i;
        struct mill_task *task = &run->tasks[run->roots[at]];
        if (run->placed && mill_pool_place(pool, worker, task)) continue;
        if (worker) {
            mill_worker_add(worker, task);
        } else {
            mill_pool_inject(pool, task);
        }
    }
}

/* Puts the roots that are for lanes behind the others, which keep their order; false: no memory. */
static bool part_roots(struct mill_pool *pool, struct mill_run *run)
{
    uint32_t kept = 0, from = 0, lanes = 0;
    uint32_t *aside = malloc((run->root_count + 1) * sizeof *aside);
    if (aside == NULL) return false;
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        for (; from < run->level_end[level]; from++) {
            uint32_t root = run->roots[from];
            bool lane = mill_pool_lane(pool, mill_task_function(&run->tasks[root])->lane);
            if (lane) {
                aside[lanes++] = root;
            } else {
                run->roots[kept++] = root;
            }
        }
        run->level_end[level] = kept;
    }
    memcpy(run->roots + kept, aside, lanes * sizeof *aside);
    run->root_count = kept;
    run->lane_roots = lanes;
    free(aside);
    return true;
}

/* Notes what functions the run has, which says how its tasks are placed; whether some are for lanes. */
static bool look_at_functions(struct mill_pool *pool, struct mill_run *run)
{
    bool lanes = false;
    run->placed = run->strategy != MILL_DYNAMIC;
    if (run->strategy == MILL_ROUND_ROBIN) {
        run->turn =
            atomic_fetch_add_explicit(&pool->next_turn, run->count, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < run->function_count; i++) {
        /* Relaxed: who gets a task of the run got it after the mutex of start_and_enqueue. */
        atomic_fetch_or_explicit(&pool->levels,
                                 1u << (run->functions[i]->priority + MILL_LEVEL_ZERO),
                                 memory_order_relaxed);
        if (run->functions[i]->affinity) run->placed = true;
        lanes = lanes || mill_pool_lane(pool, run->functions[i]->lane);
    }
    return lanes;
}

static void count_in(struct mill_pool *pool, const struct mill_run *run)
{
    if (run->count > 0) atomic_fetch_add(&pool->running, 1);
    atomic_fetch_add_explicit(&pool->submitted, run->count, memory_order_relaxed);
    if (atomic_load(&run->token->cancelled)) { /* before it had a pool */
        atomic_fetch_add(&pool->cancels, 1);
    }
}

static void count_out(struct mill_pool *pool, const struct mill_run *run)
{
    if (run->count > 0) atomic_fetch_sub(&pool->running, 1);
    atomic_fetch_sub_explicit(&pool->submitted, run->count, memory_order_relaxed);
}

/* Starts the pool's threads if nobody has; `queue`: all roots go where any worker takes them. */
static tidemill_status start_and_enqueue(struct mill_pool *pool, struct mill_run *run,
                                         bool queue, struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    int roots = run->root_count < INT_MAX ? (int)run->root_count : INT_MAX;
    pthread_mutex_lock(&pool->mutex);
    if (!atomic_load_explicit(&pool->started, memory_order_relaxed)) {
        status = mill_pool_start(pool, error);
    }
    queue = queue && status == TIDEMILL_OK && roots > 0;
    if (queue) enqueue_run(pool, run);
    pthread_mutex_unlock(&pool->mutex);
    if (queue) mill_pool_wake(pool, roots);
    return status;
}

tidemill_status mill_pool_submit(struct mill_pool *pool, struct mill_run *run,
                                 struct mill_worker *worker, struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    run->pool = pool;
    bool lanes = look_at_functions(pool, run), each = run->placed;
    if (lanes) status = mill_pool_start_lanes(pool, run, error);
    if (status != TIDEMILL_OK) return status;
    run->placed = run->placed || lanes;
    if (lanes && !each && !worker && !part_roots(pool, run)) {
        return mill_no_memory(error, "a run's roots");
    }
    /* With the last of its roots the run may end: what is left of it to read is on this stack. */
    uint32_t first = run->root_count, end = first + run->lane_roots;
    count_in(pool, run);
    if (!atomic_load_explicit(&pool->started, memory_order_acquire) || !worker) {
        status = start_and_enqueue(pool, run, !worker && !each, error);
    }
    if (status != TIDEMILL_OK) {
        count_out(pool, run);
    } else if (worker || each) {
        push_roots(pool, run, worker);
    } else {
        for (uint32_t i = first; i < end; i++) {
            mill_pool_place(pool, NULL, &run->tasks[run->roots[i]]);
        }
    }
    return status;
}

/* ---- taking ---------------------------------------------------------------------------- */

/* Takes the next batch of roots of the oldest run that has some of the level; the batch is
 * smaller towards the end, so that the last roots spread over the workers. */
struct mill_task *mill_pool_take_roots(struct mill_worker *worker, int level)
{
    struct mill_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    struct mill_run *run = pool->queues[level].first;
    if (run == NULL) {
        pthread_mutex_unlock(&pool->mutex);
        return NULL;
    }
    uint32_t first = run->next_root, left = run->level_end[level] - first;
    uint32_t batch =
        left / (2 * (uint32_t)atomic_load_explicit(&pool->active, memory_order_relaxed)) + 1;
    enum mill_pressure pressure = mill_pool_pressure(pool);
    if (batch > ROOT_BATCH) batch = ROOT_BATCH;
    if (pressure >= MILL_PRESSURE_TARGET) batch = 1;
    run->next_root += batch;
    if (batch == left) {
        dequeue_run(pool, level);
        if (run->next_root < run->root_count) enqueue_run(pool, run);
    }
    bool more = run->next_root < run->root_count;
    pthread_mutex_unlock(&pool->mutex);
    /* While a root of it is untaken or unfinished the run stays alive. */
    for (uint32_t i = first + batch - 1; i > first; i--) {
        mill_worker_add(worker, &run->tasks[run->roots[i]]);
    }
    if (more && pressure < MILL_PRESSURE_PAUSE) mill_pool_wake(pool, 1);
    return &run->tasks[run->roots[first]];
}
