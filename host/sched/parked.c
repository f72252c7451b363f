/* parked: the waits that are parked in a pool, and the end of those that never could end.
 * SPDX-License-Identifier: MIT */
#include "sched/parked.h"

#include <limits.h>

#include "sched/await.h"
#include "sched/mail.h"

/* ---- the list -------------------------------------------------------------------------- */

/* Both under parked_mutex. */
static void add_parked(struct mill_pool *pool, struct mill_wait *wait)
{
    wait->older = pool->parked;
    wait->newer = NULL;
    if (pool->parked) pool->parked->newer = wait;
    pool->parked = wait;
    atomic_fetch_add(&pool->parked_count, 1);
}

static void remove_parked(struct mill_pool *pool, struct mill_wait *wait)
{
    if (wait->newer) wait->newer->older = wait->older;
    if (wait->older) wait->older->newer = wait->newer;
    if (pool->parked == wait) pool->parked = wait->older;
    wait->older = wait->newer = NULL;
    atomic_fetch_sub(&pool->parked_count, 1);
}

bool mill_pool_park(struct mill_pool *pool, struct mill_wait *wait)
{
    pthread_mutex_lock(&pool->parked_mutex);
    add_parked(pool, wait);
    pthread_mutex_unlock(&pool->parked_mutex);
    /* A cancel that came before did not find it on the list.  Without any, the tokens of runs that
     * tasks of tasks have started are not walked. */
    if (wait->task && atomic_load(&pool->cancels) && mill_run_cancelled(wait->task->run)) {
        atomic_fetch_or(&wait->reasons, MILL_REASON_CANCELLED);
    }
    return mill_wait_park(wait);
}

void mill_pool_unpark(struct mill_pool *pool, struct mill_wait *wait)
{
    pthread_mutex_lock(&pool->parked_mutex);
    remove_parked(pool, wait);
    pthread_mutex_unlock(&pool->parked_mutex);
}

/* ---- a script that waits for ever ------------------------------------------------------ */

static void set_blocked(struct mill_pool *pool, bool blocked, struct mill_run *run,
                        struct mill_wait *wait)
{
    pthread_mutex_lock(&pool->parked_mutex);
    pool->blocked_run = run;
    pool->blocked_wait = wait;
    /* The default order: see mill_pool_unstick.  Under the mutex: blocked for nothing in particular
     * is blocked for all runs. */
    atomic_store(&pool->blocked, blocked);
    pthread_mutex_unlock(&pool->parked_mutex);
}

void mill_pool_block(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait)
{
    set_blocked(pool, true, run, wait);
    if (pool->options.threads > 0) mill_pool_unstick(pool);
}

void mill_pool_unblock(struct mill_pool *pool)
{
    set_blocked(pool, false, NULL, NULL);
}

/* ---- when nobody can go on ------------------------------------------------------------- */

/* Whether any worker has something to do. */
static bool is_work(struct mill_pool *pool)
{
    if (atomic_load(&pool->stop) || atomic_load(&pool->queued) ||
        atomic_load(&pool->injected) || atomic_load(&pool->fans.open) > 0 ||
        atomic_load(&pool->outside) > 0 || mill_timers_next(&pool->timers) != INT64_MAX) {
        return true;
    }
    for (int i = 0; i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        if (mill_worker_has_mail(worker)) return true;
        for (int level = 0; level < MILL_LEVELS; level++) {
            if (mill_deque_size(&worker->deques[level]) > 0) return true;
        }
    }
    return false;
}

/* All workers sleep, the script waits for ever, and nothing is to come.  Every going on of a worker
 * changes `wakes` before it finds work, so that nobody has been awake between the two looks. */
static bool is_stuck(struct mill_pool *pool)
{
    if (pool->options.threads == 0) return !is_work(pool);
    int asleep = atomic_load(&pool->thread_count);
    uint32_t wakes = atomic_load(&pool->wakes);
    return atomic_load(&pool->blocked) && atomic_load(&pool->asleep) == asleep &&
           !is_work(pool) && atomic_load(&pool->asleep) == asleep &&
           atomic_load(&pool->wakes) == wakes;
}

/* The newest wait of a task that nothing has ended yet, else of the script; under the mutex.  NULL,
 * too, when the script will go on, though it may not have woken yet. */
static struct mill_wait *choose_victim(struct mill_pool *pool)
{
    bool blocked = atomic_load(&pool->blocked);
    if (blocked && mill_pool_is_over(pool, pool->blocked_run, pool->blocked_wait)) return NULL;
    struct mill_wait *script = NULL;
    for (struct mill_wait *wait = pool->parked; wait; wait = wait->older) {
        if (atomic_load(&wait->fired) || atomic_load(&wait->reasons)) continue;
        if (wait->task) return wait;
        script = wait;
    }
    return script;
}

bool mill_pool_unstick(struct mill_pool *pool)
{
    if (atomic_load(&pool->parked_count) == 0 || !is_stuck(pool)) return false;
    pthread_mutex_lock(&pool->parked_mutex);
    struct mill_wait *wait = is_stuck(pool) ? choose_victim(pool) : NULL;
    if (wait) mill_wait_kick(wait, MILL_REASON_STUCK);
    pthread_mutex_unlock(&pool->parked_mutex);
    return wait != NULL;
}

/* ---- operations outside ---------------------------------------------------------------- */

void mill_pool_enter_outside(struct mill_pool *pool)
{
    atomic_fetch_add(&pool->outside, 1);
}

/* Who went to sleep while it was the last one did not look whether all are stuck. */
void mill_pool_leave_outside(struct mill_pool *pool)
{
    if (atomic_fetch_sub(&pool->outside, 1) > 1) return;
    if (pool->options.threads > 0) {
        mill_pool_unstick(pool);
    } else {
        mill_pool_wake_serial(pool);
    }
}

void mill_pool_wake_serial(struct mill_pool *pool)
{
    const struct mill_lane_driver *driver = &pool->options.lanes[MILL_LANE_THREAD];
    mill_park_wake(&pool->ended, INT_MAX);
    if (driver->wake) driver->wake(driver->context);
}
