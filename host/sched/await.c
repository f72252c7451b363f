/* await: how the script's thread waits.  SPDX-License-Identifier: MIT */
#include "sched/await.h"

#include <limits.h>

#include "base/clock.h"

bool mill_pool_is_over(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait)
{
    if (run) return mill_run_ended(run);
    if (wait == NULL) return atomic_load(&pool->running) == 0;
    return (atomic_load(&wait->fired) != NULL || atomic_load(&wait->reasons) != 0);
}

bool mill_pool_may_spin(struct mill_pool *pool, bool script)
{
    /* Relaxed guesses: the worst that can come of them is a little waiting. */
    uint32_t parked = atomic_load_explicit(&pool->ended.waiters, memory_order_relaxed);
    int awake = atomic_load_explicit(&pool->thread_count, memory_order_relaxed) -
                atomic_load_explicit(&pool->asleep, memory_order_relaxed);
    return pool->spin > 0 && awake + (script || parked == 0) <= pool->cpus;
}

/* Looks for a while before it sleeps: most results of small tasks come at once. */
static void spin_until(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait)
{
    int64_t until = mill_clock_now() + pool->spin;
    uint32_t round = 0;
    while (!mill_pool_is_over(pool, run, wait) && mill_pool_may_spin(pool, true) &&
           mill_clock_now() < until) {
        mill_relax(round++);
    }
}

/* What the script's thread waits for is the end of a run, a wait of its own, or the end of all. */
static bool wait_until(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait,
                       int64_t deadline)
{
    if (pool->options.threads == 0 && !mill_pool_is_over(pool, run, wait)) {
        pool->deadline = deadline;
        pool->awaited_run = run;
        pool->awaited = wait;
        pool->options.drive(pool->options.context, &pool->workers[0]);
        pool->awaited = NULL;
    }
    spin_until(pool, run, wait);
    for (;;) {
        /* Again after each wake: one may come late, of a link that was taken before. */
        if (wait) atomic_store(&wait->parked, 1);
        uint32_t ticket = mill_park_prepare(&pool->ended);
        if (mill_pool_is_over(pool, run, wait) || atomic_load(&pool->interrupted)) {
            mill_park_cancel(&pool->ended);
            break;
        }
        if (!mill_park_commit(&pool->ended, ticket, deadline)) break;
    }
    return mill_pool_is_over(pool, run, wait);
}

bool mill_pool_wait(struct mill_pool *pool, struct mill_run *run, int64_t deadline)
{
    return wait_until(pool, run, NULL, deadline);
}

bool mill_pool_wait_for(struct mill_pool *pool, struct mill_wait *wait, int64_t deadline)
{
    return wait_until(pool, NULL, wait, deadline);
}

bool mill_pool_wait_all(struct mill_pool *pool, int64_t deadline)
{
    return wait_until(pool, NULL, NULL, deadline);
}

void mill_pool_wake_script(struct mill_wait *wait)
{
    struct mill_pool *pool = wait->owner;
    mill_park_wake(&pool->ended, INT_MAX);
}

void mill_pool_interrupt(struct mill_pool *pool)
{
    atomic_store(&pool->interrupted, true);
    mill_park_wake(&pool->ended, INT_MAX);
}

void mill_pool_resume(struct mill_pool *pool)
{
    atomic_store(&pool->interrupted, false);
}
