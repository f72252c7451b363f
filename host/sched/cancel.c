/* cancel: how runs are cancelled.  SPDX-License-Identifier: MIT */
#include "sched/cancel.h"

#include "sched/delay.h"
#include "sched/retry.h"
#include "sched/threads.h"

static bool is_of_cancelled(void *context, struct mill_timer *timer)
{
    (void)context;
    if (mill_retry_is_of(timer)) {
        return mill_run_cancelled(((struct mill_retry *)timer)->task->run);
    }
    return mill_delay_is_of(timer) &&
           mill_run_cancelled(((struct mill_delay *)timer)->task->run);
}

static void inject(void *context, struct mill_task *task)
{
    mill_pool_inject(context, task);
}

void mill_run_cancel(struct mill_run *run)
{
    if (run->pool) {
        mill_pool_cancel(run->pool, run->token);
    } else {
        atomic_store_explicit(&run->token->cancelled, true, memory_order_relaxed);
    }
}

void mill_pool_cancel(struct mill_pool *pool, struct mill_token *token)
{
    atomic_store_explicit(&token->cancelled, true, memory_order_relaxed);
    /* The default order: what is parked from here on sees the token. */
    atomic_fetch_add(&pool->cancels, 1);
    mill_timers_hurry(&pool->timers, is_of_cancelled, NULL);
    mill_resources_let_go(&pool->resources, inject, pool);
    for (int i = pool->worker_count; i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        /* One that has tasks where the pool cannot reach them. */
        if (pool->options.lanes[worker->lane].sleep) mill_pool_call_lane(pool, worker);
    }
    pthread_mutex_lock(&pool->parked_mutex);
    for (struct mill_wait *wait = pool->parked; wait; wait = wait->older) {
        if (wait->task && mill_run_cancelled(wait->task->run)) {
            mill_wait_kick(wait, MILL_REASON_CANCELLED);
        }
    }
    pthread_mutex_unlock(&pool->parked_mutex);
}
